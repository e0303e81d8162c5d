#include "composite.hpp"

#include <algorithm>
#include <functional>

#include "masks.hpp"

namespace core {

namespace {

constexpr int deepest = 16;                     // types in types; none contains itself but through an array
constexpr std::size_t elements_looked_at = 100;    // of an array, whose length nobody knows: paths that name one element

json shape_of(const Catalog &catalog, const Column &column, int depth, bool &composite)
{
	if (const auto element = element_of_array(column.base)) {
		Column one = column;
		one.base = *element;
		return {{"of", shape_of(catalog, one, depth + 1, composite)}};
	}
	const auto type = catalog.composites.find(column.base);
	if (type == catalog.composites.end() || depth > deepest) {
		json leaf{{"base", column.base}, {"type", column.type}};
		if (column.length) leaf["length"] = column.length;
		if (column.not_null) leaf["not_null"] = true;
		if (!column.labels.empty()) leaf["labels"] = column.labels;
		return leaf;
	}
	composite = true;
	json fields = json::array();
	for (const Column &field : type->second) {
		json one = shape_of(catalog, field, depth + 1, composite);
		one["name"] = field.name;
		fields.push_back(std::move(one));
	}
	return {{"fields", fields}};
}

using Found = std::function<void(const json &leaf, const std::string &name, const JsonPath::State &)>;

void each_leaf(const json &shape, const JsonPath &path, const JsonPath::State &state, const std::string &name, const Found &found)
{
	if (const auto fields = shape.find("fields"); fields != shape.end()) {
		for (const json &field : *fields) {
			const std::string own = field.value("name", "");
			each_leaf(field, path, path.member(state, own), name.empty() ? own : name + "." + own, found);
		}
	} else if (const auto of = shape.find("of"); of != shape.end()) {
		JsonPath::State any;
		for (std::size_t i = 0; i < elements_looked_at; ++i) any |= path.element(state, i);
		each_leaf(*of, path, any, name, found);
	} else found(shape, name, state);
}

}  // namespace

std::optional<json> parts_of_type(const Catalog &catalog, const Column &column)
{
	bool composite = false;
	json shape = shape_of(catalog, column, 0, composite);
	return composite ? std::optional(std::move(shape)) : std::nullopt;
}

std::vector<Column> fields_at(const json &shape, const JsonPath &path)
{
	std::vector<Column> out;
	each_leaf(shape, path, path.root(), "", [&](const json &leaf, const std::string &name, const JsonPath::State &state) {
		if (!path.matched(state)) return;
		Column column;
		column.name = name;
		column.base = leaf.value("base", "");
		column.type = leaf.value("type", column.base);
		column.length = leaf.value("length", 0);
		column.not_null = leaf.value("not_null", false);
		column.labels = leaf.value("labels", std::vector<std::string>{});
		out.push_back(std::move(column));
	});
	return out;
}

std::vector<std::string> field_names(const json &shape)
{
	std::vector<std::string> out;
	std::string why;
	const auto whole = JsonPath::parse("$", why);
	for (const Column &field : fields_at(shape, *whole)) out.push_back(field.name);
	return out;
}

}  // namespace core
