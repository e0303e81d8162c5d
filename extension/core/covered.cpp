#include "covered.hpp"

#include <algorithm>

#include "json_path.hpp"

namespace core {

bool is_of_names(const PersonalLeaf &leaf) { return leaf.place() != leaf.path; }

std::string sparing_path(const PersonalLeaf &leaf) { return is_of_names(leaf) ? leaf.place() + ".*" : leaf.path; }

bool covers(const MaskRule &rule, const PersonalLeaf &leaf)
{
	std::string why;
	const auto place = JsonPath::parse(sparing_path(leaf), why);
	return place && std::any_of(rule.inside.begin(), rule.inside.end(), [&](const MaskRule &part) {
		return (!is_of_names(leaf) || !part.masks()) && JsonPath::parse(part.path, why)->covers(*place);
	});
}

}  // namespace core
