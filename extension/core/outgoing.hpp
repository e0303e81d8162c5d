// Tables whose rows make an application act outside of its database: a refreshed UAT would send production's mail, call its customers' webhooks and
// wake their phones (E16).
#pragma once
#include <string>
#include <vector>
#include "config.hpp"
#include "graph.hpp"

namespace core {

// "webhook addresses", "a queue of jobs" ... by the words of the table's name and the columns that go with it; empty: neither.
std::string acts_outside(const Relation &);

// Copied tables that look so and that no rule gives a mode (mode: copy is an answer): one warning with the lines to paste,
// or none.
std::vector<Problem> outgoing_tables(const Graph &, const Catalog &, const std::map<Name, const TableRule *> &rules);

}  // namespace core
