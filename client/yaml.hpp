// A YAML file as JSON, by the 1.2 core schema, with the place of every key. yaml-cpp alone takes `yes` for true, lets a double
// key pass and forgets where things stood, so its events are read here and its own conversion is not used.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace client {

struct Position {  // counted from 1, as editors and compilers do; 0: unknown
	int line = 0, column = 0;
	auto operator<=>(const Position &) const = default;
};

struct YamlError : std::runtime_error {
	Position position;
	YamlError(Position at, const std::string &text) : std::runtime_error(text), position(at) {}
};

// Keys of the maps below: "tables.auth_*.mode", "tenants", "users.match.0". Where the value came by an alias, its inner keys
// have the place of the anchored text.
struct YamlDocument {
	nlohmann::json value;                    // null for an empty file
	std::map<std::string, Position> keys;    // where the key stands (for an item of a list: the item)
	std::map<std::string, Position> values;  // where its value begins

	// The place that `object` speaks about: a whole path (of a key that is missing: what it belongs into), a key of `tables`, or a
	// key that stands only once in the file. `at_value`: where its value begins.
	Position find(std::string_view object, bool at_value = false) const;
};

// Throws YamlError: malformed text, a double key, a second document, a key that is no text.
YamlDocument parse_yaml(std::string_view text);

// "prodsync.yaml:14:7", without what is unknown.
std::string place(std::string_view file, Position at);

}  // namespace client
