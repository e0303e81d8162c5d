#include "ledger.hpp"

namespace prodsync::ledger {

static pg::Value number(std::int64_t n) { return std::to_string(n); }
static pg::Value document(const core::json &json) { return json.is_null() ? pg::Value() : pg::Value(json.dump()); }
static std::string shown(const core::Step &step) { return step.relation.empty() ? "" : step.relation.shown(); }
static Oid oid(const pg::Value &text) { return text ? static_cast<Oid>(std::stoul(*text)) : InvalidOid; }

int open(const pg::Extension &extension, const std::string &kind, const core::json &config, const core::json &source,
    const core::json &documents, const std::string &fingerprint, const std::vector<core::Step> &steps,
    const core::Catalog &target)
{
	std::string role = pg::role_name(pg::caller());
	core::json list = core::json::array();
	for (const core::Step &step : steps) {
		const core::Relation *original = step.relation.empty() ? nullptr : target.find(step.relation);
		list.push_back({{"step", step.step}, {"kind", step.kind}, {"relation", shown(step)},
		    {"original", original ? core::json(original->oid) : core::json()}, {"item", core::Plan::step_json(step)}});
	}
	pg::AsExtension as(extension);
	pg::Spi spi;
	pg::Value run =
	    spi.one("INSERT INTO prodsync_work.run (kind, status, role, application, client, source, config, fingerprint, documents)"
	            " VALUES ($1, 'started', $2::name, nullif(current_setting('application_name'), ''), inet_client_addr(), "
	            "$3::jsonb, $4::jsonb, $5, $6::jsonb) RETURNING run",
	        {kind, role, document(source), config.dump(), fingerprint, document(documents)});
	spi.run("INSERT INTO prodsync_work.run_step (run, step, kind, relation, original, item) SELECT $1::int, s.step, s.kind, "
	        "s.relation, s.original::oid, s.item"
	        " FROM jsonb_to_recordset($2::jsonb) AS s (step int, kind text, relation text, original bigint, item jsonb)",
	    {run, list.dump()});
	return std::stoi(run.value());
}

Run find(const pg::Extension &extension, int run, Oid caller)
{
	std::vector<pg::Row> found;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		found = spi.rows("SELECT kind, status, role FROM prodsync_work.run WHERE run = $1::int", {number(run)});
	}
	if (found.empty())
		throw pg::Error(PS_REFUSED, "there is no run " + std::to_string(run), {}, "SELECT * FROM sync_runs lists them.");
	Run out{run, *found[0][0], *found[0][1], *found[0][2]};
	if (out.role != pg::role_name(caller))
		throw pg::Error(
		    PS_REFUSED, "run " + std::to_string(run) + " was started by \"" + out.role + "\", only this role can go on with it");
	return out;
}

Documents documents(const pg::Extension &extension, int run)
{
	std::vector<pg::Row> found;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		found = spi.rows("SELECT config, documents -> 'target', documents -> 'answers', source ->> 'system_identifier', source "
		                 "->> 'database', fingerprint"
		                 " FROM prodsync_work.run WHERE run = $1::int AND documents IS NOT NULL",
		    {number(run)});
	}
	if (found.empty()) throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " is over");
	const pg::Row &row = found[0];
	std::vector<core::Problem> problems;  // none: sync_start() has looked
	Documents out;
	out.config = core::Config::parse(core::json::parse(*row[0]), problems);
	out.target = core::Catalog::parse(core::json::parse(row[1].value_or("{}")));
	out.answers = core::Answers::parse(core::json::parse(row[2].value_or("{}")));
	out.source_system = row[3].value_or(""), out.source_database = row[4].value_or("");
	out.fingerprint = row[5].value_or("");
	return out;
}

StepRow step(const pg::Extension &extension, int run, int step)
{
	std::vector<pg::Row> found;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		found = spi.rows("SELECT s.kind, s.relation, s.status, s.original, h.shadow, s.item FROM prodsync_work.run_step s"
		                 " LEFT JOIN prodsync_work.shadow h ON h.run = s.run AND h.original = s.original WHERE s.run = $1::int "
		                 "AND s.step = $2::int",
		    {number(run), number(step)});
	}
	if (found.empty()) throw pg::Error(PS_REFUSED, "run " + std::to_string(run) + " has no step " + std::to_string(step));
	const pg::Row &row = found[0];
	return {step, *row[0], *row[1], *row[2], oid(row[3]), oid(row[4]), core::json::parse(*row[5])};
}

// Skips the row where another session has just begun: who comes second is refused at once.
void step_started(const pg::Extension &extension, int run, int step)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	if (spi.run("UPDATE prodsync_work.run_step SET status = 'running', started = clock_timestamp(), xid = pg_current_xact_id() "
	            "WHERE run = $1::int AND step IN"
	            " (SELECT step FROM prodsync_work.run_step WHERE run = $1::int AND step = $2::int AND status = 'waiting' FOR "
	            "UPDATE SKIP LOCKED)",
	        {number(run), number(step)}) != 1)
		throw pg::Error(PS_REFUSED, "step " + std::to_string(step) + " of run " + std::to_string(run) + " was begun already");
}

void step_done(const pg::Extension &extension, int run, int step, std::optional<std::int64_t> rows)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("UPDATE prodsync_work.run_step SET status = 'done', ended = clock_timestamp(), rows = $3::bigint WHERE run = $1::int "
	        "AND step = $2::int",
	    {number(run), number(step), rows ? number(*rows) : pg::Value()});
}

void remember_shadow(const pg::Extension &extension, int run, Oid original, Oid shadow)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("INSERT INTO prodsync_work.shadow (run, original, shadow) VALUES ($1::int, $2::oid, $3::oid)",
	    {number(run), number(original), number(shadow)});
}

void forget_shadow(const pg::Extension &extension, int run, Oid original)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("DELETE FROM prodsync_work.shadow WHERE run = $1::int AND original = $2::oid", {number(run), number(original)});
}

std::vector<std::pair<Oid, Oid>> shadows(const pg::Extension &extension, int run)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	std::vector<std::pair<Oid, Oid>> out;
	for (const pg::Row &row :
	    spi.rows("SELECT original, shadow FROM prodsync_work.shadow WHERE run = $1::int ORDER BY original", {number(run)}))
		out.emplace_back(oid(row[0]), oid(row[1]));
	return out;
}

void record(const pg::Extension &extension, int run, const std::vector<Check> &checks)
{
	core::json list = core::json::array();
	for (const Check &check : checks)
		list.push_back({{"check_name", check.name}, {"object", check.object}, {"violations", check.violations},
		    {"detail", check.detail.empty() ? core::json() : core::json::parse(check.detail)}, {"ok", check.ok}});
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("INSERT INTO prodsync_work.run_check (run, check_name, object, violations, detail, ok) SELECT $1::int, c.check_name, "
	        "c.object, c.violations,"
	        " c.detail, c.ok FROM jsonb_to_recordset($2::jsonb) AS c (check_name text, object text, violations bigint, detail "
	        "jsonb, ok boolean)",
	    {number(run), list.dump()});
}

void forget(const pg::Extension &extension, int run, const std::vector<std::string> &check_names)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run(
	    "DELETE FROM prodsync_work.run_check WHERE run = $1::int AND check_name IN (SELECT jsonb_array_elements_text($2::jsonb))",
	    {number(run), core::json(check_names).dump()});
}

void remember_switch(const pg::Extension &extension, int run, const std::string &moved_by)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("INSERT INTO prodsync_work.run_step (run, step, kind, relation, status, started, ended, xid, item)"
			" VALUES ($1::int, 0, 'switch', '', 'done', now(), clock_timestamp(), nullif($2, '')::xid8, '{}')", {std::to_string(run), moved_by});
}

void set_status(const pg::Extension &extension, int run, const std::string &status, const std::string &reason)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("UPDATE prodsync_work.run SET status = $2, reason = coalesce($3, reason), switched = CASE $2 WHEN 'switched' THEN "
	        "clock_timestamp() ELSE switched END"
	        " WHERE run = $1::int",
	    {number(run), status, reason.empty() ? pg::Value() : pg::Value(reason)});
	if (status == "started" || status == "switched") return;
	spi.run("UPDATE prodsync_work.run SET ended = clock_timestamp(), documents = NULL WHERE run = $1::int", {number(run)});
	spi.run("DELETE FROM prodsync_work.used_key WHERE run = $1::int", {number(run)});
}

std::vector<Check> checks(const pg::Extension &extension, int run)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	std::vector<Check> out;
	for (const pg::Row &row : spi.rows("SELECT check_name, object, violations, detail, ok FROM prodsync_work.run_check WHERE run "
	                                   "= $1::int ORDER BY check_name, object",
	         {std::to_string(run)}))
		out.push_back({*row[0], *row[1], std::stoll(*row[2]), row[3].value_or(""), *row[4] == "t"});
	return out;
}

std::vector<pg::Row> as_rows(const std::vector<Check> &checks)
{
	std::vector<pg::Row> out;
	for (const Check &check : checks)
		out.push_back({check.name, check.object, number(check.violations),
		    check.detail.empty() ? pg::Value() : pg::Value(check.detail), check.ok ? "t" : "f"});
	return out;
}

}  // namespace prodsync::ledger
