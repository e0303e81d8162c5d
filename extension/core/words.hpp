// Lists and numbers as people read them, and the pieces of a statement put together.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core {

std::string joined(const std::vector<std::string> &parts, std::string_view between);
// "a, b"
std::string listed(const std::vector<std::string> &names);
// "1,204,331"
std::string shown_count(std::int64_t count);
// "1 row", "1,204 rows"
std::string counted(std::int64_t count, const std::string &one, const std::string &many);

}  // namespace core
