// What every strategy that makes up a person draws from the same hash, so that the names, the user name and the e-mail address of one
// person agree where they are drawn from one value.
#pragma once
#include <algorithm>
#include "mask_tables.hpp"
#include "mask_words.hpp"

namespace core {

inline constexpr const char *person_subkey = "person";

struct Person {
	Word first, last;
	explicit Person(Hash hash) : first(pick(first_names, hash[0])), last(pick(last_names, hash[1])) {}
};

// Hex digits of the half of the hash from which no name is drawn; at most 16.
void append_person_digits(Hash, int digits, std::string &out);
// As in addresses: names are ASCII.
void append_lower(Word, std::string &out);

template <std::size_t Size>
constexpr int longest(const std::array<Word, Size> &list)
{
	std::size_t most = 0;
	for (const Word word : list) most = std::max(most, word.size());
	return static_cast<int>(most);
}

// A name of the list written in lower case, or as it is.
bool is_lower_first_name(std::string_view);
bool is_lower_last_name(std::string_view);

}  // namespace core
