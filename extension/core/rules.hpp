// How the configuration names tables, and how a problem's lines to paste name them.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "catalog.hpp"
#include "config.hpp"

namespace core {

// Whether * (any text) and ? (one character) of the pattern can stand for the rest of the text.
bool glob(std::string_view pattern, std::string_view text);
// The one table that is meant. None, several, or something that is no table that prodsync copies: a problem about `object`.
std::optional<Name> resolve_table(const Catalog &, const std::string &written, const std::string &object, std::vector<Problem> &);
// The tables that a name or a pattern stands for; a name with a wildcard in it can be a table's real name. None: a problem about `object`.
std::vector<Name> matching_tables(const Catalog &, const std::string &written, const std::string &object, std::vector<Problem> &);
// A table as the configuration writes it, with its schema only where the name alone is not unique; quoted as YAML needs it.
std::string yaml_table(const Catalog &, const Name &table);
// A word of YAML, quoted where it needs to be.
std::string yaml_word(const std::string &text);
// [a, b], quoted as YAML needs it.
std::string yaml_list(const std::vector<std::string> &);

}  // namespace core
