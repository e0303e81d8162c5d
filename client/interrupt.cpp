// The threads here may lock, allocate and talk to servers, for they are no signal handlers. One mutex guards the registry; it is
// held while cancels are sent, so that a session cannot be closed, and a Hold cannot begin, in the middle of it. The thread that
// waits for signals never takes it: it is the one that ends the process when all else hangs.
#include "interrupt.hpp"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>
#include "error.hpp"

namespace client::interrupt {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Never destroyed: the thread is detached and outlives main's statics.
struct State {
	std::mutex mutex;
	std::set<const Registration *> sessions;
	std::atomic<int> commits{0}, cleanups{0};
	std::atomic<bool> interrupted{false}, told{false};
	std::atomic<int> code{exit_interrupted};
	std::atomic<const char *> farewell{nullptr};
	Tell tell;
	int wake[2] = {-1, -1};
};
State &state()
{
	static State *const one = new State;
	return *one;
}

void say(const char *text)
{
	if (text && write(STDERR_FILENO, text, std::strlen(text)) < 0) return;    // nobody is left to tell
}

[[noreturn]] void leave(int code)
{
	say(state().farewell);
	if (state().told.exchange(true)) std::this_thread::sleep_for(500ms);    // the process ends by itself, with the code that it tells
	else if (code == exit_unknown) state().tell(code, "ended during COMMIT", "prodsync runs says whether it went through");
	else if (code == exit_afterwards) state().tell(code, "refreshed, but ended before the clean-up", "the next command finishes it");
	else state().tell(code, "interrupted; the target is what it was", "the next command clears up");
	_exit(code);
}

// All at once: a cancel is a connection of its own, and over a long way a dozen in a row would take their second.
void cancel_all()
{
	State &s = state();
	std::lock_guard lock(s.mutex);
	if (s.commits || s.cleanups) return;
	std::vector<std::jthread> cancels;
	for (const Registration *session : s.sessions)
		try {
			cancels.emplace_back([session] { session->cancel(); });
		} catch (const std::exception &) {    // no thread to be had: after one another, then
			session->cancel();
		}
}

void watch(sigset_t signals)
{
	State &s = state();
	int got = 0;
	while (sigwait(&signals, &got) != 0) {}
	s.interrupted = true;
	if (s.wake[1] >= 0 && write(s.wake[1], "", 1) < 0) { /* only wakes polls earlier */ }
	// A thread of its own: where a server has vanished, a cancel hangs as long as its TCP does.
	std::thread([] {
		for (;; std::this_thread::sleep_for(50ms)) cancel_all();
	}).detach();
	// The rest of the process has nearly a second to go in good order. A commit may take longer: its time does not count.
	auto until = Clock::now() + 850ms;
	for (;;) {
		timespec pause{0, 50'000'000};
		if (sigtimedwait(&signals, nullptr, &pause) > 0) leave(s.commits ? exit_unknown : s.code.load());
		if (s.commits) until = Clock::now() + 850ms;
		else if (Clock::now() > until) leave(s.code);
	}
}

}  // namespace

void start(Tell tell)
{
	State &s = state();
	s.tell = std::move(tell);
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, nullptr);
	if (pipe2(s.wake, O_CLOEXEC | O_NONBLOCK) != 0) s.wake[0] = s.wake[1] = -1;
	std::thread(watch, signals).detach();
}

void last_word()
{
	static thread_local bool mine = false;
	if (mine || !state().told.exchange(true)) mine = true;
	else for (;;) pause();
}

bool interrupted() { return state().interrupted; }

bool held() { return state().commits || state().cleanups; }

void check()
{
	if (!interrupted() || held()) return;
	if (exit_code() == exit_afterwards)
		throw Error(exit_afterwards, "interrupted after the refresh was committed", "the next command finishes the clean-up");
	throw Error(exit_code(), "interrupted; the target is what it was");
}

int wake_fd() { return state().wake[0]; }
void stage(int code) { state().code = code; }
int exit_code() { return state().code; }
void farewell(const char *text) { state().farewell = text; }

Hold::Hold(For what) : what_(what)
{
	std::lock_guard lock(state().mutex);
	if (what_ == For::commit) check();
	++(what_ == For::commit ? state().commits : state().cleanups);
}

Hold::~Hold()
{
	std::lock_guard lock(state().mutex);
	--(what_ == For::commit ? state().commits : state().cleanups);
}

Registration::Registration(PGconn *connection) : cancel_(PQgetCancel(connection))
{
	std::lock_guard lock(state().mutex);
	state().sessions.insert(this);
}

Registration::~Registration()
{
	std::lock_guard lock(state().mutex);
	state().sessions.erase(this);
}

void Registration::cancel() const
{
	char unused[256];
	if (cancel_) PQcancel(cancel_.get(), unused, sizeof unused);
}

}  // namespace client::interrupt
