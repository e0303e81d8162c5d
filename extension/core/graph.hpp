// Foreign keys as a graph: which tables belong to tenants and along which path, what identity a column carries, and in
// which order tables can be worked off. Pure; everything is derived from a catalog and a configuration.
//
// Identity of a column. A generated key is its own identity (table, column); a foreign key column carries the identity of
// the column it references, followed to the end: vip.customer_ptr_id -> customer.id -> itself. Re-keying, maps of users and
// of natural keys all replace values by identity, so one rule serves foreign keys of any length, composite keys that contain
// ids, and multi-table inheritance. A column that references two different identities is a problem.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>
#include "catalog.hpp"
#include "config.hpp"

namespace core {

struct Hop {                      // one foreign key on the way to the tenant table
	std::string constraint;
	std::vector<std::string> columns;       // of the table the hop starts from
	Name to;
	std::vector<std::string> referenced;    // of `to`
	// A generic relation instead: the column that says which model's row `columns` means. The path ends here, with `to` left open: each row goes on
	// along the path of the table that it names (ways.hpp).
	std::string by = {};
	bool operator==(const Hop &) const = default;
};

struct Identity {
	Name table;
	std::string column;
	auto operator<=>(const Identity &) const = default;
};

struct TableNode {
	const Relation *relation = nullptr;
	Mode mode = Mode::copy;
	Scope scope = Scope::shared;
	std::vector<Hop> path;                  // tenant scope: to the tenant table; empty for the tenant table itself
	std::string reason;                     // why this mode and scope, for people
	std::string key;                        // the generated integer key that kept rows are re-keyed by, or empty
	std::int64_t reserved_from = 0;         // start of its reserved range (0 where key is empty)
	std::vector<std::string> match;         // declared natural key, or empty
	bool mapped = false;                    // a keep table whose ids production's are mapped to (users, natural keys)
	std::map<std::string, std::string> on_missing;    // column -> what becomes of a reference whose row is not there; as configured
	bool stays = false;                     // kept for this run only: --tables and --exclude left it out (chosen.hpp)
};

// A column that holds the id of a row of whichever table another column of its row says. It carries no identity.
struct GenericRelation {
	Name table;
	std::string column;
	ByModel by;                             // without names
	std::map<std::string, Name> models;     // by the name that model_name() makes -> its table; empty: of none
	std::vector<const ForeignKey *> keys;   // one for each table whose keys the column can hold
};

struct Graph {
	std::map<Name, TableNode> tables;       // every table of the catalog that prodsync looks at (Catalog::tables())
	std::vector<const ForeignKey *> keys;   // among them, by child and name, then declared ones
	std::shared_ptr<std::list<ForeignKey>> declared;    // references without a foreign key; a copy of the graph has the same
	std::vector<GenericRelation> generic;   // their keys are not among `keys`
	std::map<std::pair<Name, std::string>, Identity> identities;     // only columns that carry one
	std::map<Name, Name> roots;             // partitions with foreign keys of their own (or referenced by one) -> their table
	std::set<Name> cyclic;                  // tables that reference each other in a circle

	// Keys of the table and of its partitions alone; of the latter, `child` (`parent`) is the partition.
	std::vector<const ForeignKey *> from(const Name &child) const;
	std::vector<const ForeignKey *> to(const Name &parent) const;
	const Identity *identity(const Name &table, const std::string &column) const;
	const TableNode &node(const Name &table) const;    // throws std::out_of_range where there is no such table
	// Parents before children; members of a cycle stand together, in the order of their names.
	std::vector<Name> parents_first() const;
	bool in_cycle(const Name &table) const;     // with other tables; a reference to itself is none

	// `catalog` must outlive the graph.
	static Graph build(const Config &, const Catalog &catalog, std::vector<Problem> &problems, std::vector<Problem> &warnings);
};

}  // namespace core
