// A session on one of the two databases. Owns PGconn, PGresult and PGcancel; turns the server's errors into Error without what
// could be personal data: outside of the extension's own SQLSTATEs only the code and the names of relation, column and constraint
// are shown (TRAPS.md of the design: MESSAGE, DETAIL and CONTEXT contain values of rows).
#pragma once
#include <libpq-fe.h>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "../extension/core/answers.hpp"
#include "error.hpp"
#include "interrupt.hpp"

namespace client {

struct Endpoint {              // a database as the command line or the configuration names it
	std::string label;         // what people see: "production"; for a bare connection string "the source", "the target"
	std::string dsn;           // libpq connection string or URI; never shown
	std::string origin;        // where host and port come from: "environments: production in prodsync.yaml", "--from"
};

enum class Show {
	nothing,                   // SQLSTATE and names only
	message,                   // also the primary message of class 42 (syntax, unknown names): for statements that read no value of a row
};

using Params = std::vector<std::optional<std::string>>;

class Result {
	struct Clear { void operator()(PGresult *r) const { PQclear(r); } };
	std::unique_ptr<PGresult, Clear> result_;

public:
	explicit Result(PGresult *result) : result_(result) {}
	PGresult *get() const { return result_.get(); }
	int rows() const { return PQntuples(result_.get()); }
	bool null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
	std::string text(int row, int column) const { return PQgetvalue(result_.get(), row, column); }
	std::int64_t number(int row, int column) const;          // 0 for NULL
	std::vector<core::Row> all() const;
};

class Connection {
	struct Finish { void operator()(PGconn *c) const { PQfinish(c); } };
	Endpoint endpoint_;
	std::unique_ptr<PGconn, Finish> conn_;
	std::unique_ptr<interrupt::Registration> cancel_;

public:
	// A relation and a constraint as the server names them -> what people know them as. Called with what an error's diagnostics
	// say; any of it may be empty.
	struct Object { std::string schema, table, constraint; };
	using Names = std::function<Object(Object)>;

	// Connects, or throws: exit 3 with a sentence of ours, exit 4 where a transaction-pooling proxy answers. An interruption ends it.
	explicit Connection(Endpoint endpoint);
	Connection(Connection &&) = default;

	// One statement (without parameters also several, separated by semicolons). Not for COPY.
	Result exec(const std::string &sql, const Params &params = {}, Show show = Show::nothing);
	// First column of the first row; nullopt where there is none, or NULL.
	std::optional<std::string> one(const std::string &sql, const Params &params = {}, Show show = Show::nothing);
	// Starts a COPY; `state` is PGRES_COPY_OUT or PGRES_COPY_IN.
	void start_copy(const std::string &sql, ExecStatusType state);
	// The result that ends a COPY; the connection is idle afterwards.
	Result end_copy();
	// The Error for a result that failed, or for the connection where there is none.
	Error error(const PGresult *result, Show show = Show::nothing) const;

	void names(Names names) { names_ = std::move(names); }
	// Columns of the COPY that follows: of an error's CONTEXT only one of these is shown.
	void copied_columns(std::vector<std::string> columns) { columns_ = std::move(columns); }
	PGconn *get() const { return conn_.get(); }
	const Endpoint &endpoint() const { return endpoint_; }
	int server() const { return PQserverVersion(conn_.get()); }
	bool usable() const { return PQstatus(conn_.get()) == CONNECTION_OK; }
	bool in_transaction() const;
	bool alive();                        // usable(), after a look at what has arrived; for a session that is idle
	void cancel() const;                 // ends the statement that runs there, if any
	void rollback() noexcept;            // best effort
	std::string database() const { return PQdb(conn_.get()); }
	std::string user() const { return PQuser(conn_.get()); }
	std::string host() const;            // "db.internal:5432", or the socket's folder

private:
	Names names_;
	std::vector<std::string> columns_;
};

}  // namespace client
