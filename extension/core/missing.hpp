// References to rows that are not there after the refresh, and what becomes of them (tables: references: on_missing).
//
// A reference of a copied table has a gap where the row it names is not copied: the table it leads to is emptied, or keeps its own rows
// and no map says which of them is meant, or not for this one, or the row is left out itself because of such a reference. `null` lets
// go of the reference, `drop` leaves the row out with everything below it: along keys that may not be NULL by themselves, along others by
// their own on_missing. All of it is decided by conditions that production evaluates, the same ones on both sides.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>
#include "answers.hpp"
#include "plan.hpp"

namespace core {

enum class OnMissing { error, null, drop, adopt };

// What is configured for one of the key's columns; nullopt where nothing is.
std::optional<OnMissing> configured_on_missing(const Graph &, const ForeignKey &);
// The same, with the default: a reference that may not be NULL goes the way of the row it names (`drop`) where that row is dropped, any
// other is an error.
OnMissing on_missing_of_dropped(const Graph &, const ForeignKey &);
// The columns of the key that become NULL under `null`: those that say so.
std::vector<std::string> nulled_columns(const Graph &, const ForeignKey &);

// One of its columns may be NULL, so there is a row that references nothing.
bool may_be_null(const Graph &, const ForeignKey &);
// The value itself says which row is meant, on both sides: it is the natural key by which the kept rows are known.
// (Not of users: one of production's may become another one here.)
bool by_natural_key(const Graph &, const ForeignKey &);

struct Gap {
	enum class Why { empty, kept, unmatched, left_out };
	const ForeignKey *key = nullptr;
	Why why = Why::empty;
	OnMissing action = OnMissing::error;
	bool answerable = true;    // production's columns have types by which it can tell the rows that this is about
};

// Every gap of a copied table that production has, by its keys' order. Self references and circles of `drop` included.
std::vector<Gap> gaps(const Config &, const Graph &, const Catalog &source);

class Missing {
	const Config &config_;
	const Graph &graph_;
	const Catalog &source_;
	const Answers &answers_;
	std::vector<Gap> gaps_;
	std::vector<const ForeignKey *> unanswerable_;

	std::string condition(const Gap &, const std::string &alias, std::vector<Name> &way) const;
	std::string left_out(const Name &table, const std::string &alias, std::vector<Name> &way) const;

public:
	Missing(const Config &, const Graph &, const Catalog &source, const Answers &);
	const std::vector<Gap> &all() const { return gaps_; }
	// Keys with a gap, and which rows it is about cannot be told: problems of the plan.
	const std::vector<const ForeignKey *> &unanswerable() const { return unanswerable_; }
	// The mapped table whose map the reference lacks ids of.
	Name map_of(const Gap &) const;
	// Whether everything that the conditions of a table rest on has been asked.
	bool ready() const;
	// Rows of this table are left out, here or above.
	bool leaves_out(const Name &table) const;
	// SQL over alias t of the source's table: the row's reference leads nowhere. Never NULL.
	std::string where_missing(const Gap &) const;
	// The rows that are left out; the rows that come. Empty where the table loses none.
	std::string where_left_out(const Name &table) const;
	std::string where_copied(const Name &table) const;
	// The SQL of a column's value at the source, over alias t; empty: as it is.
	std::string value(const Name &table, const std::string &column) const;
	// What the pump finds no counterpart for becomes NULL.
	bool nulls_unmatched(const Name &table, const std::string &column) const;
	// Tables whose rows are left out because each other's are: no condition can say which.
	std::vector<Name> circle() const;
};

// Production's columns of the key are of other types than the target's, between which it has no "=": it cannot be asked `what`.
Problem reference_types(const Graph &, const Catalog &source, const Catalog &target, const ForeignKey &, const std::string &what);
// Problems of on_missing that the graph alone shows: a column that may not be NULL, a table that stays and loses rows that others reference.
void check_on_missing(
    const Graph &, const Catalog &target, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &);
// What both catalogs and the answers show: references that lead to rows that are left out; what is counted.
void add_missing_obstacles(const Config &, const Graph &, const Catalog &source, const Catalog &target, const Answers &, Plan &);
// How many rows are left out, how many references are let go of, how many lead to rows that are left out.
std::vector<Question> missing_questions(const Config &, const Graph &, const Catalog &source, const Answers &);

}  // namespace core
