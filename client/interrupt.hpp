// Ctrl-C. SIGINT and SIGTERM are blocked in every thread; one thread waits for them and cancels whatever statement runs in a
// session that is registered here. So everything else can stay blocking code: the statement ends with an error, the error says
// "interrupted", and destructors close the sessions. Cancelling is repeated, since a cancel that comes before its statement is lost.
#pragma once
#include <libpq-fe.h>
#include <functional>
#include <memory>
#include <string>

namespace client::interrupt {

// Blocks the signals and starts the thread. First thing in main(), before there is another thread. `tell` says why the process ends where
// nothing but this thread can end it: an exit code, and an error's text and hint.
using Tell = std::function<void(int exit_code, const std::string &text, const std::string &hint)>;
void start(Tell tell);
// One result is told, by whoever has it first: the thread that ends the process, or the one that comes to its end in good order. Does not return
// where the former has begun to.
void last_word();
bool interrupted();
bool held();
void check();                  // throws Error (exit 7, or 10 once committed) where interrupted(), unless something holds
// Readable from the interruption on: for poll() beside a socket. -1 before start().
int wake_fd();

// From here on an interruption exits with this code: 10 after the COMMIT of a switch.
void stage(int exit_code);
int exit_code();
// Written to stderr as it is, should the process have to end hard (give the terminal its cursor back). Pointer to static storage.
void farewell(const char *text);

// Lets nothing be cancelled as long as it lives.
class Hold {
public:
	// commit: as long as it takes; only a second signal ends the process then (exit 9). Throws like check() where the first has come
	// before. cleanup: what is left of the second after the signal.
	enum class For { cleanup, commit };
	explicit Hold(For what);
	~Hold();
	Hold(const Hold &) = delete;
	Hold &operator=(const Hold &) = delete;

private:
	For what_;
};

// A session that a signal cancels.
class Registration {
	struct Free { void operator()(PGcancel *c) const { PQfreeCancel(c); } };
	std::unique_ptr<PGcancel, Free> cancel_;

public:
	explicit Registration(PGconn *connection);
	~Registration();
	Registration(const Registration &) = delete;
	Registration &operator=(const Registration &) = delete;
	void cancel() const;
};

}  // namespace client::interrupt
