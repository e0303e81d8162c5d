#include "mask_key.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>

namespace core {

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

}  // namespace core
