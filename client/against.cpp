// What is looked for. A column's raw values are production's values that its rule changes; what the rule makes of them, and what it leaves alone (`when`),
// is honest: a mask can be equal to a raw value by chance (a bijection over six digits, a town). A value of the target is a survivor where it is raw and
// not honest. Both are known exactly where the masks can be made again here, which needs the key; for strategies whose masks are told by their form, or
// are words of a list, a value of that form says nothing, and the key is not needed.
//
// What the target's rows have to do with it: rows of kept tenants, and those whose id is in the reserved range, were made there.
#include "against.hpp"
#include <functional>
#include <memory>
#include <optional>
#include "../extension/core/copy_text.hpp"
#include "../extension/core/masks.hpp"
#include "../extension/core/statements.hpp"
#include "../extension/core/value_text.hpp"
#include "digests.hpp"
#include "interrupt.hpp"
#include "leaves.hpp"

namespace client {
namespace {

using Fields = std::vector<std::optional<std::string_view>>;

// Rows of COPY's text format, one after another; nothing but the current one is in memory.
void read_rows(Connection &connection, const std::string &copy, const std::function<void(const Fields &)> &row)
{
	struct Free { void operator()(char *p) const { PQfreemem(p); } };
	connection.start_copy(copy, PGRES_COPY_OUT);
	std::vector<std::string> buffers;
	Fields fields;
	for (char *raw = nullptr;; raw = nullptr) {
		const int length = PQgetCopyData(connection.get(), &raw, 0);
		if (length < 0) break;
		std::unique_ptr<char, Free> held(raw);
		std::string_view line(raw, static_cast<std::size_t>(length));
		if (line.ends_with('\n')) line.remove_suffix(1);
		fields.clear();
		for (bool more = true; more;) {
			const auto tab = line.find('\t');
			const auto field = line.substr(0, tab);
			more = tab != line.npos;
			if (more) line.remove_prefix(tab + 1);
			if (buffers.size() <= fields.size()) buffers.resize(2 * fields.size() + 8), fields.reserve(buffers.size());
			fields.push_back(field == "\\N" ? std::nullopt : std::optional(field));
		}
		for (std::size_t i = 0; i < fields.size(); ++i)
			if (fields[i]) fields[i] = core::copy_unescaped(*fields[i], buffers[i]);
		row(fields);
	}
	Result result(PQgetResult(connection.get()));
	while (PGresult *more = PQgetResult(connection.get())) PQclear(more);
	if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw connection.error(result.get());
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
			    "let its owner run there:  GRANT SELECT ON " + relation.name.sql() + " TO " + core::quote_identifier(connection.user()) +
			        (relation.row_security ? ";  with row-level security also:  ALTER ROLE " + core::quote_identifier(connection.user()) + " BYPASSRLS" : ""),
			    {}, error.sqlstate);
		if (error.sqlstate == "55P03")
			throw Error(exit_other, relation.name.shown() + " is locked in " + side + ": it could not be read within 10 seconds", "run it again when whoever holds the lock is done", {}, error.sqlstate);
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

public:
	// Adds what has to be read to the step.
	Sorter(const ComparedColumn &column, std::size_t set, const core::MaskKey *key, core::Step &step) : column_(column), set_(set), at_(step.columns.size())
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
	void operator()(const Fields &row, Digests &digests)
	{
		const auto value = row[at_];
		if (!value || value->empty()) return;
		auto before = leaves(column_.source_base, *value);
		if (column_.by_form) {
			for (const Leaf &leaf : before)
				if (wanted(leaf) && !core::is_masked_form(column_.rule, element_, leaf.text)) digests.put(set_, leaf.text);
			return;
		}
		if (condition_ && row[*condition_] == "f") {
			for (const Leaf &leaf : before)
				if (wanted(leaf)) digests.except(set_, leaf.text);
			return;
		}
		std::optional<std::string_view> made;
		if (made_) made = row[*made_];
		else if (mask_) try {
			made = (*mask_)(*value, entity_ && row[*entity_] ? *row[*entity_] : *value);
		} catch (const core::NoSuchValue &) {
			// No refresh can have brought it: whatever the target has of it came in another way.
		}
		const auto both = changed(std::move(before), made ? leaves(column_.base, *made) : std::vector<Leaf>());
		for (const Leaf &leaf : both.from)
			if (wanted(leaf) && (mask_ || made_ || leaf.kind == Leaf::Kind::text)) digests.put(set_, leaf.text);
		for (const Leaf &leaf : both.to)
			if (wanted(leaf)) digests.except(set_, leaf.text);
	}
};

std::string copy_of_target(const core::Relation &leaf, const ComparedTable &table)
{
	std::string columns;
	for (const ComparedColumn &one : table.columns) columns += (columns.empty() ? "t." : ", t.") + core::quote_identifier(one.column);
	return "COPY (SELECT " + columns + " FROM ONLY " + leaf.name.sql() + " AS t" + (table.rows_of_target.empty() ? "" : " WHERE " + table.rows_of_target) +
	    ") TO STDOUT (FORMAT text, ENCODING 'UTF8')";
}

}  // namespace

int compare(Sides &sides, ComparedTable &table, const core::MaskKey *key, const SourceSql &sql, std::size_t most_digests)
{
	core::Step step;
	std::vector<Sorter> sorters;
	for (std::size_t i = 0; i < table.columns.size(); ++i) sorters.emplace_back(table.columns[i], i, key, step);
	step.kind = "load";
	step.binary = false;
	core::Step read = with_sql(step, sql);
	for (Sorter &one : sorters) one.find_beside(read);

	Digests digests(table.columns.size(), most_digests);
	while (digests.next()) {
		for (const core::Relation *leaf : sides.source_catalog.storage(table.source->name)) {
			read.source_relation = leaf->name;
			read_relation(sides.source, *leaf, core::copy_from_source(read), [&](const Fields &row) {
				for (Sorter &one : sorters) one(row, digests);
			});
			interrupt::check();
		}
		digests.settle();
		for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values += static_cast<std::int64_t>(digests.size(i));
		for (const core::Relation *leaf : sides.target_catalog.storage(table.target->name)) {
			read_relation(sides.target, *leaf, copy_of_target(*leaf, table), [&](const Fields &row) {
				for (std::size_t i = 0; i < table.columns.size(); ++i)
					if (row[i] && !row[i]->empty())
						for (const Leaf &one : leaves(table.columns[i].base, *row[i])) table.columns[i].survivors += wanted(one) && digests.has(i, one.text);
			});
			interrupt::check();
		}
	}
	return digests.passes();
}

}  // namespace client
