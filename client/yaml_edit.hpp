// Adds rules to a configuration file by inserting lines: every comment and the order of everything stays. Never a dump of what was read.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace client {

struct RulesOfTable {
	std::string table;                   // the key under anonymize.tables, as YAML writes it (quoted where it must be)
	std::string key;                     // the same, as it is read
	std::vector<std::string> lines;      // "- {column: email, strategy: email}    # e-mail address"; or a comment: "# ..."
};

// The text with the rules below anonymize: tables:, where they are made of lines of their own. nullopt: the file has a shape that cannot be edited
// line by line (flow style, anchors, tabs); `why` says which. The result is read again and compared: it says what it said, and the rules.
std::optional<std::string> with_rules(std::string_view text, const std::vector<RulesOfTable> &rules, std::string &why);
// The rules as a block to paste.
std::string rules_block(const std::vector<RulesOfTable> &rules);

// Replaces the file's content at once (another file beside it, renamed), with the same mode. Throws Error.
void replace_file(const std::string &file, std::string_view text);

}  // namespace client
