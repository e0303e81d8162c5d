// Points at which the tests of test/faults/ stop the client, to break something at that very moment. Only a build with FAULTS=1 has
// them; elsewhere FAULT_POINT() is nothing, and what it is given is not evaluated. A new one is visited by `make check-faults` without
// further ado: the tests ask a refresh which points it passes.
#pragma once
#ifdef PRODSYNC_FAULTS
#include <string>
namespace client {
void fault_point(const std::string &name);
}
#define FAULT_POINT(name) client::fault_point(name)
#else
#define FAULT_POINT(name) static_cast<void>(0)
#endif
