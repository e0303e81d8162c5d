// What may be said of a connection.
#include "catch.hpp"
#include "../../client/error.hpp"

using client::scrub;

TEST_CASE("passwords are taken out of connection strings, whatever their form")
{
	CHECK(scrub("host=db user=u password=geheim dbname=x") == "host=db user=u password=*** dbname=x");
	CHECK(scrub("password = 'two words, \\'quoted\\'' host=db") == "password = *** host=db");
	CHECK(scrub("sslpassword=abc PGPASSWORD=def Password=ghi") == "sslpassword=*** PGPASSWORD=*** Password=***");
	CHECK(scrub("postgresql://u:geheim@db:5432/x?sslmode=require") == "postgresql://u:***@db:5432/x?sslmode=require");
	CHECK(scrub("could not parse \"postgres://u:a@b/c@db/x\" at all") == "could not parse \"postgres://u:***@db/x\" at all");
	CHECK(scrub("postgresql://db/x?user=u&password=geheim") == "postgresql://db/x?user=u&password=***");
	CHECK(scrub("a postgres://u:one@h/x b postgres://v:two@h/y c") == "a postgres://u:***@h/x b postgres://v:***@h/y c");
	CHECK(scrub("password='never closed") == "password=***");
	CHECK(scrub("password=\\") == "password=***");
}

TEST_CASE("what holds no password stays as it is")
{
	for (const char *text : {"", "the password comes from PGPASSWORD, ~/.pgpass", "wrong password", "password=", "postgresql://db:5432/x", "see http://example.org:80/a"})
		CHECK(scrub(text) == text);
}

TEST_CASE("problems: one error that has them all")
{
	auto error = client::problems_error({{"a", "b", "c", "d"}, {"e", "f", "g", "h"}});
	CHECK(error.exit_code == client::exit_plan);
	CHECK(std::string(error.what()) == "2 problems stand in the way");
	CHECK(error.problems.size() == 2);
	CHECK(std::string(client::problems_error({{}}).what()) == "1 problem stands in the way");
}
