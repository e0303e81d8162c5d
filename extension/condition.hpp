// Conditions of the configuration (tenants.keep, users.fallback): SQL that somebody wrote, over the rows of one table.
#pragma once
#include <string>
#include <vector>
#include "core/catalog.hpp"
#include "pg.hpp"

namespace prodsync {

// While a condition of the configuration runs, which is the caller's code: none of our functions may be called within.
extern bool condition_runs;

// These columns (in text form; "tableoid" and "ctid" too) of the rows of `table` for which the condition holds, for few rows. The rows
// are read as Tables reads; the condition runs as the caller, on a copy of them. `option` is its name in the configuration, for messages.
//
// The caller needs no SELECT on the columns that the condition uses, as long as it only compares: with built-in functions that depend on
// their arguments alone. Anything else (functions of his own, subqueries) could carry values away: PS_PROBLEMS, with the GRANT to type.
std::vector<pg::Row> chosen_rows(const pg::Extension &, const core::Relation &table, const std::vector<std::string> &columns, const char *option,
								 const std::string &condition);

// Whether the caller may read it anyway.
bool may_select(const core::Relation &table, const std::string &column);
// "GRANT SELECT (a, b) ON public.t TO caller"
std::string grant_select(const core::Relation &table, const std::vector<std::string> &columns);

}  // namespace prodsync
