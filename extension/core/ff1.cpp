// SP 800-38G, algorithm 7, in its own names where they are short (A, B, P, Q, R, S, y, c). Halves are numbers of 128 bits, so that a round
// is one or two blocks of AES and one division.
#include "ff1.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <type_traits>

namespace core {

namespace {

constexpr unsigned half_bits = 96;    // of NUM(A): y + A then stays below 2^128, and S is one block

unsigned bit_length(Wide value)
{
	unsigned bits = 0;
	for (; value; value >>= 1) ++bits;
	return bits;
}

Wide power(unsigned radix, unsigned exponent)
{
	Wide value = 1;
	while (exponent--) value *= radix;
	return value;
}

void put_big_endian(Wide value, unsigned bytes, unsigned char *out)
{
	while (bytes--) out[bytes] = static_cast<unsigned char>(value), value >>= 8;
}

// A block as a number, the first byte the highest, and back.
std::uint64_t turned(std::uint64_t word) { return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word; }
Wide number_of(const unsigned char *block)
{
	std::uint64_t words[2];
	std::memcpy(words, block, 16);
	return static_cast<Wide>(turned(words[0])) << 64 | turned(words[1]);
}
void put_number(Wide number, unsigned char *block)
{
	const std::uint64_t words[2] = {turned(static_cast<std::uint64_t>(number >> 64)), turned(static_cast<std::uint64_t>(number))};
	std::memcpy(block, words, 16);
}

// Division of 128 bits is slow: only what the sizes need is divided.
Wide remainder(Wide value, Wide modulus)
{
	const auto high = static_cast<std::uint64_t>(value >> 64), low = static_cast<std::uint64_t>(value);
	if (modulus >> 64) return value % modulus;
	const auto small = static_cast<std::uint64_t>(modulus);
	if (high == 0) return low % small;
	return (static_cast<Wide>(high < small ? high : high % small) << 64 | low) % small;
}

// Digits of a number, the last one last. A constant radix spares divisions; so do pieces of 64 bits.
template <class Radix>
void write_digits(std::uint64_t value, Radix radix, std::span<unsigned char> out)
{
	for (std::size_t i = out.size(); i-- > 0; value /= radix) out[i] = static_cast<unsigned char>(value % radix);
}

void write_digits(Wide value, unsigned radix, std::span<unsigned char> out)
{
	constexpr std::size_t piece = 12;    // 36^12 fits
	while (out.size() > piece) {
		const Wide pieces = power(radix, piece);
		write_digits(static_cast<std::uint64_t>(value % pieces), radix, out.last(piece));
		value /= pieces;
		out = out.first(out.size() - piece);
	}
	if (radix == 10) write_digits(static_cast<std::uint64_t>(value), std::integral_constant<std::uint64_t, 10>(), out);
	else write_digits(static_cast<std::uint64_t>(value), radix, out);
}

}  // namespace

void Ff1::Free::operator()(evp_cipher_ctx_st *context) const { EVP_CIPHER_CTX_free(context); }

Ff1::Ff1(std::span<const unsigned char> key) : aes_(EVP_CIPHER_CTX_new())
{
	const EVP_CIPHER *cipher = key.size() == 16 ? EVP_aes_128_ecb()
	    : key.size() == 24                      ? EVP_aes_192_ecb()
	    : key.size() == 32                      ? EVP_aes_256_ecb()
	                                            : nullptr;
	if (!cipher) throw std::logic_error("an AES key has 16, 24 or 32 bytes");
	if (!aes_ || EVP_EncryptInit_ex(aes_.get(), cipher, nullptr, key.data(), nullptr) != 1) throw std::runtime_error("libcrypto has no AES");
	EVP_CIPHER_CTX_set_padding(aes_.get(), 0);
}

void Ff1::encrypt_block(unsigned char *block) const
{
	int written = 0;
	if (EVP_EncryptUpdate(aes_.get(), block, &written, block, 16) != 1 || written != 16) throw std::runtime_error("libcrypto cannot encrypt");
}

unsigned Ff1::most_digits(unsigned radix)
{
	unsigned digits = 0;
	for (Wide number = radix; bit_length(number - 1) <= half_bits; number *= radix) ++digits;
	return 2 * digits;
}

const Ff1::Form &Ff1::form(unsigned radix, unsigned digits, std::size_t tweak)
{
	for (const Form &one : forms_)
		if (one.digits == digits && one.radix == radix && one.tweak == tweak) return one;
	if (digits < 2 || digits > most_digits(radix)) throw std::logic_error("so many digits are not for FF1");
	Form made{};
	made.radix = radix, made.digits = digits, made.tweak = tweak;
	made.left = digits / 2, made.right = digits - made.left;
	made.left_power = power(radix, made.left), made.right_power = power(radix, made.right);
	made.number_bytes = (bit_length(made.right_power - 1) + 7) / 8;
	made.drawn = 4 * ((made.number_bytes + 3) / 4) + 4;
	unsigned char p[16] = {1, 2, 1, 0, 0, 0, 10, static_cast<unsigned char>(made.left)};
	put_big_endian(radix, 3, p + 3);
	put_big_endian(digits, 4, p + 8);
	put_big_endian(tweak, 4, p + 12);
	encrypt_block(p);
	std::memcpy(made.first, p, 16);
	forms_.push_back(made);
	return forms_.back();
}

void Ff1::rounds(const Form &form, std::string_view tweak, Wide &a, Wide &b)
{
	// Q = tweak, zeros, number of the round, NUM(B). The last two are in its last block, so what is before it is the same in every round.
	unsigned char block[16];
	std::memcpy(block, form.first, 16);
	const std::size_t size = (tweak.size() + 1 + form.number_bytes + 15) / 16 * 16, before = size - 16;
	const auto add = [&](std::size_t from) {
		for (std::size_t i = 0; i < 16 && from + i < tweak.size(); ++i) block[i] ^= static_cast<unsigned char>(tweak[from + i]);
	};
	for (std::size_t at = 0; at < before; at += 16) {
		add(at);
		encrypt_block(block);
	}
	add(before);
	const Wide chained = number_of(block);
	const unsigned round_shift = 8 * form.number_bytes, unused = 128 - 8 * form.drawn;
	const bool binary = form.radix == 2;
	for (unsigned round = 0; round < 10; ++round) {
		put_number(chained ^ (static_cast<Wide>(round) << round_shift | b), block);
		encrypt_block(block);
		const Wide modulus = round % 2 ? form.right_power : form.left_power;
		const Wide y = number_of(block) >> unused;    // of S, which is no longer than R
		Wide c = a;
		if (binary) {
			c = (c + y) & (modulus - 1);
		} else {
			c += remainder(y, modulus);
			if (c >= modulus) c -= modulus;
		}
		a = b;
		b = c;
	}
}

void Ff1::encrypt(unsigned radix, std::span<unsigned char> digits, std::string_view tweak)
{
	const Form &form = this->form(radix, static_cast<unsigned>(digits.size()), tweak.size());
	Wide a = 0, b = 0;
	for (unsigned i = 0; i < form.left; ++i) a = a * radix + digits[i];
	for (unsigned i = form.left; i < form.digits; ++i) b = b * radix + digits[i];
	rounds(form, tweak, a, b);
	write_digits(a, radix, digits.first(form.left));
	write_digits(b, radix, digits.last(form.right));
}

Wide Ff1::encrypt_bits(unsigned bits, Wide value, std::string_view tweak)
{
	if (bits < 2 || bits > 128) throw std::logic_error("so many bits are not for FF1");
	const Form &form = this->form(2, bits, tweak.size());
	Wide a = value >> form.right & (form.left_power - 1), b = value & (form.right_power - 1);
	rounds(form, tweak, a, b);
	return a << form.right | b;
}

}  // namespace core
