// What differs between the majors 13 to 18, all of it. For pg.cpp, pg_tables.cpp and the files that work on catalogs and storage.
#pragma once
#include "pg_server.hpp"

#if PG_VERSION_NUM >= 140000
#define UTILITY_ARGS                                                                                                             \
	PlannedStmt *p, const char *sql, bool ro, ProcessUtilityContext context, ParamListInfo par, QueryEnvironment *env, DestReceiver *dest, \
		QueryCompletion *done
#define UTILITY_PASS p, sql, ro, context, par, env, dest, done
#define BEGIN_COPY(state, rel, stmt) BeginCopyFrom(state, rel, nullptr, nullptr, false, nullptr, (stmt)->attlist, (stmt)->options)
#define WRITES_TO(estate, info) (void) 0
#define FORGET_PARENT(child, parent) (void) DeleteInheritsTuple(child, parent, false, nullptr)
#define COMPUTE_GENERATED(info, estate, slot) ExecComputeStoredGenerated(info, estate, slot, CMD_INSERT)
#define STORE_ROWS(dest, store) SetTuplestoreDestReceiverParams(dest, store, CurrentMemoryContext, true, nullptr, nullptr)
#else
#define FORGET_PARENT(child, parent) (void) DeleteInheritsTuple(child, parent)
#define STORE_ROWS(dest, store) SetTuplestoreDestReceiverParams(dest, store, CurrentMemoryContext, true)
#define WRITES_TO(estate, info)                                                                                                  \
	((estate)->es_result_relations = (info), (estate)->es_num_result_relations = 1, (estate)->es_result_relation_info = (info))
#define COMPUTE_GENERATED(info, estate, slot) ExecComputeStoredGenerated(estate, slot, CMD_INSERT)
#define UTILITY_ARGS                                                                                                             \
	PlannedStmt *p, const char *sql, ProcessUtilityContext context, ParamListInfo par, QueryEnvironment *env,                    \
	    DestReceiver *dest, QueryCompletion *done
#define UTILITY_PASS p, sql, context, par, env, dest, done
#define BEGIN_COPY(state, rel, stmt) BeginCopyFrom(state, rel, nullptr, false, nullptr, (stmt)->attlist, (stmt)->options)
#endif
#if PG_VERSION_NUM >= 160000
#define INSERT_INDEX_ENTRIES(info, slot, estate) list_free(ExecInsertIndexTuples(info, slot, estate, false, false, nullptr, NIL, false))
#elif PG_VERSION_NUM >= 140000
#define INSERT_INDEX_ENTRIES(info, slot, estate) list_free(ExecInsertIndexTuples(info, slot, estate, false, false, nullptr, NIL))
#else
#define INSERT_INDEX_ENTRIES(info, slot, estate) list_free(ExecInsertIndexTuples(slot, estate, false, nullptr, NIL))
#endif
#if PG_VERSION_NUM >= 150000
#define ANALYZE_QUERY(raw, sql, types, n) parse_analyze_fixedparams(raw, sql, types, n, nullptr)
#define NULLS_DIFFER(a, b) ((a)->indnullsnotdistinct != (b)->indnullsnotdistinct)
#define INDEX_SINCE_15 ", i.indnullsnotdistinct"
#else
#define ANALYZE_QUERY(raw, sql, types, n) parse_analyze(raw, sql, types, n, nullptr)
#define NULLS_DIFFER(a, b) false
#define INDEX_SINCE_15 ""
#endif
#if PG_VERSION_NUM >= 160000
#define FIRST_SUBID(rel) (rel)->rd_firstRelfilelocatorSubid
#define NEW_SUBID(rel) (rel)->rd_newRelfilelocatorSubid
#define ASSUME_NEW(rel) RelationAssumeNewRelfilelocator(rel)
#define RIGHTS_OF(query) (query)->rteperminfos
using Rights = RTEPermissionInfo;
#define WALKER(f) f
#define DEFINE_INDEX(table, stmt) DefineIndex(table, stmt, InvalidOid, InvalidOid, InvalidOid, -1, false, false, true, true, true)
#else
#define FIRST_SUBID(rel) (rel)->rd_firstRelfilenodeSubid
#define NEW_SUBID(rel) (rel)->rd_newRelfilenodeSubid
#define ASSUME_NEW(rel) RelationAssumeNewRelfilenode(rel)
#define RIGHTS_OF(query) (query)->rtable
using Rights = RangeTblEntry;
#define WALKER(f) reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(f))
#define DEFINE_INDEX(table, stmt) DefineIndex(table, stmt, InvalidOid, InvalidOid, InvalidOid, false, false, true, true, true)
#endif
#if PG_VERSION_NUM >= 180000
#define NO_OTHER_ROW(info, slot, estate, found, index) ExecCheckIndexConstraints(info, slot, estate, found, nullptr, index)
#define EXECUTOR_RUN(desc) ExecutorRun(desc, ForwardScanDirection, 0)
#define REFRESH_VIEW(stmt) ExecRefreshMatView(stmt, "REFRESH MATERIALIZED VIEW", nullptr)
#define SWAP_ALLFROZEN(a, b) std::swap((a)->relallfrozen, (b)->relallfrozen)
#define SET_ENFORCED(cooked) (cooked)->is_enforced = true
#define IS_ENFORCED(check) (check).ccenforced
#define WITHOUT_OVERLAPS(stmt) (stmt)->iswithoutoverlaps
#define CONSTRAINT_SINCE_18 ", k.conenforced, k.conperiod"
#define GENERATED_NEEDS_KEY true
#define NOT_NULL(desc, i) (TupleDescAttr(desc, i)->attnotnull && TupleDescCompactAttr(desc, i)->attnullability != ATTNULLABLE_INVALID)
// populate_compact_attribute() on a copied descriptor would forget that NOT NULL is valid
#define FORGET_NOT_NULL(desc, i) TupleDescCompactAttr(desc, i)->attnullability = ATTNULLABLE_UNRESTRICTED
#else
#if PG_VERSION_NUM >= 140000
#define NO_OTHER_ROW(info, slot, estate, found, index) ExecCheckIndexConstraints(info, slot, estate, found, index)
#else
#define NO_OTHER_ROW(info, slot, estate, found, index) ExecCheckIndexConstraints(slot, estate, found, index)
#endif
#define EXECUTOR_RUN(desc) ExecutorRun(desc, ForwardScanDirection, 0, true)
#define REFRESH_VIEW(stmt) ExecRefreshMatView(stmt, "REFRESH MATERIALIZED VIEW", nullptr, nullptr)
#define SWAP_ALLFROZEN(a, b) (void) 0
#define SET_ENFORCED(cooked) (void) 0
#define IS_ENFORCED(check) true
#define WITHOUT_OVERLAPS(stmt) false
#define CONSTRAINT_SINCE_18 ""
#define GENERATED_NEEDS_KEY false
#define NOT_NULL(desc, i) TupleDescAttr(desc, i)->attnotnull
#define FORGET_NOT_NULL(desc, i) (void) 0
#endif
#if PG_VERSION_NUM >= 170000
#define IS_JSON_EXPR(node) IsA(node, JsonExpr)
#define CLOSE_STORAGE(rel) (void) (rel)
#else
#define IS_JSON_EXPR(node) false
#define CLOSE_STORAGE(rel) RelationCloseSmgrByOid(rel)
#endif
