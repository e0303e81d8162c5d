// The configuration file: the 1.2 core schema, places, durations, variables, and every mistake with its line and column.
#include <cstdlib>
#include "catch.hpp"
#include "config.hpp"
#include "output.hpp"

using client::parse_yaml;
using client::Position;
using nlohmann::json;

namespace {

// What people see of a file that is wrong.
std::string complaints(const std::string &text)
{
	try {
		client::parse_settings(text, "prodsync.yaml");
	} catch (const client::Error &error) {
		CHECK(error.exit_code == client::exit_plan);
		return client::error_text(client::Failure::of(error, nullptr));
	}
	return "";
}

client::Settings with_dsn(const std::string &dsn)
{
	return client::parse_settings("environments: {uat: {dsn: '" + dsn + "'}}", "prodsync.yaml");
}

std::string dsn_of(const std::string &dsn) { return client::side(with_dsn(dsn), "uat", "--to").endpoint.dsn; }

}  // namespace

TEST_CASE("YAML: plain scalars by the core schema, quoted ones are text")
{
	auto doc = parse_yaml(R"(
booleans: [true, false, "true", 'false']
no_booleans: [yes, no, on, off, y, n, "yes", tRUE]
nulls: [null, ~, , "null", ""]
integers: [0, 12, -3, +4, 0x1F, 0o17, 9223372036854775807]
no_integers: ["12", 1_000, 0b11, 12 rows, 9223372036854775808, 017a]
leading_zero: 017
floats: [1.5, -2e3, .5, 1.]
no_floats: ["1.5", 1.2.3, ".", e3]
times: [10min, 12:30, 2024-01-01]
)")
	               .value;
	CHECK(doc["booleans"] == json::array({true, false, "true", "false"}));
	CHECK(doc["no_booleans"] == json::array({"yes", "no", "on", "off", "y", "n", "yes", "tRUE"}));
	CHECK(doc["nulls"] == json::array({nullptr, nullptr, nullptr, "null", ""}));
	CHECK(doc["integers"] == json::array({0, 12, -3, 4, 31, 15, 9223372036854775807}));
	CHECK(doc["no_integers"] == json::array({"12", "1_000", "0b11", "12 rows", "9223372036854775808", "017a"}));
	CHECK(doc["leading_zero"] == 17);
	CHECK(doc["floats"] == json::array({1.5, -2000.0, 0.5, 1.0}));
	CHECK(doc["no_floats"] == json::array({"1.5", "1.2.3", ".", "e3"}));
	CHECK(doc["times"] == json::array({"10min", "12:30", "2024-01-01"}));
}

TEST_CASE("YAML: escapes, block texts, tags and aliases")
{
	auto doc = parse_yaml("keep: \"schema_name LIKE 'test\\\\_%'\"\n"
	                      "block: |\n  a\n  true\n"
	                      "tagged: [!!str true, !!int 3, !!null '']\n"
	                      "base: &b {mode: keep}\n"
	                      "again: *b\n")
	               .value;
	CHECK(doc["keep"] == "schema_name LIKE 'test\\_%'");
	CHECK(doc["block"] == "a\ntrue\n");
	CHECK(doc["tagged"][0] == "true");
	CHECK(doc["tagged"][1] == 3);
	CHECK(doc["again"] == doc["base"]);
	CHECK(parse_yaml("").value.is_null());
	CHECK(parse_yaml("# only a comment\n").value.is_null());
}

TEST_CASE("YAML: where keys and values stand")
{
	auto doc = parse_yaml("tenants:\n"
	                      "  table: apps_x\n"
	                      "tables:\n"
	                      "  auth_*:   {mode: keep}\n"
	                      "  \xc3\xa4pfel: {mode: copy}\n"
	                      "accept:\n"
	                      "  folded: [one, two]\n"
	                      "copy: &c {mode: empty}\n"
	                      "other: *c\n");
	CHECK(doc.keys.at("tenants.table") == Position{2, 3});
	CHECK(doc.values.at("tenants.table") == Position{2, 10});
	CHECK(doc.keys.at("tables.auth_*.mode") == Position{4, 14});
	CHECK(doc.keys.at("accept.folded.1") == Position{7, 17});
	CHECK(doc.keys.at("other.mode") == Position{8, 11});
	// What the planner's problems name.
	CHECK(doc.find("tables.auth_*") == Position{4, 3});
	CHECK(doc.find("auth_*") == Position{4, 3});
	CHECK(doc.find("folded") == Position{7, 3});
	CHECK(doc.find("tenants.keep") == Position{1, 1});  // missing: where it belongs
	CHECK(doc.find("tenants.table", true) == Position{2, 10});
	CHECK(doc.find("mode") == Position{});  // stands more than once
	CHECK(doc.find("nowhere") == Position{});
}

TEST_CASE("YAML: malformed files are one error with line and column")
{
	CHECK(complaints("tables:\n  a: {mode: keep\n") == "prodsync.yaml:3:1: error: end of map flow not found\n");
	CHECK(complaints("tenants: [a\nusers: b\n").starts_with("prodsync.yaml:2:"));
	CHECK(complaints("a: b: c\n").starts_with("prodsync.yaml:1:"));
	CHECK(complaints("\"abc\n").starts_with("prodsync.yaml:"));
	CHECK(complaints("{}\n---\n{a: 1}\n").find("a second document") != std::string::npos);
	CHECK(complaints("? [a, b]\n: c\n") == "prodsync.yaml:1:3: error: a key must be text, not a list or a mapping\n");
	CHECK(complaints("a: &x [*x]\n") == "prodsync.yaml:1:8: error: this alias stands inside of what it names\n");
	CHECK(complaints("a: !secret b\n") == "prodsync.yaml:1:4: error: unknown tag !secret\n");
	CHECK(complaints("- a\n- b\n").starts_with("prodsync.yaml:1:1: error: the file must be a mapping"));
	CHECK(complaints("a: b\nkeep: \"name LIKE 'test\\_%'\"\n") ==
	    "prodsync.yaml:2:7: error: \\_ and \\N are special in double quotes; write \\\\ for a backslash, or take single quotes\n");
	// not UTF-8: Latin 1, overlong, a surrogate, beyond Unicode, cut off
	CHECK(complaints("a: b\nc: \"M\xfcller\"\n") == "prodsync.yaml:2:6: error: the file is not UTF-8\n");
	for (const char *text : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82", "\x80"})
		CHECK(complaints(std::string("a: ") + text) == "prodsync.yaml:1:4: error: the file is not UTF-8\n");
	CHECK(complaints("tables: {\"\u00fc\u20ac\U0001F600\": {mode: kep}}\n").find("UTF-8") == std::string::npos);
	CHECK(complaints("a: \"x\\0y\"\n") == "prodsync.yaml:1:4: error: a text with the character 0 in it, which no text of PostgreSQL has\n");
	// Aliases of aliases: ten lines, a billion values.
	std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
	for (int i = 1; i < 10; ++i) {
		const auto before = "*a" + std::to_string(i - 1);
		laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
		for (int j = 1; j < 10; ++j) laughs += ", " + before;
		laughs += "]\n";
	}
	CHECK(complaints(laughs).find("too many values") != std::string::npos);
}

TEST_CASE("YAML: a double key is an error")
{
	CHECK(complaints("tables:\n  a: {mode: keep}\n  b: {mode: keep}\n  a: {mode: empty}\n") ==
	    "prodsync.yaml:4:3: error: \"a\" stands twice; the first is in line 2\n");
	CHECK(complaints("lock_wait: 10min\non_lock: wait\nlock_wait: 5min\n") ==
	    "prodsync.yaml:3:1: error: \"lock_wait\" stands twice; the first is in line 1\n");
}

TEST_CASE("configuration: unknown keys and wrong values, all at once, in the order of the file (E2)")
{
	CHECK(complaints("lock_wiat: 10min\n") == "prodsync.yaml:1:1: error: unknown key \"lock_wiat\" (did you mean lock_wait?)\n");
	const auto all = complaints("environments:\n"
	                            "  uat: {dns: x}\n"
	                            "lock_wait: 10\n"
	                            "on_lock: kill\n"
	                            "keep_previous: yes\n"
	                            "tables:\n"
	                            "  auth_user: {mode: kep}\n");
	CHECK(all.find("prodsync.yaml:2:3: error: environment uat has no dsn\n") != std::string::npos);
	CHECK(all.find("prodsync.yaml:2:9: error: unknown key \"dns\" (did you mean dsn?)\n") != std::string::npos);
	CHECK(all.find(
	          "prodsync.yaml:3:12: error: lock_wait must be a number with a unit: ms, s, min or h\n  hint: lock_wait: 10min\n") !=
	    std::string::npos);
	CHECK(all.find("prodsync.yaml:4:10: error: on_lock must be wait or cancel\n") != std::string::npos);
	CHECK(all.find("prodsync.yaml:5:16: error: keep_previous must be true or false\n") != std::string::npos);
	CHECK(all.find("prodsync.yaml:7:21: error: ") != std::string::npos);
	CHECK(all.find(":2:") < all.find(":3:"));
	CHECK(all.find(":5:") < all.find(":7:"));
}

TEST_CASE("configuration: only what matters to the target is passed on")
{
	auto settings = client::parse_settings("environments: {uat: {dsn: 'host=h password=secret'}}\n"
	                                       "key_file: prodsync.key\nlock_wait: 90s\non_lock: cancel\n"
	                                       "tenants:\n"
	                                       "users:\n"
	                                       "anonymize: {policy: none}\n",
	    "prodsync.yaml");
	CHECK(settings.shared == json{{"anonymize", {{"policy", "none"}}}});
	CHECK(settings.config.to_json().dump().find("secret") == std::string::npos);
	CHECK(settings.lock_wait == std::chrono::seconds(90));
	CHECK(settings.cancel_holders);
	CHECK(settings.key_file == "prodsync.key");
}

TEST_CASE("configuration: durations have a unit")
{
	using namespace std::chrono_literals;
	CHECK(client::parse_duration("10min") == 10min);
	CHECK(client::parse_duration("30s") == 30s);
	CHECK(client::parse_duration("500ms") == 500ms);
	CHECK(client::parse_duration("2 h") == 2h);
	CHECK(client::parse_duration("0s") == 0ms);
	for (auto wrong : {"", "10", "min", "-1s", "1.5min", "10m", "10 minutes", "1h30min", "99999999999h", " 1s"})
		CHECK_FALSE(client::parse_duration(wrong));
}

TEST_CASE("configuration: ${VAR} in a dsn")
{
	setenv("PRODSYNC_TEST_PW", "p w'\\@:/${x}", 1);
	setenv("PRODSYNC_TEST_DSN", "host=h dbname=d", 1);
	unsetenv("PRODSYNC_TEST_NONE");
	// Value by value: whatever is in the variable cannot become another setting.
	const std::string password = R"(password='p w\'\\@:/${x}')";
	CHECK(dsn_of("password=${PRODSYNC_TEST_PW}") == password);
	const auto uri = dsn_of("postgresql://me:${PRODSYNC_TEST_PW}@h:6432/d");
	for (const auto &part :
	    {password, std::string("user='me'"), std::string("host='h'"), std::string("port='6432'"), std::string("dbname='d'")})
		CHECK(uri.find(part) != std::string::npos);
	CHECK(dsn_of("${PRODSYNC_TEST_DSN}") == "host=h dbname=d");
	CHECK(dsn_of("${PRODSYNC_TEST_DSN} user=me") == "host=h dbname=d user=me");
	CHECK(dsn_of("user=$HOME") == "user='$HOME'");  // only with braces
	try {
		dsn_of("host=h password=${PRODSYNC_TEST_NONE}");
		FAIL("no error");
	} catch (const client::ConfigError &error) {
		CHECK(client::error_text(client::Failure::of(error, nullptr)) ==
		    "prodsync.yaml:1:27: error: the environment variable PRODSYNC_TEST_NONE is not set\n  hint: export "
		    "PRODSYNC_TEST_NONE=...\n");
	}
	// Nowhere else: what reaches the target is never taken from the environment.
	CHECK(client::parse_settings("tenants: {table: t, keep: \"x = '${PRODSYNC_TEST_PW}'\"}", "f").config.tenants->keep ==
	    "x = '${PRODSYNC_TEST_PW}'");
}

TEST_CASE("configuration: a connection string that cannot be read is not repeated")
{
	for (const std::string dsn :
	    {"host=h password=geheim oops", "postgresql://me:geheim@h:port:port/d?x", "host=h passwort=geheim"}) {
		std::string text;
		try {
			client::side(with_dsn(dsn), "uat", "--to");
		} catch (const client::Error &error) {
			CHECK(error.exit_code == client::exit_plan);
			text = client::error_text(client::Failure::of(error, nullptr));
		}
		CHECK(text.starts_with("prodsync.yaml:1:"));
		CHECK(text.find("geheim") == std::string::npos);
		text.clear();
		try {
			client::side({}, dsn, "--to");
		} catch (const client::Error &error) {
			CHECK(error.exit_code == client::exit_usage);
			text = client::error_text(client::Failure::of(error, nullptr));
		}
		CHECK(text.find("--to has a connection string that cannot be read") != std::string::npos);
		CHECK(text.find("geheim") == std::string::npos);
	}
}

TEST_CASE("configuration: environments by name, with the nearest (E3)")
{
	auto settings =
	    client::parse_settings("environments: {production: {dsn: service=p}, uat: {dsn: service=u}}", "prodsync.yaml");
	auto uat = client::side(settings, "uat", "--to");
	CHECK(uat.label == "uat");
	CHECK(uat.endpoint.label == "uat");
	CHECK(uat.endpoint.origin == "environments: uat in prodsync.yaml");
	CHECK(client::side(settings, "service=u", "--to").label.empty());
	CHECK(client::side(settings, "postgres://h/d", "--from").endpoint.label == "the source");
	try {
		client::side(settings, "prodution", "--from");
		FAIL("no error");
	} catch (const client::Error &error) {
		CHECK(error.exit_code == client::exit_usage);
		CHECK(error.what() == std::string("unknown environment \"prodution\" (did you mean production?)"));
		CHECK(error.hint == "environments in prodsync.yaml: production, uat; a connection string will do as well");
	}
}

TEST_CASE("configuration: no file")
{
	try {
		client::read_settings("/nowhere/prodsync.yaml", true);
		FAIL("no error");
	} catch (const client::Error &error) {
		CHECK(error.exit_code == client::exit_plan);
		CHECK(client::error_text(client::Failure::of(error, nullptr))
		          .starts_with("/nowhere/prodsync.yaml: error: cannot read the configuration: No such file or directory\n  hint: "
		                       "name it with --config FILE"));
	}
	CHECK(client::read_settings("/nowhere/prodsync.yaml", false).file.empty());
	CHECK_THROWS_AS(client::read_settings("/", true), client::ConfigError);
	CHECK_THROWS_AS(client::read_settings("/", false), client::ConfigError);
}
