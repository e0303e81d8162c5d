// Shared by shadow, index and switch: what makes two relations twins. C code: call it inside pg::call only.
#pragma once
#include "pg_server.hpp"

namespace prodsync {

Oid work_schema();
// Everything a row of the table must satisfy, and what computes its columns, as CookedConstraints.
List *rules_of(Relation rel);
// Errors (PS_STALE, with the reason) unless the shadow's rows can be the original's.
void check_layout(Relation rel, Relation shadow);
// The index among `others` that has the same definition as `index` and is usable by every snapshot; InvalidOid where there is none. A
// twin goes by definition, not by oid: REINDEX CONCURRENTLY gives the original's index a new one.
Oid twin_of(Relation rel, Oid index, List *others);
[[noreturn]] void refuse(Relation rel, const char *why);

}  // namespace prodsync
