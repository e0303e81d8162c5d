// Rules added to a file of any shape: what it said it still says, with the rules; no line of it is lost; or the file is refused with a reason.
#include "yaml_edit.hpp"
#include <sstream>
#include "target.hpp"
#include "yaml.hpp"

using namespace fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Input input(data, size);
	const unsigned shape = input.byte();
	const std::string text(input.rest());
	std::vector<client::RulesOfTable> rules{{"people", "people", {"- {column: email, strategy: email}    # e-mail address"}}};
	if (shape & 1) rules.push_back({"\"Odd: Name\"", "Odd: Name", {"- {column: a, strategy: hash}", "- {column: \"b c\", strategy: none}"}});
	if (shape & 2) rules.push_back({"comments", "comments", {"# - {column: a, strategy: hash}"}});
	client::YamlDocument before;
	bool readable = true;
	try {
		before = client::parse_yaml(text);
	} catch (const client::YamlError &error) {
		require(*error.what() != 0, "malformed YAML has words");
		readable = false;
	}
	std::string why;
	const auto made = client::with_rules(text, rules, why);
	if (!made) return require(!why.empty(), "a refusal has a reason"), 0;
	require(readable, "only what can be read is edited");
	const auto after = client::parse_yaml(*made).value;
	auto rest = after;
	for (const auto &one : rules) {
		std::size_t added = 0;
		for (const auto &line : one.lines) added += line.starts_with("- ");
		if (!added) continue;
		require(rest["anonymize"]["tables"][one.key].is_array() && rest["anonymize"]["tables"][one.key].size() >= added, "the rules are there");
	}
	std::istringstream was(text), is(*made);
	const auto trimmed = [](std::string line) {
		while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
		return line;
	};
	std::string line, candidate;
	while (std::getline(was, line)) {
		if (trimmed(line).empty()) continue;
		bool found = false;
		while (!found && std::getline(is, candidate)) found = trimmed(candidate) == trimmed(line);
		require(found, "every line stays, in its order");
	}
	return 0;
}
