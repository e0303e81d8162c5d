// Composite types: what a rule's path can name in their values. {column: address, path: "$.street"} is about a field, "$.geo.place" about one of a
// field that is composite itself, "$[*].street" about that of each element of an array.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "catalog.hpp"
#include "json_path.hpp"

namespace core {

// The option of a column's rule (by_path) that says what its values consist of; both sides have it from production's catalog. A composite type
// is {"fields": [{"name": ...} and what the field is]}, an array {"of": what its elements are}, anything else {"base", "type", "length", "not_null", "labels"}.
inline constexpr const char *shape_option = "shape";

// nullopt: there is no composite type in it.
std::optional<json> parts_of_type(const Catalog &, const Column &);
// Fields that are no composite themselves, and that the path names: of arrays the elements. `name` is where they stand: "geo.place".
std::vector<Column> fields_at(const json &shape, const JsonPath &path);
// Where all of them stand.
std::vector<std::string> field_names(const json &shape);

}  // namespace core
