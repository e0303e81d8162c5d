// Amounts and measures: a number near the value, or any in a range. Digits behind the point stay as many as they were, digits before it become
// no more, and what fits smallint, integer or bigint still does: so the mask fits the column, and is the same in columns of other types.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>

#include "catalog.hpp"
#include "ff1.hpp"
#include "mask_tables.hpp"
#include "scramble.hpp"

namespace core {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// -12.50e-07, as the server prints numbers.
struct Decimal {
	bool negative = false;
	std::size_t first = 0;                         // position of the first digit
	std::size_t digits = 0, behind_point = 0;      // before the exponent
	std::size_t exponent_at = std::string_view::npos;
	int exponent = 0;
};

bool read_decimal(std::string_view text, Decimal &read)
{
	read = {};
	read.negative = text.starts_with('-');
	read.first = read.negative;
	std::size_t at = read.first;
	bool point = false;
	for (; at < text.size(); ++at)
		if (is_digit(text[at])) ++read.digits, read.behind_point += point;
		else if (text[at] == '.' && !point && read.digits) point = true;
		else break;
	if (read.digits == 0 || (point && read.behind_point == 0)) return false;
	if (at == text.size()) return true;
	if (text[at] != 'e' || at + 2 > text.size()) return false;
	read.exponent_at = at;
	const char *from = text.data() + at + 1 + (text[at + 1] == '+');
	const auto [end, error] = std::from_chars(from, text.data() + text.size(), read.exponent);
	return error == std::errc() && end == text.data() + text.size();
}

// "12.50" for 1250 with two digits behind the point; at least `digits` of them in all.
void append_decimal(Wide value, std::size_t digits, std::size_t behind_point, std::string &out)
{
	char buffer[64];
	char *at = std::end(buffer);
	digits = std::max(digits, behind_point + 1);
	for (std::size_t i = 0; value || i < digits; ++i, value /= 10) {
		if (i && i == behind_point) *--at = '.';
		*--at = static_cast<char>('0' + static_cast<int>(value % 10));
	}
	out.append(at, std::end(buffer));
}

// ---- number_noise ----

constexpr std::size_t most_digits = 24;    // that are reckoned with; further ones are drawn
constexpr std::size_t most_room = 30;      // with zeros before them

class NumberNoise : public Masker {
	Wide steps_;
	Scramble scramble_;
	std::string digits_, made_;

	// Up to so many percent in steps of a millionth of one, at least one unit of the last digit; never 0, never above `most`.
	Wide changed(Wide number, Wide most, Hash hash, bool up) const
	{
		Wide change = std::max<Wide>(1, (number * (1 + first_word(hash) % steps_) + 50'000'000) / 100'000'000);
		if (up && (change > most || number > most - change)) up = false;
		if (!up && change >= number) {
			if (number == 1) return 2;
			change = number - 1;
		}
		return up ? number + change : number - change;
	}

public:
	NumberNoise(const MaskRule &rule, const MaskSubkey &key)
	    : steps_(static_cast<Wide>(rule.number("percent", 10)) * 1'000'000), scramble_(mask_hash("scramble", key))
	{}

	void write(std::string_view value, Hash hash, std::string &out) override
	{
		Decimal read;
		if (!read_decimal(value, read)) {
			if (value == "NaN" || value == "Infinity" || value == "-Infinity") out += value;
			else scramble_.append(value, out);
			return;
		}
		digits_.clear();
		for (std::size_t i = read.first; digits_.size() < read.digits; ++i)
			if (is_digit(value[i])) digits_ += value[i];
		const std::size_t leading = digits_.find_first_not_of('0');
		if (leading == digits_.npos) {    // there is no part of zero
			out += value;
			return;
		}
		const bool floating = read.exponent_at != value.npos;
		if (floating && digits_.size() < 16) {    // as many digits as the type has, so that 1e+10 need not become 2e+10
			read.behind_point += 16 - digits_.size();
			digits_.resize(16, '0');
		}
		// The digits from `from` to `to` as one number; with zeros in front, so that it can grow where they are.
		const std::size_t to = std::min(digits_.size(), leading + most_digits), from = to > most_room ? to - most_room : 0;
		Wide number = 0, most = 1;
		for (std::size_t i = from; i < to; ++i) number = number * 10 + static_cast<unsigned>(digits_[i] - '0'), most *= 10;
		--most;
		if (read.behind_point == 0)
			for (const std::int64_t limit : {std::int64_t{INT16_MAX}, std::int64_t{INT32_MAX}, INT64_MAX})
				if (const Wide last = static_cast<Wide>(limit) + read.negative; number <= last) {
					most = std::min(most, last);
					break;
				}
		// The floating types have a largest number and a smallest.
		const bool up = read.exponent >= 37 ? false : read.exponent <= -37 ? true : second_word(hash) & 1;
		made_.clear();
		append_decimal(changed(number, most, hash, up), to - from, 0, made_);
		digits_.replace(from, to - from, made_);
		std::uint64_t state = second_word(hash);
		for (std::size_t i = to; i < digits_.size(); ++i) {
			state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
			digits_[i] = static_cast<char>('0' + (state >> 33) % 10);
		}
		const std::size_t whole = digits_.size() - read.behind_point;
		const std::size_t first = std::min(digits_.find_first_not_of('0'), whole - 1);
		if (read.negative) out += '-';
		out.append(digits_, first, whole - first);
		if (read.behind_point) {
			out += '.';
			out.append(digits_, whole);
		}
		if (floating) out += value.substr(read.exponent_at);
	}
};

// ---- number_range ----

std::int64_t least_of(const MaskRule &rule) { return rule.number("least", 0); }
std::int64_t most_of(const MaskRule &rule) { return rule.number("most", 0); }

constexpr std::size_t drawn_behind_point = 15;

void write_in_range(std::string_view value, Hash hash, const MaskRule &rule, std::string &out)
{
	Decimal read;
	if (!read_decimal(value, read)) read = {};    // a number all the same
	const std::size_t behind = std::min(read.behind_point, drawn_behind_point);
	const std::int64_t least = least_of(rule), most = most_of(rule);
	std::int64_t unit = 1;
	for (std::size_t i = 0; i < behind; ++i) unit *= 10;
	__extension__ typedef __int128 Signed;
	const Signed from = static_cast<Signed>(least) * unit, to = static_cast<Signed>(most) * unit;
	const Wide drawn = static_cast<Wide>(first_word(hash)) << 64 | second_word(hash);
	const Signed number = from + static_cast<Signed>(drawn % static_cast<Wide>(to - from + 1));
	if (number < 0) out += '-';
	append_decimal(static_cast<Wide>(number < 0 ? -number : number), 1, behind, out);
	if (read.behind_point > behind) out.append(read.behind_point - behind, '0');
}

bool is_in_range(std::string_view value, const MaskRule &rule)
{
	Decimal read;
	if (!read_decimal(value, read) || read.exponent_at != value.npos) return true;    // of floating types the server chooses how they look
	std::int64_t whole = 0;
	const std::string_view digits = value.substr(0, std::min(value.find('.'), value.size()));
	const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
	const bool more = read.behind_point && value.find_first_not_of('0', value.find('.') + 1) != value.npos;
	if (error != std::errc() || end != digits.data() + digits.size()) return false;
	if (read.negative) return whole - more >= least_of(rule) && whole <= most_of(rule);
	return whole >= least_of(rule) && whole + more <= most_of(rule);
}

std::string refused_range(const MaskRule &rule) { return least_of(rule) < most_of(rule) ? "" : "least must be below most"; }

std::string range_that_does_not_fit(const MaskRule &rule, const Column &column)
{
	std::int64_t first = INT64_MIN, last = INT64_MAX;
	if (column.base == "smallint") first = INT16_MIN, last = INT16_MAX;
	if (column.base == "integer") first = INT32_MIN, last = INT32_MAX;
	int digits = 0, scale = 0;
	if (std::sscanf(column.type.c_str(), "numeric(%d,%d)", &digits, &scale) == 2 && digits - scale < 18) {
		std::int64_t unit = 1;    // with a negative scale the server rounds to it, which may be up
		for (int i = scale; i < 0; ++i) unit *= 10;
		last = 1;
		for (int i = scale; i < digits; ++i) last *= 10;
		last -= unit, first = -last;
	}
	return least_of(rule) >= first && most_of(rule) <= last ? "" : "gives numbers that do not fit";
}

std::string noise_unfit(const MaskRule &, const Column &column)
{
	return only_fractions(column) || rounds_whole_digits(column) ? "may give a number that does not fit" : "";
}

}  // namespace

static std::pair<int, int> precision_and_scale(const Column &column)
{
	int precision = 0, scale = 0;
	return std::sscanf(column.type.c_str(), "numeric(%d,%d)", &precision, &scale) == 2 ? std::pair(precision, scale) : std::pair(1, 0);
}
bool only_fractions(const Column &column)
{
	const auto [precision, scale] = precision_and_scale(column);
	return scale >= precision;
}
bool rounds_whole_digits(const Column &column) { return precision_and_scale(column).second < 0; }

std::vector<Strategy> number_strategies()
{
	using enum ValueKind;
	return {
	    {.name = "number_noise",
	        .gives = "a number near by",
	        .takes = {integer, numeric},
	        .keyed = true,
	        .options = {{.name = "percent", .kind = MaskOption::Kind::number, .least = 1, .most = 100, .otherwise = "10"}},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = never_distinct,
	        .make = masker<NumberNoise>,
	        .in_form = any_text,
	        .recognizable = false,
	        .unfit = noise_unfit},
	    {.name = "number_range",
	        .gives = "a number from least to most",
	        .takes = {integer, numeric},
	        .keyed = true,
	        .options =
	            {{.name = "least", .kind = MaskOption::Kind::number, .least = INT64_MIN, .most = INT64_MAX, .required = true},
	                {.name = "most", .kind = MaskOption::Kind::number, .least = INT64_MIN, .most = INT64_MAX, .required = true}},
	        .width = width_of<20>,
	        .distinct = never_distinct,
	        .make = simple_masker<write_in_range>,
	        .in_form = is_in_range,
	        .recognizable = false,
	        .refused = refused_range,
	        .unfit = range_that_does_not_fit,
	        .as_long_too = true},
	};
}

}  // namespace core
