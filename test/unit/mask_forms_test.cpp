// Strategies for numbers, dates and addresses: what they keep, and that different values stay different where they say so.
#include <algorithm>
#include <chrono>
#include <functional>
#include <set>

#include "catch.hpp"
#include "core/calendar.hpp"
#include "core/catalog.hpp"
#include "core/config.hpp"
#include "core/masks.hpp"
#include "core/scramble.hpp"
#include "core/value_text.hpp"

using namespace core;

namespace {

MaskRule rule_of(const char *strategy, json options = json::object())
{
	options["strategy"] = strategy;
	std::vector<Problem> problems;
	const auto rule = parse_mask_rule(options, {}, "rule", problems);
	for (const auto &one : problems) UNSCOPED_INFO(one.text);
	REQUIRE(problems.empty());
	return *rule;
}

std::string refusal(const char *strategy, json options)
{
	options["strategy"] = strategy;
	std::vector<Problem> problems;
	parse_mask_rule(options, {}, "rule", problems);
	return problems.size() == 1 ? problems.front().text : std::to_string(problems.size()) + " problems";
}

class Masked {
	MaskKey key_;
	Mask mask_;

	static MaskKey golden()
	{
		std::string why;
		return *MaskKey::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", why);
	}

public:
	explicit Masked(const char *strategy, const json &options = json::object()) : key_(golden()), mask_(rule_of(strategy, options), &key_) {}
	std::string operator()(const std::string &value) { return std::string(mask_(value).value()); }
	std::string operator()(const std::string &value, const std::string &entity) { return std::string(mask_(value, entity).value()); }
};

// The masks of these values are these values in another order: a permutation that leaves the set.
void permutes(Masked &mask, const std::set<std::string> &values)
{
	std::set<std::string> masks;
	for (const auto &one : values) masks.insert(mask(one));
	CHECK(masks == values);
}

// What is no member of the set becomes no member, and different masks.
void stays_outside(Masked &mask, const std::vector<std::string> &values, const std::function<bool(const std::string &)> &inside)
{
	std::set<std::string> masks;
	for (const auto &one : values) {
		const std::string out = mask(one);
		CAPTURE(one, out);
		CHECK_FALSE(inside(out));
		CHECK(out != one);
		CHECK(out.size() == one.size());
		masks.insert(out);
	}
	CHECK(masks.size() == values.size());
}

std::set<std::string> numbers(long from, long to)
{
	std::set<std::string> out;
	for (long i = from; i <= to; ++i) out.insert(std::to_string(i));
	return out;
}

bool is_card(const std::string &text)
{
	int sum = 0, n = 0;
	for (auto c = text.rbegin(); c != text.rend(); ++c) {
		if (*c == ' ' || *c == '-') continue;
		if (*c < '0' || *c > '9') return false;
		const int digit = *c - '0', counted = n++ % 2 ? 2 * digit : digit;
		sum += counted > 9 ? counted - 9 : counted;
	}
	return n >= 12 && n <= 19 && sum % 10 == 0;
}

bool is_iban(std::string text)
{
	text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
	if (text.size() < 15 || text.size() > 34) return false;
	std::rotate(text.begin(), text.begin() + 4, text.end());
	int rest = 0;
	for (const char c : text) {
		if (!std::isalnum(static_cast<unsigned char>(c))) return false;
		for (const char digit : std::isdigit(static_cast<unsigned char>(c)) ? std::string(1, c) : std::to_string(std::toupper(c) - 'A' + 10)) rest = (rest * 10 + digit - '0') % 97;
	}
	return rest == 1 && std::isalpha(static_cast<unsigned char>(text[text.size() - 4])) && std::isdigit(static_cast<unsigned char>(text.back()));
}

std::string with_zeros(int i, std::size_t digits)
{
	std::string out = std::to_string(i);
	return out.insert(0, digits - out.size(), '0');
}

}  // namespace

TEST_CASE("digits: numbers of so many digits become each other")
{
	Masked digits("digits");
	permutes(digits, numbers(0, 9));
	permutes(digits, numbers(-9, -1));
	permutes(digits, numbers(10, 99));
	permutes(digits, numbers(-999, -100));
	permutes(digits, numbers(10'000, 32'767));
	permutes(digits, numbers(32'768, 99'999));
	permutes(digits, numbers(-32'768, -10'000));
	std::set<std::string> masks;
	for (const auto &one : numbers(100'000, 120'000)) masks.insert(digits(one));
	CHECK(masks.size() == 20'001);
	CHECK(masks.begin()->size() == 6);
	CHECK(*masks.begin() < "101");    // all over the range
	CHECK(*masks.rbegin() > "998");
}

TEST_CASE("digits: what fits a type fits it afterwards")
{
	Masked digits("digits"), first("digits", {{"keep_first", 1}}), last("digits", {{"keep_last", 3}});
	std::string out;
	for (const auto &[base, largest, smallest] : std::vector<std::tuple<const char *, std::int64_t, std::int64_t>>{
	         {"smallint", INT16_MAX, INT16_MIN}, {"integer", INT32_MAX, INT32_MIN}, {"bigint", INT64_MAX, INT64_MIN}})
		for (int i = 0; i < 2000; ++i)
			for (const std::int64_t value : {largest - i, smallest + i})
				for (Masked *one : {&digits, &first, &last}) {
					out = (*one)(std::to_string(value));
					std::string bytes;
					CHECK_NOTHROW(append_binary(binary_form(base), out, bytes));
					CHECK(out.size() == std::to_string(value).size());
				}
}

TEST_CASE("digits: texts of one form become each other")
{
	Masked digits("digits");
	std::set<std::string> padded, decimal, spaced;
	for (int i = 0; i < 1000; ++i) {
		padded.insert("0" + with_zeros(i, 3));
		spaced.insert(with_zeros(i, 3).insert(1, "-"));
		if (i >= 100 && i % 10) decimal.insert("-" + std::to_string(i).insert(2, ".") + "0");
	}
	permutes(digits, padded);
	permutes(digits, spaced);
	permutes(digits, decimal);
	permutes(digits, {"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "2.1", "2.2", "2.3",
	                     "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", "3.9", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6",
	                     "4.7", "4.8", "4.9", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "5.8", "5.9", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7", "6.8", "6.9",
	                     "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.9", "8.1", "8.2", "8.3", "8.4", "8.5", "8.6", "8.7", "8.8", "8.9", "9.1", "9.2", "9.3",
	                     "9.4", "9.5", "9.6", "9.7", "9.8", "9.9"});
	CHECK(digits("ACC-123456").starts_with("ACC-"));
	CHECK(digits("12345") == Masked("digits")("12345"));
	CHECK(digits("1.1") + "0" == digits("1.10"));    // equal as numbers
	const std::string call = digits("call Bob 1");
	CHECK(call.find("Bob") == call.npos);    // more letters than digits: they are replaced too
	for (const char *special : {"NaN", "Infinity", "-Infinity", "-0", "-0.00", " "}) CHECK(digits(special) == special);
	CHECK(digits("NaM") != "NaN");
}

TEST_CASE("digits: long ones, and those kept")
{
	Masked digits("digits");
	std::set<std::string> seen;
	for (const std::size_t size : {56, 57, 64, 200, 5000}) {
		const std::string value = "1" + std::string(size - 1, '0'), mask = digits(value);
		CHECK(mask.size() == size);
		CHECK(mask.find_first_not_of("0123456789") == mask.npos);
		for (std::size_t i = 0; i < 64; ++i) {
			std::string other = value;
			other[size - 1 - i % size] = '7';
			// one digit, at the end or not, and every part of the mask is another
			const std::string masked = digits(other);
			CHECK(masked.substr(0, 20) != mask.substr(0, 20));
			CHECK(masked.substr(size - 20) != mask.substr(size - 20));
			seen.insert(masked);
		}
	}
	CHECK(seen.size() >= 5 * 57);
	Masked kept("digits", {{"keep_first", 2}, {"keep_last", 3}});
	std::set<std::string> values;
	for (int i = 0; i < 1000; ++i) values.insert("12-" + with_zeros(i, 3) + "-789");
	permutes(kept, values);
	permutes(kept, numbers(10'000, 32'767));    // five digits of which five would be kept
	CHECK(kept("98765432").starts_with("98"));
	CHECK(kept("98765432").ends_with("432"));
	Masked last("digits", {{"keep_last", 1}});
	permutes(last, {"00", "01", "02", "03", "04", "05", "06", "07", "08", "09"});
}

TEST_CASE("digits: a text of two million is masked in one pass over it")
{
	Masked digits("digits");
	// hashing all that stands before each of its pieces would be 40 GB
	std::string value(2'000'000, '7'), other = value;
	other[1'000'000] = '8';
	const auto begun = std::chrono::steady_clock::now();
	const std::string mask = digits(value);
	CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(10));
	CHECK(mask.size() == value.size());
	const std::string masked = digits(other);
	for (const std::size_t at : {0, 999'900, 1'000'000, 1'999'900}) CHECK(masked.substr(at, 60) != mask.substr(at, 60));
}

TEST_CASE("card: length, separators and Luhn's digit")
{
	Masked card("card"), bin("card", {{"keep", "bin"}});
	std::set<std::string> seen;
	std::vector<std::string> wrong{"4111********1111", "n/a", "unbekannt", "1234"};
	for (int i = 0; i < 10'000; ++i) {
		const std::string number = "411111" + with_zeros(i, 4) + "123456";
		if (!is_card(number)) {
			if (wrong.size() < 500) wrong.push_back(number);
			continue;
		}
		const std::string mask = card(number), with_bin = bin(number);
		CHECK(is_card(mask));
		CHECK(is_card(with_bin));
		CHECK(with_bin.starts_with("411111"));
		CHECK(mask.size() == 16);
		seen.insert(mask);
		seen.insert(with_bin);
	}
	CHECK(seen.size() == 2000);
	stays_outside(card, wrong, is_card);
	CHECK(card("4111-1111 1111-1111").substr(4, 1) == "-");
	CHECK(card("378282246310005").size() == 15);
}

TEST_CASE("iban: country, letters, blanks and the check digits")
{
	Masked iban("iban");
	for (const char *value : {"DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "gb29nwbk60161331926819",
	         "FR1420041010050500013M02606", "MT84MALT011000012345MTLCAST001S", "NO9386011117947", "SC18SSCB11010000000000001497USD"}) {
		const std::string mask = iban(value), text = value;
		CAPTURE(value, mask);
		REQUIRE(is_iban(value));
		CHECK(is_iban(mask));
		REQUIRE(mask.size() == text.size());
		CHECK(mask.substr(0, 2) == text.substr(0, 2));
		for (std::size_t i = 0; i < text.size(); ++i) {
			const auto kind = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) ? 0 : std::isupper(static_cast<unsigned char>(c)) ? 1 : std::islower(static_cast<unsigned char>(c)) ? 2 : 3; };
			CHECK(kind(mask[i]) == kind(text[i]));
		}
		CHECK(mask.substr(4) != text.substr(4));
	}
	CHECK(iban("DE89 3704 0044 0532 0130 00").substr(5, 4) == iban("DE89370400440532013000").substr(4, 4));
	std::vector<std::string> wrong{"n/a", "DE89", "IBAN DE89370400440532013000"};
	for (int i = 0; i < 97; ++i)
		if (const std::string one = "DE" + with_zeros(i, 2) + "370400440532013000"; !is_iban(one)) wrong.push_back(one);
	CHECK(wrong.size() == 3 + 96);
	stays_outside(iban, wrong, is_iban);
}

TEST_CASE("uuid, mac and ip keep what kind they are")
{
	Masked uuid("uuid"), mac("mac"), vendor("mac", {{"keep", "vendor"}}), ip("ip"), network("ip", {{"keep", "network"}}), four("ip", {{"version", 4}});
	std::set<std::string> seen;
	for (int i = 0; i < 4096; ++i) {
		const std::string mask = uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd38" + with_zeros(i, 4));
		CHECK(mask[14] == '4');
		CHECK(std::string("89ab").find(mask[19]) != std::string::npos);
		seen.insert(mask);
	}
	CHECK(seen.size() == 4096);
	CHECK(uuid("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11").find_first_of("abcdef") == std::string::npos);
	CHECK(uuid("n/a") != "n/a");
	CHECK(vendor("08:00:2b:01:02:03").starts_with("08:00:2b:"));
	CHECK_FALSE(mac("08:00:2b:01:02:03").starts_with("08:00:2b:"));
	for (const char *value : {"10.0.0.1", "2001:db8::1", "10.0.0.0/8", "10.0.0.7/8", "2001:db8::/32"})
		for (const char *base : {"inet", "cidr"}) {
			std::string bytes, text;
			CHECK_NOTHROW(append_binary(binary_form(base), ip(value), bytes));
			append_text(binary_form(base), bytes, text);
			CHECK(text == ip(value));
			CHECK((text.find(':') != text.npos) == (std::string(value).find(':') != std::string::npos));
		}
	CHECK(ip("10.0.0.0/8").ends_with(".0.0.0/8"));
	CHECK_FALSE(ip("10.0.0.7/8").ends_with(".0.0.0/8"));
	std::set<std::string> hosts, nets;
	for (int i = 0; i < 256; ++i) hosts.insert("10.1.2." + std::to_string(i)), nets.insert(std::to_string(i) + ".0.0.0/8");
	permutes(network, hosts);
	permutes(ip, nets);
	CHECK(network("2001:db8::1").starts_with("2001:db8::"));
	seen.clear();
	for (int i = 0; i < 65'536; ++i) seen.insert(ip("10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256)));
	CHECK(seen.size() == 65'536);
	for (const char *other : {"2001:DB8::1", "2001:db8:0:0:0:0:0:1", "unknown", "1.2.3.999", "10.0.0.1/024"}) CHECK(ip(other) != other);
	// Spellings that are not the server's stay so, different ones different.
	std::set<std::string> spelled, grouped;
	const std::string digits = "0123456789abcdefABCDEF";
	for (const char one : digits)
		for (const char two : digits) {
			if (one == '0' || std::isupper(one) || std::isupper(two)) spelled.insert(std::string("::") + one + two);
			grouped.insert(std::string("0:0:0:0:0:") + one + ":0:" + two);
		}
	permutes(ip, spelled);
	seen.clear();
	for (const auto &one : grouped) seen.insert(ip(one));
	CHECK(seen == grouped);
	CHECK(ip(":-)") != ":-)");
	CHECK(four("1.2.3.4").size() <= 15);
	CHECK(four("2001:db8::1").size() == 11);
}

TEST_CASE("date_shift: days of one entity move together")
{
	Masked shift("date_shift");
	const auto moved = [&](const std::string &value, const std::string &entity) { return *parse_date(shift(value, entity).substr(0, 10)) - *parse_date(value.substr(0, 10)); };
	std::set<int> drawn;
	for (int i = 0; i < 3000; ++i) {
		const std::string entity = std::to_string(i);
		const int days = moved("2024-02-29", entity);
		CHECK(days == moved("1990-01-01", entity));
		CHECK(days == moved("2024-12-31 23:59:59.5+00", entity));
		CHECK(days != 0);
		CHECK(std::abs(days) <= 180);
		drawn.insert(days);
	}
	CHECK(drawn.size() == 360);
	CHECK(shift("2024-12-31T23:59:59.123456Z").substr(10) == "T23:59:59.123456Z");
	for (const char *edge : {"infinity", "-infinity"}) CHECK(shift(edge) == edge);
	Masked one("date_shift", {{"days", 1}});
	for (int i = 0; i < 20; ++i) {
		CHECK(one("9999-12-31", std::to_string(i)) == "9999-12-30");    // the year has no room for a fifth digit
		CHECK(one("0001-01-01", std::to_string(i)) == "0001-01-02");
		CHECK(one("294275-12-31 00:00:00", std::to_string(i)) == "294275-12-30 00:00:00");
	}
	CHECK(shift("0044-03-15 00:00:00 BC").ends_with(" 00:00:00 BC"));
	for (const char *other : {"29.02.1990", "1990-02-30", "unknown", "02/29/1990"}) CHECK(shift(other) != other);
}

TEST_CASE("date_truncate: to the month, to the year")
{
	Masked month("date_truncate"), year("date_truncate", {{"to", "year"}});
	CHECK(month("1990-02-28") == "1990-02-01");
	CHECK(year("1990-02-28") == "1990-01-01");
	CHECK(month("2024-02-29 12:34:56.789+05:30") == "2024-02-01 00:00:00.000+05:30");
	CHECK(year("2024-02-29T12:34:56-08") == "2024-01-01T00:00:00-08");
	CHECK(month("infinity") == "infinity");
	CHECK(year("0044-03-15 00:00:01 BC") == "0044-01-01 00:00:00 BC");
	CHECK(month("28.02.1990") != "28.02.1990");
	const auto in_form = [](const char *value, json options) { return is_masked_form(rule_of("date_truncate", std::move(options)), "text", value); };
	CHECK(in_form("1990-02-01", json::object()));
	CHECK_FALSE(in_form("1990-02-02", json::object()));
	CHECK_FALSE(in_form("1990-02-01 00:00:01", json::object()));
	CHECK_FALSE(in_form("1990-02-01", {{"to", "year"}}));
}

TEST_CASE("number_noise: near by, never the same, and it fits")
{
	Masked noise("number_noise"), much("number_noise", {{"percent", 100}});
	for (int i = 1000; i < 3000; ++i) {
		const int mask = std::stoi(noise(std::to_string(i)));
		CHECK(mask != i);
		CHECK(std::abs(mask - i) <= i / 10 + 1);
	}
	for (int i = 1; i < 100; ++i)
		for (const char *sign : {"", "-"}) {
			const std::string value = sign + std::to_string(i), mask = much(value);
			CHECK(mask != value);
			CHECK(mask.size() <= value.size());
			CHECK(mask.starts_with('-') == value.starts_with('-'));
			CHECK(std::stoi(mask) != 0);
		}
	std::string bytes;
	for (const auto &[base, largest, smallest] : std::vector<std::tuple<const char *, std::int64_t, std::int64_t>>{
	         {"smallint", INT16_MAX, INT16_MIN}, {"integer", INT32_MAX, INT32_MIN}, {"bigint", INT64_MAX, INT64_MIN}})
		for (int i = 0; i < 500; ++i)
			for (const std::int64_t value : {largest - i, smallest + i}) CHECK_NOTHROW(append_binary(binary_form(base), much(std::to_string(value)), bytes));
	for (const char *value : {"1.7976931348623157e+308", "5e-324", "1e+10", "2.2250738585072014e-308", "0.1"}) {
		CHECK_NOTHROW(append_binary(BinaryForm::float8, noise(value), bytes));
		CHECK(std::abs(std::stod(noise("1e+10")) / 1e10 - 1) <= 0.1);
	}
	for (const char *value : {"3.4028235e+38", "1e-45", "1.1754944e-38"}) CHECK_NOTHROW(append_binary(BinaryForm::float4, noise(value), bytes));
	for (const char *value : {"99.99", "12.50", "0.01", "99999999999999999999999999999999999999.99", "0.000000000000000000000000000000000000012345"}) {
		const std::string mask = noise(value), text = value;
		CAPTURE(value, mask);
		CHECK(mask != text);
		CHECK(mask.find('.') <= text.find('.'));
		CHECK(mask.size() - mask.find('.') == text.size() - text.find('.'));
	}
	for (const char *same : {"0", "0.00", "NaN", "Infinity"}) CHECK(noise(same) == same);
	CHECK(noise("many") != "many");
}

TEST_CASE("number_range: from least to most")
{
	Masked dice("number_range", {{"least", 1}, {"most", 6}}), around("number_range", {{"least", -1}, {"most", 1}});
	std::set<std::string> seen;
	for (int i = 0; i < 200; ++i) seen.insert(dice(std::to_string(i)));
	CHECK(seen == std::set<std::string>{"1", "2", "3", "4", "5", "6"});
	const MaskRule rule = rule_of("number_range", {{"least", -1}, {"most", 1}});
	for (int i = 0; i < 200; ++i) {
		const std::string mask = around(std::to_string(i) + ".25");
		CHECK(std::abs(std::stod(mask)) <= 1);
		CHECK(mask.size() - mask.find('.') == 3);
		CHECK(is_masked_form(rule, "text", mask));
	}
	for (const char *other : {"1.01", "-1.01", "2", "-2"}) CHECK_FALSE(is_masked_form(rule, "text", other));
	CHECK(dice("no number").size() == 1);
}

TEST_CASE("a column that numbers do not fit is refused")
{
	const auto why = [](const char *strategy, const json &options, const char *type) {
		Column column;
		column.type = type;
		column.base = column.type.substr(0, column.type.find('('));
		const Strategy &found = *find_strategy(strategy);
		return found.unfit ? found.unfit(rule_of(strategy, options), column) : "";
	};
	const json range{{"least", -40'000}, {"most", 1000}};
	CHECK(why("number_range", range, "smallint") == "gives numbers that do not fit");
	CHECK(why("number_range", range, "integer").empty());
	CHECK(why("number_range", range, "numeric(6,2)") == "gives numbers that do not fit");
	CHECK(why("number_range", range, "numeric(7,2)").empty());
	CHECK(why("number_range", range, "numeric").empty());
	CHECK(why("number_range", {{"least", 0}, {"most", 99'999}}, "numeric(3,-2)") == "gives numbers that do not fit");    // the server makes 100000 of it
	CHECK(why("number_range", {{"least", 0}, {"most", 99'900}}, "numeric(3,-2)").empty());
	CHECK(why("number_noise", json::object(), "numeric(3,-2)") == "may give a number that does not fit");
	CHECK(why("number_noise", json::object(), "numeric(3,1)").empty());
	CHECK(why("digits", json::object(), "real") == "gives digits that such a number does not hold");
	CHECK(why("digits", json::object(), "bigint").empty());
	CHECK(why("ip", {{"version", 4}}, "inet") == "takes version only for columns of text");
	CHECK(why("ip", {{"version", 4}}, "text").empty());
}

TEST_CASE("options that cannot be")
{
	CHECK(refusal("digits", {{"keep_first", -1}}) == "rule.keep_first must be a whole number from 0 to 32");
	CHECK(refusal("digits", {{"keep_frist", 1}}) == "unknown option \"keep_frist\" of strategy digits in rule (did you mean keep_first, keep_last?)");
	CHECK(refusal("card", {{"keep", "all"}}) == "rule.keep must be one of bin");
	CHECK(refusal("ip", {{"version", 6}}) == "rule.version must be one of 4");
	CHECK(refusal("date_shift", {{"days", 0}}) == "rule.days must be a whole number from 1 to 36500");
	CHECK(refusal("date_truncate", {{"to", "day"}}) == "rule.to must be one of month, year");
	CHECK(refusal("number_noise", {{"percent", 101}}) == "rule.percent must be a whole number from 1 to 100");
	CHECK(refusal("number_range", {{"least", 1}}) == "strategy number_range needs most in rule");
	CHECK(refusal("number_range", {{"least", 1}, {"most", 1}}) == "strategy number_range in rule: least must be below most");
}

TEST_CASE("scramble: a permutation of the texts of one shape")
{
	Scramble scramble({1, 2, 3});
	const auto scrambled = [&](const std::string &text) {
		std::string out;
		scramble.append(text, out);
		return out;
	};
	std::set<std::string> seen;
	for (char a = 'a'; a <= 'z'; ++a)
		for (char b = 'A'; b <= 'Z'; ++b)
			for (char c = '0'; c <= '9'; ++c) seen.insert(scrambled({a, '-', b, c}));
	CHECK(seen.size() == 26 * 26 * 10);
	for (const auto &one : seen) CHECK((one[1] == '-' && std::islower(static_cast<unsigned char>(one[0])) && std::isdigit(static_cast<unsigned char>(one[3]))));
	for (const char *text : {"Jürgen Müller", "日本語のテキスト", "Иван Иванов", "김철수", "😀😀", "---", "x", "\xff\xfe", "a\xcc\x81", "ÿ"}) {
		CAPTURE(text);
		CHECK(scrambled(text) != text);
		CHECK(scrambled(text).size() == std::string(text).size());
	}
	CHECK(scrambled(" \t ") == " \t ");
	seen.clear();
	for (int i = 0; i < 0x5200; ++i) {
		const int point = 0x4E00 + i;
		const std::string one{static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)), static_cast<char>(0x80 | (point & 63))};
		seen.insert(scrambled(one + "x"));
	}
	CHECK(seen.size() == 0x5200);
	CHECK(scrambled(std::string(100'000, 'x')).size() == 100'000);
}
