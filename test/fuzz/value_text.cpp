// The binary forms of COPY: what was read as a text is the same value when it is written, and bytes that are no value are an error.
#include "core/value_text.hpp"
#include <cstring>
#include "target.hpp"

using namespace fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Input input(data, size);
	const unsigned first = input.byte();
	const auto form = static_cast<core::BinaryForm>(first % static_cast<unsigned>(core::BinaryForm::unknown));
	const std::string given(input.rest());
	const auto to_text = [&](const std::string &bytes, std::string &text) {
		try {
			core::append_text(form, bytes, text);
			return true;
		} catch (const core::NoSuchValue &error) {
			require(std::strlen(error.what()) < 60, "the message does not have the value");
			return false;
		}
	};
	const auto to_binary = [&](const std::string &text, std::string &bytes) {
		try {
			core::append_binary(form, text, bytes);
			return true;
		} catch (const core::NoSuchValue &error) {
			require(std::strlen(error.what()) < 60, "the message does not have the value");
			return false;
		}
	};
	std::string text, bytes, again, twice;
	if (first & 0x80) {
		// bytes of a server, or of nobody
		if (!to_text(given, text)) return 0;
		if (!to_binary(text, bytes)) return 0;    // a date of a year that only the server can write, say
	} else if (!to_binary(given, bytes))
		return 0;
	require(to_text(bytes, again), "what was written can be read");
	if (again == "NaN") return 0;    // there are many
	require(to_binary(again, twice) && twice == bytes, "and is the same value when it is written again");
	// whether an address is a cidr's, the receiving type decides
	if ((first & 0x80) && form != core::BinaryForm::network) require(again == text, "the text of a value is one");
	return 0;
}
