#include "key_types.hpp"
#include <algorithm>

namespace core {

bool is_integer(const std::string &base_type) { return base_type == "smallint" || base_type == "integer" || base_type == "bigint"; }

bool is_text_type(const std::string &base_type) { return base_type == "text" || base_type == "character varying"; }

bool is_key_type(const std::string &base_type) { return is_integer(base_type) || is_text_type(base_type) || base_type == "uuid"; }

bool is_id_array(const std::string &base_type)
{
	return base_type.ends_with("[]") && (is_integer(element_type(base_type)) || element_type(base_type) == "uuid");
}

std::string element_type(const std::string &base_type) { return base_type.substr(0, base_type.size() - std::min<std::size_t>(base_type.size(), 2)); }

bool comparable_keys(const std::string &column, const std::string &key)
{
	return (is_integer(column) && is_integer(key)) || (is_text_type(column) && is_key_type(key)) || (column == "uuid" && key == "uuid");
}

bool have_equality(const std::string &base_type, const std::string &other)
{
	const auto family = [](const std::string &type) {
		if (type.ends_with("[]")) return 'a';
		if (is_integer(type) || type == "numeric" || type == "real" || type == "double precision") return 'n';
		if (is_text_type(type) || type == "character" || type == "name" || type == "citext" || type.ends_with(".citext")) return 't';
		if (type == "date" || type.starts_with("timestamp")) return 'd';
		if (type == "oid" || type.starts_with("reg")) return 'o';
		return type == "uuid" ? 'u' : '?';
	};
	const char one = family(base_type), two = family(other);
	return base_type == other || (one == two && one != 'a') || (one == 'o' && is_integer(other)) || (is_integer(base_type) && two == 'o');
}

bool has_columns(const Catalog &catalog, const Name &table, const std::vector<std::string> &columns)
{
	const Relation *relation = catalog.find(table);
	return relation && relation->ordinary() &&
	    std::all_of(columns.begin(), columns.end(), [&](const std::string &name) { return relation->column(name); });
}

bool has_reference(const Catalog &catalog, const ForeignKey &key)
{
	if (!has_columns(catalog, key.child, key.columns)) return false;
	const std::string &first = catalog.find(key.child)->column(key.columns.front())->base;
	return (!key.array || first.ends_with("[]")) && (key.text_of.empty() || is_text_type(first));
}

bool can_follow(const Catalog &catalog, const ForeignKey &key)
{
	if (!has_reference(catalog, key) || !has_columns(catalog, key.parent, key.referenced)) return false;
	for (std::size_t i = 0; i < key.columns.size(); ++i) {
		const std::string &from = catalog.find(key.child)->column(key.columns[i])->base;
		const std::string as = !key.text_of.empty() ? key.text_of : key.array ? element_type(from) : from;
		if (!have_equality(as, catalog.find(key.parent)->column(key.referenced[i])->base)) return false;
	}
	return true;
}

}  // namespace core
