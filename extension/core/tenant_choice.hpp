// Which tenants of production are copied: all, but for those that are like the kept ones, and what tenants.only, tenants.except and --tenants
// say. With them goes everything below them, along the tenant paths.
#pragma once
#include <string>
#include <vector>
#include "answers.hpp"
#include "catalog.hpp"
#include "config.hpp"
#include "graph.hpp"
#include "plan.hpp"

namespace core {

// The column whose values name tenants to people: tenants.label, else what tenants.keep chooses by, else the key. Of the source: the key also
// where that column is masked, since what production masks is not shown in clear.
std::string tenant_label(const Config &, const Graph &, const Relation &tenants, Side);

// Labels of the tenants that are copied; empty: all of them. Of those that are not.
std::vector<std::string> only_tenants(const Config &);
bool chooses_tenants(const Config &);
// Where the labels stand: "--tenants" or "tenants.only".
std::string only_option(const Config &);

// Whether it is known which tenants of the source are copied.
bool tenants_known(const Config &, const Graph &, const Catalog &source, const Answers &);
// The source's condition over a row `alias` of the table: it belongs to a tenant that is copied. Empty where all rows are copied. Under
// `only` a row without a tenant (NULL on the path) is none; otherwise it is copied.
std::string tenant_rows(const Config &, const Graph &, const Catalog &source, const Answers &, const Name &table, const std::string &alias = "t");

// The tenants that labels name; production's labels where one names none; references that lead out of what is copied.
std::vector<Question> tenant_choice_questions(const Config &, const Graph &, const Catalog &source, const Answers &);
void add_tenant_choice_obstacles(const Config &, const Graph &, const Catalog &source, const Catalog &target, const Answers &, Plan &);

}  // namespace core
