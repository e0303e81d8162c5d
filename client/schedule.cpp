#include "schedule.hpp"
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace client {
namespace {

using core::Step;

// Big steps first, so that none is left to run alone at the end; a load before another step of the same size, since more depends on it.
struct First {
	bool operator()(const Step *a, const Step *b) const
	{
		if (a->est_bytes != b->est_bytes) return a->est_bytes > b->est_bytes;
		if ((a->kind == "load") != (b->kind == "load")) return a->kind == "load";
		return a->step < b->step;
	}
};

class Graph {
	std::map<int, const Step *> steps_;
	std::map<int, std::size_t> missing_;               // step -> how many it still waits for
	std::map<int, std::vector<int>> dependents_;

public:
	std::set<const Step *, First> ready;
	std::size_t left = 0;

	explicit Graph(const std::vector<Step> &steps) : left(steps.size())
	{
		for (const Step &step : steps)
			if (!steps_.emplace(step.step, &step).second) throw std::invalid_argument("step " + std::to_string(step.step) + " occurs twice");
		for (const Step &step : steps) {
			std::set<int> on(step.depends_on.begin(), step.depends_on.end());
			for (int other : on) {
				if (!steps_.contains(other))
					throw std::invalid_argument("step " + std::to_string(step.step) + " depends on step " +
					    std::to_string(other) + ", which is not there");
				dependents_[other].push_back(step.step);
			}
			missing_[step.step] = on.size();
			if (on.empty()) ready.insert(&step);
		}
	}

	void done(const Step &step)
	{
		--left;
		for (int dependent : dependents_[step.step])
			if (--missing_[dependent] == 0) ready.insert(steps_[dependent]);
	}
};

void refuse_cycles(Graph graph)
{
	while (!graph.ready.empty()) graph.done(*graph.ready.extract(graph.ready.begin()).value());
	if (graph.left) throw std::invalid_argument("the steps depend on each other in a circle");
}

}  // namespace

bool run_steps(const std::vector<Step> &steps, const Workers &workers)
{
	using namespace std::chrono_literals;
	Graph graph(steps);
	refuse_cycles(graph);

	std::mutex mutex;
	std::condition_variable changed;
	std::exception_ptr error;
	bool stopped = false;
	int running = 0;

	auto worker = [&](int number) {
		std::unique_lock lock(mutex);
		for (;;) {
			changed.wait(lock, [&] { return stopped || error || graph.left == 0 || !graph.ready.empty(); });
			if (stopped || error || graph.left == 0) return;
			const Step &step = *graph.ready.extract(graph.ready.begin()).value();
			++running;
			lock.unlock();
			std::exception_ptr failed;
			try {
				workers.work(number, step);
			} catch (...) {
				failed = std::current_exception();
			}
			lock.lock();
			--running;
			try {
				if (!failed) graph.done(step);
			} catch (...) {
				failed = std::current_exception();
			}
			if (failed && !error && !stopped) error = failed;    // else it was cancelled: why is known already
			changed.notify_all();
		}
	};

	// A thread that is destroyed while it runs ends the process. So whatever leaves this function, be it an error of stop() or a thread that could not
	// be had, what runs is made to end first, and waited for.
	std::vector<std::thread> threads;
	auto finish = [&]() noexcept {
		std::unique_lock lock(mutex);
		stopped = stopped || (graph.left && !error);
		changed.notify_all();
		// Again and again: a cancel that comes between two statements of a step is lost.
		while (running) {
			if ((error || stopped) && workers.cancel) {
				lock.unlock();
				try {
					workers.cancel();
				} catch (...) {    // the next one may do it
				}
				lock.lock();
			}
			changed.wait_for(lock, 100ms, [&] { return running == 0; });
		}
		lock.unlock();
		for (std::thread &thread : threads) thread.join();
	};
	try {
		const int jobs = std::min<int>(std::max(workers.jobs, 1), static_cast<int>(steps.size()));
		threads.reserve(static_cast<std::size_t>(jobs));
		for (int number = 0; number < jobs; ++number) threads.emplace_back(worker, number);
		std::unique_lock lock(mutex);
		while (graph.left && !error && !stopped) {
			changed.wait_for(lock, 50ms, [&] { return graph.left == 0 || error; });
			if (graph.left && !error && workers.stop) {
				lock.unlock();
				bool stop = workers.stop();
				lock.lock();
				stopped = stop;
			}
		}
	} catch (...) {
		finish();
		throw;
	}
	finish();
	if (error) std::rethrow_exception(error);
	return graph.left == 0;
}

}  // namespace client
