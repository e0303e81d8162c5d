// The configuration that both sides share: what the YAML file says without environments, key and client settings.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include "catalog.hpp"
#include "mask_rule.hpp"
#include "name.hpp"

namespace core {

enum class Mode { copy, keep, empty };
enum class Scope { tenant, shared };
enum class Severity { error, source, ignore };

// What stands in the way, or deserves a look. `id` is a stable word for machines ("unknown-table"), `object` what it is
// about, `fix` what to type, possibly several lines of YAML or SQL.
struct Problem {
	std::string id, object, text, fix;
	bool operator==(const Problem &) const = default;
};

struct Tenants {
	std::string table, keep, label, exclude_source;    // label and exclude_source: empty where left out
	std::vector<std::string> only = {}, except = {};   // labels of production's tenants: only these are copied, these are not
};

// users.join_tenants: the fallback user becomes a member of every tenant that is copied.
struct JoinTenants {
	std::string table;                                 // of memberships; empty: the one that there is
	std::map<std::string, std::string> values;         // column -> value, in text form
};

struct Users {
	std::string table;
	std::string fallback;                              // an SQL predicate over the table; made from {column: value} pairs too
	std::vector<std::string> match;
	std::optional<JoinTenants> join_tenants = {};
};

// What the command line chose for one run. Both sides plan with it, and it is stored with the run; it is no part of the configuration
// that stays (sync_config()).
struct Choice {
	std::vector<std::string> tables, exclude;          // names and patterns: --tables, --exclude
	std::vector<std::string> tenants;                  // labels: --tenants, in place of tenants.only
	bool all_kept = false;                             // --all-kept: tenants.keep may match every tenant
	bool in_place = false;                             // prodsync anonymize: source and target are one database (in_place.hpp)
	bool of_tables() const { return !tables.empty() || !exclude.empty(); }
	bool operator==(const Choice &) const = default;
};

// {content_type: COLUMN, models: {...}} on the column of an object's id.
struct GenericRule {
	std::string type;                                  // the column that says which model's row is meant
	std::map<std::string, std::string> models = {};    // "app_label.model" -> table, or "": of none; "*" -> "prefix_*"
};

struct TableRule {
	std::string pattern;                               // as written: table, schema.table, or with * and ?
	std::optional<Mode> mode;
	std::vector<std::string> match;                    // natural key of a kept table, or a declared one of a shared table
	std::vector<std::string> tenant_path;              // columns to follow
	std::map<std::string, std::string> on_missing;     // column -> error, null, drop, adopt; only where it is said
	std::map<std::string, std::string> to;             // column -> the table it references without a foreign key
	std::map<std::string, GenericRule> generic;        // column of an object's id -> what its content type is
};

struct ColumnRule {
	std::string column;
	MaskRule rule;
};

// Rules of one table, as written under anonymize.tables.
struct MaskedTable {
	std::string table;
	std::vector<ColumnRule> columns;
};

enum class Policy { strict, warn, none };              // what becomes of a column that looks personal and has no rule

// One entry of anonymize.columns: a rule for the columns of every copied table whose name matches, where the table has none of its own.
struct ColumnPattern {
	std::string pattern;                               // with * and ?
	MaskRule rule;
};

struct Config {
	std::optional<Tenants> tenants;
	std::optional<Users> users;
	std::map<std::string, std::int64_t> reserved_from{{"bigint", 1'000'000'000}, {"integer", 1'000'000'000}, {"smallint", 30'000}};
	std::vector<TableRule> tables;
	std::vector<std::string> accept_folded, accept_large_objects, accept_published, fire_triggers;
	std::map<std::string, std::string> checks;         // constraint -> source
	std::string on_collision = "error", materialized_views = "after";
	Policy policy = Policy::strict;
	std::vector<MaskedTable> masks;
	std::vector<ColumnPattern> mask_patterns;
	json anonymize = json::object();                   // as given
	Choice choice;

	// Reads and checks the shape: unknown keys (with the nearest known ones), wrong types, values out of range. Every problem
	// is added to `problems`; what could be read is returned. Names of tables and columns are checked by the planner.
	static Config parse(const json &document, std::vector<Problem> &problems);
	json to_json() const;                              // the normal form that sync_config() shows
};

// One rule of anonymize.tables, {column, strategy and the strategy's options}; `path` is what its problems are about.
std::optional<ColumnRule> parse_column_rule(const json &, const std::string &path, std::vector<Problem> &);

// Which rule applies to each table: an exact name beats a pattern; two patterns on one table, a name that is no table,
// or a name that is ambiguous are problems.
std::map<Name, const TableRule *> rules_by_table(const Config &, const Catalog &target, std::vector<Problem> &problems);

}  // namespace core
