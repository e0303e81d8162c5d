// Natural keys are compared by digest, so that whoever may refresh the target need not be shown the values in it.
#pragma once
#include <string>
#include <string_view>

namespace core {

// SHA-256 of the UTF-8 text, in hexadecimal.
std::string digest(std::string_view text);
// The same on a server: the SQL of a text value -> the SQL of its digest.
std::string digest_of(const std::string &sql);

}  // namespace core
