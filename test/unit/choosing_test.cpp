#include "catch.hpp"
#include "core/chosen.hpp"
#include "core/idmap.hpp"
#include "core/join_tenants.hpp"
#include "core/other_paths.hpp"
#include "core/presets.hpp"
#include "core/statements.hpp"
#include "core/tenant_choice.hpp"
#include "small_catalog.hpp"

using namespace core;
using small::name;
using small::Table;

namespace {

Config choosing(const std::vector<std::string> &tables, const std::vector<std::string> &exclude = {})
{
	Config config = small::configuration();
	config.choice.tables = tables;
	config.choice.exclude = exclude;
	return config;
}

// Users 1 to 100 of the tenant table are known, 101 is new; of the staying rows "found" is told by its natural key.
std::vector<Row> staying_rows(const Question &question)
{
	if (question.kind == "known" && question.relation.name == "tenant") return {{"1", "100"}};
	if (question.kind == "known") return {};
	if (question.id == "pairs public.tenant source") return {{"101", "new"}, {"102", "found"}};
	if (question.id == "pairs public.tenant target") return {{"7", digest("found")}};
	if (question.id == "pairs public.customer source") return {{"5"}, {"6"}};
	if (question.kind == "unmatched") return {{"3"}};
	return small::rows_for(question);
}

std::vector<std::string> copied(const Plan &plan)
{
	std::vector<std::string> out;
	for (const auto &table : plan.tables)
		if (table.mode == Mode::copy) out.push_back(table.name.name);
	return out;
}

struct Planned {
	Catalog catalog;
	Config config;
	Answers answers;
	Plan plan;
	Planned(const Config &with, const std::function<std::vector<Row>(const Question &)> &rows, Catalog of = small::application())
	    : catalog(std::move(of)), config(with), answers(small::answered(config, catalog, catalog, rows)), plan(make_plan(config, catalog, catalog, answers))
	{}
};

std::vector<Question> all_questions(const Config &config, const Catalog &catalog, const std::function<std::vector<Row>(const Question &)> &rows)
{
	std::vector<Question> out;
	small::answered(config, catalog, catalog, [&](const Question &question) {
		out.push_back(question);
		return rows(question);
	});
	return out;
}

const Question *find(const std::vector<Question> &questions, const std::string &id)
{
	for (const auto &question : questions)
		if (question.id == id) return &question;
	return nullptr;
}

}  // namespace

TEST_CASE("--tables: the others stay as they are, and say why")
{
	const Planned p(choosing({"tenant", "cust*"}), small::rows_for);
	CHECK(copied(p.plan) == std::vector<std::string>{"customer", "customer_tag", "tenant"});
	CHECK(small::table(p.plan, "membership").mode == Mode::keep);
	CHECK(small::table(p.plan, "membership").what_happens == "stays as it is (not in --tables)");
	CHECK(small::table(p.plan, "outbox").mode == Mode::keep);    // emptied otherwise
	CHECK(small::table(p.plan, "auth_user").reason == "users.table");
	for (const auto &step : p.plan.steps)
		if (step.kind == "load") CHECK((step.table == name("tenant") || step.table == name("customer") || step.table == name("customer_tag")));
	CHECK(p.plan.problems.empty());
}

TEST_CASE("--exclude leaves out, and takes from --tables; several patterns; both sides must agree on it")
{
	const Planned without(choosing({}, {"log", "b*"}), small::rows_for), both(choosing({"*"}, {"log", "badge"}), small::rows_for);
	CHECK(copied(without.plan) == copied(both.plan));
	CHECK(small::table(both.plan, "log").reason == "--exclude");
	const Planned all(small::configuration(), small::rows_for);
	CHECK(all.plan.binding() != without.plan.binding());
	std::vector<Problem> problems;
	CHECK(Config::parse(without.config.to_json(), problems).choice == without.config.choice);
	CHECK(problems.empty());
}

TEST_CASE("E3: --tables and --exclude name what there is, with the nearest names")
{
	const Planned p(choosing({"custmer", "suplier*"}, {"membrship"}), small::rows_for);
	const auto *unknown = small::find(p.plan.problems, "unknown-table", "--tables");
	REQUIRE(unknown);
	CHECK(unknown->text == "unknown table \"custmer\" (did you mean customer?)");
	CHECK(p.plan.problems[1].text == "no table matches \"suplier*\" (did you mean supplier?)");
	REQUIRE(small::find(p.plan.problems, "unknown-table", "--exclude"));
	CHECK(small::find(p.plan.problems, "unknown-table", "--exclude")->text.find("did you mean membership?") != std::string::npos);
}

TEST_CASE("--tables of a kept table, and a choice that leaves nothing, are problems")
{
	CHECK(small::find(Planned(choosing({"auth_user", "customer"}), staying_rows).plan.problems, "chosen-kept"));
	CHECK(!small::find(Planned(choosing({"*"}), small::rows_for).plan.problems, "chosen-kept"));
	CHECK(small::find(Planned(choosing({}, {"*"}), small::rows_for).plan.problems, "nothing-chosen"));
}

TEST_CASE("excluding a table closes over its INHERITS children")
{
	Catalog catalog = small::application();
	Table(catalog, "vip_log").serial();
	catalog.relations[name("vip_log")].parents = {name("log")};
	Table(catalog, "vip_log_old").serial();
	catalog.relations[name("vip_log_old")].parents = {name("vip_log")};
	const Planned p(choosing({}, {"log"}), small::rows_for, catalog);
	for (const char *table : {"log", "vip_log", "vip_log_old"}) CHECK(small::table(p.plan, table).mode == Mode::keep);
	CHECK(small::table(p.plan, "customer").mode == Mode::copy);
}

TEST_CASE("a parent that stays: rows by id, then by natural key, else a problem")
{
	const Planned p(choosing({"membership"}), staying_rows);
	const Map &map = p.answers.maps.at(name("tenant"));
	CHECK(map.as_is);
	CHECK(map.pairs == std::map<std::string, std::string>{{"102", "7"}});
	CHECK(map.unmatched == std::vector<std::string>{"101"});
	const auto *problem = small::find(p.plan.problems, "unmatched-reference");
	REQUIRE(problem);
	CHECK(problem->text ==
	    "membership.tenant_id -> tenant: 3 rows of production reference rows of tenant, which stays as it is (not in --tables) and does not have them");
	CHECK(problem->fix == "--tables membership,tenant");
	const IdMap ids(map, "bigint", false);
	CHECK(ids.find("102") == "7");
	CHECK(ids.find("50") == "50");
	CHECK_FALSE(ids.find("101"));    // another row of the target has this id, or none
	CHECK(Answers::parse(p.answers.to_json()).maps.at(name("tenant")).as_is);
	CHECK(!p.answers.to_json().contains("known"));
}

TEST_CASE("a parent that stays: the source is asked only for what is not known")
{
	const auto questions = all_questions(choosing({"membership"}), small::application(), staying_rows);
	const auto *known = find(questions, "known public.tenant"), *source = find(questions, "pairs public.tenant source"), *target = find(questions, "pairs public.tenant target");
	REQUIRE((known && source && target));
	CHECK(known->side == Side::target);
	CHECK(known->origins);
	CHECK(known->sql.find("t.id < 1000000000") != std::string::npos);    // of the reserved range none is the source's
	CHECK(source->sql ==
	    "SELECT t.id::text, t.schema_name::text FROM ONLY public.tenant AS t WHERE coalesce(t.id::bigint > ('{100}'::bigint[])[width_bucket(t.id::bigint, "
	    "'{1}'::bigint[])], true)");
	CHECK(target->origins);
	CHECK(target->sql.find("schema_name::text, 'UTF8'") != std::string::npos);
}

TEST_CASE("a parent that stays without a natural key: only known rows are found")
{
	const Planned p(choosing({"customer_tag"}), staying_rows);
	const Map &map = p.answers.maps.at(name("customer"));
	CHECK(map.pairs.empty());
	CHECK(map.unmatched == std::vector<std::string>{"5", "6"});
	CHECK(small::find(p.plan.problems, "unmatched-reference", "customer_tag.customer_id"));
}

TEST_CASE("a parent that stays and has no key of one column: a problem that names the foreign key")
{
	Catalog catalog = small::application();
	Table(catalog, "pair").column("a", "bigint", true).column("b", "bigint", true).primary({"a", "b"});
	Table(catalog, "of_pair").serial().column("a").column("b").references({"a", "b"}, "pair", {"a", "b"});
	const Planned p(choosing({"of_pair"}), small::rows_for, catalog);
	const auto *problem = small::find(p.plan.problems, "reference-to-staying");
	REQUIRE(problem);
	CHECK(problem->text.find("of_pair_a_fkey") != std::string::npos);
	CHECK(problem->fix == "--tables of_pair,pair");
}

// ---- tenants.only, tenants.except ----

namespace {
std::vector<Row> with_tenants(const Question &question)
{
	if (question.kind == "named_tenants") return {{"5", "acme"}, {"6", "globex"}};
	if (question.kind == "tenant_labels") return {{"5", "acme"}, {"6", "globex"}, {"7", "initech"}};
	if (question.kind == "source_tenants") return {{"9", "test_acme"}};
	if (question.kind == "outside") return {{question.relation.name == "supplier" ? "4" : "0"}};
	return small::rows_for(question);
}
}  // namespace

TEST_CASE("tenants.only: only their rows, a NULL on the way is none of them")
{
	Config config = small::configuration();
	config.tenants->only = {"acme", "globex"};
	const Planned p(config, with_tenants);
	CHECK(tenant_rows(config, small::graph(config, p.catalog), p.catalog, p.answers, name("customer")) == "t.tenant_id = ANY ('{5,6}'::bigint[])");
	CHECK(tenant_rows(config, small::graph(config, p.catalog), p.catalog, p.answers, name("customer_tag"), "q") ==
	    "EXISTS (SELECT FROM ONLY public.customer AS p1 WHERE p1.id = q.customer_id AND p1.tenant_id = ANY ('{5,6}'::bigint[]))");
	CHECK(tenant_rows(config, small::graph(config, p.catalog), p.catalog, p.answers, name("log")).empty());    // shared
	CHECK(p.answers.to_json().dump().find("initech") == std::string::npos);
	CHECK(small::find(p.plan.warnings, "tenants-chosen")->text == "of production's tenants only acme, globex are copied; rows that belong to no tenant are not");
}

TEST_CASE("S5: that a table has tenants is also production's word")
{
	Config config = small::configuration();
	config.tenants->only = {"acme", "globex"};
	const auto source = small::application();
	auto target = small::application();
	std::erase_if(target.foreign_keys, [](const ForeignKey &key) { return key.child == name("customer") && key.parent == name("tenant"); });
	const auto answers = small::answered(config, source, target, with_tenants);
	const auto *problem = small::find(make_plan(config, source, target, answers).problems, "path-only-in-source");
	REQUIRE(problem);
	CHECK(problem->object == "customer");
	CHECK_FALSE(small::find(make_plan(config, source, source, answers).problems, "path-only-in-source"));
}

TEST_CASE("tenants that production cannot tell apart are not left out in silence")
{
	Config config = small::configuration();
	config.tenants->only = {"acme"};
	auto source = small::application();
	for (Index &index : source.relations.at(name("tenant")).indexes) index.primary = false;
	const auto target = small::application();
	CHECK(small::find(make_plan(config, source, target, small::answered(config, source, target, with_tenants)).problems, "tenant-without-key"));
}

TEST_CASE("--tables: a mask of a table that stays counts for what references it")
{
	auto catalog = small::application();
	Config config = choosing({"membership"});
	config.masks.push_back({"tenant", {{"id", {"hash", "", json::object()}}}});
	const Planned p(config, staying_rows, catalog);
	CHECK(small::find(p.plan.problems, "masked-reference"));
}

TEST_CASE("tenants.except: all but these; --tenants comes before tenants.only")
{
	Config config = small::configuration();
	config.tenants->except = {"globex"};
	const Planned p(config, [](const Question &question) {
		return question.kind == "named_tenants" ? std::vector<Row>{{"6", "globex"}} : with_tenants(question);
	});
	CHECK(tenant_rows(config, small::graph(config, p.catalog), p.catalog, p.answers, name("tenant")) == "(t.id = ANY ('{9,6}'::bigint[])) IS NOT TRUE");
	config.tenants->only = {"initech"};
	config.choice.tenants = {"acme"};
	CHECK(only_tenants(config) == std::vector<std::string>{"acme"});
	CHECK(only_option(config) == "--tenants");
}

TEST_CASE("E3: labels that name no tenant, with the nearest of production's; those that are left out anyway")
{
	Config config = small::configuration();
	config.choice.tenants = {"acmee", "globex"};
	config.tenants->except = {"globex"};
	const Planned p(config, with_tenants);
	const auto *unknown = small::find(p.plan.problems, "unknown-tenant", "--tenants");
	REQUIRE(unknown);
	CHECK(unknown->text == "production has no tenant \"acmee\" (did you mean acme?)");
	CHECK(small::find(p.plan.problems, "tenant-left-out", "--tenants"));
	config.choice.tenants = {"acme"};
	config.tenants->except = {};
	const Planned kept(config, [](const Question &question) {
		return question.kind == "source_tenants" ? std::vector<Row>{{"5", "acme"}} : with_tenants(question);
	});
	CHECK(small::find(kept.plan.problems, "tenant-left-out", "--tenants"));
	config.tenants.reset();
	CHECK(small::find(Planned(config, with_tenants).plan.problems, "no-tenants"));
}

TEST_CASE("a reference to a tenant that is not copied is a problem that names the foreign key")
{
	Config config = small::configuration();
	config.tenants->only = {"acme", "globex"};
	const Planned p(config, with_tenants);
	const auto *problem = small::find(p.plan.problems, "tenant-outside");
	REQUIRE(problem);
	CHECK(problem->text ==
	    "supplier.plant_id -> plant (supplier_plant_id_fkey): 4 rows of the tenants that are copied reference rows of tenants that are not");
	CHECK(!small::find(p.plan.problems, "tenant-outside", "customer_tag.customer_id"));
	config.checks = {{"supplier_plant_id_fkey", "source"}};
	const Planned accepted(config, with_tenants);
	CHECK(!small::find(accepted.plan.problems, "tenant-outside"));
	CHECK(small::find(accepted.plan.warnings, "tenant-outside"));
}

// ---- bad input ----

TEST_CASE("a keep predicate that matches every tenant is a problem, unless --all-kept")
{
	const auto all = [](const Question &question) {
		return question.kind == "kept_tenants" ? std::vector<Row>{{"2", "1", "test_acme"}, {"2", "2", "test_global"}} : small::rows_for(question);
	};
	Config config = small::configuration();
	const Planned p(config, all);
	const auto *problem = small::find(p.plan.problems, "keep-matches-everything", "tenants.keep");
	REQUIRE(problem);
	CHECK(problem->fix.find("--all-kept") != std::string::npos);
	config.choice.all_kept = true;
	CHECK(!small::find(Planned(config, all).plan.problems, "keep-matches-everything"));
}

TEST_CASE("a natural key that is not unique is a problem at its place in the configuration")
{
	const auto twice = [](const Question &question) {
		if (question.id == "pairs public.auth_user source") return std::vector<Row>{{"1", "alice"}, {"2", "bob"}, {"3", "bob"}};
		return small::rows_for(question);
	};
	const Planned p(small::configuration(), twice);
	const auto *problem = small::find(p.plan.problems, "match-not-unique", "users.match");
	REQUIRE(problem);
	CHECK(problem->text == "rows of auth_user are matched by username, which is not unique: 2 rows share it with others");
	CHECK(!small::find(Planned(small::configuration(), small::rows_for).plan.problems, "match-not-unique"));
}

TEST_CASE("a natural key of supporting rows that production has twice is a problem")
{
	Config config = small::configuration();
	TableRule rule;
	rule.pattern = "customer";
	rule.match = {"tenant_id", "owner_id"};
	config.tables.push_back(rule);
	std::string asked, shared = "4";
	const auto rows = [&](const Question &question) {
		if (question.kind != "doubles") return small::rows_for(question);
		asked = question.sql;
		return std::vector<Row>{{shared}};
	};
	const auto *problem = small::find(Planned(config, rows).plan.problems, "match-not-unique", "tables.customer.match");
	REQUIRE(problem);
	CHECK(asked == "SELECT coalesce(sum(d.n), 0)::text FROM (SELECT count(*) AS n FROM ONLY public.customer AS t GROUP BY t.tenant_id::text, t.owner_id::text "
	               "HAVING count(*) > 1 AND num_nonnulls(t.tenant_id::text, t.owner_id::text) > 0) AS d");
	shared = "0";
	CHECK(!small::find(Planned(config, rows).plan.problems, "match-not-unique"));
}

// ---- paths ----

TEST_CASE("P23: another path that leads to other tenants is warned of, with the line to paste")
{
	Catalog catalog = small::application();
	Table(catalog, "purchase").serial().column("tenant_id", "bigint", true).column("customer_id").references({"tenant_id"}, "tenant").references({"customer_id"}, "customer");
	const auto rows = [](const Question &question) {
		return question.kind == "other_path" ? std::vector<Row>{{question.relation.name == "purchase" ? "12" : "0"}} : small::rows_for(question);
	};
	const auto questions = all_questions(small::configuration(), catalog, rows);
	const auto *asked = find(questions, "other_path public.purchase.purchase_customer_id_fkey");
	REQUIRE(asked);
	CHECK(asked->sql ==
	    "SELECT count(*)::text FROM (SELECT tenant_id, customer_id FROM ONLY public.purchase LIMIT 3000) AS t LEFT JOIN LATERAL (SELECT b1.tenant_id FROM ONLY public.customer AS b1 WHERE b1.id = "
	    "t.customer_id LIMIT 1) AS b1 ON true WHERE b1.tenant_id IS NOT NULL AND t.tenant_id IS DISTINCT FROM b1.tenant_id");
	const Planned p(small::configuration(), rows, catalog);
	const auto *warning = small::find(p.plan.warnings, "other-path", "purchase");
	REQUIRE(warning);
	CHECK(warning->text == "purchase belongs to its tenant by tenant_id; by customer_id, tenant_id 12 rows of production would belong to another one");
	CHECK(warning->fix.find("tenant_path: [customer_id, tenant_id]") != std::string::npos);
	Config declared = small::configuration();
	TableRule rule;
	rule.pattern = "purchase";
	rule.tenant_path = {"tenant_id"};
	declared.tables.push_back(rule);
	CHECK(!find(all_questions(declared, catalog, rows), "other_path public.purchase.purchase_customer_id_fkey"));
}

// ---- join_tenants ----

TEST_CASE("join_tenants finds the table of memberships, and says what it cannot fill")
{
	Config config = small::configuration();
	config.users->join_tenants = JoinTenants{};
	Catalog catalog = small::application();
	std::vector<Problem> problems;
	auto found = membership(config, small::graph(config, catalog), catalog, problems);
	REQUIRE(found);
	CHECK(found->table == name("membership"));
	CHECK(found->tenant == "tenant_id");
	CHECK(found->user == "user_id");
	CHECK(problems.empty());

	catalog.relations[name("membership")].columns.push_back(catalog.relations[name("customer")].columns[1]);
	catalog.relations[name("membership")].columns.back().name = "role";
	membership(config, small::graph(config, catalog), catalog, problems);
	REQUIRE(problems.size() == 1);
	CHECK(problems[0].text == "a membership in membership needs a value for role: NOT NULL, without a default");
	config.users->join_tenants->values = {{"role", "admin"}, {"rol", "x"}};
	problems.clear();
	membership(config, small::graph(config, catalog), catalog, problems);
	REQUIRE(problems.size() == 1);
	CHECK(problems[0].text.find("no column \"rol\" (did you mean role?)") != std::string::npos);

	problems.clear();
	config.users->join_tenants = JoinTenants{"customer", {}};
	CHECK(!membership(config, small::graph(config, catalog), catalog, problems));
	CHECK(problems[0].id == "join-tenants");
}

TEST_CASE("join_tenants as the configuration writes it")
{
	std::vector<Problem> problems;
	const auto users = [&](const json &join) {
		problems.clear();
		return Config::parse({{"users", {{"table", "u"}, {"fallback", {{"name", "x"}}}, {"join_tenants", join}}}}, problems);
	};
	CHECK(users(true).users->join_tenants);
	CHECK(!users(false).users->join_tenants);
	const auto config = users({{"table", "m"}, {"values", {{"role", "admin"}, {"level", 3}}}});
	CHECK(problems.empty());
	CHECK(config.users->join_tenants->values == std::map<std::string, std::string>{{"level", "3"}, {"role", "admin"}});
	CHECK(Config::parse(config.to_json(), problems).users->join_tenants->table == "m");
	(void)users({{"tabel", "m"}});
	CHECK(problems.size() == 1);
	(void)users("yes");
	CHECK(problems.size() == 1);
}

// ---- presets ----

TEST_CASE("Laravel and Prisma are recognized by their tables; any mode is an answer")
{
	Catalog catalog = small::application();
	Table(catalog, "migrations").serial().column("migration", "text").column("batch", "integer");
	Table(catalog, "jobs").serial().column("queue", "text").column("payload", "text").column("attempts", "integer");
	Table(catalog, "sessions").column("id", "text", true).column("payload", "text").column("last_activity", "integer").primary({"id"});
	Table(catalog, "cache").column("key", "text", true).column("value", "text").column("expiration", "integer").primary({"key"});
	Table(catalog, "password_reset_tokens").column("email", "text", true).column("token", "text").primary({"email"});
	Table(catalog, "personal_access_tokens").serial().column("tokenable_id").column("token", "text");
	Table(catalog, "_prisma_migrations").column("id", "text", true).column("checksum", "text").column("migration_name", "text").primary({"id"});
	Table(catalog, "Session").column("id", "text", true).column("sessionToken", "text").primary({"id"});
	Config config = small::configuration();
	const Planned p(config, small::rows_for, catalog);
	const auto *missing = small::find(p.plan.problems, "missing-mode");
	REQUIRE(missing);
	CHECK(missing->fix ==
	    "tables:\n  Session: {mode: keep}\n  _prisma_migrations: {mode: keep}\n  cache: {mode: empty}\n  jobs: {mode: empty}\n  migrations: {mode: keep}\n"
	    "  password_reset_tokens: {mode: keep}\n  personal_access_tokens: {mode: keep}\n  sessions: {mode: keep}");
	const auto found = recognized(catalog);
	CHECK(found.at("Laravel").size() == 6);
	CHECK(found.at("Prisma") == std::vector<std::string>{"\"Session\" (sessions)", "_prisma_migrations (migrations)"});
	for (const auto &table : {"migrations", "jobs", "sessions", "cache", "password_*", "personal_*", "Session", "_prisma*"}) {
		TableRule rule;
		rule.pattern = table;
		rule.mode = Mode::copy;
		config.tables.push_back(rule);
	}
	CHECK(!small::find(Planned(config, small::rows_for, catalog).plan.problems, "missing-mode"));
	// A table of that name that is something else.
	Table(catalog, "failed_jobs").serial().column("applicant", "text");
	CHECK(recognized(catalog).at("Laravel").size() == 6);
}
