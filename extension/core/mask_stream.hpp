// Bytes without end that a value and a subkey make, for masks that replace a value character by character.
#pragma once
#include <cstring>
#include "mask_tables.hpp"

namespace core {

class MaskStream {
	MaskSubkey key_;
	std::array<unsigned char, 24> seed_{};    // the value's hash, and the number of the block
	MaskHash block_{};
	std::size_t left_ = 0;

public:
	// Streams of one value that must differ have different `use`.
	MaskStream(Hash hash, const MaskSubkey &key, unsigned char use) : key_(key)
	{
		std::memcpy(seed_.data(), hash.data(), hash.size());
		seed_[23] = use;
	}
	unsigned char byte()
	{
		if (left_ == 0) {
			block_ = mask_hash({reinterpret_cast<const char *>(seed_.data()), seed_.size()}, key_);
			for (std::size_t i = 16; i < 23 && ++seed_[i] == 0; ++i) {}
			left_ = block_.size();
		}
		return block_[--left_];
	}
	// Less than `of`, which is at most 256. Nearly even: what comes out says nothing of the value either way.
	unsigned below(unsigned of) { return byte() * of >> 8; }
	char digit() { return static_cast<char>('0' + below(10)); }
	char lower() { return static_cast<char>('a' + below(26)); }
	char upper() { return static_cast<char>('A' + below(26)); }
};

// Characters of UTF-8 text, one after the other. What is no UTF-8 counts a character a byte.
struct Character {
	char32_t code;
	std::size_t bytes;
};
Character first_character(std::string_view text);    // of a text that is not empty
std::size_t count_characters(std::string_view text);

// The value with every letter replaced by an ASCII letter of the same case and every digit by a digit, from the `from`th character on; the rest of ASCII
// stays. A text without letters and digits becomes letters altogether.
void append_shape(std::string_view value, MaskStream &stream, std::string &out);
bool is_ascii(std::string_view);

}  // namespace core
