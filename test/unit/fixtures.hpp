// The catalogs of test/fixtures/catalogs/ and small changes to them. Tests run in the project's folder.
#pragma once
#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>
#include "core/config.hpp"
#include "core/graph.hpp"

namespace fixtures {
using core::json;

inline json document(const std::string &name)
{
	std::ifstream file("test/fixtures/catalogs/" + name + ".json");
	if (!file) throw std::runtime_error("no catalog " + name + ": unit tests run in the project's folder");
	return json::parse(file);
}

inline core::Catalog catalog(const std::string &name) { return core::Catalog::parse(document(name)); }

inline core::Name name(const std::string &table) { return {"public", table}; }

inline json &relation(json &doc, const std::string &table)
{
	for (json &r : doc["relations"])
		if (r["name"] == table) return r;
	throw std::runtime_error("no table " + table);
}

inline json &column(json &doc, const std::string &table, const std::string &wanted)
{
	for (json &c : relation(doc, table)["columns"])
		if (c["name"] == wanted) return c;
	throw std::runtime_error("no column " + table + "." + wanted);
}

inline void add_column(
    json &doc, const std::string &table, const std::string &column_name, const std::string &type, bool not_null)
{
	json &columns = relation(doc, table)["columns"];
	columns.push_back({{"name", column_name}, {"number", columns.size() + 1}, {"type", type}, {"base", type},
	    {"not_null", not_null}, {"binary", true}});
}

// A table with a generated bigint key "id" and nothing else.
inline void add_table(json &doc, const std::string &table)
{
	doc["relations"].push_back({{"schema", "public"}, {"name", table}, {"kind", "r"}, {"columns", json::array()},
	    {"indexes",
	        {{{"name", table + "_pkey"}, {"unique", true}, {"primary", true}, {"columns", {"id"}}, {"method", "btree"}}}}});
	add_column(doc, table, "id", "bigint", true);
	column(doc, table, "id")["sequence"] = {"public", table + "_id_seq"};
	doc["sequences"].push_back({{"schema", "public"}, {"name", table + "_id_seq"}, {"type", "bigint"},
	    {"maximum", 9223372036854775807}, {"table", {"public", table}}, {"column", "id"}});
}

inline json &add_key(json &doc, const std::string &child, const std::vector<std::string> &columns, const std::string &parent,
    const std::vector<std::string> &referenced)
{
	std::string key = child;
	for (const auto &c : columns) key += "_" + c;
	doc["foreign_keys"].push_back(
	    {{"name", key + "_fkey"}, {"child", {"public", child}}, {"parent", {"public", parent}}, {"columns", columns},
	        {"referenced", referenced}, {"equals", std::vector<std::string>(columns.size(), "OPERATOR(pg_catalog.=)")}});
	return doc["foreign_keys"].back();
}

// A column and its foreign key to the parent's "id".
inline void add_reference(
    json &doc, const std::string &child, const std::string &column_name, const std::string &parent, bool not_null)
{
	add_column(doc, child, column_name, "bigint", not_null);
	add_key(doc, child, {column_name}, parent, {"id"});
}

// A configuration and the graph made from it, with all that was found wrong.
struct Built {
	core::Catalog catalog;
	std::vector<core::Problem> problems, warnings;
	core::Config config;
	core::Graph graph;

	Built(const json &doc, const json &settings)
	    : catalog(core::Catalog::parse(doc)), config(core::Config::parse(settings, problems)),
	      graph(core::Graph::build(config, catalog, problems, warnings))
	{}
	Built(const Built &) = delete;

	const core::TableNode &operator[](const std::string &table) const { return graph.node(name(table)); }
	std::vector<std::string> ids() const
	{
		std::vector<std::string> out;
		for (const auto &p : problems) out.push_back(p.id);
		return out;
	}
	// The first problem of that kind; an empty one where there is none.
	core::Problem problem(const std::string &id, const std::string &object = "") const
	{
		for (const auto &p : problems)
			if (p.id == id && (object.empty() || p.object == object)) return p;
		return {};
	}
	// The columns of the path, joined: "order_id, tenant_id".
	std::string path(const std::string &table) const
	{
		std::string out;
		for (const auto &h : graph.node(name(table)).path)
			for (const auto &c : h.columns) out += (out.empty() ? "" : ", ") + c;
		return out;
	}
	std::string identity(const std::string &table, const std::string &column_name) const
	{
		const core::Identity *i = graph.identity(name(table), column_name);
		return i ? i->table.shown() + "." + i->column : "";
	}
};

// What the shop needs to have no problems.
inline json shop_settings()
{
	return {{"tenants", {{"table", "tenants"}, {"keep", "slug LIKE 'test\\_%'"}, {"label", "slug"}}},
	    {"users", {{"table", "users"}, {"fallback", {{"username", "uat_admin"}}}}},
	    {"tables", {{"schema_migrations", {{"mode", "keep"}}}, {"user_groups", {{"mode", "keep"}}}}}};
}

inline json saas_settings()
{
	json keep{{"mode", "keep"}}, empty{{"mode", "empty"}};
	auto match = [](std::vector<std::string> columns) { return json{{"mode", "keep"}, {"match", columns}}; };
	auto path = [](std::vector<std::string> columns) { return json{{"tenant_path", columns}}; };
	return {{"tenants", {{"table", "apps_tenants_tenant"}, {"keep", "schema_name LIKE 'test\\_%'"}, {"label", "schema_name"}}},
	    {"users", {{"table", "auth_user"}, {"fallback", {{"username", "uat_admin"}}}, {"match", {"username"}}}},
	    {"tables",
	        {{"auth_*", keep}, {"auth_group", match({"name"})}, {"auth_permission", match({"content_type_id", "codename"})},
	            {"django_*", keep}, {"django_content_type", match({"app_label", "model"})}, {"authtoken_token", keep},
	            {"apps_accounts_profile", keep}, {"post_office_*", empty}, {"apps_integrations_webhook", empty},
	            {"apps_customers_customer_tags", path({"customer_id", "tenant_id"})},
	            {"apps_products_product_tags", path({"product_id", "tenant_id"})},
	            {"apps_purchasing_orderline", path({"order_id", "tenant_id"})}}},
	    {"anonymize", {{"policy", "none"}}}};
}

}  // namespace fixtures
