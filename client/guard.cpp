#include "guard.hpp"
#include <random>
#include "../extension/core/name.hpp"

namespace client {

std::string Extension::call(const std::string &function) const { return core::quote_identifier(schema) + "." + function; }

Extension find_extension(Connection &target)
{
	const std::string where = target.database() + " @ " + target.host();
	Result found = target.exec("SELECT n.nspname, e.extversion FROM pg_catalog.pg_extension AS e "
							   "JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace "
							   "WHERE e.extname OPERATOR(pg_catalog.=) 'prodsync'");
	if (found.rows() == 0)
		throw Error(exit_refused, target.endpoint().label + " does not have the extension prodsync",
			"on its server: make install-extension; then let a superuser run in " + where + ":  CREATE EXTENSION prodsync");
	Extension extension{found.text(0, 0), found.text(0, 1)};
	std::string library;
	try {
		library = target.one("SELECT " + extension.call("sync_version()")).value_or("");
	} catch (Error &error) {
		if (error.sqlstate == "42501")
			throw Error(exit_refused, "the role " + target.user() + " may not use prodsync on " + target.endpoint().label,
			    "let the owner of the extension run in " + where + ":  SELECT " + extension.call("sync_grant(") +
			        core::quote_literal(target.user()) + ")");
		if (error.sqlstate == "58P01" || error.sqlstate == "42883")
			throw Error(exit_refused, "the server of " + target.endpoint().label + " cannot load the library of prodsync",
				"on its server: make install-extension");
		throw;
	}
	const std::string &odd = library != VERSION ? library : extension.version;
	if (odd != VERSION)
		throw Error(exit_refused, "this client is prodsync " VERSION ", the " + std::string(&odd == &library ? "library" : "extension") + " of " +
				target.endpoint().label + " is " + odd,
			&odd == &library ? "install the same version on both machines (make install-client, make install-extension; then reconnect)"
							 : "run in " + where + ":  ALTER EXTENSION prodsync UPDATE TO " + core::quote_literal(VERSION));
	return extension;
}

Environment environment(Connection &target, const Extension &extension)
{
	Result found = target.exec("SELECT name, refreshable, reason FROM " + extension.call("sync_environment()"));
	if (found.rows() == 0) return {};
	return {found.text(0, 0), found.text(0, 2), found.text(0, 1) == "t"};
}

void demand_label(const Connection &target, const Extension &extension, const Environment &label, const std::string &demanded)
{
	const std::string where = target.database() + " @ " + target.host();
	const std::string name = demanded.empty() ? (label.name.empty() ? "uat" : label.name) : demanded;
	const std::string hint = "if " + where + " is the right database, let its owner run:  SELECT " + extension.call("sync_set_environment(") +
		core::quote_literal(name) + ", true)";
	if (!label.refreshable)
		throw Error(exit_refused,
		    target.endpoint().label + " is not marked as refreshable" + (label.reason.empty() ? "" : " (" + label.reason + ")") +
		        "; nothing was changed",
		    hint);
	if (!demanded.empty() && label.name != demanded)
		throw Error(exit_refused,
		    "the database behind " + target.endpoint().label + " carries the label \"" + label.name + "\"; nothing was changed",
		    hint);
}

Identity identity(Connection &connection)
{
	Result found = connection.exec("SELECT system_identifier, pg_catalog.pg_is_in_recovery() FROM pg_catalog.pg_control_system()");
	return {found.text(0, 0), found.text(0, 1) == "t"};
}

namespace {

// A lock that nobody else can have taken, seen from the other side: names, addresses and tunnels cannot deceive it.
enum class Seen { not_at_all, in_another_database, in_this_database };

Seen see(Connection &source, Connection &target)
{
	std::random_device random;
	const auto first = static_cast<std::int32_t>(random()), second = static_cast<std::int32_t>(random());
	const Params keys{std::to_string(first), std::to_string(second)};
	if (source.one("SELECT pg_catalog.pg_try_advisory_lock($1::pg_catalog.int4, $2::pg_catalog.int4)", keys) != "t")
		throw Error(exit_refused,
		    "cannot tell whether " + source.endpoint().label + " and " + target.endpoint().label + " are the same database",
		    "run it again");
	Result seen = target.exec("SELECT d.oid IS NOT NULL FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_database AS d "
							  "ON d.oid = l.database AND d.datname = pg_catalog.current_database() "
							  "WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = ($1::pg_catalog.int8 & 4294967295)::pg_catalog.oid "
							  "AND l.objid = ($2::pg_catalog.int8 & 4294967295)::pg_catalog.oid",
		keys);
	source.exec("SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int4, $2::pg_catalog.int4)", keys);
	return seen.rows() == 0 ? Seen::not_at_all : seen.text(0, 0) == "t" ? Seen::in_this_database : Seen::in_another_database;
}

Error standby(const Connection &target)
{
	return {exit_refused, target.endpoint().label + " is a standby: it cannot be written to",
	    "name its primary; host and port come from " + target.endpoint().origin};
}

}  // namespace

void demand_one_database(Connection &source, Connection &target)
{
	if (identity(target).in_recovery) throw standby(target);
	if (see(source, target) != Seen::in_this_database)
		throw Error(exit_refused, "two sessions of " + target.endpoint().label + " are on different databases; nothing was changed",
			"its connection string names several servers, or a proxy that chooses one: name one; it comes from " + target.endpoint().origin);
}

void demand_two_databases(Connection &source, Connection &target, std::vector<std::string> &warnings)
{
	const std::string &from = source.endpoint().label, &to = target.endpoint().label;
	const Identity source_id = identity(source), target_id = identity(target);
	if (target_id.in_recovery) throw standby(target);
	const Seen seen = see(source, target);
	if (seen == Seen::in_this_database)
		throw Error(exit_refused,
		    from + " and " + to + " are the same database (" + target.database() + " @ " + target.host() +
		        "); nothing was changed",
		    "look at host, port and dbname of both; they come from " + source.endpoint().origin + " and " +
		        target.endpoint().origin);
	if (seen == Seen::in_another_database) {
		warnings.push_back(from + " and " + to + " are databases of one server");
		return;
	}
	if (source_id.system_identifier != target_id.system_identifier) return;
	if (source_id.in_recovery)
		throw Error(exit_refused, from + " is a replica of the server of " + to + ": it would be refreshed from itself; nothing was changed",
			"look at host and port of both; they come from " + source.endpoint().origin + " and " + target.endpoint().origin);
	warnings.push_back("the servers of " + from + " and " + to + " have the same system identifier: one is a physical copy of the other");
}

}  // namespace client
