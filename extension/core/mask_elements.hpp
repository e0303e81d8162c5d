// Masking inside of values that PostgreSQL prints as a list of texts: arrays, element by element, hstore, by key, and composite values, field by
// field. What is not masked comes out as it was.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace core {

// The mask of an element; nullopt: NULL takes its place. Not asked about NULL.
using ElementMask = std::function<std::optional<std::string_view>(std::string_view)>;

// {a,"b c",NULL,{...}}, with bounds before it where they are not the usual ones. Appends to `out`; false: the text is no array.
bool mask_array(std::string_view array, char delimiter, const ElementMask &, std::string &out);

// "key"=>"value", "other"=>NULL. The mask is asked with the key; false as its first answer: leave the value.
using HstoreMask = std::function<bool(std::string_view key, std::string_view value, std::optional<std::string_view> &masked)>;
bool mask_hstore(std::string_view hstore, const HstoreMask &, std::string &out);

// Its keys and values in their order; nullopt: NULL. false: the text is no hstore, or was cut off.
bool read_hstore(std::string_view hstore, const std::function<void(std::string_view key, std::optional<std::string_view> value)> &);

// (a,"b c",,"") with so many fields. The mask is asked with the number of a field that is not NULL; false as its first answer: leave the value.
using FieldMask = std::function<bool(std::size_t field, std::string_view value, std::optional<std::string_view> &masked)>;
bool mask_record(std::string_view record, std::size_t fields, const FieldMask &, std::string &out);

}  // namespace core
