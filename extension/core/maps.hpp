// Which map replaces a column's values. Whatever references a row of a kept table that is mapped (users, content types), or a row
// that is folded into another one, carries that table's identity, and the identity names the map.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "answers.hpp"

namespace core {

// What the configuration writes ("table" or "schema.table"); an empty name where there is no such table or more than one.
Name find_table(const Graph &, std::string_view written);
bool is_users_table(const Config &, const Graph &, const Name &table);
Name tenant_table(const Config &, const Graph &);

// A partition with foreign keys of its own stands for its table.
Name logical_table(const Graph &, const Name &);

// The only column of the primary key: what maps, folds and tenants are keyed by. Empty where the key has several columns or is missing.
std::string single_key(const Relation &);
// The same where both sides agree on it, so that a key names one row on each of them.
std::string common_key(const Relation &target, const Relation &source);
// The columns by which rows of a mapped table are recognised on both sides; empty: users that all become the fallback.
std::vector<std::string> natural_key(const Config &, const Graph &, const Name &table);
// SQL over alias t: the text of such a column, by which the two databases compare. Texts are equal where both columns' own "=" says that values are: citext
// without case, 1.0 and 1.00. `column` is of the side that is asked, `other` of the other one.
std::string match_text(const Graph &, const Name &table, const Column &column, const Column &other);
// The unique index over exactly these columns; one that covers every row before a partial one.
const Index *unique_index_over(const Relation &, const std::vector<std::string> &columns);
bool has_fallback(const Config &, const Graph &, const Name &table);

// The mapped table whose ids the column holds, or an empty name.
Name kept_map(const Graph &, const Name &table, const std::string &column);
// The same, and the tables with rows that are folded: everything that the pump replaces.
Name column_map(const Graph &, const Answers &, const Name &table, const std::string &column);
// Whether every question that the map rests on is answered.
bool map_complete(const Config &, const Graph &, const Answers &, const Name &table);
bool asked(const Answers &, std::string_view question_id);

// "public.child.column": how answers name a column.
std::string column_key(const Name &table, std::string_view column);
// Columns with text in them that people know a row by: the first unique text column that is not the key, else empty.
std::string text_label(const Relation &);

}  // namespace core
