// Catalogs made by hand for tests of the planner: a few tables, as Django would make them.
#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include "core/catalog.hpp"
#include "core/config.hpp"
#include "core/digest.hpp"
#include "core/plan.hpp"

namespace small {

using core::Answers;
using core::Catalog;
using core::Config;
using core::Name;
using core::Row;

inline Name name(const std::string &table) { return {"public", table}; }

class Table {
	Catalog &catalog_;
	Name name_;

public:
	core::Relation &it() { return catalog_.relations.at(name_); }

	Table(Catalog &catalog, const std::string &table) : catalog_(catalog), name_(name(table))
	{
		auto &relation = catalog.relations[name_];
		relation.name = name_;
		relation.oid = 16384 + static_cast<std::int64_t>(catalog.relations.size());
		relation.filenode = relation.oid;
		relation.rows = 100;
		relation.pages = 1;
	}
	Table &column(const std::string &column, const std::string &type = "bigint", bool not_null = false)
	{
		core::Column added;
		added.name = column;
		added.number = static_cast<int>(it().columns.size()) + 1;
		added.type = type;
		added.base = type.substr(0, type.find('('));
		added.not_null = not_null;
		added.binary = true;
		it().columns.push_back(added);
		return *this;
	}
	Table &unique(const std::vector<std::string> &columns, const std::string &predicate = "")
	{
		core::Index index;
		index.name = name_.name + "_" + columns.front() + "_uniq" + std::to_string(it().indexes.size());
		index.unique = true;
		index.columns = columns;
		index.predicate = predicate;
		index.method = "btree";
		index.pages = 1;
		it().indexes.push_back(index);
		return *this;
	}
	Table &primary(const std::vector<std::string> &columns)
	{
		unique(columns);
		it().indexes.back().primary = true;
		it().indexes.back().name = name_.name + "_pkey";
		return *this;
	}
	// A generated key, as BIGSERIAL makes it.
	Table &serial(const std::string &key = "id", const std::string &type = "bigint")
	{
		column(key, type, true);
		it().columns.back().has_default = true;
		const Name sequence = name(name_.name + "_" + key + "_seq");
		it().columns.back().sequence = sequence.sql();
		catalog_.sequences.push_back({sequence, type, 1,
		    type == "bigint"        ? INT64_MAX
		        : type == "integer" ? INT32_MAX
		                            : INT16_MAX,
		    name_, key});
		return primary({key});
	}
	Table &references(
	    const std::vector<std::string> &columns, const std::string &parent, const std::vector<std::string> &referenced = {"id"})
	{
		core::ForeignKey key;
		key.name = name_.name + "_" + columns.front() + "_fkey";
		key.child = name_;
		key.parent = name(parent);
		key.columns = columns;
		key.referenced = referenced;
		key.equals.assign(columns.size(), "OPERATOR(pg_catalog.=)");
		catalog_.foreign_keys.push_back(key);
		return *this;
	}
	Table &size(std::int64_t pages)
	{
		it().pages = pages;
		it().rows = static_cast<double>(pages) * 50;
		return *this;
	}
};

// Tenants with customers and memberships; users and content types are kept; a cycle; a table that inherits from another one.
inline Catalog application()
{
	Catalog catalog;
	catalog.server = 150008;
	catalog.settings = {{"max_locks_per_transaction", "64"}, {"max_connections", "100"}, {"max_prepared_transactions", "0"}};
	Table(catalog, "auth_user").serial().column("username", "text", true).unique({"username"});
	Table(catalog, "content_type")
	    .serial("id", "integer")
	    .column("app_label", "text", true)
	    .column("model", "text", true)
	    .unique({"app_label", "model"});
	Table(catalog, "permission")
	    .serial("id", "integer")
	    .column("content_type_id", "integer", true)
	    .column("codename", "text", true)
	    .unique({"content_type_id", "codename"})
	    .references({"content_type_id"}, "content_type");
	Table(catalog, "tenant").serial().column("schema_name", "text", true).unique({"schema_name"});
	Table(catalog, "customer")
	    .serial()
	    .column("tenant_id", "bigint", true)
	    .column("owner_id")
	    .references({"tenant_id"}, "tenant")
	    .references({"owner_id"}, "auth_user");
	Table(catalog, "customer_tag").serial().column("customer_id", "bigint", true).references({"customer_id"}, "customer");
	Table(catalog, "vip")
	    .column("customer_ptr_id", "bigint", true)
	    .column("manager_id")
	    .primary({"customer_ptr_id"})
	    .references({"customer_ptr_id"}, "customer")
	    .references({"manager_id"}, "auth_user");
	Table(catalog, "membership")
	    .serial()
	    .column("tenant_id", "bigint", true)
	    .column("user_id", "bigint", true)
	    .unique({"tenant_id", "user_id"})
	    .references({"tenant_id"}, "tenant")
	    .references({"user_id"}, "auth_user");
	Table(catalog, "badge")
	    .serial()
	    .column("membership_id", "bigint", true)
	    .column("kind", "text")
	    .unique({"membership_id", "kind"})
	    .references({"membership_id"}, "membership");
	Table(catalog, "supplier")
	    .serial()
	    .column("tenant_id", "bigint", true)
	    .column("plant_id")
	    .references({"tenant_id"}, "tenant")
	    .references({"plant_id"}, "plant");
	Table(catalog, "plant").serial().column("supplier_id").references({"supplier_id"}, "supplier");
	Table(catalog, "log")
	    .serial()
	    .column("content_type_id", "integer")
	    .column("note", "text")
	    .references({"content_type_id"}, "content_type");
	Table(catalog, "outbox").serial().column("body", "text");
	return catalog;
}

inline Config configuration()
{
	Config config;
	config.tenants = core::Tenants{"tenant", "schema_name LIKE 'test\\_%'", "schema_name", ""};
	config.users = core::Users{"auth_user", "username = 'uat_admin'", {"username"}};
	core::TableRule types, permissions, outbox;
	types.pattern = "content_type";
	types.mode = core::Mode::keep;
	types.match = {"app_label", "model"};
	permissions.pattern = "permission";
	permissions.mode = core::Mode::keep;
	permissions.match = {"content_type_id", "codename"};
	outbox.pattern = "outbox";
	outbox.mode = core::Mode::empty;
	config.tables = {types, permissions, outbox};
	config.policy = core::Policy::none;
	return config;
}

inline core::Graph graph(const Config &config, const Catalog &catalog)
{
	std::vector<core::Problem> problems, warnings;
	return core::Graph::build(config, catalog, problems, warnings);
}

// What the two databases of application() answer. Users 1 (alice), 2 (bob) and 3 (carol) of production; bob is user 20 of the target,
// where user 4 is the fallback. So memberships 10 and 11 of alice and carol in tenant 1 become one.
inline std::vector<Row> rows_for(const core::Question &question)
{
	if (question.kind == "maximum") return {{"500"}};
	if (question.kind == "source_tenants") return {};
	if (question.kind == "kept_tenants") return {{"9", "1", "test_acme"}, {"9", "2", "test_global"}};
	if (question.kind == "fallback") return {{"4", "uat_admin", "1"}};
	if (question.id == "pairs public.auth_user source") return {{"1", "alice"}, {"2", "bob"}, {"3", "carol"}};
	if (question.id == "pairs public.auth_user target") return {{"4", core::digest("uat_admin")}, {"20", core::digest("bob")}};
	if (question.id == "pairs public.content_type source")
		return {{"1", "shop", "customer"}, {"2", "shop", "old"}, {"3", "auth", "user"}};
	if (question.id == "pairs public.content_type target") 
		return {{"11", core::digest("auth"), core::digest("user")}, {"12", core::digest("shop"), core::digest("customer")}};
	if (question.id == "pairs public.permission source") return {{"7", "1", "add"}, {"8", "2", "add"}};
	if (question.id == "pairs public.permission target") return {{"70", core::digest("12"), core::digest("add")}};
	if (question.kind == "unmatched") return {{"0"}};
	if (question.kind == "kept_rows") return {{"5"}};
	if (question.kind == "folds") {
		if (question.relation.name == "membership") return {{std::nullopt, "100"}, {"11", "10"}};
		return {{std::nullopt, "100"}};
	}
	return {};
}

inline Answers answered(const Config &config, const Catalog &source, const Catalog &target,
    const std::function<std::vector<Row>(const core::Question &)> &rows = rows_for)
{
	Answers answers;
	const auto of_target = graph(config, target);
	for (auto open = core::questions(config, source, target, answers); !open.empty();
	     open = core::questions(config, source, target, answers))
		for (const auto &question : open) answers.take(config, of_target, question, rows(question));
	return answers;
}

inline const core::Problem *find(
    const std::vector<core::Problem> &problems, const std::string &id, const std::string &object = "")
{
	for (const auto &problem : problems)
		if (problem.id == id && (object.empty() || problem.object == object)) return &problem;
	return nullptr;
}

inline const core::PlannedTable &table(const core::Plan &plan, const std::string &of)
{
	for (const auto &planned : plan.tables)
		if (planned.name == name(of)) return planned;
	throw std::out_of_range(of);
}

inline const core::Step &step(const core::Plan &plan, const std::string &kind, const std::string &of)
{
	for (const auto &one : plan.steps)
		if (one.kind == kind && one.relation == name(of)) return one;
	throw std::out_of_range(kind + " " + of);
}

}  // namespace small
