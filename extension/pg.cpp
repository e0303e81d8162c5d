#include "condition.hpp"
#include "pg.hpp"
#include <cstdarg>
#include <cstring>
#include "pg_versions.hpp"

extern "C" {
PG_MODULE_MAGIC;
}

namespace pg {

void raise(int sqlstate, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ereport(ERROR, errcode(sqlstate), errmsg("%s", text));
}

char *keep_text(const std::string &text)
{
	if (text.empty()) return nullptr;
	char *copy = static_cast<char *>(MemoryContextAllocExtended(CurrentMemoryContext, text.size() + 1, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE));
	if (copy) memcpy(copy, text.c_str(), text.size() + 1);
	return copy;
}

void report(int sqlstate, char *message, char *detail, char *hint)
{
	ereport(ERROR, errcode(sqlstate), errmsg("%s", message ? message : sqlstate == ERRCODE_OUT_OF_MEMORY ? "out of memory" : "unknown C++ exception"),
			detail ? errdetail_internal("%s", detail) : 0, hint ? errhint("%s", hint) : 0);
}

// ---- SPI ----
Spi::Spi()
{
	call([] { SPI_connect(); });
}
Spi::~Spi()
{
	if (std::uncaught_exceptions() == calm) SPI_finish();
}

void Spi::execute(const std::string &sql, const Row &args)
{
	std::vector<Oid> types(args.size(), TEXTOID);
	std::vector<Datum> values;
	std::string nulls;
	for (const Value &v : args) values.push_back(v ? text_datum(*v) : 0), nulls += v ? ' ' : 'n';
	const char *text = sql.c_str();
	int rc = call([&] { return SPI_execute_with_args(text, static_cast<int>(args.size()), types.data(), values.data(), nulls.c_str(), false, 0); });
	if (rc < 0) throw std::runtime_error(std::string("SPI: ") + SPI_result_code_string(rc));
}

std::uint64_t Spi::run(const std::string &sql, const Row &args)
{
	execute(sql, args);
	std::uint64_t touched = SPI_processed;
	SPITupleTable *t = SPI_tuptable;
	if (t) call([=] { SPI_freetuptable(t); });
	return touched;
}

std::vector<Row> Spi::rows(const std::string &sql, const Row &args)
{
	execute(sql, args);
	SPITupleTable *t = SPI_tuptable;
	std::vector<Row> out(t ? t->numvals : 0);
	for (std::size_t r = 0; r < out.size(); ++r)
		for (int c = 1; c <= t->tupdesc->natts; ++c) {
			char *s = call([=] { return SPI_getvalue(t->vals[r], t->tupdesc, c); });
			out[r].push_back(s ? Value(s) : std::nullopt);
			if (s) pfree(s);
		}
	if (t) call([=] { SPI_freetuptable(t); });
	return out;
}

Value Spi::one(const std::string &sql, const Row &args)
{
	std::vector<Row> all = rows(sql, args);
	return all.empty() || all[0].empty() ? std::nullopt : all[0][0];
}

// ---- Who runs what ----
As::As(Oid role, int flags)
{
	GetUserIdAndSecContext(&user_, &context_);
	level_ = call([] {
		int level = NewGUCNestLevel();
		(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		return level;
	});
	SetUserIdAndSecContext(role, context_ | flags);
}
As::~As()
{
	if (std::uncaught_exceptions() != calm) return;    // the abort of the (sub)transaction puts user and settings back
	AtEOXact_GUC(false, level_);
	SetUserIdAndSecContext(user_, context_);
}
AsExtension::AsExtension(const Extension &extension) : As(extension.owner, SECURITY_LOCAL_USERID_CHANGE) {}

Extension extension_of(FunctionCallInfo fcinfo)
{
	return call([=] {
		// An owner's code (an index function, a CHECK) that runs within one of our statements shall not start another.
		if (InSecurityRestrictedOperation())
			raise(ERRCODE_INSUFFICIENT_PRIVILEGE, "prodsync cannot be called within a security-restricted operation");
		if (prodsync::condition_runs) raise(ERRCODE_INSUFFICIENT_PRIVILEGE, "prodsync cannot be called by a condition of its configuration");
		Extension found{getExtensionOfObject(ProcedureRelationId, fcinfo->flinfo->fn_oid), InvalidOid, InvalidOid};
		if (!OidIsValid(found.oid)) raise(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "this function belongs to no extension");
		Relation rel = table_open(ExtensionRelationId, AccessShareLock);    // no syscache for it
		ScanKeyData key;
		ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(found.oid));
		SysScanDesc scan = systable_beginscan(rel, ExtensionOidIndexId, true, nullptr, 1, &key);
		HeapTuple t = systable_getnext(scan);
		if (HeapTupleIsValid(t)) {
			Form_pg_extension form = reinterpret_cast<Form_pg_extension>(GETSTRUCT(t));
			found.owner = form->extowner, found.schema = form->extnamespace;
		}
		systable_endscan(scan);
		table_close(rel, AccessShareLock);
		if (!OidIsValid(found.owner)) raise(ERRCODE_UNDEFINED_OBJECT, "extension %u is gone", found.oid);
		return found;
	});
}

Settings::Settings() : level_(call([] { return NewGUCNestLevel(); })) {}
Settings::~Settings()
{
	if (std::uncaught_exceptions() == calm) AtEOXact_GUC(false, level_);
}
void Settings::set(const char *name, const std::string &value)
{
	const char *text = value.c_str();
	call([=] { (void) set_config_option(name, text, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false); });
}

void prevent_in_read_only(const char *function)
{
	call([=] { PreventCommandIfReadOnly(function); });
}

// ---- Arguments and results ----
bool has_arg(FunctionCallInfo fcinfo, int n) { return n < PG_NARGS() && !PG_ARGISNULL(n); }

std::string arg_text(FunctionCallInfo fcinfo, int n)
{
	if (!has_arg(fcinfo, n)) return {};
	const char *out_text = call([=] {
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, n);
		if (type == TEXTOID || !OidIsValid(type)) return text_to_cstring(PG_GETARG_TEXT_PP(n));
		Oid out;
		bool varlena;
		getTypeOutputInfo(type, &out, &varlena);
		return OidOutputFunctionCall(out, PG_GETARG_DATUM(n));
	});
	return out_text;
}

std::int64_t arg_int(FunctionCallInfo fcinfo, int n)
{
	return call([=]() -> std::int64_t {
		switch (get_fn_expr_argtype(fcinfo->flinfo, n)) {
		case INT8OID: return PG_GETARG_INT64(n);
		case INT4OID: return PG_GETARG_INT32(n);
		default: return static_cast<std::int64_t>(PG_GETARG_OID(n));
		}
	});
}

std::vector<Oid> arg_oids(FunctionCallInfo fcinfo, int n)
{
	if (!has_arg(fcinfo, n)) return {};
	Datum *values = nullptr;
	bool *nulls = nullptr;
	int count = 0;
	call([&] { deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &values, &nulls, &count); });
	std::vector<Oid> out;
	for (int i = 0; i < count; i++)
		if (!nulls[i]) out.push_back(DatumGetObjectId(values[i]));
	return out;
}

Datum text_datum(const std::string &text)
{
	return call([&] { return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))); });
}

Datum jsonb_datum(const std::string &json)
{
	const char *text = json.c_str();
	return call([=] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(text)); });
}

Datum table(FunctionCallInfo fcinfo, const std::vector<Row> &rows)
{
	AttInMetadata *meta = nullptr;
	Tuplestorestate *store = nullptr;
	call([&] {
		ReturnSetInfo *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
		TupleDesc desc;
		if (!result || !IsA(result, ReturnSetInfo) || !(result->allowedModes & SFRM_Materialize))
			raise(ERRCODE_FEATURE_NOT_SUPPORTED, "this function returns a set of rows: call it in FROM");
		MemoryContext old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
		if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE) raise(ERRCODE_INTERNAL_ERROR, "the result is no row type");
		store = tuplestore_begin_heap(true, false, work_mem);
		result->returnMode = SFRM_Materialize, result->setResult = store, result->setDesc = desc;
		MemoryContextSwitchTo(old);
		meta = TupleDescGetAttInMetadata(desc);
	});
	std::vector<char *> values;
	for (const Row &row : rows) {
		if (static_cast<int>(row.size()) != meta->tupdesc->natts)
			throw std::logic_error("a result row has " + std::to_string(row.size()) + " columns");
		values.clear();
		for (const Value &v : row) values.push_back(v ? const_cast<char *>(v->c_str()) : nullptr);
		char **texts = values.data();
		call([=] {
			HeapTuple t = BuildTupleFromCStrings(meta, texts);
			tuplestore_puttuple(store, t);
			heap_freetuple(t);
		});
	}
	fcinfo->isnull = true;
	return 0;
}

Oid caller() { return GetUserId(); }

std::string role_name(Oid role)
{
	return call([=] { return GetUserNameFromId(role, false); });
}

}  // namespace pg
