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
	encrypt_pieces(radix, digits, (digits.size() + most - 1) / most, tweak);
}

// Pieces of about the same size. The first is shifted as the others say, so that it depends on every digit; then each of the others is
// encrypted under those before it, the first at last under all of them. Every step leaves alone what it draws from, so each can be undone.
void DigitCipher::encrypt_pieces(unsigned radix, std::span<unsigned char> digits, std::size_t pieces, std::string_view tweak)
{
	const auto end_of = [&](std::size_t piece) { return digits.size() * (piece + 1) / pieces; };
	const std::span<unsigned char> first = digits.first(end_of(0)), others = digits.subspan(first.size());
	const std::string begin(tweak);
	// of a step, and what it draws from
	const auto under = [&](std::size_t step, std::span<const unsigned char> from, MaskHash &room) {
		scratch_.assign(begin) += std::to_string(step);
		scratch_ += ' ';
		scratch_.append(reinterpret_cast<const char *>(from.data()), from.size());
		return tweak_of(scratch_, room);
	};
	MaskHash room{};
	under(0, others, room);
	for (std::size_t i = 0; i < first.size(); ++i) {
		if (i && i % room.size() == 0) room = mask_hash({reinterpret_cast<const char *>(room.data()), room.size()}, tweaks_);
		first[i] = static_cast<unsigned char>((first[i] + room[i % room.size()]) % radix);
	}
	for (std::size_t piece = 1; piece < pieces; ++piece) {
		const auto before = digits.first(end_of(piece - 1));
		ff1_.encrypt(radix, digits.subspan(before.size(), end_of(piece) - before.size()), under(piece, before, room));
	}
	ff1_.encrypt(radix, first, under(pieces, others, room));
}

Wide DigitCipher::encrypt_bits(unsigned bits, Wide value, std::string_view context)
{
	if (bits == 0) return value;
	if (bits == 1) return value ^ 1;
	MaskHash room{};
	return ff1_.encrypt_bits(bits, value, context.empty() ? std::string_view() : tweak_of(context, room));
}

}  // namespace core
