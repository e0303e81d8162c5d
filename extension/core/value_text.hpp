// The text form of a value as COPY has it in its binary format, and back: a mask is made of the text, whatever the format. The text is what
// the server's own output functions print with DateStyle ISO, extra_float_digits 3 and TimeZone UTC.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace core {

enum class BinaryForm { same, jsonb, int2, int4, int8, float4, float8, numeric, boolean, date, timestamp, timestamptz, uuid, network, mac, unknown };

// Of a base type as in Column. unknown: a table with a masked column of it travels as text.
BinaryForm binary_form(const std::string &base);

// Bytes that are no value of the form, or a text that is none: the message says which, without the value.
struct NoSuchValue : std::runtime_error {
	using std::runtime_error::runtime_error;
};

// Both append to `out`. Throw NoSuchValue.
void append_text(BinaryForm, std::string_view bytes, std::string &out);
void append_binary(BinaryForm, std::string_view text, std::string &out);

}  // namespace core
