// Generic relations (P13): a content type and an object id, as Django's contenttypes have them, or the name of a class and an id (Rails'
// polymorphic associations). tables: references: {object_id: {content_type: content_type_id}} declares one.
//
// Which table a row means depends on the row, so the column has no identity, and its keys are not among the graph's: there is one for each table that can be
// meant, with the condition that a row is of that model. Models are told by their names on either side, as content types have
// other ids there. A model that is in use and that no table is known for is a problem of the plan.
#pragma once
#include <map>
#include <string>
#include <vector>
#include "answers.hpp"
#include "masking.hpp"
#include "plan.hpp"

namespace core {

// Adds what the rules declare to graph.generic; what cannot be one is a problem.
void add_generic_relations(Graph &, const Catalog &, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &);
// Tables with a foreign key to content types beside a column that looks like an object's id and is not declared.
std::vector<GenericRelation> undeclared_generic_relations(const Graph &);
// "table.column", as people and `checks` call it; how answers name it.
std::string shown(const GenericRelation &);
std::string id_of(const GenericRelation &);
// The lines that declare it.
std::string declaration(const Catalog &, const GenericRelation &);

// SQL: the name of the model that the content type ct is.
std::string model_of_type(const ByModel &);
// SQL: the row `child` is of one of the key's models. `types` is a FROM item with the rows of content types as ct.
std::string of_model(const ByModel &, const std::string &child, const std::string &types);
// SQL: the child's value as a key of the parent; NULL where a text is none.
std::string as_key(const ForeignKey &, const std::string &value);

// What `checks` calls the key.
std::string name_for_checks(const ForeignKey &);

// "app_label.model", or a class's name -> the name by which GenericRelation::models knows it.
std::string model_name(const ByModel &, const std::string &label);
// The column of the parent's key, followed to the row whose id it is (multi-table inheritance).
Identity key_owner(const Graph &, const ForeignKey &);
// The mapped table whose map replaces ids of the parent's rows, or an empty name.
Name kept_map(const Graph &, const ForeignKey &);
// The source's content types whose rows' ids are replaced -> by which map.
std::map<std::string, Name> maps_by_model(const Graph &, const Answers &, const GenericRelation &);

// Whether it is known which models production's rows are of; those that are. A key that none of them means leads nowhere.
bool models_known(const Graph &, const Catalog &source, const Answers &);
bool in_use(const GenericRelation &, const ForeignKey &, const Answers &);
const GenericRelation *generic_relation(const Graph &, const Name &table, const std::string &column);
// Keys of the table's generic relations that production's rows use.
std::vector<const ForeignKey *> used_generic_keys(const Graph &, const Answers &, const Name &table);

// SQL: what says a model in one side's rows, and the model's label.
std::string models_in_use(const GenericRelation &, const Catalog &);
std::vector<Question> model_questions(const Config &, const Graph &, const Catalog &source, const Catalog &target);
void suggest_generic_relations(const Config &, const Graph &, const Catalog &target, std::vector<Problem> &warnings);
void add_generic_obstacles(const Config &, const Graph &, const Masking &, const Catalog &source, const Catalog &target, const Answers &, Plan &);

}  // namespace core
