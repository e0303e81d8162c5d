// Each row is formed with its new values, as far as partition keys look at them, and the partitions' own bounds are asked (ExecPartitionCheck, as for an
// INSERT into a partition): so keys may be expressions, of any collation and operator class. What those call is code of the owners of the tree: it runs as
// their owner, and where they are several as nobody (pg_tables.cpp).
#include "place.hpp"
#include <algorithm>
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

struct Leaf {
	Oid oid;
	Relation relation;
	ResultRelInfo *info;
	TupleTableSlot *formed;
	AttrNumber *columns;    // of the values, from the third column of the rows on
};

struct Pass {
	Tuplestorestate *rows;    // relation, address, values
	TupleTableSlot *row;
	EState *estate;
	Leaf *leaves;
	int size, values;
};

struct Placed {
	Oid from, to;    // to: invalid where no partition takes it
	ItemPointerData row;
};

Oid whose_code(Oid root) { return pg::runs_code_of(find_all_inheritors(root, AccessShareLock, nullptr), GetUserId()); }

Pass begin(Tuplestorestate *rows, TupleDesc of, const Oid *leaves, int size, const char *const *names, int values)
{
	Pass pass{rows, MakeSingleTupleTableSlot(of, &TTSOpsMinimalTuple), CreateExecutorState(), static_cast<Leaf *>(palloc0(sizeof(Leaf) * static_cast<Size>(size))), size, values};
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
	ExecDropSingleTupleTableSlot(pass.row);
	FreeExecutorState(pass.estate);
	tuplestore_end(pass.rows);
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

// Returns how many rows no partition takes.
std::int64_t place(const Refresh &refresh, const core::Name &table)
{
	const std::vector<const core::Column *> columns = key_columns(refresh, table);
	const Brought rows = brought(refresh, table, refresh.old_rows(table, "t"), columns);
	std::string selected = "k.rel, k.row_id";
	std::vector<const char *> names;
	bool changes = false;
	for (std::size_t i = 0; i < columns.size(); i++) {
		selected += ", " + rows.values[i];
		names.push_back(columns[i]->name.c_str());
		changes = changes || rows.values[i] != "t." + core::quote_identifier(columns[i]->name);
	}
	if (!changes) return 0;
	const Oid root = refresh.oid(table);
	auto [store, desc] = pg::Tables(refresh.extension, pg::Plans::kept).store("SELECT " + selected + " FROM " + rows.from + " WHERE k.tab = $1::oid AND " + is_brought, {number(root)});
	Tuplestorestate *from = store;
	TupleDesc of = desc;
	std::vector<Oid> leaves;
	for (const core::Relation *leaf : refresh.catalog().storage(table)) leaves.push_back(static_cast<Oid>(leaf->oid));
	const Oid *first = leaves.data();
	const char *const *name = names.data();
	const int size = static_cast<int>(leaves.size()), values = static_cast<int>(names.size());
	const Oid role = pg::call([=] { return whose_code(root); });
	std::optional<Pass> pass;
	std::vector<Placed> found(batch);
	std::int64_t nowhere = 0;
	for (int many = batch; many == batch;) {
		{
			const pg::As as(role, SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS);
			if (!pass) pass = pg::call([=] { return begin(from, of, first, size, name, values); });
			const Pass at = *pass;
			Placed *into = found.data();
			many = pg::call([=] { return place(at, into, batch); });
		}
		std::string from_leaf, at, to;
		for (int i = 0; i < many; i++) {
			if (!OidIsValid(found[i].to)) {
				nowhere++;
				continue;
			}
			const char *comma = from_leaf.empty() ? "" : ",";
			from_leaf += comma + number(found[i].from), to += comma + number(found[i].to);
			at += comma + ("\"(" + std::to_string(ItemPointerGetBlockNumberNoCheck(&found[i].row)) + "," + std::to_string(ItemPointerGetOffsetNumberNoCheck(&found[i].row)) + ")\"");
		}
		if (from_leaf.empty()) continue;
		const pg::AsExtension as(refresh.extension);
		pg::Spi spi;
		spi.run("UPDATE prodsync_work.kept k SET moves_to = u.leaf FROM unnest($1::oid[], $2::tid[], $3::oid[]) AS u (rel, row_id, leaf) WHERE k.rel = u.rel AND k.row_id = u.row_id",
			{"{" + from_leaf + "}", "{" + at + "}", "{" + to + "}"});
	}
	const Pass at = *pass;
	pg::call([=] { end(at); });
	return nowhere;
}

}  // namespace

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

bool is_placed_anew(const Refresh &refresh, const core::Name &table)
{
	return refresh.graph.node(table).relation->kind == 'p' &&
		   pg::Tables(refresh.extension, pg::Plans::kept).one("SELECT 1 FROM prodsync_work.kept WHERE tab = $1::oid AND moves_to IS NOT NULL LIMIT 1", {number(refresh.oid(table))}).has_value();
}

}  // namespace prodsync
