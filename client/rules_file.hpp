// --anonymization-config: the rules file of Confiture, a mapping of table names to lists of {column, strategy, seed}.
#pragma once
#include <string>
#include "config.hpp"

namespace client {

// Adds the file's rules to anonymize.tables of `settings`, as if they stood there. `seed` is accepted and changes nothing, as in Confiture; what
// Confiture passes over in silence (unknown keys, strategies, tables, columns) is an error here or of the plan. Throws ConfigError.
void add_rules_file(const std::string &file, Settings &settings);

}  // namespace client
