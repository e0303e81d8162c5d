// What is looked for. A column's raw values are production's values that its rule changes; what the rule makes of them, and what it leaves alone (`when`),
// is honest: a mask can be equal to a raw value by chance (a bijection over six digits, a town). A value of the target is a survivor where it is raw and
// not honest. Both are known exactly where the masks can be made again here, which needs the key. Without it strategies whose masks are told by their form
// are compared all the same: a value of that form says nothing then. Nor does one that is in the list whose words a strategy gives, key or not.
//
// What the target's rows have to do with it: rows of kept tenants, and those whose id is in the reserved range, were made there.
#include "against.hpp"
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include "../extension/core/covered.hpp"
#include "../extension/core/masks.hpp"
#include "../extension/core/statements.hpp"
#include "../extension/core/value_text.hpp"
#include "copy_rows.hpp"
#include "digests.hpp"
#include "interrupt.hpp"
#include "leaves.hpp"
#include "tokens.hpp"

namespace client {
namespace {

using Fields = std::vector<std::optional<std::string_view>>;

void read_rows(Connection &connection, const std::string &copy, const std::function<void(const Fields &)> &row)
{
	CopyFields fields;
	for_each_line(connection, copy, [&](std::string_view line) { row(fields.of(line)); });
}

// One relation's rows under a lock that ends with the reading. A table that was truncated or rewritten since the snapshot would read as empty, and
// prove what is not so.
void read_relation(Connection &connection, const core::Relation &relation, const std::string &copy, const std::function<void(const Fields &)> &row)
{
	const auto &side = connection.endpoint().label;
	try {
		connection.exec("SAVEPOINT reading; SET LOCAL lock_timeout = '10s'");
		connection.exec(core::lock_source(relation.name));
		if (relation.kind == 'r' && connection.one(core::source_filenode(relation.name)) != std::to_string(relation.filenode))
			throw Error(exit_other, relation.name.shown() + " was truncated or rewritten in " + side + " meanwhile", "run it again");
		read_rows(connection, copy, row);
		connection.exec("ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading");
	} catch (Error &error) {
		if (error.sqlstate == "42501")
			throw Error(exit_refused, "the role " + connection.user() + " may not read " + relation.name.shown() + " in " + side,
			    "let its owner run there:  GRANT SELECT ON " + relation.name.sql() + " TO " +
			        core::quote_identifier(connection.user()) +
			        (relation.row_security ? ";  with row-level security also:  ALTER ROLE " +
			                    core::quote_identifier(connection.user()) + " BYPASSRLS"
			                               : ""),
			    {}, error.sqlstate);
		if (error.sqlstate == "55P03")
			throw Error(exit_other, relation.name.shown() + " is locked in " + side + ": it could not be read within 10 seconds",
			    "run it again when whoever holds the lock is done", {}, error.sqlstate);
		throw;
	}
}

// A leaf that is looked for.
bool wanted(const Leaf &leaf) { return leaf.kind != Leaf::Kind::none && telling(leaf.text); }

// How one column's values of production are sorted into raw and honest ones. Not for several threads.
class Sorter {
	const ComparedColumn &column_;
	std::size_t set_;
	std::unique_ptr<core::Mask> mask_;
	std::size_t at_;                                       // its value among the fields
	std::optional<std::size_t> made_, condition_, entity_;    // fields: what production made of it; `when`; what the mask is drawn from
	std::string element_;                                  // type of what the form is asked of
	std::map<std::string, bool> spared_;                   // names of members, by where they stand: a rule says that they stay as they are

	// No strategy masks them, so equal on both sides they are raw all the same.
	bool is_raw_name(const Leaf &leaf)
	{
		if (leaf.kind != Leaf::Kind::name || column_.rule.inside.empty()) return false;
		const auto at = spared_.find(leaf.key);
		if (at != spared_.end()) return !at->second;
		return !spared_.emplace(leaf.key, core::covers(column_.rule, {leaf.key, core::Category::marked, {}})).first->second;
	}

public:
	// Adds what has to be read to the step.
	Sorter(const ComparedColumn &column, std::size_t set, const core::MaskKey *key, core::Step &step)
	    : column_(column), set_(set), at_(step.columns.size())
	{
		core::Transfer raw;
		raw.column = column.column;
		const bool by_production = column.rule.strategy == core::by_production;
		if (!column.by_form && !by_production) raw.mask = column.rule;
		step.columns.push_back(raw);
		if (by_production) {
			raw.mask = column.rule;
			made_ = step.columns.size();
			step.columns.push_back(raw);
		} else if (column.rule.masks() && !column.by_form) {
			mask_ = std::make_unique<core::Mask>(column.rule, key, column.base);
		}
		element_ = core::masked_base(column.rule, column.base);
	}
	// Once the step is whole: where what stands beside its columns is.
	void find_beside(const core::Step &read)
	{
		if (!mask_) return;
		const auto beside = core::read_beside(read);
		const auto field_of = [&](const std::string &sql) {
			for (std::size_t i = 0; i < beside.size(); ++i)
				if (!sql.empty() && beside[i] == sql) return std::optional(read.columns.size() + i);
			return std::optional<std::size_t>();
		};
		condition_ = field_of(core::mask_condition(read.columns[at_].mask));
		entity_ = field_of(core::mask_entity(read.columns[at_].mask));
	}
	// The row's values into `sink`: put() and except() as Digests has them.
	template <typename Sink>
	void operator()(const Fields &row, Sink &sink)
	{
		const auto value = row[at_];
		if (!value || value->empty()) return;
		auto before = leaves(column_.source_base, *value);
		if (column_.by_form) {
			for (const Leaf &leaf : before)
				if (wanted(leaf) && !core::is_masked_form(column_.rule, element_, leaf.text)) sink.put(set_, leaf.text);
			return;
		}
		if (condition_ && row[*condition_] == "f") {
			for (const Leaf &leaf : before)
				if (wanted(leaf)) sink.except(set_, leaf.text);
			return;
		}
		for (const Leaf &leaf : before)
			if (is_raw_name(leaf) && wanted(leaf)) sink.put(set_, leaf.text);
		std::optional<std::string_view> made;
		if (made_) made = row[*made_];
		else if (mask_) try {
			made = (*mask_)(*value, entity_ && row[*entity_] ? *row[*entity_] : *value);
		} catch (const core::NoSuchValue &) {
			// No refresh can have brought it: whatever the target has of it came in another way.
		}
		const auto both = changed(std::move(before), made ? leaves(column_.base, *made) : std::vector<Leaf>());
		for (const Leaf &leaf : both.from)
			if (wanted(leaf) && (mask_ || made_ || leaf.kind != Leaf::Kind::number)) sink.put(set_, leaf.text);
		for (const Leaf &leaf : both.to)
			if (wanted(leaf) && !is_raw_name(leaf)) sink.except(set_, leaf.text);
	}
};

// The compared columns of a table as production has them.
class Production {
	const ComparedTable &table_;
	std::vector<Sorter> sorters_;
	core::Step read_;

public:
	Production(const ComparedTable &table, const core::MaskKey *key, const SourceSql &sql) : table_(table)
	{
		core::Step step;
		for (std::size_t i = 0; i < table.columns.size(); ++i) sorters_.emplace_back(table.columns[i], i, key, step);
		step.kind = "load";
		step.binary = false;
		read_ = with_sql(step, sql);
		for (Sorter &one : sorters_) one.find_beside(read_);
	}
	template <typename Sink>
	void read(Sides &sides, Sink &sink)
	{
		for (const core::Relation *leaf : sides.source_catalog.storage(table_.source->name)) {
			read_.source_relation = leaf->name;
			read_relation(sides.source, *leaf, core::copy_from_source(read_), [&](const Fields &row) {
				for (Sorter &one : sorters_) one(row, sink);
			});
			interrupt::check();
		}
	}
};

// The rows of the target that came from production: of each column and value of theirs, its texts.
template <typename Column> void read_target(Sides &sides, const core::Name &table, const std::vector<Column> &columns,
    const std::string &rows, const std::function<void(std::size_t, const Leaf &)> &found)
{
	std::string list;
	for (const Column &one : columns) list += (list.empty() ? "t." : ", t.") + core::quote_identifier(one.column);
	for (const core::Relation *leaf : sides.target_catalog.storage(table)) {
		const std::string copy = "COPY (SELECT " + list + " FROM ONLY " + leaf->name.sql() + " AS t" +
		    (rows.empty() ? "" : " WHERE " + rows) + ") TO STDOUT (FORMAT text, ENCODING 'UTF8')";
		read_relation(sides.target, *leaf, copy, [&](const Fields &row) {
			for (std::size_t i = 0; i < columns.size(); ++i)
				if (row[i] && !row[i]->empty())
					for (const Leaf &one : leaves(columns[i].base, *row[i])) found(i, one);
		});
		interrupt::check();
	}
}

// Of values only what can be recognized anywhere: in set 0, and in that of the column it is from.
struct Recognizable {
	Digests &digests;
	std::size_t first;    // set of the table's first column
	void put(std::size_t column, std::string_view value)
	{
		if (const auto token = whole_token(value)) digests.put(0, *token), digests.put(first + column, *token);
	}
	void except(std::size_t column, std::string_view value)
	{
		if (const auto token = whole_token(value)) digests.except(0, *token), digests.except(first + column, *token);
	}
};

}  // namespace

int compare(Sides &sides, ComparedTable &table, const core::MaskKey *key, const SourceSql &sql, std::size_t most_digests)
{
	Production production(table, key, sql);
	Digests digests(table.columns.size(), most_digests);
	while (digests.next()) {
		production.read(sides, digests);
		digests.settle();
		for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values += static_cast<std::int64_t>(digests.size(i));
		read_target(sides, table.target->name, table.columns, table.rows_of_target,
		    [&](std::size_t i, const Leaf &one) { table.columns[i].survivors += wanted(one) && digests.has(i, one.text); });
	}
	return digests.passes();
}

int find_mentions(Sides &sides, const std::vector<ComparedTable> &tables, std::vector<Texts> &texts, const core::MaskKey *key,
    const SourceSql &sql, std::size_t most_digests)
{
	std::map<std::pair<core::Name, std::string>, std::size_t> sets;
	for (const ComparedTable &table : tables)
		for (const ComparedColumn &column : table.columns) sets.emplace(std::pair(table.target->name, column.column), sets.size() + 1);
	Digests digests(sets.size() + 1, most_digests);
	while (digests.next()) {
		for (const ComparedTable &table : tables) {
			Recognizable sink{digests, sets.at({table.target->name, table.columns.front().column})};
			Production(table, key, sql).read(sides, sink);
		}
		digests.settle();
		if (digests.size(0) == 0) continue;
		for (Texts &table : texts) {
			std::vector<std::size_t> own;    // a value that is its own column's is known already
			for (const TextColumn &column : table.columns) {
				const auto set = sets.find({table.table, column.column});
				own.push_back(set == sets.end() ? 0 : set->second);
			}
			read_target(sides, table.table, table.columns, table.rows_of_target, [&](std::size_t i, const Leaf &one) {
				if (one.kind != Leaf::Kind::text && one.kind != Leaf::Kind::name) return;
				tokens(one.text, [&](const std::string &token) {
					if (digests.has(0, token) && !(own[i] && digests.has(own[i], token) && token == whole_token(one.text)))
						++table.columns[i].mentions;
				});
			});
		}
	}
	return digests.passes();
}

}  // namespace client
