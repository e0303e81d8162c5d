// The secret under which everything is masked.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace core {

// The masking key; wiped when it goes. It is never stored in a database, printed, or part of a plan.
class MaskKey {
public:
	static constexpr std::size_t size = 32;
	explicit MaskKey(const std::array<unsigned char, size> &bytes) : bytes_(bytes) {}
	~MaskKey();
	MaskKey(const MaskKey &) = default;
	MaskKey &operator=(const MaskKey &) = default;
	const unsigned char *data() const { return bytes_.data(); }

	// 64 hex digits, with white space around them as an editor or openssl leaves it. nullopt: not that; `why` says what it is instead.
	static std::optional<MaskKey> parse(std::string_view text, std::string &why);
	static MaskKey random();

private:
	std::array<unsigned char, size> bytes_;
};

}  // namespace core
