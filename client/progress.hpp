// How far the run is: a model that any thread may report to, and two ways to show it on stderr, bars on a terminal and one line per
// finished table elsewhere.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include "../extension/core/plan.hpp"

namespace client {

class Progress {
public:
	enum class Style { none, lines, terminal };
	// The style for stderr as it is: terminal where it is one (and TERM is not dumb), else lines.
	static Style style_of_stderr();

	explicit Progress(Style style, std::string label = {});    // label: the target's, before the first bar
	~Progress();
	Progress(const Progress &) = delete;
	Progress &operator=(const Progress &) = delete;

	void begin(const std::vector<core::Step> &steps);
	void started(const core::Step &step);
	void advanced(const core::Step &step, std::int64_t rows, std::int64_t bytes);    // so far, of this step
	void finished(const core::Step &step, std::int64_t rows);
	void note(const std::string &line);                        // "waiting for locks: ...": one line, above the bars
	void waiting(const std::string &what);                     // what the last bar says instead of a time; "" ends it
	void end();                                                // takes the bars away, gives the cursor back; idempotent

	// For the renderings and for tests.
	struct Table {
		std::string name;
		std::int64_t rows = 0, bytes = 0, expected = 0;
		int loads = 0, loaded = 0;
		std::chrono::steady_clock::time_point begun{}, ended{};
		bool running = false;
	};
	struct State {
		std::map<std::string, Table> tables;
		std::int64_t expected = 0, bytes = 0;                  // of the loads, as the plan estimates them
		std::int64_t work = 0, worked = 0;                     // the same of all steps: the time left is reckoned by it
		int others = 0, others_done = 0;                       // index builds, verifications
		std::string waiting;
		std::chrono::steady_clock::time_point begun{};
	};
	// The bars for a terminal of that width; at most `height` lines.
	static std::vector<std::string> bars(const State &state, const std::string &label, int width, int height, bool utf8,
	    std::chrono::steady_clock::time_point now);
	static std::string line(const Table &table);

private:
	void draw();     // these two with the mutex held
	void erase();
	void account(const core::Step &step, std::int64_t rows, std::int64_t bytes, bool done);
	Style style_;
	std::string label_;
	mutable std::mutex mutex_;
	std::condition_variable wake_;
	State state_;
	struct Seen { std::int64_t rows = 0, bytes = 0, share = 0; };    // of a step; share: of its estimate
	std::map<int, Seen> seen_;
	int drawn_ = 0;
	bool stop_ = false, utf8_ = false;
	std::thread thread_;
};

std::string show_bytes(std::int64_t bytes);                    // "1.9 GB"
std::string show_count(std::int64_t count);                    // "1,204,331"
std::string show_rate(std::int64_t rows, double seconds);      // "812 k/s"
std::string show_duration(double seconds);                     // "1.5 s", "1 min 38 s"

}  // namespace client
