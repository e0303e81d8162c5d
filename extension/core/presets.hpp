// Tables that frameworks keep for themselves and that must not simply be copied: what a database's own migrations were, who is
// logged in to it, which tokens open it, what waits to be sent.
#pragma once
#include <map>
#include <string>
#include <vector>
#include "catalog.hpp"
#include "config.hpp"
#include "graph.hpp"

namespace core {

// Known tables of Django, Rails, Sequelize, Laravel and Prisma that no rule gives a mode: one problem with the lines to paste, or none.
// Any rule under tables: with a mode is an answer.
std::vector<Problem> missing_modes(const Graph &, const Catalog &, const std::map<Name, const TableRule *> &rules);

// What was recognized, by framework: "auth_user (users)", "django_session (sessions)".
std::map<std::string, std::vector<std::string>> recognized(const Catalog &);

}  // namespace core
