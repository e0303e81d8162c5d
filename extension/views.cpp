// Materialized views, after the switch, in the order of their dependencies. The server runs a refresh as the view's owner, restricted; it is called
// below the level where event triggers fire.
#include "refresh.hpp"
#include "shadow.hpp"
#include "statistics.hpp"
#include "views.hpp"
#include "pg_versions.hpp"
extern "C" {
#include "commands/matview.h"
}

namespace prodsync {

// CONCURRENTLY lets readers go on; it needs contents and a unique index over plain columns and all rows.
static bool can_go_concurrently(pg::Spi &spi, Oid view)
{
	return spi.one("SELECT c.relispopulated AND EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND "
	               "i.indisvalid AND i.indimmediate"
	               " AND i.indpred IS NULL AND i.indexprs IS NULL) FROM pg_class c WHERE c.oid = $1::oid AND c.relkind = 'm'",
	           {std::to_string(view)}) == "t";
}

static bool refresh_view(const pg::Extension &extension, Oid view, bool beside)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	if (spi.one("SELECT relispopulated FROM pg_class WHERE oid = $1::oid AND relkind = 'm'", {std::to_string(view)}) != "t")
		return false;  // WITH NO DATA stays so
	bool concurrently = !beside && can_go_concurrently(spi, view);
	pg::call([=] {
		RefreshMatViewStmt *stmt = makeNode(RefreshMatViewStmt);
		stmt->concurrent = concurrently;
		stmt->relation = makeRangeVar(get_namespace_name(get_rel_namespace(view)), get_rel_name(view), -1);
		(void) REFRESH_VIEW(stmt);
	});
	return true;
}

void refresh_masked_view(const pg::Extension &extension, Oid view)
{
	// Of a view that has become empty, ANALYZE says nothing, and what was said of its rows would stay; likewise of one that was never populated again.
	if (!pg::call([=] { return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(view)); })) return;    // dropped since
	const bool refreshed = refresh_view(extension, view, true);
	forget_statistics(extension, {{view, InvalidOid}});
	if (refreshed) analyze(extension, view);
}

void step_refresh(const pg::Extension &extension, int run, const StepRow &step)
{
	bool masked = false;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		masked = spi.one("SELECT 1 FROM prodsync_work.run WHERE run = $1::int AND kind = 'anonymize'", {std::to_string(run)}).has_value();
	}
	if (masked) refresh_masked_view(extension, step.original);
	else refresh_view(extension, step.original, false);
}

}  // namespace prodsync
