// Is this the database to be refreshed, and is it none other than that? Read-only questions, before anything is written.
#pragma once
#include <string>
#include <vector>
#include "connection.hpp"

namespace client {

// The extension on the target: its schema, looked up in pg_extension, qualifies every call.
struct Extension {
	std::string schema, version;
	std::string call(const std::string &function) const;     // extensions.sync_plan
};
// Throws exit 4: not installed (with the CREATE EXTENSION to type), or of another version than this client.
Extension find_extension(Connection &target);

struct Environment {                 // the label
	std::string name, reason;        // reason: why it is not refreshable
	bool refreshable = false;
};
Environment environment(Connection &target, const Extension &);
// Exit 4 unless the label is `demanded` (empty: any) and refreshable.
void demand_label(const Connection &target, const Extension &, const Environment &, const std::string &demanded);

struct Identity {                    // which database of which server
	std::string system_identifier;
	bool in_recovery = false;
};
Identity identity(Connection &);
// Exit 4 where source and target are the same database, or the source is a replica of the target. Adds warnings to `warnings`.
void demand_two_databases(Connection &source, Connection &target, std::vector<std::string> &warnings);
// The other way round, for a database that is masked in place: exit 4 where two sessions of one connection string are not on one database (a list of
// hosts, a proxy that chooses), or it is a standby.
void demand_one_database(Connection &source, Connection &target);

}  // namespace client
