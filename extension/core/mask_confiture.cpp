// The strategies of Confiture, bit for bit, for databases whose masks have to stay what they were: anonymize: {compat: confiture}. Everything is cut
// from SHA-256 of the value, without a key: whoever can guess a value can tell its mask. The empty string is a value like any other.
#include <sodium.h>

#include <algorithm>

#include "mask_tables.hpp"

namespace core {

namespace {

std::array<unsigned char, crypto_hash_sha256_BYTES> sha256(std::string_view value)
{
	std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
	crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char *>(value.data()), value.size());
	return digest;
}

template <int Characters>
void append_digest(std::string_view value, std::string &out, bool upper = false)
{
	static_assert(Characters <= 32);
	const auto digest = sha256(value);
	MaskHash first{};
	std::copy_n(digest.begin(), first.size(), first.begin());
	append_hex(first, Characters, out, upper);
}

void write_email(std::string_view value, Hash, const MaskRule &, std::string &out)
{
	out += "user_";
	append_digest<8>(value, out);
	out += "@example.com";
}
bool is_email(std::string_view value, const MaskRule &)
{
	return value.size() == 25 && value.starts_with("user_") && all_hex(value.substr(5, 8)) && value.ends_with("@example.com");
}

void write_phone(std::string_view value, Hash, const MaskRule &, std::string &out)
{
	const auto digest = sha256(value);
	const std::uint32_t number = std::uint32_t{digest[0]} << 24 | std::uint32_t{digest[1]} << 16 | std::uint32_t{digest[2]} << 8 | digest[3];
	out += "+1-555-" + std::to_string(number % 10'000);
}
bool is_phone(std::string_view value, const MaskRule &)
{
	constexpr std::string_view beginning = "+1-555-";
	if (!value.starts_with(beginning)) return false;
	const auto number = value.substr(beginning.size());
	return !number.empty() && number.size() <= 4 && all_digits(number) && (number.size() == 1 || number[0] != '0');
}

void write_name(std::string_view value, Hash, const MaskRule &, std::string &out)
{
	out += "User ";
	append_digest<4>(value, out, true);
}
bool is_name(std::string_view value, const MaskRule &) { return value.size() == 9 && value.starts_with("User ") && all_hex(value.substr(5), true); }

void write_hash(std::string_view value, Hash, const MaskRule &, std::string &out) { append_digest<16>(value, out); }
bool is_hash(std::string_view value, const MaskRule &) { return value.size() == 16 && all_hex(value); }

std::string unsalted(const MaskRule &) { return "is masked as Confiture does, by a hash without a key: whoever guesses a value can tell its mask"; }

using Write = void(std::string_view, Hash, const MaskRule &, std::string &);

// What they have in common; characters of the mask, and bits of the digest that are in it, are each one's own.
template <int Characters, int Bits, Write *Masked>
Strategy by_digest(const char *name, const char *gives, bool (*in_form)(std::string_view, const MaskRule &))
{
	return {.name = name,
	    .gives = gives,
	    .takes = {ValueKind::text},
	    .keyed = false,
	    .options = {},
	    .width = width_of<Characters>,
	    .distinct = distinct_by_hash<Bits>,
	    .make = simple_masker<Masked>,
	    .in_form = in_form,
	    .recognizable = true,
	    .caution = unsalted,
	    .masks_empty = true,
	    .as_elsewhere = true};
}

Strategy confiture_redact()
{
	Strategy same = redacted();
	same.name = "confiture_redact";
	same.masks_empty = true;
	return same;
}

}  // namespace

std::vector<Strategy> confiture_strategies()
{
	return {
	    by_digest<25, 32, write_email>("confiture_email", "user_<8 hex digits>@example.com", is_email),
	    by_digest<11, 13, write_phone>("confiture_phone", "+1-555-<up to 4 digits>", is_phone),    // 10,000 numbers: 13 bits
	    by_digest<9, 16, write_name>("confiture_name", "User <4 hex digits>", is_name),
	    confiture_redact(),
	    by_digest<16, 64, write_hash>("confiture_hash", "16 hex digits", is_hash),
	};
}

}  // namespace core
