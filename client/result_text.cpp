// What a refresh has done, and what checks found.
#include <algorithm>
#include <map>
#include "commands.hpp"
#include "progress.hpp"

namespace client {
namespace {

const CheckResult *find_check(const std::vector<CheckResult> &checks, const std::string &name, const std::string &object)
{
	auto found = std::find_if(checks.begin(), checks.end(), [&](const CheckResult &check) { return check.name == name && check.object == object; });
	return found == checks.end() ? nullptr : &*found;
}

std::int64_t number(const core::json &detail, const char *key)
{
	return detail.is_object() && detail.contains(key) && detail[key].is_number_integer() ? detail[key].get<std::int64_t>() : 0;
}

std::string detail_text(const core::json &detail)
{
	if (detail.is_null() || detail.empty()) return "";
	if (detail.is_string()) return printable(detail.get<std::string>());
	if (detail.is_object() && detail.size() == 1 && detail.contains("text") && detail["text"].is_string())
		return printable(detail["text"].get<std::string>());
	std::string out;
	if (detail.is_object()) {
		for (const auto &[key, value] : detail.items())
			out += (out.empty() ? "" : ", ") + key + " " + (value.is_string() ? value.get<std::string>() : value.dump());
		return printable(out);
	}
	return printable(detail.dump());
}

struct Group {
	std::int64_t checks = 0, broken = 0;
};

// The switch reports what it did in the form of a check: told in a sentence, not counted.
bool only_told(const CheckResult &check)
{
	return (check.name == "kept rows" && check.object == "all tables") || check.name == "sequences" || check.name == "gave way to kept rows" ||
	    check.name == "statistics not gathered";
}

// "foreign key" -> "foreign keys"; names that are plural, or that there is one of, stay.
std::string plural(const std::string &name)
{
	return name.ends_with("key") || name == "sequence" || name == "masked form" || name == "emptied table" ? name + "s"
	    : name == "invalid index"                                                                          ? "invalid indexes"
	                                                                                                       : name;
}

}  // namespace

core::json checks_json(const std::vector<CheckResult> &checks)
{
	auto out = core::json::array();
	for (const auto &check : checks)
		out.push_back({{"check_name", check.name}, {"object", check.object}, {"violations", check.violations},
		    {"detail", check.detail}, {"ok", check.ok}});
	return out;
}

std::string checks_text(const std::vector<CheckResult> &checks, const std::string &indent)
{
	std::map<std::string, Group> groups;
	for (const auto &check : checks) {
		if (only_told(check) && check.ok) continue;
		auto &group = groups[check.name];
		++group.checks;
		group.broken += !check.ok;
	}
	TextTable summary({"", ">", ""}, indent);
	for (const auto &[name, group] : groups)
		summary.add({printable(plural(name)), show_count(group.checks) + " checked,", show_count(group.broken) + " broken"});
	auto text = summary.text();
	auto out = text.substr(text.find('\n') + 1);
	for (const auto &check : checks) {
		if (check.ok && check.violations == 0) continue;
		if (check.ok && check.name == "gave way to kept rows") {
			out.append(indent).append("note: ").append(counted(check.violations, "row"));
			out.append(" of the source gave way to kept rows with the same key (").append(printable(check.object)).append(")\n");
			continue;
		}
		if (check.ok && check.name == "statistics not gathered") {
			const auto table = printable(check.object);
			out.append(indent).append("note: statistics of ").append(table).append(" could not be gathered: ANALYZE ").append(table).append("; says why\n");
			continue;
		}
		out.append(indent).append(check.ok ? "note: " : "broken: ").append(printable(check.name)).append(" ");
		out.append(printable(check.object)).append(": ").append(counted(check.violations, "row")).append("\n");
		if (auto detail = detail_text(check.detail); !detail.empty()) out.append(indent).append("  ").append(detail).append("\n");
	}
	return out;
}

std::string result_text(const RefreshView &view)
{
	const auto &result = view.result;
	const auto amount = counted(result.total_rows, "row") + ", " + show_bytes(result.total_bytes);
	std::string out;
	if (result.rehearsed)
		out = "rehearsed: " + view.target +
		    (view.in_place ? std::string(" can be masked in place: ") : " can be refreshed from " + view.source + ": ") + amount +
		    " loaded beside in " + show_duration(result.seconds) + ", nothing was switched\n";
	else {
		out = view.target + (view.in_place ? std::string(" masked in place in ") : " refreshed from " + view.source + " in ") +
		    show_duration(result.seconds) + ": " + amount +
		    (view.masked_columns ? "; " + counted(static_cast<std::int64_t>(view.masked_columns), "column") + " masked"
		                         : "; nothing masked") +
		    (view.remapped_columns ? ", " + counted(static_cast<std::int64_t>(view.remapped_columns), "user column") + " remapped"
		                           : "") +
		    "\n";
		out += "  switched in " + show_duration(result.switch_seconds) +
		    (result.switch_tries > 1 ? " at try " + std::to_string(result.switch_tries) : "") + "; nobody " +
		    (view.in_place ? "reading " : "using ") + view.target + " waited longer\n";
		if (const auto *kept = find_check(result.checks, "kept rows", "all tables")) {
			const auto moved = number(kept->detail, "rekeyed"), supporting = number(kept->detail, "supporting");
			if (number(kept->detail, "kept") || supporting || moved)
				out += "  " + counted(number(kept->detail, "kept"), "kept row") + " brought over" +
				    (supporting ? ", with " + counted(supporting, "row") + " that they reference" : "") +
				    (moved ? "; " + counted(moved, "id") + " moved into the reserved range" : "") + "\n";
		}
		if (const auto *sequences = find_check(result.checks, "sequences", "all sequences"))
			out += "  " + counted(static_cast<std::int64_t>(view.unique_keys), "unique key") + " built, " +
			    counted(number(sequences->detail, "set"), "sequence") + " set\n";
	}
	out += checks_text(view.checks);
	for (const auto &warning : result.warnings) out += "  warning: " + printable(warning) + "\n";
	return out;
}

}  // namespace client
