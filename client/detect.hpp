// Rules for columns that look personal, written into the configuration: what `detect --write` and `plan --accept` share.
#pragma once
#include <string>
#include <vector>
#include "../extension/core/detect.hpp"
#include "config.hpp"
#include "yaml_edit.hpp"

namespace client {

// For those that have no rule. What no strategy fits is a comment; with `accept` it is a rule that copies the column as it is.
std::vector<RulesOfTable> rules_for(const core::Config &, const core::Catalog &, const std::vector<core::PersonalColumn> &, bool accept);

struct Written {
	bool done = false;
	std::string why;                                       // not done: what about the file
	std::size_t masked = 0, copied = 0, commented = 0;
};
Written write_rules(const Settings &settings, const std::vector<RulesOfTable> &rules);
// What was done, or the block to paste.
std::string written_text(const Written &, const std::string &file, const std::vector<RulesOfTable> &rules);

}  // namespace client
