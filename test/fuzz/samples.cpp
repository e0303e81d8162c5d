// Detection over any samples: it ends, says something of the column, and never shows a value.
#include <cctype>
#include "core/detect_content.hpp"
#include "core/detect_forms.hpp"
#include "target.hpp"

using namespace fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Input input(data, size);
	const unsigned first = input.byte();
	core::ColumnContent content(static_cast<core::ColumnContent::Shape>(first % 3));
	const bool secret = first & 4;
	const unsigned place = input.byte();
	// samples are between bytes that no text has; in each there is somebody's address
	constexpr std::string_view address = "zq.somebody7@marker.test";
	std::int64_t given = 0;
	for (std::string_view rest = input.rest();;) {
		const auto end = rest.find('\0');
		std::string value(rest.substr(0, end));
		if (secret) value.insert(place % (value.size() + 1), address);
		for (int repeat = 0; repeat < (first & 8 ? 5 : 1); ++repeat, ++given) content.add(value);
		(void)core::form_of(value);
		if (end == rest.npos) break;
		rest.remove_prefix(end + 1);
	}
	require(content.samples() <= given, "samples are counted once");
	for (const core::ContentSign &sign : content.signs()) {
		require(sign.confidence >= 0 && sign.confidence <= 1 && !sign.evidence.empty(), "a sign has words and a confidence");
		require((sign.evidence + sign.path).find(address) == std::string::npos, "no value is shown");
		require(sign.path.empty() || sign.path.starts_with("$"), "a path begins at the document");
		for (const char c : sign.evidence) require(c >= ' ' && c < 0x7f, "evidence is for people");
	}
	return 0;
}
