// sync_start(): the guard, one at a time, the plan once more, and a run in the ledger. Whatever is believed later comes from what is stored here.
#include "core/in_place.hpp"
#include "core/plan.hpp"
#include "discard.hpp"
#include "environment.hpp"
#include "fault_point.hpp"
#include "inputs.hpp"
#include "ledger.hpp"
#include "locks.hpp"
#include "refresh.hpp"

namespace prodsync {

static constexpr const char *open_runs = R"(
SELECT run, format('run %s is at work: started by "%s" at %s', run, role, to_char(started, 'YYYY-MM-DD HH24:MI:SS')) || coalesce(format(' from "%s"', application), '')
  FROM prodsync_work.run WHERE status IN ('started', 'switched') ORDER BY run)";

static void require_alone(const pg::Extension &extension)
{
	if (run_lock::alone()) return;
	std::vector<pg::Row> open;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		open = spi.rows(open_runs);
	}
	for (const pg::Row &row : open)
		if (run_lock::alive(std::stoi(*row[0])))
			throw pg::Error(PS_REFUSED, *row[1], {}, "Wait for its end, or give it up: SELECT sync_discard(" + *row[0] + ")");
	throw pg::Error(
	    PS_REFUSED, "another refresh, sync_clear(), sync_remap_users() or sync_anonymize() is at work in this database", {}, "Wait for its end.");
}

static void drop_leftovers(const pg::Extension &extension)
{
	int budget = shadows_at_once;
	int left = discard_dead(extension, {}, budget);
	if (left > 0)
		throw pg::Error(PS_REFUSED,
		    "earlier runs left " + std::to_string(left + shadows_at_once) + " tables behind, too many for one transaction", {},
		    "SELECT sync_discard() drops 100 of them; call it until it returns 0.");
}

static core::json identity_of(const core::Catalog &source)
{
	return {{"system_identifier", source.system_identifier}, {"database", source.database}, {"server", source.server},
	    {"snapshot", source.snapshot}, {"in_recovery", source.in_recovery}};
}

static std::vector<pg::Row> as_rows(int run, const std::vector<core::Step> &steps, const core::Catalog &target)
{
	std::vector<pg::Row> out;
	for (const core::Step &step : steps) {
		core::json item = core::Plan::step_json(step);
		bool load = step.kind == "load", shadow = load || step.kind == "empty";
		std::string waits;
		for (int other : step.depends_on) waits += (waits.empty() ? "" : ",") + std::to_string(other);
		auto when = [](bool holds, const std::string &text) { return holds ? pg::Value(text) : pg::Value(); };
		out.push_back({std::to_string(run), std::to_string(step.step), step.kind,
		    when(!step.relation.empty(), item["relation"].get<std::string>()),
		    shadow ? pg::Value("prodsync_work.s_" + std::to_string(run) + "_" + std::to_string(target.find(step.relation)->oid))
		           : pg::Value(),
		    "{" + waits + "}", std::to_string(step.est_bytes), when(load, item["format"].get<std::string>()),
		    when(load, item["columns"].dump()), when(!step.filter.empty(), step.filter)});
	}
	return out;
}

PG_FUNCTION(prodsync_start)
{
	pg::prevent_in_read_only("sync_start()");
	if (IsolationUsesXactSnapshot())
		throw pg::Error(ERRCODE_INVALID_TRANSACTION_STATE, "sync_start() has to see what was committed a moment ago", {},
		    "Call it in an ordinary (READ COMMITTED) transaction.");
	pg::Extension extension = pg::extension_of(fcinfo);
	std::vector<core::Problem> problems;
	core::Config config = core::Config::parse(json_arg(fcinfo, 0), problems);
	core::Catalog source = source_arg(fcinfo, 1);
	core::Answers answers = answers_arg(fcinfo, 2);
	require_refreshable(extension);
	require_alone(extension);
	FAULT_POINT("start begins");
	drop_leftovers(extension);

	std::string known = fingerprint(extension);  // before the catalog is read: a change in between is noticed at the switch
	core::json target_json = target_document(extension);
	core::Catalog target = core::Catalog::parse(target_json);
	// The columns that are read are the first catalog's, those of the shadow this one's: one that came in between would lose its values.
	if (config.choice.in_place && !core::same_structure(source, target))
		throw pg::Error(PS_STALE, "the schema was changed since the plan was made", {}, "Nothing was changed. Run it again.");
	core::Plan plan = core::make_plan(config, source, target, answers);
	problems.insert(problems.end(), plan.problems.begin(), plan.problems.end());
	refuse_problems(problems);

	core::json given = json_arg(fcinfo, 0);
	if (given.is_object()) given.erase("choice");    // what counts in this run only
	core::Config staying = core::Config::parse(given, problems);
	if (config.choice.in_place && may_run_stored_text(extension))    // else we would make somebody else's conditions our own
		if (const std::optional<core::Config> stored = current_config(extension))
			staying.tenants = stored->tenants, staying.users = stored->users;  // a refresh's, which had no part in this
	store_config(extension, staying);
	core::json documents{{"answers", answers.to_json()}, {"target", std::move(target_json)}};
	int run = ledger::open(extension, config.choice.in_place ? "anonymize" : "refresh", config.to_json(), identity_of(source),
	    documents, known, plan.steps, target);
	if (!run_lock::control(run)) throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is controlled by another session");
	FAULT_POINT("start ends");
	return pg::table(fcinfo, as_rows(run, plan.steps, target));
}

}  // namespace prodsync
