#include "words.hpp"

namespace core {

std::string joined(const std::vector<std::string> &parts, std::string_view between)
{
	std::string all;
	for (const auto &part : parts) {
		if (!all.empty()) all += between;
		all += part;
	}
	return all;
}

std::string listed(const std::vector<std::string> &names) { return joined(names, ", "); }

std::string shown_count(std::int64_t count)
{
	auto shown = std::to_string(count);
	const auto first = static_cast<std::ptrdiff_t>(count < 0);
	for (auto at = static_cast<std::ptrdiff_t>(shown.size()) - 3; at > first; at -= 3)
		shown.insert(static_cast<std::size_t>(at), ",");
	return shown;
}

std::string counted(std::int64_t count, const std::string &one, const std::string &many)
{
	return shown_count(count) + " " + (count == 1 ? one : many);
}

}  // namespace core
