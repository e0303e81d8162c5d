// Tables that frameworks keep for themselves and that must not simply be copied: what a database's own migrations were, who is
// logged in to it, which tokens open it.
#pragma once
#include <map>
#include <vector>
#include "catalog.hpp"
#include "config.hpp"

namespace core {

// Known tables of Django, Rails and Sequelize that no rule gives a mode: one problem with the lines to paste, or none.
std::vector<Problem> missing_modes(const Catalog &, const std::map<Name, const TableRule *> &rules);

}  // namespace core
