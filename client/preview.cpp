#include "preview.hpp"
#include <set>
#include "core/detect_content.hpp"
#include "core/json_path.hpp"
#include "core/masks.hpp"
#include "core/statements.hpp"
#include "copy_rows.hpp"
#include "mask_column.hpp"
#include "output.hpp"
#include "rewrite.hpp"

namespace client {
namespace {

constexpr std::size_t most_shown = 60;    // bytes of a value

std::string cut(std::string text)
{
	if (text.size() <= most_shown) return text;
	std::size_t end = most_shown;
	while (end && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;    // not in the middle of a character
	return text.substr(0, end) + "...";
}

std::string shown(const std::optional<std::string_view> &value) { return value ? printable(cut(std::string(*value))) : "NULL"; }

constexpr const char *as_it_is = "(as it is)", *in_parts = "(masked in parts)";

// What it makes of a text is that text with parts of it replaced: the rest is production's.
bool keeps_words(const core::MaskRule &rule) { return rule.strategy == "free_text" && rule.text("form") != "shape"; }

// The rules for parts of a document.
class Parts {
	struct Part {
		core::JsonPath path;
		bool keeps_words;
	};
	std::vector<Part> parts_;

public:
	using States = std::vector<core::JsonPath::State>;

	explicit Parts(const std::vector<core::MaskRule> &rules)
	{
		std::string why;
		for (const core::MaskRule &rule : rules)
			if (auto path = core::JsonPath::parse(rule.path, why)) parts_.push_back({*path, keeps_words(rule)});
	}
	States root() const
	{
		States out;
		for (const Part &part : parts_) out.push_back(part.path.root());
		return out;
	}
	// Of the document what the rules made of it; all else is production's.
	core::json masked(const core::json &before, const core::json &after, const States &states) const
	{
		if (before == after) return as_it_is;
		if (before.is_object() && after.is_object()) {
			auto out = core::json::object();
			for (const auto &[key, value] : after.items()) {
				const bool same = !before.contains(key) || before[key] == value;
				const std::string shown = shown_key(key, states, same);
				if (!same || !out.contains(shown))
					out[shown] = same
					    ? core::json(as_it_is)
					    : masked(before[key], value,
					          below(states, [&](const auto &path, const auto &state) { return path.member(state, key); }));
			}
			return out;
		}
		if (before.is_array() && after.is_array() && before.size() == after.size()) {
			auto out = core::json::array();
			for (std::size_t i = 0; i < after.size(); ++i)
				out.push_back(masked(before[i], after[i],
				    below(states, [&](const auto &path, const auto &state) { return path.element(state, i); })));
			return out;
		}
		for (std::size_t i = 0; i < parts_.size(); ++i)    // the first counts
			if (parts_[i].path.matched(states[i]))
				return after.is_structured() || parts_[i].keeps_words ? core::json(in_parts)
				    : after.is_string()                               ? core::json(cut(after.get<std::string>()))
				                                                      : after;
		return in_parts;
	}

private:
	template <class Step> States below(const States &states, Step step) const
	{
		States out;
		for (std::size_t i = 0; i < parts_.size(); ++i) out.push_back(step(parts_[i].path, states[i]));
		return out;
	}
	// A key that is data itself (a document keyed by e-mail address, or by user name) is nobody's business either: that a rule reached it by * or ..
	// says that it can be any.
	std::string shown_key(const std::string &key, const States &states, bool same) const
	{
		for (std::size_t i = 0; i < parts_.size(); ++i)
			if (parts_[i].path.says(states[i], key)) return key;
		return same && core::can_be_name(key) ? key : "*";
	}
};

// A value of a column whose rules are about parts of it, without what they leave alone.
std::string without_the_rest(std::string_view before, std::string_view after, const core::MaskRule &rule, const std::string &base)
{
	if (core::is_hstore(base)) return in_parts;
	const auto was = core::json::parse(before, nullptr, false), is = core::json::parse(after, nullptr, false);
	if (was.is_discarded() || is.is_discarded()) return in_parts;
	const Parts parts(rule.inside);
	return parts.masked(was, is, parts.root()).dump(-1, ' ', false, core::json::error_handler_t::replace);
}

std::string base_of(const core::Catalog &catalog, const core::Name &table, const std::string &column)
{
	const core::Relation *relation = catalog.find(table);
	const core::Column *found = relation ? relation->column(column) : nullptr;
	return found ? found->base : "";
}

// The step with the masked columns alone, as text.
core::Step masked_part(const core::Step &step, const SourceSql &sql)
{
	core::Step part = with_sql(step, sql);
	std::erase_if(part.columns, [](const core::Transfer &transfer) { return !transfer.mask.masks(); });
	part.binary = false;
	return part;
}

}  // namespace

Preview preview(const RefreshOptions &options, const Prepared &prepared, int rows, bool raw)
{
	Preview out;
	std::set<core::Name> seen;
	Connection &source = *prepared.source;
	for (const core::Step &step : prepared.plan.steps) {
		if (step.kind != "load" || seen.count(step.table)) continue;
		const core::Step part = masked_part(step, options.source_sql);
		if (part.columns.empty()) continue;
		const std::vector<std::string> beside = core::read_beside(part);
		std::vector<Replacement> replacements;
		std::vector<std::string> header{">row"};
		if (raw) header.emplace_back("");
		for (const core::Transfer &transfer : part.columns) {
			if (transfer.mask.strategy != core::by_production)
				replacements.push_back(masked_column(header.size() - (raw ? 2 : 1), transfer, part, beside, options.key.key.get(),
				    prepared.source_catalog, prepared.target_catalog));
			header.push_back(transfer.column);
		}
		Rewriter rewriter(step.relation.shown(), false, part.columns.size(), std::move(replacements), beside.size());
		std::vector<std::string> lines;
		for_each_line(source,
		    "COPY (" + core::select_from_source(part) + " LIMIT " + std::to_string(rows) +
		        ") TO STDOUT (FORMAT text, ENCODING 'UTF8')",
		    [&](std::string_view line) { lines.emplace_back(line); });
		if (lines.empty()) continue;    // another leaf may have rows
		seen.insert(step.table);
		TextTable table(header);
		auto json_rows = core::json::array();
		CopyFields fields_before, fields_after;
		int number = 0;
		for (const std::string &line : lines) {
			std::string masked_line;
			rewriter.message(line, masked_line);
			const auto &before = fields_before.of(line), &after = fields_after.of(masked_line);
			std::vector<std::string> above{std::to_string(++number), "production"}, below{raw ? "" : std::to_string(number)};
			if (raw) below.emplace_back("masked");
			auto json_row = core::json::object();
			for (std::size_t i = 0; i < part.columns.size(); ++i) {
				const bool made_there = part.columns[i].mask.strategy == core::by_production;
				const bool as_it_was = !made_there && after[i] && !after[i]->empty() && before[i] == after[i];
				above.push_back(made_there ? "" : shown(before[i]));
				std::optional<std::string> value;
				if (as_it_was && !raw) value = as_it_is;
				else if (after[i]) value = std::string(*after[i]);
				const core::MaskRule &rule = part.columns[i].mask;
				const bool document = !rule.inside.empty();
				if (value && !raw && !as_it_was && before[i]) {
					if (document)
						value = without_the_rest(
						    *before[i], *after[i], rule, base_of(prepared.target_catalog, step.relation, part.columns[i].column));
					else if (keeps_words(rule)) value = in_parts;
				}
				below.push_back(shown(value));
				json_row[part.columns[i].column] = as_it_was && !raw ? core::json()
				    : value                                          ? core::json(document && !raw ? *value : cut(*value))
				                                                     : core::json();
			}
			if (raw) table.add(above);
			table.add(below);
			json_rows.push_back(json_row);
		}
		out.text += (out.text.empty() ? "" : "\n") + printable(step.table.shown()) + "\n" + table.text();
		out.tables.push_back({{"table", step.table.shown()}, {"rows", json_rows}});
	}
	if (out.text.empty()) out.text = "No column of these tables is masked, or they have no rows.\n";
	return out;
}

}  // namespace client
