#include "connection.hpp"
#include <map>
#include <poll.h>
#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace client {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int connect_seconds = 10;

struct FreeOptions { void operator()(PQconninfoOption *o) const { PQconninfoFree(o); } };

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// libpq has no result of a failed connection, but a verbose message has the server's SQLSTATE: "FATAL:  53300: ...", in whatever language. Else empty.
std::string state_in(std::string_view said)
{
	constexpr std::size_t length = 5;
	for (std::size_t at = said.find(":  "); at != std::string_view::npos; at = said.find(":  ", at + 1)) {
		const std::string_view state = said.substr(at + 3, length);
		if (state.size() == length && said.substr(at + 3 + length).starts_with(": ") &&
		    state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos)
			return std::string(state);
	}
	return {};
}

// What libpq says, without its text: that may repeat the connection string.
Error cannot_connect(const Endpoint &endpoint, PGconn *conn, bool late)
{
	auto text = [](const char *s) { return std::string(s ? s : ""); };
	std::string said = PQerrorMessage(conn), host = text(PQhost(conn)), port = text(PQport(conn)), database = text(PQdb(conn)),
	            user = text(PQuser(conn));
	std::string where = host.starts_with('/') ? "the socket in " + host + ", port " + port : host + ":" + port;
	std::string from = endpoint.origin.empty() ? "the connection string" : endpoint.origin;
	std::string what, hint = "host and port come from " + from;
	std::string state = state_in(said);
	// The words are libpq's own, or the server's where a state says less than they do; both may be in another language.
	if (said.starts_with("invalid ") || contains(said, "definition of service") || host.empty()) {    // before anybody was asked
		what = contains(said, "definition of service") ? "its connection string names a service that pg_service.conf does not have"
													   : "its connection string has a value that is not valid";
		hint = "it comes from " + from;
	} else if (PQconnectionNeedsPassword(conn)) {
		what = "the server at " + where + " wants a password for " + user;
		hint = "give it by PGPASSWORD, ~/.pgpass or ${VARIABLE} in the connection string";
	} else if (PQconnectionUsedPassword(conn) && (state == "28P01" || contains(said, "password authentication failed"))) {
		what = "wrong password, or no such role: " + user + " at " + where;
		hint = "the password comes from PGPASSWORD, ~/.pgpass or " + from;
	} else if (contains(said, "could not translate host name") || contains(said, "could not parse network address")) {
		what = "the host \"" + host + "\" is unknown";
	} else if (contains(said, "Connection refused")) {
		what = "the server at " + where + " refused the connection";
		hint = "is the server running, and the tunnel up? " + hint;
	} else if (contains(said, "No such file or directory")) {
		what = "there is no server behind " + where;
		hint = "is the server running? " + hint;
	} else if (late || contains(said, "timeout expired") || contains(said, "timed out")) {
		what = "the server at " + where + " did not answer within " + std::to_string(connect_seconds) + " s";
		hint = "is the way to it open (firewall, tunnel)? " + hint;
	} else if (contains(said, "No route to host") || contains(said, "Network is unreachable")) {
		what = "there is no way to " + host;
		hint = "is the network or the tunnel up? " + hint;
	} else if (state == "3D000" || contains(said, "database \"" + database + "\" does not exist")) {
		what = "there is no database \"" + database + "\" at " + where;
		hint = "its name comes from " + from, state = "3D000";
	} else if (contains(said, "role \"" + user + "\" does not exist")) {
		what = "there is no role \"" + user + "\" at " + where;
		hint = "its name comes from " + from + " (or PGUSER)", state = "28000";
	} else if (state == "28P01" || contains(said, "authentication failed")) {
		what = "the server at " + where + " does not let " + user + " in";
		hint = "the role comes from " + from + " (or PGUSER); pg_hba.conf there says how it must prove itself", state = "28000";
	} else if (contains(said, "pg_hba.conf")) {
		what = "the server at " + where + " has no pg_hba.conf entry for " + user + ", database " + database;
		hint = "add one there, or look at sslmode in " + from, state = "28000";
	} else if (state == "53300" || contains(said, "too many clients") || contains(said, "remaining connection slots") || contains(said, "too many connections")) {
		what = "the server at " + where + " has no free connection";
		hint = "use fewer --jobs, or raise max_connections there", state = "53300";
	} else if (state == "57P03" || contains(said, "starting up") || contains(said, "shutting down") || contains(said, "not accepting connections") ||
	    contains(said, "recovery mode")) {
		what = "the server at " + where + " does not accept connections now (starting up, shutting down, or in recovery)", state = "57P03";
	} else if (state == "42501" || contains(said, "permission denied for database")) {
		what = "the role " + user + " may not connect to " + database + " at " + where;
		hint = "GRANT CONNECT ON DATABASE ... there", state = "42501";
	} else if (contains(said, "SSL") || contains(said, "certificate")) {
		what = "no agreement on SSL with the server at " + where;
		hint = "look at sslmode, sslrootcert in " + from;
	} else {
		what = "no connection to the server at " + where;
		hint = "psql with the same connection string says more; " + hint;
	}
	return Error(exit_connect, "cannot connect to " + endpoint.label + ": " + what, hint, {}, state);
}

void sleep_until(PGconn *conn, bool write, Clock::time_point until)
{
	pollfd fds[2] = {{PQsocket(conn), static_cast<short>(write ? POLLOUT : POLLIN), 0}, {interrupt::wake_fd(), POLLIN, 0}};
	auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
	poll(fds, interrupt::wake_fd() < 0 || interrupt::held() ? 1 : 2, static_cast<int>(std::max<long>(left, 0)));
}

// Our own loop, since PQconnectdb cannot be interrupted. (Looking up a host name can not either; the second that a signal
// leaves us ends that.)
void wait_for_connection(const Endpoint &endpoint, PGconn *conn)
{
	auto until = Clock::now() + std::chrono::seconds(connect_seconds);
	for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK; state = PQconnectPoll(conn)) {
		if (PQstatus(conn) == CONNECTION_BAD || state == PGRES_POLLING_FAILED) throw cannot_connect(endpoint, conn, false);
		sleep_until(conn, state == PGRES_POLLING_WRITING, until);
		interrupt::check();
		if (Clock::now() >= until) throw cannot_connect(endpoint, conn, true);
	}
}

const char *field(const PGresult *result, int code)
{
	const char *text = result ? PQresultErrorField(result, code) : nullptr;
	return text ? text : "";
}

// copyfrom.c: COPY s_1_4711, line 5, column age: "the value". Without the value where the format is binary.
std::string column_in_context(std::string_view context, const std::vector<std::string> &columns)
{
	if (!context.starts_with("COPY ")) return {};
	for (const std::string &column : columns) {
		const std::string part = ", column " + column;
		std::size_t at = context.find(part);
		if (at == std::string_view::npos) continue;
		std::string_view rest = context.substr(at + part.size());
		if (rest.empty() || rest[0] == ':' || rest[0] == '\n') return column;
	}
	return {};
}

// condition.cpp of the extension: condition tenants.keep of the configuration
std::string condition_in_context(std::string_view context)
{
	for (const char *option : {"tenants.keep", "users.fallback"})
		if (context.find(std::string("condition ") + option + " of the configuration") != std::string_view::npos) return option;
	return {};
}

// DETAIL of the extension's own errors is a JSON array of what and where.
core::json array_of(const char *detail)
{
	core::json items = core::json::parse(detail, nullptr, false);
	return items.is_array() ? items : core::json::array();
}

std::vector<core::Problem> problems_of(const core::json &items)
{
	std::vector<core::Problem> problems;
	auto text = [](const core::json &item, const char *key) {
		return item.contains(key) && item[key].is_string() ? item[key].get<std::string>() : "";
	};
	for (const core::json &item : items)
		if (item.is_object()) problems.push_back({text(item, "id"), text(item, "object"), text(item, "text"), text(item, "fix")});
	return problems;
}

}  // namespace

std::int64_t Result::number(int row, int column) const { return null(row, column) ? 0 : std::strtoll(PQgetvalue(get(), row, column), nullptr, 10); }

std::vector<core::Row> Result::all() const
{
	std::vector<core::Row> out(static_cast<std::size_t>(rows()));
	for (int r = 0; r < rows(); ++r)
		for (int c = 0; c < PQnfields(get()); ++c)
			out[static_cast<std::size_t>(r)].push_back(null(r, c) ? std::nullopt : std::optional(text(r, c)));
	return out;
}

Connection::Connection(Endpoint endpoint) : endpoint_(std::move(endpoint))
{
	interrupt::check();
	char *why = nullptr;
	std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(endpoint_.dsn.c_str(), &why));
	if (why) PQfreemem(why);    // repeats the string, password and all
	if (!parsed)
		throw Error(exit_connect, "cannot connect to " + endpoint_.label + ": its connection string is malformed",
			"it comes from " + (endpoint_.origin.empty() ? "the command line" : endpoint_.origin) +
				"; write host=... dbname=... user=..., or postgresql://user@host/database with odd characters as %xx");
	// Behind dbname, which is expanded: what stands later wins. The keepalives say within a minute that the other side is gone.
	const char *const keys[] = {"dbname", "application_name", "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "client_encoding", nullptr};
	const std::string seconds = std::to_string(connect_seconds);
	const char *const values[] = {endpoint_.dsn.c_str(), "prodsync", seconds.c_str(), "1", "30", "10", "3", "UTF8", nullptr};
	conn_.reset(PQconnectStartParams(keys, values, 1));
	if (!conn_) throw std::bad_alloc();
	PQsetErrorVerbosity(conn_.get(), PQERRORS_VERBOSE);    // for state_in()
	wait_for_connection(endpoint_, conn_.get());
	PQsetErrorVerbosity(conn_.get(), PQERRORS_DEFAULT);
	PQsetNoticeProcessor(conn_.get(), [](void *, const char *) {}, nullptr);    // a notice may hold a value of a row
	cancel_ = std::make_unique<interrupt::Registration>(conn_.get());

	// A proxy that shares sessions makes up the process id. Locks, snapshots and settings of ours need a session of our own.
	if (one("SELECT pg_catalog.pg_backend_pid()") != std::to_string(PQbackendPID(conn_.get())))
		throw Error(exit_refused, endpoint_.label + " answers through a connection pooler (" + host() + ")",
			"name the server itself, not PgBouncer or the like: prodsync needs sessions of its own. Host and port come from " + endpoint_.origin);
	// Else a server goes on with a long statement after we are gone. Refused where its operating system cannot tell.
	if (server() >= 140000) Result(PQexec(conn_.get(), "SET client_connection_check_interval = '1s'"));
}

Result Connection::exec(const std::string &sql, const Params &params, Show show)
{
	interrupt::check();
	std::vector<const char *> values;
	for (const auto &p : params) values.push_back(p ? p->c_str() : nullptr);
	Result result(params.empty() ? PQexec(conn_.get(), sql.c_str())
	                             : PQexecParams(conn_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
	                                   nullptr, nullptr, 0));
	switch (PQresultStatus(result.get())) {
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK:
		case PGRES_EMPTY_QUERY: return result;
		default: throw error(result.get(), show);
	}
}

std::optional<std::string> Connection::one(const std::string &sql, const Params &params, Show show)
{
	Result result = exec(sql, params, show);
	if (result.rows() == 0 || result.null(0, 0)) return std::nullopt;
	return result.text(0, 0);
}

Result Connection::end_copy()
{
	Result first(PQgetResult(conn_.get()));
	while (PGresult *more = PQgetResult(conn_.get())) {
		Result unused(more);
		const ExecStatusType state = PQresultStatus(more);
		if (state == PGRES_COPY_IN || state == PGRES_COPY_OUT || state == PGRES_COPY_BOTH) break;    // cannot be; would never end
	}
	return first;
}

void Connection::start_copy(const std::string &sql, ExecStatusType state)
{
	interrupt::check();
	Result result(PQexec(conn_.get(), sql.c_str()));
	if (PQresultStatus(result.get()) != state) throw error(result.get());
}

// What a row of the source met in the target, whose rules may be others. The server's own words would repeat the value.
static const char *misfit(const std::string &sqlstate)
{
	static const std::map<std::string_view, const char *> words{{"22001", "a value is longer than the target's column"},
	    {"22026", "a string of bits is not of the length of the target's column"},
	    {"22003", "a number is outside of the range of the target's column"},
	    {"22008", "a date or time is outside of the range of the target's column"},
	    {"22P02", "a value is not one of the type of the target's column"},
	    {"22007", "a value is not one of the type of the target's column"},
	    {"22P03", "a value is not one of the type of the target's column"},
	    {"42P01", "a value names a relation that the target does not have"},
	    {"42704", "a value names an object that the target does not have"},
	    {"42883", "a value names a function or operator that the target does not have"},
	    {"23502", "a row has NULL where the target allows none"}, {"23514", "a row does not satisfy a CHECK of the target"},
	    {"23505", "two rows have the same key in a unique index of the target"},
	    {"23P01", "two rows are in conflict by an exclusion constraint of the target"}};
	const auto found = words.find(sqlstate);
	return found == words.end() ? nullptr : found->second;
}

Error Connection::error(const PGresult *result, Show show) const
{
	const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
	if (sqlstate.empty() || sqlstate == "57014") {    // an interruption shows itself as one of these
		try {
			interrupt::check();
		} catch (Error &e) {
			return e;
		}
	}
	const std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY), hint = field(result, PG_DIAG_MESSAGE_HINT);
	if (sqlstate.starts_with("PS")) {
		int code = sqlstate == "PS002" ? exit_plan : sqlstate == "PS003" ? exit_check : exit_refused;
		const char *detail = field(result, PG_DIAG_MESSAGE_DETAIL);
		Error own(code, message, hint, detail, sqlstate);
		own.items = array_of(detail);
		if (code == exit_plan) own.problems = problems_of(own.items);
		if (!own.items.empty()) own.detail.clear();
		return own;
	}
	if (sqlstate.empty() && !usable())
		return Error(exit_other, "lost the connection to " + endpoint_.label,
		    "look at that server's log, then run again; the next command clears up", {}, "08006");
	if (sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03" || sqlstate == "57P05")
		return Error(exit_other, endpoint_.label + " ended our session", "run again; the next command clears up", {}, sqlstate);

	// Who waits for somebody else's change of a row of the catalog learns so that it was committed (GRANT takes no lock of the table). The server
	// does not translate these words.
	if (sqlstate == "XX000" && message.starts_with("tuple concurrently "))
		return Error(exit_refused, endpoint_.label + ": somebody changed the definition of a table at the same moment", "run it again", {}, "40001");

	Object object{field(result, PG_DIAG_SCHEMA_NAME), field(result, PG_DIAG_TABLE_NAME), field(result, PG_DIAG_CONSTRAINT_NAME)};
	if (names_) object = names_(object);
	std::string text = endpoint_.label + ": ";
	const bool shown = show == Show::message && sqlstate.starts_with("42");
	if (shown) text += message + " (SQLSTATE " + sqlstate + ")";
	else text += "SQLSTATE " + (sqlstate.empty() ? "unknown" : sqlstate);
	if (!object.table.empty()) text += ", table " + core::Name{object.schema, object.table}.shown();
	std::string column = field(result, PG_DIAG_COLUMN_NAME);
	if (column.empty()) column = column_in_context(field(result, PG_DIAG_CONTEXT), columns_);
	if (!column.empty()) text += ", column " + column;
	if (const std::string type = field(result, PG_DIAG_DATATYPE_NAME); !type.empty()) text += ", type " + type;
	if (!object.constraint.empty()) text += ", constraint " + object.constraint;
	std::string advice;
	if (sqlstate.starts_with("53"))
		advice = sqlstate == "53100" ? "the disk of that server is full" : "that server is short of memory, locks or connections";
	else if (sqlstate == "40001") advice = "a standby gave up our snapshot: raise max_standby_streaming_delay there, or set hot_standby_feedback";
	// execPartition.c: of all of 23514, the one without a constraint
	else if (!shown && sqlstate == "23514" && !object.table.empty() && object.constraint.empty())
		advice = "no partition of " + core::Name{object.schema, object.table}.shown() +
		    " takes a row of the source: give the target one, or a DEFAULT partition";
	else if (const char *words = shown || object.table.empty() ? nullptr : misfit(sqlstate))
		advice = std::string(words) + "; prodsync plan names what differs between the two schemas";
	else if (sqlstate == "42501") advice = "the role " + user() + " lacks a right there";
	Error error(exit_other, text, advice, {}, sqlstate);
	error.condition = condition_in_context(field(result, PG_DIAG_CONTEXT));
	return error;
}

bool Connection::in_transaction() const { return PQtransactionStatus(conn_.get()) != PQTRANS_IDLE; }

bool Connection::alive() { return PQconsumeInput(conn_.get()) && usable(); }

void Connection::cancel() const { cancel_->cancel(); }

void Connection::rollback() noexcept
{
	if (!conn_ || !usable() || !in_transaction()) return;
	PQclear(PQexec(conn_.get(), "ROLLBACK"));
}

std::string Connection::host() const
{
	std::string host = PQhost(conn_.get());
	return host.starts_with('/') ? host : host + ":" + PQport(conn_.get());
}

}  // namespace client
