// Numbers that identify: any digit strings, IBANs, card numbers. All are permutations: different values stay different, and what comes out
// has the form of what went in. A value of another form than the strategy is for is scrambled (scramble.hpp) until it is again no value of
// that form: walking along the cycles of a permutation keeps it one.
#include <algorithm>

#include "catalog.hpp"
#include "digit_cipher.hpp"
#include "mask_tables.hpp"
#include "scramble.hpp"

namespace core {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr char taken_out = '\0';    // in a context: a digit that is encrypted

class DigitMasker : public Masker {
protected:
	DigitCipher cipher_;
	Scramble scramble_;
	std::string context_;
	std::vector<unsigned char> digits_;

public:
	explicit DigitMasker(const MaskSubkey &key) : cipher_(key), scramble_(mask_hash("scramble", cipher_.other_key())) {}
};

// ---- digits ----

// -12.50: sign, whole digits without a leading zero, digits behind a point. What the server prints for numbers.
struct Number {
	bool negative = false;
	std::size_t whole = 0, first = 0;    // digits before the point; position of the first
	std::size_t fraction = 0;            // digits behind it, without zeros at the end
};

// Not for -0: it is a number of its own in no type.
bool read_number(std::string_view text, Number &number)
{
	number.negative = text.starts_with('-');
	number.first = number.negative;
	std::size_t at = number.first;
	while (at < text.size() && is_digit(text[at])) ++at;
	number.whole = at - number.first;
	if (number.whole == 0 || (number.whole > 1 && text[number.first] == '0')) return false;
	if (at < text.size()) {
		if (text[at] != '.' || at + 1 == text.size() || !all_digits(text.substr(at + 1))) return false;
		const std::size_t last = text.find_last_not_of('0');
		number.fraction = last > at ? last - at : 0;
	}
	return !(number.negative && number.fraction == 0 && text[number.first] == '0');
}

// The same value has the same mask whether its column is smallint, integer, bigint, numeric or text. So what fits a type stays among what fits
// it, and the numbers of so many digits are split there.
struct Range {
	std::uint64_t least, most;
};
constexpr std::uint64_t power_of_ten(std::size_t exponent)
{
	std::uint64_t power = 1;
	while (exponent--) power *= 10;
	return power;
}
std::optional<Range> range_of(std::uint64_t magnitude, bool negative, std::size_t digits)
{
	const std::uint64_t limit = digits == 5 ? INT16_MAX : digits == 10 ? INT32_MAX : digits == 19 ? INT64_MAX : 0;
	if (!limit) return std::nullopt;
	const std::uint64_t last = limit + negative, least = power_of_ten(digits - 1);
	return magnitude <= last ? Range{least, last} : Range{last + 1, least * 9 + (least - 1)};
}

bool is_special(std::string_view text)    // numeric and the floating types have them, as text they say nothing
{
	if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
	return text.starts_with("-0") && (text.size() == 2 || (text.size() > 3 && text[2] == '.' && text.find_first_not_of('0', 3) == text.npos));
}

class Digits : public DigitMasker {
	std::size_t keep_first_, keep_last_;

	std::uint64_t number_at(std::size_t from, std::size_t to) const
	{
		std::uint64_t value = 0;
		for (; from < to; ++from) value = value * 10 + digits_[from];
		return value;
	}

	// Which digits are replaced: all where there are no more than are to be kept.
	std::pair<std::size_t, std::size_t> replaced(std::size_t size) const
	{
		return size > keep_first_ + keep_last_ ? std::pair(keep_first_, size - keep_last_) : std::pair<std::size_t, std::size_t>(0, size);
	}

	// The digits from `from` to `to`, so that all of them are a number in the range. What those may be follows each other without gaps.
	void within(const Range &range, std::size_t from, std::size_t to)
	{
		const std::uint64_t behind = power_of_ten(digits_.size() - to), all = power_of_ten(to - from), given = number_at(from, to);
		const std::uint64_t kept = number_at(0, digits_.size()) - given * behind;
		const std::uint64_t least = range.least > kept ? (range.least - kept + behind - 1) / behind : 0;
		const std::uint64_t most = std::min((range.most - kept) / behind, all - 1), others = most - least;
		if (others >= all / 2) {
			do cipher_.encrypt(10, std::span(digits_).subspan(from, to - from), context_);
			while (number_at(from, to) < least || number_at(from, to) > most);
			return;
		}
		// Most strings of so many digits are none: bits waste less.
		unsigned bits = 1;
		while (others >> bits) ++bits;
		Wide offset = given - least;
		do offset = cipher_.encrypt_bits(bits, offset, context_);
		while (offset > others);
		auto masked = static_cast<std::uint64_t>(offset) + least;
		for (std::size_t i = to; i-- > from; masked /= 10) digits_[i] = static_cast<unsigned char>(masked % 10);
	}

	void number(std::string_view value, const Number &number, std::string &out)
	{
		digits_.clear();
		std::size_t left = number.whole + number.fraction;
		for (std::size_t i = number.first; left; ++i)
			if (is_digit(value[i])) digits_.push_back(static_cast<unsigned char>(value[i] - '0')), --left;
		const auto [from, to] = replaced(digits_.size());
		context_ = number.negative ? "-" : "+";
		context_ += std::to_string(number.whole);
		context_ += '.';
		for (std::size_t i = 0; i < digits_.size(); ++i)
			if (i < from || i >= to) context_ += static_cast<char>('0' + digits_[i]);
		const std::size_t size = digits_.size();
		const auto range = number.fraction || size > 19 ? std::nullopt : range_of(number_at(0, size), number.negative, size);
		if (range) within(*range, from, to);
		else {
			const auto fits = [&] {
				if (digits_[0] == 0 && (number.whole > 1 || (number.negative && number.fraction == 0))) return false;
				return number.fraction == 0 || digits_.back() != 0;
			};
			do cipher_.encrypt(10, std::span(digits_).subspan(from, to - from), context_);
			while (!fits());
		}
		std::size_t next = 0;
		for (const char c : value) out += is_digit(c) && next < digits_.size() ? static_cast<char>('0' + digits_[next++]) : c;
	}

	void other(std::string_view value, std::size_t count, std::string &out)
	{
		// 007 and 00.50 are no number in the form above and must not become one: the first zero stays.
		const std::size_t sign = value.starts_with('-'), rest = value.find_first_not_of("0123456789", sign);
		const bool padded = is_digit(value[sign]) &&
		    (rest == value.npos || (value[rest] == '.' && rest + 1 < value.size() && all_digits(value.substr(rest + 1))));
		auto [from, to] = replaced(count);
		if (padded && from == 0) from = 1, to = to > 1 ? to : count;
		context_.assign(value);
		digits_.clear();
		std::size_t n = 0;
		for (char &c : context_)
			if (is_digit(c)) {
				if (n >= from && n < to) digits_.push_back(static_cast<unsigned char>(c - '0')), c = taken_out;
				++n;
			}
		cipher_.encrypt(10, digits_, context_);
		// By their number, not by what the context has in their place: a string of a json document may have that character too.
		auto digit = digits_.begin();
		n = 0;
		for (const char c : value) {
			const bool taken = is_digit(c) && n++ >= from && n <= to;
			out += taken ? static_cast<char>('0' + *digit++) : c;
		}
	}

public:
	Digits(const MaskRule &rule, const MaskSubkey &key)
	    : DigitMasker(key), keep_first_(static_cast<std::size_t>(rule.number("keep_first", 0))),
	      keep_last_(static_cast<std::size_t>(rule.number("keep_last", 0)))
	{}

	void write(std::string_view value, Hash, std::string &out) override
	{
		if (is_special(value)) {
			out += value;
			return;
		}
		if (Number found; read_number(value, found)) return number(value, found, out);
		std::size_t digits = 0, letters = 0;
		for (const char c : value) digits += is_digit(c), letters += is_letter(c) || (static_cast<unsigned char>(c) & 0xC0) == 0xC0;
		if (digits == 0 || letters > digits) scramble_.append(value, out, is_special);
		else other(value, digits, out);
	}
};

std::string digits_unfit(const MaskRule &, const Column &column)
{
	if (column.base == "real" || column.base == "double precision") return "gives digits that such a number does not hold";
	if (rounds_whole_digits(column)) return "gives digits that such a number does not keep";
	return only_fractions(column) ? "may give a number that does not fit" : "";
}

// ---- card ----

// The digits of a card number: 12 to 19, between blanks and hyphens, the last one by Luhn (ISO/IEC 7812-1).
unsigned char luhn(std::span<const unsigned char> without_check)
{
	unsigned sum = 0;
	for (std::size_t i = 0; i < without_check.size(); ++i) {
		const unsigned digit = without_check[without_check.size() - 1 - i];
		sum += i % 2 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
	}
	return static_cast<unsigned char>((10 - sum % 10) % 10);
}

bool read_card(std::string_view text, std::vector<unsigned char> &digits)
{
	digits.clear();
	if (text.size() > 40) return false;
	for (const char c : text)
		if (is_digit(c)) digits.push_back(static_cast<unsigned char>(c - '0'));
		else if (c != ' ' && c != '-') return false;
	return digits.size() >= 12 && digits.size() <= 19 && luhn(std::span(digits).first(digits.size() - 1)) == digits.back();
}

class Card : public DigitMasker {
	std::size_t kept_;
	std::vector<unsigned char> tried_;

public:
	Card(const MaskRule &rule, const MaskSubkey &key) : DigitMasker(key), kept_(rule.text("keep") == "bin" ? 6 : 0) {}

	void write(std::string_view value, Hash, std::string &out) override
	{
		if (!read_card(value, digits_)) {
			scramble_.append(value, out, [&](std::string_view other) { return read_card(other, tried_); });
			return;
		}
		context_ = std::to_string(digits_.size());
		for (std::size_t i = 0; i < kept_; ++i) context_ += static_cast<char>('a' + digits_[i]);
		const auto account = std::span(digits_).first(digits_.size() - 1);
		cipher_.encrypt(10, account.subspan(kept_), context_);
		digits_.back() = luhn(account);
		auto next = digits_.begin();
		for (const char c : value) out += is_digit(c) ? static_cast<char>('0' + *next++) : c;
	}
};

// What is valid may be somebody's.
std::string may_be_a_strangers(const MaskRule &) { return "is masked as a number that may be a stranger's: keep UAT's payments switched off"; }

// ---- iban ----

// ISO 13616: country, two check digits, 11 to 30 letters and digits. 98 minus the rest of the number that they make, country and 00 behind
// it, by 97.
unsigned iban_check(std::string_view country, std::string_view account)
{
	unsigned rest = 0;
	const auto add = [&](char c) {
		const unsigned value = is_digit(c) ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a') + 10;
		rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
	};
	for (const char c : account) add(c);
	for (const char c : country) add(c);
	return 98 - rest * 100 % 97;
}

bool read_iban(std::string_view text, std::string &iban)
{
	iban.clear();
	if (text.size() > 64) return false;
	for (const char c : text)
		if (is_digit(c) || is_letter(c)) iban += c;
		else if (c != ' ') return false;
	if (iban.size() < 15 || iban.size() > 34 || !is_letter(iban[0]) || !is_letter(iban[1]) || !is_digit(iban[2]) || !is_digit(iban[3])) return false;
	const std::string_view all = iban;
	return iban_check(all.substr(0, 2), all.substr(4)) == static_cast<unsigned>((iban[2] - '0') * 10 + iban[3] - '0');
}

class Iban : public DigitMasker {
	std::string iban_, tried_;

	// What is kept: country, and which characters are letters. Case and blanks are the writer's, and the same account is the same with others.
	template <class Which>
	void encrypt(Which which, unsigned radix, char zero)
	{
		digits_.clear();
		for (std::size_t i = 4; i < iban_.size(); ++i)
			if (which(iban_[i])) digits_.push_back(static_cast<unsigned char>((is_digit(iban_[i]) ? iban_[i] : iban_[i] | 0x20) - zero));
		if (digits_.empty()) return;
		cipher_.encrypt(radix, digits_, context_);
		auto next = digits_.begin();
		for (std::size_t i = 4; i < iban_.size(); ++i)
			if (which(iban_[i])) iban_[i] = static_cast<char>((zero + *next++) & (iban_[i] & 0x20 || zero == '0' ? 0xff : 0xdf));
	}

public:
	using DigitMasker::DigitMasker;

	void write(std::string_view value, Hash, std::string &out) override
	{
		if (!read_iban(value, iban_)) {
			scramble_.append(value, out, [&](std::string_view other) { return read_iban(other, tried_); });
			return;
		}
		context_.clear();
		for (std::size_t i = 0; i < iban_.size(); ++i) context_ += i < 2 ? static_cast<char>(iban_[i] & 0xdf) : is_digit(iban_[i]) ? '0' : 'a';
		encrypt(is_digit, 10, '0');
		for (const unsigned char digit : digits_)
			context_ += static_cast<char>(digit);  // so that a bank's letters do not always become the same ones
		encrypt(is_letter, 26, 'a');
		const std::string_view all = iban_;
		const unsigned check = iban_check(all.substr(0, 2), all.substr(4));
		iban_[2] = static_cast<char>('0' + check / 10);
		iban_[3] = static_cast<char>('0' + check % 10);
		auto next = iban_.begin();
		for (const char c : value) out += c == ' ' ? c : *next++;
	}
};

}  // namespace

std::vector<Strategy> digit_strategies()
{
	using enum ValueKind;
	return {
	    {.name = "digits",
	        .gives = "other digits in the same form",
	        .takes = {text, integer, numeric},
	        .keyed = true,
	        .options = {{.name = "keep_first", .kind = MaskOption::Kind::number, .least = 0, .most = 32, .otherwise = "0"},
	            {.name = "keep_last", .kind = MaskOption::Kind::number, .least = 0, .most = 32, .otherwise = "0"}},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = always_distinct,
	        .make = masker<Digits>,
	        .in_form = any_text,
	        .recognizable = false,
	        .unfit = digits_unfit,
	        .of_the_value = true},
	    {.name = "iban",
	        .gives = "an IBAN of the same country",
	        .takes = {text},
	        .keyed = true,
	        .options = {},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = always_distinct,
	        .make = masker<Iban>,
	        .in_form = any_text,
	        .recognizable = false,
	        .caution = may_be_a_strangers,
	        .of_the_value = true},
	    {.name = "card",
	        .gives = "a card number of the same length",
	        .takes = {text},
	        .keyed = true,
	        .options = {{.name = "keep", .kind = MaskOption::Kind::word, .words = {"bin"}}},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = always_distinct,
	        .make = masker<Card>,
	        .in_form = any_text,
	        .recognizable = false,
	        .caution = may_be_a_strangers,
	        .of_the_value = true},
	};
}

}  // namespace core
