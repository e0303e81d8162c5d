// The guard. A label holds for the database it was given to: system identifier, oid and name together. What was restored from a dump or
// renamed has lost it. A physical copy has not; that it is not production's own replica is for the client to find out, which sees both.
#include "environment.hpp"
#include "core/name.hpp"
#include "pg_server.hpp"
extern "C" {
#include "catalog/pg_database.h"
#include "utils/acl.h"
}

namespace prodsync {

struct Label {
	std::string name;  // empty: none was given
	bool refreshable = false;
	std::string reason;  // why not
};

static constexpr const char *label_here = R"(
SELECT e.name, e.refreshable, e.database_name,
       e.system_identifier = (SELECT system_identifier FROM pg_control_system())
       AND e.database_oid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND e.database_name = current_database()
  FROM prodsync_work.environment e)";

static Label label(const pg::Extension &extension)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	std::vector<pg::Row> found = spi.rows(label_here);
	if (found.empty()) return {"", false, "it has no label"};
	const pg::Row &row = found[0];
	if (row[3] != "t")
		return {*row[0], false,
		    "the label was given to another database, \"" + *row[2] + "\": this one is a copy of it, or was renamed"};
	if (row[1] != "t") return {*row[0], false, "its label says that it is not"};
	return {*row[0], true, ""};
}

void require_refreshable(const pg::Extension &extension)
{
	Label found = label(extension);
	if (found.refreshable) return;
	std::string name = found.name.empty() ? "uat" : found.name;
	throw pg::Error(PS_REFUSED, "this database may not be refreshed: " + found.reason, {},
	    "If its rows may be replaced, its owner says so: SELECT sync_set_environment(" + core::quote_literal(name) + ", true)");
}

bool owns_database(Oid role)
{
	return pg::call([=] {
		HeapTuple t = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
		if (!HeapTupleIsValid(t)) pg::raise(ERRCODE_UNDEFINED_DATABASE, "the database is gone");
		Oid owner = reinterpret_cast<Form_pg_database>(GETSTRUCT(t))->datdba;
		ReleaseSysCache(t);
		return has_privs_of_role(role, owner);
	});
}

PG_FUNCTION(prodsync_set_environment)
{
	pg::prevent_in_read_only("sync_set_environment()");
	pg::Extension extension = pg::extension_of(fcinfo);
	if (!owns_database(pg::caller()))
		throw pg::Error(
		    ERRCODE_INSUFFICIENT_PRIVILEGE, "only the owner of the database or a superuser may say whether it can be refreshed");
	std::string name = pg::arg_text(fcinfo, 0), role = pg::role_name(pg::caller());
	if (name.find_first_not_of(" \t\n\r") == std::string::npos)
		throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "the label is empty", {}, "For example 'uat' or 'staging'.");
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run(
	    "INSERT INTO prodsync_work.environment AS e (name, refreshable, system_identifier, database_oid, database_name, set_by)"
	    " SELECT $1, $2::bool, (SELECT system_identifier FROM pg_control_system()), d.oid, d.datname, $3::name FROM pg_database "
	    "d WHERE d.datname = current_database()"
	    " ON CONFLICT (one) DO UPDATE SET name = excluded.name, refreshable = excluded.refreshable, system_identifier = "
	    "excluded.system_identifier,"
	    " database_oid = excluded.database_oid, database_name = excluded.database_name, set_by = excluded.set_by, set_at = now()",
	    {name, PG_GETARG_BOOL(1) ? "t" : "f", role});
	PG_RETURN_VOID();
}

PG_FUNCTION(prodsync_environment)
{
	Label found = label(pg::extension_of(fcinfo));
	auto given = [](const std::string &text) { return text.empty() ? pg::Value() : pg::Value(text); };
	return pg::table(fcinfo, {{given(found.name), found.refreshable ? "t" : "f", given(found.reason)}});
}

}  // namespace prodsync
