#include "digit_cipher.hpp"

#include <algorithm>

#include "mask_tables.hpp"

namespace core {

// The subkey itself is AES's; what SipHash is for has a key of its own.
DigitCipher::DigitCipher(const MaskSubkey &key) : ff1_(key), tweaks_(mask_hash("tweaks", key)) {}

// Seven bytes: with them, the number of the round and that of a half of up to 64 bits (19 digits) a round is one block.
std::string_view DigitCipher::tweak_of(std::string_view bytes, MaskHash &room) const
{
	room = mask_hash(bytes, tweaks_);
	return {reinterpret_cast<const char *>(room.data()), 7};
}

void DigitCipher::encrypt(unsigned radix, std::span<unsigned char> digits, std::string_view context)
{
	MaskHash room{};
	const std::string_view tweak = tweak_of(context, room);
	if (digits.empty()) return;
	if (digits.size() == 1) {
		// Of ten digits by a step that has no divisor in common with ten: repeated, it comes to every digit.
		const auto drawn = static_cast<unsigned>(first_word(room) >> 32);
		constexpr unsigned steps[] = {1, 3, 7, 9};
		const unsigned step = radix == 10 ? steps[drawn % 4] : 1 + drawn % (radix - 1);
		digits[0] = static_cast<unsigned char>((digits[0] + step) % radix);
		return;
	}
	static const unsigned most_decimal = Ff1::most_digits(10), most_letters = Ff1::most_digits(26);
	const std::size_t most = radix == 10 ? most_decimal : radix == 26 ? most_letters : Ff1::most_digits(radix);
	if (digits.size() <= most) {
		ff1_.encrypt(radix, digits, tweak);
		return;
	}
	// Longer ones in pieces of about the same size, forth and back, each under the piece that was written before it: every digit depends on all.
	const std::size_t pieces = (digits.size() + most - 1) / most;
	const auto piece = [&](std::size_t i) {
		const std::size_t from = digits.size() * i / pieces;
		return digits.subspan(from, digits.size() * (i + 1) / pieces - from);
	};
	const std::string begin(tweak);
	const auto encrypt_piece = [&](std::size_t i, std::size_t before, char way) {
		scratch_.assign(begin) += way;
		scratch_ += std::to_string(i);
		scratch_ += ' ';
		if (before < pieces) scratch_.append(reinterpret_cast<const char *>(piece(before).data()), piece(before).size());
		MaskHash own{};
		ff1_.encrypt(radix, piece(i), tweak_of(scratch_, own));
	};
	for (std::size_t i = 0; i < pieces; ++i) encrypt_piece(i, i ? i - 1 : pieces, 'f');
	for (std::size_t i = pieces - 1; i-- > 0;) encrypt_piece(i, i + 1, 'b');
}

Wide DigitCipher::encrypt_bits(unsigned bits, Wide value, std::string_view context)
{
	if (bits == 0) return value;
	if (bits == 1) return value ^ 1;
	MaskHash room{};
	return ff1_.encrypt_bits(bits, value, context.empty() ? std::string_view() : tweak_of(context, room));
}

}  // namespace core
