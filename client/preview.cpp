#include "preview.hpp"
#include <set>
#include "core/detect_forms.hpp"
#include "core/masks.hpp"
#include "core/statements.hpp"
#include "copy_rows.hpp"
#include "mask_column.hpp"
#include "output.hpp"
#include "rewrite.hpp"

namespace client {
namespace {

constexpr std::size_t most_shown = 60;    // bytes of a value

std::string shown(const std::optional<std::string_view> &value)
{
	if (!value) return "NULL";
	std::string text(*value);
	if (text.size() > most_shown) {
		std::size_t end = most_shown;
		while (end && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;    // not in the middle of a character
		text = text.substr(0, end) + "...";
	}
	return printable(text);
}

constexpr const char *as_it_is = "(as it is)";

// A key that is data itself (a document keyed by e-mail address) is nobody's business either.
std::string shown_key(const std::string &key)
{
	return core::form_of(key) == core::Form::none && key.find('@') == key.npos ? key : "*";
}

// Of a document what the rules made of it; all else is production's.
core::json masked_parts(const core::json &before, const core::json &after)
{
	if (before == after) return as_it_is;
	if (before.is_object() && after.is_object()) {
		auto out = core::json::object();
		for (const auto &[key, value] : after.items()) out[shown_key(key)] = before.contains(key) ? masked_parts(before[key], value) : value;
		return out;
	}
	if (!before.is_array() || !after.is_array() || before.size() != after.size()) return after;
	auto out = core::json::array();
	for (std::size_t i = 0; i < after.size(); ++i) out.push_back(masked_parts(before[i], after[i]));
	return out;
}

// A value of a column whose rules are about parts of it, without what they leave alone.
std::string without_the_rest(std::string_view before, std::string_view after, const std::string &base)
{
	if (core::is_hstore(base)) return "(masked in parts)";
	const auto was = core::json::parse(before, nullptr, false), is = core::json::parse(after, nullptr, false);
	return was.is_discarded() || is.is_discarded() ? "(masked in parts)" : masked_parts(was, is).dump(-1, ' ', false, core::json::error_handler_t::replace);
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
				replacements.push_back(masked_column(header.size() - (raw ? 2 : 1), transfer, part, beside, options.key.key.get(), prepared.source_catalog, prepared.target_catalog));
			header.push_back(transfer.column);
		}
		Rewriter rewriter(step.relation.shown(), false, part.columns.size(), std::move(replacements), beside.size());
		std::vector<std::string> lines;
		for_each_line(source, "COPY (" + core::select_from_source(part) + " LIMIT " + std::to_string(rows) + ") TO STDOUT (FORMAT text, ENCODING 'UTF8')",
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
				if (value && !raw && !as_it_was && before[i] && !part.columns[i].mask.inside.empty())
					value = without_the_rest(*before[i], *after[i], base_of(prepared.target_catalog, step.relation, part.columns[i].column));
				below.push_back(shown(value));
				json_row[part.columns[i].column] = as_it_was && !raw ? core::json() : value ? core::json(*value) : core::json();
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
