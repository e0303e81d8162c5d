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

void write_redacted(std::string_view, Hash, const MaskRule &, std::string &out) { out += "[REDACTED]"; }
bool is_redacted(std::string_view value, const MaskRule &) { return value == "[REDACTED]"; }

std::string unsalted(const MaskRule &) { return "is masked as Confiture does, by a hash without a key: whoever guesses a value can tell its mask"; }

}  // namespace

std::vector<Strategy> confiture_strategies()
{
	using enum ValueKind;
	// a phone number has 10,000 values: 13 bits
	return {
	    {.name = "confiture_email",
	        .gives = "user_<8 hex digits>@example.com",
	        .takes = {text},
	        .keyed = false,
	        .options = {},
	        .width = width_of<25>,
	        .distinct = distinct_by_hash<32>,
	        .make = simple_masker<write_email>,
	        .in_form = is_email,
	        .recognizable = true,
	        .caution = unsalted,
	        .masks_empty = true,
	        .as_elsewhere = true},
	    {.name = "confiture_phone",
	        .gives = "+1-555-<up to 4 digits>",
	        .takes = {text},
	        .keyed = false,
	        .options = {},
	        .width = width_of<11>,
	        .distinct = distinct_by_hash<13>,
	        .make = simple_masker<write_phone>,
	        .in_form = is_phone,
	        .recognizable = true,
	        .caution = unsalted,
	        .masks_empty = true,
	        .as_elsewhere = true},
	    {.name = "confiture_name",
	        .gives = "User <4 hex digits>",
	        .takes = {text},
	        .keyed = false,
	        .options = {},
	        .width = width_of<9>,
	        .distinct = distinct_by_hash<16>,
	        .make = simple_masker<write_name>,
	        .in_form = is_name,
	        .recognizable = true,
	        .caution = unsalted,
	        .masks_empty = true,
	        .as_elsewhere = true},
	    {.name = "confiture_redact",
	        .gives = "[REDACTED]",
	        .takes = {text},
	        .keyed = false,
	        .options = {},
	        .width = width_of<10>,
	        .distinct = never_distinct,
	        .make = simple_masker<write_redacted>,
	        .in_form = is_redacted,
	        .recognizable = true,
	        .masks_empty = true},
	    {.name = "confiture_hash",
	        .gives = "16 hex digits",
	        .takes = {text},
	        .keyed = false,
	        .options = {},
	        .width = width_of<16>,
	        .distinct = distinct_by_hash<64>,
	        .make = simple_masker<write_hash>,
	        .in_form = is_hash,
	        .recognizable = true,
	        .caution = unsalted,
	        .masks_empty = true,
	        .as_elsewhere = true},
	};
}

}  // namespace core
