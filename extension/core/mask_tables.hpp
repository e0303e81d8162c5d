// For the files that define strategies (mask_*.cpp): the tables that masks.cpp puts together, and what they have in common.
#pragma once
#include <cstdint>
#include <type_traits>
#include "masks.hpp"

namespace core {

std::vector<Strategy> basic_strategies();
std::vector<Strategy> person_strategies();
std::vector<Strategy> email_strategies();
std::vector<Strategy> phone_strategies();
std::vector<Strategy> place_strategies();
std::vector<Strategy> shape_strategies();
std::vector<Strategy> fixed_strategies();
std::vector<Strategy> password_strategies();
std::vector<Strategy> text_strategies();
std::vector<Strategy> digit_strategies();
std::vector<Strategy> network_strategies();
std::vector<Strategy> date_strategies();
std::vector<Strategy> number_strategies();
std::vector<Strategy> confiture_strategies();
Strategy redacted();    // "redact", which Confiture has too

// Maskers of values that are made of others (mask_parts.cpp).
std::unique_ptr<Masker> array_masker(const MaskRule &, const MaskKey *, const std::string &element);
std::unique_ptr<Masker> parts_masker(const MaskRule &, const MaskKey *, const std::string &base);

// numeric(2,2), in which there is no 1; numeric(5,-2), which rounds 12345 to 12300.
bool only_fractions(const Column &);
bool rounds_whole_digits(const Column &);

using Hash = const MaskHash &;

// A strategy whose output needs nothing but value, hash and rule.
template <void (*Write)(std::string_view value, Hash, const MaskRule &, std::string &out)>
std::unique_ptr<Masker> simple_masker(const MaskRule &rule, const MaskSubkey &)
{
	struct Simple : Masker {
		MaskRule rule;
		explicit Simple(const MaskRule &given) : rule(given) {}
		void write(std::string_view value, Hash hash, std::string &out) override { Write(value, hash, rule, out); }
	};
	return std::make_unique<Simple>(rule);
}

// One that is made of the subkey, and of the rule where it wants to know it.
template <class Made>
std::unique_ptr<Masker> masker(const MaskRule &rule, const MaskSubkey &key)
{
	if constexpr (std::is_constructible_v<Made, const MaskRule &, const MaskSubkey &>) return std::make_unique<Made>(rule, key);
	else return std::make_unique<Made>(key);
}

// in_form of strategies whose output can be any text: of one of any form they make one of any form.
inline bool any_text(std::string_view, const MaskRule &) { return true; }

template <int Characters>
int width_of(const MaskRule &)
{
	return Characters;
}

inline Distinct never_distinct(const MaskRule &) { return {}; }
inline Distinct always_distinct(const MaskRule &) { return {Distinct::Kind::always, 0}; }
template <int Bits>
Distinct distinct_by_hash(const MaskRule &)
{
	return {Distinct::Kind::by_hash, Bits};
}

// The hash of some bytes under a subkey: SipHash-2-4 with 128 bits.
MaskHash mask_hash(std::string_view bytes, const MaskSubkey &);
// 64 bits of a hash, little endian: the first 8 bytes, or those from byte 8.
std::uint64_t first_word(Hash);
std::uint64_t second_word(Hash);

void append_hex(Hash, int characters, std::string &out, bool upper = false);
bool all_hex(std::string_view, bool upper = false);
bool all_digits(std::string_view);

}  // namespace core
