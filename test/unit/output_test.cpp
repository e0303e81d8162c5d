// What people and machines see, as whole screens.
#include "catch.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "plan_text.hpp"

using client::CheckResult;
using client::Failure;
using client::Outcome;
using client::TextTable;
using nlohmann::json;

namespace {

core::Name name(const std::string &table) { return {"public", table}; }

// A plan of four tables, made by hand: what is tested is how it is shown.
struct Screen {
	core::Config config;
	core::Answers answers;
	core::Catalog source, target;
	core::Plan plan;

	core::Relation &table(core::Catalog &catalog, const std::string &table, double rows)
	{
		auto &relation = catalog.relations[name(table)];
		relation.name = name(table);
		relation.rows = rows;
		core::Column id;
		id.name = "id";
		id.base = "bigint";
		relation.columns = {id};
		return relation;
	}

	core::PlannedTable &planned(
	    const std::string &table, core::Mode mode, core::Scope scope, double rows, std::int64_t kept, const std::string &what)
	{
		core::PlannedTable one;
		one.name = name(table);
		one.mode = mode;
		one.scope = scope;
		one.source_rows = rows;
		one.source_bytes = static_cast<std::int64_t>(rows) * 100;
		one.kept_rows = kept;
		one.in_source = true;
		one.key = "id";
		one.what_happens = what;
		plan.tables.push_back(one);
		return plan.tables.back();
	}

	Screen()
	{
		config.tenants = core::Tenants{"tenant", "schema_name LIKE 'test\\_%'", "schema_name", ""};
		config.users = core::Users{"auth_user", "is_superuser", {"username"}};
		answers.kept_tenants = {"test_acme", "test_\x1b[2Jglobal"};
		answers.target_tenants = 9;
		auto &users = answers.maps[name("auth_user")];
		users.pairs = {{"1", "20"}, {"2", "21"}};
		users.fallback = "4";
		users.fallback_label = "uat_admin";
		table(source, "auth_user", 80);
		table(target, "tenant", 9);
		table(target, "customer", 118'031);
		table(target, "auth_user", 6);
		table(target, "outbox", 118);
		planned("auth_user", core::Mode::keep, core::Scope::shared, 80, 0, "never copied");
		planned("customer", core::Mode::copy, core::Scope::tenant, 1'204'331, 31, "2 columns remapped, binary").path = {
		    {"fk1", {"supplier_id"}, name("supplier"), {"id"}}, {"fk2", {"tenant_id"}, name("tenant"), {"id"}}};
		planned("outbox", core::Mode::empty, core::Scope::shared, 0, 0, "about 118 rows removed");
		planned("tenant", core::Mode::copy, core::Scope::tenant, 214, 2, "7 old tenants replaced, binary");
		plan.warnings = {{"loose-pattern", "tenants.keep", "an unescaped _ is a wildcard", "write \\_"}};
		plan.needs = {{"locks", "40 locks", 40},
		    {"disk", "about 120 MB of new files beside 12 MB of old ones, until the old ones are dropped", 132},
		    {"wait", "the target's readers wait about 0.1 s at the switch, its writers about 0.1 s (33 kept rows)", 22}};
		core::Step load;
		load.kind = "load";
		load.est_bytes = 240'000'000;
		plan.steps = {load};
	}

	client::PlanView view() const
	{
		return {{"production", "app", "db.internal:5432", "readonly", 150008, "", 4'100'000'000, 61, true},
		    {"uat", "app", "uat-db:5432", "refresher", 150008, "label \"uat\", refreshable", 39'000'000, 1, true}, config,
		    answers, source, target, plan, {"the same system identifier"}, 2, "prodsync sync --from production --to uat"};
	}
};

}  // namespace

TEST_CASE("plan: the whole screen")
{
	Screen screen;
	CHECK(client::plan_text(screen.view(), 0) ==
	    R"(production  app @ db.internal:5432 (PostgreSQL 15.8, role readonly)         4.1 GB, 61 tables
uat         app @ uat-db:5432 (PostgreSQL 15.8, label "uat", refreshable)   39 MB, 1 table

Kept tenants (2 of 9): test_acme, test_\x1b[2Jglobal          keep: schema_name LIKE 'test\_%'
Users: 80 in production -> uat_admin (id 4); 2 matched by username

  table      mode   scope         from production  kept  what happens
  tenant     copy   tenant                    214     2  7 old tenants replaced, binary
  customer   copy   via supplier        1,204,331    31  2 columns remapped, binary
  auth_user  keep   -                           -   all  never copied
  outbox     empty  -                           -     0  about 118 rows removed

  tenant by  path
  customer   supplier_id, tenant_id

  warning: the same system identifier
  warning: an unescaped _ is a wildcard
           write \_

Will disappear from uat: 7 tenants that nothing keeps, about 118,000 rows.
Will move: ids of kept rows below 1,000,000,000; there are 33 kept rows, links with such an id change.
Nothing stands in the way. About 1,200,000 rows, 120 MB, loaded beside in about 3 s by 2 connections.
Disk of uat: about 120 MB of new files beside 12 MB of old ones, until the old ones are dropped
uat's readers wait about 0.1 s at the switch, its writers about 0.1 s (33 kept rows)
Run it: prodsync sync --from production --to uat
)");
}

TEST_CASE("plan: few lines show something of every mode")
{
	Screen screen;
	for (int i = 0; i < 30; ++i)
		screen.planned(
		    "more_" + std::to_string(i), i % 3 ? core::Mode::copy : core::Mode::keep, core::Scope::shared, 10, 0, "binary");
	const auto text = client::plan_text(screen.view(), 7);
	CHECK(text.find("  tenant ") != std::string::npos);
	CHECK(text.find("  customer ") != std::string::npos);
	CHECK(text.find("  auth_user ") != std::string::npos);
	CHECK(text.find("  outbox ") != std::string::npos);
	CHECK(text.find("  ... 27 more (--all)\n") != std::string::npos);
	CHECK(client::plan_text(screen.view(), 0).find("(--all)") == std::string::npos);
	CHECK(client::plan_text(screen.view(), 1).find("  tenant ") != std::string::npos);
}

TEST_CASE("plan: where something stands in the way, nothing invites to run it")
{
	Screen screen;
	screen.plan.problems = {{"x", "y", "z", ""}};
	const auto text = client::plan_text(screen.view(), 0);
	CHECK(text.find("Run it") == std::string::npos);
	CHECK(text.find("Nothing stands in the way") == std::string::npos);
	CHECK(text.find("Will disappear from uat") != std::string::npos);
}

TEST_CASE("errors: problems are numbered, what the file says wrong has its place")
{
	auto settings =
	    client::parse_settings("tables:\n  apps_costumer: {mode: keep}\n  attachment: {mode: copy}\n", "prodsync.yaml");
	auto error = client::problems_error(
	    {{"unknown-table", "tables.apps_costumer", "unknown table \"apps_costumer\" (did you mean apps_customer?)", ""},
	        {"rights", "source", "the role may not read 2 tables", "GRANT SELECT ON a TO r;\nGRANT SELECT ON b TO r;"},
	        {"reference", "attachment", "it references a table that is emptied", "choose"}});
	CHECK(client::error_text(Failure::of(error, &settings)) ==
	    "prodsync.yaml:2:3: error: unknown table \"apps_costumer\" (did you mean apps_customer?)\n"
	    "prodsync: error: 2 problems stand in the way\n"
	    "  1  the role may not read 2 tables\n"
	    "     GRANT SELECT ON a TO r;\n"
	    "     GRANT SELECT ON b TO r;\n"
	    "  2  it references a table that is emptied  (prodsync.yaml:3:3)\n"
	    "     choose\n");
}

TEST_CASE("errors: one sentence, detail, hint, failed checks; nothing secret")
{
	client::Error error(client::exit_check, "1 check failed; uat was not touched", "repair them", "password=geheim");
	error.items = json::array(
	    {{{"check_name", "foreign key"}, {"object", "a.b -> c"}, {"violations", 12}, {"detail", {{"constraint", "a_b_fk"}}}}});
	CHECK(client::error_text(Failure::of(error, nullptr)) ==
	    "prodsync: error: 1 check failed; uat was not touched\n"
	    "  foreign key a.b -> c: 12 rows\n"
	    "    constraint a_b_fk\n"
	    "    where production has such rows and they are to be taken: checks: {a_b_fk: source}\n"
	    "  detail: password=***\n"
	    "  hint: repair them\n");
}

TEST_CASE("json: one object of the same keys, whatever happens")
{
	const std::vector<std::string> keys{
	    "command", "ok", "exit_code", "run", "anonymized", "tables", "total_rows", "details", "problems", "warnings", "error"};
	Outcome outcome;
	outcome.run = 7;
	outcome.tables = {{"a", 3}, {"b", 4}};
	outcome.total_rows = 7;
	outcome.more = {{"seconds", 1.5}};
	auto good = json::parse(client::json_text("sync", outcome));
	for (const auto &key : keys) CHECK(good.contains(key));
	CHECK(good["ok"] == true);
	CHECK(good["run"] == 7);
	CHECK(good["tables"]["b"] == 4);
	CHECK(good["error"].is_null());
	CHECK(good["seconds"] == 1.5);

	auto error = client::problems_error({{"rights", "source", "text", "fix"}});
	const auto text = client::json_text("plan", Failure::of(error, nullptr));
	CHECK(text.find('\n') == text.size() - 1);
	auto bad = json::parse(text);
	for (const auto &key : keys) CHECK(bad.contains(key));
	CHECK(bad["ok"] == false);
	CHECK(bad["exit_code"] == 5);
	CHECK(bad["problems"] == json::array({{{"id", "rights"}, {"object", "source"}, {"text", "text"}, {"fix", "fix"}}}));
	CHECK(bad["error"]["text"] == "1 problem stands in the way");
	CHECK(bad["error"]["sqlstate"].is_null());

	// A name that is no UTF-8 does not cost the report.
	Outcome odd;
	odd.warnings = {"caf\xe9"};
	CHECK(json::parse(client::json_text("plan", odd))["warnings"].size() == 1);
}

TEST_CASE("result: what was done, in sentences")
{
	client::RefreshResult result;
	result.run = 3;
	result.total_rows = 5'310'114;
	result.total_bytes = 3'600'000'000;
	result.seconds = 98.2;
	result.switch_seconds = 0.11;
	result.switch_tries = 2;
	result.checks = {{"foreign key", "a.b -> c", 0, nullptr, true},
	    {"foreign key", "d.e -> f", 12, {{"constraint", "d_e_fk"}, {"note", "the constraint is NOT VALID"}}, true},
	    {"kept rows", "all tables", 0, {{"kept", 95}, {"supporting", 4}, {"rekeyed", 31}}, true},
	    {"sequences", "all sequences", 0, {{"set", 118}}, true}, {"gave way to kept rows", "g.h_key", 1, nullptr, true}};
	CHECK(client::result_text({"production", "uat", result, result.checks, 26, 84}) ==
	    "uat refreshed from production in 1 min 38 s: 5,310,114 rows, 3.6 GB; nothing masked, 26 user columns remapped\n"
	    "  switched in 0.11 s at try 2; nobody using uat waited longer\n"
	    "  95 kept rows brought over, with 4 rows that they reference; 31 ids moved into the reserved range\n"
	    "  84 unique keys built, 118 sequences set\n"
	    "  foreign keys  2 checked,  0 broken\n"
	    "  note: foreign key d.e -> f: 12 rows\n"
	    "    constraint d_e_fk, note the constraint is NOT VALID\n"
	    "  note: 1 row of the source gave way to kept rows with the same key (g.h_key)\n");
	result.rehearsed = true;
	CHECK(client::result_text({"production", "uat", result, result.checks, 0, 0})
	          .starts_with("rehearsed: uat can be refreshed from production: 5,310,114 rows, 3.6 GB loaded beside in 1 min 38 s, "
	                       "nothing was switched\n"));
}

TEST_CASE("output: tables are aligned by characters, terminals get no control characters")
{
	TextTable table({"name", ">rows", ""});
	table.add({"äöü", "1,000", "x"});
	table.add({"abcdef", "7"});
	CHECK(table.text() ==
	    "  name     rows\n"
	    "  äöü     1,000  x\n"
	    "  abcdef      7\n");
	CHECK(client::printable("a\x1b[31m\tb\n") == "a\\x1b[31m\\tb\\n");
	CHECK(client::printable("\xc2\x9b") == "\\x9b");  // CSI as one character
	CHECK(client::printable("Ä") == "Ä");
	CHECK(client::counted(1, "row") == "1 row");
	CHECK(client::counted(2000, "row") == "2,000 rows");
	CHECK(client::list({"a", "b", "c", "d"}, 2) == "a, b and 2 more");
	CHECK(client::list({"a", "b", "c"}, 2) == "a, b, c");
	CHECK(client::shown_version(150008) == "15.8");
}
