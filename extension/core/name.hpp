// Names of relations as the catalog has them, and the one way they become SQL.
#pragma once
#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace core {

// "name" as SQL: quoted where the server would quote it (upper case, odd characters, reserved words). Quoting
// more than needed is harmless to the server, so every word that any release reserves is quoted.
std::string quote_identifier(std::string_view name);
// A string literal, safe under either setting of standard_conforming_strings.
std::string quote_literal(std::string_view text);

struct Name {
	std::string schema, name;
	auto operator<=>(const Name &) const = default;
	bool empty() const { return name.empty(); }
	std::string sql() const;    // public.apps_orders, public."Odd.Name": the key of a relation in every JSON document
	std::string shown() const;  // the same without "public.": what people see
};

// Up to three of `known` that look like `wanted` (edit distance at most a third of its length), best first.
std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string> &known);
// " (did you mean a, b?)" or "": ends a message about an unknown name.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string> &known);

}  // namespace core
