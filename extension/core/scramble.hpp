// A keyed permutation of all texts of one shape: digits become digits, letters become letters of their case and script, everything else
// stays. What strategies make of values that are not of the form they are for: nothing of such a value comes out, and different values
// stay different.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>
#include "masks.hpp"

namespace core {

// Not for several threads: it reuses its buffers.
class Scramble {
	struct Unit {
		std::uint32_t first, size, index;    // code points first .. first + size - 1; among them index
	};
	MaskSubkey key_;
	bool hex_, groups_ = false;    // groups_: of hex digits, between colons
	std::vector<Unit> units_;
	std::vector<int> pattern_;     // of the text's characters: a byte that stays, or one of the units in turn
	std::string shape_, half_, walked_;

	void read(std::string_view, bool punctuation);
	void shift(std::size_t from, std::size_t to);    // as far as half_ says

public:
	// hex: the letters a to f are replaced among themselves. Between colons, a zero that begins a group stays and no other digit becomes
	// one there: zeros are most of what can make an address another spelling than the server's.
	explicit Scramble(const MaskSubkey &key, bool hex = false) : key_(key), hex_(hex) {}
	// Appends as many characters, and bytes, as the text has. Punctuation stays unless there is nothing else; blanks always stay.
	void append(std::string_view text, std::string &out);
	// The same, again and again until `wrong` is not true of what comes out. A permutation of the texts of which it is not true, where it is not of `text`:
	// what is not of a strategy's form does not become so.
	template <class Wrong>
	void append(std::string_view text, std::string &out, Wrong wrong)
	{
		const std::size_t at = out.size();
		append(text, out);
		while (wrong(std::string_view(out).substr(at))) {
			walked_.assign(out, at);
			out.resize(at);
			append(walked_, out);
		}
	}
};

}  // namespace core
