// Which tables one run refreshes: --tables and --exclude. All others stay as they are, and what is copied has to find its parents there.
#pragma once
#include <set>
#include <string>
#include <vector>
#include "answers.hpp"
#include "catalog.hpp"
#include "config.hpp"
#include "graph.hpp"

namespace core {

// Tables that the names and patterns stand for, with the tables that inherit from them. What is no table, or matches none: a problem.
std::set<Name> named_tables(const Catalog &, const std::vector<std::string> &written, const std::string &option, std::vector<Problem> &);

// What is not chosen gets mode keep for this run (TableNode::stays), after the tenant paths were found: they lead through tables that
// stay as well. A table that stays and that copied ones reference by its key is mapped: production's row is the target's row of the same
// id where a verified run copied it from there, else the one with the same natural key (declared by `match`, or a unique key).
void apply_choice(Graph &, const Config &, const Catalog &, std::vector<Problem> &);

// Of a table that stays and is mapped: which of its rows are the source's own (asked on the target), and the natural keys of the others.
std::vector<Question> staying_questions(const Config &, const Graph &, const Relation &source, const Relation &target, const Answers &);

}  // namespace core
