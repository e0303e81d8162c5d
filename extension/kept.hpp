// The rows of the target that a refresh brings over, and what becomes of their keys. All of it lives in prodsync_work.kept and
// prodsync_work.moved, so that it can be any number of rows; the functions run in this order, under the locks of the switch or, in
// the preflight, in one snapshot.
//
// 1. collect_kept: rows whose tenant path leads to a kept tenant, and the rows they reference, along foreign keys, to the end
//    (supporting rows). Rows that a staying table references are looked at too, but never brought.
// 2. resolve_supporting: is the source's row of that id the very same (loaded by an earlier verified run, and nobody wrote it since)? Else, does
//    a natural key find it among the new content? Then references move there and the row is not brought. Afterwards only what is
//    still reached from a kept row stays.
// 3. drop_missing (missing.hpp) and adopt (adopt.hpp): what is configured for references that lead to rows that will not be there, or to a row of
//    a tenant that is not kept. An adopted row becomes the tenant's whose row references it.
// 4. rekey: rows that are brought and have a generated key below the reserved range get one in it.
#pragma once
#include "adopt.hpp"
#include "content.hpp"

namespace prodsync {

struct KeptSummary {
	std::int64_t kept = 0, supporting = 0, rekeyed = 0;
};

void forget_kept(const Refresh &);
void collect_kept(const Refresh &);
std::vector<Check> resolve_supporting(const Refresh &);    // declared natural keys that are not unique
// recognize.cpp: rows of a table that a natural key finds among the new content; tables in order of their references.
std::vector<Check> recognize(const Refresh &, const core::Name &table);
std::vector<Check> check_supporting(const Refresh &);    // rows that hang from a tenant that is not kept
// Old rows of the table (alias) joined along their tenant path: to those of a tenant, kept or not. Where the path forks there are several ways,
// and each row goes one of them.
struct Way {
	std::string joins, last;    // the alias of the row at its end
	core::Name table;           // the tenant table
};
std::vector<Way> along_the_path(const Refresh &, const core::Name &table, const std::string &alias);
void rekey(const Refresh &);
void prune_supporting(const Refresh &);    // supporting rows that no brought row leads to any more
KeptSummary summary(const Refresh &);
// Does the table have rows that are looked at? Without any, most statements are not worth running.
std::vector<core::Name> tables_with_kept_rows(pg::Tables &, const Refresh &, const std::string &condition);

// bring.cpp
struct Replaced {                      // a column of a brought row in SQL, and the join that its new value needs
	std::string value, join;
};
// The value that a column of an old row (alias) has in the new content; `number` keeps the aliases of several joins apart.
Replaced new_value(const Refresh &, const core::Name &table, const core::Column &column, const std::string &alias, int number);
// FROM clause over the rows of a table that are brought: kept as k, the old row as t, and what the new values of some columns need.
struct Brought {
	std::string from;
	std::vector<std::string> values;    // one for each column
};
Brought brought(const Refresh &, const core::Name &table, const std::string &rows, const std::vector<const core::Column *> &columns);
inline const char *const is_brought = "k.state = 'b' AND k.why <> 'r'";
// References as they are, wherever they lead; everywhere else on_missing: null has let go of some.
// The columns of this key; of a generic relation's, for rows of its model (of others the values mean nothing).
Brought brought_as_it_is(const Refresh &, const core::Name &table, const core::ForeignKey &);
// t references a row by the key (whose columns have these new values) that is neither brought nor in the new content.
std::string leads_nowhere(const Refresh &, const core::ForeignKey &, const std::vector<std::string> &values);
std::vector<Check> check_brought_references(const Refresh &);
std::vector<Check> bring_rows(const Refresh &);           // proves that they are what they were, but for ids and references
// moving_keys.cpp
// Keys as prodsync_work.moved has them: equal ones have one text, whatever their scale. And back, with the scale of the column's old value.
std::string key_text(const std::string &value, const std::string &base);
std::string key_value(const std::string &text, const core::Column &, const std::string &old);
// References to keys that move that cannot follow them, since they or the keys are of a type that moved does not hold.
std::vector<Check> check_moving_keys(const Refresh &);
// join.cpp: the fallback user becomes a member of the imported tenants. Returns what failed, and how many it were.
std::vector<Check> join_tenants(const Refresh &);
std::vector<Check> check_join_tenants(const Refresh &);    // the same, taken back
// References of tables that stay follow the keys that moved; where a publication forbids it, a check that fails.
std::vector<Check> check_staying_references(const Refresh &);
void move_staying_references(const Refresh &);
// (SELECT ...): the new key of a row whose old one is `key`, both SQL; NULL where it has none.
std::string look_up_moved(const std::string &owner, char space, const std::string &key);
// SQL of an array of ids with another value for each e.v, in the same dimensions. `among`: which of e.v stay; the others are taken out, or become NULL in an
// array of several dimensions.
std::string array_of(const std::string &array, const std::string &type, const std::string &value, const std::string &among = "");
// The same, each of them replaced by `moved` in the space of the owner's keys (SQL of its oid).
std::string new_array(const std::string &array, const std::string &type, const std::string &owner, char space, const std::string &among = "");

}  // namespace prodsync
