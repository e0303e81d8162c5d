// What a database consists of, as far as a refresh is concerned: one JSON document (catalog_query.hpp), parsed.
// Oids and file nodes are those of the database that the document came from.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>
#include "name.hpp"

namespace core {
using nlohmann::json;

struct Column {
	std::string name;
	int number = 0;
	std::string type;             // format_type(): varchar(20), public.mood
	std::string base;             // domains resolved: the type the value is of, without length: "bigint", "uuid", "text"
	bool not_null = false;
	char identity = 0;            // 'a' ALWAYS, 'd' BY DEFAULT, 0 none
	char generated = 0;           // 's' stored, 'v' virtual (18), 0 none
	std::string expression = {};  // SQL of a generated one
	bool has_default = false;
	std::string sequence;         // SQL name of the sequence its values come from (identity, serial, nextval default)
	int length = 0;               // characters that varchar(n) and character(n) hold, a domain's included; 0: no limit
	std::vector<std::string> domain_checks;    // CHECK constraints of the domains its type is made of
	std::string comment = {};     // COMMENT ON COLUMN, its beginning
	std::vector<std::string> labels;           // of an enum, in their order
	bool binary = false;          // its binary form means the same in every database (no oids of this one inside)
};

struct Index {
	std::int64_t oid = 0;
	std::string name;
	bool unique = false, primary = false, valid = true, immediate = true, nulls_not_distinct = false;
	bool exclusion = false, expressions = false, whole_row = false;
	std::string predicate;                 // SQL, or empty: not partial
	std::vector<std::string> columns;      // key columns; empty where one of them is an expression
	std::vector<std::string> expression_keys;    // SQL of those keys that are expressions
	std::string method;
	std::int64_t pages = 0;
};

struct CheckConstraint {
	std::string name;
	std::vector<std::string> columns;
};

// Which table a reference leads to, a second column of the row says: the model it names (generic.hpp).
struct ByModel {
	std::string column;                    // of the child: a key of `types`, or where there are none the model's name itself
	Name types;                            // the table of content types, with app_label and model
	std::string key;                       // its primary key
	std::vector<std::string> written;      // models that the configuration names, as app_label.model; any other goes by app_label_model
	std::vector<std::string> names;        // of the models that mean the parent
};

struct ForeignKey {
	std::string name;
	Name child, parent;                    // logical tables: a constraint of a partitioned table is named once, by the root
	std::vector<std::string> columns, referenced;
	std::vector<std::string> equals;       // OPERATOR(pg_catalog.=), one a column: parent column, operator, child column
	char match = 's';                      // 's' simple, 'f' full
	bool validated = true, enforced = true, period = false;    // what is not enforced is followed, but promises nothing, like NOT VALID
	bool declared = false;                 // no constraint: the configuration says so (soft_references.hpp); the name is "table.column"
	bool array = false;                    // declared; each element of the child's column is a reference
	std::string text_of;                   // declared; the child's column is a text that holds a key of this type
	std::optional<ByModel> by_model;       // declared; only rows of this model reference the parent
};

// A trigger that may change a row before it is stored.
struct Filler {
	std::string trigger, function;
	std::vector<std::string> arguments;
	std::int64_t body = 0;                 // key of Catalog::trigger_bodies
};

struct Relation {
	std::int64_t oid = 0;
	Name name;
	char kind = 'r';                       // r table, p partitioned table, v view, m materialized view, f foreign table
	char persistence = 'p';                // p permanent, u unlogged
	std::string owner;
	double rows = -1;                      // pg_class.reltuples: -1 never counted
	std::int64_t pages = 0, toast_pages = 0, filenode = 0;
	bool row_security = false, force_row_security = false, readable = true, bypasses_row_security = true;
	bool partition = false;                // a leaf or sub-root of a partitioned table
	std::string bound, partition_key;
	std::vector<Name> parents;             // partition or inheritance
	std::string extension;                 // the extension it belongs to, or empty
	bool published = false;                // member of a publication of this database
	std::vector<Column> columns;
	std::vector<Index> indexes;
	std::vector<CheckConstraint> checks;             // CHECK constraints
	std::vector<std::string> triggers;     // user triggers, enabled ones
	std::vector<Filler> fillers = {};      // those of them that run before a row is stored
	std::string comment;                   // COMMENT ON TABLE, its beginning
	const Column *column(std::string_view name) const;
	const Index *primary_key() const;
	bool ordinary() const { return kind == 'r' || kind == 'p'; }
};

struct Sequence {
	Name name;
	std::string type;                      // smallint, integer, bigint
	std::int64_t increment = 1, maximum = 0;
	Name table;                            // the table whose column draws from it, or empty
	std::string column;
};

struct Catalog {
	int server = 0;                        // server_version_num
	std::string database, system_identifier, snapshot, encoding;
	bool in_recovery = false;
	std::map<std::string, std::string> settings;         // max_locks_per_transaction ...
	std::map<std::string, std::string> extensions;       // name -> version
	std::map<Name, Relation> relations;
	std::vector<ForeignKey> foreign_keys;                // by child, then name
	std::vector<Sequence> sequences;
	std::int64_t large_objects = 0;
	std::map<std::int64_t, std::string> trigger_bodies;  // of functions in PL/pgSQL that fillers call; by oid
	std::map<std::string, std::vector<Column>> composites;    // types with fields, by what Column::base calls them

	static Catalog parse(const json &document);          // throws std::runtime_error on what is not such a document
	const Relation *find(const Name &name) const;
	// The relations that hold a logical table's rows: its leaves, or itself. Sorted by name.
	std::vector<const Relation *> storage(const Name &table) const;
	// The root of the partition tree the relation belongs to, or itself.
	Name root(const Name &relation) const;
	// Ordinary and partitioned tables that are not partitions, not of an extension, not of a system or prodsync's schema.
	std::vector<const Relation *> tables() const;
	// Materialized views in an order in which each comes after those it reads.
	std::vector<Name> materialized_views;
	// Resolves "schema.table" or "table" as a configuration writes it (case-sensitive, unquoted, no pattern).
	std::vector<Name> resolve(std::string_view written) const;
};

}  // namespace core
