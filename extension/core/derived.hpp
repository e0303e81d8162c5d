// Columns that the database itself fills from others of the row: by a generation expression, or by a trigger. What is masked in the one stands raw
// in the other.
#pragma once
#include <functional>
#include <string>
#include <vector>
#include "catalog.hpp"

namespace core {

struct Derived {
	std::string column;
	std::vector<std::string> from;    // personal ones, in the table's order
	std::string by;                   // for people: "trigger person_search"; empty: nobody knows, its type says so
};

// Of the table's columns that are not personal themselves those that are made of personal ones, directly or in several steps. A tsvector beside
// personal texts counts as made of them, whoever fills it. What is left of a value in a flag, or in a number made of a text, does not count.
std::vector<Derived> derived_columns(const Catalog &, const Relation &table, const std::function<bool(const std::string &column)> &personal);

// Columns of NEW that a function in PL/pgSQL fills from others, and from which: "*" stands for the whole row. It reads assignments and
// SELECT ... INTO, through local variables too, not what dynamic SQL does.
struct Filled {
	std::string column;
	std::vector<std::string> from;
};
std::vector<Filled> filled_columns(std::string_view body);

}  // namespace core
