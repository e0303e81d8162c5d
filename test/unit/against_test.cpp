// What `check --against` is made of: sets of values in bounded memory, and the texts of a value.
#include "catch.hpp"
#include "digests.hpp"
#include "leaves.hpp"
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
	CHECK(texts("json", "{broken") == Texts{"{broken"});
	CHECK(texts("public.hstore", R"("a"=>"1", "b"=>NULL, "c"=>"x y")") == Texts{"a=1", "c=x y"});
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
