#include <algorithm>
#include <set>
#include "catch.hpp"
#include "core/in_place.hpp"
#include "small_catalog.hpp"

using namespace core;
using small::name;
using small::Table;

namespace {

Catalog restored()
{
	Catalog catalog;
	catalog.server = 150008;
	catalog.settings = {{"max_locks_per_transaction", "64"}, {"max_connections", "100"}, {"max_prepared_transactions", "0"}};
	Table(catalog, "tenant").serial().column("slug", "text", true).unique({"slug"});
	Table(catalog, "account").serial().column("email", "text").column("tenant_id").references({"tenant_id"}, "tenant");
	Table(catalog, "customer").serial().column("mail", "text").unique({"mail"}).column("tenant_id").references({"tenant_id"}, "tenant");
	Table(catalog, "login").column("mail", "text", true).primary({"mail"}).references({"mail"}, "customer", {"mail"});
	Table(catalog, "orders").serial().column("customer_id").references({"customer_id"}, "customer");
	Table(catalog, "queue").serial().column("body", "text");
	Table(catalog, "queue_log").serial().column("queue_id").references({"queue_id"}, "queue");
	Table(catalog, "queue_note").serial().column("log_id", "bigint", true).references({"log_id"}, "queue_log");
	Table(catalog, "apart").serial().column("what", "text");
	return catalog;
}

// A refresh's configuration, tenants and users included.
json configuration()
{
	return json::parse(R"({"tenants": {"table": "tenant", "keep": "slug LIKE 'test%'"}, "users": {"table": "account", "fallback": "true"}, "materialized_views": "skip",
		"tables": {"queue": {"mode": "empty"}, "queue_log": {"references": {"queue_id": {"on_missing": "null"}}}, "customer": {"tenant_path": ["tenant_id"]}},
		"anonymize": {"policy": "none", "tables": {"customer": [{"column": "mail", "strategy": "email"}], "login": [{"column": "mail", "strategy": "email"}]}},
		"choice": {"in_place": true}})");
}

struct Planned {
	Catalog catalog = restored();
	std::vector<Problem> problems;
	Config config;
	Plan plan;
	explicit Planned(const json &document = configuration()) : config(Config::parse(document, problems)), plan(make_plan(config, catalog, catalog, {})) {}
	std::set<std::string> of(Mode mode) const
	{
		std::set<std::string> out;
		for (const auto &table : plan.tables)
			if (table.mode == mode) out.insert(table.name.name);
		return out;
	}
	const PlannedTable &table(const char *wanted) const
	{
		return *std::find_if(plan.tables.begin(), plan.tables.end(), [&](const auto &one) { return one.name == name(wanted); });
	}
	std::vector<std::string> ids() const
	{
		std::vector<std::string> out;
		for (const auto &problem : plan.problems) out.push_back(problem.id);
		return out;
	}
};

using Names = std::set<std::string>;
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("in place: tables with rules are rewritten, queues emptied, the others stay")
{
	const Planned p;
	CHECK(p.problems.empty());
	CHECK(p.of(Mode::copy) == Names{"customer", "login", "queue_log"});    // queue_log lets go of its references
	CHECK(p.of(Mode::empty) == Names{"queue"});
	CHECK(p.table("orders").what_happens == "stays as it is (no rule masks it)");
	CHECK(p.table("account").mode == Mode::keep);
	CHECK_FALSE(p.config.tenants);
	CHECK_FALSE(p.config.users);
	CHECK(p.ids() == Ids{"questions"});    // how many references are let go of
	for (const auto &step : p.plan.steps)
		if (step.kind == "load") CHECK(step.filter.empty());    // every row, of kept tenants too
	CHECK(p.plan.steps.back().kind == "clean");
	CHECK(std::any_of(p.plan.needs.begin(), p.plan.needs.end(), [](const Need &need) { return need.id == "writers"; }));
	CHECK(questions(p.config, p.catalog, p.catalog, {}).size() == 1);
}

TEST_CASE("in place: what falls away with emptied rows is rewritten, too")
{
	json document = configuration();
	document["tables"]["queue_log"]["references"]["queue_id"]["on_missing"] = "drop";
	CHECK(Planned(document).of(Mode::copy) == Names{"customer", "login", "queue_log", "queue_note"});
	document["tables"]["queue_log"].erase("references");
	const auto ids = Planned(document).ids();
	CHECK(std::count(ids.begin(), ids.end(), "reference-to-empty") == 1);
}

TEST_CASE("in place: a reference of which one end is not rewritten")
{
	json document = configuration();
	document["choice"]["tables"] = {"login"};
	CHECK(Planned(document).ids() == Ids{"masked-reference"});
	document["choice"]["tables"] = {"login", "customer"};
	CHECK(Planned(document).ids().empty());
	CHECK(Planned(document).table("queue").what_happens == "stays as it is (not in --tables)");
	document = configuration();
	document["anonymize"]["tables"].erase("login");
	CHECK(Planned(document).ids().front() == "masked-reference");
}

TEST_CASE("in place: strict looks at tables that stay, and at kept ones")
{
	json document = configuration();
	document["anonymize"]["policy"] = "strict";
	document["tables"]["apart"] = {{"mode", "keep"}};
	Planned p(document);
	CHECK(p.ids() == Ids{"personal-columns", "questions"});    // account.email: of a table without a rule, users.table or not
	CHECK(p.plan.problems.front().fix.find("account:") != std::string::npos);
	document["tables"]["account"] = {{"mode", "keep"}};
	CHECK(Planned(document).ids() == Ids{"personal-kept", "questions"});
	CHECK(Planned(document).plan.problems.front().text.find("account.email") == 0);
	document["anonymize"]["tables"]["account"] = json::parse(R"([{"column": "email", "strategy": "none"}])");
	CHECK(Planned(document).ids() == Ids{"questions"});
	document["anonymize"]["tables"]["account"] = json::parse(R"([{"column": "email", "strategy": "email"}])");
	CHECK(Planned(document).ids() == Ids{"masked-kept-table", "questions"});
}

TEST_CASE("in place: the choice is of one run, and survives the way to the target")
{
	const Planned p;
	std::vector<Problem> problems;
	CHECK(Config::parse(p.config.to_json(), problems).choice == p.config.choice);
	json document = configuration();
	document.erase("choice");
	CHECK(make_plan(Config::parse(document, problems), p.catalog, p.catalog, {}).binding() != p.plan.binding());
}
