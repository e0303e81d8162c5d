// sync_step(), sync_loaded(): one step of a run in the caller's transaction. The run's lock is held to the end of it, so whoever discards the
// run waits for that end or brings it about.
#include "fault_point.hpp"
#include "ledger.hpp"
#include "locks.hpp"
#include "refresh.hpp"
#include "shadow.hpp"
#include "pg_server.hpp"

namespace prodsync {

static std::string name_of(int run, const StepRow &step)
{
	return "step " + std::to_string(step.step) + " of run " + std::to_string(run);
}

// Under the run's lock the status stays what it is.
static void enter(const pg::Extension &extension, int run)
{
	(void)ledger::find(extension, run, pg::caller());
	if (!run_lock::step(run)) throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is over: it is being discarded");
}

static bool afterwards(const StepRow &step) { return step.kind == "refresh" || step.kind == "clean"; }

static void require_turn(const pg::Extension &extension, int run, const StepRow &step)
{
	std::string status = ledger::find(extension, run, pg::caller()).status;
	bool its_time = afterwards(step) ? status == "switched" || status == "done" : status == "started";
	if (!its_time && status == "started") throw pg::Error(PS_REFUSED, name_of(run, step) + " comes after the switch");
	if (!its_time) throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is over (" + status + ")");
	if (step.status != "waiting")
		throw pg::Error(PS_REFUSED, name_of(run, step) + (step.status == "done" ? " is done already" : " was begun already"));
	pg::Value open;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		open = spi.one("SELECT min(step) FROM prodsync_work.run_step WHERE run = $1::int AND status <> 'done' AND step IN "
		               "(SELECT d::int FROM jsonb_array_elements_text($2::jsonb) AS d)",
		    {std::to_string(run), step.item.value("depends_on", core::json::array()).dump()});
	}
	if (open) throw pg::Error(PS_REFUSED, name_of(run, step) + " waits for step " + *open);
}

// A crash that takes the last steps takes the run with it: no need to wait for the disk at each of them. The switch's COMMIT does.
static void commit_without_waiting()
{
	pg::call([] {
		(void)set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	});
}

static Oid make_shadow(const pg::Extension &extension, int run, const StepRow &step)
{
	if (step.item.value("routed", false)) {    // made by the step before, for all loads of the table
		if (!OidIsValid(step.shadow)) throw pg::Error(PS_REFUSED, step.relation + " has no shadow yet");
		return step.shadow;
	}
	Oid original = step.original;
	if (!OidIsValid(original) || !pg::call([=] { return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(original)); }))
		throw pg::Error(PS_STALE, step.relation + " of the target was dropped since the run started");
	Oid shadow = create_shadow(extension, run, original);
	ledger::remember_shadow(extension, run, original, shadow);
	return shadow;
}

void finish_small(const pg::Extension &extension, Oid original, Oid shadow)
{
	for (Oid index : indexes_of(original)) {
		build_index(extension, shadow, index);
		pg::check_interrupts();
	}
	analyze(extension, shadow);
}

void step_empty(const pg::Extension &extension, int run, const StepRow &step)
{
	Oid shadow = make_shadow(extension, run, step);
	if (step.item.value("whole", false)) finish_small(extension, step.original, shadow);
}

void step_index(const pg::Extension &extension, int, const StepRow &step)
{
	std::string name = step.item.value("index", "");
	if (!OidIsValid(step.shadow)) throw pg::Error(PS_REFUSED, step.relation + " has no shadow yet");
	pg::Value index;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		index = spi.one("SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::oid "
		                "AND c.relname = $2::name",
		    {std::to_string(step.original), name});
	}
	if (!index)
		throw pg::Error(PS_STALE, "index \"" + name + "\" of " + step.relation + " was dropped or renamed since the run started");
	build_index(extension, step.shadow, static_cast<Oid>(std::stoul(*index)));
}

PG_FUNCTION(prodsync_step)
{
	pg::prevent_in_read_only("sync_step()");
	pg::Extension extension = pg::extension_of(fcinfo);
	int run = static_cast<int>(pg::arg_int(fcinfo, 0)), number = static_cast<int>(pg::arg_int(fcinfo, 1));
	enter(extension, run);
	StepRow step = ledger::step(extension, run, number);
	require_turn(extension, run, step);
	ledger::step_started(extension, run, number);
	if (!afterwards(step)) commit_without_waiting();
	FAULT_POINT(step.kind + " begins");

	if (step.kind == "load") {
		Oid shadow = make_shadow(extension, run, step);
		allow_copy(shadow);
		FAULT_POINT("load: shadow made");
		return pg::text_datum(sql_name(shadow));
	}
	if (step.kind == "empty")
		step_empty(extension, run, step);
	else if (step.kind == "route")
		step_route(extension, run, step);
	else if (step.kind == "routed")
		step_routed(extension, run, step);
	else if (step.kind == "index")
		step_index(extension, run, step);
	else if (step.kind == "verify")
		step_verify(extension, run, step);
	else if (step.kind == "preflight")
		step_preflight(extension, run);
	else if (step.kind == "refresh")
		step_refresh(extension, run, step);
	else if (step.kind == "clean")
		step_clean(extension, run);
	else
		throw std::logic_error("a step of kind " + step.kind);
	ledger::step_done(extension, run, number, std::nullopt);
	FAULT_POINT(step.kind + " ends");
	PG_RETURN_NULL();
}

// The step is this transaction's own: a load that was committed without sync_loaded() is nobody's.
static bool opened_here(const pg::Extension &extension, int run, int step)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	return spi
	    .one("SELECT 1 FROM prodsync_work.run_step WHERE run = $1::int AND step = $2::int AND kind = 'load' AND status = "
	         "'running' AND xid = pg_current_xact_id_if_assigned()",
	        {std::to_string(run), std::to_string(step)})
	    .has_value();
}

PG_FUNCTION(prodsync_loaded)
{
	pg::prevent_in_read_only("sync_loaded()");
	pg::Extension extension = pg::extension_of(fcinfo);
	int run = static_cast<int>(pg::arg_int(fcinfo, 0)), number = static_cast<int>(pg::arg_int(fcinfo, 1));
	enter(extension, run);
	StepRow step = ledger::step(extension, run, number);
	if (!opened_here(extension, run, number))
		throw pg::Error(PS_REFUSED, name_of(run, step) + " is no load that this transaction began", {},
		    "sync_step(), COPY and sync_loaded() belong into one transaction.");
	FAULT_POINT("load: rows there");
	// E1: what the client sent against what arrived. No trigger can make a row vanish between the two.
	std::int64_t sent = pg::arg_int(fcinfo, 2), arrived = static_cast<std::int64_t>(copied_rows(step.shadow).value_or(0));
	if (arrived != sent)
		throw pg::Error(PS_CHECK,
		    "of " + std::to_string(sent) + " rows for " + step.relation + " " + std::to_string(arrived) + " arrived",
		    core::json::array(
		        {{{"check_name", "row count"}, {"object", step.relation}, {"violations", std::abs(sent - arrived)}}})
		        .dump());
	if (step.item.value("whole", false)) finish_small(extension, step.original, step.shadow);
	ledger::step_done(extension, run, number, sent);
	FAULT_POINT("load ends");
	PG_RETURN_VOID();
}

}  // namespace prodsync
