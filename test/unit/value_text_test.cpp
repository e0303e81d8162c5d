#include "core/value_text.hpp"

#include "catch.hpp"
#include "core/calendar.hpp"

using namespace core;
using namespace std::string_literals;

namespace {

std::string binary(const char *base, std::string_view text)
{
	std::string out;
	append_binary(binary_form(base), text, out);
	return out;
}

std::string text(const char *base, std::string_view bytes)
{
	std::string out;
	append_text(binary_form(base), bytes, out);
	return out;
}

}  // namespace

TEST_CASE("what the server prints and what it sends are one value")
{
	const std::pair<const char *, std::vector<const char *>> values[] = {
	    {"smallint", {"0", "-32768", "32767"}},
	    {"integer", {"-1", "2147483647"}},
	    {"bigint", {"9223372036854775807", "-9223372036854775808"}},
	    {"real", {"1.5", "-0.1", "NaN", "Infinity", "-Infinity", "1e+10", "100000", "1e+06", "0.0001", "1e-05", "0", "-0"}},
	    {"double precision", {"0.1", "1e+100", "-2.2250738585072014e-308", "NaN", "100000", "2000000", "0.0001", "1e-05", "123456789012345", "1e+15", "1.2345678901234568e+17"}},
	    {"numeric", {"0", "0.00", "1", "-1", "10000", "12345678.9", "0.0001", "0.00012345", "-99999999999999999999.123456789", "100000000", "1.10", "NaN", "Infinity", "-Infinity"}},
	    {"boolean", {"t", "f"}},
	    {"date", {"2024-02-29", "1999-12-31", "2000-01-01", "0001-01-01", "0044-03-15 BC", "0001-12-31 BC", "infinity", "-infinity", "294276-12-31"}},
	    {"timestamp without time zone", {"2024-02-29 12:34:56.789", "1999-12-31 23:59:59.999999", "0044-03-15 00:00:00 BC", "infinity", "-infinity"}},
	    {"timestamp with time zone", {"2024-02-29 12:34:56+00", "1969-07-20 20:17:40.5+00", "0044-03-15 00:00:00+00 BC"}},
	    {"uuid", {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
	    {"inet", {"10.0.0.1", "10.0.0.1/8", "2001:db8::1", "::/0", "::ffff:1.2.3.4"}},
	    {"macaddr", {"08:00:2b:01:02:03"}},
	    {"macaddr8", {"08:00:2b:01:02:03:04:05"}},
	    {"jsonb", {"{\"a\": 1}"}},
	    {"text", {"", "a\tb"}}};
	for (const auto &[base, texts] : values)
		for (const char *one : texts) {
			CAPTURE(base, one);
			CHECK(text(base, binary(base, one)) == one);
		}
}

TEST_CASE("the bytes are the server's")
{
	CHECK(binary("date", "2000-01-02") == "\0\0\0\1"s);
	CHECK(binary("timestamp without time zone", "2000-01-01 00:00:01") == "\0\0\0\0\0\x0f\x42\x40"s);
	CHECK(binary("timestamp with time zone", "2000-01-01 02:00:01+02") == "\0\0\0\0\0\x0f\x42\x40"s);
	CHECK(binary("numeric", "-12345.678") == "\0\3\0\1\x40\0\0\3\0\1\x09\x29\x1a\x7c"s);
	CHECK(binary("numeric", "0.00001") == "\0\1\xff\xfe\0\0\0\5\x03\xe8"s);
	CHECK(binary("inet", "10.1.2.3/24") == "\2\x18\0\4\x0a\1\2\3"s);
	CHECK(text("cidr", "\2\x20\1\4\x0a\1\2\3"s) == "10.1.2.3/32");
}

TEST_CASE("what is no value is an error that does not show it")
{
	const std::pair<const char *, std::vector<const char *>> values[] = {{"date", {"", "2024-02-30", "0000-01-01", "2024-2-1", "today", "2024-02-01x"}},
	    {"timestamp with time zone", {"2024-02-01", "2024-02-01 25:00:00", "400000-01-01 00:00:00+00", "290310-01-01 00:00:00+00 BC"}}, {"numeric", {"", ".", "1e5", "--1"}}, {"inet", {"10.0.0", "10.0.0.1/33", "x"}},
	    {"macaddr", {"08:00"}}, {"integer", {"2147483648", "1.0", ""}}, {"boolean", {"yes"}}};
	for (const auto &[base, texts] : values)
		for (const char *one : texts) {
			CAPTURE(base, one);
			CHECK_THROWS_AS(binary(base, one), NoSuchValue);
		}
	for (const char *base : {"smallint", "numeric", "uuid", "inet", "macaddr", "date", "boolean", "real"}) {
		CAPTURE(base);
		CHECK_THROWS_AS(text(base, "\1\2\3"s), NoSuchValue);
	}
	CHECK_THROWS_AS(text("jsonb", "\2{}"s), NoSuchValue);
	// what no server sends: another sign, a group that is none, one too many, digits without end
	for (const std::string &bytes : {"\0\1\0\0\x80\x80\0\0\0\1"s, "\0\1\0\0\0\0\0\0\x27\x10"s, "\0\2\0\1\0\0\0\0\0\0\0\1"s, "\0\1\0\0\0\0\x40\0\0\1"s, "\0\0\0\1\0\0\0\0"s})
		CHECK_THROWS_AS(text("numeric", bytes), NoSuchValue);
	CHECK(text("numeric", "\0\1\0\0\0\0\0\0\x27\x0f"s) == "9999");
	CHECK(binary_form("public.mood") == BinaryForm::unknown);
}

TEST_CASE("every day of eight centuries comes back")
{
	int others = 0;
	for (std::int32_t day = -146'097; day < 146'097; ++day) {
		std::string shown;
		append_date(day, shown);
		others += parse_date(shown) != day;
	}
	CHECK(others == 0);
}
