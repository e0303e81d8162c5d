// Rows on their way through the client: bytes in, bytes out.
#include <string>
#include "catch.hpp"
#include "../../client/error.hpp"
#include "../../client/rewrite.hpp"
#include "../../extension/core/idmap.hpp"

using client::Replacement;
using client::Rewriter;
using namespace std::string_literals;

namespace {

const std::string header = "PGCOPY\n\377\r\n\0"s + "\0\0\0\0"s + "\0\0\0\0"s;
const std::string trailer = "\377\377"s;

std::string int32(std::uint32_t n)
{
	std::string out;
	for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
	return out;
}

std::string field(const std::string &value) { return int32(static_cast<std::uint32_t>(value.size())) + value; }
const std::string null = int32(0xffffffff);

std::string tuple(const std::vector<std::string> &fields)
{
	std::string out = {static_cast<char>(fields.size() >> 8), static_cast<char>(fields.size() & 0xff)};
	for (const std::string &one : fields) out += one;
	return out;
}

// 1 -> 100, 2 -> "a longer id", nothing else.
Replacement ids(std::size_t column, bool binary)
{
	auto known = [binary](std::string_view value) -> std::optional<std::string_view> {
		static const std::string one = int32(1), hundred = int32(100), two = int32(2);
		if (value == (binary ? std::string_view(one) : "1")) return binary ? std::string_view(hundred) : "100";
		if (value == (binary ? std::string_view(two) : "2")) return "a longer id";
		return std::nullopt;
	};
	return {column, "owner_id", known};
}

std::string rewritten(Rewriter &rewriter, std::string_view in)
{
	std::string out;
	rewriter.message(in, out);
	return out;
}

int exit_code(Rewriter &rewriter, std::string_view in)
{
	try {
		rewritten(rewriter, in);
	} catch (client::Error &error) {
		return error.exit_code;
	}
	return 0;
}

}  // namespace

TEST_CASE("binary rows: one column is replaced, lengths follow, all else stays as it is")
{
	Rewriter rewriter("apps_orders", true, 3, {ids(1, true)});
	CHECK_FALSE(rewriter.plain());
	// The server puts the header into the message of the first row.
	CHECK(rewritten(rewriter, header + tuple({field("a"), field(int32(1)), field("")})) == header + tuple({field("a"), field(int32(100)), field("")}));
	CHECK(rewritten(rewriter, tuple({null, field(int32(2)), null})) == tuple({null, field("a longer id"), null}));
	CHECK(rewritten(rewriter, tuple({field("\0\377\n\\."s), null, field(int32(1))})) == tuple({field("\0\377\n\\."s), null, field(int32(1))}));
	CHECK(rewritten(rewriter, trailer) == trailer);
}

TEST_CASE("binary: a table without rows, a header with an extension, several rows in one message")
{
	Rewriter empty("t", true, 1, {ids(0, true)});
	CHECK(rewritten(empty, header + trailer) == header + trailer);
	const std::string extended = "PGCOPY\n\377\r\n\0"s + "\0\0\0\0"s + int32(3) + "xyz";
	Rewriter several("t", true, 1, {ids(0, true)});
	CHECK(rewritten(several, extended + tuple({field(int32(1))}) + tuple({field(int32(1))}) + trailer) ==
		extended + tuple({field(int32(100))}) + tuple({field(int32(100))}) + trailer);
}

TEST_CASE("binary: what is no such row is refused")
{
	auto fresh = [] { return Rewriter("t", true, 2, {ids(0, true)}); };
	const std::string good = tuple({field(int32(1)), field("x")});
	for (const std::string &bad : {"PGCOPY\n\377\r\n1"s + "\0\0\0\0\0\0\0\0"s, header.substr(0, 15), header + good.substr(0, good.size() - 1), header + tuple({field("x")}),
			 header + good + "\0"s, header + trailer + good, header + tuple({field(int32(1)), int32(1000) + "x"})}) {
		Rewriter rewriter = fresh();
		CHECK(exit_code(rewriter, bad) == client::exit_other);
	}
}

TEST_CASE("text rows: split at tabs, NULL stays, escapes are not looked into")
{
	Rewriter rewriter("apps_orders", false, 3, {ids(1, false)});
	CHECK(rewritten(rewriter, "a\\tb\t1\t\n") == "a\\tb\t100\t\n");
	CHECK(rewritten(rewriter, "\\N\t\\N\t\\\\N\n") == "\\N\t\\N\t\\\\N\n");
	CHECK(rewritten(rewriter, "\\.\t2\t1\n\t1\t1\n") == "\\.\ta longer id\t1\n\t100\t1\n");
	for (const char *bad : {"a\t1\n", "a\t1\tb\tc\n", "a\t1\tb", "\n"}) CHECK(exit_code(rewriter, bad) == client::exit_other);
	Rewriter last("t", false, 1, {ids(0, false)});
	CHECK(rewritten(last, "1\n") == "100\n");
}

TEST_CASE("an id without a counterpart: exit 6, with relation and column and without the value")
{
	Rewriter binary("apps_orders", true, 1, {ids(0, true)});
	Rewriter text("apps_orders", false, 1, {ids(0, false)});
	CHECK(exit_code(binary, header + tuple({field(int32(4711))})) == client::exit_check);
	try {
		rewritten(text, "4711\n");
		FAIL("taken");
	} catch (client::Error &error) {
		CHECK(error.exit_code == client::exit_check);
		CHECK(std::string(error.what()).find("apps_orders.owner_id") != std::string::npos);
		CHECK((error.what() + error.hint + error.detail).find("4711") == std::string::npos);
	}
}

TEST_CASE("nothing to replace is plain; a column that is none is a bug")
{
	CHECK(Rewriter("t", true, 3, {}).plain());
	CHECK_THROWS_AS(Rewriter("t", true, 1, {ids(1, true)}), std::logic_error);
	CHECK_THROWS_AS(Rewriter("t", true, 2, {ids(1, true), ids(1, true)}), std::logic_error);
}

TEST_CASE("core's maps, in both formats")
{
	core::Map map;
	map.pairs = {{"7", "1000000007"}};
	map.fallback = "4";
	for (bool binary : {true, false}) {
		core::IdMap ids_of(map, "bigint", binary);
		Rewriter rewriter("t", binary, 1, {{0, "user_id", [&](std::string_view value) { return ids_of.find(value); }}});
		auto row = [&](const std::string &value) { return binary ? tuple({field(core::wire_form(value, "bigint", true))}) : value + "\n"; };
		CHECK(rewritten(rewriter, (binary ? header : "") + row("7")) == (binary ? header : "") + row("1000000007"));
		CHECK(rewritten(rewriter, row("8")) == row("4"));
	}
}

TEST_CASE("P13: which map an id goes by, another column of its row says")
{
	for (const bool binary : {true, false}) {
		using Find = std::function<std::optional<std::string_view>(std::string_view)>;
		const Find find = ids(0, binary).value;
		const std::string user = binary ? int32(7) : "7";
		for (const std::size_t at : {0, 1}) {    // the column beside comes before or after the id
			Replacement replacement{at, "object_id", {}, false};
			replacement.value_in_row = [&](std::string_view value, const auto &row) { return row[1 - at] == user ? find(value) : value; };
			Rewriter rewriter("note", binary, 2, {replacement});
			CHECK_FALSE(rewriter.plain());
			const auto row = [&](std::optional<int> type, std::optional<int> id) {
				std::vector<std::string> fields;
				for (const auto &value : at ? std::vector{type, id} : std::vector{id, type})
					fields.push_back(binary ? value ? field(int32(static_cast<std::uint32_t>(*value))) : null : value ? std::to_string(*value) : "\\N");
				return binary ? tuple(fields) : fields[0] + "\t" + fields[1] + "\n";
			};
			const std::string first = binary ? header : "";
			CHECK(rewritten(rewriter, first + row(7, 1)) == first + row(7, 100));
			CHECK(rewritten(rewriter, row(8, 1)) == row(8, 1));    // of another model: it stays
			CHECK(rewritten(rewriter, row(std::nullopt, 1)) == row(std::nullopt, 1));
			CHECK(rewritten(rewriter, row(7, std::nullopt)) == row(7, std::nullopt));
			CHECK(exit_code(rewriter, row(7, 3)) == client::exit_check);
		}
	}
}
