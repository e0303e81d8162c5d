#include "published.hpp"
#include "pg_server.hpp"
#include "subtransaction.hpp"

namespace prodsync {

// Publications are looked at as the server does it before it writes; what it says is not repeated, since it is about one of UPDATE and DELETE.
static bool can_change_rows_of(Oid relation)
{
	return succeeds([=] {
		pg::call([=] {
			Relation rel = table_open(relation, AccessShareLock);
			for (CmdType command : {CMD_UPDATE, CMD_DELETE}) CheckCmdReplicaIdentity(rel, command);
			table_close(rel, NoLock);
		});
	});
}

bool can_change_rows(const Refresh &refresh, const core::Name &table)
{
	if (!can_change_rows_of(refresh.oid(table))) return false;
	for (const core::Relation *leaf : refresh.catalog().storage(table))
		if (!can_change_rows_of(static_cast<Oid>(leaf->oid))) return false;
	return true;
}

Check not_changeable(const std::string &object, const core::Name &table, std::int64_t rows)
{
	return {"rows of a published table", object, rows,
	    core::json{{"text",
	                   "references of a table that stays have to follow, but a publication carries it and it has no replica identity, so the server refuses; "
	                   "ALTER TABLE " +
	                       table.sql() + " REPLICA IDENTITY FULL (of a partitioned table each partition), or give it a primary key"}}
	        .dump(),
	    false};
}

}  // namespace prodsync
