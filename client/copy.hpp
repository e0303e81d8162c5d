// The pump: one COPY out of the source, rewritten, into one COPY of the target. A thread reads while the caller's writes; between
// them at most a few megabytes wait, and the target sets the pace (libpq in blocking mode buffers nothing on its own).
//
// Memory of one pump: queue_bytes, libpq's buffers of tens of kilobytes, and for a row that is larger than all that its size three times
// (libpq's input buffer grows to twice the row, and hands out a copy).
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>
#include "connection.hpp"
#include "rewrite.hpp"

namespace client {

struct Copied {
	std::int64_t rows = 0, bytes = 0;      // rows as both servers counted them; bytes as they went to the target
};

// Both sessions are in a transaction that the caller ends. Throws the first error of the two sides; then the other COPY has been ended too
// (the target's with an error, never plainly, so that half a table cannot be taken for a whole), and both transactions are to be rolled back.
// `progress` is called from the caller's thread, with rows and bytes so far; rows are those read, an estimate until the end.
Copied copy(Connection &source, const std::string &copy_out, Connection &target, const std::string &copy_in, Rewriter &rewriter,
	const std::function<void(const Copied &)> &progress);

}  // namespace client
