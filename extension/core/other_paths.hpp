// Other ways from a table to its tenant than the one that was chosen: where they lead to another tenant, somebody should say which is meant.
#pragma once
#include <string>
#include <utility>
#include <vector>
#include "answers.hpp"
#include "plan.hpp"
#include "ways.hpp"

namespace core {

// Of tables with several ways that differ and no tenant_path: how many of production's rows (of the first 3,000) another way gives to
// another tenant.
std::vector<Question> path_questions(const Config &, const Graph &, const Catalog &source, const Answers &);
void add_path_warnings(const Config &, const Graph &, const Catalog &target, const Answers &, Plan &);

// Which rows a statement looks at: of few, parents are looked up by their keys one by one, where a join would read whole tables.
enum class Rows { all, few };
// LEFT JOINs along a path from a row t, each to one row at most, and the SQL of the tenant's key at its end. `alias` begins the joins' aliases.
std::pair<std::string, std::string> tenant_of_row(
    const Ways &, const std::vector<Hop> &path, const std::string &tenant_key, const std::string &alias, Rows = Rows::all);
// "customer_id, tenant_id": a path as tenant_path would write it; "object_id by content_type_id" where it forks.
std::string path_text(const std::vector<Hop> &path);

}  // namespace core
