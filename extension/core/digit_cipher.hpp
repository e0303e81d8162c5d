// FF1 under the subkey of a strategy, for digits of any number.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include "ff1.hpp"
#include "masks.hpp"

namespace core {

// Not for several threads.
class DigitCipher {
	Ff1 ff1_;
	MaskSubkey tweaks_;
	std::string scratch_;

	std::string_view tweak_of(std::string_view bytes, MaskHash &room) const;
	void encrypt_pieces(unsigned radix, std::span<unsigned char> digits, std::size_t pieces, std::string_view tweak);

public:
	explicit DigitCipher(const MaskSubkey &key);
	// A permutation of all strings of so many digits, another one for each `context` (which the value keeps). A single digit is turned and
	// never stays; digits are those of `radix`.
	void encrypt(unsigned radix, std::span<unsigned char> digits, std::string_view context);
	// The same of the lowest bits, up to 128; a single bit is the other one.
	Wide encrypt_bits(unsigned bits, Wide value, std::string_view context);
	const MaskSubkey &other_key() const { return tweaks_; }    // for what is no AES
};

}  // namespace core
