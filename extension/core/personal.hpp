// Which columns look personal, by their names and types. Names of columns only: what is inside of them is not looked at here.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "catalog.hpp"

namespace core {

struct Personal {
	std::string category;                   // for people: "e-mail", "phone number", "name"
	std::vector<const char *> strategies;   // what suits it, best first
};

// nullopt: nothing about the column says that it holds a person's data. Flags, counts, dates of events and ids never do.
std::optional<Personal> looks_personal(const Relation &, const Column &);
// "billingFirst_name2" -> billing, first, name
std::vector<std::string> words_of_name(std::string_view name);

}  // namespace core
