#include <algorithm>
#include <set>
#include "catch.hpp"
#include "core/statements.hpp"
#include "core/steps.hpp"
#include "small_catalog.hpp"

using namespace core;
using small::name;
using small::step;

namespace {

Plan plan_of(const Catalog &source, const Catalog &target)
{
	const auto config = small::configuration();
	return make_plan(config, source, target, small::answered(config, source, target));
}

bool waits_for(const Step &one, const Step &other)
{
	return std::find(one.depends_on.begin(), one.depends_on.end(), other.step) != one.depends_on.end();
}

Catalog partitioned(const std::vector<std::pair<std::string, std::string>> &leaves)
{
	auto catalog = small::application();
	small::Table(catalog, "history").serial().column("at", "date", true).it().kind = 'p';
	catalog.relations.at(name("history")).partition_key = "RANGE (at)";
	for (const auto &[leaf, bound] : leaves) {
		auto &relation = small::Table(catalog, leaf).column("id", "bigint", true).column("at", "date", true).size(100).it();
		relation.partition = true;
		relation.bound = bound;
		relation.parents = {name("history")};
	}
	return catalog;
}

}  // namespace

TEST_CASE("every step comes after what it depends on, and preflight is the last")
{
	auto catalog = small::application();
	catalog.relations.at(name("customer")).pages = 1000;
	const auto plan = plan_of(catalog, catalog);
	REQUIRE_FALSE(plan.steps.empty());
	for (std::size_t i = 0; i < plan.steps.size(); ++i) {
		CHECK(plan.steps[i].step == static_cast<int>(i) + 1);
		for (const int earlier : plan.steps[i].depends_on) CHECK(earlier < plan.steps[i].step);
	}
	CHECK(plan.steps.back().kind == "preflight");
	CHECK(plan.steps.back().depends_on.size() == plan.steps.size() - 1);
}

TEST_CASE("the biggest load comes first; small tables are one step")
{
	auto catalog = small::application();
	catalog.relations.at(name("customer")).pages = 1000;
	catalog.relations.at(name("membership")).pages = 5000;
	const auto plan = plan_of(catalog, catalog);
	CHECK(plan.steps[0].relation == name("membership"));
	CHECK(plan.steps[1].relation == name("customer"));
	CHECK_FALSE(plan.steps[0].whole);
	CHECK(step(plan, "load", "plant").whole);
	CHECK_THROWS(step(plan, "index", "plant"));
	std::set<std::string> indexes;
	for (const auto &one : plan.steps)
		if (one.kind == "index" && one.relation == name("membership")) {
			indexes.insert(one.index);
			CHECK(one.depends_on == std::vector<int>{1});
		}
	CHECK(indexes == std::set<std::string>{"membership_pkey", "membership_tenant_id_uniq1"});
}

TEST_CASE("256 kB are not small any more")
{
	auto catalog = small::application();
	catalog.relations.at(name("log")).pages = 30;  // and an index of one page
	CHECK(step(plan_of(catalog, catalog), "load", "log").whole);
	catalog.relations.at(name("log")).pages = 31;
	CHECK_FALSE(step(plan_of(catalog, catalog), "load", "log").whole);
}

TEST_CASE("a table is verified after itself, its indexes and its parents; cycles are no obstacle (P17)")
{
	auto catalog = small::application();
	catalog.relations.at(name("customer")).pages = 1000;
	const auto plan = plan_of(catalog, catalog);
	const auto &verify = step(plan, "verify", "customer");
	CHECK(waits_for(verify, step(plan, "load", "customer")));
	CHECK(waits_for(verify, step(plan, "index", "customer")));
	CHECK(waits_for(verify, step(plan, "load", "tenant")));
	CHECK_FALSE(waits_for(verify, step(plan, "load", "log")));
	CHECK(waits_for(step(plan, "verify", "supplier"), step(plan, "load", "plant")));
	CHECK(waits_for(step(plan, "verify", "plant"), step(plan, "load", "supplier")));
	CHECK_FALSE(waits_for(step(plan, "verify", "tenant"), step(plan, "load", "customer")));
}

TEST_CASE("kept tables have no step, emptied ones an empty shadow")
{
	const auto catalog = small::application();
	const auto plan = plan_of(catalog, catalog);
	CHECK(step(plan, "empty", "outbox").columns.empty());
	CHECK(step(plan, "empty", "outbox").whole);
	for (const auto &one : plan.steps) CHECK(one.relation != name("auth_user"));
}

TEST_CASE("partitions are loaded leaf by leaf, matched by their bounds (E13)")
{
	const auto source = partitioned({{"h_a", "FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')"},
	    {"h_b", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"}});
	const auto target = partitioned({{"h_2024", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"},
	    {"h_2023", "FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')"}});
	const auto plan = plan_of(source, target);
	CHECK_FALSE(small::find(plan.problems, "partitions-differ"));
	const auto &load = step(plan, "load", "h_2023");
	CHECK(load.source_relation == name("h_a"));
	CHECK(load.source_filenode == source.find(name("h_a"))->filenode);
	CHECK(load.table == name("history"));
	CHECK(copy_from_source(load).find("FROM ONLY public.h_a AS t") != std::string::npos);
	CHECK(step(plan, "load", "h_2024").source_relation == name("h_b"));
	CHECK_THROWS(step(plan, "load", "history"));

	SECTION("a bound that only one side has, or another key: rows are routed")
	{
		const auto other = partitioned({{"h_a", "FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')"}});
		CHECK(step(plan_of(source, other), "route", "history").step == 1);
		CHECK(step(plan_of(other, source), "route", "history").step == 1);
		auto by_id = target;
		by_id.relations.at(name("history")).partition_key = "RANGE (id)";
		CHECK(step(plan_of(source, by_id), "route", "history").step == 1);
		CHECK_THROWS(step(plan, "route", "history"));
	}
}

TEST_CASE("where partitions differ each leaf of the source is loaded into one tree of shadows (E13)")
{
	const auto source = partitioned({{"h_a", "FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')"},
	    {"h_b", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"}});
	const auto target = partitioned({{"h_1", "FOR VALUES FROM ('2023-01-01') TO ('2025-01-01')"}, {"h_2", "DEFAULT"}});
	const auto plan = plan_of(source, target);
	CHECK(plan.problems.empty());
	const auto &route = step(plan, "route", "history"), &routed = step(plan, "routed", "history");
	std::set<Name> read;
	for (const auto &one : plan.steps)
		if (one.kind == "load" && one.table == name("history")) {
			read.insert(one.source_relation);
			CHECK(one.relation == name("history"));
			CHECK(one.depends_on == std::vector<int>{route.step});
			CHECK(waits_for(routed, one));
			CHECK_FALSE(one.whole);
			CHECK(copy_into_shadow(one, "s").find("FREEZE") == std::string::npos);
			CHECK(Plan::step_json(one)["routed"] == true);
		}
	CHECK(read == std::set<Name>{name("h_a"), name("h_b")});
	for (const char *leaf : {"h_1", "h_2"}) {
		CHECK(waits_for(step(plan, "verify", leaf), routed));
		CHECK_THROWS(step(plan, "load", leaf));
		CHECK_THROWS(step(plan, "empty", leaf));
	}
	const auto planned = std::find_if(plan.tables.begin(), plan.tables.end(), [](const auto &table) { return table.name == name("history"); });
	CHECK(planned->what_happens.find("routed into 2 partitions") != std::string::npos);

	SECTION("one of the two is no partitioned table")
	{
		auto plain = partitioned({});
		plain.relations.at(name("history")).kind = 'r';
		plain.relations.at(name("history")).partition_key.clear();
		const auto into_one = plan_of(source, plain), from_one = plan_of(plain, target);
		CHECK(into_one.problems.empty());
		CHECK(from_one.problems.empty());
		CHECK(step(into_one, "verify", "history").depends_on.front() == step(into_one, "routed", "history").step);
		CHECK(step(from_one, "load", "history").source_relation == name("history"));
		CHECK_THROWS(step(from_one, "load", "h_1"));
	}
	SECTION("a key column of another type may be rounded on its way")
	{
		auto rounded = source;
		for (const char *relation : {"history", "h_a", "h_b"})
			for (auto &column : rounded.relations.at(name(relation)).columns)
				if (column.name == "at") column.type = column.base = "timestamp without time zone";
		CHECK(step(plan_of(rounded, source), "route", "history").step == 1);
	}
}

TEST_CASE("partitions of partitions are matched by all bounds on the way")
{
	auto catalog = partitioned({{"h_2024", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"},
	    {"h_2025", "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"}});
	for (const char *year : {"h_2024", "h_2025"}) {
		auto &sub = catalog.relations.at(name(year));
		sub.kind = 'p';
		sub.partition_key = "LIST (id)";
		auto &leaf = small::Table(catalog, std::string(year) + "_1").column("id", "bigint", true).column("at", "date", true).it();
		leaf.partition = true;
		leaf.bound = "FOR VALUES IN ('1')";
		leaf.parents = {name(year)};
	}
	const auto leaves = leaves_by_bound(catalog, name("history"));
	CHECK(leaves.size() == 2);
	CHECK(leaves.begin()->first == "RANGE (at) FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') / LIST (id) FOR VALUES IN ('1')");
}

TEST_CASE("a refresh from nothing needs no source")
{
	const auto plan = plan_clear(small::configuration(), small::application());
	CHECK(step(plan, "empty", "customer").whole);
	CHECK(step(plan, "verify", "customer").depends_on.size() == 2);
	CHECK_THROWS(step(plan, "empty", "auth_user"));
	CHECK(plan.steps.back().kind == "preflight");
	CHECK(std::none_of(plan.steps.begin(), plan.steps.end(), [](const auto &one) { return one.kind == "load"; }));
	CHECK(plan.problems.empty());
}
