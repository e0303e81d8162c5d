// What rules for parts of a document have decided about.
#pragma once
#include "detect.hpp"

namespace core {

// Whether the leaf is names of members of an object ("$.by_mail (keys)"), which no strategy masks.
bool is_of_names(const PersonalLeaf &);
// The path of a rule that copies the leaf as it is. Of names: that of the members, so that a rule for the object can stand before it.
std::string sparing_path(const PersonalLeaf &);
// Whether a part of the rule is about the leaf, or about what it is in. About names only `none` decides: masking the members leaves them as they are.
bool covers(const MaskRule &rule, const PersonalLeaf &leaf);

}  // namespace core
