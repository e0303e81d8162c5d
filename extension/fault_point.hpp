// Points at which the tests of test/faults/ stop a session of the server, to break something at that very moment. Only a build with
// FAULTS=1 has them; elsewhere FAULT_POINT() is nothing, and what it is given is not evaluated. A new one is visited by
// `make check-faults` without further ado: the tests ask a refresh which points it passes.
#pragma once
#ifdef PRODSYNC_FAULTS
#include <string>
namespace prodsync {
void fault_point(const std::string &name);
// The point is passed when the transaction commits, right before its record is written.
void fault_point_at_commit(const char *name);
}  // namespace prodsync
#define FAULT_POINT(name) prodsync::fault_point(name)
#define FAULT_POINT_AT_COMMIT(name) prodsync::fault_point_at_commit(name)
#else
#define FAULT_POINT(name) static_cast<void>(0)
#define FAULT_POINT_AT_COMMIT(name) static_cast<void>(0)
#endif
