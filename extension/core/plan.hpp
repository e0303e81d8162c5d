// The planner: a pure function of configuration, both catalogs and the answers. The extension serves it as sync_plan() and
// stores what sync_start() computes; the client computes the same and goes on only if both are equal (binding()).
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include "answers.hpp"
#include "catalog.hpp"
#include "config.hpp"
#include "detect.hpp"
#include "graph.hpp"

namespace core {

struct Transfer {  // one column on its way from source to target
	std::string column;
	std::string type;         // of the target
	Name map;                 // the kept (or folded) table whose map replaces the value; empty: as it is
	std::string source_cast = {};  // type to cast to at the source, so that both sides speak the same; empty: none
	MaskRule mask = {};            // how the value is masked; masks() is false: it is not
	std::string source_value = {};    // SQL over alias t that production evaluates in the column's place (a reference let go of); empty: none
	bool null_unmatched = false;      // an id that the map does not have becomes NULL
	std::string by_column = {};       // generic relations: the value of this column at the source says which map replaces the id
	std::map<std::string, Name> by_model = {};    // its values -> the map; with any other the id stays
	bool operator==(const Transfer &) const = default;
};

struct PlannedTable {
	Name name;
	Mode mode = Mode::copy;
	Scope scope = Scope::shared;
	std::vector<Hop> path;
	std::string reason;
	std::string key;  // see TableNode
	bool in_source = false;
	bool binary = true;  // COPY format
	std::vector<Transfer> columns;
	double source_rows = 0;                           // estimate
	std::int64_t source_bytes = 0, target_bytes = 0;  // estimates, heap with TOAST and indexes
	std::int64_t kept_rows = 0, folded_rows = 0;
	std::string what_happens;  // one line for people: "3 columns remapped, binary"
};

// Kinds: load (COPY into a new shadow), empty (a shadow that nothing is copied into), index (one index of a shadow), analyze+foreign
// keys: verify (of one shadow), preflight; after the switch refresh (a materialized view) and, in place, clean. `whole`: a small table, its indexes and statistics are built in the load's own transaction.
// Where rows are routed (routing.hpp): route makes all shadows of a table under a root, loads go through that, routed takes it away.
struct Step {
	int step = 0;
	std::string kind;
	Name relation;      // ordinary table or leaf of the target; for preflight empty
	Name table;         // its logical table (root)
	std::string index;  // kind index: name of the target's index
	std::vector<int> depends_on;
	std::int64_t est_bytes = 0;
	bool whole = false;
	bool routed = false;  // kind load: into what the table's step route has made
	Name source_relation;  // kind load: the source's relation (leaf) it is read from
	std::int64_t source_filenode = 0;
	bool binary = true;
	std::vector<Transfer> columns;
	std::string filter;  // SQL over alias t, for the source; empty: all rows
};

struct Need {        // disk, locks, wait: what the run will need, in numbers and for people
	std::string id;  // disk, locks, wait, rights
	std::string text;
	std::int64_t value = 0;
};

struct Plan {
	std::vector<PlannedTable> tables;  // by name
	std::vector<Problem> problems, warnings;
	std::vector<Need> needs;
	std::vector<Step> steps;
	std::vector<PersonalColumn> personal;    // columns of copied tables that look personal, with a rule or without; none where the policy is none
	json to_json() const;
	// What both sides must agree on: tables with mode, path and columns, and the steps; no estimates of the target, nothing for people.
	json binding() const;
	static json step_json(const Step &);
};

// `contents`: what samples of the source show; only the client has them. They add to what is found by names, and change nothing of what is bound.
Plan make_plan(const Config &, const Catalog &source, const Catalog &target, const Answers &, const Contents &contents = {});

// A refresh from nothing: every copied table comes out empty but for what is kept (sync_clear).
Plan plan_clear(const Config &, const Catalog &target);

}  // namespace core
