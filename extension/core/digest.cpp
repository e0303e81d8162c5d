#include "digest.hpp"

#include <sodium.h>

#include <array>

namespace core {

std::string digest(std::string_view text)
{
	std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
	crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char *>(text.data()), text.size());
	std::array<char, 2 * crypto_hash_sha256_BYTES + 1> hex{};
	sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
	return hex.data();
}

std::string digest_of(const std::string &sql) { return "encode(sha256(convert_to(" + sql + ", 'UTF8')), 'hex')"; }

}  // namespace core
