// SQL of masking rules (when, expression). It runs in production, in the snapshot, and never reaches the target: what the configuration that
// the target gets has in its place is a name.
#pragma once
#include <map>
#include <string>
#include "connection.hpp"
#include "core/plan.hpp"

namespace client {

using SourceSql = std::map<std::string, std::string>;    // by name; Settings::source_sql

// The step as it is read: with the SQL itself.
core::Step with_sql(core::Step step, const SourceSql &sql);

// Has production look at every piece of SQL that the plan uses, without reading a row. Throws Error: exit 5 with the rule and production's words.
void try_sql(Connection &source, const core::Plan &plan, const SourceSql &sql);

}  // namespace client
