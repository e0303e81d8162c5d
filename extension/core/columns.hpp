// Which columns of a table travel, in which form, and what becomes of those that only one side has.
#pragma once
#include <optional>
#include "masking.hpp"
#include "missing.hpp"
#include "plan.hpp"

namespace core {

// How a value of one type reaches a column of another one through its text form. nullopt: there is no way. Else the type to cast
// to at the source first, empty where the text form can be read as it is. No cast where it can: casts cut and round
// ('abc'::varchar(2) is 'ab'), reading refuses what does not fit.
std::optional<std::string> conversion(const std::string &from_base, const std::string &to_base);

// Fills columns and binary of a table that is copied.
void plan_columns(const Graph &, const Answers &, const Masking &, const Missing &, const Catalog &target, const Relation &read,
    const Relation &filled, PlannedTable &, Plan &);

}  // namespace core
