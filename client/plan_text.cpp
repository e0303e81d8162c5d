#include "plan_text.hpp"
#include <algorithm>
#include <cmath>
#include "core/name.hpp"
#include "core/other_paths.hpp"
#include "core/presets.hpp"
#include "core/ways.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "anonymize_text.hpp"

namespace client {
namespace {

// Bytes of tables and indexes that one connection loads, indexes and verifies in a second. Measured with 2 and 4 connections on 2 cores;
// the estimate is only to tell seconds from minutes from hours.
constexpr double bytes_per_second = 40e6;

DatabaseView database_view(const Connection &connection, const core::Catalog &catalog)
{
	DatabaseView view{
	    connection.endpoint().label, connection.database(), connection.host(), connection.user(), connection.server(), "", 0, 0};
	for (const auto &[name, relation] : catalog.relations) {
		view.bytes += (relation.pages + relation.toast_pages) * 8192;
		for (const auto &index : relation.indexes) view.bytes += index.pages * 8192;
	}
	view.tables = catalog.tables().size();
	return view;
}

double rows_of(const core::Catalog &catalog, const core::Name &table)
{
	double rows = 0;
	for (const auto *relation : catalog.storage(table)) rows += std::max(relation->rows, 0.0);
	return rows;
}

std::string about(double rows)
{
	// Three digits are more than statistics know.
	auto count = static_cast<std::int64_t>(std::llround(rows));
	std::int64_t step = 1;
	while (count / step >= 1000) step *= 10;
	return show_count((count + step / 2) / step * step);
}

std::string about_time(double seconds)
{
	return seconds < 60 ? show_count(std::max(1L, std::lround(seconds))) + " s" : show_duration(seconds);
}

core::Name only(const core::Catalog &catalog, const std::string &written)
{
	auto found = catalog.resolve(written);
	return found.size() == 1 ? found[0] : core::Name{};
}

const char *mode_text(core::Mode mode) { return mode == core::Mode::copy ? "copy" : mode == core::Mode::keep ? "keep" : "empty"; }

std::string scope_text(const core::PlannedTable &table)
{
	if (table.mode != core::Mode::copy) return "-";
	if (table.scope == core::Scope::shared) return "shared";
	if (table.path.size() < 2 && !core::forks(table.path)) return "tenant";
	auto by = table.path[0].columns.empty() ? table.path[0].to.shown() : table.path[0].columns[0];
	if (by.ends_with("_id")) by.erase(by.size() - 3);
	return "via " + printable(by);
}

// The tables in the order of what people look for: the tenants, then the largest, then what is not copied.
std::vector<const core::PlannedTable *> ordered(const PlanView &view)
{
	const auto tenants = view.config.tenants ? only(view.target_catalog, view.config.tenants->table) : core::Name{};
	std::vector<const core::PlannedTable *> tables;
	for (const auto &table : view.plan.tables) tables.push_back(&table);
	std::stable_sort(tables.begin(), tables.end(), [&](const auto *a, const auto *b) {
		auto rank = [&](const core::PlannedTable *table) { return table->name == tenants ? -1 : static_cast<int>(table->mode); };
		if (rank(a) != rank(b)) return rank(a) < rank(b);
		return a->source_rows > b->source_rows;
	});
	return tables;
}

// With room for a few only: two of each mode at least, the rest of the room for what is copied.
std::vector<const core::PlannedTable *> chosen(const std::vector<const core::PlannedTable *> &tables, std::size_t most)
{
	if (most == 0 || tables.size() <= most) return tables;
	std::map<core::Mode, std::size_t> left{{core::Mode::copy, most}, {core::Mode::keep, 2}, {core::Mode::empty, 2}};
	for (auto mode : {core::Mode::keep, core::Mode::empty}) {
		auto there =
		    static_cast<std::size_t>(std::count_if(tables.begin(), tables.end(), [&](const auto *t) { return t->mode == mode; }));
		left[mode] = std::min(left[mode], there);
		left[core::Mode::copy] -= std::min(left[core::Mode::copy] - 1, left[mode]);
	}
	std::vector<const core::PlannedTable *> out;
	for (const auto *table : tables)
		if (left[table->mode] > 0) {
			--left[table->mode];
			out.push_back(table);
		}
	return out;
}

std::string tables_text(const PlanView &view, std::size_t most)
{
	TextTable text({"table", "mode", "scope", ">from " + view.source.name, ">kept", "what happens"});
	auto all = ordered(view);
	auto shown = chosen(all, most);
	for (const auto *table : shown) {
		const bool copied = table->mode == core::Mode::copy;
		text.add({printable(table->name.shown()), mode_text(table->mode), scope_text(*table),
		    copied && table->in_source ? show_count(static_cast<std::int64_t>(std::llround(std::max(table->source_rows, 0.0))))
		                               : "-",
		    table->mode == core::Mode::keep ? "all" : show_count(table->kept_rows), printable(table->what_happens)});
	}
	auto out = text.text();
	if (shown.size() < all.size()) out += "  ... " + std::to_string(all.size() - shown.size()) + " more (--all)\n";
	return out;
}

std::string header_text(const PlanView &view)
{
	TextTable table({"", "", ""}, "");
	for (const auto *side : {&view.source, &view.target}) {
		auto who =
		    printable(side->database) + " @ " + printable(side->host) + " (PostgreSQL " + shown_version(side->server) + ", ";
		who += side->label.empty() ? "role " + printable(side->role) : side->label;
		table.add({side->name, who + ")",
		    " " + show_bytes(side->bytes) + ", " + counted(static_cast<std::int64_t>(side->tables), "table")});
	}
	auto text = table.text();
	return text.substr(text.find('\n') + 1);
}

std::string maps_text(const PlanView &view)
{
	std::string out;
	const auto users = view.config.users ? only(view.target_catalog, view.config.users->table) : core::Name{};
	for (const auto &[table, map] : view.answers.maps) {
		if (table != users) continue;
		std::string fallback;
		if (map.fallback)
			fallback = " -> " + (map.fallback_label.empty() ? "" : printable(map.fallback_label) + " ") +
			    (map.fallback_label.empty() ? "id " + printable(*map.fallback) : "(id " + printable(*map.fallback) + ")") +
			    (map.fallback_candidates > 1 ? ", the first of " + show_count(map.fallback_candidates) + " that match" : "");
		const auto count = static_cast<std::int64_t>(std::llround(rows_of(view.source_catalog, table)));
		out += "Users: " + (count ? show_count(count) : "those") + " in " + view.source.name + fallback;
		if (!view.config.users->match.empty())
			out += (map.fallback ? "; " : ": ") + show_count(static_cast<std::int64_t>(map.pairs.size())) + " matched by " +
			    list(view.config.users->match);
		if (!map.fallback && !map.unmatched.empty())
			out += ", " + show_count(static_cast<std::int64_t>(map.unmatched.size())) + " not";
		out += "\n";
	}
	std::vector<std::string> others;
	for (const auto &[table, map] : view.answers.maps)
		if (table != users)
			others.push_back(printable(table.shown()) + " (" + show_count(static_cast<std::int64_t>(map.pairs.size())) +
			    (map.unmatched.empty() ? "" : ", " + show_count(static_cast<std::int64_t>(map.unmatched.size())) + " not") + ")");
	if (!others.empty()) out += "Matched by natural key: " + list(others, 6) + "\n";
	return out;
}

// "Django: auth_user (users), django_session (sessions)": whose tables were recognized.
std::string presets_text(const PlanView &view)
{
	std::string out;
	for (const auto &[framework, tables] : core::recognized(view.target_catalog)) {
		std::vector<std::string> names;
		for (const auto &table : tables) names.push_back(printable(table));
		out += framework + ": " + list(names, 8) + "\n";
	}
	return out;
}

// How each table finds its tenant; only where all tables are shown.
std::string paths_text(const PlanView &view)
{
	TextTable table({"tenant by", "path"});
	bool any = false;
	for (const auto &planned : view.plan.tables) {
		if (planned.mode != core::Mode::copy || planned.path.empty()) continue;
		any = true;
		table.add({printable(planned.name.shown()), printable(core::path_text(planned.path))});
	}
	return any ? "\n" + table.text() : "";
}

std::string kept_text(const PlanView &view)
{
	if (!view.config.tenants) return "Kept tenants: none, there is no tenants: in the configuration\n";
	std::vector<std::string> names;
	for (const auto &name : view.answers.kept_tenants) names.push_back(printable(name));
	std::string out = "Kept tenants (" + std::to_string(names.size()) +
	    (view.answers.target_tenants >= 0 ? " of " + show_count(view.answers.target_tenants) : "") +
	    "): " + (names.empty() ? "none" : list(names, 8));
	out += "          keep: " + printable(view.config.tenants->keep) + "\n";
	return out;
}

std::string verdict_text(const PlanView &view)
{
	double rows = 0;
	std::int64_t bytes = 0;
	for (const auto &table : view.plan.tables)
		if (table.mode == core::Mode::copy && table.in_source) {
			rows += std::max(table.source_rows, 0.0);
			bytes += table.source_bytes;
		}
	std::string out = "Nothing stands in the way" + std::string(view.target.refreshable ? "" : " but the label") + ". About " +
	    about(rows) + " rows, " + show_bytes(bytes) + ", loaded beside in about " +
	    about_time(estimated_seconds(view.plan, view.jobs)) + " by " + counted(view.jobs, "connection") + ".\n";
	// Locks are a warning or a problem where they do not suffice, and nobody's concern where they do.
	for (const auto &need : view.plan.needs) {
		auto text = printable(need.text);
		const std::string who = "the target's ";
		if (text.starts_with(who)) text = view.target.name + "'s " + text.substr(who.size());
		if (need.id == "wait" || need.id == "rights")
			out += text + "\n";
		else if (need.id == "disk")
			out += "Disk of " + view.target.name + ": " + text + "\n";
	}
	return out;
}

}  // namespace

static std::string fix_text(std::string_view fix)
{
	std::string out;
	while (!fix.empty()) {
		const auto end = std::min(fix.find('\n'), fix.size());
		out += "           " + printable(fix.substr(0, end)) + "\n";
		fix.remove_prefix(std::min(end + 1, fix.size()));
	}
	return out;
}

PlanView plan_view(const RefreshOptions &options, const Prepared &prepared, const std::string &next)
{
	PlanView view{database_view(*prepared.source, prepared.source_catalog),
	    database_view(*prepared.target, prepared.target_catalog), options.config, prepared.answers, prepared.source_catalog,
	    prepared.target_catalog, prepared.plan, prepared.warnings, prepared.jobs, next};
	const auto &label = prepared.label;
	view.target.label = label.name.empty() ? "no label" : "label \"" + printable(label.name) + "\"";
	view.target.refreshable = label.refreshable;
	view.target.label += label.refreshable ? ", refreshable" : ", not refreshable";
	return view;
}

double estimated_seconds(const core::Plan &plan, int jobs)
{
	double bytes = 0;
	for (const auto &step : plan.steps)
		if (step.kind == "load") bytes += static_cast<double>(step.est_bytes);
	// Beyond four connections the disk is what counts.
	return bytes / (bytes_per_second * std::clamp(jobs, 1, 4));
}

Losses losses(const PlanView &view)
{
	Losses out;
	out.tenants = view.config.tenants && view.answers.target_tenants >= 0
	    ? view.answers.target_tenants - static_cast<std::int64_t>(view.answers.kept_tenants.size())
	    : -1;
	const auto tenants = view.config.tenants ? only(view.target_catalog, view.config.tenants->table) : core::Name{};
	for (const auto &table : view.plan.tables) {
		if (table.name == tenants && table.mode == core::Mode::keep) out.tenants = -1;    // not chosen: they all stay
		if (view.config.choice.in_place && table.mode == core::Mode::copy) {
			if (auto gone = view.answers.left_out.find(table.name); gone != view.answers.left_out.end()) out.rows += gone->second.first;
			continue;
		}
		if (table.mode == core::Mode::keep) continue;
		const auto rows = static_cast<std::int64_t>(std::llround(rows_of(view.target_catalog, table.name)));
		out.rows += std::max<std::int64_t>(0, rows - table.kept_rows);
		out.kept_rows += table.kept_rows;
		if (table.kept_rows && !table.key.empty() && view.target_catalog.find(table.name)) {
			const auto *column = view.target_catalog.find(table.name)->column(table.key);
			auto start = column ? view.config.reserved_from.find(column->base) : view.config.reserved_from.end();
			if (start != view.config.reserved_from.end()) out.reserved_from[start->second] = start->first;
		}
	}
	return out;
}

std::string losses_text(const PlanView &view)
{
	if (view.config.choice.in_place) return anonymize_losses_text(view);
	const auto lost = losses(view);
	std::string out;
	if (lost.rows || lost.tenants > 0) {
		out = "Will disappear from " + view.target.name + ": ";
		if (lost.tenants > 0) out += counted(lost.tenants, "tenant") + " that nothing keeps, ";
		out += "about " + about(static_cast<double>(lost.rows)) + " rows.";
	} else
		out = "Nothing will disappear from " + view.target.name + ".";
	if (!lost.reserved_from.empty()) {
		const auto largest = lost.reserved_from.rbegin()->first;
		out += "\nWill move: ids of kept rows below " + show_count(largest);
		for (const auto &[start, type] : lost.reserved_from)
			if (start != largest)
				out += " (" + type + ": " + show_count(start) + ")";
		out += "; there are " + counted(lost.kept_rows, "kept row") + ", links with such an id change.";
	}
	return out + "\n";
}

std::vector<std::string> warning_texts(const PlanView &view)
{
	auto out = view.warnings;
	for (const auto &warning : view.plan.warnings) out.push_back(warning.text);
	return out;
}

std::string plan_text(const PlanView &view, std::size_t tables)
{
	if (view.config.choice.in_place) return anonymize_text(view, tables);
	auto out = header_text(view) + "\n" + kept_text(view) + maps_text(view) + presets_text(view) + "\n" + tables_text(view, tables);
	if (tables == 0) out += paths_text(view);
	if (!view.warnings.empty() || !view.plan.warnings.empty()) out += "\n";
	for (const auto &warning : view.warnings) out += "  warning: " + printable(warning) + "\n";
	for (const auto &warning : view.plan.warnings)
		out += "  warning: " + printable(warning.text) + "\n" + fix_text(warning.fix);
	out += "\n" + losses_text(view);
	if (view.plan.problems.empty()) {
		out += verdict_text(view);
		if (!view.next.empty() && view.target.refreshable) out += "Run it: " + view.next + "\n";
	}
	return out;
}

}  // namespace client
