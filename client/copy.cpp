#include "copy.hpp"
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include "fault_point.hpp"

namespace client {
namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;       // a PQputCopyData each: larger brings nothing, smaller costs system calls
constexpr std::size_t queue_bytes = 4 * 1024 * 1024;
constexpr std::size_t large_row = 4 * 1024 * 1024;

struct FreeMemory { void operator()(char *p) const { PQfreemem(p); } };

// Many rows, or one large one as libpq handed it out.
struct Buffer {
	std::string text;
	std::unique_ptr<char, FreeMemory> row;
	std::size_t row_size = 0;
	std::string_view data() const { return row ? std::string_view(row.get(), row_size) : std::string_view(text); }
};

// Between the threads. Counts what waits and what is being written, so that a row of hundreds of megabytes has the queue to itself.
class Queue {
	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<Buffer> full_;
	std::vector<std::string> empty_;
	std::size_t outstanding_ = 0, writing_ = 0;
	bool ended_ = false, refused_ = false;

public:
	// false: the writer has given up.
	bool push(Buffer &&buffer)
	{
		const std::size_t size = buffer.data().size();
		std::unique_lock lock(mutex_);
		changed_.wait(lock, [&] { return refused_ || outstanding_ == 0 || outstanding_ + size <= queue_bytes; });
		if (refused_) return false;
		outstanding_ += size;
		full_.push_back(std::move(buffer));
		changed_.notify_all();
		return true;
	}
	bool wait_until_empty()
	{
		std::unique_lock lock(mutex_);
		changed_.wait(lock, [&] { return refused_ || outstanding_ == 0; });
		return !refused_;
	}
	std::string room()
	{
		std::lock_guard lock(mutex_);
		std::string one;
		if (!empty_.empty()) one = std::move(empty_.back()), empty_.pop_back();
		one.clear();
		one.reserve(buffer_bytes + buffer_bytes / 8);
		return one;
	}
	// The next buffer, or nothing at the end. Takes the last one back, to be filled again.
	std::optional<Buffer> pop(Buffer &&last)
	{
		last.row.reset();
		std::string text = std::move(last.text);
		if (text.capacity() < buffer_bytes || text.capacity() > 2 * buffer_bytes) std::string().swap(text);
		std::unique_lock lock(mutex_);
		outstanding_ -= std::exchange(writing_, 0);
		if (text.capacity() >= buffer_bytes) empty_.push_back(std::move(text));
		changed_.notify_all();
		changed_.wait(lock, [&] { return ended_ || !full_.empty(); });
		if (full_.empty()) return std::nullopt;
		Buffer next = std::move(full_.front());
		full_.pop_front();
		writing_ = next.data().size();
		return next;
	}
	void end()
	{
		std::lock_guard lock(mutex_);
		ended_ = true;
		changed_.notify_all();
	}
	void refuse()
	{
		std::lock_guard lock(mutex_);
		refused_ = true;
		changed_.notify_all();
	}
};

std::int64_t rows_of(const Result &result) { return std::strtoll(PQcmdTuples(result.get()), nullptr, 10); }

class Reader {
	Connection &source_;
	Rewriter &rewriter_;
	Queue &queue_;

public:
	std::atomic<std::int64_t> messages{0};
	std::int64_t rows = 0;
	std::exception_ptr error;

	Reader(Connection &source, Rewriter &rewriter, Queue &queue) : source_(source), rewriter_(rewriter), queue_(queue) {}

	void run() noexcept
	{
		try {
			read();
		} catch (...) {
			error = std::current_exception();
			// Ours, in the middle of a COPY: the source has to stop sending before the session can be used again.
			if (source_.usable() && PQtransactionStatus(source_.get()) == PQTRANS_ACTIVE) {
				source_.cancel();
				for (char *row = nullptr; PQgetCopyData(source_.get(), &row, 0) > 0;) PQfreemem(row);
				try {
					source_.end_copy();
				} catch (...) {
				}
			}
		}
		queue_.end();
	}

private:
	void read()
	{
		std::string buffer = queue_.room();
		bool open = true;
		for (;;) {
			char *raw = nullptr;
			int length = PQgetCopyData(source_.get(), &raw, 0);
			if (length < 0) break;
			std::unique_ptr<char, FreeMemory> row(raw);
			std::string_view data(raw, static_cast<std::size_t>(length));
			if (!open) continue;    // the target failed: only until the cancel arrives
			messages.fetch_add(1, std::memory_order_relaxed);
			const bool large = data.size() >= large_row;
			if (large && !buffer.empty()) open = flush(buffer);
			if (open && large && rewriter_.plain()) {
				open = queue_.push({{}, std::move(row), data.size()});
			} else if (open) {
				if (large) buffer.reserve(data.size() + buffer_bytes);    // else it doubles its way up
				if (rewriter_.plain()) buffer.append(data);
				else rewriter_.message(data, buffer);
				row.reset();
				if (buffer.size() >= buffer_bytes) open = flush(buffer);
			}
			// The next row may be as large: have this one gone before libpq makes a copy of another.
			if (large && open) open = queue_.wait_until_empty();
		}
		Result result = source_.end_copy();
		if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw source_.error(result.get());
		rows = rows_of(result);
		if (open && !buffer.empty()) queue_.push({std::move(buffer), nullptr, 0});
	}

	bool flush(std::string &buffer)
	{
		FAULT_POINT("rows read");
		if (!queue_.push({std::move(buffer), nullptr, 0})) return false;
		buffer = queue_.room();
		return true;
	}
};

// In pieces: libpq makes a copy of what it is given, and messages of COPY need not end where rows do.
bool put(PGconn *target, std::string_view data)
{
	// Takes what the target sends off the socket, so that it never blocks on us. libpq looks at it only when the COPY ends: an error of the target
	// in its first row is seen then, and until then the target swallows what comes. A connection that is gone is seen here.
	if (!PQconsumeInput(target)) return false;
	while (!data.empty()) {
		std::string_view piece = data.substr(0, 2 * buffer_bytes);
		if (PQputCopyData(target, piece.data(), static_cast<int>(piece.size())) != 1) return false;
		data.remove_prefix(piece.size());
	}
	return true;
}

}  // namespace

Copied copy(Connection &source, const std::string &copy_out, Connection &target, const std::string &copy_in, Rewriter &rewriter,
	const std::function<void(const Copied &)> &progress)
{
	target.start_copy(copy_in, PGRES_COPY_IN);
	try {
		source.start_copy(copy_out, PGRES_COPY_OUT);
	} catch (...) {
		if (PQputCopyEnd(target.get(), "source failed") == 1) target.end_copy();
		throw;
	}
	Queue queue;
	Reader reader(source, rewriter, queue);
	std::jthread thread([&] { reader.run(); });

	Copied copied;
	bool accepted = true;
	std::exception_ptr failed;    // here, beside the reader: it goes on until it is told, and is waited for
	try {
		Buffer last;
		while (auto buffer = queue.pop(std::move(last))) {
			if (!(accepted = put(target.get(), buffer->data()))) break;
			copied.bytes += static_cast<std::int64_t>(buffer->data().size());
			copied.rows = reader.messages;
			FAULT_POINT("rows written");
			if (progress) progress(copied);
			last = std::move(*buffer);
		}
	} catch (...) {
		failed = std::current_exception();
	}
	if (!accepted || failed) {
		queue.refuse();
		source.cancel();
	}
	thread.join();
	if (!accepted || failed || reader.error) {
		PQputCopyEnd(target.get(), "source failed");
		Result result = target.end_copy();
		if (failed) std::rethrow_exception(failed);
		if (accepted) std::rethrow_exception(reader.error);
		throw target.error(result.get());
	}
	if (PQputCopyEnd(target.get(), nullptr) != 1) throw target.error(target.end_copy().get());
	Result result = target.end_copy();
	if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw target.error(result.get());
	copied.rows = rows_of(result);
	if (copied.rows != reader.rows)
		throw Error(exit_check, "the source sent " + std::to_string(reader.rows) + " rows, the target took " + std::to_string(copied.rows));
	if (progress) progress(copied);
	return copied;
}

}  // namespace client
