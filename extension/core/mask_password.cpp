// Hashes that one known test password opens, so that testers can sign in as anybody. There is one hash for a rule and key: it is computed once, and a
// password that everybody knows is not better hidden by many. Django: pbkdf2_sha256$iterations$salt$base64, RFC 8018's PBKDF2 with HMAC-SHA-256; bcrypt:
// crypt(5).
#include <crypt.h>
#include <sodium.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "mask_stream.hpp"

namespace core {

namespace {

constexpr std::string_view salt_mark = "prodsync", django_prefix = "pbkdf2_sha256$", bcrypt_prefix = "$2b$";
constexpr std::string_view unusable = "!";    // Django's mark of an account without a password
constexpr int django_salt_digits = 14, unusable_digits = 40, bcrypt_salt_digits = 13;
constexpr std::size_t bcrypt_length = 60, bcrypt_most_bytes = 72;
constexpr std::size_t base64_length = 44;    // of 32 bytes

bool is_bcrypt(const MaskRule &rule) { return rule.text("form", "django") == "bcrypt"; }
std::string test_password(const MaskRule &rule) { return rule.text("password", "prodsync"); }
std::int64_t iterations_of(const MaskRule &rule) { return rule.number("iterations", 100'000); }
std::int64_t cost_of(const MaskRule &rule) { return rule.number("cost", 10); }

std::array<unsigned char, 32> pbkdf2_sha256(const std::string &password, const std::string &salt, std::int64_t iterations)
{
	crypto_auth_hmacsha256_state keyed, state;    // the key's share of the work is done once
	crypto_auth_hmacsha256_init(&keyed, reinterpret_cast<const unsigned char *>(password.data()), password.size());
	std::array<unsigned char, 32> last{}, sum{};
	state = keyed;
	constexpr unsigned char first_block[] = {0, 0, 0, 1};
	crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char *>(salt.data()), salt.size());
	crypto_auth_hmacsha256_update(&state, first_block, sizeof first_block);
	crypto_auth_hmacsha256_final(&state, last.data());
	sum = last;
	for (std::int64_t i = 1; i < iterations; ++i) {
		state = keyed;
		crypto_auth_hmacsha256_update(&state, last.data(), last.size());
		crypto_auth_hmacsha256_final(&state, last.data());
		for (std::size_t byte = 0; byte < sum.size(); ++byte) sum[byte] ^= last[byte];
	}
	return sum;
}

std::string django(const MaskRule &rule, Hash salt_hash)
{
	std::string salt(salt_mark);
	append_hex(salt_hash, django_salt_digits, salt);
	const auto hash = pbkdf2_sha256(test_password(rule), salt, iterations_of(rule));
	char base64[base64_length + 1];
	sodium_bin2base64(base64, sizeof base64, hash.data(), hash.size(), sodium_base64_VARIANT_ORIGINAL);
	return std::string(django_prefix) + std::to_string(iterations_of(rule)) + "$" + salt + "$" + base64;
}

std::string bcrypt_head(const MaskRule &rule)
{
	const auto cost = std::to_string(cost_of(rule));
	return std::string(bcrypt_prefix) + (cost.size() < 2 ? "0" : "") + cost + "$" + std::string(salt_mark);
}

std::string bcrypt(const MaskRule &rule, Hash salt_hash)
{
	std::string setting = bcrypt_head(rule);
	append_hex(salt_hash, bcrypt_salt_digits, setting);
	setting += '.';    // only four of the last character's bits count: "." has none of the others
	const auto data = std::make_unique<crypt_data>();
	const char *hash = crypt_r(test_password(rule).c_str(), setting.c_str(), data.get());
	if (!hash || !std::string_view(hash).starts_with(setting))
		throw std::runtime_error("the system's crypt library knows no bcrypt of the form $2b$");
	return hash;
}

// The client makes a mask for each table, the server one for each statement: what they compute is kept.
std::string kept_hash(const MaskRule &rule, Hash salt_hash)
{
	static std::mutex mutex;
	static std::map<std::pair<std::string, MaskHash>, std::string> hashes;
	constexpr std::size_t most = 64;    // options may differ from row to row, where a person asks
	std::lock_guard lock(mutex);
	const std::pair which{rule.options.dump(), salt_hash};
	if (hashes.size() >= most && !hashes.contains(which)) hashes.clear();
	std::string &hash = hashes[which];
	if (hash.empty()) hash = is_bcrypt(rule) ? bcrypt(rule, salt_hash) : django(rule, salt_hash);
	return hash;
}

class PasswordMasker : public Masker {
	MaskSubkey key_;
	bool keeps_unusable_;
	std::string hash_;

public:
	PasswordMasker(const MaskRule &rule, const MaskSubkey &key)
	    : key_(key), keeps_unusable_(!is_bcrypt(rule)), hash_(kept_hash(rule, mask_hash("", key)))
	{}
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		if (keeps_unusable_ && value.starts_with(unusable)) {
			MaskStream stream(hash, key_, 'p');
			out += unusable;
			for (int i = 0; i < unusable_digits; ++i) out += stream.lower();
			return;
		}
		out += hash_;
	}
};

std::unique_ptr<Masker> make_password(const MaskRule &rule, const MaskSubkey &key) { return std::make_unique<PasswordMasker>(rule, key); }

std::string django_head(const MaskRule &rule)
{
	return std::string(django_prefix) + std::to_string(iterations_of(rule)) + "$" + std::string(salt_mark);
}

int password_width(const MaskRule &rule)
{
	if (is_bcrypt(rule)) return static_cast<int>(bcrypt_length);
	return static_cast<int>(std::max(django_head(rule).size() + django_salt_digits + 1 + base64_length, unusable.size() + unusable_digits));
}

bool is_password(std::string_view value, const MaskRule &rule)
{
	if (is_bcrypt(rule)) {
		const auto head = bcrypt_head(rule);
		return value.size() == bcrypt_length && value.starts_with(head) &&
		    all_hex(value.substr(head.size(), bcrypt_salt_digits)) && value[head.size() + bcrypt_salt_digits] == '.';
	}
	if (value.starts_with(unusable))
		return value.size() == unusable.size() + unusable_digits &&
		    value.find_first_not_of("abcdefghijklmnopqrstuvwxyz", unusable.size()) == value.npos;
	const auto head = django_head(rule);
	return value.size() == head.size() + django_salt_digits + 1 + base64_length && value.starts_with(head) &&
	    all_hex(value.substr(head.size(), django_salt_digits)) && value[head.size() + django_salt_digits] == '$' &&
	    value.back() == '=';
}

std::string password_refused(const MaskRule &rule)
{
	if (is_bcrypt(rule) && rule.options.contains("iterations")) return "iterations are of form: django; bcrypt has a cost";
	if (!is_bcrypt(rule) && rule.options.contains("cost")) return "cost is of form: bcrypt; django has iterations";
	if (is_bcrypt(rule) && test_password(rule).size() > bcrypt_most_bytes) return "bcrypt takes no password of more than 72 bytes";
	if (test_password(rule).find('\0') != std::string::npos) return "password has a zero byte in it";
	return "";
}

}  // namespace

std::vector<Strategy> password_strategies()
{
	using Kind = MaskOption::Kind;
	return {{.name = "password",
	    .gives = "a hash of the test password",
	    .takes = {ValueKind::text},
	    .keyed = true,
	    .options = {{.name = "form", .kind = Kind::word, .words = {"django", "bcrypt"}, .otherwise = "\"django\""},
	        {.name = "password", .kind = Kind::text, .otherwise = "\"prodsync\""},
	        {.name = "iterations", .kind = Kind::number, .least = 1, .most = 2'000'000, .otherwise = "100000"},
	        {.name = "cost", .kind = Kind::number, .least = 4, .most = 14, .otherwise = "10"}},
	    .width = password_width,
	    .distinct = never_distinct,
	    .make = make_password,
	    .in_form = is_password,
	    .recognizable = true,
	    .refused = password_refused}};
}

}  // namespace core
