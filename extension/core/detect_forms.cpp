#include "detect_forms.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "person_names.hpp"

namespace core {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool letter(char c) { return upper(c) || lower(c); }
bool hex(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool all(std::string_view s, bool (*is)(char)) { return !s.empty() && std::all_of(s.begin(), s.end(), is); }
int number(std::string_view digits)
{
	int n = 0;
	for (const char c : digits) n = n * 10 + (c - '0');
	return n;
}

// Digits without what people write between them; empty where there is anything else.
std::string bare_digits(std::string_view s)
{
	std::string out;
	for (const char c : s)
		if (digit(c)) out += c;
		else if (c != ' ' && c != '-' && c != '.' && c != '/') return {};
	return out;
}

bool luhn(std::string_view digits)
{
	int sum = 0;
	bool twice = false;
	for (auto c = digits.rbegin(); c != digits.rend(); ++c, twice = !twice) {
		const int n = (*c - '0') * (twice ? 2 : 1);
		sum += n > 9 ? n - 9 : n;
	}
	return sum % 10 == 0;
}

bool is_date(std::string_view yymmdd)
{
	const int month = number(yymmdd.substr(2, 2)), day = number(yymmdd.substr(4, 2));
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

std::uint64_t long_number(std::string_view digits)
{
	std::uint64_t n = 0;
	for (const char c : digits) n = n * 10 + static_cast<std::uint64_t>(c - '0');
	return n;
}

int weighted(std::string_view digits, std::initializer_list<int> weights)
{
	int sum = 0;
	std::size_t i = 0;
	for (const int weight : weights) sum += weight * (digits[i++] - '0');
	return sum;
}

bool one_digit_only(std::string_view digits) { return digits.find_first_not_of(digits.front()) == digits.npos; }

// ISO 7064 MOD 11,10, as in Germany's tax identification number.
bool mod_11_10(std::string_view digits)
{
	int product = 10;
	for (const char c : digits.substr(0, digits.size() - 1)) {
		int sum = (c - '0' + product) % 10;
		if (sum == 0) sum = 10;
		product = sum * 2 % 11;
	}
	return (11 - product) % 10 == digits.back() - '0';
}

bool national_number(std::string_view d)
{
	if (one_digit_only(d)) return false;
	switch (d.size()) {
	case 9:     // Netherlands (BSN), Portugal (NIF)
		return (weighted(d, {9, 8, 7, 6, 5, 4, 3, 2}) - (d[8] - '0')) % 11 == 0 ||
		    (std::string_view("1235689").find(d[0]) != std::string_view::npos &&
		        (11 - weighted(d, {9, 8, 7, 6, 5, 4, 3, 2}) % 11) % 11 % 10 == d[8] - '0');
	case 11: {    // Germany (tax id), Brazil (CPF), Belgium
		if (d[0] != '0' && mod_11_10(d)) return true;
		const auto check = [](int sum) { return sum * 10 % 11 % 10; };
		if (check(weighted(d, {10, 9, 8, 7, 6, 5, 4, 3, 2})) == d[9] - '0' &&
		    check(weighted(d, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2})) == d[10] - '0')
			return true;
		const auto base = long_number(d.substr(0, 9)), two = long_number(d.substr(9));
		return is_date(d) && (97 - base % 97 == two || 97 - (2'000'000'000 + base) % 97 == two);
	}
	case 13:    // South Africa
		return is_date(d) && (d[10] == '0' || d[10] == '1') && luhn(d);
	case 15:    // France
		return (d[0] == '1' || d[0] == '2') && 97 - long_number(d.substr(0, 13)) % 97 == long_number(d.substr(13));
	}
	return false;
}

// Italy: the odd places have values of their own.
bool codice_fiscale(std::string_view s)
{
	if (s.size() != 16) return false;
	constexpr std::array<int, 26> odd{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
	constexpr std::string_view shape = "AAAAAA99A99A999A";
	int sum = 0;
	for (std::size_t i = 0; i < 16; ++i) {
		const char c = lower(s[i]) ? static_cast<char>(s[i] - 32) : s[i];
		if (shape[i] == 'A' ? !upper(c) : !digit(c) && !upper(c)) return false;
		const int value = digit(c) ? c - '0' : c - 'A';
		if (i < 15) sum += i % 2 ? value : odd[static_cast<std::size_t>(value)];
		else return sum % 26 == value;
	}
	return false;
}

struct Shape {
	std::size_t digits = 0, upper = 0, lower = 0, spaces = 0, at = 0, plus = 0, dots = 0, colons = 0, dashes = 0, high = 0;
	bool plain_token = true;    // nothing but letters, digits, _ - + =
};

Shape shape_of(std::string_view s)
{
	Shape shape;
	for (const char c : s) {
		if (digit(c)) ++shape.digits;
		else if (upper(c)) ++shape.upper;
		else if (lower(c)) ++shape.lower;
		else if (beyond_ascii(c)) ++shape.high;
		shape.spaces += c == ' ' || c == '\n' || c == '\t', shape.at += c == '@', shape.plus += c == '+', shape.dots += c == '.';
		shape.colons += c == ':', shape.dashes += c == '-';
		if (!digit(c) && !letter(c) && c != '_' && c != '-' && c != '+' && c != '=') shape.plain_token = false;
	}
	return shape;
}

// +49 (171) 123-4567: E.164 has 15 digits at most.
bool is_international_phone(std::string_view s)
{
	if (s.starts_with("00")) return all(s.substr(2), digit) && s.size() >= 12 && s.size() <= 17;
	if (!s.starts_with('+')) return false;
	std::size_t count = 0;
	for (const char c : s.substr(1))
		if (digit(c)) ++count;
		else if (c != ' ' && c != '-' && c != '.' && c != '(' && c != ')' && c != '/') return false;
	return count >= 8 && count <= 15;
}

// 0171 1234567, (02) 9555 1234, 555-867-5309, 06-12345678: a leading zero or bracket, or groups as in North America.
bool is_local_phone(std::string_view s)
{
	std::size_t count = 0;
	bool separated = false;
	for (const char c : s)
		if (digit(c)) ++count;
		else if (c == ' ' || c == '-' || c == '(' || c == ')' || c == '/' || c == '.') separated = true;
		else return false;
	if (count < 8 || count > 12) return false;
	if (s.front() == '0') return count >= 9;
	if (s.front() == '(') return true;
	return separated && count == 10 && s.size() >= 12 && s.size() <= 14 && (s[3] == '-' || s[3] == '.' || s[3] == ' ') && s[7] == s[3];
}

bool is_password_hash(std::string_view s)
{
	for (const std::string_view start : {"$2a$", "$2b$", "$2y$", "$argon2", "$6$", "$5$", "$1$", "pbkdf2_sha", "bcrypt$",
	         "bcrypt_sha256$", "argon2$", "scrypt$", "scrypt:", "pbkdf2:", "SCRAM-SHA-256$", "{SSHA}"})
		if (s.starts_with(start) && s.size() >= 20) return true;
	return false;
}

bool is_api_key(std::string_view s)
{
	if (s.size() < 16 || s.find(' ') != s.npos) return false;
	for (const std::string_view start :
	    {"sk_live_", "sk_test_", "rk_live_", "whsec_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-",
	        "AKIA", "ASIA", "AIza", "ya29.", "SG.", "shpat_", "sq0csp-", "EAAC", "npm_", "dop_v1_", "hvs."})
		if (s.starts_with(start)) return true;
	return false;
}

bool is_jwt(std::string_view s)
{
	if (!s.starts_with("eyJ")) return false;
	const auto first = s.find('.');
	return first != s.npos && first > 10 && s.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.") == s.npos;
}

const std::vector<std::string_view> street_words{"street", "st", "road", "rd", "avenue", "ave", "lane", "ln", "drive", "dr",
    "court", "crescent", "boulevard", "blvd", "terrace", "highway", "parade", "close", "place", "square", "strasse", "str", "weg",
    "platz", "allee", "gasse", "ring", "ufer", "rue", "chemin", "quai", "impasse", "calle", "avenida", "paseo", "plaza", "carrer",
    "rua", "travessa", "largo", "praca", "via", "viale", "piazza", "corso", "vicolo", "straat", "laan", "plein", "gracht", "kade",
    "box", "postfach"};

// A number and a word for a street, or a word that ends with one: 12 High Street, Hauptstr. 5, Kerkstraat 12a.
bool is_address(std::string_view s, const std::vector<std::string> &words)
{
	if (words.empty() || words.size() > 14 || s.size() > 150) return false;
	const bool numbered = std::any_of(s.begin(), s.end(), digit);
	if (!numbered) return false;
	for (const auto &word : words) {
		if (words.size() > 1 && std::find(street_words.begin(), street_words.end(), word) != street_words.end()) return true;
		for (const std::string_view end : {"strasse", "straat", "str", "weg", "platz", "allee", "gasse", "laan", "gracht", "plein"})
			if (word.size() > end.size() + 2 && word.ends_with(end)) return true;
	}
	return false;
}

// Words of letters, in plain letters; apostrophes and dashes join (O'Brien, Smith-Jones).
std::vector<std::string> plain_words(std::string_view s)
{
	std::vector<std::string> words(1);
	for (const char c : plain_letters(s))
		if (lower(c) || beyond_ascii(c)) words.back() += c;
		else if (c != '\'' && c != '-' && !words.back().empty()) words.emplace_back();
	if (words.back().empty()) words.pop_back();
	return words;
}

// van der Merwe, de la Cruz
bool particle(std::string_view word)
{
	for (const std::string_view one : {"van", "der", "den", "de", "la", "le", "du", "di", "da", "dos", "von", "zu", "al", "el",
	         "bin", "ibn", "st", "ten", "ter", "del", "della", "y", "e"})
		if (word == one) return true;
	return false;
}

Form name_form(std::string_view s)
{
	if (s.size() > 60) return Form::none;
	const auto words = plain_words(s);
	if (words.empty() || words.size() > 6) return Form::none;
	const char first = s.front();
	if (!upper(first) && !beyond_ascii(first)) return Form::none;
	if (words.size() == 1 || (words.size() <= 3 && particle(words.front()))) {
		std::string joined;
		for (const auto &word : words) joined += word;
		if (is_first_name(joined)) return Form::first_name;
		if (is_last_name(joined) || (words.size() > 1 && is_last_name(words.back()))) return Form::last_name;
		return Form::none;
	}
	// "Miller, Anna" too
	const bool begins = is_first_name(words.front()) || is_first_name(words[1]), ends = is_last_name(words.back()) || is_last_name(words.front());
	const auto count = std::count_if(words.begin(), words.end(), [](const auto &word) { return !particle(word); });
	if (count > 4) return Form::none;
	return is_first_name(words.front()) || (begins && ends) ? Form::full_name : Form::none;
}

// ---- inside of prose ----
bool word_of_email(char c) { return letter(c) || digit(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%' || beyond_ascii(c); }

bool holds_email(std::string_view s)
{
	for (auto at = s.find('@'); at != s.npos; at = s.find('@', at + 1)) {
		auto from = at, to = at + 1;
		while (from > 0 && word_of_email(s[from - 1])) --from;
		while (to < s.size() && (letter(s[to]) || digit(s[to]) || s[to] == '.' || s[to] == '-')) ++to;
		while (to > at && (s[to - 1] == '.' || s[to - 1] == '-')) --to;
		if (is_email_address(s.substr(from, to - from))) return true;
	}
	return false;
}

bool holds_phone(std::string_view s)
{
	for (auto at = s.find('+'); at != s.npos; at = s.find('+', at + 1)) {
		if (at > 0 && (digit(s[at - 1]) || letter(s[at - 1]))) continue;
		auto to = at + 1;
		while (to < s.size() && (digit(s[to]) || ((s[to] == ' ' || s[to] == '-' || s[to] == '(' || s[to] == ')') && to - at < 20))) ++to;
		while (to > at && !digit(s[to - 1])) --to;
		if (to > at + 9 && is_international_phone(s.substr(at, to - at))) return true;
	}
	return false;
}

// Two capitalized words in a row, of which the first is a first name and the second a last name.
bool holds_name(std::string_view s)
{
	std::string before;
	for (std::size_t at = 0; at < s.size();) {
		if (!letter(s[at]) && !beyond_ascii(s[at])) {
			if (s[at] != ' ') before.clear();
			++at;
			continue;
		}
		auto end = at;
		while (end < s.size() && (letter(s[end]) || beyond_ascii(s[end]) || s[end] == '\'' || s[end] == '-')) ++end;
		std::string word;
		if (upper(s[at]) || beyond_ascii(s[at]))
			for (const char c : plain_letters(s.substr(at, end - at)))
				if (c != '\'' && c != '-') word += c;
		if (!word.empty() && !before.empty() && is_first_name(before) && is_last_name(word)) return true;
		before = word;
		at = end;
	}
	return false;
}

}  // namespace

bool is_email_address(std::string_view s)
{
	const auto at = s.find('@');
	if (at == s.npos || at == 0 || at > 64 || s.size() > 254 || s.find('@', at + 1) != s.npos) return false;
	if (!std::all_of(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(at),
	        [](char c) { return word_of_email(c) || c == '\'' || c == '#' || c == '&' || c == '/'; }))
		return false;
	const auto domain = s.substr(at + 1);
	const auto dot = domain.rfind('.');
	if (dot == domain.npos || dot == 0 || domain.size() - dot - 1 < 2 || domain.size() - dot - 1 > 24) return false;
	return std::all_of(domain.begin(), domain.end(), [](char c) { return letter(c) || digit(c) || c == '.' || c == '-' || beyond_ascii(c); }) &&
	    std::none_of(domain.begin() + static_cast<std::ptrdiff_t>(dot) + 1, domain.end(), digit);
}

bool is_iban(std::string_view given)
{
	std::string s;
	for (const char c : given)
		if (c != ' ') s += lower(c) ? static_cast<char>(c - 32) : c;
	if (s.size() < 15 || s.size() > 34 || !upper(s[0]) || !upper(s[1]) || !digit(s[2]) || !digit(s[3])) return false;
	int rest = 0;
	for (const char c : s.substr(4) + s.substr(0, 4)) {
		if (digit(c)) rest = (rest * 10 + (c - '0')) % 97;
		else if (upper(c)) rest = (rest * 100 + (c - 'A' + 10)) % 97;
		else return false;
	}
	return rest == 1;
}

bool is_card_number(std::string_view s)
{
	const auto d = bare_digits(s);
	if (d.size() < 13 || d.size() > 19 || one_digit_only(d)) return false;
	const int two = number(std::string_view(d).substr(0, 2)), four = number(std::string_view(d).substr(0, 4));
	const bool issuer = (d[0] == '4' && (d.size() == 13 || d.size() == 16 || d.size() == 19)) ||
	    (two >= 51 && two <= 55 && d.size() == 16) || (four >= 2221 && four <= 2720 && d.size() == 16) ||
	    ((two == 34 || two == 37) && d.size() == 15) || ((two == 36 || two == 38) && d.size() == 14) ||
	    ((four == 6011 || two == 65 || two == 62) && d.size() >= 16) || (four >= 3528 && four <= 3589 && d.size() == 16) ||
	    (two >= 56 && two <= 69 && d.size() == 16);
	return issuer && luhn(d);
}

bool is_national_id(std::string_view s)
{
	if (s.size() < 9 || s.size() > 21) return false;
	// United States (form only): 123-45-6789
	if (s.size() == 11 && s[3] == '-' && s[6] == '-' && all(s.substr(0, 3), digit) && all(s.substr(4, 2), digit) && all(s.substr(7), digit))
		return s.substr(0, 3) != "000" && s.substr(0, 3) != "666" && s[0] != '9' && s.substr(4, 2) != "00";
	if (const auto d = bare_digits(s); !d.empty()) return national_number(d);
	std::string bare;
	for (const char c : s)
		if (c != ' ' && c != '-' && c != '.') bare += lower(c) ? static_cast<char>(c - 32) : c;
	// Spain: DNI, and NIE with X, Y, Z for the first digit
	if (bare.size() == 9 && upper(bare[8]) && all(std::string_view(bare).substr(1, 7), digit) &&
	    (digit(bare[0]) || (bare[0] >= 'X' && bare[0] <= 'Z'))) {
		if (!digit(bare[0])) bare[0] = static_cast<char>('0' + (bare[0] - 'X'));
		return std::string_view("TRWAGMYFPDXBNJZSQVHLCKE")[static_cast<std::size_t>(number(std::string_view(bare).substr(0, 8)) % 23)] == bare[8];
	}
	// United Kingdom: AB123456C
	if (bare.size() == 9 && upper(bare[0]) && upper(bare[1]) && all(std::string_view(bare).substr(2, 6), digit) &&
	    bare[8] >= 'A' && bare[8] <= 'D')
		return true;
	return codice_fiscale(bare);
}

bool is_ip_address(std::string_view s)
{
	if (const auto slash = s.find('/'); slash != s.npos && s.size() - slash <= 4) s = s.substr(0, slash);
	if (std::count(s.begin(), s.end(), '.') == 3 && s.size() <= 15) {
		int parts = 0;
		for (std::size_t at = 0; at <= s.size(); ++parts) {
			const auto end = std::min(s.find('.', at), s.size());
			const auto part = s.substr(at, end - at);
			if (!all(part, digit) || part.size() > 3 || number(part) > 255) return false;
			at = end + 1;
		}
		return parts == 4;
	}
	const auto colons = std::count(s.begin(), s.end(), ':');
	if (colons < 2 || colons > 7 || s.size() > 45 || s.size() < 3) return false;
	if (colons < 7 && s.find("::") == s.npos) return false;
	std::size_t run = 0;
	for (const char c : s) {
		run = c == ':' ? 0 : run + 1;
		if (run > 4 || (!hex(c) && c != ':')) return false;
	}
	return std::any_of(s.begin(), s.end(), hex);
}

bool is_mac_address(std::string_view s)
{
	if (s.size() != 17) return false;
	for (std::size_t i = 0; i < s.size(); ++i)
		if (i % 3 == 2 ? s[i] != s[2] || (s[i] != ':' && s[i] != '-') : !hex(s[i])) return false;
	return true;
}

bool is_token(std::string_view s)
{
	if (s.size() < 32 || s.size() > 512) return false;
	std::array<int, 256> seen{};
	int letters = 0, figures = 0;
	bool only_hex = true;
	for (const char c : s) {
		++seen[static_cast<unsigned char>(c)];
		letters += letter(c), figures += digit(c), only_hex = only_hex && hex(c);
		if (!letter(c) && !digit(c) && c != '_' && c != '-' && c != '+' && c != '=') return false;
	}
	if (letters < 4 || figures < 3) return false;
	if (s.size() == 36 && std::count(s.begin(), s.end(), '-') == 4) return false;    // a uuid says nothing
	double bits = 0;
	for (const int n : seen)
		if (n) bits -= n * std::log2(static_cast<double>(n) / static_cast<double>(s.size()));
	return bits / static_cast<double>(s.size()) >= (only_hex ? 3.0 : 4.0);
}

Form form_of(std::string_view s)
{
	while (!s.empty() && (s.back() == ' ' || s.back() == '\n' || s.back() == '\r')) s.remove_suffix(1);
	while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
	if (s.size() < 2) return Form::none;
	const Shape shape = shape_of(s);
	const auto letters = shape.upper + shape.lower;
	if (s.find("-----BEGIN") != s.npos && s.find("PRIVATE KEY") != s.npos) return Form::private_key;
	if (is_password_hash(s)) return Form::password_hash;
	if (shape.spaces == 0) {
		if (shape.at == 1 && is_email_address(s)) return Form::email;
		if (is_jwt(s)) return Form::jwt;
		if (is_api_key(s)) return Form::api_key;
	}
	if (letters == 0 && shape.high == 0) {
		if (shape.dots == 3 && is_ip_address(s)) return Form::ip;
		if (is_international_phone(s)) return Form::phone;
		if (shape.digits >= 7) {
			if (s.size() == 10 && s[4] == '-' && s[7] == '-') return Form::none;    // a date
			if (is_card_number(s)) return Form::card;
			if (is_national_id(s)) return Form::national_id;
			if (is_local_phone(s)) return Form::phone_local;
			return shape.digits == s.size() && s.size() <= 20 ? Form::digits : Form::none;
		}
		if (shape.colons >= 2 && is_ip_address(s)) return Form::ip;
		return Form::none;
	}
	if (shape.digits > 0) {
		if (is_mac_address(s)) return Form::mac;
		if (shape.colons >= 2 && is_ip_address(s)) return Form::ip;
		if (upper(s[0]) && is_iban(s)) return Form::iban;
		if (s.size() <= 16 && is_national_id(s)) return Form::national_id;
		if (shape.spaces == 0 && shape.plain_token && is_token(s)) return Form::token;
	}
	if (shape.digits == 0)
		if (const auto name = name_form(s); name != Form::none) return name;
	if (s.size() >= 8 && shape.at && holds_email(s)) return Form::text_email;
	if (s.size() >= 12 && shape.plus && shape.digits >= 8 && holds_phone(s)) return Form::text_phone;
	if (shape.spaces > 0 && shape.digits > 0 && s.size() <= 150 && is_address(s, plain_words(s))) return Form::address;
	if (shape.spaces >= 2 && shape.upper >= 2 && holds_name(s)) return Form::text_name;
	return Form::none;
}

}  // namespace core
