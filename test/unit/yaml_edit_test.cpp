// Rules added to a configuration file: comments and order stay, and what cannot be edited line by line is left alone.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "error.hpp"
#include "yaml.hpp"
#include "yaml_edit.hpp"

namespace {

using namespace client;

const std::vector<RulesOfTable> one{{"customers", "customers", {"- {column: email, strategy: email}    # e-mail address"}}};
const std::string line = "- {column: email, strategy: email}    # e-mail address\n";

std::string edited(const std::string &text, const std::vector<RulesOfTable> &rules = one)
{
	std::string why;
	const auto out = with_rules(text, rules, why);
	return out ? *out : "refused: " + why;
}

}  // namespace

TEST_CASE("rules are added where they belong, whatever is there")
{
	CHECK(edited("") == "anonymize:\n  tables:\n    customers:\n      " + line);
	CHECK(edited("tenants: {table: t}\n\n") == "tenants: {table: t}\nanonymize:\n  tables:\n    customers:\n      " + line + "\n");
	CHECK(edited("anonymize:\nkey_file: k\n") == "anonymize:\n  tables:\n    customers:\n      " + line + "key_file: k\n");
	CHECK(edited("anonymize:\n    policy: strict   # ours\n\n# the key\nkey_file: k\n") ==
	    "anonymize:\n    policy: strict   # ours\n    tables:\n        customers:\n            " + line + "\n# the key\nkey_file: k\n");
	CHECK(edited("anonymize:\n  tables:   # all of them\n  policy: warn\n") == "anonymize:\n  tables:   # all of them\n    customers:\n      " + line + "  policy: warn\n");
	CHECK(edited("anonymize:\n  tables:\n    a:\n    - {column: x, strategy: hash}    # x\n    # to do\n  # last\n  policy: warn\n") ==
	    "anonymize:\n  tables:\n    a:\n    - {column: x, strategy: hash}    # x\n    # to do\n    customers:\n    " + line + "  # last\n  policy: warn\n");
	// into the list of a table that is there
	CHECK(edited("anonymize:\n  tables:\n    customers:\n      - column: x   # block\n        strategy: hash\n    z: [{column: a, strategy: none}]\n") ==
	    "anonymize:\n  tables:\n    customers:\n      - column: x   # block\n        strategy: hash\n      " + line + "    z: [{column: a, strategy: none}]\n");
	CHECK(edited("anonymize:\n  tables:\n    customers:\n    - {column: x, strategy: hash}\n\n    b:\n    - {column: y, strategy: hash}\n") ==
	    "anonymize:\n  tables:\n    customers:\n    - {column: x, strategy: hash}\n    " + line + "\n    b:\n    - {column: y, strategy: hash}\n");
	// no line feed at the end, and those of Windows
	CHECK(edited("key_file: k") == "key_file: k\nanonymize:\n  tables:\n    customers:\n      " + line);
	CHECK(edited("key_file: k\r\n").find("customers:\r\n      - {column") != std::string::npos);
}

TEST_CASE("a block of comments alone gets its rules")
{
	CHECK(edited("anonymize:\n  # policy: strict\nkey_file: k\n") == "anonymize:\n  tables:\n    customers:\n      " + line + "  # policy: strict\nkey_file: k\n");
	CHECK(edited("anonymize:\n  tables:\n    # customers:\n    #   - {column: email, strategy: none}\n") ==
	    "anonymize:\n  tables:\n    customers:\n      " + line + "    # customers:\n    #   - {column: email, strategy: none}\n");
	CHECK(edited("anonymize:\n  tables:\n    customers:    # people\n      # - {column: x, strategy: none}    # looked at\n    b:\n    - {column: y, strategy: hash}\n") ==
	    "anonymize:\n  tables:\n    customers:    # people\n    " + line + "      # - {column: x, strategy: none}    # looked at\n    b:\n    - {column: y, strategy: hash}\n");
}

TEST_CASE("new lines look like the file's")
{
	// indentation
	CHECK(edited("tenants:\n    table: t\n") == "tenants:\n    table: t\nanonymize:\n    tables:\n        customers:\n            " + line);
	CHECK(edited("anonymize:\n    policy: strict\n") == "anonymize:\n    policy: strict\n    tables:\n        customers:\n            " + line);
	CHECK(edited("anonymize:\n  tables:\n    b:\n    - {column: y, strategy: hash}\n") ==
	    "anonymize:\n  tables:\n    b:\n    - {column: y, strategy: hash}\n    customers:\n    " + line);
	// a mixed file keeps the end of every line, and the last line that has none
	CHECK(edited("anonymize:\r\n  policy: strict\n\r\nkey_file: k") ==
	    "anonymize:\r\n  policy: strict\n  tables:\r\n    customers:\r\n      " + line.substr(0, line.size() - 1) + "\r\n\r\nkey_file: k");
	// a text of several lines is no comment
	CHECK(edited("note: |\n  # no comment\n\nanonymize:\n  policy: strict\n").starts_with("note: |\n  # no comment\n\nanonymize:\n  policy: strict\n  tables:\n"));
}

TEST_CASE("every other line of the file stays, and the same rules are not added twice as comments")
{
	const std::string text = "# ours\n\nanonymize:   # rules\n  # why\n  tables:\n    \"Odd Name\":      # quoted\n      - {column: a, strategy: hash}\n      # b is fine\n\n# end\n";
	const std::vector<RulesOfTable> rules{{"\"Odd Name\"", "Odd Name", {"- {column: c, strategy: none}    # x", "# - {column: d, strategy: none}    # y"}},
	    {"only_comments", "only_comments", {"# - {column: e, strategy: none}    # z"}}, {"last", "last", {"- {column: f, strategy: hash}"}}};
	const auto out = edited(text, rules);
	CHECK(out ==
	    "# ours\n\nanonymize:   # rules\n  # why\n  tables:\n    \"Odd Name\":      # quoted\n      - {column: a, strategy: hash}\n      # b is fine\n"
	    "      - {column: c, strategy: none}    # x\n      # - {column: d, strategy: none}    # y\n"
	    "    # only_comments:\n      # - {column: e, strategy: none}    # z\n    last:\n      - {column: f, strategy: hash}\n\n# end\n");
	const std::vector<RulesOfTable> comments{{"\"Odd Name\"", "Odd Name", {"# - {column: d, strategy: none}    # y, and more"}},
	    {"only_comments", "only_comments", {"# - {column: e, strategy: none}    # z"}}};
	CHECK(edited(out, comments) == out);
}

TEST_CASE("a file of another shape is refused, with the reason")
{
	CHECK(edited("anonymize: {policy: strict}\n") == "refused: anonymize is written on one line, or refers to another place of the file");
	CHECK(edited("anonymize:\n  tables: {a: [{column: x, strategy: hash}]}\n").starts_with("refused: anonymize.tables is written on one line"));
	CHECK(edited("anonymize:\n  tables:\n    customers: [{column: x, strategy: hash}]\n").starts_with("refused: anonymize.tables.customers is written on one line"));
	CHECK(edited("x: &a\n  tables:\n    b:\n      - {column: x, strategy: hash}\nanonymize: *a\n").starts_with("refused: "));
	CHECK(edited("a:\n\tb: 1\n") == "refused: lines are indented by tabs");
	CHECK(edited("a: 1\n...\n").starts_with("refused: "));
	// an anchor inside of what is edited would change another place: seen by reading it again
	CHECK(edited("anonymize:\n  tables: &t\n    a:\n      - {column: x, strategy: hash}\nother: *t\n").starts_with("refused: "));
	CHECK(edited("{anonymize: {policy: strict}}\n").starts_with("refused: "));
	for (const char *text : {"1\n", "- a\n", "anonymize: 5\n", "anonymize:\n  - a\n", "anonymize:\n  tables: a\n"}) CHECK(edited(text) == "refused: what is above the rules is no mapping");
	CHECK(edited("anonymize:\n  tables:\n    customers: 5\n") == "refused: the rules of a table are no list");
	// an item that is nothing has no place of its own: read past the last line once
	CHECK(edited("anonymize:\n  tables:\n    customers:\n      -\n").starts_with("refused: anonymize.tables.customers is written on one line"));
}

TEST_CASE("a file is replaced at once, with its mode and through a link")
{
	char folder[] = "/tmp/prodsync-edit-XXXXXX";
	REQUIRE(mkdtemp(folder));
	const std::string file = std::string(folder) + "/a.yaml", link = std::string(folder) + "/link.yaml";
	std::ofstream(file) << "old";
	REQUIRE(chmod(file.c_str(), 0640) == 0);
	REQUIRE(symlink("a.yaml", link.c_str()) == 0);
	replace_file(link, "new\n");
	std::stringstream text;
	text << std::ifstream(file).rdbuf();
	CHECK(text.str() == "new\n");
	struct stat after {};
	REQUIRE(stat(file.c_str(), &after) == 0);
	CHECK((after.st_mode & 07777) == 0640);
	CHECK(std::filesystem::is_symlink(link));
	CHECK_THROWS_AS(replace_file(std::string(folder) + "/no/such/file", "x"), client::Error);
	std::filesystem::remove_all(folder);
}
