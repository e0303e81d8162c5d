#include "catch.hpp"
#include "core/name.hpp"

using namespace core;

TEST_CASE("identifiers are quoted where the server would quote them")
{
	CHECK(quote_identifier("apps_orders") == "apps_orders");
	CHECK(quote_identifier("_x9") == "_x9");
	CHECK(quote_identifier("Odd.Name") == "\"Odd.Name\"");
	CHECK(quote_identifier("a\"b") == "\"a\"\"b\"");
	CHECK(quote_identifier("9a") == "\"9a\"");
	CHECK(quote_identifier("a$") == "\"a$\"");
	CHECK(quote_identifier("größe") == "\"größe\"");
	CHECK(quote_identifier("a b") == "\"a b\"");
	CHECK(quote_identifier("") == "\"\"");
}

TEST_CASE("C9: columns called user, to, order, position are quoted")
{
	for (const char *word : {"user", "to", "order", "position", "from", "select", "values", "left", "authorization"})
		CHECK(quote_identifier(word) == '"' + std::string(word) + '"');
	// reserved by 16 and later only
	CHECK(quote_identifier("system_user") == "\"system_user\"");
	CHECK(quote_identifier("json_table") == "\"json_table\"");
	CHECK(quote_identifier("name") == "name");
}

TEST_CASE("literals are safe with and without standard_conforming_strings")
{
	CHECK(quote_literal("plain") == "'plain'");
	CHECK(quote_literal("it's") == "'it''s'");
	CHECK(quote_literal("test\\_%") == "E'test\\\\_%'");
	CHECK(quote_literal("\\'; DROP TABLE x; --") == "E'\\\\''; DROP TABLE x; --'");
	CHECK(quote_literal("") == "''");
}

TEST_CASE("a relation's name as a key and for people")
{
	CHECK(Name{"public", "apps_orders"}.sql() == "public.apps_orders");
	CHECK(Name{"public", "apps_orders"}.shown() == "apps_orders");
	CHECK(Name{"public", "Odd.Name"}.sql() == "public.\"Odd.Name\"");
	CHECK(Name{"billing", "invoice"}.shown() == "billing.invoice");
	CHECK(Name{"a", "z"} < Name{"b", "a"});
	CHECK(Name{}.empty());
}

TEST_CASE("E3: an unknown name gets the nearest ones")
{
	std::vector<std::string> tables{"users", "user_groups", "orders", "apps_customers_customer", "apps_customers_contact"};
	CHECK(nearest("userz", tables) == std::vector<std::string>{"users"});
	CHECK(nearest("uesrs", tables) == std::vector<std::string>{"users"});  // two neighbours swapped: one step
	CHECK(nearest("apps_customer_customer", tables).front() == "apps_customers_customer");
	CHECK(nearest("quux", tables).empty());
	CHECK(nearest("", tables).empty());
	CHECK(did_you_mean("userz", tables) == " (did you mean users?)");
	CHECK(did_you_mean("quux", tables).empty());
}

TEST_CASE("of many near names the three nearest are given, best first")
{
	CHECK(nearest("table_0", {"table_12", "table_2", "table_3", "table_1", "table_0"}) ==
	    std::vector<std::string>{"table_0", "table_1", "table_2"});
	CHECK(did_you_mean("table_0", {"table_1", "table_2"}) == " (did you mean table_1, table_2?)");
}
