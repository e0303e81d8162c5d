// Which columns are masked, and how: the configuration's rules laid over the catalogs of both sides, and every reason why a rule
// cannot hold. What is decided here travels as Transfer::mask; the plan of both sides has it, and each compares it with its own.
#pragma once
#include <map>
#include <string>
#include "catalog.hpp"
#include "config.hpp"
#include "graph.hpp"
#include "plan.hpp"

namespace core {

// By column. Rules that say "none" are in it: a column that somebody has looked at.
using TableMasking = std::map<std::string, MaskRule>;
using Masking = std::map<Name, TableMasking>;    // tables of the target

// The rules by the tables and columns they name. A table or column that neither side has, or two rules for one column: problems.
// What anonymize.columns says of the columns of copied tables comes after them: only where a table has no rule for the column, and only for types
// that the strategy takes. A pattern that no column of a copied table matches is a problem.
Masking resolve_masking(const Config &, const Graph &, const Catalog &source, const Catalog &target, std::vector<Problem> &problems);

// anonymize.kept_rows: mask. Kept rows are masked by the target, under the key of its own prodsync.key_file; whether it has one is a setting of its
// catalog document (the extension's sync_catalog() notes it).
bool masks_kept_rows(const Config &);
inline constexpr const char *key_file_setting = "prodsync.key_file";

// Why the columns of the planned tables cannot be masked as the rules say (types, lengths, unique indexes, references, kept tables),
// CHECK constraints that a mask may not satisfy (warnings), and columns that look personal (detect.hpp; `contents` is what the client has seen in samples
// of the source) and have no rule: the policy says whether they stop the run. After the tables are planned.
void add_masking_obstacles(
    const Config &, const Graph &, const Masking &, const Catalog &source, const Catalog &target, const Answers &, const Contents &, Plan &);

// {column: email, strategy: email}, with the options: a line of YAML
std::string rule_text(const std::string &column, const MaskRule &);

// Every column of a database that looks personal to `least`, as if it were copied to one like itself: no target is needed. Tables that the
// configuration keeps or empties are left out.
std::vector<PersonalColumn> list_personal(const Config &, const Catalog &, const Contents &, double least);

}  // namespace core
