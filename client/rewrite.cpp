// Formats: "File Formats" of the manual's COPY page. Binary: signature, flags, header extension; then per row an int16 count of fields
// and per field an int32 length (-1: NULL) and its bytes; at the end an int16 of -1. Integers are big endian. Text: a line a row, fields
// between tabs, \N for NULL; tabs and newlines in values are escaped, so splitting needs no look at backslashes.
#include "rewrite.hpp"
#include <cstdint>
#include <stdexcept>
#include <utility>
#include "error.hpp"

namespace client {
namespace {

constexpr std::string_view signature("PGCOPY\n\377\r\n\0", 11);

std::uint32_t big_endian(std::string_view bytes)
{
	std::uint32_t value = 0;
	for (unsigned char byte : bytes) value = value << 8 | byte;
	return value;
}

void append_count(std::string &out, std::size_t count) { out += static_cast<char>(count >> 8 & 0xff), out += static_cast<char>(count & 0xff); }

void append_length(std::string &out, std::size_t length)
{
	for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xff);
}

}  // namespace

Rewriter::Rewriter(std::string relation, bool binary, std::size_t columns, std::vector<Replacement> replacements, std::size_t beside)
	: relation_(std::move(relation)), binary_(binary), columns_(columns), beside_(beside), by_column_(columns), replacements_(std::move(replacements))
{
	for (const Replacement &one : replacements_) {
		if (one.column >= columns || by_column_[one.column]) throw std::logic_error("no such column to rewrite, or twice");
		by_column_[one.column] = &one;
	}
	row_.resize(columns + beside);
}

void Rewriter::malformed() const { throw Error(exit_other, relation_ + ": the source sent rows in a form that is not understood"); }

void Rewriter::field(std::size_t column, std::string_view value, std::string &out) const
{
	const Replacement *replacement = by_column_[column];
	if (replacement) {
		auto other = replacement->value_in_row ? replacement->value_in_row(value, row_) : replacement->value(value);
		if (!other && replacement->null_if_missing) {
			out.append(binary_ ? "\xff\xff\xff\xff" : "\\N");
			return;
		}
		if (!other)
			throw Error(exit_check, relation_ + "." + replacement->name + ": the source has an id that has no counterpart in the target",
				"give the table it references a fallback, or bring the row that is missing into the target");
		value = *other;
	}
	if (binary_) append_length(out, value.size());
	out.append(value);
}

void Rewriter::message(std::string_view in, std::string &out)
{
	if (binary_) binary(in, out);
	else text(in, out);
}

void Rewriter::binary(std::string_view in, std::string &out)
{
	std::size_t at = 0;
	auto take = [&](std::size_t n) {
		if (in.size() - at < n) malformed();
		return in.substr(std::exchange(at, at + n), n);
	};
	if (!header_) {
		if (take(signature.size()) != signature) malformed();
		take(4);
		take(big_endian(take(4)));
		out.append(in.substr(0, at));
		header_ = true;
	}
	while (at < in.size()) {
		if (trailer_) malformed();
		const auto count = big_endian(take(2));
		append_count(out, count == 0xffff ? count : columns_);
		if (count == 0xffff) {
			trailer_ = true;
			continue;
		}
		if (count != row_.size()) malformed();
		for (auto &value : row_) {
			const auto length = big_endian(take(4));
			if (length == 0xffffffff) value.reset();
			else value = take(length);
		}
		for (std::size_t column = 0; column < columns_; ++column)
			if (row_[column]) field(column, *row_[column], out);
			else out.append("\xff\xff\xff\xff");
	}
}

void Rewriter::text(std::string_view in, std::string &out)
{
	while (!in.empty()) {
		std::size_t end = in.find('\n');
		if (end == std::string_view::npos) malformed();
		std::string_view row = in.substr(0, end);
		in.remove_prefix(end + 1);
		if (row_.empty() && !row.empty()) malformed();
		for (std::size_t column = 0; column < row_.size(); ++column) {
			std::size_t tab = row.find('\t');
			if ((tab == std::string_view::npos) != (column + 1 == row_.size())) malformed();
			row_[column] = row.substr(0, tab);
			if (row_[column] == "\\N") row_[column].reset();
			row.remove_prefix(tab == std::string_view::npos ? row.size() : tab + 1);
		}
		for (std::size_t column = 0; column < columns_; ++column) {
			if (column) out += '\t';
			if (row_[column]) field(column, *row_[column], out);
			else out.append("\\N");
		}
		out += '\n';
	}
}

}  // namespace client
