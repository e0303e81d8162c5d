// Words that masks are put together from: common ones of many countries, collected for prodsync. ASCII, so that they fit every encoding and
// every CHECK of a name. The lists are frozen, order and all: a word more would change every mask. Each has a power of two of
// words: so many bits of a hash choose one, all alike often.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace core {

using Word = std::string_view;

extern const std::array<Word, 256> first_names;
extern const std::array<Word, 256> last_names;
extern const std::array<Word, 64> street_names;
extern const std::array<Word, 8> street_kinds;
extern const std::array<Word, 64> town_beginnings;
extern const std::array<Word, 16> town_endings;
extern const std::array<Word, 64> company_names;
extern const std::array<Word, 32> company_trades;
extern const std::array<Word, 8> company_forms;

template <std::size_t Size>
constexpr Word pick(const std::array<Word, Size> &list, std::uint64_t bits)
{
	static_assert((Size & (Size - 1)) == 0);
	return list[bits & (Size - 1)];
}

// Of the lists above.
bool is_drawn_first_name(Word);
bool is_drawn_last_name(Word);
// Of them, or another common one: names that are found in free text. More of them change no mask but that of a text with one in it.
bool is_known_first_name(Word);
bool is_known_last_name(Word);

}  // namespace core
