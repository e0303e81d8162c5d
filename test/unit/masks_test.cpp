#include "core/masks.hpp"

#include <fstream>
#include <set>

#include "catch.hpp"
#include "core/config.hpp"
#include "core/copy_text.hpp"
#include "core/mask_stream.hpp"

using namespace core;

namespace {

const char *const golden_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

MaskKey key(const std::string &hex = golden_key)
{
	std::string why;
	const auto parsed = MaskKey::parse(hex, why);
	REQUIRE(parsed);
	return *parsed;
}

std::string masked(const MaskRule &rule, const std::string &value, const std::string &hex = golden_key)
{
	const MaskKey with = key(hex);
	Mask mask(rule, &with);
	const auto made = mask(value);
	return made ? std::string(*made) : "\\N";
}

std::string why_not(const std::string &text)
{
	std::string why;
	CHECK_FALSE(MaskKey::parse(text, why));
	return why;
}

}  // namespace

TEST_CASE("the forms are those of the golden file, release after release")
{
	std::ifstream file("test/fixtures/masks.tsv");
	REQUIRE(file);
	std::string line, buffer;
	std::set<std::string> seen;
	int lines = 0;
	while (std::getline(file, line)) {
		std::vector<std::string> fields;
		for (std::size_t at = 0; at <= line.size();) {
			const auto end = std::min(line.find('\t', at), line.size());
			const auto field = std::string_view(line).substr(at, end - at);
			fields.emplace_back(field == "\\N" ? field : copy_unescaped(field, buffer));
			at = end + 1;
		}
		REQUIRE(fields.size() == 4);
		json rule = json::parse(fields[1]);
		rule["column"] = "x";
		rule["strategy"] = fields[0];
		std::vector<Problem> problems;
		const auto parsed = parse_column_rule(rule, "x", problems);
		REQUIRE(parsed);
		CHECK(masked(parsed->rule, fields[2]) == fields[3]);
		const Strategy &strategy = *find_strategy(fields[0]);
		if (strategy.gives_null) {
			CHECK(fields[3] == (fields[2].empty() ? "" : "\\N"));
		} else {
			CHECK(is_masked_form(parsed->rule, "text", fields[3]));
			const int width = strategy.width(parsed->rule);
			const std::size_t as_long = width == as_long_as_the_value || strategy.as_long_too ? count_characters(fields[2]) : 0;
			// a width is what a column of text needs
			if (width != longer_than_the_value && takes(strategy, ValueKind::text)) CHECK(count_characters(fields[3]) <= std::max(as_long, static_cast<std::size_t>(width)));
		}
		seen.insert(fields[0]);
		++lines;
	}
	CHECK(lines > 100);
	for (const Strategy &strategy : strategies())
		if (strategy.name != std::string_view(by_production)) CHECK(seen.contains(strategy.name));
}

TEST_CASE("masks are keyed: another key gives other masks (E6)")
{
	const std::string other(63, '0');
	for (const char *strategy : {"email", "name", "hash"})
		CHECK(masked({strategy, "", json::object()}, "alice@example.com") != masked({strategy, "", json::object()}, "alice@example.com", other + "1"));
	CHECK(masked({"hash", "", json::object()}, "x") != masked({"hash", "billing", json::object()}, "x"));
	CHECK(masked({"hash", "", json::object()}, "x") != masked({"email", "", json::object()}, "x").substr(5, 16));    // strategies do not give each other away
	CHECK(masked({"redact", "", json::object()}, "x", other + "1") == "[REDACTED]");
}

TEST_CASE("the empty string stays empty, everything else changes")
{
	for (const Strategy &strategy : strategies()) {
		const json options = std::string_view(strategy.name) == "choice" ? json{{"of", {"a", "b"}}} : std::string_view(strategy.name) == "constant" ? json{{"value", "a"}} : json::object();
		CHECK(masked({strategy.name, "", options}, "").empty() != strategy.masks_empty);    // Confiture's is a value like any other
		CHECK_FALSE(masked({strategy.name, "", options}, " ").empty());
	}
}

TEST_CASE("200,000 e-mail addresses stay 200,000 (E5)")
{
	const MaskKey with = key();
	Mask email({"email", "", json::object()}, &with);
	std::set<std::string> seen;
	for (int i = 0; i < 200'000; ++i) seen.emplace(*email("person" + std::to_string(i) + "@example.net"));
	CHECK(seen.size() == 200'000);
}

TEST_CASE("odds of a collision")
{
	const auto odds = [](const char *strategy, double rows, int length = 0) {
		return collision_odds(*find_strategy(strategy), {strategy, "", length ? json{{"length", length}} : json::object()}, rows);
	};
	CHECK(odds("email", 5e6) <= accepted_odds);
	CHECK(odds("email", 1e7) > accepted_odds);
	CHECK(odds("hash", 1e9, 32) <= accepted_odds);
	CHECK(odds("name", 90) <= accepted_odds);
	CHECK(odds("name", 100) > accepted_odds);
	CHECK(odds("phone", 1) == 1);
	CHECK(odds("redact", 1) == 1);
}

TEST_CASE("what is no output of a strategy is told apart")
{
	const auto in_form = [](const char *strategy, std::string_view value, int length = 0) {
		return is_masked_form({strategy, "", length ? json{{"length", length}} : json::object()}, "text", value);
	};
	CHECK_FALSE(in_form("email", "alice@example.com"));
	CHECK_FALSE(in_form("email", "user_D23AC2EB2E8AD87B@example.com"));
	CHECK_FALSE(in_form("email", "user_d23ac2eb2e8ad87b@example.org"));
	CHECK_FALSE(in_form("phone", "+1-555-12345"));
	CHECK_FALSE(in_form("phone", "+1-555-12a4"));
	CHECK_FALSE(in_form("name", "User 681d13ca"));
	CHECK_FALSE(in_form("redact", "REDACTED"));
	CHECK_FALSE(in_form("hash", "5a8943f67bb7ad15", 32));
	CHECK(in_form("hash", ""));
}

TEST_CASE("a key is 64 hex digits")
{
	std::string why;
	CHECK(MaskKey::parse(std::string(" ") + golden_key + "\r\n", why));
	CHECK(why_not("") == "is empty");
	CHECK(why_not(" \n") == "is empty");
	CHECK(why_not("abcdef") == "has 6 hex digits instead of 64");
	CHECK(why_not(std::string(golden_key) + "20") == "has 66 hex digits instead of 64");
	CHECK(why_not("x" + std::string(golden_key).substr(1)) == "has other characters than hex digits");
	CHECK(why_not(std::string(64, '0')) == "is 64 times the same digit");
	const MaskKey one = MaskKey::random(), two = MaskKey::random();
	CHECK(std::string(one.data(), one.data() + MaskKey::size) != std::string(two.data(), two.data() + MaskKey::size));
}

TEST_CASE("a mask without strategy or key is a fault of ours")
{
	const MaskKey with = key();
	CHECK_THROWS_AS(Mask({"unknown", "", json::object()}, &with), std::logic_error);
	CHECK_THROWS_AS(Mask({"none", "", json::object()}, &with), std::logic_error);
	CHECK_THROWS_AS(Mask({"email", "", json::object()}, nullptr), std::logic_error);
	CHECK(Mask({"redact", "", json::object()}, nullptr)("x") == "[REDACTED]");
}

TEST_CASE("COPY's text format, there and back")
{
	std::string buffer, out;
	for (const std::string value : {"", "plain", "a\tb\nc\\d\re\bf\fg\vh", "\\N", "ends with \\"}) {
		out.clear();
		append_copy_escaped(out, value);
		CHECK(out.find('\t') == out.npos);
		CHECK(copy_unescaped(out, buffer) == value);
	}
	CHECK(copy_unescaped("a\\xb", buffer) == "axb");
}
