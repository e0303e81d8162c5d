// Are the references of the new content whole? Read only, as the extension's owner: nothing but the constraints' own operators runs.
#pragma once
#include "content.hpp"

namespace prodsync {

// All keys of one relation's new content (a leaf, or the table): every row finds its parent in the new content, and the distinct keys used in
// tables that stay are stored, to be looked up again under the lock. By one scan for the keys that allow it (key_scan.hpp), else by joins.
std::vector<Check> verify_foreign_keys(pg::Tables &, const Refresh &, const core::Name &child_relation);
// Every row of one relation's new content (a leaf, or the table) finds its parent in the new content. A violation of a constraint that is
// NOT VALID, or that the configuration accepts as the source's (checks: {name: source}), is reported but ok.
Check check_foreign_key(pg::Tables &, const Refresh &, const core::ForeignKey &, const core::Name &child_relation);
// The same for all rows of the child as they are now.
Check check_foreign_key_now(pg::Tables &, const Refresh &, const core::ForeignKey &);
// Stored keys that are not there any more (somebody deleted the fallback user meanwhile), one check for each constraint.
std::vector<Check> check_used_keys(pg::Tables &, const Refresh &);
// After rows gave way (S4): every foreign key between replaced tables that starts or ends at one of them.
std::vector<Check> check_references_to(pg::Tables &, const Refresh &, const std::vector<core::Name> &tables);
// Does a column of the key carry the id of a replaced table's row?
bool holds_moving_id(const Refresh &, const core::ForeignKey &);
// Rows of tables that stay find their parents in the new content, once their references have been moved.
std::vector<Check> check_staying_tables(pg::Tables &, const Refresh &);
// "public.child.(a, b) -> public.parent": the object of a check
std::string describe(const core::ForeignKey &);

}  // namespace prodsync
