// What of a refresh needs no server: is the target's plan ours, and what is said about locks.
#include "catch.hpp"
#include "../../client/plan_run.hpp"
#include "../../client/switch.hpp"
#include "../../client/worker.hpp"

using namespace client;
using namespace std::chrono_literals;

namespace {

core::Plan plan()
{
	core::Plan plan;
	core::PlannedTable table;
	table.name = {"public", "apps_x"};
	table.columns = {{"id", "bigint", {}, ""}, {"owner_id", "integer", {"public", "auth_user"}, ""}};
	plan.tables.push_back(table);
	core::Step load, verify;
	load.step = 1, load.kind = "load", load.relation = load.table = load.source_relation = table.name, load.source_filenode = 7, load.columns = table.columns;
	verify.step = 2, verify.kind = "verify", verify.relation = verify.table = table.name, verify.depends_on = {1};
	plan.steps = {load, verify};
	return plan;
}

std::vector<core::Row> rows_of(const core::Plan &plan)
{
	std::vector<core::Row> rows;
	const core::json binding = plan.binding();
	for (const char *section : {"table", "step"})
		for (core::json item : binding.at(section + std::string("s"))) {
			item["for people"] = "only";
			rows.push_back({section, "x", item.dump()});
		}
	rows.push_back({"warning", "x", R"({"id": "w"})"});
	return rows;
}

}  // namespace

TEST_CASE("S5: a plan of the target that is not ours is seen, whatever it changes")
{
	CHECK(difference(plan(), rows_of(plan())) == "");
	auto other = plan();
	other.steps[0].filter = "true";
	CHECK(difference(plan(), rows_of(other)) != "");
	other = plan();
	other.steps[0].columns[1].map = {};
	CHECK(difference(plan(), rows_of(other)) != "");
	other = plan();
	other.tables[0].mode = core::Mode::keep;
	CHECK(difference(plan(), rows_of(other)) != "");
	other = plan();
	other.steps.pop_back();
	CHECK(difference(plan(), rows_of(other)) != "");
	other = plan();
	other.steps[0].source_relation = {"public", "secrets"};
	CHECK(difference(plan(), rows_of(other)) != "");
	CHECK(difference(plan(), {}) != "");
	CHECK(difference(plan(), {{"table", "x", "no json"}, {"step", std::nullopt, std::nullopt}, {"step", "", "[]"}}) != "");
}

TEST_CASE("holders of locks are named, their queries are not")
{
	auto holders = core::json::parse(R"([{"pid": 4711, "role": "tester", "application": "psql", "state": "idle in transaction", "query": "UPDATE secret"},
		{"pid": null, "prepared": "gid-1"}, {"pid": 12},
		{"pid": 13, "granted": false}, {}, 3])");
	CHECK(holders_text(holders) == "pid 4711 (tester, psql, idle in transaction); the prepared transaction \"gid-1\"; pid 12");
	CHECK(holders_text(core::json()) == "");
}

TEST_CASE("pauses between tries grow to five seconds")
{
	std::chrono::milliseconds pause = 100ms;
	std::vector<long> all;
	for (int i = 0; i < 8; ++i) all.push_back(pause.count()), pause = next_pause(pause);
	CHECK(all == std::vector<long>{100, 200, 400, 800, 1600, 3200, 5000, 5000});
}

TEST_CASE("names of shadows and their indexes are mapped back")
{
	core::Catalog catalog;
	core::Relation relation;
	relation.oid = 4711;
	relation.name = {"public", "apps_x"};
	core::Index index;
	index.oid = 4712;
	index.name = "apps_x_pkey";
	relation.indexes = {index};
	catalog.relations[relation.name] = relation;
	auto names = shown_names(catalog);
	auto shown = names({"prodsync_work", "s_3_4711", "i_99_4712"});
	CHECK(shown.schema == "public");
	CHECK(shown.table == "apps_x");
	CHECK(shown.constraint == "apps_x_pkey");
	shown = names({"prodsync_work", "s_3_9", "check_1"});
	CHECK(shown.table == "s_3_9");
	CHECK(shown.constraint == "check_1");
	shown = names({"public", "s_3_4711", ""});
	CHECK(shown.table == "s_3_4711");
}
