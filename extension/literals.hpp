// Literals in expressions that belong to owners of tables. The parser reads a literal at once, by the input function of its type; of a domain, and of
// what is made of domains (arrays, ranges, composite types), that runs the domain's CHECK: code of its owner, as whoever parses.
#pragma once
#include "pg.hpp"

namespace prodsync {

// Whether parsing the object's expression again may run such code. `catalog` has it: pg_constraint, pg_attrdef, pg_class (an index's). By what the
// expression depends on, so true also where it only casts to such a type.
bool literals_may_run_code(pg::Spi &, const char *catalog, Oid object);

}  // namespace prodsync
