// Types that keys and references are of, and what may be asked of them on a server whose own may differ from the target's.
#pragma once
#include <string>
#include <vector>
#include "graph.hpp"

namespace core {

bool is_integer(const std::string &base_type);    // smallint, integer, bigint
bool is_text_type(const std::string &base_type);
// Types that keys can be of here: integers, texts and uuids.
bool is_key_type(const std::string &base_type);
// "integer[]": an array whose elements can be references.
bool is_id_array(const std::string &base_type);
// "integer" of "integer[]".
std::string element_type(const std::string &base_type);
// Whether values of a column name rows by a key: of one kind, or the column is a text that holds the key as the server writes it.
bool comparable_keys(const std::string &column_type, const std::string &key_type);
// The server has an operator = for values of the two types, as far as they are built in; citext counts as a text.
bool have_equality(const std::string &base_type, const std::string &other);

// An ordinary table of this catalog, with these columns.
bool has_columns(const Catalog &, const Name &table, const std::vector<std::string> &columns);
// The referencing columns are there, an array where the target has one, and a text where the key is read out of one.
bool has_reference(const Catalog &, const ForeignKey &);
// That, and the referenced columns are there, each of a type that its counterpart can be compared with.
bool can_follow(const Catalog &, const ForeignKey &);

}  // namespace core
