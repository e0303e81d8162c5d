// Binary forms: what the types' send functions write (numeric_send, network_send ...), integers big endian. They have not changed since the
// protocol has them, and a release that did would break every driver.
#include "value_text.hpp"

#include <arpa/inet.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "calendar.hpp"
#include "mask_tables.hpp"

namespace core {

namespace {

[[noreturn]] void no_value(const char *type) { throw NoSuchValue(std::string("a value that is no ") + type); }

std::uint64_t big_endian(std::string_view bytes)
{
	std::uint64_t value = 0;
	for (const unsigned char byte : bytes) value = value << 8 | byte;
	return value;
}

void append_big_endian(std::uint64_t value, int bytes, std::string &out)
{
	for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

template <class Integer>
Integer integer_of(std::string_view bytes, const char *type)
{
	if (bytes.size() != sizeof(Integer)) no_value(type);
	return static_cast<Integer>(big_endian(bytes));
}

template <class Integer>
void append_integer(std::string_view text, const char *type, std::string &out)
{
	Integer value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc() || end != text.data() + text.size()) no_value(type);
	append_big_endian(static_cast<std::uint64_t>(value), sizeof(Integer), out);
}

template <class Float, class Bits>
void append_float_text(std::string_view bytes, std::string &out)
{
	const auto value = std::bit_cast<Float>(integer_of<Bits>(bytes, "number"));
	if (value != value) out += "NaN";
	else if (value - value != 0) out += value > 0 ? "Infinity" : "-Infinity";
	else {
		// As the server: digits as they are up to the precision of the type, beyond it with an exponent.
		char buffer[64];
		const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
		const std::string_view scientific(buffer, static_cast<std::size_t>(end - buffer));
		const int exponent = std::atoi(std::string(scientific.substr(scientific.find('e') + 1)).c_str());
		if (value == 0 || (exponent >= -4 && exponent < std::numeric_limits<Float>::digits10))
			out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr);
		else out += scientific;
	}
}

template <class Float, class Bits>
void append_float(std::string_view text, std::string &out)
{
	Float value = 0;    // from_chars knows nan and infinity, in any case
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc() || end != text.data() + text.size()) no_value("number");
	append_big_endian(std::bit_cast<Bits>(value), sizeof(Bits), out);
}

// numeric: count of groups of four digits, weight of the first, sign, digits behind the point, groups.
constexpr std::uint16_t numeric_negative = 0x4000, numeric_nan = 0xC000, numeric_infinity = 0xD000, numeric_minus_infinity = 0xF000;
constexpr int most_scale = 16'383;

void append_numeric_text(std::string_view bytes, std::string &out)
{
	if (bytes.size() < 8) no_value("numeric");
	const auto word = [&](std::size_t at) { return static_cast<std::uint16_t>(big_endian(bytes.substr(at, 2))); };
	const int groups = word(0), weight = static_cast<std::int16_t>(word(2)), scale = word(6);
	const std::uint16_t sign = word(4);
	if (sign == numeric_nan || sign == numeric_infinity || sign == numeric_minus_infinity) {
		out += sign == numeric_nan ? "NaN" : sign == numeric_infinity ? "Infinity" : "-Infinity";
		return;
	}
	if (bytes.size() != 8 + 2 * static_cast<std::size_t>(groups) || (sign != 0 && sign != numeric_negative) ||
	    scale > most_scale || (groups == 0 && (weight || sign)))
		no_value("numeric");
	const auto group = [&](int at) { return at >= 0 && at < groups ? word(8 + 2 * static_cast<std::size_t>(at)) : 0; };
	for (int i = 0; i < groups; ++i)
		if (group(i) > 9999 || (i == 0 && group(i) == 0)) no_value("numeric");
	if (sign == numeric_negative) out += '-';
	const auto append_group = [&](int value, int from, int digits) {
		char four[] = {char('0' + value / 1000 % 10), char('0' + value / 100 % 10), char('0' + value / 10 % 10), char('0' + value % 10)};
		out.append(four + from, static_cast<std::size_t>(digits));
	};
	if (weight < 0) out += '0';
	for (int i = 0; i <= weight; ++i) {
		const int value = group(i), leading = i ? 0 : value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;
		append_group(value, leading, 4 - leading);
	}
	if (scale == 0) return;
	out += '.';
	for (int digit = 0, i = weight + 1; digit < scale; digit += 4, ++i) append_group(group(i), 0, std::min(4, scale - digit));
}

void append_numeric(std::string_view text, std::string &out)
{
	std::uint16_t sign = 0;
	if (text == "NaN") sign = numeric_nan;
	else if (text == "Infinity") sign = numeric_infinity;
	else if (text == "-Infinity") sign = numeric_minus_infinity;
	if (sign) {
		append_big_endian(0, 4, out);
		append_big_endian(sign, 2, out);
		append_big_endian(0, 2, out);
		return;
	}
	if (text.starts_with('-')) sign = numeric_negative, text.remove_prefix(1);
	const std::size_t point = std::min(text.find('.'), text.size());
	std::string whole(text.substr(0, point)), fraction(point < text.size() ? text.substr(point + 1) : "");
	if ((whole.empty() && fraction.empty()) || !all_digits(whole) || !all_digits(fraction) || fraction.size() > most_scale ||
	    whole.size() > 131'072)
		no_value("numeric");
	const std::size_t scale = fraction.size();
	whole.insert(0, (4 - whole.size() % 4) % 4, '0');
	fraction.append((4 - fraction.size() % 4) % 4, '0');
	const std::string digits = whole + fraction;
	std::vector<int> groups;
	for (std::size_t at = 0; at < digits.size(); at += 4) groups.push_back(std::stoi(digits.substr(at, 4)));
	int weight = static_cast<int>(whole.size() / 4) - 1;
	std::size_t first = 0, last = groups.size();
	while (first < last && groups[first] == 0) ++first, --weight;
	while (last > first && groups[last - 1] == 0) --last;
	if (first == last) weight = 0, sign = 0;
	append_big_endian(last - first, 2, out);
	append_big_endian(static_cast<std::uint16_t>(weight), 2, out);
	append_big_endian(sign, 2, out);
	append_big_endian(scale, 2, out);
	for (; first < last; ++first) append_big_endian(static_cast<std::uint64_t>(groups[first]), 2, out);
}

void append_hex_bytes(std::string_view bytes, const char *between, std::size_t (*gap_before)(std::size_t), std::string &out)
{
	constexpr char digits[] = "0123456789abcdef";
	for (std::size_t i = 0; i < bytes.size(); ++i) {
		if (i && gap_before(i)) out += between;
		const auto byte = static_cast<unsigned char>(bytes[i]);
		out += digits[byte >> 4];
		out += digits[byte & 15];
	}
}

// So many bytes in hex, with any of `between` among them.
void append_bytes_of_hex(
    std::string_view text, std::string_view between, std::initializer_list<std::size_t> sizes, const char *type, std::string &out)
{
	std::string bytes;
	int value = 0;
	bool half = false;
	for (const char c : text) {
		if (!half && between.find(c) != between.npos) continue;
		const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (digit < 0) no_value(type);
		value = half ? value * 16 + digit : digit;
		if (half) bytes += static_cast<char>(value);
		half = !half;
	}
	for (const std::size_t size : sizes)
		if (!half && bytes.size() == size) {
			out += bytes;
			return;
		}
	no_value(type);
}

// network_send: family, length of the mask, whether a cidr, length of the address, address.
constexpr unsigned char family_4 = 2, family_6 = 3;

void append_network_text(std::string_view bytes, std::string &out)
{
	if (bytes.size() < 4) no_value("network address");
	const auto family = static_cast<unsigned char>(bytes[0]), mask = static_cast<unsigned char>(bytes[1]);
	const bool cidr = bytes[2] != 0, six = family == family_6;
	const std::string_view address = bytes.substr(4);
	if ((family != family_4 && !six) || address.size() != (six ? 16 : 4)) no_value("network address");
	char buffer[INET6_ADDRSTRLEN];
	if (!inet_ntop(six ? AF_INET6 : AF_INET, address.data(), buffer, sizeof buffer)) no_value("network address");
	out += buffer;
	if (cidr || mask != (six ? 128 : 32)) out += "/" + std::to_string(mask);
}

void append_network(std::string_view text, std::string &out)
{
	const auto slash = std::min(text.find('/'), text.size());
	const std::string address(text.substr(0, slash));
	const bool six = address.find(':') != address.npos;
	std::array<char, 16> bytes{};
	if (inet_pton(six ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) != 1) no_value("network address");
	int mask = six ? 128 : 32;
	if (slash < text.size()) {
		int given = -1;
		const auto [end, error] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), given);
		if (error != std::errc() || end != text.data() + text.size() || given < 0 || given > mask) no_value("network address");
		mask = given;
	}
	out += static_cast<char>(six ? family_6 : family_4);
	out += static_cast<char>(mask);
	out += '\0';    // whether a cidr: the receiving type decides
	out += static_cast<char>(six ? 16 : 4);
	out.append(bytes.data(), six ? 16 : 4);
}

std::int64_t timestamp_of(std::string_view text)
{
	bool with_zone = false;
	const auto us = parse_timestamp(text, with_zone);
	if (!us) no_value("timestamp");
	return *us;
}

}  // namespace

BinaryForm binary_form(const std::string &base)
{
	static constexpr std::pair<const char *, BinaryForm> forms[] = {{"smallint", BinaryForm::int2}, {"integer", BinaryForm::int4},
	    {"bigint", BinaryForm::int8}, {"real", BinaryForm::float4}, {"double precision", BinaryForm::float8},
	    {"numeric", BinaryForm::numeric}, {"boolean", BinaryForm::boolean}, {"date", BinaryForm::date},
	    {"timestamp without time zone", BinaryForm::timestamp}, {"timestamp with time zone", BinaryForm::timestamptz},
	    {"uuid", BinaryForm::uuid}, {"inet", BinaryForm::network}, {"cidr", BinaryForm::network}, {"macaddr", BinaryForm::mac},
	    {"macaddr8", BinaryForm::mac}, {"json", BinaryForm::same}, {"jsonb", BinaryForm::jsonb}};
	for (const auto &[name, form] : forms)
		if (base == name) return form;
	return kind_of_type(base) == ValueKind::text ? BinaryForm::same : BinaryForm::unknown;
}

void append_text(BinaryForm form, std::string_view bytes, std::string &out)
{
	switch (form) {
	case BinaryForm::same: out += bytes; return;
	case BinaryForm::jsonb:
		if (bytes.empty() || bytes.front() != 1) no_value("jsonb of version 1");
		out += bytes.substr(1);
		return;
	case BinaryForm::int2: out += std::to_string(integer_of<std::int16_t>(bytes, "smallint")); return;
	case BinaryForm::int4: out += std::to_string(integer_of<std::int32_t>(bytes, "integer")); return;
	case BinaryForm::int8: out += std::to_string(integer_of<std::int64_t>(bytes, "bigint")); return;
	case BinaryForm::float4: append_float_text<float, std::uint32_t>(bytes, out); return;
	case BinaryForm::float8: append_float_text<double, std::uint64_t>(bytes, out); return;
	case BinaryForm::numeric: append_numeric_text(bytes, out); return;
	case BinaryForm::boolean:
		if (bytes.size() != 1) no_value("boolean");
		out += bytes.front() ? 't' : 'f';
		return;
	case BinaryForm::date: append_date(integer_of<std::int32_t>(bytes, "date"), out); return;
	case BinaryForm::timestamp:
	case BinaryForm::timestamptz:
		append_timestamp(integer_of<std::int64_t>(bytes, "timestamp"), form == BinaryForm::timestamptz, out);
		return;
	case BinaryForm::uuid:
		if (bytes.size() != 16) no_value("uuid");
		append_hex_bytes(bytes, "-", [](std::size_t i) -> std::size_t { return i == 4 || i == 6 || i == 8 || i == 10; }, out);
		return;
	case BinaryForm::network: append_network_text(bytes, out); return;
	case BinaryForm::mac:
		if (bytes.size() != 6 && bytes.size() != 8) no_value("MAC address");
		append_hex_bytes(bytes, ":", [](std::size_t) -> std::size_t { return 1; }, out);
		return;
	case BinaryForm::unknown: break;
	}
	throw std::logic_error("a binary form that is not known");
}

void append_binary(BinaryForm form, std::string_view text, std::string &out)
{
	switch (form) {
	case BinaryForm::same: out += text; return;
	case BinaryForm::jsonb:
		out += '\1';
		out += text;
		return;
	case BinaryForm::int2: append_integer<std::int16_t>(text, "smallint", out); return;
	case BinaryForm::int4: append_integer<std::int32_t>(text, "integer", out); return;
	case BinaryForm::int8: append_integer<std::int64_t>(text, "bigint", out); return;
	case BinaryForm::float4: append_float<float, std::uint32_t>(text, out); return;
	case BinaryForm::float8: append_float<double, std::uint64_t>(text, out); return;
	case BinaryForm::numeric: append_numeric(text, out); return;
	case BinaryForm::boolean:
		if (text != "t" && text != "f" && text != "true" && text != "false") no_value("boolean");
		out += text.front() == 't' ? '\1' : '\0';
		return;
	case BinaryForm::date: {
		const auto days = parse_date(text);
		if (!days) no_value("date");
		append_big_endian(static_cast<std::uint32_t>(*days), 4, out);
		return;
	}
	case BinaryForm::timestamp:
	case BinaryForm::timestamptz: append_big_endian(static_cast<std::uint64_t>(timestamp_of(text)), 8, out); return;
	case BinaryForm::uuid: append_bytes_of_hex(text, "-", {16}, "uuid", out); return;
	case BinaryForm::network: append_network(text, out); return;
	case BinaryForm::mac: append_bytes_of_hex(text, ":-", {6, 8}, "MAC address", out); return;
	case BinaryForm::unknown: break;
	}
	throw std::logic_error("a binary form that is not known");
}

}  // namespace core
