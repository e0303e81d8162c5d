#include "core/ff1.hpp"

#include <array>
#include <set>
#include <stdexcept>

#include "catch.hpp"

using namespace core;

namespace {

std::vector<unsigned char> bytes(const std::string &hex)
{
	std::vector<unsigned char> out;
	for (std::size_t i = 0; i < hex.size(); i += 2) out.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
	return out;
}

std::string encrypted(Ff1 &ff1, unsigned radix, const std::string &text, std::string_view tweak)
{
	const std::string alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
	std::vector<unsigned char> digits;
	for (const char c : text) digits.push_back(static_cast<unsigned char>(alphabet.find(c)));
	ff1.encrypt(radix, digits, tweak);
	std::string out;
	for (const auto digit : digits) out += alphabet[digit];
	return out;
}

const std::string key_128 = "2B7E151628AED2A6ABF7158809CF4F3C", key_192 = key_128 + "EF4359D8D580AA4F", key_256 = key_192 + "7F036D6F04FC6A94";

}  // namespace

TEST_CASE("FF1 gives what NIST's nine samples give")
{
	struct Sample {
		std::string key;
		unsigned radix;
		std::string tweak, in, out;
	};
	const std::string no_tweak, ten = "39383736353433323130", eleven = "3737373770717273373737";
	for (const Sample &one : std::vector<Sample>{{key_128, 10, no_tweak, "0123456789", "2433477484"}, {key_128, 10, ten, "0123456789", "6124200773"},
	         {key_128, 36, eleven, "0123456789abcdefghi", "a9tv40mll9kdu509eum"}, {key_192, 10, no_tweak, "0123456789", "2830668132"},
	         {key_192, 10, ten, "0123456789", "2496655549"}, {key_192, 36, eleven, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"},
	         {key_256, 10, no_tweak, "0123456789", "6657667009"}, {key_256, 10, ten, "0123456789", "1001623463"},
	         {key_256, 36, eleven, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"}}) {
		CAPTURE(one.out);
		Ff1 ff1(bytes(one.key));
		const auto tweak = bytes(one.tweak);
		CHECK(encrypted(ff1, one.radix, one.in, {reinterpret_cast<const char *>(tweak.data()), tweak.size()}) == one.out);
	}
}

TEST_CASE("FF1 is a permutation of every length, and another one for each tweak")
{
	Ff1 ff1(bytes(key_128));
	for (const unsigned digits : {2u, 3u, 5u}) {
		std::set<std::string> seen;
		const int all = digits == 2 ? 100 : digits == 3 ? 1000 : 100'000;
		int same = 0;
		for (int i = 0; i < all; ++i) {
			const std::string text = std::to_string(all + i).substr(1), mask = encrypted(ff1, 10, text, "tweak");
			seen.insert(mask);
			same += mask == encrypted(ff1, 10, text, "Tweak");
		}
		CHECK(seen.size() == static_cast<std::size_t>(all));
		CHECK(same < all / 10);
	}
	std::set<std::uint64_t> seen;
	for (Wide value = 0; value < 1 << 15; ++value) seen.insert(static_cast<std::uint64_t>(ff1.encrypt_bits(15, value, "")));
	CHECK(seen.size() == 1 << 15);
	CHECK(*seen.rbegin() == (1 << 15) - 1);
}

TEST_CASE("FF1 of the longest values, and of none")
{
	CHECK(Ff1::most_digits(10) == 56);
	CHECK(Ff1::most_digits(2) == 192);
	CHECK(Ff1::most_digits(26) == 40);
	Ff1 ff1(bytes(key_128));
	const std::string nines(56, '9'), one = encrypted(ff1, 10, nines, "12345678");
	CHECK(one != nines);
	CHECK(one != encrypted(ff1, 10, nines.substr(0, 55) + "8", "12345678"));
	CHECK(one.substr(0, 28) != encrypted(ff1, 10, nines.substr(0, 55) + "8", "12345678").substr(0, 28));
	CHECK(ff1.encrypt_bits(128, ~Wide{0}, "") != ~Wide{0});
	CHECK_THROWS_AS(encrypted(ff1, 10, "1", ""), std::logic_error);
	CHECK_THROWS_AS(encrypted(ff1, 10, std::string(57, '1'), ""), std::logic_error);
	CHECK_THROWS_AS(ff1.encrypt_bits(1, 1, ""), std::logic_error);
	CHECK_THROWS_AS(Ff1(bytes("00")), std::logic_error);
}
