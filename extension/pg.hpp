// The two doors between C++ and the server, and who runs what behind them. Include standard headers before this file.
//
// Errors. PostgreSQL reports by longjmp, C++ by exceptions; neither may pass through the other's frames. pg::call() is the way
// out (C code that may ereport), PG_FUNCTION the way in (nothing thrown escapes). A PostgreSQL error that passes through is
// rethrown untouched; nothing but a subtransaction's rollback (subtransaction.hpp, locks.cpp) may swallow one.
//
// Rights. Every SQL function is SECURITY INVOKER; single primitives are elevated here. User code runs as the caller
// (conditions of the configuration: condition.hpp) or as the table's owner, restricted (CHECK, DEFAULT, domain, generation and index code:
// Tables), never as the extension's owner, who only touches catalogs and the tables of prodsync_work.
#pragma once
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#ifndef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))    // as PostgreSQL 16+ has it
#endif
extern "C" {
#include "postgres.h"
#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/errcodes.h"
}

// The protocol with the client (docs/sql-reference): class PS.
#define PS_REFUSED MAKE_SQLSTATE('P', 'S', '0', '0', '1')     // guard, another run, run is over
#define PS_PROBLEMS MAKE_SQLSTATE('P', 'S', '0', '0', '2')    // problems in configuration or plan
#define PS_CHECK MAKE_SQLSTATE('P', 'S', '0', '0', '3')       // a check failed
#define PS_LOCKED MAKE_SQLSTATE('P', 'S', '0', '0', '4')      // locks not got: try again
#define PS_STALE MAKE_SQLSTATE('P', 'S', '0', '0', '5')       // the target's schema changed since the run started

namespace pg {

struct InFlight {};                   // a PostgreSQL ERROR; its text stays on PostgreSQL's stack
struct Error : std::runtime_error {   // an ERROR of ours, with the SQLSTATE the user sees
	int sqlstate;
	std::string detail, hint;
	Error(int code, const std::string &message, std::string detail_ = {}, std::string hint_ = {})
		: runtime_error(message), sqlstate(code), detail(std::move(detail_)), hint(std::move(hint_)) {}
};
// The same from inside a pg::call lambda, where nothing has a destructor.
[[noreturn]] void raise(int sqlstate, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct Restore {                      // what PG_TRY saves, put back on every way out of a scope
	sigjmp_buf *jump = PG_exception_stack;
	ErrorContextCallback *context = error_context_stack;
	~Restore() { PG_exception_stack = jump, error_context_stack = context; }
};
// Door out: C code that may ereport(). The lambda must own nothing that has a destructor.
template <class F> auto call(F f) -> decltype(f())
{
	static_assert(std::is_trivially_destructible_v<F> && std::is_trivially_copyable_v<F>);
	Restore restore;
	MemoryContext caller = CurrentMemoryContext;
	sigjmp_buf here;
	if (sigsetjmp(here, 0) == 0) return PG_exception_stack = &here, f();
	MemoryContextSwitchTo(caller);
	throw InFlight{};
}

[[noreturn]] void report(int sqlstate, char *message, char *detail, char *hint);    // palloc'd texts, or null
char *keep_text(const std::string &text);    // palloc'd, or null when empty or out of memory; never throws

// Door in: C++ for the backend. What it throws becomes an ERROR only when every C++ object is gone.
template <class F> auto entry(F body) -> decltype(body())
{
	int state = ERRCODE_INTERNAL_ERROR;
	char *message = nullptr, *detail = nullptr, *hint = nullptr;
	try {
		Restore restore;
		return body();
	} catch (const InFlight &) {
		state = 0;
	} catch (const Error &e) {
		state = e.sqlstate, message = keep_text(e.what()), detail = keep_text(e.detail), hint = keep_text(e.hint);
	} catch (const std::bad_alloc &) {
		state = ERRCODE_OUT_OF_MEMORY;
	} catch (const std::exception &e) {
		message = keep_text(e.what());
	} catch (...) {
	}
	if (state == 0) PG_RE_THROW();    // sqlstate, detail, hint, context: all untouched
	report(state, message, detail, hint);
}

using Value = std::optional<std::string>;
using Row = std::vector<Value>;

// For catalogs and prodsync_work; rows of users' tables are read and written through Tables.
class Spi {                           // SPI_connect..SPI_finish as a scope; after an ERROR, abort cleans up
	int calm = std::uncaught_exceptions();
	void execute(const std::string &sql, const Row &args);

public:
	Spi();
	~Spi();
	Spi(const Spi &) = delete;
	Spi &operator=(const Spi &) = delete;
	// Runs one statement; parameters are text ($1::oid casts them). Returns all rows: for results that do not grow with the data.
	std::vector<Row> rows(const std::string &sql, const Row &args = {});
	// The number of rows a statement touched.
	std::uint64_t run(const std::string &sql, const Row &args = {});
	Value one(const std::string &sql, const Row &args = {});    // first column of the first row; nullopt where there is none
};


// Another user for a scope, with search_path pinned to pg_catalog, pg_temp. An ERROR needs no undo: abort restores both.
class As {
	int calm = std::uncaught_exceptions();
	Oid user_;
	int context_, level_;

public:
	As(Oid role, int flags);
	~As();
	As(const As &) = delete;
	As &operator=(const As &) = delete;
};
struct Extension { Oid oid, owner, schema; };
// The extension the called function is a member of: by membership, not by name, so that a function made outside of it over the same
// symbol elevates nothing.
Extension extension_of(FunctionCallInfo fcinfo);
// The extension's owner, for catalogs and prodsync_work.
class AsExtension : public As {
public:
	explicit AsExtension(const Extension &extension);
};
// The one door to rows of users' tables and of their shadows: statements of ours (qualified names, no configured text) that read or write them.
// Names are looked up, and rights asked, as the extension's owner; what may run code of a table's owner (planning folds calls in his indexes, writing runs
// his CHECKs) happens as that owner, in a restricted operation with the pinned path. Owners must not run each other's code either: where a
// statement's tables have several, it is done by a role that does not exist and has no right at all (pg_tables.cpp).
// The members are those of Spi.
enum class Plans { once, kept };      // kept: the session keeps the statement's generic plan, so the next time costs its execution only
void forget_plans();                  // of Plans::kept
class Tables {
	Extension extension_;
	Plans plans_;

public:
	explicit Tables(const Extension &extension, Plans plans = Plans::once) : extension_(extension), plans_(plans) {}
	std::vector<Row> rows(const std::string &sql, const Row &args = {});
	std::uint64_t run(const std::string &sql, const Row &args = {});
	Value one(const std::string &sql, const Row &args = {});
	// The rows as a tuplestore of the current memory context, and what a row is made of (TupleDesc).
	std::pair<Tuplestorestate *, TupleDesc> store(const std::string &sql, const Row &args = {});
};
// Who may run the code of these relations' owners: their owner, or nobody where they have several.
// `reader` where none of them is a user's. For a pg::call.
Oid runs_code_of(List *relations, Oid reader);
// A setting for the rest of this scope (GUC nest level).
class Settings {
	int calm = std::uncaught_exceptions();
	int level_;

public:
	Settings();
	~Settings();
	Settings(const Settings &) = delete;
	Settings &operator=(const Settings &) = delete;
	void set(const char *name, const std::string &value);    // as a superuser would
};
void prevent_in_read_only(const char *function);    // C is not stopped by BEGIN READ ONLY

bool has_arg(FunctionCallInfo fcinfo, int n);                    // given and not NULL
std::string arg_text(FunctionCallInfo fcinfo, int n);            // text, or jsonb in its text form
std::int64_t arg_int(FunctionCallInfo fcinfo, int n);            // integer, bigint, oid
std::vector<Oid> arg_oids(FunctionCallInfo fcinfo, int n);       // regclass[]
Datum text_datum(const std::string &text);                       // build it outside every Spi scope
Datum jsonb_datum(const std::string &json);
// RETURNS TABLE: rows in the text form of each column's type (empty optional: NULL), put into the result's tuplestore.
Datum table(FunctionCallInfo fcinfo, const std::vector<Row> &rows);

Oid caller();                                                    // GetUserId(): who called, at entry
std::string role_name(Oid role);
inline void check_interrupts()
{
	if (INTERRUPTS_PENDING_CONDITION()) call([] { ProcessInterrupts(); });
}

}  // namespace pg

#define PG_FUNCTION(name)                                                                  \
	static Datum name##_cpp(FunctionCallInfo fcinfo);                                      \
	extern "C" {                                                                           \
	PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                              \
	PG_FUNCTION_INFO_V1(name);                                                             \
	Datum name(PG_FUNCTION_ARGS) { return pg::entry([&] { return name##_cpp(fcinfo); }); } \
	}                                                                                      \
	static Datum name##_cpp([[maybe_unused]] FunctionCallInfo fcinfo)
