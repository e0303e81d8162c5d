#include <algorithm>
#include <chrono>
#include "catch.hpp"
#include "core/columns.hpp"
#include "core/needs.hpp"
#include "fixtures.hpp"
#include "small_catalog.hpp"

using namespace core;
using small::find;
using small::name;
using small::table;

namespace {

// Both databases alike until a test changes one of them.
struct Pair {
	Catalog source = small::application(), target = small::application();
	Config config = small::configuration();
	std::function<std::vector<Row>(const Question &)> rows = small::rows_for;

	Answers answers() const { return small::answered(config, source, target, rows); }
	Plan plan() const { return make_plan(config, source, target, answers()); }
	Relation &in_source(const std::string &of) { return source.relations.at(name(of)); }
	Relation &in_target(const std::string &of) { return target.relations.at(name(of)); }
};

const Transfer &transfer(const Plan &plan, const std::string &of, const std::string &column)
{
	for (const auto &one : table(plan, of).columns)
		if (one.column == column) return one;
	throw std::out_of_range(column);
}

}  // namespace

TEST_CASE("nothing stands in the way of two databases alike")
{
	const auto plan = Pair{}.plan();
	for (const auto &problem : plan.problems) UNSCOPED_INFO(problem.id + ": " + problem.text);
	CHECK(plan.problems.empty());
	CHECK(table(plan, "auth_user").mode == Mode::keep);
	CHECK(table(plan, "outbox").mode == Mode::empty);
	CHECK(table(plan, "customer").scope == Scope::tenant);
	CHECK(table(plan, "log").scope == Scope::shared);
	CHECK(table(plan, "customer").what_happens == "1 column remapped, binary");
	CHECK(table(plan, "tenant").what_happens == "7 old tenants replaced, binary");
	CHECK(table(plan, "membership").what_happens == "1 column remapped, 1 duplicate dropped, binary");
}

TEST_CASE("users are found by foreign key, not by name (P3)")
{
	const auto plan = Pair{}.plan();
	CHECK(transfer(plan, "customer", "owner_id").map == name("auth_user"));
	CHECK(transfer(plan, "vip", "manager_id").map == name("auth_user"));
	CHECK(transfer(plan, "log", "content_type_id").map == name("content_type"));
	CHECK(transfer(plan, "customer", "tenant_id").map.empty());
	// badges of folded memberships follow to the survivor (P14)
	CHECK(transfer(plan, "badge", "membership_id").map == name("membership"));
	CHECK(small::step(plan, "load", "membership").filter ==
	    "NOT EXISTS (SELECT FROM unnest('{11}'::bigint[]) AS d(k) WHERE d.k = t.id)");
}

TEST_CASE("a server that builds indexes with the wrong rights is refused")
{
	Pair pair;
	for (const int version : {120000, 130006, 140000, 140002}) {
		pair.target.server = version;
		CHECK(find(pair.plan().problems, "server-version"));
	}
	for (const int version : {130007, 140003, 150000, 180000}) {
		pair.target.server = version;
		CHECK_FALSE(find(pair.plan().problems, "server-version"));
	}
}

TEST_CASE("no column without a meaning on the other side")
{
	Pair pair;
	SECTION("in another order: copied by name (E11)")
	{
		std::reverse(pair.in_target("customer").columns.begin(), pair.in_target("customer").columns.end());
		const auto plan = pair.plan();
		CHECK(plan.problems.empty());
		CHECK(table(plan, "customer").columns.front().column == "owner_id");
	}
	SECTION("the target is ahead")
	{
		small::Table ahead(pair.target, "scratch");
		ahead.column("tier", "text");
		auto tier = ahead.it().columns.front();
		pair.target.relations.erase(name("scratch"));
		pair.in_target("customer").columns.push_back(tier);
		auto plan = pair.plan();
		CHECK(find(plan.warnings, "column-only-in-target", "customer.tier"));
		CHECK(table(plan, "customer").columns.size() == 3);
		pair.in_target("customer").columns.back().not_null = true;
		plan = pair.plan();
		CHECK(find(plan.problems, "column-without-value", "customer.tier"));
		pair.in_target("customer").columns.back().has_default = true;
		CHECK_FALSE(find(pair.plan().problems, "column-without-value"));
	}
	SECTION("the target is behind")
	{
		pair.in_target("customer").columns.pop_back();
		std::erase_if(pair.target.foreign_keys, [](const ForeignKey &key) { return key.columns.front() == "owner_id"; });
		const auto plan = pair.plan();
		CHECK(find(plan.warnings, "column-only-in-source", "customer.owner_id"));
		CHECK(table(plan, "customer").columns.size() == 2);
	}
	SECTION("generated columns are left out (E4)")
	{
		pair.in_target("log").columns.back().generated = 's';
		CHECK(table(pair.plan(), "log").columns.size() == 2);
	}
}

TEST_CASE("another type goes through text, or is a problem")
{
	CHECK(conversion("integer", "bigint") == "");
	CHECK(conversion("numeric", "integer") == "");
	CHECK(conversion("boolean", "integer") == "integer");
	CHECK(conversion("text", "date") == "");
	CHECK(conversion("uuid", "character varying") == "");
	CHECK(conversion("public.mood", "public.feeling") == "");
	CHECK(conversion("integer[]", "bigint[]") == "");
	CHECK(conversion("boolean[]", "integer[]") == "integer[]");
	CHECK(conversion("uuid", "bigint") == std::nullopt);
	CHECK(conversion("integer", "integer[]") == std::nullopt);
	CHECK(conversion("date", "integer") == std::nullopt);

	Pair pair;
	pair.in_target("log").columns.back().type = "character varying(20)";
	pair.in_target("log").columns.back().base = "character varying";
	auto plan = pair.plan();
	CHECK_FALSE(table(plan, "log").binary);
	CHECK(transfer(plan, "log", "note").source_cast.empty());
	CHECK(table(plan, "log").what_happens == "1 column remapped, text");
	pair.in_source("log").columns.back().type = pair.in_source("log").columns.back().base = "uuid";
	pair.in_target("log").columns.back().type = pair.in_target("log").columns.back().base = "bigint";
	CHECK(find(pair.plan().problems, "type-mismatch", "log.note"));
}

TEST_CASE("types that carry oids make the table text (E17)")
{
	Pair pair;
	pair.in_source("log").columns.back().binary = false;
	CHECK_FALSE(table(pair.plan(), "log").binary);
	CHECK(table(pair.plan(), "customer").binary);
}

TEST_CASE("tables that one side lacks")
{
	Pair pair;
	pair.source.relations.erase(name("customer_tag"));
	pair.source.relations.erase(name("log"));
	pair.target.relations.erase(name("badge"));
	std::erase_if(pair.target.foreign_keys, [](const ForeignKey &key) { return key.child == name("badge"); });
	const auto plan = pair.plan();
	CHECK(plan.problems.empty());
	CHECK(find(plan.warnings, "table-only-in-target", "customer_tag"));
	CHECK(small::step(plan, "empty", "customer_tag").whole);
	CHECK(table(plan, "log").mode == Mode::keep);
	CHECK_THROWS(small::step(plan, "empty", "log"));
	CHECK(find(plan.warnings, "table-only-in-source", "badge"));
}

TEST_CASE("another kind of relation on the other side is a problem")
{
	Pair pair;
	pair.in_source("log").kind = 'v';
	CHECK(find(pair.plan().problems, "kind-differs", "log"));
	pair.in_source("log").kind = 'f';
	CHECK(find(pair.plan().problems, "kind-differs", "log"));
	pair.in_source("log").kind = 'p';
	CHECK_FALSE(find(pair.plan().problems, "kind-differs", "log"));
}

TEST_CASE("missing rights on the source are one problem with the GRANTs to type")
{
	Pair pair;
	pair.in_source("log").readable = pair.in_source("customer").readable = pair.in_source("auth_user").readable = false;
	pair.in_source("outbox").readable = false;  // emptied: never read
	const auto plan = pair.plan();
	CHECK(std::count_if(plan.problems.begin(), plan.problems.end(), [](const auto &problem) { return problem.id == "rights"; }) ==
	    1);
	CHECK(find(plan.problems, "rights")->fix.find("GRANT SELECT ON public.auth_user, public.customer, public.log TO") !=
	    std::string::npos);
}

TEST_CASE("row security that hides rows is a problem, not silence (P15)")
{
	Pair pair;
	pair.in_source("log").row_security = true;
	CHECK(pair.plan().problems.empty());
	pair.in_source("log").bypasses_row_security = false;
	CHECK(find(pair.plan().problems, "row-security", "log"));
	pair.in_source("log").row_security = false;
	pair.in_target("log").row_security = pair.in_target("log").force_row_security = true;
	CHECK(pair.plan().problems.empty());
}

TEST_CASE("ids of production must stay below the reserved range (P11, P12)")
{
	Pair pair;
	pair.rows = [](const Question &question) -> std::vector<Row> {
		return question.id == "maximum public.customer.id" ? std::vector<Row>{{"1000000000"}} : small::rows_for(question);
	};
	auto plan = pair.plan();
	REQUIRE(find(plan.problems, "reserved-range", "reserved_from.bigint"));
	CHECK(find(plan.problems, "reserved-range")->text.starts_with("customer.id goes up to 1,000,000,000 in production"));
	CHECK(find(plan.problems, "reserved-range")->fix == "reserved_from: {bigint: 10000000000}");
	pair.config.reserved_from["bigint"] = 10'000'000'000;
	CHECK(pair.plan().problems.empty());
	pair.config.reserved_from["bigint"] = 1'000'000'000;
	// what to type is a number that the type holds, under the type whose start it was
	for (Relation *relation : {&pair.in_source("customer"), &pair.in_target("customer")}) relation->columns.front().base = "integer";
	CHECK(find(pair.plan().problems, "reserved-range", "reserved_from.integer")->fix == "reserved_from: {integer: 1573741823}");
	for (Relation *relation : {&pair.in_source("customer"), &pair.in_target("customer")}) relation->columns.front().base = "smallint";
	CHECK(find(pair.plan().problems, "reserved-range", "reserved_from.smallint")->fix == "customer.id has no room left for rows of the target: give it a wider type");
	for (Relation *relation : {&pair.in_source("customer"), &pair.in_target("customer")}) relation->columns.front().base = "bigint";
	pair.config.tenants.reset();
	CHECK_FALSE(find(pair.plan().problems, "reserved-range"));
}

TEST_CASE("keep that matches nothing, source tenants, and a pattern that matches too much (P6, P7)")
{
	Pair pair;
	SECTION("nothing is kept")
	{
		pair.rows = [](const Question &question) -> std::vector<Row> {
			return question.kind == "kept_tenants" ? std::vector<Row>{{"9", std::nullopt, std::nullopt}}
			                                       : small::rows_for(question);
		};
		const auto plan = pair.plan();
		REQUIRE(find(plan.problems, "keep-matches-nothing"));
		CHECK(plan.problems.size() == 1);
	}
	SECTION("production has tenants of the kind")
	{
		pair.rows = [](const Question &question) -> std::vector<Row> {
			return question.kind == "source_tenants" ? std::vector<Row>{{"70", "test_prod"}} : small::rows_for(question);
		};
		const auto plan = pair.plan();
		CHECK(find(plan.warnings, "source-tenants")->text.find("test_prod") != std::string::npos);
		CHECK(small::step(plan, "load", "tenant").filter == "(t.id = ANY ('{70}'::bigint[])) IS NOT TRUE");
		CHECK(small::step(plan, "load", "customer_tag").filter.starts_with("NOT EXISTS (SELECT FROM ONLY public.customer"));
		CHECK(small::step(plan, "load", "log").filter.empty());
		pair.in_source("customer").columns.erase(pair.in_source("customer").columns.begin() + 1);
		CHECK(find(pair.plan().problems, "path-not-in-source", "customer_tag"));
	}
	SECTION("an unescaped _ is named, with what it matched")
	{
		pair.config.tenants->keep = "schema_name LIKE 'test_%'";
		const auto plan = pair.plan();
		REQUIRE(find(plan.warnings, "loose-pattern"));
		CHECK(find(plan.warnings, "loose-pattern")->text.find("test_acme, test_global") != std::string::npos);
	}
}

TEST_CASE("the fallback user")
{
	Pair pair;
	pair.rows = [](const Question &question) -> std::vector<Row> {
		return question.kind == "fallback" ? std::vector<Row>{{"4", "uat_admin", "3"}} : small::rows_for(question);
	};
	CHECK(find(pair.plan().warnings, "several-fallback-users")->text.find("uat_admin (4)") != std::string::npos);
	pair.rows = [](const Question &question) -> std::vector<Row> {
		return question.kind == "fallback" ? std::vector<Row>{} : small::rows_for(question);
	};
	CHECK(find(pair.plan().problems, "no-fallback-user", "auth_user"));
}

TEST_CASE("rows that reference a kept row that is not here")
{
	Pair pair;
	pair.rows = [](const Question &question) -> std::vector<Row> {
		return question.kind == "unmatched" ? std::vector<Row>{{"12"}} : small::rows_for(question);
	};
	const auto plan = pair.plan();
	const auto *problem = find(plan.problems, "unmatched-reference", "log.content_type_id");
	REQUIRE(problem);
	CHECK(problem->text.find("12 rows") != std::string::npos);
	CHECK(problem->fix.find("log:\n    references:\n      content_type_id: {on_missing: null}    # or drop") != std::string::npos);
}

TEST_CASE("references that no map reaches")
{
	Pair pair;
	for (auto *catalog : {&pair.source, &pair.target})
		small::Table(*catalog, "shout").serial().column("who", "text").references({"who"}, "auth_user", {"username"});
	CHECK(find(pair.plan().problems, "reference-to-kept", "shout.who"));
}

TEST_CASE("a table that loses more than 5 % has to be accepted (P14)")
{
	Pair pair;
	pair.rows = [](const Question &question) -> std::vector<Row> {
		if (question.kind == "folds" && question.relation == name("membership")) return {{std::nullopt, "19"}, {"11", "10"}};
		return small::rows_for(question);
	};
	auto plan = pair.plan();
	REQUIRE(find(plan.problems, "folded", "membership"));
	CHECK(find(plan.problems, "folded")->text.find("1 of 19 rows") != std::string::npos);
	pair.config.accept_folded = {"membership"};
	plan = pair.plan();
	CHECK(plan.problems.empty());
	CHECK(find(plan.warnings, "folded", "membership"));
	pair.config.accept_folded = {"memberships"};
	plan = pair.plan();
	CHECK(find(plan.problems, "unknown-table", "accept.folded")->text.find("membership") != std::string::npos);
}

TEST_CASE("a partial index of the target alone cannot be decided at the source (S5)")
{
	Pair pair;
	pair.in_target("membership").indexes.back().predicate = "active";
	CHECK(find(pair.plan().problems, "fold-predicate", "membership"));
	pair.in_source("membership").indexes.back().predicate = "active";
	CHECK_FALSE(find(pair.plan().problems, "fold-predicate"));
}

TEST_CASE("folded rows that are referenced by more than their key")
{
	Pair pair;
	for (auto *catalog : {&pair.source, &pair.target})
		small::Table(*catalog, "seat")
		    .serial()
		    .column("tenant_id", "bigint", true)
		    .column("user_id", "bigint", true)
		    .references({"tenant_id", "user_id"}, "membership", {"tenant_id", "user_id"});
	CHECK(find(pair.plan().problems, "fold-referenced"));
}

TEST_CASE("what the target must not have")
{
	Pair pair;
	SECTION("a publication that was not accepted")
	{
		pair.in_target("log").published = true;
		CHECK(find(pair.plan().problems, "published", "log"));
		pair.config.accept_published = {"log"};
		CHECK(pair.plan().problems.empty());
		pair.config.accept_published = {"logs"};
		CHECK(find(pair.plan().problems, "unknown-table", "accept.published"));
	}
	SECTION("an index over the whole row")
	{
		pair.in_target("log").indexes.back().whole_row = true;
		CHECK(find(pair.plan().problems, "whole-row-index"));
	}
	SECTION("an invalid index is named")
	{
		pair.in_target("log").indexes.back().valid = false;
		CHECK(find(pair.plan().warnings, "invalid-index", "log"));
	}
	SECTION("checks of constraints that are not there (E3)")
	{
		pair.config.checks = {{"customer_tenant_fkey", "source"}};
		CHECK(find(pair.plan().problems, "unknown-constraint")->text.find("customer_tenant_id_fkey") != std::string::npos);
	}
	SECTION("partitions by a column whose values change are no obstacle")
	{
		for (auto *catalog : {&pair.source, &pair.target}) {
			auto &relation = small::Table(*catalog, "audit").serial().column("user_id").references({"user_id"}, "auth_user").it();
			relation.kind = 'p';
			relation.partition_key = "HASH (user_id)";
		}
		CHECK(pair.plan().problems.empty());
		for (auto *catalog : {&pair.source, &pair.target}) catalog->relations.at(name("audit")).partition_key = "HASH (id)";
		CHECK(pair.plan().problems.empty());
	}
}

TEST_CASE("triggers of kept tables do not fire, and that is said")
{
	Pair pair;
	for (auto *catalog : {&pair.source, &pair.target}) {
		small::Table(*catalog, "favourite").serial().column("customer_id").references({"customer_id"}, "customer");
		catalog->relations.at(name("favourite")).triggers = {"audit"};
	}
	TableRule rule;
	rule.pattern = "favourite";
	rule.mode = Mode::keep;
	pair.config.tables.push_back(rule);
	CHECK(find(pair.plan().warnings, "trigger-silent", "favourite"));
	pair.config.fire_triggers = {"favourite"};
	CHECK_FALSE(find(pair.plan().warnings, "trigger-silent"));
}

TEST_CASE("a real schema without tenants: every table is copied by a step of its own")
{
	std::vector<Problem> problems;
	const auto config =
	    Config::parse({{"tables", {{"SequelizeMeta", {{"mode", "keep"}}}}}, {"anonymize", {{"policy", "none"}}}}, problems);
	const auto catalog = fixtures::catalog("mymoolah");
	CHECK(questions(config, catalog, catalog, {}).empty());
	const auto plan = make_plan(config, catalog, catalog, {});
	for (const auto &problem : plan.problems) UNSCOPED_INFO(problem.id + ": " + problem.text);
	CHECK(plan.problems.empty());
	CHECK(std::count_if(plan.steps.begin(), plan.steps.end(), [](const Step &one) { return one.kind == "load"; }) ==
	    static_cast<std::ptrdiff_t>(catalog.tables().size()) - 1);
	for (const auto &one : plan.tables) CHECK((one.mode == Mode::keep || one.binary));
	const auto before = std::chrono::steady_clock::now();
	CHECK(make_plan(config, catalog, catalog, {}).binding() == plan.binding());
	CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
}

TEST_CASE("the application of the demonstration")
{
	std::vector<Problem> problems;
	const auto config = Config::parse(fixtures::saas_settings(), problems);
	CHECK(problems.empty());
	const auto catalog = fixtures::catalog("saas");
	const auto nothing = [](const Question &question) -> std::vector<Row> {
		if (question.kind == "fallback") return {{"4", "uat_admin", "1"}};
		if (question.kind == "kept_tenants") return {{"3", "1", "test_acme"}};
		if (question.kind == "pairs" || question.kind == "source_tenants") return {};
		if (question.kind == "folds") return {{std::nullopt, "10"}};
		return {{"0"}};
	};
	auto answers = small::answered(config, catalog, catalog, nothing);
	auto plan = make_plan(config, catalog, catalog, answers);
	for (const auto &problem : plan.problems) UNSCOPED_INFO(problem.id + ": " + problem.text);
	CHECK(plan.problems.empty());
	int mapped = 0;
	for (const auto &one : plan.tables)
		mapped += static_cast<int>(std::count_if(one.columns.begin(), one.columns.end(),
		    [](const Transfer &column) { return column.map == fixtures::name("auth_user"); }));
	CHECK(mapped == 26);  // P3
	CHECK(small::step(plan, "empty", "post_office_email").whole);

	// P13: a content type and an object id are no foreign key: no kept row may have them until they are declared
	const Name note = fixtures::name("apps_notes_note");
	REQUIRE(answers.kept_rows.contains(note));
	answers.kept_rows[note] = 2;
	const auto refused = make_plan(config, catalog, catalog, answers);
	const auto *problem = find(refused.problems, "generic-relation", note.shown());
	REQUIRE(problem);
	CHECK(problem->fix.find("apps_notes_note:\n    references:\n      object_id: {content_type: content_type_id}") != std::string::npos);
}

TEST_CASE("needs are numbers")
{
	Pair pair;
	pair.target.settings = {{"max_locks_per_transaction", "1"}, {"max_connections", "100000"}, {"max_prepared_transactions", "0"}, {"max_worker_processes", "0"}};
	const auto number = [](const Plan &plan, const std::string &id) {
		return std::find_if(plan.needs.begin(), plan.needs.end(), [&](const Need &need) { return need.id == id; })->value;
	};
	const auto plan = pair.plan();
	const auto needed = number(plan, "locks");    // that it is what the switch holds: test/sql/locks_needed.sql
	CHECK(needed > 10 * 4);
	CHECK_FALSE(find(plan.problems, "locks"));
	CHECK_FALSE(find(plan.warnings, "locks"));
	pair.target.settings["max_connections"] = std::to_string(needed);
	CHECK(find(pair.plan().warnings, "locks"));
	CHECK_FALSE(find(pair.plan().problems, "locks"));
	pair.target.settings["max_connections"] = std::to_string(needed - 1);
	CHECK(find(pair.plan().problems, "locks"));
	CHECK(number(plan, "wait") >= 20);
	CHECK_FALSE(find(plan.warnings, "many-kept-rows"));
	Pair crowd;
	Answers many = crowd.answers();
	REQUIRE_FALSE(many.kept_rows.empty());
	many.kept_rows.begin()->second = 200'001;
	const auto crowded = make_plan(crowd.config, crowd.source, crowd.target, many);
	CHECK(find(crowded.warnings, "many-kept-rows"));
	CHECK(number(crowded, "wait") > 12'000);
	CHECK(number(plan, "disk") > 0);
	CHECK(shown_bytes(3'600'000'000) == "3.6 GB");
	CHECK(shown_bytes(999) == "999 bytes");
	CHECK(shown_count(1204331) == "1,204,331");
	CHECK(shown_count(-999) == "-999");
}

TEST_CASE("unanswered questions are a problem, so no plan rests on guesses")
{
	Pair pair;
	CHECK(find(make_plan(pair.config, pair.source, pair.target, {}).problems, "questions"));
}

TEST_CASE("both sides agree whatever the target's statistics say meanwhile")
{
	Pair pair;
	const auto answers = pair.answers();
	const auto before = make_plan(pair.config, pair.source, pair.target, answers).binding();
	CHECK_FALSE(before["steps"].front().contains("est_bytes"));
	for (auto &[of, relation] : pair.target.relations) {
		relation.rows *= 7;
		relation.pages += 100000;
		relation.filenode += 1;
	}
	CHECK(make_plan(pair.config, pair.source, pair.target, Answers::parse(answers.to_json())).binding() == before);
	pair.in_source("customer").filenode += 1;
	CHECK(make_plan(pair.config, pair.source, pair.target, answers).binding() != before);
}

TEST_CASE("the plan as JSON")
{
	const auto document = Pair{}.plan().to_json();
	const auto tag = std::find_if(
	    document["tables"].begin(), document["tables"].end(), [](const json &one) { return one["shown"] == "customer_tag"; });
	REQUIRE(tag != document["tables"].end());
	CHECK((*tag)["relation"] == "public.customer_tag");
	CHECK((*tag)["via"] == "customer_id -> customer, tenant_id -> tenant");
	CHECK((*tag)["scope"] == "tenant");
	CHECK((*tag)["format"] == "binary");
	CHECK((*tag)["kept_rows"] == 5);
	CHECK(document["steps"].back()["relation"].get<std::string>().empty());
	CHECK(document["steps"].front()["columns"].front()["name"] == "id");
}
