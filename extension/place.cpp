// Each row is formed with its new values, as far as partition keys look at them, and the partitions' own bounds are asked (ExecPartitionCheck, as for an
// INSERT into a partition): so keys may be expressions, of any collation and operator class. What those call is code of the owners of the tree: it runs as
// their owner, and where they are several as nobody (pg_tables.cpp).
#include "place.hpp"
#include <algorithm>
#include <map>
#include <utility>
#include "core/obstacles.hpp"
#include "kept.hpp"
#include "pg_server.hpp"
extern "C" {
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
}

namespace prodsync {

namespace {

std::string number(std::uint64_t oid) { return std::to_string(oid); }

constexpr int batch = 1000;

}  // namespace

struct Partitions::Leaf {
	Oid oid;
	Relation relation;
	ResultRelInfo *info;
	TupleTableSlot *formed;
	AttrNumber *columns;    // of the values, from the third column of the rows on
};

struct Partitions::Pass {
	EState *estate;
	Leaf *leaves;
	int size, values;
	Tuplestorestate *rows;    // relation, address, values
	TupleTableSlot *row;
};

namespace {

using Leaf = Partitions::Leaf;
using Pass = Partitions::Pass;

struct Placed {
	Oid from, to;    // to: invalid where no partition takes it
	ItemPointerData row;
};

Oid whose_code(Oid root) { return pg::runs_code_of(find_all_inheritors(root, AccessShareLock, nullptr), GetUserId()); }

Pass begin(const Oid *leaves, int size, const char *const *names, int values)
{
	Pass pass{CreateExecutorState(), static_cast<Leaf *>(palloc0(sizeof(Leaf) * static_cast<Size>(size))), size, values, nullptr, nullptr};
	for (int i = 0; i < size; i++) {
		Leaf &leaf = pass.leaves[i];
		leaf.oid = leaves[i], leaf.relation = table_open(leaves[i], AccessShareLock), leaf.info = makeNode(ResultRelInfo);
		InitResultRelInfo(leaf.info, leaf.relation, 1, nullptr, 0);
		leaf.formed = MakeSingleTupleTableSlot(RelationGetDescr(leaf.relation), &TTSOpsVirtual);
		leaf.columns = static_cast<AttrNumber *>(palloc(sizeof(AttrNumber) * static_cast<Size>(values)));
		for (int n = 0; n < values; n++) leaf.columns[n] = get_attnum(leaves[i], names[n]);
	}
	return pass;
}

void end(const Pass &pass)
{
	for (int i = 0; i < pass.size; i++) {
		ExecDropSingleTupleTableSlot(pass.leaves[i].formed);
		table_close(pass.leaves[i].relation, NoLock);
	}
	FreeExecutorState(pass.estate);
}

Pass *new_pass(const Pass &pass)
{
	Pass *out = static_cast<Pass *>(palloc(sizeof(Pass)));
	*out = pass;
	return out;
}

bool takes(const Pass &pass, const Leaf &leaf)
{
	ExecClearTuple(leaf.formed);
	const int all = leaf.formed->tts_tupleDescriptor->natts;
	for (int i = 0; i < all; i++) leaf.formed->tts_values[i] = 0, leaf.formed->tts_isnull[i] = true;
	for (int i = 0; i < pass.values; i++) {
		leaf.formed->tts_values[leaf.columns[i] - 1] = pass.row->tts_values[i + 2];
		leaf.formed->tts_isnull[leaf.columns[i] - 1] = pass.row->tts_isnull[i + 2];
	}
	ExecStoreVirtualTuple(leaf.formed);
	return ExecPartitionCheck(leaf.info, leaf.formed, pass.estate, false);
}

// Fills `out` with rows that change their partition; fewer than there is room for: the rows are at their end.
int place(const Pass &pass, Placed *out, int room)
{
	int n = 0, last = 0;    // rows that follow each other often go to the same one
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	while (n < room && tuplestore_gettupleslot(pass.rows, true, false, pass.row)) {
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(pass.row);
		const Oid from = DatumGetObjectId(pass.row->tts_values[0]);
		Oid to = InvalidOid;
		for (int i = 0; i < pass.size && !OidIsValid(to); i++) {
			const int at = (last + i) % pass.size;
			if (takes(pass, pass.leaves[at])) last = at, to = pass.leaves[at].oid;
			ResetPerTupleExprContext(pass.estate);
		}
		if (to != from) out[n++] = {from, to, *reinterpret_cast<ItemPointer>(DatumGetPointer(pass.row->tts_values[1]))};
	}
	PopActiveSnapshot();
	return n;
}

// Columns that decide, on any level of the tree.
std::vector<const core::Column *> key_columns(const Refresh &refresh, const core::Name &table)
{
	std::vector<const core::Column *> out;
	const core::Relation &root = *refresh.graph.node(table).relation;
	for (const core::Column &column : root.columns)
		for (const auto &[name, relation] : refresh.catalog().relations)
			if (relation.kind == 'p' && refresh.catalog().root(name) == table && core::mentions(relation.partition_key, column.name)) {
				out.push_back(&column);
				break;
			}
	return out;
}

std::string address(const ItemPointerData &at)
{
	return "\"(" + std::to_string(ItemPointerGetBlockNumberNoCheck(&at)) + "," + std::to_string(ItemPointerGetOffsetNumberNoCheck(&at)) + ")\"";
}

}  // namespace

Partitions::Partitions(const Refresh &refresh, const core::Name &table)
	: refresh_(refresh), root_(refresh.oid(table)), columns_(key_columns(refresh, table))
{
	for (const core::Relation *leaf : refresh.catalog().storage(table)) leaves_.push_back(static_cast<Oid>(leaf->oid));
}

bool Partitions::decided_by(const std::string &column) const
{
	return std::any_of(columns_.begin(), columns_.end(), [&](const core::Column *one) { return one->name == column; });
}

std::int64_t Partitions::look_up(const std::string &sql, const pg::Row &args, const Take &take)
{
	auto [store, desc] = pg::Tables(refresh_.extension, pg::Plans::kept).store(sql, args);
	Tuplestorestate *rows = store;
	TupleDesc of = desc;
	const Oid root = root_;
	const Oid role = pg::call([=] { return whose_code(root); });
	std::vector<Placed> found(batch);
	std::int64_t nowhere = 0;
	bool begun = false;
	for (int many = batch; many == batch;) {
		{
			const pg::As as(role, SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
			if (!pass_) {
				std::vector<const char *> names;
				for (const core::Column *column : columns_) names.push_back(column->name.c_str());
				const Oid *leaves = leaves_.data();
				const char *const *name = names.data();
				const int size = static_cast<int>(leaves_.size()), values = static_cast<int>(names.size());
				pass_ = pg::call([=] { return new_pass(begin(leaves, size, name, values)); });
			}
			Pass *pass = pass_;
			if (!begun) pg::call([=] { pass->rows = rows, pass->row = MakeSingleTupleTableSlot(of, &TTSOpsMinimalTuple); });
			begun = true;
			Placed *into = found.data();
			many = pg::call([=] { return place(*pass, into, batch); });
		}
		std::map<std::pair<Oid, Oid>, std::string> ways;
		for (int i = 0; i < many; i++) {
			if (!OidIsValid(found[i].to)) nowhere++;
			else {
				std::string &at = ways[{found[i].from, found[i].to}];
				at += (at.empty() ? "" : ",") + address(found[i].row);
			}
		}
		for (const auto &[way, at] : ways) take(way.first, way.second, "{" + at + "}");
	}
	Pass *pass = pass_;
	pg::call([=] {
		ExecDropSingleTupleTableSlot(pass->row);
		tuplestore_end(pass->rows);
	});
	return nowhere;
}

void Partitions::close()
{
	if (Pass *pass = std::exchange(pass_, nullptr)) pg::call([=] { end(*pass); });
}

// Returns how many rows no partition takes.
static std::int64_t place(const Refresh &refresh, const core::Name &table)
{
	Partitions partitions(refresh, table);
	const std::string tab = number(refresh.oid(table));
	std::set<Oid> with_rows;
	for (const pg::Row &row :
	    pg::Tables(refresh.extension, pg::Plans::kept)
	        .rows(std::string("SELECT DISTINCT k.rel FROM prodsync_work.kept k WHERE k.tab = $1::oid AND ") + is_brought, {tab}))
		with_rows.insert(static_cast<Oid>(std::stoul(*row[0])));
	std::int64_t nowhere = 0;
	for (const core::Relation *leaf : refresh.catalog().storage(table)) {
		if (!with_rows.count(static_cast<Oid>(leaf->oid))) continue;
		const Brought rows = brought(refresh, table, "ONLY " + leaf->name.sql() + " AS t", partitions.columns());
		std::string selected = "k.rel, k.row_id";
		bool changes = false;
		for (std::size_t i = 0; i < rows.values.size(); i++) {
			selected += ", " + rows.values[i];
			changes = changes || rows.values[i] != "t." + core::quote_identifier(partitions.columns()[i]->name);
		}
		if (!changes) break;    // alike for all leaves
		nowhere += partitions.look_up(
		    "SELECT " + selected + " FROM " + rows.from + " WHERE k.tab = $1::oid AND k.rel = $2::oid AND " + is_brought,
		    {tab, number(static_cast<std::uint64_t>(leaf->oid))}, [&](Oid from, Oid to, const std::string &at) {
			    const pg::AsExtension as(refresh.extension);
			    pg::Spi spi;
			    spi.run("UPDATE prodsync_work.kept SET moves_to = $1::oid WHERE rel = $2::oid AND row_id = ANY ($3::tid[])",
			        {number(to), number(from), at});
		    });
		pg::check_interrupts();
	}
	partitions.close();
	return nowhere;
}

std::vector<Check> place_kept(const Refresh &refresh)
{
	std::vector<core::Name> tables;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		tables = tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'");
		std::erase_if(tables, [&](const core::Name &table) { return refresh.graph.node(table).relation->kind != 'p'; });
		if (!tables.empty()) sql.run("UPDATE prodsync_work.kept SET moves_to = NULL WHERE moves_to IS NOT NULL");
	}
	std::vector<Check> out;
	for (const core::Name &table : tables) {
		if (const std::int64_t nowhere = place(refresh, table))
			out.push_back({"partition of a kept row", table.shown(), nowhere,
				core::json{{"text", "kept rows get ids that no partition of the table takes; make one for them, or a DEFAULT one"}}.dump(), false});
		pg::check_interrupts();
	}
	return out;
}

}  // namespace prodsync
