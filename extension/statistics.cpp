#include "refresh.hpp"
#include "statistics.hpp"
#include <algorithm>
#include "fault_point.hpp"
#include "locks.hpp"
#include "shadow.hpp"
#include "subtransaction.hpp"
#include "pg_server.hpp"
extern "C" {
#include "catalog/pg_inherits.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_statistic_ext_data.h"
#include "commands/vacuum.h"
#include "storage/bufmgr.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
}

namespace prodsync {

// Partitioned tables and parents by inheritance, to any height, those among `relations` too: their statistics are of all rows below.
static std::vector<Oid> ancestors(const pg::Extension &extension, const std::vector<Oid> &relations)
{
	std::string list;
	for (Oid relation : relations) list += (list.empty() ? "" : ",") + std::to_string(relation);
	pg::AsExtension as(extension);
	pg::Spi spi;
	std::vector<Oid> out;
	for (const pg::Row &row :
	    spi.rows("WITH RECURSIVE up AS (SELECT i.inhparent AS oid FROM pg_inherits i WHERE i.inhrelid = ANY ($1::oid[])"
	             " UNION SELECT c.oid FROM pg_class c WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'p'"
	             " UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid) SELECT oid FROM up ORDER BY oid",
	        {"{" + list + "}"}))
		out.push_back(static_cast<Oid>(std::stoul(*row[0])));
	return out;
}

// Of CREATE STATISTICS. Until release 14 each has one row that has to stay; ANALYZE writes into it.
static void forget_extended(Oid relation)
{
	Relation table = table_open(relation, NoLock), data = table_open(StatisticExtDataRelationId, RowExclusiveLock);
	ListCell *c;
	foreach(c, RelationGetStatExtList(table)) {
		ScanKeyData key;
		ScanKeyInit(&key, Anum_pg_statistic_ext_data_stxoid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(lfirst_oid(c)));
#if PG_VERSION_NUM >= 150000
		SysScanDesc scan = systable_beginscan(data, StatisticExtDataStxoidInhIndexId, true, nullptr, 1, &key);
		while (HeapTuple t = systable_getnext(scan)) CatalogTupleDelete(data, &t->t_self);
#else
		SysScanDesc scan = systable_beginscan(data, StatisticExtDataStxoidIndexId, true, nullptr, 1, &key);
		while (HeapTuple t = systable_getnext(scan)) {
			Datum values[Natts_pg_statistic_ext_data] = {};
			bool nulls[Natts_pg_statistic_ext_data], replace[Natts_pg_statistic_ext_data];
			for (int i = 0; i < Natts_pg_statistic_ext_data; i++) nulls[i] = replace[i] = i + 1 != Anum_pg_statistic_ext_data_stxoid;
			HeapTuple now = heap_modify_tuple(t, RelationGetDescr(data), values, nulls, replace);
			CatalogTupleUpdate(data, &t->t_self, now);
		}
#endif
		systable_endscan(scan);
	}
	table_close(data, RowExclusiveLock);
	table_close(table, NoLock);
}

static void forget(Oid relation)
{
	LockRelationOid(relation, ShareUpdateExclusiveLock);    // against an ANALYZE that has read and not yet written
	RemoveStatistics(relation, 0);
	forget_extended(relation);
	Relation table = table_open(relation, NoLock);
	ListCell *c;
	foreach(c, RelationGetIndexList(table)) RemoveStatistics(lfirst_oid(c), 0);
	table_close(table, NoLock);
	CommandCounterIncrement();
}

// What the switch does not bring: of whole trees, and of CREATE STATISTICS.
static void forget_what_stays(Oid relation)
{
	LockRelationOid(relation, ShareUpdateExclusiveLock);
	Relation pg_statistic = table_open(StatisticRelationId, RowExclusiveLock);
	ScanKeyData key;
	ScanKeyInit(&key, Anum_pg_statistic_starelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	SysScanDesc scan = systable_beginscan(pg_statistic, StatisticRelidAttnumInhIndexId, true, nullptr, 1, &key);
	while (HeapTuple t = systable_getnext(scan))
		if (reinterpret_cast<Form_pg_statistic>(GETSTRUCT(t))->stainherit) CatalogTupleDelete(pg_statistic, &t->t_self);
	systable_endscan(scan);
	table_close(pg_statistic, RowExclusiveLock);
	forget_extended(relation);
	CommandCounterIncrement();
}

void forget_statistics(const pg::Extension &extension, const std::map<Oid, Oid> &pairs)
{
	std::vector<Oid> relations;
	for (const auto &[original, shadow] : pairs) relations.push_back(original);
	for (Oid parent : ancestors(extension, relations)) relations.push_back(parent);
	pg::AsExtension as(extension);
	for (Oid relation : relations) pg::call([=] { forget(relation); });
}

struct ToAnalyze {
	Oid relation;
	std::vector<std::string> columns;    // none: all
};

// Whole trees, and of tables with CREATE STATISTICS the columns of those: what they have of their own has come with the switch. Read in pg_statistic_ext,
// for opening a table may have to wait.
static std::vector<ToAnalyze> to_analyze(const pg::Extension &extension, const std::vector<Oid> &originals)
{
	std::string list;
	const std::vector<Oid> trees = ancestors(extension, originals);
	std::vector<ToAnalyze> out;
	for (Oid relation : trees) out.push_back({relation, {}});
	for (Oid relation : originals)
		if (std::find(trees.begin(), trees.end(), relation) == trees.end()) list += (list.empty() ? "" : ",") + std::to_string(relation);
	pg::AsExtension as(extension);
	pg::Spi spi;
	for (const pg::Row &row : spi.rows("SELECT e.stxrelid, a.attname FROM pg_statistic_ext e LEFT JOIN pg_attribute a ON a.attrelid = e.stxrelid AND"
	                                   " a.attnum = ANY (e.stxkeys::int2[]) WHERE e.stxrelid = ANY ($1::oid[]) GROUP BY 1, 2 ORDER BY 1, 2",
	         {"{" + list + "}"})) {
		const Oid relation = static_cast<Oid>(std::stoul(*row[0]));
		if (out.empty() || out.back().relation != relation) out.push_back({relation, {}});
		if (row[1]) out.back().columns.push_back(*row[1]);
	}
	return out;
}

// ANALYZE as a statement would go through all partitions of a tree once more.
static void analyze_rows_of(const ToAnalyze &one)
{
	pg::call([&] {
		VacuumParams params = {};
		params.options = VACOPT_ANALYZE;
		params.log_min_duration = -1;
		List *columns = NIL;
		for (const std::string &column : one.columns) columns = lappend(columns, makeString(pstrdup(column.c_str())));
		analyze_rel(one.relation, nullptr, &params, columns, true, GetAccessStrategy(BAS_VACUUM));
		CommandCounterIncrement();
	});
}

std::vector<Oid> gather_statistics(const pg::Extension &extension, const std::vector<Oid> &originals, OnFailure then)
{
	std::vector<Oid> failed;
	for (const ToAnalyze &one : to_analyze(extension, originals)) {
		const auto gather = [&] {
			pg::AsExtension as(extension);
			analyze_rows_of(one);
		};
		if (then == OnFailure::raise) gather();
		// An expression of an index or a CREATE STATISTICS may raise an error over some row. What the old statistics said goes all the same: it is of
		// rows that are gone. Where somebody holds the table neither can be done.
		else if (!succeeds(gather)) {
			failed.push_back(one.relation);
			(void) succeeds([&] {
				pg::AsExtension as(extension);
				pg::call([&] { forget_what_stays(one.relation); });
			});
		}
		pg::check_interrupts();
	}
	return failed;
}

// Rows of a catalog that were deleted stay in its file until their place is used again, and a vacuum only forgets where they are. CLUSTER writes
// the file anew. Whoever plans a statement reads these two catalogs, so the locks are tried for, all at once and briefly.
static void rewrite(const pg::Extension &extension, const std::vector<std::pair<Oid, Oid>> &catalogs)
{
	std::vector<Wanted> wanted;
	for (const auto &[catalog, index] : catalogs) wanted.push_back({catalog, Strength::access_exclusive});
	std::optional<Holders> holders;
	for (long waited = 0; waited < 30'000; waited += 200) {
		holders = try_locks(wanted, 100);
		if (!holders) break;
		pg::call([] {
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 200, PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		});
	}
	if (holders)
		throw pg::Error(PS_LOCKED, holders->relation + " is in use", holders->json,
		    "Its file still holds old statistics: VACUUM FULL " + holders->relation + ";");
	pg::AsExtension as(extension);
	for (const auto &[catalog, index] : catalogs) {
		const std::string by = sql_name(index);
		pg::Spi spi;
		spi.run("CLUSTER " + sql_name(catalog) + " USING " + by.substr(by.find('.') + 1));
	}
}

// Nobody who masks has to read the server's log to learn that plans will be bad.
static void note_in_ledger(const pg::Extension &extension, int run, const std::vector<Oid> &not_gathered)
{
	std::vector<Check> notes;
	for (Oid relation : not_gathered) {
		if (!pg::call([=] { return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)); })) continue;    // dropped meanwhile
		notes.push_back({"statistics not gathered", sql_name(relation), 1,
		    core::json{{"text", "ANALYZE " + sql_name(relation) + "; says why"}}.dump(), true});
	}
	ledger::record(extension, run, notes);
}

void gather_statistics_of(const pg::Extension &extension, int run)
{
	std::vector<Oid> originals;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		for (const pg::Row &row :
		    spi.rows("SELECT DISTINCT s.original FROM prodsync_work.run_step s JOIN pg_class c ON c.oid = s.original WHERE s.run "
		             "= $1::int AND s.kind IN ('load', 'empty', 'index', 'verify') AND c.relkind IN ('r', 'p')",
		        {std::to_string(run)}))
			originals.push_back(static_cast<Oid>(std::stoul(*row[0])));
	}
	note_in_ledger(extension, run, gather_statistics(extension, originals, OnFailure::go_on));
}

void step_clean(const pg::Extension &extension, int run)
{
	gather_statistics_of(extension, run);
	FAULT_POINT("clean: statistics gathered");
#if PG_VERSION_NUM >= 150000
	const Oid of_extended = StatisticExtDataStxoidInhIndexId;
#else
	const Oid of_extended = StatisticExtDataStxoidIndexId;
#endif
	rewrite(extension, {{StatisticRelationId, StatisticRelidAttnumInhIndexId}, {StatisticExtDataRelationId, of_extended}});
}

}  // namespace prodsync
