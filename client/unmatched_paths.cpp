#include "unmatched_paths.hpp"
#include "core/json_path.hpp"
#include "core/mask_elements.hpp"
#include "core/mask_json.hpp"
#include "core/masks.hpp"
#include "core/words.hpp"

namespace client {
namespace {

// Values below the path. Null is none: there is nothing to mask.
std::int64_t values_at(const core::JsonPath &path, const std::string &base, std::string_view value)
{
	std::int64_t found = 0;
	std::string unused;
	if (core::is_hstore(base))
		core::mask_hstore(value, [&](std::string_view key, std::string_view, std::optional<std::string_view> &) {
			found += path.matched(path.member(path.root(), key));
			return false;
		}, unused);
	else
		core::mask_json(value, {path}, [&](std::size_t, std::string_view leaf) -> std::optional<std::string_view> {
			++found;
			return leaf;
		}, unused);
	return found;
}

}  // namespace

void UnmatchedPaths::see(const core::Name &table, const core::Column &column, const core::MaskRule &rule, std::string_view value)
{
	if (value.empty()) return;    // of an hstore: without a key
	Column &seen = columns_[{table, column.name}];
	seen.type = column.base;
	++seen.samples;
	for (const core::MaskRule &part : rule.inside) {
		std::int64_t &values = seen.values[part.path];
		std::string why;
		if (values) continue;
		if (const auto path = core::JsonPath::parse(part.path, why)) values += values_at(*path, column.base, value);
	}
}

std::vector<core::Problem> UnmatchedPaths::warnings() const
{
	std::vector<core::Problem> out;
	for (const auto &[at, column] : columns_) {
		std::vector<std::string> paths;
		for (const auto &[path, values] : column.values)
			if (!values) paths.push_back(path);
		if (paths.empty()) continue;
		const auto object = at.first.shown() + "." + at.second;
		out.push_back({"unmatched-path", object,
		    "the rule for " + object + " names " + core::listed(paths) + ", where a sample of " + core::counted(column.samples, "value", "values") +
		        " of production has nothing; other rows were not looked at",
		    "compare the path with the documents: what no path names is copied as it is"});
	}
	return out;
}

}  // namespace client
