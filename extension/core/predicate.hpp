// What can be said about an SQL condition of the configuration without asking a server: the columns it may mention and the
// wildcards in its patterns. It reads words and literals as the server's scanner does, no grammar.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "catalog.hpp"

namespace core {

struct SqlToken {
	enum Kind { word, literal, other } kind;
	std::string text;    // word: as the server folds it; literal: its value; other: one character or operator
	std::string written;
};
std::vector<SqlToken> sql_tokens(std::string_view sql);    // without comments

// Columns of the relation that occur in the condition as words, in the relation's order. May be too many (a word may belong
// to a subquery), never too few, but for whole-row references.
std::vector<std::string> mentioned_columns(std::string_view predicate, const Relation &relation);

// Patterns of LIKE, ILIKE and SIMILAR TO that hold a _ that is not escaped (P7), as written.
std::vector<std::string> loose_patterns(std::string_view predicate);

}  // namespace core
