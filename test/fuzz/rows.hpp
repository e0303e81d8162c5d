// Rows in both formats of COPY, written and read by other code than the client's.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "target.hpp"

namespace fuzz {

using Row = std::vector<std::optional<std::string>>;    // of text rows the fields as they stand, escaped

inline std::string binary_header() { return std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19); }

inline std::string written(const Row &row, bool binary)
{
	std::string out;
	if (!binary) {
		for (std::size_t i = 0; i < row.size(); ++i) out += (i ? "\t" : "") + row[i].value_or("\\N");
		return out + "\n";
	}
	const auto number = [&](std::size_t value, int bytes) {
		while (bytes-- > 0) out += static_cast<char>(value >> 8 * bytes & 0xff);
	};
	number(row.size(), 2);
	for (const auto &field : row) {
		number(field ? field->size() : 0xffffffff, 4);
		out += field.value_or("");
	}
	return out;
}

// nullopt: no such rows. Of the binary format behind the header; `end`: whether the trailer was there, behind which is nothing.
inline std::optional<std::vector<Row>> read(std::string_view in, bool binary, std::size_t columns, bool *end = nullptr)
{
	std::vector<Row> rows;
	if (!binary) {
		while (!in.empty()) {
			const auto line = in.find('\n');
			if (line == in.npos) return std::nullopt;
			Row row(1, "");
			for (const char c : in.substr(0, line))
				if (c == '\t') row.emplace_back("");
				else *row.back() += c;
			if (row.size() != columns) return std::nullopt;
			for (auto &field : row)
				if (field == "\\N") field.reset();
			rows.push_back(std::move(row));
			in.remove_prefix(line + 1);
		}
		return rows;
	}
	bool good = true;
	const auto number = [&](std::size_t bytes) {
		std::size_t value = 0;
		good = good && in.size() >= bytes;
		if (!good) return value;
		for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(in[i]);
		in.remove_prefix(bytes);
		return value;
	};
	while (good && !in.empty()) {
		const auto count = number(2);
		if (good && count == 0xffff) {
			if (end) *end = true;
			return in.empty() ? std::optional(rows) : std::nullopt;
		}
		if (count != columns) return std::nullopt;
		Row row;
		for (std::size_t i = 0; i < count; ++i) {
			const auto size = number(4);
			if (good && size == 0xffffffff) row.emplace_back();
			else if (good = good && in.size() >= size; good) {
				row.emplace_back(in.substr(0, size));
				in.remove_prefix(size);
			}
		}
		rows.push_back(std::move(row));
	}
	return good ? std::optional(rows) : std::nullopt;
}

}  // namespace fuzz
