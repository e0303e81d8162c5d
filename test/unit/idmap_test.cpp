#include "catch.hpp"
#include "core/idmap.hpp"

using namespace core;
using namespace std::string_literals;

TEST_CASE("keys in the binary form of COPY")
{
	CHECK(wire_form("1", "smallint", true) == "\0\1"s);
	CHECK(wire_form("-2", "smallint", true) == "\xff\xfe"s);
	CHECK(wire_form("32767", "smallint", true) == "\x7f\xff"s);
	CHECK(wire_form("258", "integer", true) == "\0\0\1\2"s);
	CHECK(wire_form("-2147483648", "integer", true) == "\x80\0\0\0"s);
	CHECK(wire_form("1000000017", "bigint", true) == "\0\0\0\0\x3b\x9a\xca\x11"s);
	CHECK(wire_form("9223372036854775807", "bigint", true) == "\x7f\xff\xff\xff\xff\xff\xff\xff"s);
	CHECK(wire_form("-9223372036854775808", "bigint", true) == "\x80\0\0\0\0\0\0\0"s);
	CHECK(wire_form("a0eebc99-9c0b-4ef8-BB6D-6bb9bd380a11", "uuid", true) ==
	    "\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11"s);
	CHECK(wire_form("a\tb", "text", true) == "a\tb");
	CHECK(wire_form("ab", "character varying", true) == "ab");
}

TEST_CASE("keys in the text form of COPY")
{
	CHECK(wire_form("17", "bigint", false) == "17");
	CHECK(wire_form("a\tb\\c\nd", "text", false) == "a\\tb\\\\c\\nd");
	CHECK(wire_form("1.50", "numeric", false) == "1.50");
}

TEST_CASE("what is no key of the type is refused")
{
	CHECK_THROWS_AS(wire_form("32768", "smallint", true), std::runtime_error);
	CHECK_THROWS_AS(wire_form("2147483648", "integer", true), std::runtime_error);
	CHECK_THROWS_AS(wire_form("9223372036854775808", "bigint", true), std::runtime_error);
	CHECK_THROWS_AS(wire_form("1x", "integer", true), std::runtime_error);
	CHECK_THROWS_AS(wire_form("", "integer", true), std::runtime_error);
	CHECK_THROWS_AS(wire_form("a0eebc99", "uuid", true), std::runtime_error);
	CHECK_THROWS_AS(wire_form("1.50", "numeric", true), std::runtime_error);
	CHECK_FALSE(has_wire_form("numeric"));
	CHECK(has_wire_form("uuid"));
}

TEST_CASE("maps replace ids")
{
	Map users;
	users.pairs = {{"2", "20"}};
	SECTION("with a fallback, every other id becomes it")
	{
		users.fallback = "4";
		const IdMap map(users, "bigint", true);
		CHECK(map.find(wire_form("2", "bigint", true)) == wire_form("20", "bigint", true));
		CHECK(map.find(wire_form("3", "bigint", true)) == wire_form("4", "bigint", true));
	}
	SECTION("without one, they have no counterpart")
	{
		const IdMap map(users, "bigint", false);
		CHECK(map.find("2") == "20");
		CHECK(map.find("3") == std::nullopt);
	}
	SECTION("folded rows: every other id stays")
	{
		Fold fold;
		fold.dropped = {{"11", "10"}};
		const IdMap map(fold, "bigint", true);
		CHECK(map.find(wire_form("11", "bigint", true)) == wire_form("10", "bigint", true));
		CHECK(map.find(wire_form("12", "bigint", true)) == wire_form("12", "bigint", true));
	}
}
