// Masking inside of JSON documents: what the paths of a rule name is masked, everything else is written as it was read (numbers digit by digit, the
// order of members, members that are there twice); only white space between tokens goes.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include "json_path.hpp"

namespace core {

// The mask of the text of a leaf under the rule of that number; nullopt: null takes its place.
using LeafMask = std::function<std::optional<std::string_view>(std::size_t rule, std::string_view leaf)>;

// Appends the document with the leaves that the paths name, and all leaves below, replaced: strings by strings; numbers and booleans by a number
// where the mask is one, else by a string. null stays. The first of the paths counts. Returns false for a text that is no JSON document.
bool mask_json(std::string_view document, const std::vector<JsonPath> &paths, const LeafMask &, std::string &out);

}  // namespace core
