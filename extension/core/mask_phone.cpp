// Phone numbers: one fictional form for all, or numbers of the same country and length. Country codes are those of ITU-T E.164; +999 is one that is
// not given to anybody, so numbers under it reach nobody.
#include <optional>
#include "mask_stream.hpp"

namespace core {

namespace {

enum class Form { fictional, e164, as_written };
Form form_of(const MaskRule &rule)
{
	const auto form = rule.text("form", "fictional");
	return form == "e164" ? Form::e164 : form == "as_written" ? Form::as_written : Form::fictional;
}

constexpr std::size_t most_digits = 15;    // of E.164
constexpr std::size_t least_digits = 7, least_masked = 4;
constexpr std::string_view nobodys = "999";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t country_code_length(std::string_view digits)
{
	if (digits.front() == '1' || digits.front() == '7') return 1;
	// Those of two digits; all others have three.
	constexpr std::string_view two = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 "
	                                 "64 65 66 81 82 84 86 90 91 92 93 94 95 98";
	for (std::size_t at = 0; at < two.size(); at += 3)
		if (digits.starts_with(two.substr(at, 2))) return 2;
	return 3;
}

// A number as people write it: +49 (0)89 123-4567, 0049 89 1234567, (089) 123 45 67.
struct Number {
	std::string digits;         // without what stands before a country code, and without the (0) behind it
	std::size_t country = 0;    // so many of them are the country code; 0: a national number
	std::size_t prefix = 0;     // so many digits stand before them: 00
	std::size_t trunk = std::string_view::npos;    // which digit of the value is the (0)

	// What is never replaced: country code, a national number's leading 0, and the first digit behind, which tells a mobile number from others.
	std::size_t kept() const { return country ? country + 1 : digits.front() == '0' ? 2 : 1; }
};

std::optional<Number> parse(std::string_view value)
{
	Number number;
	bool plus = false;
	std::size_t count = 0;
	for (std::size_t i = 0; i < value.size(); ++i) {
		const char c = value[i];
		if (is_digit(c)) {
			const bool in_brackets = c == '0' && i > 0 && value[i - 1] == '(' && i + 1 < value.size() && value[i + 1] == ')';
			if (in_brackets && (plus || number.digits.starts_with("00")) && number.trunk == value.npos) number.trunk = count;
			else number.digits += c;
			if (++count > most_digits + 3) return std::nullopt;
		} else if (c == '+') {
			if (plus || count) return std::nullopt;
			plus = true;
		} else if (std::string_view(" -.()/").find(c) == std::string_view::npos) {
			return std::nullopt;
		}
	}
	if (!plus && number.digits.starts_with("00")) number.prefix = 2, number.digits.erase(0, 2), plus = true;
	if (number.digits.size() < least_digits || number.digits.size() > most_digits) return std::nullopt;
	if (plus) {
		if (number.digits.front() == '0') return std::nullopt;
		number.country = country_code_length(number.digits);
	}
	return number.digits.size() >= number.kept() + least_masked ? std::optional(std::move(number)) : std::nullopt;
}

void write_fictional(Hash hash, std::string &out)
{
	const auto last = std::to_string(first_word(hash) % 10000);
	out += "+1-555-";
	out.append(4 - last.size(), '0');
	out += last;
}

class NumberMasker : public Masker {
	MaskSubkey key_;
	Form form_;
	std::string country_;    // of national numbers; empty: nobody's

	void write_e164(const std::optional<Number> &number, MaskStream &stream, std::string &out) const
	{
		out += '+';
		if (number && number->country) {
			out.append(number->digits, 0, number->kept());
			for (std::size_t i = number->kept(); i < number->digits.size(); ++i) out += stream.digit();
			return;
		}
		std::string_view national = number ? std::string_view(number->digits) : std::string_view("012345678");
		if (national.starts_with('0')) national.remove_prefix(1);
		const std::string_view country = number && !country_.empty() ? std::string_view(country_) : nobodys;
		national = national.substr(0, most_digits - country.size());
		out += country;
		if (number && !country_.empty()) out += national.front(), national.remove_prefix(1);
		for (std::size_t i = 0; i < national.size(); ++i) out += stream.digit();
	}
	static void write_as_written(std::string_view value, const Number &number, MaskStream &stream, std::string &out)
	{
		std::size_t digit = 0, behind = 0;    // of the value; of the number
		for (const char c : value) {
			if (!is_digit(c)) {
				out += c;
				continue;
			}
			const bool around = digit < number.prefix || digit == number.trunk;
			out += around || behind < number.kept() ? c : stream.digit();
			++digit;
			behind += !around;
		}
	}

public:
	NumberMasker(const MaskRule &rule, const MaskSubkey &key) : key_(key), form_(form_of(rule))
	{
		if (const auto country = rule.number("country", 0)) country_ = std::to_string(country);
	}
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		if (form_ == Form::fictional) return write_fictional(hash, out);
		MaskStream stream(hash, key_, 'd');
		const auto number = parse(value);
		if (form_ == Form::e164) write_e164(number, stream, out);
		else if (number) write_as_written(value, *number, stream, out);
		else append_shape(value, stream, out);
	}
};

std::unique_ptr<Masker> make_phone(const MaskRule &rule, const MaskSubkey &key) { return std::make_unique<NumberMasker>(rule, key); }

int phone_width(const MaskRule &rule)
{
	switch (form_of(rule)) {
	case Form::e164: return 1 + static_cast<int>(most_digits);
	case Form::as_written: return as_long_as_the_value;
	case Form::fictional: break;
	}
	return 11;
}

bool is_phone(std::string_view value, const MaskRule &rule)
{
	switch (form_of(rule)) {
	case Form::e164:
		return value.size() >= 1 + least_digits && value.size() <= 1 + most_digits && value[0] == '+' && value[1] != '0' &&
		    all_digits(value.substr(1));
	case Form::as_written: return is_ascii(value);
	case Form::fictional: break;
	}
	return value.size() == 11 && value.starts_with("+1-555-") && all_digits(value.substr(7));
}

std::string phone_refused(const MaskRule &rule)
{
	return rule.options.contains("country") && form_of(rule) != Form::e164
	    ? "country is for form: e164, which writes it before national numbers"
	    : "";
}

std::string phone_caution(const MaskRule &rule)
{
	return form_of(rule) == Form::fictional ? "" : "gets numbers of real countries: a message sent to one may reach a stranger";
}

}  // namespace

std::vector<Strategy> phone_strategies()
{
	using Kind = MaskOption::Kind;
	return {{.name = "phone", .gives = "+1-555-<4 digits>", .takes = {ValueKind::text}, .keyed = true,
	    .options = {{.name = "form", .kind = Kind::word, .words = {"fictional", "e164", "as_written"}, .otherwise = "\"fictional\""},
	        {.name = "country", .kind = Kind::number, .least = 1, .most = 998}},
	    .width = phone_width, .distinct = never_distinct, .make = make_phone, .in_form = is_phone, .recognizable = true, .refused = phone_refused,
	    .caution = phone_caution, .recognizable_with = [](const MaskRule &rule) { return form_of(rule) == Form::fictional; }}};
}

}  // namespace core
