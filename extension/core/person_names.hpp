// Common names of people, compiled in: enough of them that of a column of names every second value is known, in the languages of most databases.
#pragma once
#include <string>
#include <string_view>

namespace core {

// Lower case, Latin letters without their marks: "Björn" -> bjorn, "Nguyễn" -> nguyen. Other letters stay as they are.
std::string plain_letters(std::string_view utf8);
// A word in plain letters.
bool is_first_name(std::string_view plain);
bool is_last_name(std::string_view plain);

}  // namespace core
