// What detection suggests the plan takes: on two real schemas, and on each kind of column for which the best strategy is not the answer.
#include <fstream>

#include "catch.hpp"
#include "core/detect.hpp"
#include "core/masking.hpp"
#include "fixtures.hpp"
#include "small_catalog.hpp"
#include "yaml.hpp"

using namespace core;

namespace {

// The configuration with the lines that `detect --write` (or, with `accept`, `plan --accept`) would add.
Config with_lines(const Config &config, const std::vector<PersonalColumn> &columns, bool accept)
{
	json document = config.to_json();
	for (const PersonalColumn &column : columns) {
		if (column.has_rule) continue;
		for (std::string line : column.lines()) {
			if (line.starts_with("# ") && !accept) continue;
			if (line.starts_with("# ")) line = line.substr(2);
			document["anonymize"]["tables"][column.table.name].push_back(client::parse_yaml(line).value.at(0));
		}
	}
	std::vector<Problem> problems;
	Config out = Config::parse(document, problems);
	for (const Problem &one : problems) UNSCOPED_INFO(one.id + ": " + one.text);
	CHECK(problems.empty());
	return out;
}

std::string about_masking(const Plan &plan)
{
	std::string out;
	for (const Problem &one : plan.problems)
		if (one.id.starts_with("masked-") || one.id.starts_with("kept-rows") || one.id == "personal-columns" || one.id == "two-rules" || one.id == "unknown-column" || one.id == "unknown-table")
			out += one.id + " " + one.object + ": " + one.text + "\n";
	return out;
}

Config configured(json settings)
{
	std::vector<Problem> problems;
	Config config = Config::parse(settings, problems);
	CHECK(problems.empty());
	return config;
}

// A database of its own, and what is suggested for it.
struct Suggested {
	json doc{{"relations", json::array()}, {"foreign_keys", json::array()}, {"sequences", json::array()}, {"server", 150000}, {"database", "db"}, {"encoding", "UTF8"},
	    {"settings", json::object()}, {"snapshot", "1:1:"}, {"extensions", json::object()}, {"in_recovery", false}, {"large_objects", 0}, {"system_identifier", "1"}};
	json settings = json::object();

	Suggested &column(const std::string &table, const std::string &name, const std::string &base, int length = 0)
	{
		fixtures::add_column(doc, table, name, base, true);
		json &added = fixtures::column(doc, table, name);
		if (length) added["length"] = length, added["type"] = base + "(" + std::to_string(length) + ")";
		return *this;
	}
	Suggested &table(const std::string &name, double rows = 1000)
	{
		fixtures::add_table(doc, name);
		fixtures::relation(doc, name)["rows"] = rows;
		return *this;
	}
	Suggested &unique(const std::string &table, const std::vector<std::string> &columns)
	{
		fixtures::relation(doc, table)["indexes"].push_back({{"name", table + "_key"}, {"unique", true}, {"columns", columns}, {"method", "btree"}});
		return *this;
	}
	// The rules, one a line: "users.email: ..."; and they are taken.
	std::string operator()()
	{
		const Catalog catalog = Catalog::parse(doc);
		const Config config = configured(settings);
		const auto columns = list_personal(config, catalog, {}, flagged);
		std::string out;
		for (const PersonalColumn &one : columns)
			if (!one.has_rule) out += one.table.name + "." + one.column + ": " + (one.fits.strategy.empty() ? one.why.empty() ? "none" : "none, " + one.why : one.fits.strategy + (one.fits.options.empty() ? "" : one.fits.options.dump())) + "\n";
		for (const bool accept : {false, true}) {
			Config then = with_lines(config, columns, accept);
			if (!accept) then.policy = Policy::none;
			CHECK(about_masking(make_plan(then, catalog, catalog, Answers{})) == "");
		}
		return out;
	}
};

}  // namespace

TEST_CASE("what is suggested for real schemas the plan takes")
{
	for (const auto &[name, settings] : {std::pair{"mymoolah", json::object()}, {"saas", fixtures::saas_settings()}, {"shop", fixtures::shop_settings()}}) {
		INFO(name);
		const Catalog catalog = fixtures::catalog(name);
		Config config = configured(settings);
		config.policy = Policy::strict;
		const auto columns = list_personal(config, catalog, {}, 0.3);    // more than anybody asks for
		std::size_t fit = 0;
		for (const auto &one : columns) fit += !one.fits.strategy.empty();
		CHECK(fit > columns.size() / 2);
		for (const bool accept : {true, false}) {
			Config then = with_lines(config, columns, accept);
			if (!accept) then.policy = Policy::none;    // comments go on stopping a strict plan
			const Plan plan = make_plan(then, catalog, catalog, Answers{});
			CHECK(about_masking(plan) == "");
			std::string unmasked;
			for (const PersonalColumn &one : columns)
				for (const PlannedTable &table : plan.tables) {
					if (table.name != one.table || one.fits.strategy.empty()) continue;
					if (std::none_of(table.columns.begin(), table.columns.end(), [&](const Transfer &transfer) { return transfer.column == one.column && transfer.mask.masks(); }))
						unmasked += one.table.name + "." + one.column + " " + one.rule() + "\n";
				}
			CHECK(unmasked == "");
		}
	}
}

TEST_CASE("a column that is too short or unique gets a strategy that fits")
{
	Suggested db;
	db.table("users", 1e6).column("users", "email", "character varying", 20).column("users", "username", "text").column("users", "phone", "text").column("users", "account_number", "bigint");
	db.unique("users", {"phone"});
	CHECK(db() == "users.email: hash\nusers.username: username\nusers.phone: hash\nusers.account_number: digits\n");
	Suggested narrow;
	narrow.table("users").column("users", "email", "character varying", 8).unique("users", {"email"});
	CHECK(narrow() == "users.email: digits\n");
	// digits would keep the letters of anna1984
	Suggested names;
	names.table("users").column("users", "username", "character varying", 8).unique("users", {"username"});
	INFO(names());
	CHECK(names().find("digits") == std::string::npos);
}

TEST_CASE("both ends of a foreign key get one rule")
{
	Suggested db;
	db.table("users").column("users", "email", "text").unique("users", {"email"});
	db.table("orders").column("orders", "placed_by", "text").table("mails").column("mails", "about", "character varying", 16);
	fixtures::add_key(db.doc, "orders", {"placed_by"}, "users", {"email"});
	CHECK(db() == "orders.placed_by: email\nusers.email: email\n");
	// the narrowest end decides
	fixtures::add_key(db.doc, "mails", {"about"}, "users", {"email"});
	CHECK(db() == "mails.about: hash\norders.placed_by: hash\nusers.email: hash\n");
	// the child looks personal, the parent does not
	Suggested up;
	up.table("wallets").column("wallets", "code", "text").unique("wallets", {"code"}).table("payments").column("payments", "account_number", "text");
	fixtures::add_key(up.doc, "payments", {"account_number"}, "wallets", {"code"});
	CHECK(up() == "payments.account_number: digits\nwallets.code: digits\n");
	// one of them has a rule already
	up.settings = {{"anonymize", {{"tables", {{"wallets", {{{"column", "code"}, {"strategy", "hash"}}}}}}}}};
	CHECK(up() == "payments.account_number: hash\n");
	up.settings = {{"anonymize", {{"tables", {{"wallets", {{{"column", "code"}, {"strategy", "none"}}}}}}}}};
	CHECK(up() == "payments.account_number: none, wallets.code has the same values, and its rule copies them as they are\n");
	up.settings = {{"tables", {{"wallets", {{"mode", "keep"}}}}}};
	CHECK(up().starts_with("payments.account_number: none, "));
}

TEST_CASE("columns by which rows are chosen get no mask, and say why")
{
	Suggested db;
	db.table("tenants").column("tenants", "email", "text").table("users").column("users", "email", "text");
	fixtures::add_reference(db.doc, "users", "tenant_id", "tenants", true);
	db.settings = {{"tenants", {{"table", "tenants"}, {"keep", "email LIKE 'test%'"}}}};
	const auto lines = db();
	INFO(lines);
	CHECK(lines.find("tenants.email: none, tenants.keep chooses by tenants.email") != std::string::npos);
	CHECK(lines.find("users.email: email") != std::string::npos);
}

TEST_CASE("kept rows that are masked get strategies whose masks are told from raw values")
{
	Suggested db;
	db.table("tenants").column("tenants", "label", "text").table("users").column("users", "full_name", "text").column("users", "born", "date");
	fixtures::add_reference(db.doc, "users", "tenant_id", "tenants", true);
	db.settings = {{"tenants", {{"table", "tenants"}, {"keep", "label LIKE 'test%'"}}}, {"anonymize", {{"kept_rows", "mask"}}}};
	db.doc["settings"]["prodsync.key_file"] = "/k";
	const auto lines = db();
	INFO(lines);
	CHECK(lines.find("users.full_name: name") != std::string::npos);
	CHECK(lines.find("users.born: none, what strategy date_shift gave cannot be told") != std::string::npos);
}
