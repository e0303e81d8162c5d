// sync_grant(): what the role that runs refreshes needs. EXECUTE is the gate; nobody gets a right on a table or on the private schema.
#include "core/name.hpp"
#include "environment.hpp"
#include "pg_server.hpp"
extern "C" {
#include "utils/acl.h"
}

namespace prodsync {

static constexpr const char *grants = R"(
SELECT format('EXECUTE ON FUNCTION %s', p.oid::regprocedure)
  FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
 WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = $1::oid AND d.deptype = 'e'
   AND p.proname NOT IN ('sync_grant', 'sync_set_environment')
   -- a refresh masks in the client; with the server's key these would be an oracle for whoever may call them
   -- (those with a body in SQL do nothing but call sync_mask())
   AND p.prosrc NOT IN ('prodsync_set_key', 'prodsync_anonymize') AND p.prosrc !~ '^prodsync_mask' AND p.prosqlbody IS NULL
UNION ALL
SELECT format('SELECT ON %I.%I', n.nspname, c.relname)
  FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = $1::oid AND d.deptype = 'e' AND c.relkind = 'v'
UNION ALL
SELECT format('USAGE ON SCHEMA %I', nspname) FROM pg_namespace WHERE oid = $2::oid AND nspname <> 'public')";

static bool owns_extension(Oid role, Oid owner)
{
	return pg::call([=] { return has_privs_of_role(role, owner); });
}

PG_FUNCTION(prodsync_grant)
{
	pg::prevent_in_read_only("sync_grant()");
	pg::Extension extension = pg::extension_of(fcinfo);
	if (!owns_extension(pg::caller(), extension.owner) && !owns_database(pg::caller()))
		throw pg::Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
		    "only the owner of the database or of the extension, or a superuser, may let others run refreshes");
	std::string role = core::quote_identifier(pg::role_name(static_cast<Oid>(pg::arg_int(fcinfo, 0))));
	pg::AsExtension as(extension);
	pg::Spi spi;
	for (const pg::Row &row : spi.rows(grants, {std::to_string(extension.oid), std::to_string(extension.schema)}))
		spi.run("GRANT " + *row[0] + " TO " + role);
	PG_RETURN_VOID();
}

}  // namespace prodsync
