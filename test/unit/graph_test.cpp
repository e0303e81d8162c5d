#include "catch.hpp"
#include "core/generic.hpp"
#include "core/graph.hpp"
#include "core/outgoing.hpp"
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

TEST_CASE("the shop has nothing in its way")
{
	Built b(fixtures::document("shop"), fixtures::shop_settings());
	for (const Problem &p : b.problems) UNSCOPED_INFO(p.text);
	CHECK(b.problems.empty());
	CHECK(b.warnings.empty());
	CHECK(b.graph.tables.size() == 15);
	CHECK(b.graph.keys.size() == 17);
}

TEST_CASE("modes: copy unless a rule says otherwise, users are kept and mapped")
{
	Built b = shop();
	CHECK(b["orders"].mode == Mode::copy);
	CHECK(b["schema_migrations"].mode == Mode::keep);
	CHECK_FALSE(b["schema_migrations"].mapped);
	CHECK(b["users"].mode == Mode::keep);
	CHECK(b["users"].mapped);
	CHECK(b["users"].match.empty());
	CHECK(b["users"].reason == "users.table");
}

TEST_CASE("identities are followed to the end")
{
	Built b = shop();
	CHECK(b.identity("customers", "id") == "customers.id");
	CHECK(b.identity("vips", "customer_ptr_id") == "customers.id");
	CHECK(b.identity("vip_cards", "vip_id") == "customers.id");
	CHECK(b.identity("customers", "parent_id") == "customers.id");
	CHECK(b.identity("vip_cards", "id").empty());  // uuid, referenced by nothing
	CHECK(b.identity("order_lines", "order_id") == "orders.id");
	CHECK(b.identity("erp_sync", "tenant_id").empty());  // P23
	CHECK(b.identity("products", "sku").empty());
}

TEST_CASE("P3: users are found by foreign key, not by a column's name")
{
	Built b = shop();
	CHECK(b.identity("orders", "assigned_to") == "users.id");
	CHECK(b.identity("customers", "owner_id") == "users.id");
	Built saas(fixtures::document("saas"), fixtures::saas_settings());
	int columns = 0;
	std::set<Name> tables;
	for (const auto &[place, identity] : saas.graph.identities)
		if (identity == Identity{name("auth_user"), "id"} && saas.graph.node(place.first).mode == Mode::copy) {
			++columns;
			tables.insert(place.first);
		}
	CHECK(columns == 26);
	CHECK(tables.size() == 19);
}

TEST_CASE("composite keys that contain ids carry their identities")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "payments");
	fixtures::add_column(doc, "payments", "tenant_id", "integer", true);
	fixtures::add_column(doc, "payments", "order_id", "bigint", true);
	fixtures::add_key(doc, "payments", {"tenant_id", "order_id"}, "orders", {"tenant_id", "id"});
	Built b(doc, fixtures::shop_settings());
	CHECK(b.problems.empty());
	CHECK(b.identity("payments", "tenant_id") == "tenants.id");
	CHECK(b.identity("payments", "order_id") == "orders.id");
	CHECK(b.path("payments") == "tenant_id, order_id, tenant_id");
}

TEST_CASE("a column that references two ids is a problem where one of them is replaced")
{
	json doc = fixtures::document("shop");
	fixtures::add_key(doc, "notes", {"order_id"}, "customers", {"id"});
	Built b(doc, fixtures::shop_settings());
	Problem p = b.problem("two-identities");
	CHECK(p.object == "notes.order_id");
	CHECK(p.text.find("customers.id and orders.id") != std::string::npos);
	// nothing is re-keyed or mapped: no harm
	Built plain(doc, {{"tables", {{"schema_migrations", {{"mode", "keep"}}}}}});
	CHECK(plain.problems.empty());
}

TEST_CASE("M7: references to unique columns that are no ids carry no id")
{
	json doc = fixtures::document("shop");
	fixtures::add_column(doc, "order_lines", "sku", "text", true);
	fixtures::add_key(doc, "order_lines", {"sku"}, "products", {"sku"});
	Built b(doc, fixtures::shop_settings());
	CHECK(b.problems.empty());
	CHECK(b.identity("order_lines", "sku") == "products.sku");
	CHECK(b["products"].key == "id");
}

TEST_CASE("P11: what is re-keyed is a generated integer key of a copied table")
{
	Built b = shop();
	CHECK(b["orders"].key == "id");
	CHECK(b["orders"].reserved_from == 1'000'000'000);
	CHECK(b["plans"].key == "id");
	CHECK(b["plans"].reserved_from == 30'000);
	CHECK(b["vips"].key.empty());         // a foreign key
	CHECK(b["vip_cards"].key.empty());    // uuid
	CHECK(b["order_lines"].key.empty());  // two columns
	CHECK(b["users"].key.empty());        // kept
	CHECK(b["schema_migrations"].key.empty());
	CHECK(b["vips"].reserved_from == 0);
	json doc = fixtures::document("shop");
	fixtures::column(doc, "orders", "id").erase("sequence");
	fixtures::column(doc, "plans", "id").erase("sequence");
	CHECK(Built(doc, fixtures::shop_settings())["orders"].key == "id");     // the application counts
	CHECK(Built(doc, fixtures::shop_settings())["plans"].key.empty());      // codes that programs know
}

TEST_CASE("the reserved range is the narrower type's, and the sequence must reach it")
{
	json doc = fixtures::document("shop"), settings = fixtures::shop_settings();
	settings["reserved_from"] = {{"bigint", 5'000'000'000}, {"integer", 2'000'000}};
	for (json &s : doc["sequences"])
		if (s["name"] == "orders_id_seq") s["type"] = "integer";
	Built b(doc, settings);
	CHECK(b["customers"].reserved_from == 5'000'000'000);
	CHECK(b["orders"].reserved_from == 2'000'000);
	CHECK(b["tenants"].reserved_from == 2'000'000);
	for (json &s : doc["sequences"])
		if (s["name"] == "orders_id_seq") s["maximum"] = 1'000'000;
	Built low(doc, settings);
	CHECK(low.problem("reserved-range").object == "orders.id");
}

TEST_CASE("P5: a copied table that references rows that are not copied is named with the lines to paste")
{
	json settings = fixtures::shop_settings();
	settings["tables"].erase("user_groups");
	settings["tables"]["groups"] = {{"mode", "keep"}};
	Built b(fixtures::document("shop"), settings);
	REQUIRE(b.ids() == std::vector<std::string>{"reference-to-kept"});
	const Problem &p = b.problems.front();
	CHECK(p.object == "user_groups.group_id");
	CHECK(p.text ==
	    "user_groups.group_id references groups, whose rows are not copied and are not mapped either, and may not be NULL "
	    "(user_groups_group_id_fkey)");
	CHECK(p.fix ==
	    "tables:\n  groups: {mode: keep, match: [name]}\n  # or\n  user_groups: {mode: keep}\n  # or\n  user_groups: {mode: "
	    "empty}\n  # or\n  user_groups:\n    references:\n      group_id: {on_missing: drop}");

	settings["tables"]["groups"] = {{"mode", "keep"}, {"match", {"name"}}};
	Built mapped(fixtures::document("shop"), settings);
	CHECK(mapped.problems.empty());
	CHECK(mapped["groups"].mapped);
	CHECK(mapped["groups"].match == std::vector<std::string>{"name"});
}

TEST_CASE("E16: references to an emptied table are a problem, nullable ones too")
{
	Built b(fixtures::document("shop"), with(fixtures::shop_settings(), "orders", {{"mode", "empty"}}));
	CHECK(b.ids() == std::vector<std::string>{"reference-to-empty", "reference-to-empty"});
	CHECK(b.problem("reference-to-empty", "notes.order_id").text ==
	    "notes.order_id references orders, which is emptied (notes_order_id_fkey)");
	CHECK(b.problem("reference-to-empty", "order_lines.order_id").text.find("may not be NULL") != std::string::npos);
	json settings = with(fixtures::shop_settings(), "orders", {{"mode", "empty"}});
	settings["tables"]["order_lines"] = settings["tables"]["notes"] = {{"mode", "empty"}};
	CHECK(Built(fixtures::document("shop"), settings).problems.empty());
}

TEST_CASE("C2, P5: migrations, sessions and tokens must have a mode")
{
	json settings = fixtures::saas_settings();
	for (const char *rule : {"authtoken_token", "django_*"}) settings["tables"].erase(rule);
	Built b(fixtures::document("saas"), settings);
	Problem p = b.problem("missing-mode");
	CHECK(
	    p.text == "not said what becomes of authtoken_token (tokens), django_migrations (migrations), django_session (sessions)");
	CHECK(p.fix == "tables:\n  authtoken_token: {mode: keep}\n  django_migrations: {mode: keep}\n  django_session: {mode: keep}");
	settings["tables"]["django_session"] = {{"references", json::object()}};  // a rule, but no mode
	CHECK(Built(fixtures::document("saas"), settings).problem("missing-mode").text == p.text);
	settings["tables"]["django_session"] = {{"mode", "copy"}};  // said is said
	CHECK(Built(fixtures::document("saas"), settings).problem("missing-mode").text.find("django_session") == std::string::npos);
	CHECK(Built(fixtures::document("mymoolah"), json::object()).problem("missing-mode").fix ==
	    "tables:\n  SequelizeMeta: {mode: keep}");
}

TEST_CASE("E16: what makes an application act outside is told by name and column")
{
	const auto acts = [](const char *name, const std::vector<const char *> &columns) {
		Relation table;
		table.name = {"public", name};
		for (const char *one : columns) {
			Column column;
			column.name = one;
			table.columns.push_back(column);
		}
		return acts_outside(table);
	};
	CHECK(acts("apps_integrations_webhook", {"id", "target_url"}) == "webhooks");
	CHECK(acts("WebhookSubscriptions", {"id", "callbackUrl"}) == "webhooks");
	CHECK(acts("push_tokens", {"id", "token"}) == "device tokens");
	CHECK(acts("user_devices", {"id", "fcm_token"}) == "device tokens");
	CHECK(acts("mail_queue", {"id"}) == "messages to send");
	CHECK(acts("JobQueue", {"id", "payload", "attempts"}) == "a queue of jobs");
	CHECK(acts("periodic_task", {"id", "crontab_id", "task"}) == "a schedule of tasks");
	for (const auto &[name, column] : {std::pair("train_schedule", "track"), {"jobs", "salary"}, {"devices", "serial_number"}, {"queue_tickets", "number"}, {"webhooks_log_levels", "level"}, {"orders", "payload"}})
		CHECK(acts(name, {"id", column}).empty());
}
TEST_CASE("a table that is called sessions but is none needs no mode")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "sessions");
	CHECK(Built(doc, fixtures::shop_settings()).problems.empty());
	fixtures::add_column(doc, "sessions", "session_id", "text", true);
	fixtures::add_column(doc, "sessions", "data", "text", false);
	CHECK(Built(doc, fixtures::shop_settings()).ids() == std::vector<std::string>{"missing-mode"});
}

TEST_CASE("E3: configured tables and columns that do not exist are errors with the nearest names")
{
	json settings = fixtures::shop_settings();
	settings["tenants"]["table"] = "tenant";
	settings["tenants"]["label"] = "slugg";
	settings["users"] = {{"table", "userz"}, {"match", {"username"}}};
	Built b(fixtures::document("shop"), settings);
	CHECK(b.problem("unknown-table", "users.table").text == "unknown table \"userz\" (did you mean users?)");
	CHECK(b.problem("unknown-table", "tenants.table").text == "unknown table \"tenant\" (did you mean tenants?)");
	CHECK(b["orders"].scope == Scope::shared);

	settings = fixtures::shop_settings();
	settings["tenants"]["label"] = "slugg";
	settings["users"]["match"] = {"usrname"};
	settings["tables"]["groups"] = {{"mode", "keep"}, {"match", {"nam"}}};
	settings["tables"]["notes"] = {{"references", {{"ordr_id", {{"on_missing", "error"}}}}}};
	Built c(fixtures::document("shop"), settings);
	CHECK(c.problem("unknown-column", "tenants.label").text == "tenants has no column \"slugg\" (did you mean slug?)");
	CHECK(c.problem("unknown-column", "users.match").text == "users has no column \"usrname\" (did you mean username?)");
	CHECK(c.problem("unknown-column", "tables.groups.match").text == "groups has no column \"nam\" (did you mean name?)");
	CHECK(c.problem("unknown-column", "tables.notes.references").text ==
	    "notes has no column \"ordr_id\" (did you mean order_id?)");
}

TEST_CASE("users and tenants cannot be of another mode")
{
	CHECK(Built(fixtures::document("shop"), with(fixtures::shop_settings(), "users", {{"mode", "copy"}})).ids() ==
	    std::vector<std::string>{"users-mode"});
	CHECK(Built(fixtures::document("shop"), with(fixtures::shop_settings(), "tenants", {{"mode", "keep"}}))
	          .problem("tenants-mode")
	          .text == "the tenant table tenants must be copied, but its mode is keep");
	json settings = fixtures::shop_settings();
	settings["tenants"]["table"] = "users";
	settings["tenants"].erase("label");
	CHECK(Built(fixtures::document("shop"), settings).problem("tenants-mode").object == "tenants.table");
	settings = with(fixtures::shop_settings(), "mails", {{"mode", "empty"}, {"match", {"body"}}});
	CHECK(Built(fixtures::document("shop"), settings).ids() == std::vector<std::string>{"match-empty"});
}

TEST_CASE("an index over the whole row is a problem where the table is refreshed")
{
	json doc = fixtures::document("shop");
	fixtures::relation(doc, "products")["indexes"][0]["whole_row"] = true;
	Built b(doc, fixtures::shop_settings());
	CHECK(b.ids() == std::vector<std::string>{"whole-row-index"});
	CHECK(b.problems.front().object == "products.products_pkey");
	CHECK(Built(doc, with(fixtures::shop_settings(), "erp_sync", {{"mode", "keep"}})).problems.size() == 1);
	doc = fixtures::document("shop");
	fixtures::relation(doc, "schema_migrations")["indexes"][0]["whole_row"] = true;
	CHECK(Built(doc, fixtures::shop_settings()).problems.empty());
}

TEST_CASE("P13: generic relations are found by content type and object id")
{
	const auto found = [](const Graph &graph) {
		std::vector<std::string> out;
		for (const GenericRelation &one : undeclared_generic_relations(graph)) out.push_back(one.table.name + "." + one.column + " by " + one.by.column);
		return out;
	};
	Built b(fixtures::document("saas"), fixtures::saas_settings());
	CHECK(found(b.graph) == std::vector<std::string>{"apps_files_attachment.object_id by content_type_id", "apps_notes_note.object_id by content_type_id",
	                            "django_admin_log.object_id by content_type_id"});
	CHECK(found(shop().graph).empty());
}

TEST_CASE("a partition that is a foreign table stands in the way")
{
	json doc = fixtures::document("shop");
	fixtures::relation(doc, "notes")["kind"] = "p";
	fixtures::add_table(doc, "notes_far");
	fixtures::relation(doc, "notes_far")["partition"] = true;
	fixtures::relation(doc, "notes_far")["parents"] = json::array({json::array({"public", "notes"})});
	fixtures::relation(doc, "notes_far")["kind"] = "f";
	CHECK(Built(doc, fixtures::shop_settings()).ids() == std::vector<std::string>{"foreign-partition"});
}

TEST_CASE("keys of a table, from it and to it")
{
	Built b = shop();
	CHECK(b.graph.from(name("orders")).size() == 3);
	CHECK(b.graph.to(name("orders")).size() == 2);
	CHECK(b.graph.to(name("customers")).size() == 3);
	CHECK_THROWS_AS(b.graph.node(name("nothing")), std::out_of_range);
}

TEST_CASE("saas: paths, scopes and identities of a Django application")
{
	Built b(fixtures::document("saas"), fixtures::saas_settings());
	for (const Problem &p : b.problems) UNSCOPED_INFO(p.text);
	CHECK(b.problems.empty());
	CHECK(b.warnings.empty());
	CHECK(b.path("apps_customers_contact") == "customer_id, tenant_id");
	CHECK(b.path("apps_plants_dockbooking") == "dock_code, plant_id, tenant_id");
	CHECK(b.path("apps_audit_history") == "tenant_id");
	CHECK(b.path("apps_integrations_externalref") == "customer_id, tenant_id");          // P23: not its own tenant_id
	CHECK(b["apps_integrations_erpsync"].scope == Scope::shared);                        // P23
	CHECK(b["apps_core_announcement"].reason.find("may be NULL") != std::string::npos);  // P9
	CHECK(b.path("Apps_Legacy_PriceList") == "tenantId");
	CHECK(b.identity("apps_customers_vipcustomer", "customer_ptr_id") == "apps_customers_customer.id");  // C4
	CHECK(b.identity("auth_permission", "content_type_id") == "django_content_type.id");
	CHECK(b["auth_permission"].mapped);
	CHECK(b.graph.in_cycle(name("apps_plants_plant")));
	CHECK(b.graph.in_cycle(name("apps_suppliers_supplier")));
	int tenant = 0, keep = 0, empty = 0;
	for (const auto &[table, node] : b.graph.tables) {
		tenant += node.scope == Scope::tenant;
		keep += node.mode == Mode::keep;
		empty += node.mode == Mode::empty;
		for (const Hop &h : node.path) CHECK(b.graph.node(h.to).mode == Mode::copy);
		if (!node.path.empty()) CHECK(node.path.back().to == name("apps_tenants_tenant"));
	}
	CHECK(tenant == 41);
	CHECK(keep == 12);
	CHECK(empty == 5);
}

TEST_CASE("mymoolah: no tenants, everything is copied, nothing stands in the way")
{
	Built b(fixtures::document("mymoolah"), {{"tables", {{"SequelizeMeta", {{"mode", "keep"}}}}}});
	CHECK(b.problems.empty());
	CHECK(b.graph.tables.size() == 107);
	CHECK(b.graph.parents_first().size() == 107);
	for (const auto &[table, node] : b.graph.tables) CHECK(node.scope == Scope::shared);
}
