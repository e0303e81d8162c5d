// What kinds of steps call, and what the switch is made of. One file each.
#pragma once
#include <string>
#include <vector>
#include "ledger.hpp"
#include "pg.hpp"

namespace prodsync {

// fingerprint.cpp: a hash of all that a plan relies on: user tables, columns, constraints, indexes, triggers, policies. Unchanged by VACUUM
// FULL, REINDEX, ANALYZE.
std::string fingerprint(const pg::Extension &);
// Catalog of this database as JSON text, as the current role (catalog.cpp; target_document() in inputs.hpp: as the extension's owner).
std::string read_catalog();

// steps.cpp: how each kind of step is done.
void step_empty(const pg::Extension &, int run, const StepRow &);
void step_index(const pg::Extension &, int run, const StepRow &);
void step_route(const pg::Extension &, int run, const StepRow &);        // route.cpp
void step_routed(const pg::Extension &, int run, const StepRow &);
void finish_small(const pg::Extension &, Oid original, Oid shadow);      // indexes and statistics of a small table
void step_verify(const pg::Extension &, int run, const StepRow &);       // verify.cpp
void step_preflight(const pg::Extension &, int run);                     // switch.cpp
void step_refresh(const pg::Extension &, int run, const StepRow &);      // a materialized view, after the switch
void step_clean(const pg::Extension &, int run);                         // statistics.cpp: in place, at last

}  // namespace prodsync
