#include "catch.hpp"
#include <regex>
#include <set>
#include "core/catalog.hpp"
#include "core/catalog_query.hpp"
#include "fixtures.hpp"

using namespace core;
using fixtures::name;

namespace {

json partitioned()
{
	json doc = fixtures::document("shop");
	auto add = [&](const char *table, const char *kind, const char *parent, const char *bound) {
		json r{{"schema", "public"}, {"name", table}, {"kind", kind},
		    {"columns", {{{"name", "id"}, {"number", 1}, {"type", "bigint"}, {"base", "bigint"}}}}};
		if (parent) {
			r["partition"] = true;
			r["parents"] = json::array({json::array({"public", parent})});
			r["bound"] = bound;
		}
		doc["relations"].push_back(r);
	};
	add("history", "p", nullptr, "");
	add("history_old", "r", "history", "FOR VALUES FROM (MINVALUE) TO (10)");
	add("history_new", "p", "history", "DEFAULT");
	add("history_new_1", "r", "history_new", "FOR VALUES IN (1)");
	add("history_far", "f", "history", "FOR VALUES FROM (10) TO (20)");
	return doc;
}

std::vector<std::string> names(const std::vector<const Relation *> &relations)
{
	std::vector<std::string> out;
	for (const Relation *r : relations) out.push_back(r->name.name);
	return out;
}

}  // namespace

TEST_CASE("a catalog is read as the server gives it")
{
	Catalog c = fixtures::catalog("shop");
	CHECK(c.server >= 150000);
	CHECK(c.server < 160000);
	CHECK(c.database == "shop");
	CHECK(c.encoding == "UTF8");
	CHECK(c.system_identifier == "7000000000000000001");
	CHECK(c.snapshot == "1000:1000:");
	CHECK_FALSE(c.in_recovery);
	CHECK(c.settings.at("block_size") == "8192");
	CHECK(c.settings.contains("max_locks_per_transaction"));
	CHECK(c.extensions.contains("plpgsql"));
	CHECK(c.tables().size() == 15);

	const Relation &orders = *c.find(name("orders"));
	CHECK(orders.kind == 'r');
	CHECK(orders.owner == "app");
	CHECK(orders.rows == -1);
	CHECK(orders.filenode > 0);
	CHECK(orders.readable);
	CHECK(orders.bypasses_row_security);
	REQUIRE(orders.column("id"));
	CHECK(orders.column("id")->base == "bigint");
	CHECK(orders.column("id")->not_null);
	CHECK(orders.column("id")->has_default);
	CHECK(orders.column("id")->identity == 0);
	CHECK(orders.column("id")->sequence == "public.orders_id_seq");
	CHECK_FALSE(orders.column("assigned_to")->not_null);
	CHECK(orders.column("nothing") == nullptr);
	CHECK(c.find(name("customers"))->column("id")->identity == 'a');
	CHECK(c.find(name("users"))->column("id")->identity == 'd');
	REQUIRE(orders.primary_key());
	CHECK(orders.primary_key()->columns == std::vector<std::string>{"id"});
	CHECK(orders.primary_key()->valid);
	CHECK(orders.primary_key()->immediate);
	CHECK(c.find(name("order_lines"))->primary_key()->columns == std::vector<std::string>{"order_id", "position"});
	CHECK(c.find(name("nothing")) == nullptr);
}

TEST_CASE("foreign keys come sorted by child and name, with the operators to compare by")
{
	Catalog c = fixtures::catalog("shop");
	REQUIRE(c.foreign_keys.size() == 17);
	CHECK(std::is_sorted(c.foreign_keys.begin(), c.foreign_keys.end(),
	    [](const ForeignKey &a, const ForeignKey &b) { return a.child < b.child; }));
	const ForeignKey &k = c.foreign_keys.front();
	CHECK(k.name == "customers_owner_id_fkey");
	CHECK(k.child == name("customers"));
	CHECK(k.parent == name("users"));
	CHECK(k.columns == std::vector<std::string>{"owner_id"});
	CHECK(k.referenced == std::vector<std::string>{"id"});
	CHECK(k.equals == std::vector<std::string>{"OPERATOR(pg_catalog.=)"});
	CHECK(k.validated);
	CHECK(k.enforced);
	CHECK(k.match == 's');
}

TEST_CASE("E17: columns whose binary form holds another database's oids travel as text")
{
	Catalog c = fixtures::catalog("saas");
	const Relation &sample = *c.find(name("apps_lab_sample"));
	int text = 0;
	for (const Column &col : sample.columns) {
		INFO(col.name << " " << col.type);
		bool oids = col.base.starts_with("reg") ||
		    (col.base.starts_with("public.") && (col.base.ends_with("[]") || col.base.ends_with("_reading")));
		CHECK(col.binary == !oids);
		text += oids;
	}
	CHECK(text >= 3);  // regclass, an array of enums, a composite
}

TEST_CASE("domains come down to the type the value is of")
{
	Catalog c = fixtures::catalog("saas");
	bool found = false;
	for (const Column &col : c.find(name("apps_lab_sample"))->columns)
		if (col.type.ends_with("apps_lab_percentage")) {
			found = true;
			CHECK(col.base == "numeric");
			CHECK(col.binary);
		}
	CHECK(found);
}

TEST_CASE("a sequence that no column owns belongs to the column whose default draws from it")
{
	Catalog c = fixtures::catalog("saas");
	auto s = std::find_if(
	    c.sequences.begin(), c.sequences.end(), [](const Sequence &q) { return q.name.name == "apps_sales_invoice_number"; });
	REQUIRE(s != c.sequences.end());
	CHECK(s->table == name("apps_sales_invoice"));
	CHECK_FALSE(s->column.empty());
	CHECK(c.find(s->table)->column(s->column)->sequence == "public.apps_sales_invoice_number");
}

TEST_CASE("P15: row security is in the catalog")
{
	Catalog c = fixtures::catalog("saas");
	const Relation &r = *c.find(name("apps_finance_bankaccount"));
	CHECK(r.row_security);
	CHECK(r.force_row_security);
}

TEST_CASE("E13: a partitioned table's rows lie in its leaves")
{
	Catalog saas = fixtures::catalog("saas");
	CHECK(saas.storage(name("apps_audit_history")).size() == 4);
	CHECK(saas.root(name("apps_audit_history_2024")) == name("apps_audit_history"));

	Catalog c = Catalog::parse(partitioned());
	CHECK(names(c.storage(name("history"))) == std::vector<std::string>{"history_new_1", "history_old"});
	CHECK(names(c.storage(name("history_new"))) == std::vector<std::string>{"history_new_1"});
	CHECK(names(c.storage(name("orders"))) == std::vector<std::string>{"orders"});
	CHECK(c.storage(name("nothing")).empty());
	CHECK(c.root(name("history_new_1")) == name("history"));
	CHECK(c.root(name("orders")) == name("orders"));
	CHECK(c.tables().size() == 16);  // the shop's 15 and the root
}

TEST_CASE("tables of extensions and of the system are none of ours")
{
	json doc = fixtures::document("shop");
	fixtures::relation(doc, "mails")["extension"] = "pg_mail";
	fixtures::relation(doc, "notes")["schema"] = "prodsync_work";
	fixtures::relation(doc, "erp_sync")["kind"] = "v";
	Catalog c = Catalog::parse(doc);
	CHECK(c.tables().size() == 12);
}

TEST_CASE("names are resolved as a configuration writes them")
{
	json doc = fixtures::document("shop");
	json other = fixtures::relation(doc, "orders");
	other["schema"] = "Billing";
	doc["relations"].push_back(other);
	other["name"] = "v1.events";
	doc["relations"].push_back(other);
	Catalog c = Catalog::parse(doc);
	CHECK(c.resolve("customers") == std::vector<Name>{name("customers")});
	CHECK(c.resolve("public.orders") == std::vector<Name>{name("orders")});
	CHECK(c.resolve("Billing.orders") == std::vector<Name>{{"Billing", "orders"}});
	CHECK(c.resolve("billing.orders").empty());
	CHECK(c.resolve("orders").size() == 2);
	CHECK(c.resolve("v1.events") == std::vector<Name>{{"Billing", "v1.events"}});
	CHECK(c.resolve("Billing.v1.events").size() == 1);
	CHECK(c.resolve("userz").empty());
}

TEST_CASE("M12: materialized views come after what they read")
{
	Catalog c = fixtures::catalog("saas");
	CHECK(c.materialized_views == std::vector<Name>{name("apps_reports_tenant_sales"), name("apps_reports_sales_rank")});
}

TEST_CASE("what is no catalog is refused")
{
	CHECK_THROWS_AS(Catalog::parse(json::array()), std::runtime_error);
	CHECK_THROWS_AS(Catalog::parse(json::object()), std::runtime_error);
	json doc = fixtures::document("shop");
	doc["relations"][0]["columns"] = 5;
	CHECK_THROWS_AS(Catalog::parse(doc), std::runtime_error);
	doc = fixtures::document("shop");
	doc["foreign_keys"][0]["referenced"] = json::array();
	CHECK_THROWS_AS(Catalog::parse(doc), std::runtime_error);
}

TEST_CASE("S5: a target's catalog in which partitions are each other's parents is no endless loop")
{
	json doc = fixtures::document("shop");
	for (const char *table : {"orders", "notes"}) {
		fixtures::relation(doc, table)["partition"] = true;
		fixtures::relation(doc, table)["parents"] =
		    json::array({json::array({"public", std::string(table) == "orders" ? "notes" : "orders"})});
	}
	fixtures::relation(doc, "mails")["kind"] = "p";
	Catalog c = Catalog::parse(doc);
	CHECK(c.storage(name("mails")).empty());
	CHECK_NOTHROW(c.root(name("orders")));
}

TEST_CASE("the catalogs of real schemas are read in full")
{
	Catalog m = fixtures::catalog("mymoolah");
	CHECK(m.tables().size() == 107);
	CHECK(m.foreign_keys.size() == 111);
	std::size_t columns = 0;
	for (const Relation *r : m.tables()) columns += r->columns.size();
	CHECK(columns == 1770);  // M1
	Catalog s = fixtures::catalog("saas");
	CHECK(s.tables().size() == 68);
	CHECK(s.foreign_keys.size() == 113);
}

TEST_CASE("S5: the catalog query names everything with its schema and is read under a search_path of the server's own")
{
	std::string query = catalog_query;
	// what looks like a call without a schema in front
	static const std::regex call("(^|[^a-z_0-9.])([a-z_0-9]+)\\(");
	std::set<std::string> bare;
	for (std::sregex_iterator it(query.begin(), query.end(), call), end; it != end; ++it)
		if (!query.substr(0, it->position(2)).ends_with(" AS "))  // the columns of an alias
			bare.insert((*it)[2]);
	CHECK(bare == std::set<std::string>{"coalesce", "greatest", "nullif", "pg_"});  // syntax; part of a pattern
	static const std::regex relation("(FROM|JOIN) (pg_[a-z_]+) ");
	CHECK_FALSE(std::regex_search(query, relation));
	CHECK(std::string_view(catalog_settings.front().first) == "search_path");
	CHECK(std::string_view(catalog_settings.front().second).starts_with("pg_catalog"));
}
