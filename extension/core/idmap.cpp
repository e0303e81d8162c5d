#include "idmap.hpp"

#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "copy_text.hpp"

namespace core {

namespace {

int integer_width(const std::string &type) { return type == "smallint" ? 2 : type == "integer" ? 4 : type == "bigint" ? 8 : 0; }

bool is_text(const std::string &type)
{
	return type == "text" || type == "varchar" || type == "character varying" || type.starts_with("varchar(") ||
	    type.starts_with("character varying(");
}

[[noreturn]] void refuse(const std::string &what, const std::string &type)
{
	throw std::runtime_error(what + " of type " + type);
}

// int2send, int4send, int8send: big endian, two's complement (pqformat.h).
std::string integer_form(std::string_view text, const std::string &type, int width)
{
	std::int64_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	const std::int64_t limit = width == 8 ? INT64_MAX : (std::int64_t{1} << (8 * width - 1)) - 1;
	if (error != std::errc() || end != text.data() + text.size() || value > limit || value < -limit - 1)
		refuse("a key that is no value", type);
	std::string bytes(static_cast<std::size_t>(width), '\0');
	for (int i = 0; i < width; ++i)
		bytes[static_cast<std::size_t>(i)] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * (width - 1 - i)) & 0xff);
	return bytes;
}

std::string uuid_form(std::string_view text)
{
	std::string bytes;
	int digits = 0, byte = 0;
	for (const char c : text) {
		if (c == '-') continue;
		const int digit = c >= '0' && c <= '9' ? c - '0'
		    : c >= 'a' && c <= 'f'             ? c - 'a' + 10
		    : c >= 'A' && c <= 'F'             ? c - 'A' + 10
		                                       : -1;
		if (digit < 0) refuse("a key that is no value", "uuid");
		byte = byte * 16 + digit;
		if (++digits % 2 == 0) {
			bytes += static_cast<char>(byte);
			byte = 0;
		}
	}
	if (digits != 32) refuse("a key that is no value", "uuid");
	return bytes;
}

// The pump compares fields without unescaping them.
std::string escaped(std::string_view text)
{
	std::string field;
	append_copy_escaped(field, text);
	return field;
}

}  // namespace

bool has_wire_form(const std::string &base_type) { return integer_width(base_type) || base_type == "uuid" || is_text(base_type); }

std::string wire_form(std::string_view text, const std::string &base_type, bool binary)
{
	if (!binary) return escaped(text);
	if (const int width = integer_width(base_type)) return integer_form(text, base_type, width);
	if (base_type == "uuid") return uuid_form(text);
	if (is_text(base_type)) return std::string(text);
	refuse("no binary form is known for keys", base_type);
}

IdMap::IdMap(const Map &map, const std::string &target_type, bool binary) : identity_(map.as_is)
{
	pairs_.reserve(map.pairs.size());
	for (const auto &[from, to] : map.pairs)
		pairs_.emplace(wire_form(from, target_type, binary), wire_form(to, target_type, binary));
	if (identity_)
		for (const auto &id : map.unmatched) unmatched_.insert(wire_form(id, target_type, binary));
	if (map.fallback) fallback_ = wire_form(*map.fallback, target_type, binary);
}

IdMap::IdMap(const Fold &fold, const std::string &target_type, bool binary) : identity_(true)
{
	if (fold.by_ctid)  // nothing can reference such a row by one column
		return;
	pairs_.reserve(fold.dropped.size());
	for (const auto &[from, to] : fold.dropped)
		pairs_.emplace(wire_form(from, target_type, binary), wire_form(to, target_type, binary));
}

std::optional<std::string_view> IdMap::find(std::string_view value) const
{
	if (const auto found = pairs_.find(value); found != pairs_.end()) return found->second;
	if (value.empty()) return value;    // a text that references nothing
	if (identity_) return unmatched_.contains(value) ? std::nullopt : std::optional(value);
	if (fallback_) return *fallback_;
	return std::nullopt;
}

}  // namespace core
