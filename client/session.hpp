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

}  // namespace client
