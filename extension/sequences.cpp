#include "sequences.hpp"
#include <algorithm>
#include <map>
#include "by_hand.hpp"
#include "pg_server.hpp"
#include "shadow.hpp"
#include "switch.hpp"
extern "C" {
#include "commands/sequence.h"
}

namespace prodsync {

struct Drawing { core::Name table; const core::TableNode *node; const core::Column *column; };

static bool counts_down(const Refresh &refresh, const std::string &sequence)
{
	for (const core::Sequence &known : refresh.catalog().sequences)
		if (known.name.sql() == sequence) return known.increment < 0;
	return false;
}

static std::map<std::string, std::vector<Drawing>> drawing_columns(const Refresh &refresh)
{
	std::map<std::string, std::vector<Drawing>> out;    // by the sequence's SQL name: several tables may share one
	for (const auto &[name, node] : refresh.graph.tables) {
		if (!refresh.replaced(name)) continue;
		for (const core::Column &column : node.relation->columns)
			if (!column.sequence.empty() &&
			    (column.base == "smallint" || column.base == "integer" || column.base == "bigint" || column.base == "numeric") &&
			    !counts_down(refresh, column.sequence))
				out[column.sequence].push_back({name, &node, &column});
	}
	return out;
}

static Oid oid_of(pg::Tables &sql, const std::string &sequence)
{
	return static_cast<Oid>(std::stoul(sql.one("SELECT $1::regclass::oid", {sequence}).value_or("0")));
}

std::vector<Oid> sequences_to_set(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension);
	std::vector<Oid> out;
	for (const auto &[sequence, drawings] : drawing_columns(refresh)) out.push_back(oid_of(sql, sequence));
	return out;
}

// The largest value of a column, 0 where it has none; as numeric it may be more than any sequence gives.
static std::int64_t largest_in(pg::Tables &sql, const std::string &column, const std::string &rows)
{
	return std::stoll(sql.one("SELECT least(coalesce(max(" + core::quote_identifier(column) + "), 0), 9223372036854775807)::bigint FROM " + rows).value_or("0"));
}

static std::vector<SequenceValue> sequence_values(const Refresh &refresh, std::vector<Check> &exhausted)
{
	pg::Tables sql(refresh.extension);
	std::vector<SequenceValue> out;
	for (const auto &[sequence, drawings] : drawing_columns(refresh)) {
		std::int64_t start = 0, largest = 0;
		for (const Drawing &drawing : drawings) {
			if (refresh.config().tenants) {
				auto range = refresh.config().reserved_from.find(drawing.column->base);
				std::int64_t from = drawing.column->name == drawing.node->key ? drawing.node->reserved_from
				    : range == refresh.config().reserved_from.end()           ? 0
				                                                              : range->second;
				start = std::max(start, from);
			}
			largest = std::max(largest, largest_in(sql, drawing.column->name,
			                                refresh.shadows.empty() ? refresh.old_rows(drawing.table, "n")
			                                                        : refresh.new_rows(drawing.table, {drawing.column->name}, "n")));
			pg::check_interrupts();
		}
		// A table that stays may draw from it too.
		for (const auto &[name, node] : refresh.graph.tables)
			for (const core::Column &column : node.relation->columns)
				if (!refresh.replaced(name) && column.sequence == sequence &&
					(column.base == "smallint" || column.base == "integer" || column.base == "bigint" || column.base == "numeric"))
					largest = std::max(largest, largest_in(sql, column.name, refresh.old_rows(name, "n")));
		std::vector<pg::Row> now =
		    sql.rows("SELECT s.last_value + s.is_called::int, q.seqmin, q.seqmax, q.seqincrement, q.seqstart FROM " + sequence +
		            " s, pg_sequence q WHERE q.seqrelid = $1::regclass",
		        {sequence});
		std::int64_t at = std::stoll(*now[0][0]), least = std::stoll(*now[0][1]), most = std::stoll(*now[0][2]), first = std::stoll(*now[0][4]);
		bool keyed = std::any_of(drawings.begin(), drawings.end(), [](const Drawing &d) { return d.column->name == d.node->key; });
		if (!keyed && start > most) start = 0;    // a counter that is no key and too small for a reserved range
		if (largest >= most) {    // a row that stands for "none", perhaps: behind it there are no numbers
			exhausted.push_back({"sequence", sequence, 1,
			    core::json{{"text",
			                   "a row has the number " + std::to_string(largest) + ", and the sequence ends at " + std::to_string(most) +
			                       ": it has none to give after the refresh; give this row another number in production, or raise the sequence's MAXVALUE"},
			        {"column", drawings[0].table.shown() + "." + drawings[0].column->name}}
			        .dump(),
			    false});
			continue;
		}
		std::int64_t next = std::max({largest + 1, start, least});
		if (start > 0 && at >= start) next = std::max(next, at);             // numbers of the reserved range are never given out twice
		if (start == 0 && largest == 0) next = first;
		if (next > most)
			throw pg::Error(PS_CHECK, "the sequence " + sequence + " cannot go on at " + std::to_string(next),
			    core::json::array({{{"check_name", "sequence"}, {"object", sequence}, {"violations", 1}}}).dump(),
			    "Its maximum is " + std::to_string(most) + ": raise it, or lower reserved_from for its type.");
		core::Name name;
		for (const core::Sequence &known : refresh.catalog().sequences)
			if (known.name.sql() == sequence) name = known.name;
		out.push_back({name, oid_of(sql, sequence), next});
	}
	return out;
}

std::vector<SequenceValue> sequence_values(const Refresh &refresh)
{
	std::vector<Check> exhausted;
	std::vector<SequenceValue> out = sequence_values(refresh, exhausted);
	require_ok(exhausted);
	return out;
}

std::vector<Check> check_sequences(const Refresh &refresh)
{
	std::vector<Check> exhausted;
	(void)sequence_values(refresh, exhausted);
	return exhausted;
}

void restart(const pg::Extension &extension, const std::vector<SequenceValue> &values)
{
	pg::AsExtension as(extension);
	for (const SequenceValue &value : values) {
		const char *schema = value.sequence.schema.c_str(), *name = value.sequence.name.c_str();
		std::int64_t next = value.next;
		pg::call([=] {
			AlterSeqStmt *stmt = makeNode(AlterSeqStmt);
			stmt->sequence = makeRangeVar(pstrdup(schema), pstrdup(name), -1);
			stmt->options = list_make1(makeDefElem(pstrdup("restart"), reinterpret_cast<Node *>(makeFloat(psprintf(INT64_FORMAT, next))), -1));
			(void) AlterSequence(make_parsestate(nullptr), stmt);
			CommandCounterIncrement();
		});
		pg::check_interrupts();
	}
}

// sync_reset_sequences(): for every sequence of a table that is refreshed, by what the tables hold now.
PG_FUNCTION(prodsync_reset_sequences)
{
	pg::Extension extension = pg::extension_of(fcinfo);
	std::unique_ptr<Refresh> refresh = refresh_by_hand(extension, "sync_reset_sequences()");
	std::vector<Wanted> wanted;    // against a nextval() whose row is not committed yet
	for (const auto &[sequence, drawings] : drawing_columns(*refresh))
		for (const Drawing &drawing : drawings) wanted.push_back({refresh->oid(drawing.table), Strength::share_row_exclusive});
	for (Oid sequence : sequences_to_set(*refresh)) wanted.push_back({sequence, Strength::share_row_exclusive});
	lock_by_hand(*refresh, wanted);
	std::vector<SequenceValue> values = sequence_values(*refresh);
	restart(extension, values);
	std::vector<pg::Row> out;
	for (const SequenceValue &value : values) out.push_back({value.sequence.shown(), std::to_string(value.next)});
	return pg::table(fcinfo, out);
}

}  // namespace prodsync
