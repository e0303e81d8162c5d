#include "core/mask_elements.hpp"
#include "core/mask_json.hpp"

#include <regex>

#include "catch.hpp"
#include "core/masks.hpp"
#include "core/value_text.hpp"

using namespace core;

namespace {

std::string why_not(const std::string &path)
{
	std::string why;
	CHECK_FALSE(JsonPath::parse(path, why));
	return why;
}

// The document with every leaf that the paths name in upper case, a marker before it.
std::string marked(const std::string &document, const std::vector<std::string> &written)
{
	std::vector<JsonPath> paths;
	for (const auto &one : written) {
		std::string why;
		auto path = JsonPath::parse(one, why);
		INFO(why);
		REQUIRE(path);
		paths.push_back(*path);
	}
	std::string out, buffer;
	const auto mark = [&](std::size_t rule, std::string_view leaf) -> std::optional<std::string_view> {
		buffer = std::to_string(rule) + "/" + std::string(leaf);
		return buffer;
	};
	REQUIRE(mask_json(document, paths, mark, out));
	return out;
}

MaskRule part(const char *path, const char *strategy) { return {strategy, "", json::object(), "", "", path, {}}; }
MaskRule parts(std::vector<MaskRule> inside) { return {MaskRule::by_path, "", json::object(), "", "", "", std::move(inside)}; }

const std::string golden = "user_d23ac2eb2e8ad87b@example.com";    // of alice@example.com under the golden key

const MaskKey &key()
{
	static const MaskKey one = [] {
		std::string why;
		return *MaskKey::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", why);
	}();
	return one;
}

std::string masked(const MaskRule &rule, const std::string &base, const std::string &value)
{
	return std::string(*Mask(rule, &key(), base)(value));
}

}  // namespace

TEST_CASE("a path names members, elements, any of them, any depth")
{
	const std::string document = R"({"a": {"b": "x", "c": ["y", {"b": "z"}]}, "b": "t", "d e": "u"})";
	CHECK(marked(document, {"$.a.b"}) == R"({"a": {"b": "0/x", "c": ["y", {"b": "z"}]}, "b": "t", "d e": "u"})");
	CHECK(marked(document, {"$..b"}) == R"({"a": {"b": "0/x", "c": ["y", {"b": "0/z"}]}, "b": "0/t", "d e": "u"})");
	CHECK(marked(document, {"$.a.c[*]"}) == R"({"a": {"b": "x", "c": ["0/y", {"b": "0/z"}]}, "b": "t", "d e": "u"})");
	CHECK(marked(document, {"$.a.c[1].*"}) == R"({"a": {"b": "x", "c": ["y", {"b": "0/z"}]}, "b": "t", "d e": "u"})");
	CHECK(marked(document, {"$['d e']", "$.*"}) == R"({"a": {"b": "1/x", "c": ["1/y", {"b": "1/z"}]}, "b": "1/t", "d e": "0/u"})");
	CHECK(marked(document, {"$.nothing"}) == document);
	CHECK(marked("\"a\"", {"$"}) == "\"0/a\"");
	CHECK(marked("[[1, 2], [3]]", {"$[*][0]"}) == "[[\"0/1\", 2], [\"0/3\"]]");
}

TEST_CASE("what no path names is written as it was read")
{
	const std::string document =
	    R"({"n": [0, -0.10, 1e400, 12345678901234567890123, 1.50, -9223372036854775808, 18446744073709551615], "t": [true, false, null], "s": "ä\"\\\n", "": {}, "e": []})";
	CHECK(marked(document, {"$.x"}) == document);
	CHECK(marked(R"({"a":1,"a":2})", {"$.x"}) == R"({"a": 1, "a": 2})");    // json keeps both
}

TEST_CASE("numbers stay numbers where their mask is one, null stays null")
{
	std::string out;
	std::string why;
	const std::vector<JsonPath> all{*JsonPath::parse("$.*", why)};
	const auto shifted = [](std::size_t, std::string_view leaf) -> std::optional<std::string_view> {
		if (leaf == "1") return "2";
		if (leaf == "2") return "02";
		if (leaf == "3") return std::nullopt;
		return leaf;
	};
	REQUIRE(mask_json(R"({"a": 1, "b": 2, "c": 3, "d": null, "e": true})", all, shifted, out));
	CHECK(out == R"({"a": 2, "b": "02", "c": null, "d": null, "e": true})");
}

TEST_CASE("what is no document is refused")
{
	std::string out;
	const auto as_is = [](std::size_t, std::string_view leaf) -> std::optional<std::string_view> { return leaf; };
	for (const char *text : {"", "{", "{\"a\": 1}}", "nope", "\"\xff\"", "[1,]"}) {
		CAPTURE(text);
		CHECK_FALSE(mask_json(text, {}, as_is, out));
	}
}

TEST_CASE("what is no path is said")
{
	CHECK(why_not("a.b") == "must begin with $, as in $.contacts[*].email");
	CHECK(why_not("$.") == "needs a name behind the dot; other characters than letters, digits, _ and - are written $['a name']");
	CHECK(why_not("$[x]") == "needs a number, * or a quoted name between brackets");
	CHECK(why_not("$[1") == "has a bracket that does not close");
	CHECK(why_not("$['a]") == "has a quote that does not end");
	CHECK(why_not("$a") == "goes on with something else than . or [");
	std::string deep = "$";
	for (int i = 0; i < 100; ++i) deep += ".a";
	CHECK(why_not(deep) == "is too long");
}

TEST_CASE("M10: an address has one mask, in a column, an array, a document, an hstore")
{
	const MaskRule email{"email", "", json::object()};
	CHECK(masked(email, "text", "alice@example.com") == golden);
	CHECK(masked(email, "text[]", "{alice@example.com,NULL,\"alice@example.com\"}") == "{\"" + golden + "\",NULL,\"" + golden + "\"}");
	CHECK(masked(email, "text[]", "[0:0]={alice@example.com}") == "[0:0]={\"" + golden + "\"}");
	CHECK(masked(email, "text[]", "{{alice@example.com},{\"\"}}") == "{{\"" + golden + "\"},{\"\"}}");
	CHECK(masked(email, "text[]", "{}") == "{}");
	const MaskRule inside = parts({part("$.contacts[*].email", "email"), part("$.iq", "none")});
	CHECK(masked(inside, "jsonb", R"({"contacts": [{"email": "alice@example.com", "id": 7}], "iq": 130})") ==
	    R"({"contacts": [{"email": ")" + golden + R"(", "id": 7}], "iq": 130})");
	CHECK(masked(parts({part("$.mail", "email")}), "public.hstore", R"("id"=>"1", "mail"=>"alice@example.com", "x"=>NULL)") ==
	    R"("id"=>"1", "mail"=>")" + golden + R"(", "x"=>NULL)");
	CHECK(masked(parts({part("$.*", "redact")}), "hstore", R"("a\"b"=>"1")") == R"("a\"b"=>"[REDACTED]")");
}

TEST_CASE("the form of every part is looked at")
{
	const MaskRule email{"email", "", json::object()}, inside = parts({part("$..email", "email"), part("$.plain", "none")});
	CHECK(is_masked_form(email, "text[]", "{" + golden + ",NULL,\"\"}"));
	CHECK_FALSE(is_masked_form(email, "text[]", "{" + golden + ",alice@example.com}"));
	CHECK_FALSE(is_masked_form(email, "text[]", "alice@example.com"));
	CHECK(is_masked_form(inside, "jsonb", R"({"email": ")" + golden + R"(", "plain": "x", "other": "y"})"));
	CHECK_FALSE(is_masked_form(inside, "json", R"([{"email": "alice@example.com"}])"));
	CHECK_FALSE(is_masked_form(inside, "json", "{"));
	CHECK_FALSE(is_masked_form(parts({part("$.a", "redact")}), "hstore", R"("a"=>"1")"));
}

TEST_CASE("a value without the parts that a rule is about does not pass")
{
	CHECK_THROWS_AS(masked(parts({part("$.a", "redact")}), "json", "{"), NoSuchValue);
	// the character 0 stays where it is, whatever stands in the place of digits while they are replaced
	CHECK(std::regex_match(masked(parts({part("$.a", "digits")}), "json", R"({"a": "\u0000 12 x\u0000"})"), std::regex(R"(\{"a": "\\u0000 [0-9]{2} x\\u0000"\})")));
	CHECK_THROWS_AS(masked(parts({part("$.a", "redact")}), "hstore", "a=>1"), NoSuchValue);
	CHECK_THROWS_AS(masked({"redact", "", json::object()}, "text[]", "{a"), NoSuchValue);
	CHECK_THROWS_AS(masked({"redact", "", json::object()}, "text[]", "a"), NoSuchValue);
	CHECK_THROWS_AS(masked({"redact", "", json::object()}, "text[]", "{a}x"), NoSuchValue);
	CHECK(masked({"redact", "", json::object()}, "text[]", "[-1:-1][2:2]={{a}}") == "[-1:-1][2:2]={{\"[REDACTED]\"}}");
	CHECK_THROWS_AS(masked({"redact", "", json::object()}, "text[]", "[secret]={a}"), NoSuchValue);    // bounds are copied as they are, so they have to be some
}

TEST_CASE("fields of composite values are masked by path")
{
	MaskRule rule = parts({part("$.mail", "email"), part("$.home.place", "redact"), part("$.mails", "email"), part("$.gone", "null")});
	rule.options["shape"] = json::parse(R"({"fields": [{"name": "mail", "base": "text"}, {"name": "note", "base": "text"},
		{"name": "home", "fields": [{"name": "place", "base": "text"}, {"name": "n", "base": "integer"}]}, {"name": "mails", "of": {"base": "text"}}, {"name": "gone", "base": "text"}]})");
	const std::string base = "public.person";
	// what has no rule as it was written, NULL stays NULL
	CHECK(masked(rule, base, R"-((alice@example.com,"a ""b"" \\",,,))-") == "(\"" + golden + R"-(","a ""b"" \\",,,))-");
	CHECK(masked(rule, base, R"-(("","","(""12, Main"",7)","{alice@example.com,NULL}",x))-") == R"-(("","","(\"[REDACTED]\",7)","{\")-" + golden + R"-(\",NULL}",))-");
	CHECK(is_masked_form(rule, base, masked(rule, base, R"-((alice@example.com,n,"(x,7)","{alice@example.com}",x))-")));
	CHECK_FALSE(is_masked_form(rule, base, "(alice@example.com,n,,,)"));
	CHECK_FALSE(is_masked_form(rule, base, "(,n,,,x)"));
	CHECK(is_masked_form(rule, base, "(,raw,,,)"));
	for (const char *wrong : {"()", "(a,b)", "(a,b,,,,)", "(\"a,b,,,)", "a,b,,,", "(a,b,(x,,)", "(,,x,,)"}) CHECK_THROWS_AS(masked(rule, base, wrong), NoSuchValue);
	MaskRule list = parts({part("$[*].mail", "email"), part("$[1].note", "redact")});
	list.options["shape"] = json::parse(R"({"of": {"fields": [{"name": "mail", "base": "text"}, {"name": "note", "base": "character"}]}})");
	CHECK(masked(list, "public.person[]", R"-({"(alice@example.com,a)","(,\"b  \")",NULL})-") ==
	    R"-({"(\")-" + golden + R"-(\",a)","(,\"[REDACTED]\")",NULL})-");
}
