// References without a foreign key (tables: references: {column: {to: table}}), also from arrays of ids. Once declared they are keys of the graph
// like the others: identities, maps, re-keying and verification need not tell them apart. Only tenant paths do not follow them
// unless tenant_path names them.
#pragma once
#include <map>
#include <string>
#include <vector>
#include "graph.hpp"

namespace core {

// SQL: those elements e.v of an array of ids for which the condition holds. In an array of several dimensions the others become NULL: it has no
// place to leave out.
std::string ids_that_stay(const std::string &array, const std::string &base_type, const std::string &condition);

// Adds the declared references to the graph's keys; what cannot be one is a problem.
void add_soft_references(Graph &, const Catalog &, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &);
// M11: columns that look like references that nobody declared, to tables whose ids change; one warning with the lines to paste, or none.
void suggest_soft_references(const Config &, const Graph &, const Catalog &, std::vector<Problem> &warnings);

}  // namespace core
