#include "idmap.hpp"

#include <stdexcept>

#include "copy_text.hpp"
#include "value_text.hpp"

namespace core {

namespace {

bool is_text(const std::string &type)
{
	return type == "text" || type == "varchar" || type == "character varying" || type.starts_with("varchar(") ||
	    type.starts_with("character varying(");
}

// The pump compares fields without unescaping them.
std::string escaped(std::string_view text)
{
	std::string field;
	append_copy_escaped(field, text);
	return field;
}

}  // namespace

bool has_wire_form(const std::string &base_type) {
	return base_type == "smallint" || base_type == "integer" || base_type == "bigint" || base_type == "uuid" || is_text(base_type);
}

std::string wire_form(std::string_view text, const std::string &base_type, bool binary)
{
	if (!binary) return escaped(text);
	if (!has_wire_form(base_type)) throw std::runtime_error("no binary form is known for keys of type " + base_type);
	std::string bytes;
	append_binary(is_text(base_type) ? BinaryForm::same : binary_form(base_type), text, bytes);
	return bytes;
}

IdMap::IdMap(const Map &map, const std::string &target_type, bool binary) : identity_(map.as_is)
{
	pairs_.reserve(map.pairs.size());
	for (const auto &[from, to] : map.pairs)
		pairs_.emplace(wire_form(from, target_type, binary), wire_form(to, target_type, binary));
	if (identity_)
		for (const auto &id : map.unmatched) unmatched_.insert(wire_form(id, target_type, binary));
	if (map.fallback) fallback_ = wire_form(*map.fallback, target_type, binary);
}

IdMap::IdMap(const Fold &fold, const std::string &target_type, bool binary) : identity_(true)
{
	if (fold.by_ctid)  // nothing can reference such a row by one column
		return;
	pairs_.reserve(fold.dropped.size());
	for (const auto &[from, to] : fold.dropped)
		pairs_.emplace(wire_form(from, target_type, binary), wire_form(to, target_type, binary));
}

std::optional<std::string_view> IdMap::find(std::string_view value) const
{
	if (const auto found = pairs_.find(value); found != pairs_.end()) return found->second;
	if (identity_) return unmatched_.contains(value) ? std::nullopt : std::optional(value);
	if (fallback_) return *fallback_;
	return std::nullopt;
}

}  // namespace core
