// What stands in the way of a plan, or deserves a look: every rule that needs more than one table's columns.
#pragma once
#include <set>
#include <string>
#include <vector>
#include "plan.hpp"
#include "words.hpp"

namespace core {

// Names in accept, checks and fire_triggers, published tables, invalid indexes, silent triggers: what holds for every
// refresh, with a source or without. (What the graph alone can tell, it tells: graph_check.hpp.)
void add_target_obstacles(const Config &, const Graph &, const Catalog &target, Plan &);
// Rights, reserved ranges, maps that do not work out, folds, references to rows that are not there.
void add_source_obstacles(const Config &, const Graph &, const Catalog &source, const Catalog &target, const Answers &, Plan &);

// The part of it that is about rows that fold; `accepted` are tables that may lose more than 5 %.
void add_fold_obstacles(const Config &, const Graph &, const Catalog &source, const Catalog &target, const Answers &,
    const std::set<Name> &accepted, Plan &);

// Whether an SQL expression, as the server writes it, has the column in it as a word.
bool mentions(const std::string &expression, const std::string &column);
// Where the configuration says by what rows of the table are matched: users.match, tables.PATTERN.match.
std::string place_of_match(const Config &, const Graph &, const Name &table);
// The lines to paste that take a table out of the way: "tables:\n  x: {mode: keep}".
std::string mode_line(const Catalog &target, const Name &table, const std::string &rule);

}  // namespace core
