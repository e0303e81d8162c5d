// Generic relations on the target: keys that hold for rows of one model only, with the condition that says so. There is one for each table that could be
// meant; statements are worth their time for those that rows use.
#pragma once
#include "content.hpp"

namespace prodsync {

// The row `child` of the old content is of the key's model; of the new content.
std::string of_model(const core::ForeignKey &, const std::string &child);
std::string of_model_afterwards(const Refresh &, const core::ForeignKey &, const std::string &child);

// The models that rows as they are now name, of the generic relations that tenant paths pass.
core::Models models_now(pg::Tables &, const core::Graph &, const core::Catalog &);
// Generic keys of the table that its rows as they are now use; that the new content of one relation (a leaf, or the table) uses.
std::vector<const core::ForeignKey *> generic_keys(pg::Tables &, const Refresh &, const core::Name &table);
std::vector<const core::ForeignKey *> generic_keys_afterwards(pg::Tables &, const Refresh &, const core::Name &relation);
// All keys of the table that its rows in prodsync_work.kept use. Notes in prodsync_work.kept_object what the rows name.
std::vector<const core::ForeignKey *> keys_of_kept(pg::Tables &, const Refresh &, const core::Name &table);
// FROM item k of the kept rows that such a key can be about: with hundreds of models each statement would read the rows of all the others.
std::string kept_rows_with(const Refresh &, const core::ForeignKey &);

// An object's id in the new content, as new_value() has it.
struct Replaced;
Replaced new_object_id(const Refresh &, const core::GenericRelation &, const std::string &type, const std::string &alias, int number);

}  // namespace prodsync
