// A condition sees its table as a named tuplestore, like a trigger its transition tables: it is planned and run by the caller, and the table's
// indexes, whose functions are the owner's, are not in sight. Reading the table is the owner's (pg_tables.cpp), who in turn never runs the condition.
#include "condition.hpp"
#include "core/name.hpp"
#include "core/predicate.hpp"
#include "pg_server.hpp"
#include "pg_versions.hpp"
#include "content.hpp"
#include "inputs.hpp"
extern "C" {
#include "executor/spi_priv.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
#include "utils/rls.h"
}

namespace prodsync {

static constexpr const char *rows_name = "prodsync_rows";

bool condition_runs = false;

bool may_select(const core::Relation &table, const std::string &column)
{
	Oid relation = static_cast<Oid>(table.oid);
	const char *name = column.c_str();
	return pg::call([=] {
		// As a query of his own would see them: all of its rows, or not at all.
		if (check_enable_rls(relation, GetUserId(), true) == RLS_ENABLED) return false;
		if (!DatumGetBool(DirectFunctionCall2(
		        has_schema_privilege_id, ObjectIdGetDatum(get_rel_namespace(relation)), CStringGetTextDatum("USAGE"))))
			return false;
		AttrNumber number = get_attnum(relation, name);
		return pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
			   (number != InvalidAttrNumber && pg_attribute_aclcheck(relation, number, GetUserId(), ACL_SELECT) == ACLCHECK_OK);
	});
}

std::string grant_select(const core::Relation &table, const std::vector<std::string> &columns)
{
	std::vector<std::string> names;
	for (const std::string &column : columns) names.push_back(core::quote_identifier(column));
	return "GRANT SELECT (" + core::joined(names, ", ") + ") ON " + table.name.sql() + " TO " + core::quote_identifier(pg::role_name(pg::caller()));
}

// Values of the rows go nowhere but into the comparison. Built in is not enough: query_to_xml() runs any SQL, jsonb_populate_record() the CHECK
// of any domain, pg_notify() tells everybody. What is immutable does none of that. A function without arguments (now()) gets no value.
static bool is_foreign_function(Oid function, void *)
{
	if (function >= FirstNormalObjectId) return true;
	HeapTuple t = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(t)) return true;
	Form_pg_proc form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(t));
	bool harmless = form->provolatile == PROVOLATILE_IMMUTABLE || form->pronargs == 0;
	ReleaseSysCache(t);
	return !harmless;
}
static bool may_carry_away(Node *node, void *)
{
	if (!node) return false;
	if (IsA(node, SubLink) || IsA(node, CoerceToDomain) || IsA(node, NextValueExpr) || IS_JSON_EXPR(node)) return true;
	if (IsA(node, CoerceViaIO)) {    // the input function of a domain runs its CHECKs
		const CoerceViaIO *cast = reinterpret_cast<CoerceViaIO *>(node);
		return cast->resulttype >= FirstNormalObjectId || exprType(reinterpret_cast<Node *>(cast->arg)) >= FirstNormalObjectId ||
			   may_carry_away(reinterpret_cast<Node *>(cast->arg), nullptr);
	}
	if (check_functions_in_node(node, is_foreign_function, nullptr)) return true;
	return expression_tree_walker(node, WALKER(may_carry_away), nullptr);
}
static bool only_compares(SPIPlanPtr plan)
{
	ListCell *p, *q;
	foreach(p, SPI_plan_get_plan_sources(plan))
		foreach(q, static_cast<CachedPlanSource *>(lfirst(p))->query_list) {
			const Query *query = static_cast<Query *>(lfirst(q));
			if (may_carry_away(reinterpret_cast<Node *>(query->jointree), nullptr)) return false;
		}
	return true;
}

static void name_option(void *option) { errcontext("condition %s of the configuration", static_cast<const char *>(option)); }

// Like pg::call(); an error says in its CONTEXT which condition it was. (The client looks for that.)
template <class F> static auto call_for(const char *option, F f)
{
	return pg::call([=] {
		ErrorContextCallback callback{error_context_stack, name_option, const_cast<char *>(option)};
		error_context_stack = &callback;
		auto result = f();
		error_context_stack = callback.previous;
		return result;
	});
}

// "SELECT WHERE (...)" and nothing behind it: neither a second statement nor a UNION.
static void require_condition(const std::string &condition, const char *option)
{
	std::string text = "SELECT WHERE (\n" + condition + "\n)";
	const char *sql = text.c_str();
	call_for(option, [=] {
		List *statements = pg_parse_query(sql);
		Node *node = static_cast<RawStmt *>(linitial(statements))->stmt;
		const SelectStmt *s = IsA(node, SelectStmt) ? reinterpret_cast<SelectStmt *>(node) : nullptr;
		bool one = list_length(statements) == 1 && s && s->whereClause && s->op == SETOP_NONE && !s->targetList &&
		    !s->fromClause && !s->groupClause && !s->havingClause && !s->windowClause && !s->sortClause && !s->limitOffset &&
		    !s->limitCount && !s->lockingClause && !s->intoClause;
		if (!one) pg::raise(ERRCODE_SYNTAX_ERROR, "%s is not one SQL condition", option);
		return one;
	});
}

namespace {

// The caller's own rights for what is inside: SET ROLE is refused, row security errs instead of hiding rows, settings end here.
class AsCaller {
	int calm = std::uncaught_exceptions();
	Oid user;
	int context;
	pg::Settings settings;

public:
	AsCaller()
	{
		GetUserIdAndSecContext(&user, &context);
		settings.set("row_security", "off");
		SetUserIdAndSecContext(user, context | SECURITY_LOCAL_USERID_CHANGE);
		condition_runs = true;
	}
	~AsCaller()
	{
		condition_runs = false;
		if (std::uncaught_exceptions() == calm) SetUserIdAndSecContext(user, context);
	}
	AsCaller(const AsCaller &) = delete;
	AsCaller &operator=(const AsCaller &) = delete;
};

}  // namespace

static void offer(Tuplestorestate *store, TupleDesc desc)
{
	pg::call([=] {
		EphemeralNamedRelation rows = static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData)));
		rows->md.name = const_cast<char *>(rows_name), rows->md.reliddesc = InvalidOid, rows->md.tupdesc = desc,
		rows->md.enrtype = ENR_NAMED_TUPLESTORE;
		rows->reldata = store;
		(void) SPI_register_relation(rows);
	});
}

std::vector<pg::Row> chosen_rows(const pg::Extension &extension, const core::Relation &table,
    const std::vector<std::string> &columns, const char *option, const std::string &condition)
{
	require_condition(condition, option);
	std::vector<std::string> used = core::mentioned_columns(condition, table), unreadable, read, wanted;
	for (const std::string &column : used)
		if (!may_select(table, column)) unreadable.push_back(column);
	for (const std::string &column : columns) {
		if (table.column(column) && !may_select(table, column) && std::find(unreadable.begin(), unreadable.end(), column) == unreadable.end())
			unreadable.push_back(column);    // the condition can get at it as part of the whole row
		wanted.push_back("t." + core::quote_identifier(column));
		if (std::find(used.begin(), used.end(), column) == used.end()) used.push_back(column);
	}
	for (const std::string &column : used) read.push_back("t." + core::quote_identifier(column));
	if (read.empty()) read.push_back("1 AS one"), wanted.push_back("1");

	auto [store, desc] = pg::Tables(extension).store(
	    "SELECT " + core::joined(read, ", ") + " FROM " + (table.kind == 'p' ? "" : "ONLY ") + table.name.sql() + " AS t");
	std::string text = "SELECT " + core::joined(wanted, ", ") + " FROM " + rows_name + " AS t WHERE (\n" + condition + "\n)";
	const char *sql = text.c_str();
	std::vector<pg::Row> out;
	{
		AsCaller as;
		pg::Spi spi;
		offer(store, desc);
		SPIPlanPtr plan = call_for(option, [=] {
			SPIPlanPtr made = SPI_prepare(sql, 0, nullptr);
			if (!made) pg::raise(ERRCODE_SYNTAX_ERROR, "the condition cannot be prepared: %s", SPI_result_code_string(SPI_result));
			return made;
		});
		if (!unreadable.empty() && !pg::call([=] { return only_compares(plan); }))
			refuse_problems({{"rights", option,
			    std::string(option) + " does more than compare columns of " + table.name.shown() +
			        " by the server's own immutable functions: that takes SELECT on them",
			    grant_select(table, unreadable) + ";"}});
		Portal rows = call_for(option, [=] { return SPI_cursor_open(nullptr, plan, nullptr, nullptr, false); });
		for (;;) {
			call_for(option, [=] { return SPI_cursor_fetch(rows, true, 1000), true; });
			SPITupleTable *t = SPI_tuptable;
			if (SPI_processed == 0) break;
			for (std::uint64_t r = 0; r < t->numvals; ++r) {
				pg::Row row;
				for (int c = 1; c <= t->tupdesc->natts; ++c) {
					char *s = pg::call([=] { return SPI_getvalue(t->vals[r], t->tupdesc, c); });
					row.push_back(s ? pg::Value(s) : std::nullopt);
				}
				out.push_back(std::move(row));
			}
			pg::call([=] { SPI_freetuptable(t); });
		}
		pg::call([=] { SPI_cursor_close(rows); });
	}
	Tuplestorestate *done = store;
	pg::call([=] { tuplestore_end(done); });
	return out;
}

}  // namespace prodsync
