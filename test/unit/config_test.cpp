#include "catch.hpp"
#include "core/config.hpp"
#include "core/rules.hpp"
#include "fixtures.hpp"

using namespace core;
using fixtures::name;

namespace {

struct Parsed {
	std::vector<Problem> problems;
	Config config;
	Problem only() const
	{
		INFO(json(problems.size()).dump());
		REQUIRE(problems.size() == 1);
		return problems.front();
	}
};

Parsed parsed(const json &document)
{
	Parsed p;
	p.config = Config::parse(document, p.problems);
	return p;
}

Problem only(const json &document) { return parsed(document).only(); }

}  // namespace

TEST_CASE("a whole configuration is read")
{
	json document = fixtures::saas_settings();
	document["reserved_from"] = {{"integer", 5000}};
	document["accept"] = {{"folded", {"a"}}, {"published", json::array()}};
	document["checks"] = {{"some_fk", "source"}};
	document["on_collision"] = "error";
	document["materialized_views"] = "skip";
	document["keep_previous"] = false;
	document["fire_triggers"] = json::array();
	Parsed p = parsed(document);
	CHECK(p.problems.empty());
	const Config &c = p.config;
	REQUIRE(c.tenants);
	CHECK(c.tenants->table == "apps_tenants_tenant");
	CHECK(c.tenants->keep == "schema_name LIKE 'test\\_%'");
	CHECK(c.tenants->exclude_source.empty());
	REQUIRE(c.users);
	CHECK(c.users->match == std::vector<std::string>{"username"});
	CHECK(c.reserved_from.at("integer") == 5000);
	CHECK(c.reserved_from.at("bigint") == 1'000'000'000);
	CHECK(c.reserved_from.at("smallint") == 30'000);
	CHECK(c.tables.size() == 12);
	CHECK(c.accept_folded == std::vector<std::string>{"a"});
	CHECK(c.checks.at("some_fk") == "source");
	CHECK(c.materialized_views == "skip");
	CHECK(c.policy == Policy::none);
}

TEST_CASE("nothing said is no problem")
{
	for (const json &document : {json(nullptr), json::object(),
	         json{{"tables", nullptr}, {"accept", nullptr}, {"anonymize", nullptr}, {"checks", nullptr}}}) {
		Parsed p = parsed(document);
		CHECK(p.problems.empty());
		CHECK_FALSE(p.config.tenants);
		CHECK_FALSE(p.config.users);
		CHECK(p.config.policy == Policy::strict);
	}
}

TEST_CASE("the normal form is read back as itself")
{
	Parsed first = parsed(fixtures::saas_settings());
	json normal = first.config.to_json();
	Parsed second = parsed(normal);
	CHECK(second.problems.empty());
	CHECK(second.config.to_json() == normal);
	CHECK(normal["users"]["fallback"] == "username = 'uat_admin'");
	CHECK(normal["tables"]["auth_*"]["mode"] == "keep");
	CHECK(normal["reserved_from"]["smallint"] == 30'000);
	CHECK(parsed(json::object()).config.to_json() == parsed(parsed(json::object()).config.to_json()).config.to_json());
}

TEST_CASE("E2: an unknown key is an error with the nearest known ones")
{
	Problem p = only({{"tabels", json::object()}});
	CHECK(p.id == "unknown-key");
	CHECK(p.object == "tabels");
	CHECK(p.text == "unknown key \"tabels\" (did you mean tables?)");
	CHECK(only({{"tables", {{"a", {{"mod", "keep"}}}}}}).text == "unknown key \"mod\" in tables.a (did you mean mode?)");
	CHECK(only({{"tables", {{"a", {{"references", {{"b", {{"on_mising", "error"}}}}}}}}}}).object ==
	    "tables.a.references.b.on_mising");
	CHECK(only({{"accept", {{"fold", json::array()}}}}).id == "unknown-key");
	CHECK(only({{"anonymize", {{"polici", "none"}}}}).id == "unknown-key");
	CHECK(only({{"users", {{"table", "u"}, {"fallback", "true"}, {"fallbak", "x"}}}}).object == "users.fallbak");
	// the client's own keys never get here
	CHECK(only({{"environments", json::object()}}).id == "unknown-key");
}

TEST_CASE("wrong types and missing keys are problems, all at once")
{
	Parsed p = parsed({{"tenants", {{"table", 5}, {"label", ""}}}, {"users", nullptr}, {"tables", {"a"}}, {"reserved_from", 3},
	    {"accept", {{"folded", "a"}}}});
	std::vector<std::string> seen;
	for (const Problem &problem : p.problems) seen.push_back(problem.id + " " + problem.object);
	CHECK(seen ==
	    std::vector<std::string>{"wrong-type tenants.table", "missing-key tenants.keep", "wrong-type tenants.label",
	        "missing-key users.table", "missing-key users.fallback", "wrong-type reserved_from", "wrong-type tables",
	        "wrong-type accept.folded"});
	CHECK(only(json::array()).text == "the configuration must be a mapping");
	CHECK(only({{"tables", {{"a", nullptr}}}}).id == "missing-key");
	CHECK(only({{"tables", {{"a", "keep"}}}}).id == "wrong-type");
	CHECK(only({{"tables", {{"a", {{"match", "name"}}}}}}).id == "wrong-type");
	CHECK(only({{"tables", {{"a", {{"match", {1}}}}}}}).id == "wrong-type");
	CHECK(only({{"checks", {"a"}}}).id == "wrong-type");
}

TEST_CASE("words that are none of those known")
{
	Problem p = only({{"tables", {{"a", {{"mode", "keeps"}}}}}});
	CHECK(p.id == "bad-value");
	CHECK(p.object == "tables.a.mode");
	CHECK(p.text.find("did you mean keep?") != std::string::npos);
	CHECK(only({{"tables", {{"a", {{"mode", nullptr}}}}}}).id == "bad-value");
	CHECK(only({{"on_collision", "merge"}}).id == "bad-value");
	CHECK(only({{"materialized_views", true}}).id == "bad-value");
	CHECK(only({{"anonymize", {{"policy", "loose"}}}}).id == "bad-value");
	CHECK(only({{"checks", {{"fk", "ignore"}}}}).object == "checks.fk");
}

TEST_CASE("what a later version does is said to be not supported, never ignored")
{
	auto later = [](const json &document, const std::string &object) {
		Problem p = only(document);
		INFO(p.text);
		CHECK(p.id == "not-supported");
		CHECK(p.object == object);
		CHECK(p.text.find("is not supported by this version") != std::string::npos);
		CHECK_FALSE(p.fix.empty());
	};
	later({{"tables", {{"a", {{"references", {{"b", {{"on_missing", "adopt"}}}}}}}}}}, "tables.a.references.b.on_missing");
	later({{"tables", {{"a", {{"references", {{"b", {{"content_type", "c"}}}}}}}}}}, "tables.a.references.b");
	later({{"keep_previous", true}}, "keep_previous");
	later({{"materialized_views", "switch"}}, "materialized_views");
	later({{"fire_triggers", {"a"}}}, "fire_triggers");
	for (const json &word : {json("error"), json(nullptr), json("null"), json("drop")})
		CHECK(parsed({{"tables", {{"a", {{"references", {{"b", {{"on_missing", word}}}}}}}}}}).problems.empty());
	CHECK(parsed({{"anonymize", {{"policy", "strict"}, {"kept_rows", "trust"}, {"tables", json::object()}}}}).problems.empty());
}

TEST_CASE("E2: a masking rule that is written wrong is an error, never a column that is copied")
{
	auto rule = [](const json &one) { return json{{"anonymize", {{"tables", {{"a", json::array({one})}}}}}}; };
	const json good{{"column", "b"}, {"strategy", "hash"}, {"length", 32}, {"domain", "x"}};
	Parsed p = parsed(rule(good));
	CHECK(p.problems.empty());
	REQUIRE(p.config.masks.size() == 1);
	REQUIRE(p.config.masks[0].columns.size() == 1);
	CHECK(p.config.masks[0].columns[0].rule == MaskRule{"hash", "x", {{"length", 32}}});
	// the default said in words is the same rule
	CHECK(parsed(rule({{"column", "b"}, {"strategy", "hash"}, {"length", 16}})).config.masks[0].columns[0].rule == MaskRule{"hash", "", json::object()});
	CHECK(parsed(rule({{"column", "b"}, {"strategy", "none"}})).problems.empty());
	Problem unknown = only(rule({{"column", "b"}, {"strategy", "emial"}}));
	CHECK(unknown.id == "unknown-strategy");
	CHECK(unknown.object == "anonymize.tables.a.0.strategy");
	CHECK(unknown.text.find("did you mean email?") != std::string::npos);
	CHECK(only(rule({{"column", "b"}, {"strategy", "hash"}, {"lenght", 16}})).text.find("did you mean length?") != std::string::npos);
	CHECK(only(rule({{"column", "b"}, {"strategy", "email"}, {"length", 16}})).id == "unknown-option");
	CHECK(only(rule({{"column", "b"}, {"strategy", "redact"}, {"domain", "x"}})).id == "unknown-option");
	CHECK(only(rule({{"column", "b"}, {"strategy", "none"}, {"length", 16}})).id == "unknown-option");
	CHECK(only(rule({{"column", "b"}, {"strategy", "hash"}, {"length", 17}})).id == "bad-value");
	CHECK(only(rule({{"column", "b"}, {"strategy", "hash"}, {"length", "16"}})).id == "bad-value");
	CHECK(only(rule({{"strategy", "hash"}})).id == "missing-key");
	CHECK(only(rule({{"column", "b"}})).id == "missing-key");
	CHECK(only(rule("email")).id == "wrong-type");
	CHECK(only({{"anonymize", {{"tables", {{"a", json::object()}}}}}}).id == "wrong-type");
	CHECK(only({{"anonymize", {{"tables", {{"a", json::array()}}}}}}).id == "wrong-type");
	CHECK(only({{"anonymize", {{"tables", json::array()}}}}).id == "wrong-type");
}

TEST_CASE("the reserved range begins inside of its type")
{
	CHECK(only({{"reserved_from", {{"smallint", 40000}}}}).object == "reserved_from.smallint");
	CHECK(only({{"reserved_from", {{"integer", 2147483647}}}}).id == "bad-value");
	CHECK(only({{"reserved_from", {{"bigint", 18446744073709551615u}}}}).id == "bad-value");
	CHECK(only({{"reserved_from", {{"bigint", -5}}}}).id == "bad-value");
	CHECK(only({{"reserved_from", {{"bigint", "big"}}}}).id == "bad-value");
	CHECK(only({{"reserved_from", {{"int", 5}}}}).id == "unknown-key");
	Parsed p = parsed({{"reserved_from", {{"bigint", 4000000000000000000}}}});
	CHECK(p.problems.empty());
	CHECK(p.config.reserved_from.at("bigint") == 4000000000000000000);
}

TEST_CASE("the fallback user as values becomes a condition")
{
	auto fallback = [](const json &value) {
		return parsed({{"users", {{"table", "u"}, {"fallback", value}}}}).config.users->fallback;
	};
	CHECK(fallback("is_superuser AND active") == "is_superuser AND active");
	CHECK(fallback({{"username", "uat_admin"}}) == "username = 'uat_admin'");
	CHECK(fallback({{"User", "o'neil"}, {"a", 4}}) == "\"User\" = 'o''neil' AND a = '4'");
	CHECK(fallback({{"is_superuser", true}, {"left_at", nullptr}}) == "is_superuser = 'true' AND left_at IS NULL");
	CHECK(only({{"users", {{"table", "u"}, {"fallback", {{"a", {1}}}}}}}).id == "wrong-type");
	CHECK(only({{"users", {{"table", "u"}, {"fallback", json::object()}}}}).id == "wrong-type");
	CHECK(only({{"users", {{"table", "u"}}}}).id == "missing-key");
	CHECK(parsed({{"users", {{"table", "u"}, {"match", {"email"}}}}}).problems.empty());
}

TEST_CASE("globs")
{
	CHECK(glob("auth_*", "auth_user"));
	CHECK(glob("*", ""));
	CHECK(glob("a?c*e", "abcde"));
	CHECK(glob("*_log", "a_log_log"));
	CHECK_FALSE(glob("auth_*", "apps_auth_user"));
	CHECK_FALSE(glob("a?", "a"));
	CHECK_FALSE(glob("*b", "a"));
	CHECK_FALSE(glob("auth.", "authx"));
}

TEST_CASE("P5: an exact name beats a pattern")
{
	Parsed p = parsed({{"tables",
	    {{"*_groups", {{"mode", "empty"}}}, {"user_groups", {{"mode", "keep"}}}, {"mail?", {{"mode", "empty"}}},
	        {"public.ven*", {{"mode", "keep"}}}}}});
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "vendors");
	Catalog c = Catalog::parse(doc);
	auto rules = rules_by_table(p.config, c, p.problems);
	CHECK(p.problems.empty());
	CHECK(rules.at(name("user_groups"))->mode == Mode::keep);
	CHECK(rules.at(name("mails"))->mode == Mode::empty);
	CHECK(rules.at(name("vendors"))->pattern == "public.ven*");
	CHECK(rules.size() == 3);
}

TEST_CASE("two rules for one table are a problem")
{
	Catalog c = fixtures::catalog("shop");
	auto problem = [&](const json &tables) {
		Parsed p = parsed({{"tables", tables}});
		rules_by_table(p.config, c, p.problems);
		return p.only();
	};
	Problem p = problem({{"user_*", {{"mode", "keep"}}}, {"*_groups", {{"mode", "empty"}}}});
	CHECK(p.id == "two-rules");
	CHECK(p.text.find("user_groups matches both") != std::string::npos);
	CHECK(problem({{"users", {{"mode", "keep"}}}, {"public.users", {{"mode", "keep"}}}}).id == "two-rules");
	Parsed exact = parsed(
	    {{"tables", {{"user_*", {{"mode", "keep"}}}, {"*_groups", {{"mode", "empty"}}}, {"user_groups", {{"mode", "keep"}}}}}});
	rules_by_table(exact.config, c, exact.problems);
	CHECK(exact.problems.empty());
}

TEST_CASE("P1, E3: names and patterns that match nothing are errors with the nearest names")
{
	Catalog c = fixtures::catalog("shop");
	auto problem = [&](const std::string &pattern) {
		Parsed p = parsed({{"tables", {{pattern, {{"mode", "keep"}}}}}});
		CHECK(rules_by_table(p.config, c, p.problems).empty());
		return p.only();
	};
	CHECK(problem("custmers").text == "unknown table \"custmers\" (did you mean customers?)");
	CHECK(problem("public.custmers").text == "unknown table \"public.custmers\" (did you mean public.customers?)");
	CHECK(problem("order_lins*").text == "no table matches \"order_lins*\" (did you mean order_lines?)");
	CHECK(problem("Orders").text == "unknown table \"Orders\" (did you mean orders?)");
	CHECK(problem("zzz*").text == "no table matches \"zzz*\"");
}

TEST_CASE("rules for what is no table of ours say so")
{
	json doc = fixtures::document("shop");
	fixtures::relation(doc, "mails")["extension"] = "pg_mail";
	fixtures::relation(doc, "notes")["kind"] = "f";
	fixtures::relation(doc, "erp_sync")["kind"] = "m";
	json other = fixtures::relation(doc, "orders");
	other["schema"] = "archive";
	doc["relations"].push_back(other);
	Catalog c = Catalog::parse(doc);
	auto problem = [&](const std::string &table) {
		Parsed p = parsed({{"tables", {{table, {{"mode", "keep"}}}}}});
		rules_by_table(p.config, c, p.problems);
		return p.only();
	};
	CHECK(problem("mails").text == "mails belongs to the extension pg_mail and is never touched");
	CHECK(problem("notes").text == "notes is a foreign table and is never touched");
	CHECK(problem("erp_sync").text == "erp_sync is a view");
	CHECK(problem("orders").id == "ambiguous-table");
	CHECK(problem("orders").fix == "write archive.orders");
	Catalog saas = fixtures::catalog("saas");
	Parsed p = parsed({{"tables", {{"apps_audit_history_2024", {{"mode", "keep"}}}}}});
	rules_by_table(p.config, saas, p.problems);
	CHECK(p.only().text.find("is a partition") != std::string::npos);
}

TEST_CASE("lines to paste are YAML whatever the table is called")
{
	Catalog c = fixtures::catalog("saas");
	CHECK(yaml_table(c, name("auth_user")) == "auth_user");
	CHECK(yaml_list({"a", "List Name", "null", "9lives"}) == "[a, \"List Name\", \"null\", \"9lives\"]");
}
