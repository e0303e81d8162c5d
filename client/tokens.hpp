// What in a text can be recognized wherever it stands: e-mail addresses, numbers of nine digits and more however they are grouped, and words of letters
// and digits (account numbers, user names, keys). Plain words are none: they are in any text.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace client {

// Calls with each token in one spelling: addresses in lower case, numbers without what is between their digits.
void tokens(std::string_view text, const std::function<void(const std::string &)> &found);
// The token that the whole value is; nullopt: it is none, or more than one.
std::optional<std::string> whole_token(std::string_view value);

}  // namespace client
