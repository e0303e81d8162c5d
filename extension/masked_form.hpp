// What was loaded into masked columns has the form of its strategy: the proof, on the target, that the mask was on the way.
#pragma once
#include "content.hpp"

namespace prodsync {

// Text forms that masks are made of, and read back in, whatever the session has.
void text_forms(pg::Settings &settings);
// One check for each masked column of a relation that was loaded; before kept rows come, which are not masked. No value is shown.
std::vector<Check> verify_masked_forms(const Refresh &refresh, const StepRow &verify);
// The same of a shadow whose columns were masked by these rules; `relation` as checks show it.
std::vector<Check> verify_masked_forms(Oid shadow, const std::string &relation, const std::vector<std::pair<std::string, core::MaskRule>> &masked);

}  // namespace prodsync
