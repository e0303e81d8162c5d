// The scheduler, without a database.
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include "catch.hpp"
#include "../../client/schedule.hpp"

using client::Workers;
using client::run_steps;
using core::Step;
using namespace std::chrono_literals;

namespace {

Step step(int number, std::vector<int> depends_on = {}, std::int64_t bytes = 0, const std::string &kind = "load")
{
	Step one;
	one.step = number;
	one.kind = kind;
	one.depends_on = std::move(depends_on);
	one.est_bytes = bytes;
	return one;
}

struct Log {
	std::mutex mutex;
	std::vector<int> begun;
	std::set<int> done;
	int running = 0, most = 0;
	bool too_early = false;

	void begin(const Step &one)
	{
		std::lock_guard lock(mutex);
		begun.push_back(one.step);
		most = std::max(most, ++running);
		for (int other : one.depends_on) too_early = too_early || !done.contains(other);
	}
	void end(const Step &one)
	{
		std::lock_guard lock(mutex);
		done.insert(one.step);
		--running;
	}
};

bool run(const std::vector<Step> &steps, int jobs, Log &log, std::chrono::microseconds time = 0us)
{
	Workers workers;
	workers.jobs = jobs;
	workers.work = [&](int, const Step &one) {
		log.begin(one);
		std::this_thread::sleep_for(time);
		log.end(one);
	};
	return run_steps(steps, workers);
}

}  // namespace

TEST_CASE("an empty graph is done at once")
{
	Log log;
	CHECK(run({}, 4, log));
	CHECK(log.begun.empty());
}

TEST_CASE("a single worker takes the biggest first, loads before others")
{
	Log log;
	CHECK(run({step(1, {}, 10), step(2, {}, 30), step(3, {}, 20), step(4, {}, 20, "index"), step(5, {}, 20), step(6, {2}, 1000, "verify")}, 1, log));
	CHECK(log.begun == std::vector{2, 6, 3, 5, 4, 1});
}

TEST_CASE("a step waits for those it depends on, also when they are named twice")
{
	Log log;
	CHECK(run({step(1, {2, 3, 3}, 1000), step(2, {4}), step(3, {4}), step(4)}, 4, log, 2ms));
	CHECK_FALSE(log.too_early);
	CHECK(log.begun.front() == 4);
	CHECK(log.begun.back() == 1);
}

TEST_CASE("as many steps at a time as there are workers, and no more")
{
	std::vector<Step> steps;
	for (int i = 1; i <= 12; ++i) steps.push_back(step(i));
	Log log;
	CHECK(run(steps, 3, log, 10ms));
	CHECK(log.most == 3);
	Log one;
	CHECK(run(steps, 0, one));
	CHECK(one.most == 1);
}

TEST_CASE("each worker does one step at a time")
{
	std::vector<Step> steps;
	for (int i = 1; i <= 200; ++i) steps.push_back(step(i));
	std::array<std::atomic<int>, 4> busy{};
	std::atomic<bool> twice{false};
	Workers workers;
	workers.jobs = 4;
	workers.work = [&](int number, const Step &) {
		if (busy.at(static_cast<std::size_t>(number))++ != 0) twice = true;
		std::this_thread::sleep_for(50us);
		busy.at(static_cast<std::size_t>(number))--;
	};
	CHECK(run_steps(steps, workers));
	CHECK_FALSE(twice);
}

TEST_CASE("thousands of steps in layers are all done, in order")
{
	std::vector<Step> steps;
	for (int i = 1; i <= 3000; ++i) steps.push_back(step(i, i > 100 ? std::vector{i - 100, i - 57} : std::vector<int>{}, i % 7));
	Log log;
	CHECK(run(steps, 8, log));
	CHECK(log.done.size() == 3000);
	CHECK_FALSE(log.too_early);
}

TEST_CASE("E9: the first error is the one that is thrown, nothing is begun after it, and those that run are cancelled")
{
	std::atomic<bool> cancelled{false};
	std::mutex mutex;
	std::vector<int> begun;
	Workers workers;
	workers.jobs = 2;
	workers.cancel = [&] { cancelled = true; };
	workers.work = [&](int, const Step &one) {
		{
			std::lock_guard lock(mutex);
			begun.push_back(one.step);
		}
		if (one.step == 1) {
			std::this_thread::sleep_for(20ms);
			throw std::runtime_error("the first");
		}
		while (!cancelled) std::this_thread::sleep_for(1ms);    // hangs until cancelled, then fails too
		throw std::runtime_error("cancelled");
	};
	CHECK_THROWS_WITH(run_steps({step(1, {}, 9), step(2, {}, 8), step(3, {}, 7), step(4, {1})}, workers), "the first");
	CHECK(std::set<int>(begun.begin(), begun.end()) == std::set{1, 2});
}

TEST_CASE("a cancel that came too early is repeated")
{
	std::atomic<int> cancels{0};
	std::atomic<bool> second{false};
	Workers workers;
	workers.jobs = 2;
	workers.cancel = [&] { ++cancels; };
	workers.work = [&](int, const Step &one) {
		if (one.step == 2) second = true;
		while (one.step == 1 ? !second : cancels < 3) std::this_thread::sleep_for(1ms);
		if (one.step == 1) throw std::runtime_error("first");
	};
	CHECK_THROWS_WITH(run_steps({step(1), step(2)}, workers), "first");
	CHECK(cancels >= 3);
}

TEST_CASE("stop hands out no more steps, waits for those that run, and is no error")
{
	std::atomic<int> done{0};
	Workers workers;
	workers.jobs = 2;
	workers.stop = [&] { return done >= 2; };
	workers.work = [&](int, const Step &) {
		std::this_thread::sleep_for(20ms);
		++done;
	};
	std::vector<Step> steps;
	for (int i = 1; i <= 100; ++i) steps.push_back(step(i));
	CHECK_FALSE(run_steps(steps, workers));
	CHECK(done >= 2);
	CHECK(done < 100);
}

TEST_CASE("E9: what fails because it was cancelled is not the reason for the stop")
{
	std::atomic<bool> cancelled{false};
	Workers workers;
	workers.stop = [] { return true; };
	workers.cancel = [&] { cancelled = true; };
	workers.work = [&](int, const Step &) {
		while (!cancelled) std::this_thread::sleep_for(1ms);
		throw std::runtime_error("cancelled");
	};
	CHECK_FALSE(run_steps({step(1), step(2)}, workers));
}

TEST_CASE("a circle, a step that is not there, a step twice: refused before any work")
{
	Workers workers;
	bool worked = false;
	workers.work = [&](int, const Step &) { worked = true; };
	CHECK_THROWS_AS(run_steps({step(1), step(2, {3}), step(3, {2})}, workers), std::invalid_argument);
	CHECK_THROWS_AS(run_steps({step(1, {1})}, workers), std::invalid_argument);
	CHECK_THROWS_AS(run_steps({step(1), step(2, {7})}, workers), std::invalid_argument);
	CHECK_THROWS_AS(run_steps({step(1), step(1)}, workers), std::invalid_argument);
	CHECK_FALSE(worked);
}

TEST_CASE("an error of stop() is thrown after what runs has ended, not beside it", "[threads]")
{
	std::atomic<bool> cancelled = false;
	std::atomic<int> begun = 0, ended = 0, cancels = 0;
	Workers workers;
	workers.jobs = 3;
	workers.work = [&](int, const Step &) {
		++begun;
		while (!cancelled) std::this_thread::yield();
		++ended;
	};
	workers.stop = [&]() -> bool {
		while (begun < 2) std::this_thread::yield();
		throw std::runtime_error("the session that controls the run is gone");
	};
	// Nor does it end there when the first cancel cannot be sent.
	workers.cancel = [&] {
		if (++cancels == 1) throw std::runtime_error("no socket");
		cancelled = true;
	};
	CHECK_THROWS_WITH(run_steps({step(1), step(2), step(3, {1, 2})}, workers), "the session that controls the run is gone");
	CHECK(begun == 2);
	CHECK(ended == 2);
	CHECK(cancels >= 2);
}
