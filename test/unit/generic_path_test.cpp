// Tenant paths that fork at a generic relation: which are found, and the statements along them.
#include <algorithm>
#include "catch.hpp"
#include "core/generic.hpp"
#include "core/other_paths.hpp"
#include "core/statements.hpp"
#include "core/tenant_choice.hpp"
#include "core/ways.hpp"
#include "fixtures.hpp"

using namespace core;
using fixtures::Built;
using fixtures::name;

namespace {

// The shop with comments on orders, customers and products (which are everybody's), likes of comments, and notes on any of them.
json shop()
{
	json doc = fixtures::document("shop");
	for (const char *table : {"comments", "notes"}) {
		fixtures::add_table(doc, table);
		fixtures::add_column(doc, table, "kind", "text", true);
		fixtures::add_column(doc, table, "object_id", "bigint", true);
	}
	fixtures::add_table(doc, "likes");
	fixtures::add_reference(doc, "likes", "comment_id", "comments", true);
	return doc;
}

json relation(const json &models, const std::string &path = "object_id")
{
	json rule{{"references", {{"object_id", {{"content_type", "kind"}, {"models", models}}}}}};
	if (!path.empty()) rule["tenant_path"] = {path};
	return rule;
}

const json on_objects{{"Order", "orders"}, {"Customer", "customers"}, {"Product", "products"}},
    on_everything{{"Order", "orders"}, {"Product", "products"}, {"Comment", "comments"}, {"Like", "likes"}, {"Note", "notes"}};

json settings(const json &comments = relation(on_objects), const json &notes = relation(on_everything))
{
	json out = fixtures::shop_settings();
	out["tables"]["comments"] = comments;
	out["tables"]["notes"] = notes;
	return out;
}

const std::string comments_id = "public.comments.object_id", notes_id = "public.notes.object_id";

std::string condition(const Ways &ways, const std::vector<Hop> &path)
{
	return path_condition(ways, path, "id", "t", [](const std::string &of) { return of + " = 7"; });
}

std::vector<std::string> texts(const std::vector<std::vector<Hop>> &ways)
{
	std::vector<std::string> out;
	for (const auto &way : ways) {
		out.push_back("");
		for (const Hop &hop : way) out.back() += (out.back().empty() ? "" : " ") + hop.to.name;
	}
	return out;
}

}  // namespace

TEST_CASE("P10: a generic relation is a path where tenant_path names it")
{
	Built b(shop(), settings());
	for (const auto &problem : b.problems) UNSCOPED_INFO(problem.text);
	CHECK(b.problems.empty());
	CHECK(b.path("comments") == "object_id");
	CHECK(b.path("likes") == "comment_id, object_id");
	CHECK(path_text(b["likes"].path) == "comment_id, object_id by kind");
	CHECK(b["comments"].scope == Scope::tenant);
	CHECK(b["comments"].reason == "by object_id (of an object of no tenant, or of none: then it belongs to no tenant)");
	CHECK(b["comments"].key == "id");
	CHECK(forks(b["likes"].path));
	CHECK_FALSE(forks(b["orders"].path));
	// by itself it is none, as any reference without a foreign key
	Built none(shop(), settings(relation(on_objects, ""), relation(on_everything, "")));
	CHECK(none.problems.empty());
	CHECK(none["comments"].scope == Scope::shared);
	CHECK(none["likes"].scope == Scope::shared);
}

TEST_CASE("P10: a foreign key that cannot be NULL goes before a generic relation")
{
	json doc = shop();
	fixtures::add_reference(doc, "likes", "order_id", "orders", true);
	CHECK(Built(doc, settings()).path("likes") == "order_id, tenant_id");
	json chosen = settings();
	chosen["tables"]["likes"] = {{"tenant_path", {"comment_id"}}};
	CHECK(Built(doc, chosen).path("likes") == "comment_id, object_id");
	chosen["tables"]["likes"] = {{"tenant_path", {"comment_id", "object_id"}}};
	CHECK(Built(doc, chosen).path("likes") == "comment_id, object_id");
}

TEST_CASE("P10: any path of foreign keys goes before a generic relation")
{
	json doc = fixtures::document("shop");
	for (const char *table : {"accounts", "blogs", "comments", "posts"}) fixtures::add_table(doc, table);
	fixtures::add_reference(doc, "accounts", "tenant_id", "tenants", true);
	fixtures::add_reference(doc, "blogs", "account_id", "accounts", true);
	fixtures::add_column(doc, "comments", "kind", "text", true);
	fixtures::add_column(doc, "comments", "object_id", "bigint", true);
	fixtures::add_reference(doc, "posts", "blog_id", "blogs", false);
	fixtures::add_reference(doc, "posts", "featured_comment_id", "comments", false);
	json config = fixtures::shop_settings();
	config["tables"]["comments"] = relation({{"Post", "posts"}});
	Built b(doc, config);
	CHECK(b.problems.empty());
	CHECK(b.path("posts") == "blog_id, account_id, tenant_id");    // longer, and it may be NULL
	CHECK(b.path("comments") == "object_id");
	// Nor is a circle of the two a path: without the blog's, neither of them leads anywhere.
	config["tables"]["blogs"] = {{"mode", "keep"}};
	Built circle(doc, config);
	CHECK(circle["posts"].scope == Scope::shared);
	CHECK(circle.problem("tenant-path").text.find("none of its models' tables leads to tenants") != std::string::npos);
}

TEST_CASE("P10: paths by generic relations that cannot be")
{
	const auto problem = [](const json &comments, const std::vector<std::string> &ids) {
		Built b(shop(), settings(comments));
		CHECK(b.ids() == ids);
		return b.problem("tenant-path").text;
	};
	CHECK(problem(relation({{"Product", "products"}}), {"tenant-path"}) ==
	    "tenant_path of comments ends at comments.object_id, and none of its models' tables leads to tenants");
	CHECK(problem(relation({{"Like", "likes"}, {"Comment", "comments"}}), {"tenant-path"}).find("none of its models' tables leads to tenants") != std::string::npos);
	json longer = relation(on_objects);
	longer["tenant_path"] = {"object_id", "tenant_id"};
	CHECK(problem(longer, {"tenant-path"}) == "tenant_path of comments goes on after object_id, whose objects' tables have paths of their own");
	CHECK(problem({{"tenant_path", {"object_id"}}}, {"tenant-path"}).find("comments.object_id is no foreign key") != std::string::npos);
	json adopted = settings();
	adopted["tables"]["likes"] = {{"references", {{"comment_id", {{"on_missing", "adopt"}}}}}};
	CHECK(Built(shop(), adopted).problem("cannot-adopt").text.find("rows of comments name their tenant by an object (comments.object_id)") != std::string::npos);
}

TEST_CASE("P10: a statement goes the ways of the models in use")
{
	Built b(shop(), settings());
	const std::string customer = "t.kind::text = ANY ('{\"Customer\"}'::text[]) AND EXISTS (SELECT FROM ONLY public.customers AS p1 WHERE p1.id = t.object_id AND p1.tenant_id = 7)",
	                  order = "t.kind::text = ANY ('{\"Order\"}'::text[]) AND EXISTS (SELECT FROM ONLY public.orders AS p1 WHERE p1.id = t.object_id AND p1.tenant_id = 7)";
	const auto &path = b["comments"].path;
	const Ways both(b.catalog, b.graph, {{comments_id, {"Order", "Customer", "Product", "Unknown"}}});
	CHECK(condition(both, path) == "(" + customer + " OR " + order + ")");
	CHECK(condition(Ways(b.catalog, b.graph, {{comments_id, {"Order"}}}), path) == "(" + order + ")");
	// products are everybody's: whoever names one is nobody's
	CHECK(condition(Ways(b.catalog, b.graph, {{comments_id, {"Product"}}}), path) == "false");
	CHECK(condition(Ways(b.catalog, b.graph, {}), path) == "false");
	CHECK_THROWS_AS(condition(b.catalog, path), std::logic_error);    // the models were not asked for
	CHECK(condition(both, b["likes"].path) ==
	    "EXISTS (SELECT FROM ONLY public.comments AS p1 WHERE p1.id = t.comment_id AND (p1.kind::text = ANY ('{\"Customer\"}'::text[]) AND EXISTS (SELECT FROM "
	    "ONLY public.customers AS p2 WHERE p2.id = p1.object_id AND p2.tenant_id = 7) OR p1.kind::text = ANY ('{\"Order\"}'::text[]) AND EXISTS (SELECT FROM ONLY "
	    "public.orders AS p2 WHERE p2.id = p1.object_id AND p2.tenant_id = 7)))");
	CHECK(tenant_filter(both, path, name("tenants"), "id", {"7"}).ends_with(") IS NOT TRUE"));
	CHECK(tenant_filter(both, b["likes"].path, name("tenants"), "id", {"7"}).starts_with("NOT EXISTS ("));
	CHECK(tenant_of_row(both, path, "id", "a").first.find("SELECT a1o.tenant_id FROM ONLY public.orders AS a1o WHERE t.kind::text = ANY") != std::string::npos);
	CHECK(tenant_of_row(both, path, "id", "a").second == "a1.tenant");
}

TEST_CASE("P10: a model's table that one side lacks has no rows there, a column of its path is missed")
{
	Built b(shop(), settings());
	const Models in_use{{comments_id, {"Order", "Customer"}}};
	Catalog source = b.catalog;
	source.relations.erase(name("customers"));
	CHECK(has_path(Ways(source, b.graph, in_use), name("comments"), b["comments"].path));
	CHECK(condition(Ways(source, b.graph, in_use), b["comments"].path).find("customers") == std::string::npos);
	auto &columns = source.relations.at(name("orders")).columns;
	std::erase_if(columns, [](const Column &column) { return column.name == "tenant_id"; });
	CHECK_FALSE(has_path(Ways(source, b.graph, in_use), name("comments"), b["comments"].path));
	CHECK_FALSE(has_path(Ways(source, b.graph, in_use), name("likes"), b["likes"].path));
	CHECK(has_path(Ways(source, b.graph, {{comments_id, {"Product"}}}), name("comments"), b["comments"].path));
}

TEST_CASE("P10: generic relations through each other pass each of them once")
{
	Built b(shop(), settings(relation(on_everything)));
	CHECK(b.problems.empty());
	const Ways ways(b.catalog, b.graph, {{comments_id, {"Order", "Note"}}, {notes_id, {"Comment", "Like", "Order"}}});
	CHECK(texts(ways.to_tenants(b["comments"].path)) == std::vector<std::string>{"notes orders tenants", "orders tenants"});
	CHECK(texts(ways.circles(b["comments"].path)) == std::vector<std::string>{"notes comments", "notes likes comments"});
	CHECK(texts(ways.to_tenants(b["notes"].path)) == std::vector<std::string>{"comments orders tenants", "likes comments orders tenants", "orders tenants"});
	CHECK(texts(ways.circles(b["notes"].path)) == std::vector<std::string>{"comments notes", "likes comments notes"});
	// none where data has none
	const Ways one(b.catalog, b.graph, {{comments_id, {"Order"}}, {notes_id, {"Comment"}}});
	CHECK(one.circles(b["notes"].path).empty());
	const auto along = tables_along(b.graph, name("likes"));
	for (const char *table : {"comments", "orders", "notes", "tenants"}) CHECK(along.contains(name(table)));
	CHECK_FALSE(along.contains(name("products")));
}

TEST_CASE("P10: both sides must agree on a path by an object")
{
	Built b(shop(), settings());
	json other = settings();
	other["tables"]["comments"].erase("tenant_path");
	Built without(shop(), other);
	Answers answers;
	const auto path = [&](const Built &built) { return make_plan(built.config, built.catalog, built.catalog, answers).binding()["tables"]; };
	const json planned = path(b);
	const auto found = std::find_if(planned.begin(), planned.end(), [](const json &table) { return table["relation"] == "public.comments"; });
	REQUIRE(found != planned.end());
	CHECK((*found)["path"] == json::parse(R"([{"constraint": "comments.object_id", "columns": ["object_id"], "to": "", "referenced": [], "by": "kind"}])"));
	CHECK(planned != path(without));
}

TEST_CASE("P10: questions along a path wait for the models, and circles are asked about")
{
	Built b(shop(), settings(relation(on_everything)));
	Answers answers;
	const auto has = [&](const std::string &id) {
		const auto open = questions(b.config, b.catalog, b.catalog, answers);
		return std::any_of(open.begin(), open.end(), [&](const Question &question) { return question.id == id; });
	};
	Answers early;    // no filter is made before it is known which models rows name
	early.asked = {"source_tenants public.tenants"};
	CHECK_FALSE(tenants_known(b.config, b.graph, b.catalog, early));
	CHECK(has("kept_rows public.orders"));
	CHECK_FALSE(has("kept_rows public.comments"));
	for (const char *table : {"comments", "notes"})
		for (const char *side : {"source", "target"}) {
			CHECK(has("models public." + std::string(table) + ".object_id " + side));
			answers.asked.push_back("models public." + std::string(table) + ".object_id " + side);
		}
	CHECK(has("kept_rows public.comments"));
	answers.asked.push_back("source_tenants public.tenants");
	CHECK(tenants_known(b.config, b.graph, b.catalog, answers));
	answers.models = {{comments_id, {{"Note", "Note"}, {"Order", "Order"}}}, {notes_id, {{"Comment", "Comment"}}}};
	CHECK(has("circle public.comments"));    // whether tenants are left out or not
	CHECK_FALSE(has("circle public.likes"));
	answers.circles = {{"public.comments", 3}};
	const Plan plan = make_plan(b.config, b.catalog, b.catalog, answers);
	CHECK(std::any_of(plan.problems.begin(), plan.problems.end(), [](const Problem &problem) {
		return problem.id == "tenant-path-circle" && problem.text.find("3 rows of production come to comments.object_id a second time") != std::string::npos;
	}));
	CHECK(Answers::parse(answers.to_json()).circles == answers.circles);
}

TEST_CASE("P10: objects of tenants without a key of one column")
{
	json doc = shop();
	const json single = fixtures::relation(doc, "orders")["indexes"];
	for (json &index : fixtures::relation(doc, "orders")["indexes"])
		if (index.value("primary", false)) index["columns"] = {"id", "tenant_id"};
	Built b(doc, settings(relation(on_objects), {{"mode", "keep"}}));
	Answers answers;
	const auto refused = [&](const Catalog &source, const std::string &id) {
		const Plan plan = make_plan(b.config, source, b.catalog, answers);
		const auto found = std::find_if(plan.problems.begin(), plan.problems.end(), [&](const Problem &problem) { return problem.id == id; });
		return found == plan.problems.end() ? "" : found->object + " | " + found->text;
	};
	answers.models = {{comments_id, {{"Customer", "Customer"}, {"Product", "Product"}}}};
	answers.models_here = {{comments_id, {"Customer"}}};
	CHECK(refused(b.catalog, "tenant-path-key").empty());    // no row names one
	answers.models_here = {{comments_id, {"Order"}}};
	const std::string text = "comments.object_id | comments reaches its tenant by comments.object_id, which names rows of orders, a table of tenants "
	                         "without a primary key of one column that object_id could hold: whose they are cannot be told";
	CHECK(refused(b.catalog, "tenant-path-key") == text);
	answers.models_here.clear();
	answers.models[comments_id]["Order"] = "Order";
	CHECK(refused(b.catalog, "tenant-path-key") == text);
	// Production has the key, and leaves tenants out.
	fixtures::relation(doc, "orders")["indexes"] = single;
	const Catalog source = Catalog::parse(doc);
	CHECK(refused(source, "branch-only-in-source").empty());
	answers.source_tenants = {"9"};
	CHECK(refused(source, "branch-only-in-source").find("names rows of orders in production: the target has no such table of tenants") != std::string::npos);
	CHECK(refused(b.catalog, "branch-only-in-source").empty());
}

TEST_CASE("P10: a relation that is not followed is suggested as a path")
{
	Built b(shop(), settings(relation(on_objects, "")));
	Answers answers;
	const auto suggested = [&] {
		const Plan plan = make_plan(b.config, b.catalog, b.catalog, answers);
		const auto found = std::find_if(plan.warnings.begin(), plan.warnings.end(), [](const Problem &warning) { return warning.id == "generic-path"; });
		return found == plan.warnings.end() ? "" : found->text + " | " + found->fix;
	};
	answers.models = {{comments_id, {{"Product", "Product"}}}};
	CHECK(suggested().empty());
	answers.models_here = {{comments_id, {"Order"}}};
	CHECK(suggested() == "comments belongs to no tenant and is replaced as a whole; object_id names rows of tables that do: orders | tables:\n  comments: "
	                     "{tenant_path: [object_id]}    # where a row is its object's tenant's");
}
