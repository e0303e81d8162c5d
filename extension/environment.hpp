// The label of this database, and who may give it.
#pragma once
#include "pg.hpp"

namespace prodsync {

// PS_REFUSED unless this very database was said to be refreshable: everything that replaces rows asks here first.
void require_refreshable(const pg::Extension &);
// Has the role the rights of this database's owner (a superuser has)?
bool owns_database(Oid role);

}  // namespace prodsync
