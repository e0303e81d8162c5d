// FF1, the format-preserving encryption of NIST SP 800-38G: a permutation of all strings of n digits to some radix, one for each tweak,
// that nobody without the key can tell from a random one. So different values stay different, and the form is the value's.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_cipher_ctx_st;

namespace core {

__extension__ typedef unsigned __int128 Wide;

// Not for several threads: it reuses its buffers.
class Ff1 {
	struct Free {
		void operator()(evp_cipher_ctx_st *) const;
	};
	// What the standard computes from radix, length and length of the tweak alone.
	struct Form {
		unsigned radix, digits;
		std::size_t tweak;
		unsigned left, right;              // digits of the two halves: u, v
		unsigned number_bytes, drawn;      // b, d
		Wide left_power, right_power;      // radix^u, radix^v
		unsigned char first[16];           // PRF of the block P: the same for every value
	};
	std::unique_ptr<evp_cipher_ctx_st, Free> aes_;
	std::vector<Form> forms_;

	void encrypt_block(unsigned char *) const;
	const Form &form(unsigned radix, unsigned digits, std::size_t tweak);
	void rounds(const Form &, std::string_view tweak, Wide &a, Wide &b);

public:
	// AES with a key of 16, 24 or 32 bytes. Throws std::runtime_error where libcrypto has no AES.
	explicit Ff1(std::span<const unsigned char> key);

	// The most digits that fit the arithmetic here (96 bits a half): 56 decimal ones, 192 bits.
	static unsigned most_digits(unsigned radix);
	// In place; from 2 to most_digits(radix) digits, each below the radix. The standard asks for a million strings at least (six decimal
	// digits): with fewer it is as good a permutation, but somebody who knows many pairs knows most of it.
	void encrypt(unsigned radix, std::span<unsigned char> digits, std::string_view tweak);
	// The lowest 2 to 128 bits of a number: radix 2.
	Wide encrypt_bits(unsigned bits, Wide value, std::string_view tweak);
};

}  // namespace core
