#include "anonymize_text.hpp"
#include <algorithm>
#include <cmath>
#include "output.hpp"
#include "progress.hpp"

namespace client {
namespace {

std::int64_t rows_of(const core::PlannedTable &table) { return static_cast<std::int64_t>(std::llround(std::max(table.source_rows, 0.0))); }

// What is rewritten, the largest first, then what is emptied, then what stays.
std::vector<const core::PlannedTable *> ordered(const PlanView &view)
{
	std::vector<const core::PlannedTable *> tables;
	for (const auto &table : view.plan.tables) tables.push_back(&table);
	const auto rank = [](const core::PlannedTable *table) { return table->mode == core::Mode::copy ? 0 : table->mode == core::Mode::empty ? 1 : 2; };
	std::stable_sort(tables.begin(), tables.end(),
	    [&](const auto *a, const auto *b) { return rank(a) != rank(b) ? rank(a) < rank(b) : a->source_rows > b->source_rows; });
	return tables;
}

std::string masked_text(const PlanView &view, const core::PlannedTable &table)
{
	const auto gone = view.answers.left_out.find(table.name);
	const std::string left_out = gone == view.answers.left_out.end() || gone->second.first == 0
	    ? ""
	    : ", " + counted(gone->second.first, "row") + " left out";
	std::vector<std::string> columns;
	for (const auto &column : table.columns)
		if (column.mask.masks()) columns.push_back(printable(column.column));
	return (columns.empty() ? "rewritten, for it references rows that go" : "masked: " + list(columns, 6)) + left_out;
}

}  // namespace

std::string anonymize_losses_text(const PlanView &view)
{
	const auto lost = losses(view).rows;
	return lost ? "Will disappear from " + view.target.name + ": about " + counted(lost, "row") +
	        " of tables that are emptied, and what hangs from them.\n"
	            : "Nothing will disappear from " + view.target.name + ".\n";
}

std::string anonymize_text(const PlanView &view, std::size_t most)
{
	std::string out = view.target.name + "  " + printable(view.target.database) + " @ " + printable(view.target.host) +
	    " (PostgreSQL " + shown_version(view.target.server) + ", " + printable(view.target.label) + ")  " +
	    show_bytes(view.target.bytes) + ", " + counted(static_cast<std::int64_t>(view.target.tables), "table") +
	    ", masked in place\n\n";
	TextTable text({"table", ">rows", "what happens"});
	const auto tables = ordered(view);
	std::size_t shown = 0;
	for (const auto *table : tables) {
		if (most && shown == most) break;
		++shown;
		text.add({printable(table->name.shown()), show_count(rows_of(*table)),
		    table->mode == core::Mode::copy ? masked_text(view, *table) : printable(table->what_happens)});
	}
	out += text.text();
	if (shown < tables.size()) out += "  ... " + std::to_string(tables.size() - shown) + " more (--all)\n";
	if (!view.warnings.empty() || !view.plan.warnings.empty()) out += "\n";
	for (const auto &warning : warning_texts(view)) out += "  warning: " + printable(warning) + "\n";
	out += "\n" + anonymize_losses_text(view);
	if (!view.plan.problems.empty()) return out;
	out += "Nothing stands in the way" + std::string(view.target.refreshable ? "" : " but the label") + ". Written beside in about " +
	    show_duration(std::max(1.0, estimated_seconds(view.plan, view.jobs))) + " by " + counted(view.jobs, "connection") + ".\n";
	for (const auto &need : view.plan.needs) {
		auto said = printable(need.text);
		if (said.starts_with("the target's ")) said = view.target.name + "'s " + said.substr(13);
		if (need.id == "disk") said = "Disk of " + view.target.name + ": " + said;
		if (need.id == "writers") said = view.target.name + ": " + said;
		if (need.id != "locks") out += said + "\n";
	}
	out += what_remains();
	if (!view.next.empty() && view.target.refreshable) out += "Run it: " + view.next + "\n";
	return out;
}

const std::vector<std::string> &places_that_remain()
{
	static const std::vector<std::string> places{"WAL and its archive", "backups, and the snapshot it was restored from",
	    "replicas until they have replayed it", "tables and columns without a rule", "tables of extensions",
	    "large objects and foreign tables", "the server's log", "freed blocks of the disk"};
	return places;
}

std::string what_remains() { return "Raw values may still be in: " + list(places_that_remain()) + " (docs/operating.md)\n"; }

}  // namespace client
