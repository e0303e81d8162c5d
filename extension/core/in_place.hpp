// prodsync anonymize, sync_anonymize(): a database that was restored from a snapshot of production is masked where it stands. It is a refresh
// of the database from itself: tables with rules are read and written beside in full, tables of mode empty come out empty, all others stay.
// Every row keeps its id, so there are no tenants to tell apart, no maps, nothing is re-keyed and no sequence is set.
#pragma once
#include <vector>
#include "catalog.hpp"
#include "config.hpp"
#include "graph.hpp"
#include "plan.hpp"

namespace core {

// What of a configuration counts in place: `tenants` and `users` say whose rows are kept in a refresh, and here all of them are production's.
// Materialized views are refreshed whatever it says, since they hold what was masked.
Config in_place(Config);

// What is not rewritten gets mode keep (TableNode::stays); tables of mode keep and empty are what they are. Rewritten are tables with a rule that
// masks, those that reference an emptied one (on_missing says what becomes of it), and those whose rows may be left out with theirs.
// --tables and --exclude choose among them.
void rewrite_in_place(Graph &, const Config &, const Catalog &, std::vector<Problem> &);

// Of one database, read twice: are there the same tables with the same columns? What is written back is planned from the first and goes into the second.
bool same_structure(const Catalog &, const Catalog &);

// Who waits, and what is not reached.
void add_in_place_needs(const Catalog &, Plan &);

}  // namespace core
