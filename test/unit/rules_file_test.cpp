#include "rules_file.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"

using namespace client;

namespace {

// A rules file of its own, gone at the end.
class File {
	std::filesystem::path path_;

public:
	explicit File(const std::string &text) : path_(std::filesystem::temp_directory_path() / ("prodsync_rules_" + std::to_string(getpid()) + ".yaml"))
	{
		std::ofstream(path_) << text;
	}
	~File() { std::filesystem::remove(path_); }
	File(const File &) = delete;
	File &operator=(const File &) = delete;
	std::string name() const { return path_.string(); }
};

std::vector<std::string> faults(const std::string &text, const std::string &config = "")
{
	const File file(text);
	Settings settings = parse_settings(config, "prodsync.yaml");
	std::vector<std::string> out;
	try {
		add_rules_file(file.name(), settings);
	} catch (const ConfigError &error) {
		CHECK(error.exit_code == exit_plan);
		for (std::size_t i = 0; i < error.problems.size(); ++i) out.push_back(std::to_string(error.positions[i].line) + ": " + error.problems[i].text);
	}
	return out;
}

}  // namespace

TEST_CASE("Confiture's rules file works as it is")
{
	const File file("users:\n  - column: email\n    strategy: email\n    seed: 12345\n  - column: phone\n    strategy: phone\nbilling.invoices:\n  - {column: note, strategy: redact, seed: null}\n");
	Settings settings = parse_settings("anonymize:\n  policy: warn\n  tables:\n    users:\n      - {column: name, strategy: name}\n", "prodsync.yaml");
	add_rules_file(file.name(), settings);
	REQUIRE(settings.config.masks.size() == 2);
	CHECK(settings.config.policy == core::Policy::warn);
	CHECK(settings.config.masks[0].table == "billing.invoices");
	const auto &users = settings.config.masks[1].columns;
	REQUIRE(users.size() == 3);
	CHECK(users[0].column == "name");
	CHECK(users[1].column == "email");
	CHECK(users[1].rule == core::MaskRule{"email", "", core::json::object()});    // the seed changes nothing
	CHECK(settings.config.to_json()["anonymize"]["tables"]["users"].size() == 3);
	Settings bare = parse_settings("", "prodsync.yaml");
	add_rules_file(file.name(), bare);
	CHECK(bare.config.masks.size() == 2);
}

TEST_CASE("a rules file with each of Confiture's strategies, as its users write them")
{
	const File file("# rules by table\nusers:\n  - column: email\n    strategy: email\n    seed: 12345  # the same every time\n\n  - column: phone\n    strategy: phone\n    seed: 12345\n\n"
	                "  - column: full_name\n    strategy: name\n    seed: 12345\n\n  - column: ssn\n    strategy: redact  # [REDACTED]\n\n  - column: password_hash\n    strategy: hash\n\n"
	                "orders:\n  - column: billing_address\n    strategy: redact\n\nprofiles:\n  - {column: bio, strategy: redact, seed: null}\n");
	Settings settings = parse_settings("", "prodsync.yaml");
	add_rules_file(file.name(), settings);
	std::string all;
	for (const auto &table : settings.config.masks)
		for (const auto &[column, rule] : table.columns) all += table.table + "." + column + " " + rule.strategy + rule.options.dump() + "\n";
	CHECK(all == "orders.billing_address redact{}\nprofiles.bio redact{}\nusers.email email{}\nusers.phone phone{}\nusers.full_name name{}\nusers.ssn redact{}\nusers.password_hash hash{}\n");
	// a table of the configuration gets the file's rules besides its own; two for one column are a problem of the plan
	CHECK(faults("users:\n  - {column: email, strategy: email}\nusers:\n  - {column: phone, strategy: phone}\n").size() == 1);
}

TEST_CASE("what Confiture passes over is an error (E2)")
{
	CHECK(faults("users:\n  - {column: email, strategy: emial}\n") == std::vector<std::string>{"2: unknown strategy \"emial\" in users.0 (did you mean email?)"});
	CHECK(faults("users:\n  - {column: email, strategy: email, sed: 1}\n").at(0).starts_with("2: unknown option \"sed\" of strategy email in users.0"));
	CHECK(faults("users:\n  - {strategy: email}\n").size() == 1);
	CHECK(faults("users:\n  - {column: email}\n").at(0) == "2: users.0 needs strategy");
	CHECK(faults("users:\n  - {column: email, strategy: email, seed: x}\n").at(0) == "2: users.0.seed must be a whole number");
	CHECK(faults("users: {email: email}\n") == std::vector<std::string>{"1: users must be a list of rules"});
	CHECK(faults("users: []\n").size() == 1);
	for (const char *nothing : {"", "- a\n", "{}\n"}) CHECK(faults(nothing).at(0) == "1: the rules must be a mapping of table names to lists of rules");
	CHECK(faults("users: [\n").size() == 1);
	Settings settings;
	CHECK_THROWS_AS(add_rules_file("/nowhere/rules.yaml", settings), ConfigError);
	CHECK_THROWS_AS(add_rules_file("/", settings), ConfigError);
}
