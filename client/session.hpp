// What every session of a refresh begins with.
#pragma once
#include <string>
#include <vector>
#include "connection.hpp"

namespace client {

// The settings in one round trip.
inline void settle(Connection &connection, const std::vector<std::string> &settings)
{
	std::string all;
	for (const std::string &one : settings) all += one + "; ";
	connection.exec(all);
}

// A wait for somebody else's lock ends after a minute, with 55P03. A shorter limit that the role or the database has is kept.
inline void limit_lock_waits(Connection &connection)
{
	connection.exec("SELECT pg_catalog.set_config('lock_timeout', CASE WHEN reset_val::pg_catalog.int4 BETWEEN 1 AND 60000 THEN "
	                "reset_val ELSE '60s' END, false)"
	                " FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'");
}

}  // namespace client
