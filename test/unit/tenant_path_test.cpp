#include "catch.hpp"
#include "core/graph.hpp"
#include "core/predicate.hpp"
#include "fixtures.hpp"

using namespace core;
using fixtures::Built;
using fixtures::name;

namespace {

Built shop() { return {fixtures::document("shop"), fixtures::shop_settings()}; }

json with(json settings, const std::string &table, const json &rule)
{
	settings["tables"][table] = rule;
	return settings;
}

}  // namespace

TEST_CASE("P10: children without tenant_id belong to their parent's tenant")
{
	Built b = shop();
	CHECK(b.path("tenants").empty());
	CHECK(b["tenants"].scope == Scope::tenant);
	CHECK(b.path("orders") == "tenant_id");
	CHECK(b.path("order_lines") == "order_id, tenant_id");
	CHECK(b.path("vips") == "customer_ptr_id, tenant_id");
	CHECK(b.path("vip_cards") == "vip_id, customer_ptr_id, tenant_id");
	const Hop &hop = b["order_lines"].path.front();
	CHECK(hop.constraint == "order_lines_order_id_fkey");
	CHECK(hop.to == name("orders"));
	CHECK(hop.referenced == std::vector<std::string>{"id"});
	for (const char *shared : {"plans", "products", "mails"}) CHECK(b[shared].scope == Scope::shared);
}

TEST_CASE("P23: a column called tenant_id that is no foreign key makes no tenant table")
{
	Built b = shop();
	CHECK(b["erp_sync"].scope == Scope::shared);
	CHECK(b["erp_sync"].path.empty());
	CHECK(b["erp_sync"].reason == "no foreign key leads to tenants");
}

TEST_CASE("P25: users are no way to a tenant, though they reference one")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "devices");
	fixtures::add_reference(doc, "devices", "user_id", "users", true);
	Built b(doc, fixtures::shop_settings());
	CHECK(b["devices"].scope == Scope::shared);
	CHECK(b["users"].path.empty());
}

TEST_CASE("a path that cannot be NULL beats a shorter one that can")
{
	json doc = fixtures::document("shop");
	Built before(doc, fixtures::shop_settings());
	CHECK(before.path("notes") == "tenant_id");  // both can be NULL: the shorter one
	CHECK(before["notes"].reason == "by tenant_id (may be NULL: then it belongs to no tenant)");
	fixtures::column(doc, "notes", "order_id")["not_null"] = true;
	Built after(doc, fixtures::shop_settings());
	CHECK(after.path("notes") == "order_id, tenant_id");
}

TEST_CASE("a tie is a problem with the lines to paste, and a declared path settles it")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "labels");
	fixtures::add_reference(doc, "labels", "tenant_id", "tenants", true);
	fixtures::add_table(doc, "customer_labels");
	fixtures::add_reference(doc, "customer_labels", "customer_id", "customers", true);
	fixtures::add_reference(doc, "customer_labels", "label_id", "labels", true);
	fixtures::add_table(doc, "below");  // its parent's tie is told once
	fixtures::add_reference(doc, "below", "customer_label_id", "customer_labels", true);
	Built tie(doc, fixtures::shop_settings());
	REQUIRE(tie.ids() == std::vector<std::string>{"tenant-path"});
	CHECK(tie.problems.front().object == "customer_labels");
	CHECK(tie.problems.front().fix ==
	    "tables:\n  customer_labels: {tenant_path: [customer_id, tenant_id]}\n  # or\n  customer_labels: {tenant_path: "
	    "[label_id, tenant_id]}");

	for (const json &path :
	    {json{"label_id", "tenant_id"}, json{"label_id"}, json{"customer_labels_label_id_fkey", "tenant_id"}}) {
		Built declared(doc, with(fixtures::shop_settings(), "customer_labels", {{"tenant_path", path}}));
		CHECK(declared.problems.empty());
		CHECK(declared.path("customer_labels") == "label_id, tenant_id");
		CHECK(declared.path("below") == "customer_label_id, label_id, tenant_id");
	}
}

TEST_CASE("a declared path wins over a shorter one")
{
	Built b(
	    fixtures::document("shop"), with(fixtures::shop_settings(), "orders", {{"tenant_path", {"customer_id", "tenant_id"}}}));
	CHECK(b.problems.empty());
	CHECK(b.path("orders") == "customer_id, tenant_id");
	CHECK(b.path("order_lines") == "order_id, customer_id, tenant_id");
}

TEST_CASE("declared paths that lead nowhere are problems")
{
	auto problem = [](const std::string &table, const json &path) {
		Built b(fixtures::document("shop"), with(fixtures::shop_settings(), table, {{"tenant_path", path}}));
		REQUIRE(b.ids() == std::vector<std::string>{"tenant-path"});
		return b.problems.front().text;
	};
	CHECK(problem("orders", {"custmer_id"}) ==
	    "tenant_path of orders orders.custmer_id is no foreign key to a copied table (did you mean customer_id?)");
	CHECK(problem("orders", {"tenant_id", "plan_id"}) ==
	    "tenant_path of orders goes on after it has reached tenants, at \"plan_id\"");
	CHECK(problem("orders", {"assigned_to"}).find("no foreign key to a copied table") != std::string::npos);
	CHECK(
	    problem("order_lines", {"product_id"}) == "tenant_path of order_lines ends at products, which does not lead to tenants");
	CHECK(problem("tenants", {"plan_id"}) == "tenants is the tenant table and needs no path");
	json settings = fixtures::shop_settings();
	settings.erase("tenants");
	settings["tables"]["orders"] = {{"tenant_path", {"tenant_id"}}};
	Built none(fixtures::document("shop"), settings);
	CHECK(none.ids() == std::vector<std::string>{"tenant-path"});
}

TEST_CASE("P17: circles and self references end, in paths and in the order of tables")
{
	json doc = fixtures::document("shop");
	for (const char *table : {"plants", "suppliers"}) fixtures::add_table(doc, table);
	fixtures::add_reference(doc, "plants", "supplier_id", "suppliers", false);
	fixtures::add_reference(doc, "suppliers", "plant_id", "plants", false);
	fixtures::add_reference(doc, "suppliers", "parent_id", "suppliers", false);
	Built alone(doc, fixtures::shop_settings());
	CHECK(alone["plants"].scope == Scope::shared);
	CHECK(alone["suppliers"].scope == Scope::shared);
	CHECK(alone.graph.in_cycle(name("plants")));
	CHECK(alone.graph.in_cycle(name("suppliers")));
	CHECK_FALSE(alone.graph.in_cycle(name("customers")));  // only its own parent

	fixtures::add_reference(doc, "plants", "tenant_id", "tenants", true);
	fixtures::add_table(doc, "a_dock");
	fixtures::add_reference(doc, "a_dock", "supplier_id", "suppliers", true);
	Built b(doc, fixtures::shop_settings());
	CHECK(b.path("plants") == "tenant_id");
	CHECK(b.path("suppliers") == "plant_id, tenant_id");

	std::vector<Name> order = b.graph.parents_first();
	CHECK(order.size() == b.graph.tables.size());
	auto place = [&](const char *table) { return std::find(order.begin(), order.end(), name(table)) - order.begin(); };
	CHECK(place("suppliers") == place("plants") + 1);  // together, by name
	CHECK(place("a_dock") > place("suppliers"));
	CHECK(place("orders") > place("customers"));
	CHECK(place("order_lines") > place("orders"));
	CHECK(place("order_lines") > place("products"));
	CHECK(place("vip_cards") > place("vips"));
	// tenants and users reference each other
	CHECK(b.graph.in_cycle(name("users")));
	CHECK(std::abs(place("users") - place("tenants")) == 1);
}

TEST_CASE("P7: an unescaped _ in the keep pattern is warned about")
{
	json settings = fixtures::shop_settings();
	settings["tenants"]["keep"] = "slug LIKE 'test_%'";
	Built b(fixtures::document("shop"), settings);
	CHECK(b.problems.empty());
	REQUIRE(b.warnings.size() == 1);
	CHECK(b.warnings.front().id == "loose-pattern");
	CHECK(b.warnings.front().fix == "keep: \"slug LIKE 'test\\\\_%'\"");
}

TEST_CASE("P7: what is a wildcard and what is not")
{
	auto loose = [](const char *predicate) { return loose_patterns(predicate).size(); };
	CHECK(loose("a LIKE 'test_%'") == 1);
	CHECK(loose("a like E'test\\_%'") == 1);  // E takes the backslash away
	CHECK(loose("a LIKE E'test\\\\_%'") == 0);
	CHECK(loose("a LIKE 'test\\_%'") == 0);
	CHECK(loose("a LIKE 'test!_%' ESCAPE '!'") == 0);
	CHECK(loose("a LIKE 'test\\_%' ESCAPE ''") == 1);
	CHECK(loose("a NOT ILIKE 'x_' OR b ~~ 'y_'") == 2);
	CHECK(loose("a LIKE ANY (ARRAY['x_%', 'y\\_%', 'z_'])") == 2);
	CHECK(loose("a SIMILAR TO 'x_'") == 1);
	CHECK(loose("a = 'test_1' AND b LIKE 'x%'") == 0);
	CHECK(loose("a LIKE 'x%' AND b = 'test_1'") == 0);
	CHECK(loose("a = 'LIKE ''x_''' -- LIKE 'x_'") == 0);
	CHECK(loose("a LIKE $q$x_$q$") == 1);
	CHECK(loose("a LIKE '_") == 1);  // never closed: the server will say so
}

TEST_CASE("columns that a condition mentions")
{
	Catalog c = fixtures::catalog("shop");
	auto columns = [&](const char *predicate) { return mentioned_columns(predicate, *c.find(name("tenants"))); };
	CHECK(columns("SLUG LIKE 'id'") == std::vector<std::string>{"slug"});
	CHECK(columns("\"slug\" = 'x' AND tenants.plan_id > 3") == std::vector<std::string>{"slug", "plan_id"});
	CHECK(columns("\"SLUG\" = 'x'").empty());
	CHECK(columns("true /* id /* id */ slug */ -- id").empty());
	CHECK(columns("identity(slug)") == std::vector<std::string>{"slug"});
}

TEST_CASE("tenants.keep may not use ids that change")
{
	json settings = fixtures::shop_settings();
	for (const char *keep : {"id IN (1, 2)", "tenants.\"id\" = 4", "plan_id = 3"}) {
		settings["tenants"]["keep"] = keep;
		Built b(fixtures::document("shop"), settings);
		CHECK(b.ids() == std::vector<std::string>{"keep-uses-key"});
	}
	settings["tenants"]["keep"] = "owner_id = 5";  // users are kept, their ids too
	CHECK(Built(fixtures::document("shop"), settings).problems.empty());
}

TEST_CASE("keys that are not enforced, and keys of one partition alone")
{
	json doc = fixtures::document("shop");
	fixtures::add_key(doc, "erp_sync", {"tenant_id"}, "tenants", {"id"})["enforced"] = false;
	Built off(doc, fixtures::shop_settings());
	CHECK(off["erp_sync"].scope == Scope::tenant);
	CHECK_FALSE(off.graph.from(name("erp_sync")).at(0)->validated);  // like NOT VALID

	doc = fixtures::document("shop");
	fixtures::add_table(doc, "history");
	fixtures::relation(doc, "history")["kind"] = "p";
	fixtures::add_column(doc, "history", "tenant_id", "integer", true);
	fixtures::add_table(doc, "history_1");
	fixtures::add_column(doc, "history_1", "tenant_id", "integer", true);
	fixtures::relation(doc, "history_1")["partition"] = true;
	fixtures::relation(doc, "history_1")["parents"] = json::array({json::array({"public", "history"})});
	fixtures::add_key(doc, "history_1", {"tenant_id"}, "tenants", {"id"});
	Built leaf(doc, fixtures::shop_settings());
	CHECK(leaf["history"].scope == Scope::shared);  // it says nothing about the other partitions' rows
	CHECK(leaf.identity("history", "tenant_id") == "tenants.id");
	CHECK(leaf.graph.from(name("history")).size() == 1);
	CHECK(leaf.graph.node(name("history_1")).relation->name == name("history"));
}
