// Masks that look like what they replace: text of the same shape, secrets of the same alphabet, a few characters left at the ends.
#include "mask_stream.hpp"

#include <algorithm>
#include <cmath>

namespace core {

Character first_character(std::string_view text)
{
	const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
	const unsigned char first = at(0);
	const std::size_t bytes = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1;
	if (bytes == 1 || bytes > text.size()) return {first, 1};
	char32_t code = first & (0x7F >> bytes);
	for (std::size_t i = 1; i < bytes; ++i) {
		if ((at(i) & 0xC0) != 0x80) return {first, 1};
		code = code << 6 | (at(i) & 0x3F);
	}
	return {code, bytes};
}

std::size_t count_characters(std::string_view text)
{
	std::size_t count = 0;
	for (; !text.empty(); text.remove_prefix(first_character(text).bytes)) ++count;
	return count;
}

bool is_ascii(std::string_view text)
{
	return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// Of Latin, Greek and Cyrillic. Other letters count as lower case, and what is no letter at all as one.
bool is_capital(char32_t code)
{
	const bool odd = (code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17E);    // where the capital is the odd one of two
	return (code >= 0xC0 && code <= 0xDE) || (code >= 0x100 && code <= 0x17F && code % 2 == odd) ||
	    (code >= 0x391 && code <= 0x3A9) || (code >= 0x400 && code <= 0x42F);
}

// Whether the value has something that is replaced.
bool has_words(std::string_view value)
{
	return std::any_of(value.begin(), value.end(), [](char c) { return is_word(c) || beyond_ascii(c); });
}

}  // namespace

void append_shape(std::string_view value, MaskStream &stream, std::string &out)
{
	const bool words = has_words(value);
	while (!value.empty()) {
		const char c = value.front();
		std::size_t bytes = 1;
		if (is_digit(c)) out += stream.digit();
		else if (is_lower(c) || !words) out += stream.lower();
		else if (is_upper(c)) out += stream.upper();
		else if (!beyond_ascii(c)) out += c;
		else {
			const Character character = first_character(value);
			bytes = character.bytes;
			out += is_capital(character.code) ? stream.upper() : stream.lower();
		}
		value.remove_prefix(bytes);
	}
}

namespace {

// So many characters at the front of a value.
std::string_view front_of(std::string_view value, std::size_t characters)
{
	std::string_view rest = value;
	for (; characters && !rest.empty(); --characters) rest.remove_prefix(first_character(rest).bytes);
	return value.substr(0, value.size() - rest.size());
}

struct ShapeMasker : Masker {
	MaskSubkey key;
	explicit ShapeMasker(const MaskSubkey &key_) : key(key_) {}
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		MaskStream stream(hash, key, 's');
		append_shape(value, stream, out);
	}
};
std::unique_ptr<Masker> make_shape(const MaskRule &, const MaskSubkey &key) { return std::make_unique<ShapeMasker>(key); }
bool is_shape(std::string_view value, const MaskRule &) { return is_ascii(value) && has_words(value); }

// ---- secret ----

constexpr std::string_view digits = "0123456789", lower_hex = "0123456789abcdef", upper_hex = "0123456789ABCDEF",
                           all_words = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

// The letters and digits that a secret is made of, by the kinds it has.
std::string_view alphabet_of(std::string_view value)
{
	bool digit = false, low = false, up = false, beyond_low_hex = false, beyond_up_hex = false;
	for (const char c : value) {
		digit = digit || is_digit(c);
		low = low || is_lower(c) || beyond_ascii(c);
		up = up || is_upper(c);
		beyond_low_hex = beyond_low_hex || c > 'f' || beyond_ascii(c);
		beyond_up_hex = beyond_up_hex || (is_upper(c) && c > 'F');
	}
	if (!low && !up && digit) return digits;
	if (digit && low && !up && !beyond_low_hex) return lower_hex;
	if (digit && up && !low && !beyond_up_hex) return upper_hex;
	const std::string_view all = all_words;
	if (!up) return all.substr(26, digit ? 36 : 26);
	if (low) return all.substr(0, digit ? 62 : 52);
	static const std::string upper_and_digits = std::string(all_words.substr(0, 26)) + std::string(digits);
	return digit ? std::string_view(upper_and_digits) : all.substr(0, 26);
}

struct SecretMasker : Masker {
	MaskSubkey key;
	std::size_t length;
	SecretMasker(const MaskRule &rule, const MaskSubkey &key_) : key(key_), length(static_cast<std::size_t>(rule.number("length", 0))) {}
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		MaskStream stream(hash, key, 'x');
		if (length) {
			for (std::size_t i = 0; i < length; ++i) out += all_words[stream.below(62)];
			return;
		}
		const bool words = has_words(value);
		const std::string_view alphabet = words ? alphabet_of(value) : all_words;
		while (!value.empty()) {
			const char c = value.front();
			const std::size_t bytes = beyond_ascii(c) ? first_character(value).bytes : 1;
			out += !words || is_word(c) || beyond_ascii(c) ? alphabet[stream.below(static_cast<unsigned>(alphabet.size()))] : c;
			value.remove_prefix(bytes);
		}
	}
};
std::unique_ptr<Masker> make_secret(const MaskRule &rule, const MaskSubkey &key) { return std::make_unique<SecretMasker>(rule, key); }
int secret_width(const MaskRule &rule) { return static_cast<int>(rule.number("length", as_long_as_the_value)); }
// A block of the stream has 128 bits; so have all of them, for they come from one hash.
Distinct secret_distinct(const MaskRule &rule)
{
	const auto length = rule.number("length", 0);
	return length ? Distinct{Distinct::Kind::by_hash, static_cast<int>(std::min(127.0, std::floor(5.9 * static_cast<double>(length))))} : Distinct{};
}
bool is_secret(std::string_view value, const MaskRule &rule)
{
	const auto length = static_cast<std::size_t>(rule.number("length", 0));
	return length ? value.size() == length && std::all_of(value.begin(), value.end(), is_word) : is_shape(value, rule);
}

// ---- partial ----

struct Ends {
	std::size_t first, last;
	char with;
	explicit Ends(const MaskRule &rule)
	    : first(static_cast<std::size_t>(rule.number("first", 0))), last(static_cast<std::size_t>(rule.number("last", 0))),
	      with(rule.text("with", "*").front())
	{}
	// Of a short value nothing is kept: what is hidden is at least as long as what is shown.
	bool shows(std::size_t characters) const { return (first + last) * 2 <= characters; }
};

struct PartialMasker : Masker {
	Ends ends;
	explicit PartialMasker(const MaskRule &rule) : ends(rule) {}
	void write(std::string_view value, Hash, std::string &out) override
	{
		const std::size_t characters = count_characters(value);
		if (!ends.shows(characters)) {
			out.append(characters, ends.with);
			return;
		}
		out += front_of(value, ends.first);
		out.append(characters - ends.first - ends.last, ends.with);
		out += value.substr(front_of(value, characters - ends.last).size());
	}
};
std::unique_ptr<Masker> make_partial(const MaskRule &rule, const MaskSubkey &) { return std::make_unique<PartialMasker>(rule); }
bool is_partial(std::string_view value, const MaskRule &rule)
{
	const Ends ends(rule);
	const std::size_t characters = count_characters(value);
	if (ends.shows(characters)) {
		value = value.substr(0, front_of(value, characters - ends.last).size());
		value.remove_prefix(front_of(value, ends.first).size());
	}
	return value.find_first_not_of(ends.with) == value.npos;
}
std::string partial_refused(const MaskRule &rule)
{
	if (rule.number("first", 0) + rule.number("last", 0) == 0)
		return "first, last or both have to say how many characters stay, for instance last: 4";
	const auto with = rule.text("with", "*");
	if (with.size() != 1 || static_cast<unsigned char>(with.front()) < 0x21 || beyond_ascii(with.front()))
		return "with has to be one character of ASCII";
	return "";
}

// ---- postcode ----

struct PostcodeMasker : Masker {
	MaskSubkey key;
	std::size_t first;
	PostcodeMasker(const MaskRule &rule, const MaskSubkey &key_) : key(key_), first(static_cast<std::size_t>(rule.number("first", 0))) {}
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		MaskStream stream(hash, key, 'p');
		const std::string_view region = first && count_characters(value) >= 2 * first && is_ascii(value) ? value.substr(0, first) : "";
		out += region;
		append_shape(value.substr(region.size()), stream, out);
	}
};
std::unique_ptr<Masker> make_postcode(const MaskRule &rule, const MaskSubkey &key) { return std::make_unique<PostcodeMasker>(rule, key); }

}  // namespace

std::vector<Strategy> shape_strategies()
{
	using enum ValueKind;
	using Kind = MaskOption::Kind;
	const auto as_long = width_of<as_long_as_the_value>;
	return {
	    {.name = "postcode",
	        .gives = "letters and digits where the postcode has them",
	        .takes = {text},
	        .keyed = true,
	        .options = {{.name = "first", .kind = Kind::number, .least = 0, .most = 4, .otherwise = "0"}},
	        .width = as_long,
	        .distinct = never_distinct,
	        .make = make_postcode,
	        .in_form = is_shape,
	        .recognizable = false},
	    {.name = "shape",
	        .gives = "letters and digits where the value has them",
	        .takes = {text},
	        .keyed = true,
	        .options = {},
	        .width = as_long,
	        .distinct = never_distinct,
	        .make = make_shape,
	        .in_form = is_shape,
	        .recognizable = false},
	    {.name = "secret",
	        .gives = "random-looking letters and digits",
	        .takes = {text},
	        .keyed = true,
	        .options = {{.name = "length", .kind = Kind::number, .least = 8, .most = 255}},
	        .width = secret_width,
	        .distinct = secret_distinct,
	        .make = make_secret,
	        .in_form = is_secret,
	        .recognizable = false},
	    {.name = "partial",
	        .gives = "its first or last characters and stars for the others",
	        .takes = {text},
	        .keyed = false,
	        .options = {{.name = "first", .kind = Kind::number, .least = 0, .most = 64, .otherwise = "0"},
	            {.name = "last", .kind = Kind::number, .least = 0, .most = 64, .otherwise = "0"},
	            {.name = "with", .kind = Kind::text, .otherwise = "\"*\""}},
	        .width = as_long,
	        .distinct = never_distinct,
	        .make = make_partial,
	        .in_form = is_partial,
	        .recognizable = true,
	        .refused = partial_refused},
	};
}

}  // namespace core
