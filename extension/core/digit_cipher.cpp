#include "digit_cipher.hpp"

#include <algorithm>

#include "mask_tables.hpp"

namespace core {

// The subkey itself is AES's; what SipHash is for has a key of its own.
DigitCipher::DigitCipher(const MaskSubkey &key) : ff1_(key), tweaks_(mask_hash("tweaks", key)) {}

// With them, the number of the round and that of a half of up to 64 bits (19 digits) a round is one block.
constexpr std::size_t tweak_bytes = 7;

std::string_view DigitCipher::tweak_of(std::string_view bytes, MaskHash &room) const
{
	room = mask_hash(bytes, tweaks_);
	return {reinterpret_cast<const char *>(room.data()), tweak_bytes};
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
// What stands before a piece is a chain of hashes, one link for each piece: a text of a million digits is read once, not once for each of its pieces.
void DigitCipher::encrypt_pieces(unsigned radix, std::span<unsigned char> digits, std::size_t pieces, std::string_view tweak)
{
	const auto end_of = [&](std::size_t piece) { return digits.size() * (piece + 1) / pieces; };
	const std::span<unsigned char> first = digits.first(end_of(0)), others = digits.subspan(first.size());
	// The chain: of what stood before the link, and the digits of it. All begin with what kind of step they are for.
	MaskHash chain{};
	const auto begin = [&](char step) {
		scratch_.assign(1, step) += tweak;
		chain = mask_hash(scratch_, tweaks_);
	};
	const auto add = [&](std::span<const unsigned char> from) {
		scratch_.assign(reinterpret_cast<const char *>(chain.data()), chain.size());
		scratch_.append(reinterpret_cast<const char *>(from.data()), from.size());
		chain = mask_hash(scratch_, tweaks_);
	};
	const auto drawn = [&] { return std::string_view(reinterpret_cast<const char *>(chain.data()), tweak_bytes); };

	begin('s');
	add(others);
	for (std::size_t i = 0; i < first.size(); ++i) {
		if (i && i % chain.size() == 0) chain = mask_hash({reinterpret_cast<const char *>(chain.data()), chain.size()}, tweaks_);
		first[i] = static_cast<unsigned char>((first[i] + chain[i % chain.size()]) % radix);
	}
	begin('p');
	add(first);
	for (std::size_t piece = 1; piece < pieces; ++piece) {
		const std::size_t at = end_of(piece - 1);
		const auto digits_of_it = digits.subspan(at, end_of(piece) - at);
		ff1_.encrypt(radix, digits_of_it, drawn());
		add(digits_of_it);
	}
	begin('l');
	add(others);
	ff1_.encrypt(radix, first, drawn());
}

Wide DigitCipher::encrypt_bits(unsigned bits, Wide value, std::string_view context)
{
	if (bits == 0) return value;
	if (bits == 1) return value ^ 1;
	MaskHash room{};
	return ff1_.encrypt_bits(bits, value, context.empty() ? std::string_view() : tweak_of(context, room));
}

}  // namespace core
