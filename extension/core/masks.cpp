// The forms are frozen (test/fixtures/masks.tsv): a database that was masked yesterday and one that is masked by the next release
// have the same value for the same person. key: BLAKE2b-128 of "prodsync/1/" strategy "/" domain, keyed with the 32 bytes of the
// masking key; hash: SipHash-2-4 with 128 bits of output of the value. A SipHash is a keyed pseudorandom function: without the key
// nothing can be guessed by trying a dictionary (E6), and it is fast enough not to be seen beside the COPY.
#include "masks.hpp"

#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace core {

namespace {

constexpr char digits[] = "0123456789abcdef";
constexpr std::string_view domain_of_email = "@example.com";    // reserved by RFC 2606: nobody's mail arrives
constexpr std::string_view redacted = "[REDACTED]";

void append_hex(const MaskHash &hash, int characters, std::string &out, bool upper = false)
{
	for (int i = 0; i < characters; ++i) {
		const unsigned char byte = hash[static_cast<std::size_t>(i) / 2];
		const char digit = digits[i % 2 ? byte & 15 : byte >> 4];
		out += upper && digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
	}
}

bool all_hex(std::string_view text, bool upper = false)
{
	return std::all_of(text.begin(), text.end(),
	    [&](char c) { return (c >= '0' && c <= '9') || (upper ? c >= 'A' && c <= 'F' : c >= 'a' && c <= 'f'); });
}

int hash_length(const MaskRule &rule) { return rule.length ? rule.length : 16; }

void write_email(const MaskHash &hash, const MaskRule &, std::string &out)
{
	out += "user_";
	append_hex(hash, 16, out);
	out += domain_of_email;
}

bool is_email(std::string_view value, const MaskRule &)
{
	return value.size() == 33 && value.starts_with("user_") && value.ends_with(domain_of_email) && all_hex(value.substr(5, 16));
}

void write_phone(const MaskHash &hash, const MaskRule &, std::string &out)
{
	std::uint64_t number = 0;
	for (std::size_t i = 8; i-- > 0;) number = number << 8 | hash[i];
	const auto last = std::to_string(number % 10000);
	out += "+1-555-";
	out.append(4 - last.size(), '0');
	out += last;
}

bool is_phone(std::string_view value, const MaskRule &)
{
	return value.size() == 11 && value.starts_with("+1-555-") &&
	    std::all_of(value.begin() + 7, value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void write_name(const MaskHash &hash, const MaskRule &, std::string &out)
{
	out += "User ";
	append_hex(hash, 8, out, true);
}

bool is_name(std::string_view value, const MaskRule &)
{
	return value.size() == 13 && value.starts_with("User ") && all_hex(value.substr(5), true);
}

void write_redacted(const MaskHash &, const MaskRule &, std::string &out) { out += redacted; }
bool is_redacted(std::string_view value, const MaskRule &) { return value == redacted; }

void write_hash(const MaskHash &hash, const MaskRule &rule, std::string &out) { append_hex(hash, hash_length(rule), out); }

bool is_hash(std::string_view value, const MaskRule &rule)
{
	return value.size() == static_cast<std::size_t>(hash_length(rule)) && all_hex(value);
}

}  // namespace

const std::vector<Strategy> &strategies()
{
	static const std::vector<Strategy> table{
	    {"email", "user_<16 hex digits>@example.com", true, {}, [](const MaskRule &) { return 33; },
	        [](const MaskRule &) { return 64; }, write_email, is_email},
	    {"phone", "+1-555-<4 digits>", true, {}, [](const MaskRule &) { return 11; }, [](const MaskRule &) { return 0; },
	        write_phone, is_phone},
	    {"name", "User <8 hex digits>", true, {}, [](const MaskRule &) { return 13; }, [](const MaskRule &) { return 32; },
	        write_name, is_name},
	    {"redact", "[REDACTED]", false, {}, [](const MaskRule &) { return 10; }, [](const MaskRule &) { return 0; },
	        write_redacted, is_redacted},
	    {"hash", "<16 or 32 hex digits>", true, {16, 32}, hash_length, [](const MaskRule &rule) { return 4 * hash_length(rule); },
	        write_hash, is_hash},
	};
	return table;
}

const Strategy *find_strategy(std::string_view name)
{
	for (const Strategy &strategy : strategies())
		if (name == strategy.name) return &strategy;
	return nullptr;
}

std::vector<std::string> strategy_names()
{
	std::vector<std::string> names;
	for (const Strategy &strategy : strategies()) names.emplace_back(strategy.name);
	names.emplace_back("none");
	return names;
}

std::vector<std::string> strategy_options(const Strategy &strategy)
{
	std::vector<std::string> names;
	if (strategy.keyed) names.emplace_back("domain");
	if (!strategy.lengths.empty()) names.emplace_back("length");
	return names;
}

double collision_odds(const Strategy &strategy, const MaskRule &rule, double rows)
{
	const int bits = strategy.bits(rule);
	return bits ? std::min(1.0, std::ldexp(rows * rows, -bits - 1)) : 1.0;
}

bool is_masked_form(const Strategy &strategy, const MaskRule &rule, std::string_view value)
{
	return value.empty() || strategy.in_form(value, rule);
}

MaskKey::~MaskKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::optional<MaskKey> MaskKey::parse(std::string_view text, std::string &why)
{
	constexpr std::string_view space = " \t\r\n";
	const auto first = text.find_first_not_of(space);
	text = first == text.npos ? "" : text.substr(first, text.find_last_not_of(space) + 1 - first);
	std::array<unsigned char, size> bytes{};
	if (text.empty())
		why = "is empty";
	else if (text.find_first_not_of("0123456789abcdefABCDEF") != text.npos)
		why = "has other characters than hex digits";
	else if (text.size() != 2 * size)
		why = "has " + std::to_string(text.size()) + " hex digits instead of 64";
	else if (std::all_of(text.begin(), text.end(), [&](char c) { return c == text.front(); }))
		why = "is 64 times the same digit";    // a placeholder that somebody meant to replace
	else if (sodium_hex2bin(bytes.data(), size, text.data(), text.size(), nullptr, nullptr, nullptr) == 0) {
		const MaskKey key(bytes);
		sodium_memzero(bytes.data(), size);
		return key;
	}
	return std::nullopt;
}

MaskKey MaskKey::random()
{
	if (sodium_init() < 0) throw std::runtime_error("the system gives no random numbers");
	std::array<unsigned char, size> bytes{};
	randombytes_buf(bytes.data(), size);
	const MaskKey key(bytes);
	sodium_memzero(bytes.data(), size);
	return key;
}

Mask::Mask(const MaskRule &rule, const MaskKey *key)
    : strategy_([&]() -> const Strategy & {
	      const Strategy *found = find_strategy(rule.strategy);
	      if (!found) throw std::logic_error("there is no strategy " + rule.strategy);
	      return *found;
      }()),
      rule_(rule)
{
	if (!strategy_.keyed) return;
	if (!key) throw std::logic_error("no key for strategy " + rule.strategy);
	const auto label = "prodsync/1/" + rule.strategy + "/" + rule.domain;
	crypto_generichash(key_.data(), key_.size(), reinterpret_cast<const unsigned char *>(label.data()), label.size(), key->data(),
	    MaskKey::size);
}

Mask::~Mask() { sodium_memzero(key_.data(), key_.size()); }

std::string_view Mask::operator()(std::string_view value)
{
	out_.clear();
	if (value.empty()) return out_;
	MaskHash hash{};
	if (strategy_.keyed)
		crypto_shorthash_siphashx24(
		    hash.data(), reinterpret_cast<const unsigned char *>(value.data()), value.size(), key_.data());
	strategy_.write(hash, rule_, out_);
	return out_;
}

}  // namespace core
