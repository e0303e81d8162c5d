// Which columns look personal: what their names, types, foreign keys and comments say, and what was seen in samples, taken together.
// Strict policy, `prodsync detect` and sync_detect_pii() all ask here.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>
#include "catalog.hpp"
#include "detect_content.hpp"
#include "masks.hpp"

namespace core {

struct PersonalLeaf {    // inside of JSON
	std::string path;    // $.contacts[*].email
	Category category;
	std::string evidence;
	// The path as a rule writes it. Of names of members ("$.by_mail (keys)"): of the object.
	std::string place() const { return path.ends_with(" (keys)") ? path.substr(0, path.size() - 7) : path; }
};

struct Personal {
	Category category = Category::marked;
	double confidence = 0;         // 0 to 1
	std::string evidence;          // for people, one line; never a value
	std::string seen;              // what of it is from samples
	std::vector<PersonalLeaf> leaves;
};

// A personal column of a plan, and the rule that would fit it.
struct PersonalColumn {
	Name table;
	std::string column, type;
	Personal personal;
	MaskRule fits;                 // strategy empty: none does
	std::string why;               // none does, and not because of its type: what is in the way, behind "no strategy fits: "
	bool has_rule = false;         // the configuration names it
	// The rule as lines of YAML, each with what it is about as its comment: one, or one for each part of a document. Where none fits, the line itself is a comment.
	std::vector<std::string> lines() const;
	std::string rule() const;      // {column: email, strategy: email}, for parts with commas between, or empty
};

// From here on a column counts as personal: what strict stops for.
inline constexpr double flagged = 0.5;

// "e-mail address", "phone number": for people.
const char *shown(Category);
// What suits it, best first. Not every one exists in every version (find_strategy()) or fits every column.
const std::vector<const char *> &strategies_for(Category);

std::map<Name, std::map<std::string, Personal>> find_personal(const Catalog &, const Contents & = {}, double least = flagged);

// ---- samples ----
// Columns that are worth a look inside.
std::vector<std::string> sampled_columns(const Relation &);
struct SampleStatement {
	Name relation;                 // that it locks: the table, or one of its partitions
	std::string sql;
};
// Statements that read a bounded sample of them, of one relation each: the same rows every time, as long as the table does not change. For the
// source, and for the target.
std::vector<SampleStatement> sample_statements(const Catalog &, const Relation &, const std::vector<std::string> &columns);
// What one row of it says. A value that is missing was NULL, or too large to be read for a sample.
void add_sample(TableContent &, const Relation &, const std::vector<std::string> &columns, const std::vector<std::optional<std::string>> &row);

}  // namespace core
