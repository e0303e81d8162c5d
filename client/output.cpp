#include "output.hpp"
#include <algorithm>
#include <sstream>
#include "progress.hpp"

namespace client {
namespace {

using nlohmann::ordered_json;

std::size_t width(std::string_view text)
{
	return static_cast<std::size_t>(
	    std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Every line of `text` with `indent` before it.
std::string indented(std::string_view text, const std::string &indent)
{
	std::string out;
	std::istringstream lines{std::string(text)};
	for (std::string line; std::getline(lines, line);) out += indent + line + "\n";
	return out;
}

// The planner's problems that are mistakes in the file rather than facts about the databases.
bool mistake_in_file(const std::string &id)
{
	static const std::vector<std::string> mistakes{"malformed", "no-file", "wrong-type", "wrong-value", "bad-value", "not-yet",
	    "bad-dsn", "missing-variable", "missing-key", "not-supported"};
	return id.starts_with("unknown-") || id.starts_with("ambiguous-") ||
	    std::find(mistakes.begin(), mistakes.end(), id) != mistakes.end();
}

ordered_json problems_json(const Failure &failure)
{
	auto out = ordered_json::array();
	for (const auto &[problem, where, configuration] : failure.problems) {
		ordered_json one{
		    {"id", problem.id}, {"object", scrub(problem.object)}, {"text", scrub(problem.text)}, {"fix", scrub(problem.fix)}};
		if (!where.empty()) one["place"] = where;
		out.push_back(std::move(one));
	}
	return out;
}

ordered_json error_json(const Failure &failure)
{
	auto nullable = [](const std::string &text) { return text.empty() ? ordered_json(nullptr) : ordered_json(scrub(text)); };
	ordered_json out{{"sqlstate", nullable(failure.sqlstate)}, {"text", scrub(failure.text)}, {"hint", nullable(failure.hint)}};
	if (!failure.detail.empty()) out["detail"] = scrub(failure.detail);
	return out;
}

std::string dumped(const ordered_json &object)
{
	// Names in a database that is not UTF-8 must not make the whole report fail.
	return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json object_json(const std::string &command, const Outcome &outcome)
{
	const auto &failure = outcome.failure;
	ordered_json out{{"command", command}, {"ok", outcome.exit_code == exit_done}, {"exit_code", outcome.exit_code},
	    {"run", outcome.run ? ordered_json(*outcome.run) : ordered_json(nullptr)},
	    {"anonymized", outcome.masked_columns > 0},
	    {"tables", outcome.tables}, {"total_rows", outcome.total_rows}, {"details", outcome.details},
	    {"problems", failure ? problems_json(*failure) : ordered_json::array()}, {"warnings", outcome.warnings},
	    {"error", failure ? error_json(*failure) : ordered_json(nullptr)}};
	out.update(outcome.more);
	return out;
}

// A check that failed, as the extension listed it in an error's DETAIL.
std::string item_text(const core::json &item)
{
	auto field = [&](const char *key) -> std::string {
		auto it = item.find(key);
		if (it == item.end() || it->is_null()) return "";
		return printable(it->is_string() ? it->get<std::string>() : it->dump());
	};
	if (!item.is_object()) return printable(item.is_string() ? item.get<std::string>() : item.dump()) + "\n";
	const auto check = field(item.contains("check_name") ? "check_name" : "check"), object = field("object");
	std::string out = check + (check.empty() || object.empty() ? "" : " ") + object;
	if (auto it = item.find("violations"); it != item.end() && it->is_number_integer())
		out += ": " + counted(it->get<std::int64_t>(), "row");
	if (out.empty()) out = printable(item.dump());
	out += "\n";
	auto it = item.find("detail");
	if (it == item.end() || it->is_null() || it->empty()) return out;
	if (!it->is_object()) return out + "  " + printable(it->is_string() ? it->get<std::string>() : it->dump()) + "\n";
	// {"text": ..., "kept_keys": ["2", "14"]}: the sentence first, then what belongs to it.
	std::string words = it->contains("text") && (*it)["text"].is_string() ? (*it)["text"].get<std::string>() : "";
	for (const auto &[key, value] : it->items()) {
		if (key == "text") continue;
		std::string list;
		if (value.is_array())
			for (const auto &one : value) list += (list.empty() ? "" : ", ") + (one.is_string() ? one.get<std::string>() : one.dump());
		words += (words.empty() ? "" : "; ") + key + " " + (value.is_array() ? list : value.is_string() ? value.get<std::string>() : value.dump());
	}
	out += "  " + printable(words) + "\n";
	if (const auto constraint = it->find("constraint"); check == "foreign key" && constraint != it->end() && constraint->is_string())
		out += "  where production has such rows and they are to be taken: checks: {" + printable(constraint->get<std::string>()) + ": source}\n";
	return out;
}

}  // namespace

Failure Failure::of(const Error &error, const Settings *settings)
{
	Failure failure;
	failure.exit_code = error.exit_code;
	failure.sqlstate = error.sqlstate;
	failure.text = error.what();
	failure.detail = error.detail;
	failure.hint = error.hint;
	failure.items = error.items;
	const auto *of_file = dynamic_cast<const ConfigError *>(&error);
	for (std::size_t i = 0; i < error.problems.size(); ++i) {
		Item item{error.problems[i], "", of_file != nullptr};
		if (of_file)
			item.place = place(of_file->file, of_file->positions[i]);
		else if (settings && !settings->file.empty()) {
			if (auto at = settings->find(item.problem); at.line) {
				item.place = place(settings->file, at);
				item.configuration = mistake_in_file(item.problem.id);
			}
		}
		failure.problems.push_back(std::move(item));
	}
	return failure;
}

std::string error_text(const Failure &failure)
{
	std::string out;
	std::vector<const Failure::Item *> numbered;
	for (const auto &item : failure.problems) {
		if (!item.configuration) {
			numbered.push_back(&item);
			continue;
		}
		out += item.place + ": error: " + item.problem.text + "\n";
		if (!item.problem.fix.empty()) {
			auto fix = indented(item.problem.fix, "        ");
			out += "  hint: " + fix.substr(8);
		}
	}
	if (failure.problems.empty() || !numbered.empty()) {
		auto text = numbered.empty() ? failure.text
		                             : counted(static_cast<std::int64_t>(numbered.size()), "problem") +
		        (numbered.size() == 1 ? " stands in the way" : " stand in the way");
		out += "prodsync: error: " + text + "\n";
	}
	const auto digits = std::to_string(numbered.size()).size();
	for (std::size_t i = 0; i < numbered.size(); ++i) {
		auto number = std::to_string(i + 1);
		const std::string indent(digits + 4, ' ');
		auto text =
		    indented(numbered[i]->problem.text + (numbered[i]->place.empty() ? "" : "  (" + numbered[i]->place + ")"), indent);
		out += std::string(2 + digits - number.size(), ' ') + number + "  " + text.substr(indent.size());
		out += indented(numbered[i]->problem.fix, indent);
	}
	for (const auto &item : failure.items)
		if (!item.is_object() || !item.contains("pid"))  // holders of locks are in the text already
			out += indented(item_text(item), "  ");
	if (!failure.detail.empty()) out += "  detail: " + failure.detail + "\n";
	if (!failure.hint.empty()) out += "  hint: " + failure.hint + "\n";
	return scrub(out);
}

std::string json_text(const std::string &command, const Outcome &outcome) { return dumped(object_json(command, outcome)); }

std::string json_text(const std::string &command, const Failure &failure)
{
	Outcome outcome;
	outcome.exit_code = failure.exit_code;
	outcome.failure = failure;
	outcome.details = failure.items;
	return dumped(object_json(command, outcome));
}

TextTable::TextTable(std::vector<std::string> header, std::string indent) : indent_(std::move(indent))
{
	for (auto &cell : header) {
		right_.push_back(cell.starts_with('>'));
		if (right_.back()) cell.erase(0, 1);
	}
	rows_.push_back(std::move(header));
}

std::string TextTable::text() const
{
	std::vector<std::size_t> widths(right_.size());
	for (const auto &row : rows_)
		for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
	std::string out;
	for (const auto &row : rows_) {
		std::string line = indent_;
		for (std::size_t i = 0; i < row.size(); ++i) {
			const std::string pad(widths[i] - width(row[i]), ' ');
			line += (i ? "  " : "") + (right_[i] ? pad + row[i] : row[i] + pad);
		}
		line.erase(line.find_last_not_of(' ') + 1);
		out += line + "\n";
	}
	return out;
}

std::string counted(std::int64_t count, const std::string &what)
{
	return show_count(count) + " " + what + (count == 1 ? "" : "s");
}

std::string shown_version(int server) { return std::to_string(server / 10000) + "." + std::to_string(server % 10000); }

std::string list(const std::vector<std::string> &words, std::size_t most)
{
	std::string out;
	for (std::size_t i = 0; i < words.size(); ++i) {
		if (most && i == most && words.size() > most + 1) return out + " and " + std::to_string(words.size() - most) + " more";
		out += (i ? ", " : "") + words[i];
	}
	return out;
}

std::string printable(std::string_view text)
{
	const char *digits = "0123456789abcdef";
	std::string out;
	for (std::size_t i = 0; i < text.size(); ++i) {
		auto byte = static_cast<unsigned char>(text[i]);
		const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
		// In UTF-8, c2 80 to c2 9f are control characters too.
		const bool wide = byte == 0xc2 && next >= 0x80 && next < 0xa0;
		if (!wide && byte >= 0x20 && byte != 0x7f) {
			out += text[i];
			continue;
		}
		if (wide) {
			byte = next;
			++i;
		}
		out += byte == '\n' ? std::string("\\n")
		    : byte == '\t'  ? std::string("\\t")
		                    : std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
	}
	return out;
}

}  // namespace client
