// What the fuzz targets share. Each of the other files here is one: LLVMFuzzerTestOneInput(), as libFuzzer calls it (make fuzz), and as replay.cpp does
// (make test: the corpus, and a fixed number of changes of it). A target asserts what is promised, not only that nothing crashes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fuzz {

// A promise that was not kept: the run ends, and the driver shows the input.
inline void require(bool kept, const char *promise)
{
	if (kept) return;
	std::fprintf(stderr, "not kept: %s\n", promise);
	std::abort();
}

// Put into values that are masked: it must not come out. Letters alone, so that it is a part of words, and long enough not to come about by chance.
inline constexpr std::string_view marker = "qzmarkerqzmarkerzq";
inline bool shows(std::string_view text) { return text.find(marker) != text.npos; }

// The input, taken apart from its beginning; what is not there is zero.
class Input {
	std::string_view rest_;

public:
	Input(const std::uint8_t *data, std::size_t size) : rest_(reinterpret_cast<const char *>(data), size) {}
	unsigned byte()
	{
		if (rest_.empty()) return 0;
		const unsigned value = static_cast<unsigned char>(rest_.front());
		rest_.remove_prefix(1);
		return value;
	}
	std::string_view rest() const { return rest_; }
};

// RFC 3629, without surrogates, overlong forms and zero: what a text of PostgreSQL can be.
inline bool is_text(std::string_view text)
{
	for (std::size_t at = 0; at < text.size();) {
		const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
		const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
		const unsigned first = byte(0);
		std::size_t size = 0;
		if (first > 0 && first < 0x80) size = 1;
		else if (first >= 0xc2 && first < 0xe0 && follows(1)) size = 2;
		else if (first >= 0xe0 && first < 0xf0 && follows(1) && follows(2) && (first != 0xe0 || byte(1) >= 0xa0) && (first != 0xed || byte(1) < 0xa0)) size = 3;
		else if (first >= 0xf0 && first < 0xf5 && follows(1) && follows(2) && follows(3) && (first != 0xf0 || byte(1) >= 0x90) && (first != 0xf4 || byte(1) < 0x90)) size = 4;
		if (!size) return false;
		at += size;
	}
	return true;
}

// The value with the marker in it, at a place that the input chose.
inline std::string marked(std::string_view value, std::size_t place)
{
	std::string out(value);
	return out.insert(place % (out.size() + 1), marker);
}

}  // namespace fuzz
