#include "plan_run.hpp"
#include <algorithm>
#include <future>
#include <map>
#include <thread>
#include "../extension/core/catalog_query.hpp"
#include "../extension/core/graph.hpp"
#include "../extension/core/masking.hpp"
#include "../extension/core/statements.hpp"
#include "ask.hpp"
#include "fault_point.hpp"
#include "progress.hpp"
#include "samples.hpp"
#include "session.hpp"
#include "switch.hpp"
#include "try_checks.hpp"

namespace client {
namespace {

std::string version(int server) { return std::to_string(server / 10000) + "." + std::to_string(server % 10000); }

void demand_versions(const Connection &source, const Connection &target)
{
	auto refuse = [](const Connection &which, const std::string &least) {
		throw Error(exit_refused,
		    which.endpoint().label + " is PostgreSQL " + version(which.server()) + ", prodsync needs " + least +
		        " or later there");
	};
	if (source.server() < 130000) refuse(source, "13");
	if (target.server() < 130000) refuse(target, "13");
}

core::json parse(const std::optional<std::string> &text, const Connection &from)
{
	core::json document = core::json::parse(text.value_or(""), nullptr, false);
	if (!document.is_object()) throw Error(exit_other, "the catalog of " + from.endpoint().label + " could not be read");
	return document;
}

}  // namespace

namespace {

// Relations of this database that somebody holds against everybody, and who that is.
std::string held(Connection &connection)
{
	std::string out;
	for (const core::Row &row : connection
	         .exec("SELECT n.nspname, c.relname, pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('pid', l.pid, 'role', a.usename,"
	               " 'application', nullif(a.application_name, ''), 'state', a.state, 'prepared', p.gid))"
	               " FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation"
	               " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
	               " LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid"
	               " LEFT JOIN pg_catalog.pg_locks AS x ON l.pid IS NULL AND x.virtualtransaction = l.virtualtransaction"
	               " AND x.locktype = 'transactionid' AND x.mode = 'ExclusiveLock'"
	               " LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = x.transactionid"
	               " WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()"
	               " AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())"
	               " AND c.relkind IN ('r', 'p', 'm', 'v', 'f') ORDER BY a.xact_start, n.nspname, c.relname LIMIT 3")
	         .all()) {
		const std::string holder = holders_text(core::json::parse(row[2].value_or(""), nullptr, false));
		out += (out.empty() ? "" : "; ") + core::Name{row[0].value_or(""), row[1].value_or("")}.shown() + " is locked" +
		    (holder.empty() ? "" : " by " + holder);
	}
	return out.empty() ? "something is locked" : out;
}

}  // namespace

Result exec_that_reads_catalog(Connection &connection, const std::string &sql, const Params &params, Show show)
{
	const auto begun = std::chrono::steady_clock::now();
	limit_lock_waits(connection);
	try {
		Result result = connection.exec(sql, params, show);
		connection.exec("SET lock_timeout = 0");
		return result;
	} catch (Error &error) {
		if (error.sqlstate != "55P03") throw;
		const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begun;
		connection.rollback();
		throw Error(exit_refused,
		    "the catalog of " + connection.endpoint().label + " could not be read within " + show_duration(waited.count()) + ": " + held(connection) +
		        "; nothing was changed",
		    "run it again when that transaction is over, or let somebody end it", {}, error.sqlstate);
	}
}

std::optional<ReadButRewritten> rewritten_of(const Result &found, const core::Catalog &catalog)
{
	if (!found.rows()) return std::nullopt;
	for (const auto &[name, relation] : catalog.relations)
		if (relation.oid == found.number(0, 0)) return ReadButRewritten{name.shown(), found.text(0, 2)};
	return ReadButRewritten{found.text(0, 1), found.text(0, 2)};
}

std::optional<ReadButRewritten> read_but_rewritten(Connection &source, const core::Catalog &catalog)
{
	return rewritten_of(source.exec(core::rewritten_since_snapshot()), catalog);
}

std::optional<std::string> read_catalog(Connection &connection, const std::string &sql, Show show)
{
	const Result result = exec_that_reads_catalog(connection, sql, {}, show);
	return !result.rows() || result.null(0, 0) ? std::nullopt : std::optional(result.text(0, 0));
}

core::json source_catalog(Connection &source)
{
	// Settings of this one statement: the savepoint takes them back.
	std::string set = "SAVEPOINT catalog";
	for (const auto &[name, value] : core::catalog_settings)
		set += "; SELECT pg_catalog.set_config(" + core::quote_literal(name) + ", " + core::quote_literal(value) + ", true)";
	source.exec(set);
	auto document = parse(read_catalog(source, core::catalog_query), source);
	source.exec("ROLLBACK TO SAVEPOINT catalog; RELEASE SAVEPOINT catalog");
	return document;
}

namespace {

// What people wrote about production's columns, and what its triggers do, helps to find what is personal; it is nobody's business on the target.
void forget_texts(core::json &document)
{
	document.erase("trigger_bodies");
	if (!document.contains("relations")) return;
	for (core::json &relation : document["relations"]) {
		relation.erase("comment");
		relation.erase("fillers");
		if (relation.contains("columns"))
			for (core::json &column : relation["columns"]) column.erase("comment"), column.erase("expression");
	}
}

// Samples of the columns that would be copied as they are, without anybody having said so; and of those with rules for parts, whose paths may have a typo.
core::Contents samples(const RefreshOptions &options, Prepared &prepared, UnmatchedPaths &unmatched)
{
	const bool unasked = options.config.policy == core::Policy::none;
	std::vector<core::Problem> problems, warnings;
	const auto graph = core::Graph::build(options.config, prepared.target_catalog, problems, warnings);
	const auto ruled = core::resolve_masking(options.config, graph, prepared.source_catalog, prepared.target_catalog, problems);
	std::set<core::Name> tables;
	for (const auto &[name, node] : graph.tables)
		if ((node.mode == core::Mode::copy || (options.config.choice.in_place && node.mode == core::Mode::keep)) &&
		    prepared.source_catalog.find(name))
			tables.insert(name);
	auto read = read_samples(*prepared.source, prepared.source_catalog, tables, ruled, &unmatched, unasked ? Look::parts : Look::undecided);
	if (unasked) read.contents = {};
	if (read.locked.empty()) return std::move(read.contents);
	const std::string where = read.locked_tables() + " in " + prepared.source->endpoint().label + ": no sample could be read within 10 seconds";
	// A lock shall not be the way around strict.
	if (options.config.policy == core::Policy::strict)
		throw Error(exit_other, where + "; nothing was changed",
		    "run it again when whoever holds the lock is done; columns that a rule names are not sampled", {}, "55P03");
	prepared.warnings.push_back(where +
	    (unasked ? ", and whether the paths of rules name anything there is not known" : ", and what looks personal is told by names only"));
	return std::move(read.contents);
}

// Rules to paste have the SQL itself, in the place of the name that it goes by.
void name_sql(core::Plan &plan, const SourceSql &sql)
{
	for (auto *list : {&plan.problems, &plan.warnings})
		for (core::Problem &problem : *list)
			for (const auto &[name, text] : sql) {
				const std::string from = core::json(name).dump(), to = core::json(text).dump();
				for (std::size_t at = 0; (at = problem.fix.find(from, at)) != std::string::npos; at += to.size())
					problem.fix.replace(at, from.size(), to);
			}
}

bool is(const std::string &section, const char *name) { return section == name || section == std::string(name) + "s"; }

std::string text_of(const core::json &item, const char *key)
{
	return item.contains(key) && item[key].is_string() ? item[key].get<std::string>() : "";
}

core::json item_of(const core::Row &row)
{
	core::json item = core::json::parse(row.size() > 2 && row[2] ? *row[2] : "", nullptr, false);
	return item.is_object() ? item : core::json::object();
}

// What only the target's server can know (free disk, rights there) comes with its plan. It may add to the obstacles, never take one away.
void add_findings(core::Plan &plan, const std::vector<core::Row> &theirs)
{
	for (const core::Row &row : theirs) {
		const std::string section = row.empty() || !row[0] ? "" : *row[0];
		const core::json item = item_of(row);
		const core::Problem problem{text_of(item, "id"), text_of(item, "object"), text_of(item, "text"), text_of(item, "fix")};
		auto add = [&](std::vector<core::Problem> &to) {
			// What both sides found is told in our words: they know more.
			if (std::none_of(to.begin(), to.end(),
			        [&](const core::Problem &one) { return one.id == problem.id && one.object == problem.object; }))
				to.push_back(problem);
		};
		if (is(section, "problem")) add(plan.problems);
		else if (is(section, "warning")) add(plan.warnings);
		else if (is(section, "need")) {
			auto same = std::find_if(plan.needs.begin(), plan.needs.end(),
			    [&](const core::Need &need) { return need.id == problem.id && need.text == problem.text; });
			if (same == plan.needs.end()) plan.needs.push_back({problem.id, problem.text, item.value("value", std::int64_t{0})});
		}
	}
}

}  // namespace

std::string difference(const core::Plan &ours, const std::vector<core::Row> &theirs)
{
	const core::json binding = ours.binding();
	std::map<std::string, std::vector<core::json>> items;
	for (const core::Row &row : theirs) {
		const std::string section = row.empty() || !row[0] ? "" : *row[0];
		items[is(section, "table") ? "tables" : is(section, "step") ? "steps" : section].push_back(item_of(row));
	}
	for (const auto &[section, list] : binding.items()) {
		if (!list.is_array()) continue;
		const auto &other = items[section];
		if (other.size() != list.size())
			return section + ": " + std::to_string(other.size()) + " instead of " + std::to_string(list.size());
		for (std::size_t i = 0; i < list.size(); ++i)
			for (const auto &[key, value] : list[i].items())
				if (!other[i].contains(key) || other[i][key] != value)
					return section + " " + (list[i].contains("name") ? list[i]["name"].dump() : std::to_string(i + 1)) + ": " + key;
	}
	return {};
}

std::size_t masked_columns(const core::Plan &plan)
{
	std::size_t count = 0;
	for (const auto &table : plan.tables)
		for (const auto &column : table.columns) count += column.mask.masks();
	return count;
}

void refuse_problems(const core::Plan &plan)
{
	if (!plan.problems.empty()) throw problems_error(plan.problems);
}

Prepared prepare(const RefreshOptions &options)
{
	Prepared prepared;
	prepared.target = std::make_unique<Connection>(options.target);
	prepared.source = std::make_unique<Connection>(options.source);
	Connection &source = *prepared.source, &target = *prepared.target;
	demand_versions(source, target);
	FAULT_POINT("connected");
	settle(source, core::source_settings(source.server()));
	settle(target, core::target_settings(target.server()));

	prepared.extension = find_extension(target);
	prepared.label = environment(target, prepared.extension);
	try {
		demand_label(target, prepared.extension, prepared.label, options.demanded_label);
	} catch (Error &error) {
		// To look is allowed, but never at another database than the one that was named.
		if (options.demand_refreshable ||
		    (!prepared.label.name.empty() && !options.demanded_label.empty() && prepared.label.name != options.demanded_label))
			throw;
		const std::string what = error.what(), refused = what.substr(0, what.rfind("; nothing was changed"));
		prepared.warnings.push_back(refused + "; " + error.hint);
	}
	if (options.config.choice.in_place) demand_one_database(source, target);
	else demand_two_databases(source, target, prepared.warnings);

	const auto may = [&](auto question) {
		try {
			return question();
		} catch (Error &error) {
			if (error.sqlstate != "42501") throw;
			throw Error(exit_refused, "the role " + target.user() + " may not refresh " + options.target.label,
			    "let the owner of the extension run in " + target.database() + " @ " + target.host() + ":  SELECT " +
			        prepared.extension.call("sync_grant(") + core::quote_literal(target.user()) + ")",
			    {}, error.sqlstate);
		}
	};
	auto of_target = std::async(std::launch::async, [&] {
		// One moment of the target too, and the server sees to it that nothing is written.
		target.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
		return core::Catalog::parse(parse(may([&] { return read_catalog(target, "SELECT " + prepared.extension.call("sync_catalog()")); }), target));
	});
	prepared.snapshot = source.one(core::begin_snapshot("")).value_or("");
	prepared.source_document = source_catalog(source);
	prepared.source_catalog = core::Catalog::parse(prepared.source_document);
	forget_texts(prepared.source_document);
	prepared.target_catalog = of_target.get();

	prepared.answers = ask(options, prepared);
	const auto plan_of_target = [&] {
		return may([&] {
			return exec_that_reads_catalog(target,
			    "SELECT section, object, item FROM " +
			        prepared.extension.call("sync_plan($1::pg_catalog.jsonb, $2::pg_catalog.jsonb, $3::pg_catalog.jsonb)"),
			        {options.shared_config.dump(), prepared.source_document.dump(), prepared.answers.to_json().dump()})
			    .all();
		});
	};
	// Keys that are texts may be what the missing rules are about: while something stands in the way they stay here.
	std::future<std::vector<core::Row>> theirs;
	if (!prepared.answers.has_text_keys()) theirs = std::async(std::launch::async, plan_of_target);
	UnmatchedPaths unmatched;
	prepared.plan = core::make_plan(options.config, prepared.source_catalog, prepared.target_catalog, prepared.answers,
	    samples(options, prepared, unmatched));
	for (auto &warning : unmatched.warnings()) prepared.plan.warnings.push_back(std::move(warning));
	if (!theirs.valid() && prepared.plan.problems.empty()) theirs = std::async(std::launch::deferred, plan_of_target);
	if (theirs.valid()) try {
		const auto rows = theirs.get();
		if (prepared.plan.problems.empty())
			if (const std::string differs = difference(prepared.plan, rows); !differs.empty())
				throw Error(exit_refused, options.target.label + " plans something else than this client; nothing was changed",
					"client and extension must be the same build; if they are, do not trust that server", differs);
		add_findings(prepared.plan, rows);
	} catch (Error &error) {
		if (error.sqlstate != "PS002" || prepared.plan.problems.empty()) throw;    // the problems that we have already
	}
	demand_key(options.key, prepared.plan);
	if (options.demand_masking && masked_columns(prepared.plan) == 0)
		prepared.plan.problems.push_back({"nothing-masked", "anonymize",
		    options.config.choice.in_place ? "no rule masks a column of " + options.target.label
		                                   : "--anonymize, and no rule masks a column that is copied",
		    options.config.choice.in_place
		        ? "add rules under anonymize: tables:; prodsync detect suggests them"
		        : "prodsync plan names columns that look personal, with the rules to paste under anonymize: tables:"});
	if (prepared.plan.problems.empty()) try_sql(source, prepared.plan, options.source_sql);
	if (prepared.plan.problems.empty()) try_checks(options, prepared);
	name_role(prepared.plan, source);
	name_sql(prepared.plan, options.source_sql);
	target.rollback();
	FAULT_POINT("planned");

	const int cores = static_cast<int>(std::thread::hardware_concurrency());
	prepared.jobs = options.jobs > 0 ? options.jobs : std::clamp(cores, 2, 4);
	return prepared;
}

}  // namespace client
