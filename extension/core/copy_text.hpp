// A value in COPY's text format, and what it means (copyto.c, CopyAttributeOutText; copyfromparse.c, CopyReadAttributesText).
#pragma once
#include <string>
#include <string_view>

namespace core {

// As COPY TO writes it.
void append_copy_escaped(std::string &out, std::string_view value);
// The value that a field stands for. `buffer` is used where something is escaped; the result is valid as long as both.
std::string_view copy_unescaped(std::string_view field, std::string &buffer);

}  // namespace core
