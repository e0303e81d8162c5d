// What `check --against` is made of: sets of values in bounded memory, and the texts of a value.
#include "catch.hpp"
#include "digests.hpp"
#include "leaves.hpp"
#include "tokens.hpp"
#include <string>

using client::Digests;
using client::Leaf;

TEST_CASE("Digests: all values are found, in as many passes as memory needs")
{
	Digests digests(2, 4096);
	int found = 0, others = 0, size = 0;
	while (digests.next()) {
		for (int twice = 0; twice < 2; ++twice)
			for (int i = 0; i < 20000; ++i) {
				digests.put(0, "value " + std::to_string(i));
				if (i < 100) digests.put(1, "value " + std::to_string(i));
				if (i % 4 == 0) digests.except(0, "value " + std::to_string(i));
			}
		digests.settle();
		size += static_cast<int>(digests.size(0));
		for (int i = 0; i < 40000; ++i) {
			found += digests.has(0, "value " + std::to_string(i));
			others += digests.has(1, "value " + std::to_string(i));
		}
	}
	CHECK(found == 15000);
	CHECK(size == 15000);
	CHECK(others == 100);
	CHECK(digests.passes() >= 5);
	CHECK_FALSE(digests.next());
}

TEST_CASE("Digests: one pass where there is room, however often a value comes")
{
	Digests digests(1, 4096);
	REQUIRE(digests.next());
	for (int i = 0; i < 100000; ++i) digests.put(0, "value " + std::to_string(i % 1000));
	digests.settle();
	CHECK(digests.size(0) == 1000);
	CHECK_FALSE(digests.next());
	CHECK(digests.passes() == 1);
}

static std::vector<std::string> texts(const std::string &base, std::string_view value)
{
	std::vector<std::string> out;
	for (const Leaf &leaf : client::leaves(base, value)) out.push_back((leaf.key.empty() ? "" : leaf.key + "=") + (leaf.kind == Leaf::Kind::none ? "-" : leaf.text));
	return out;
}

TEST_CASE("Leaves of values")
{
	using Texts = std::vector<std::string>;
	CHECK(texts("text", "{a}") == Texts{"{a}"});
	CHECK(texts("character", "ab  ") == Texts{"ab"});
	CHECK(texts("text[]", R"({a,NULL,"b c",{"d\"e"}})") == Texts{"a", "b c", "d\"e"});
	CHECK(texts("jsonb[]", R"({"{\"a\": \"b\"}"})") == Texts{"b"});
	CHECK(texts("jsonb", R"({"a": ["x", {"b": "y"}], "n": 12345678901, "f": 1.50, "t": true, "z": null})") == Texts{"x", "y", "12345678901", "1.50", "-", "-"});
	CHECK(texts("jsonb", R"({"a": "x", "n": 1e400})") == Texts{"x", "1e400"});
	CHECK(texts("json", "{broken") == Texts{"{broken"});
	CHECK(texts("public.hstore", R"("a"=>"1", "b"=>NULL, "c"=>"x y")") == Texts{"a=1", "c=x y"});
	// names of members that are data
	CHECK(texts("jsonb", R"({"a b": [{"x@corp.test": {"kind": "y", "4917112345678": 1}}]})") ==
	    Texts{"$['a b'][*] (keys)=x@corp.test", "y", "$['a b'][*].* (keys)=4917112345678", "1"});
	CHECK(texts("hstore", R"("x@corp.test"=>NULL, "kind"=>"y")") == Texts{"$ (keys)=x@corp.test", "kind=y"});
}

TEST_CASE("What masking changed")
{
	const auto of = [](const char *base, const char *before, const char *after) {
		const auto both = client::changed(client::leaves(base, before), client::leaves(base, after));
		std::string out;
		for (const Leaf &leaf : both.from) out += leaf.text + " ";
		out += "->";
		for (const Leaf &leaf : both.to) out += " " + leaf.text;
		return out;
	};
	CHECK(of("text", "a", "b") == "a -> b");
	CHECK(of("text", "a", "a") == "->");
	CHECK(of("jsonb", R"({"m": "a", "o": "a"})", R"({"m": "b", "o": "a"})") == "a -> b");
	CHECK(of("hstore", R"("m"=>"a", "o"=>"c")", R"("m"=>NULL, "o"=>"c")") == "a -> c");
	CHECK(of("text[]", "{a,b}", "{}") == "a b ->");
}

TEST_CASE("Values that tell nothing")
{
	for (const char *text : {"", "abc", "äöü", "1234567", "-", "12.05.2020 "})
		CHECK(client::telling(text) == (std::string_view(text) == "12.05.2020 "));
	for (const char *text : {"abcd", "12345678", "+49 89 123456", "a-12", "äöüß"}) CHECK(client::telling(text));
}

TEST_CASE("Tokens of a text")
{
	const auto of = [](std::string_view text) {
		std::string out;
		client::tokens(text, [&](const std::string &one) { out += (out.empty() ? "" : " ") + one; });
		return out;
	};
	CHECK(of("Mail to <Bob@Corp.example>, or carol@corp.example.") == "bob@corp.example carol@corp.example");
	CHECK(of("no@address, @nobody, a@b") == "");
	CHECK(of("tel. +49 (0)89 123-4567!") == "490891234567 0891234567 891234567");
	CHECK(of("on 2020-01-01 at 12") == "");
	CHECK(of("account 100000009") == "100000009");
	CHECK(of("100000009abc") == "100000009abc");
	CHECK(of("the user anna_4711 of DE89370400440532013000") == "anna_4711 DE89370400440532013000");
	CHECK(of("plain words, nothing else") == "");
	CHECK(of("@@@@@@@@ ---------- ((((((((") == "");
}

TEST_CASE("Values that are one token")
{
	CHECK(client::whole_token("Bob@Corp.example") == "bob@corp.example");
	CHECK(client::whole_token("+49 (0)89 123-4567") == "490891234567");
	CHECK(client::whole_token("anna_4711") == "anna_4711");
	CHECK_FALSE(client::whole_token("mail Bob@corp.example"));
	CHECK_FALSE(client::whole_token("Anna Smith"));
	CHECK_FALSE(client::whole_token(""));
}
