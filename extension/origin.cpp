#include "origin.hpp"
#include <map>

namespace prodsync {

std::vector<Origin> known_origins(pg::Tables &sql, const core::Catalog &target, const std::string &system_identifier, const std::string &database)
{
	std::map<Oid, core::Name> names;
	for (const auto &[name, relation] : target.relations) names[static_cast<Oid>(relation.oid)] = name;
	std::vector<Origin> out;
	// xmin has 32 bits: an xid of a run more than two thousand million transactions ago proves nothing.
	for (const pg::Row &row :
	    sql.rows("SELECT DISTINCT CASE s.kind WHEN 'load' THEN s.original ELSE 0 END, (s.xid::text::numeric % 4294967296)::text "
	             "FROM prodsync_work.run_step s"
	             " JOIN prodsync_work.run r USING (run) WHERE s.kind IN ('load', 'switch') AND s.xid IS NOT NULL AND r.kind = "
	             "'refresh' AND r.status IN ('switched', 'done')"
	             " AND r.source ->> 'system_identifier' = $1 AND r.source ->> 'database' = $2"
	             " AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - s.xid::text::numeric < 2000000000 ORDER BY 1, 2",
	        {system_identifier, database})) {
		Oid leaf = static_cast<Oid>(std::stoul(row[0].value_or("0")));
		if (leaf == InvalidOid) out.push_back({leaf, {}, *row[1]});
		else if (auto found = names.find(leaf); found != names.end())    // routed: the root's load
			for (const core::Relation *one : target.storage(found->second)) out.push_back({static_cast<Oid>(one->oid), one->name, *row[1]});
	}
	return out;
}

pg::Row origin_arguments(const std::vector<Origin> &origins)
{
	std::string loads, switches;
	for (const Origin &origin : origins) {
		std::string &list = origin.leaf == InvalidOid ? switches : loads;
		list += (list.empty() ? "" : ",") + (origin.leaf == InvalidOid ? "" : std::to_string(origin.leaf) + "/") + origin.xmin;
	}
	return {"{" + loads + "}", "{" + switches + "}"};
}

}  // namespace prodsync
