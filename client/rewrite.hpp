// Rewrites rows on their way through the client: COPY data of the source in, COPY data for the target out, with the values of some
// columns replaced (ids by maps, personal values by masks). Knows both formats of COPY, and of a value only its bytes. Pure.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace client {

struct Replacement {
	std::size_t column = 0;            // position in the COPY's column list, from 0
	std::string name;                  // of the column, for the error
	// The bytes on the wire -> the bytes to write instead (valid until the next call); nullopt: there is no counterpart. Not asked about NULL.
	std::function<std::optional<std::string_view>(std::string_view)> value;
	bool null_if_missing = false;      // what has no counterpart, or is masked so, becomes NULL instead of an error
	// In the place of value(), where other fields of the row have a say: the row's fields as they come from the source, nullopt: NULL.
	std::function<std::optional<std::string_view>(std::string_view, const std::vector<std::optional<std::string_view>> &)> value_in_row = {};
};

// For one COPY: it remembers whether the binary header has passed.
class Rewriter {
	std::string relation_;
	bool binary_;
	std::size_t columns_, beside_;
	std::vector<const Replacement *> by_column_;
	std::vector<Replacement> replacements_;
	bool header_ = false, trailer_ = false;
	std::vector<std::optional<std::string_view>> row_;    // its values; nullopt: NULL

	void binary(std::string_view in, std::string &out);
	void text(std::string_view in, std::string &out);
	void field(std::size_t column, std::string_view value, std::string &out) const;
	[[noreturn]] void malformed() const;

public:
	// `relation` is what an error calls the table. Throws std::logic_error for a column that is none.
	// `beside`: so many fields come behind the columns; replacements may look at them, they are not written.
	Rewriter(std::string relation, bool binary, std::size_t columns, std::vector<Replacement> replacements, std::size_t beside = 0);
	Rewriter(const Rewriter &) = delete;
	Rewriter &operator=(const Rewriter &) = delete;

	bool plain() const { return replacements_.empty() && beside_ == 0; }    // nothing to replace: the bytes may pass as they are
	// One CopyData message of the source: whole rows (libpq gives one each; the binary header comes with the first). Appends to
	// `out`. Throws Error: exit 6 for a value without a counterpart (named without the value), exit 1 for bytes that are no such rows.
	void message(std::string_view in, std::string &out);
};

}  // namespace client
