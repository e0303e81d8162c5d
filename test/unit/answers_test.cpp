#include <algorithm>
#include "catch.hpp"
#include "core/maps.hpp"
#include "small_catalog.hpp"

using namespace core;
using small::name;

namespace {

std::vector<std::string> ids(const std::vector<Question> &questions)
{
	std::vector<std::string> all;
	for (const auto &question : questions) all.push_back(question.id);
	return all;
}

bool has(const std::vector<std::string> &all, const std::string &one)
{
	return std::find(all.begin(), all.end(), one) != all.end();
}

const Question *find(const std::vector<Question> &questions, const std::string &id)
{
	for (const auto &question : questions)
		if (question.id == id) return &question;
	return nullptr;
}

}  // namespace

TEST_CASE("questions come when what they build on is answered")
{
	const auto catalog = small::application();
	const auto config = small::configuration();
	const auto graph = small::graph(config, catalog);
	Answers answers;
	auto open = questions(config, catalog, catalog, answers);
	const auto first = ids(open);
	CHECK(has(first, "maximum public.customer.id"));
	CHECK(has(first, "pairs public.auth_user source"));
	CHECK(has(first, "pairs public.content_type target"));
	CHECK(has(first, "fallback public.auth_user"));
	CHECK(has(first, "kept_rows public.customer_tag"));
	// permissions are matched by content types
	CHECK_FALSE(has(first, "pairs public.permission source"));
	CHECK_FALSE(std::any_of(open.begin(), open.end(), [](const auto &question) { return question.kind == "folds"; }));
	// what is emptied or kept is not asked for its ids
	CHECK_FALSE(has(first, "maximum public.outbox.id"));
	CHECK_FALSE(has(first, "maximum public.auth_user.id"));
	for (const auto &question : open) answers.take(config, graph, question, small::rows_for(question));

	open = questions(config, catalog, catalog, answers);
	CHECK(has(ids(open), "pairs public.permission source"));
	CHECK(has(ids(open), "folds public.membership.membership_tenant_id_uniq1"));
	// what hangs below folded rows comes after them
	CHECK_FALSE(has(ids(open), "folds public.badge.badge_membership_id_uniq1 after 1"));
	CHECK_FALSE(has(ids(open), "maximum public.customer.id"));
	for (const auto &question : open) answers.take(config, graph, question, small::rows_for(question));

	open = questions(config, catalog, catalog, answers);
	CHECK(has(ids(open), "folds public.badge.badge_membership_id_uniq1 after 1"));
	for (const auto &question : open) answers.take(config, graph, question, small::rows_for(question));
	CHECK(questions(config, catalog, catalog, answers).empty());
	CHECK(answers.keys.empty());
}

TEST_CASE("users and content types are matched by natural keys (P13)")
{
	const auto catalog = small::application();
	const auto answers = small::answered(small::configuration(), catalog, catalog);
	const auto &users = answers.maps.at(name("auth_user"));
	CHECK(users.pairs == std::map<std::string, std::string>{{"2", "20"}});
	CHECK(users.fallback == "4");
	CHECK(users.fallback_label == "uat_admin");
	CHECK(users.unmatched.empty());
	const auto &types = answers.maps.at(name("content_type"));
	CHECK(types.pairs == std::map<std::string, std::string>{{"1", "12"}, {"3", "11"}});
	CHECK(types.unmatched == std::vector<std::string>{"2"});
	// maps build on maps: content type 1 of production is 12 here, 2 is unknown
	const auto &permissions = answers.maps.at(name("permission"));
	CHECK(permissions.pairs == std::map<std::string, std::string>{{"7", "70"}});
	CHECK(permissions.unmatched == std::vector<std::string>{"8"});
}

TEST_CASE("a declared natural key takes NULL for equal to NULL; nothing but NULL, and doubles, match nothing")
{
	const auto catalog = small::application();
	const auto answers =
	    small::answered(small::configuration(), catalog, catalog, [](const Question &question) -> std::vector<Row> {
		    if (question.id == "pairs public.content_type source")
			    return {{"1", "shop", std::nullopt}, {"2", "shop", "x"}, {"3", "shop", "x"}, {"4", "shop", "y"}, {"5", "a", "bc"},
			        {"6", "ab", "d"}, {"7", std::nullopt, std::nullopt}, {"8", std::nullopt, "shop"}};
		    if (question.id == "pairs public.content_type target")
			    return {{"10", digest("shop"), std::nullopt}, {"20", digest("shop"), digest("x")}, {"40", digest("shop"), digest("y")},
			        {"41", digest("shop"), digest("y")}, {"50", digest("ab"), digest("c")}, {"60", digest("ab"), digest("d")},
			        {"70", std::nullopt, std::nullopt}};
		    return small::rows_for(question);
	    });
	const auto &types = answers.maps.at(name("content_type"));
	CHECK(types.pairs == std::map<std::string, std::string>{{"1", "10"}, {"6", "60"}});
	CHECK(types.unmatched == std::vector<std::string>{"2", "3", "4", "5", "7", "8"});
}

TEST_CASE("chains of folded rows end at the last survivor")
{
	auto catalog = small::application();
	catalog.relations.at(name("membership")).indexes.push_back(catalog.relations.at(name("membership")).indexes.back());
	catalog.relations.at(name("membership")).indexes.back().name = "second";
	catalog.relations.at(name("membership")).indexes.back().columns = {"user_id"};
	int asked_second = 0, asked_below = 0;
	const auto answers =
	    small::answered(small::configuration(), catalog, catalog, [&](const Question &question) -> std::vector<Row> {
		    asked_below += question.kind == "folds" && question.relation == name("badge");
		    if (question.id == "folds public.membership.second") {
			    ++asked_second;
			    CHECK(question.sql.find("unnest('{11}'::bigint[]) AS d(k) WHERE d.k = t.id") != std::string::npos);
			    return {{std::nullopt, "99"}, {"10", "3"}};
		    }
		    return small::rows_for(question);
	    });
	CHECK(asked_second == 1);
	CHECK(asked_below == 1);  // what hangs below waits until its parents are settled
	const auto &fold = answers.folds.at(name("membership"));
	CHECK(fold.dropped == std::map<std::string, std::string>{{"10", "3"}, {"11", "3"}});
	CHECK(fold.total == 100);
	CHECK_FALSE(fold.by_ctid);
}

TEST_CASE("the survivor is chosen at the source, after all other filters")
{
	const auto catalog = small::application();
	const auto config = small::configuration();
	std::string sql;
	small::answered(config, catalog, catalog, [&](const Question &question) -> std::vector<Row> {
		if (question.kind == "source_tenants") return {{"7", "test_x"}};
		if (question.kind == "folds" && question.relation == name("membership")) sql = question.sql;
		return small::rows_for(question);
	});
	CHECK(sql.find("(t.tenant_id = ANY ('{7}'::bigint[])) IS NOT TRUE") != std::string::npos);
	CHECK(sql.find("unnest('{2}'::bigint[], '{20}'::text[]) AS m1(old, new) ON m1.old = t.user_id") != std::string::npos);
	CHECK(sql.find(
	          "PARTITION BY t.tenant_id, CASE WHEN t.user_id IS NOT NULL THEN coalesce(m1.new, '4'::text) END ORDER BY t.id") !=
	    std::string::npos);
	CHECK(sql.find("WHERE t.tenant_id IS NOT NULL AND t.user_id IS NOT NULL") != std::string::npos);
}

TEST_CASE("the target's SQL is never run on the source (S5)")
{
	const auto source = small::application();
	auto target = small::application();
	auto &index = target.relations.at(name("membership")).indexes.back();
	index.predicate = "pg_sleep(1) IS NULL";
	small::answered(small::configuration(), source, target, [&](const Question &question) {
		// without its condition the index would fold other rows
		CHECK_FALSE((question.kind == "folds" && question.relation == name("membership")));
		if (question.side == Side::source) CHECK(question.sql.find("pg_sleep") == std::string::npos);
		return small::rows_for(question);
	});
}

TEST_CASE("expressions of an index are production's own, over mapped rows (S5, P14)")
{
	auto source = small::application(), target = small::application();
	for (auto *catalog : {&source, &target}) {
		auto &index = catalog->relations.at(name("membership")).indexes.back();
		index.columns = {"tenant_id", ""};
		index.expressions = true;
		index.expression_keys = {"COALESCE(user_id, (0)::bigint)"};
	}
	const auto asked = [&] {
		std::string sql;
		small::answered(small::configuration(), source, target, [&](const Question &question) {
			if (question.kind == "folds" && question.relation == name("membership")) sql = question.sql;
			return small::rows_for(question);
		});
		return sql;
	};
	CHECK(asked().find("CROSS JOIN LATERAL (SELECT (COALESCE(user_id, (0)::bigint)) AS k1 FROM (SELECT t.id AS id, t.tenant_id AS tenant_id, "
	                   "(CASE WHEN t.user_id IS NOT NULL THEN coalesce(m1.new, '4'::text) END)::bigint AS user_id) AS t) AS e") != std::string::npos);
	CHECK(asked().find("PARTITION BY t.tenant_id, e.k1 ORDER BY t.id") != std::string::npos);
	target.relations.at(name("membership")).indexes.back().expression_keys = {"COALESCE(user_id, pg_sleep(1))"};
	CHECK(asked().empty());
}

TEST_CASE("in a circle, an index is asked again when rows that it rests on have folded meanwhile")
{
	auto catalog = small::application();
	// a tree: children of folded rows become equal themselves
	small::Table(catalog, "node")
	    .serial()
	    .column("user_id")
	    .column("parent_id")
	    .column("name", "text")
	    .unique({"user_id"})
	    .unique({"parent_id", "name"})
	    .references({"user_id"}, "auth_user")
	    .references({"parent_id"}, "node");
	std::vector<std::string> order;
	const auto answers =
	    small::answered(small::configuration(), catalog, catalog, [&](const Question &question) -> std::vector<Row> {
		    if (question.kind != "folds" || question.relation != name("node")) return small::rows_for(question);
		    order.push_back(question.id);
		    if (order.size() == 1) return {{std::nullopt, "9"}, {"2", "1"}};
		    if (order.size() == 2) return {{std::nullopt, "8"}, {"4", "3"}};
		    return {{std::nullopt, "7"}};
	    });
	CHECK(order ==
	    std::vector<std::string>{"folds public.node.node_user_id_uniq1", "folds public.node.node_parent_id_uniq2 after 1",
	        "folds public.node.node_parent_id_uniq2 after 2"});
	CHECK(answers.folds.at(name("node")).dropped.size() == 2);
}

TEST_CASE("rows without a single key are folded by where they lie")
{
	auto catalog = small::application();
	small::Table(catalog, "pref")
	    .column("user_id", "bigint", true)
	    .column("name", "text", true)
	    .primary({"user_id", "name"})
	    .references({"user_id"}, "auth_user");
	const auto answers =
	    small::answered(small::configuration(), catalog, catalog, [&](const Question &question) -> std::vector<Row> {
		    if (question.kind != "folds" || question.relation != name("pref")) return small::rows_for(question);
		    CHECK(question.columns.front() == "ctid");
		    return {{std::nullopt, "50"}, {"(0,2)", "(0,1)"}};
	    });
	CHECK(answers.folds.at(name("pref")).by_ctid);
	const auto plan = make_plan(small::configuration(), catalog, catalog, answers);
	CHECK(small::step(plan, "load", "pref").filter ==
	    "NOT EXISTS (SELECT FROM unnest('{\"(0,2)\"}'::tid[]) AS d(k) WHERE d.k = t.ctid)");
}

TEST_CASE("answers survive JSON, the natural keys stay in the client")
{
	const auto catalog = small::application();
	auto answers = small::answered(small::configuration(), catalog, catalog);
	answers.keys["pairs x source"] = {"1", "alice"};
	const auto document = answers.to_json();
	CHECK(document.dump().find("alice") == std::string::npos);
	const auto parsed = Answers::parse(json::parse(document.dump()));
	CHECK(parsed.to_json() == document);
	CHECK(parsed.keys.empty());
	CHECK(parsed.maps.at(name("auth_user")).fallback == "4");
	CHECK(Answers::parse(json::object()).to_json() == Answers{}.to_json());
	CHECK_THROWS_AS(Answers::parse(json::parse(R"({"maps": {"x": {}}})")), std::runtime_error);
	CHECK_THROWS_AS(Answers::parse(json::parse(R"({"target_tenants": "x"})")), std::runtime_error);
	Answers odd;
	odd.kept_rows[{"My Schema", "a\"b.c"}] = 1;
	CHECK(Answers::parse(odd.to_json()).kept_rows == odd.kept_rows);
}

TEST_CASE("what does not answer the question is refused")
{
	const auto catalog = small::application();
	const auto config = small::configuration();
	const auto graph = small::graph(config, catalog);
	Answers answers;
	const auto open = questions(config, catalog, catalog, answers);
	const auto &maximum = *find(open, "maximum public.customer.id");
	CHECK_THROWS_AS(answers.take(config, graph, maximum, {}), std::runtime_error);
	CHECK_THROWS_AS(answers.take(config, graph, maximum, {{"1", "2"}}), std::runtime_error);
	CHECK_THROWS_AS(answers.take(config, graph, maximum, {{"x"}}), std::runtime_error);
	answers.take(config, graph, maximum, {{std::nullopt}});
	CHECK(answers.maximums.at("public.customer.id") == 0);
	CHECK_THROWS_AS(answers.take(config, graph, maximum, {{"1"}}), std::runtime_error);
}

TEST_CASE("tables that one side lacks are not asked about there")
{
	auto source = small::application();
	source.relations.erase(name("badge"));
	source.relations.erase(name("tenant"));
	const auto open = questions(small::configuration(), source, small::application(), {});
	CHECK_FALSE(has(ids(open), "maximum public.badge.id"));
	CHECK_FALSE(has(ids(open), "source_tenants public.tenant"));
	CHECK(has(ids(open), "kept_tenants public.tenant"));
}

TEST_CASE("a comment in a predicate cannot swallow what follows")
{
	auto config = small::configuration();
	config.tenants->keep = "true -- all";
	const auto open = questions(config, small::application(), small::application(), {});
	CHECK(find(open, "source_tenants public.tenant")->sql.find("(\ntrue -- all\n)") != std::string::npos);
	for (const char *id : {"kept_tenants public.tenant", "kept_rows public.customer"}) {
		CHECK(find(open, id)->condition->text == "true -- all");    // a statement of its own
		CHECK(find(open, id)->sql.find("-- all") == std::string::npos);
	}
}

TEST_CASE("the target tells natural keys by digest only")
{
	const auto open = questions(small::configuration(), small::application(), small::application(), {});
	CHECK(find(open, "pairs public.auth_user source")->sql.find("sha256") == std::string::npos);
	const auto &target = find(open, "pairs public.auth_user target")->sql;
	CHECK(target.find("t.id::text, encode(sha256(convert_to(t.username::text, 'UTF8')), 'hex') FROM") != std::string::npos);
	// FIPS 180-4, and the empty string
	CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("texts of production's tenants stay in the client")
{
	Answers answers;
	answers.source_tenants = {"7"};
	answers.source_tenant_labels = {"PRODSECRET"};
	answers.maps[name("auth_user")].unmatched = {"alice", "bob"};
	const auto sent = answers.to_json();
	CHECK(sent.dump().find("PRODSECRET") == std::string::npos);
	CHECK(sent.dump().find("alice") == std::string::npos);
	CHECK_FALSE(Answers::parse(sent).maps.at(name("auth_user")).unmatched.empty());    // that there are some is told
	CHECK_FALSE(answers.has_text_keys());
	answers.folds[name("membership")].dropped = {{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "12"}, {"(0,1)", "(0,2)"}};
	CHECK_FALSE(answers.has_text_keys());
	answers.folds[name("membership")].dropped["alice@example.com"] = "12";
	CHECK(answers.has_text_keys());
}

TEST_CASE("a label that production masks is not shown: the key stands for the tenant")
{
	auto config = small::configuration();
	const auto shown = [&](const char *id) { return find(questions(config, small::application(), small::application(), {}), id)->columns.at(1); };
	CHECK(shown("source_tenants public.tenant") == "schema_name");
	config.masks.push_back({"tenant", {{"schema_name", {"hash", "", json::object()}}}});
	CHECK(shown("source_tenants public.tenant") == "id");
	CHECK(shown("kept_tenants public.tenant") == "schema_name");    // the testers' own are as they are
	config.tenants->label.clear();
	CHECK(shown("source_tenants public.tenant") == "id");
}

TEST_CASE("S5: the largest value of a column that is no integer key in production is not asked for")
{
	const auto open = [](const auto &change) {
		auto source = small::application();
		change(source.relations.at(name("customer")));
		return ids(questions(small::configuration(), source, small::application(), {}));
	};
	CHECK(has(open([](Relation &) {}), "maximum public.customer.id"));
	CHECK_FALSE(has(open([](Relation &customer) { customer.columns.front().base = "text"; }), "maximum public.customer.id"));
	CHECK_FALSE(has(open([](Relation &customer) { customer.indexes.front().primary = false; }), "maximum public.customer.id"));
}

TEST_CASE("documents that contradict each other end in no crash")
{
	const json answers = {{"asked", {"pairs public.auth_user source", "pairs public.auth_user target"}},
	    {"maps", {{"public.auth_user", {{"unmatched", 2'000'000'000}}}}}};
	const auto parsed = Answers::parse(answers);
	CHECK(parsed.maps.at(name("auth_user")).unmatched.size() == 1);    // no memory by somebody's number
	auto source = small::application();
	source.relations.at(name("tenant")).kind = 'v';
	auto config = small::configuration();
	config.users->fallback.clear();
	CHECK_NOTHROW(questions(config, source, small::application(), parsed));
	// a key that names no column
	source = small::application();
	auto folded = small::answered(small::configuration(), source, source);
	auto &columns = source.relations.at(name("membership")).columns;
	std::erase_if(columns, [](const Column &column) { return column.name == "id"; });
	CHECK_NOTHROW(make_plan(small::configuration(), source, small::application(), folded));
}
