// Rows are looked up as the server would notice them: the row is formed with its new values, and the shadow's own index is asked for it
// (ExecCheckIndexConstraints, as INSERT ... ON CONFLICT does). So a key may be made of expressions, have a predicate, compare by operators of an
// extension, count NULLs as equal, or exclude by overlap; whatever the index says is right.
//
// Expressions and predicates are code of the table's owner: everything that may run some (the index list's expressions are folded when they are read)
// happens as that owner, in a restricted operation, as pg::Tables does it for statements. The rows come out of a statement of pg::Tables.
#include "index_lookup.hpp"
#include <algorithm>
#include "layout.hpp"
#include "pg_versions.hpp"
#include "shadow.hpp"
#include "subtransaction.hpp"
extern "C" {
#include "catalog/partition.h"
#include "executor/nodeModifyTable.h"
#include "optimizer/optimizer.h"
}

namespace prodsync {

namespace {

// What the table's owner may run, and nobody else.
class AsOwner : public pg::As {
public:
	explicit AsOwner(Oid shadow) : As(owner_of(shadow), SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS) {}
};

constexpr int batch = 1000;

void note_columns(Node *expression, bool *uses, int columns)
{
	Bitmapset *found = nullptr;
	pull_varattnos(expression, 1, &found);
	for (int i = -1; (i = bms_next_member(found, i)) >= 0;) {
		const int column = i + FirstLowInvalidHeapAttributeNumber;
		if (column > 0 && column <= columns) uses[column] = true;
	}
}

Indexes find_indexes(Oid original, Oid shadow)
{
	Relation rel = table_open(original, AccessShareLock), of = table_open(shadow, AccessShareLock);
	List *twins = list_copy(RelationGetIndexList(of));
	Indexes out{static_cast<UniqueIndex *>(palloc0(sizeof(UniqueIndex) * static_cast<Size>(list_length(twins) + 1))), 0,
	    RelationGetNumberOfAttributes(of), false};
	ListCell *c;
	foreach(c, RelationGetIndexList(rel)) {
		const Oid index = lfirst_oid(c), twin = twin_of(rel, index, twins);
		if (!OidIsValid(twin)) refuse(rel, "an index was added or changed");
		twins = list_delete_oid(twins, twin);
		Relation i = index_open(twin, AccessShareLock);
		if (i->rd_index->indisunique || i->rd_index->indisexclusion) {
			UniqueIndex &one = out.list[out.size++];
			one.index = twin, one.only = list_make1_oid(twin), one.overlaps = i->rd_index->indisexclusion;
			namestrcpy(&one.name, get_rel_name(index));
			const List *above = get_rel_relispartition(index) ? get_partition_ancestors(index) : NIL;
			const Oid whole = above ? llast_oid(above) : index;
			namestrcpy(&one.whole, get_rel_name(whole));
			namestrcpy(&one.schema, get_namespace_name(get_rel_namespace(whole)));
			one.uses = static_cast<bool *>(palloc0(sizeof(bool) * static_cast<Size>(out.columns + 1)));
			for (int k = 0; k < i->rd_index->indnkeyatts; k++)
				if (i->rd_index->indkey.values[k] > 0) one.uses[i->rd_index->indkey.values[k]] = true;
			note_columns(reinterpret_cast<Node *>(RelationGetIndexExpressions(i)), one.uses, out.columns);
			note_columns(reinterpret_cast<Node *>(RelationGetIndexPredicate(i)), one.uses, out.columns);
			for (int k = 1; k <= out.columns; k++) out.generated |= one.uses[k] && TupleDescAttr(RelationGetDescr(of), k - 1)->attgenerated != '\0';
		}
		index_close(i, NoLock);
	}
	table_close(of, NoLock), table_close(rel, NoLock);
	return out;
}

// One pass over the rows of a relation. Between two batches what was found is taken, as the extension's owner.
struct Pass {
	Tuplestorestate *rows;
	TupleTableSlot *row, *formed, *other;
	Relation shadow;
	EState *estate;
	ResultRelInfo *info;
	AttrNumber *columns;    // attribute number of each column of `rows` but the first two, which are the row's relation and address
	int n, capacity;
	bool generated;
	TransactionId writer;    // of rows that are put into the shadow to be compared; invalid: none are
};

Pass begin(Tuplestorestate *rows, TupleDesc of, Oid shadow, AttrNumber *columns, int n, bool generated, TransactionId writer)
{
	Pass pass{rows, MakeSingleTupleTableSlot(of, &TTSOpsMinimalTuple), nullptr, nullptr, table_open(shadow, RowExclusiveLock),
	    CreateExecutorState(), makeNode(ResultRelInfo), columns, n, 0, generated, writer};
	pass.other = table_slot_create(pass.shadow, nullptr);
	pass.formed = MakeSingleTupleTableSlot(RelationGetDescr(pass.shadow), &TTSOpsVirtual);
	InitResultRelInfo(pass.info, pass.shadow, 1, nullptr, 0);
	WRITES_TO(pass.estate, pass.info);
	ExecOpenIndices(pass.info, true);
	return pass;
}

void end(const Pass &pass)
{
	ExecCloseIndices(pass.info);
	ExecDropSingleTupleTableSlot(pass.other);
	ExecDropSingleTupleTableSlot(pass.formed);
	ExecDropSingleTupleTableSlot(pass.row);
	FreeExecutorState(pass.estate);
	table_close(pass.shadow, NoLock);
	tuplestore_end(pass.rows);
}

void form(const Pass &pass)
{
	ExecClearTuple(pass.formed);
	const int all = pass.formed->tts_tupleDescriptor->natts;
	for (int i = 0; i < all; i++) pass.formed->tts_values[i] = 0, pass.formed->tts_isnull[i] = true;
	for (int i = 0; i < pass.n; i++) {
		pass.formed->tts_values[pass.columns[i] - 1] = pass.row->tts_values[i + 2];
		pass.formed->tts_isnull[pass.columns[i] - 1] = pass.row->tts_isnull[i + 2];
	}
	ExecStoreVirtualTuple(pass.formed);
	pass.formed->tts_tableOid = RelationGetRelid(pass.shadow);
	if (pass.generated) COMPUTE_GENERATED(pass.info, pass.estate, pass.formed);
}

bool is_written_by(const Pass &pass, ItemPointer row)
{
	if (!table_tuple_fetch_row_version(pass.shadow, row, SnapshotAny, pass.other)) return false;
	bool isnull;
	const TransactionId writer = DatumGetTransactionId(slot_getsysattr(pass.other, MinTransactionIdAttributeNumber, &isnull));
	ExecClearTuple(pass.other);
	return TransactionIdEquals(writer, pass.writer);
}

// Another one of the rows, by this index. A row of the new content that gives way goes first, so that the row is compared with its like.
bool equals_another(const Pass &pass, const UniqueIndex &index, ItemPointer other, bool *takes_part)
{
	while (!NO_OTHER_ROW(pass.info, pass.formed, pass.estate, other, index.only)) {
		if (is_written_by(pass, other)) return true;
		if (!index.mapped) return *takes_part = false;    // a collision, known by now
		simple_table_tuple_delete(pass.shadow, other, GetActiveSnapshot());
		CommandCounterIncrement();
	}
	return false;
}

// Returns how many it found; fewer than there is room for: the rows are at their end.
int look_up(const Pass &pass, const Indexes &indexes, Found *found, int room)
{
	int n = 0;
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	while (n + indexes.size <= room && tuplestore_gettupleslot(pass.rows, true, false, pass.row)) {
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(pass.row);
		MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(pass.estate));
		form(pass);
		bool takes_part = TransactionIdIsValid(pass.writer);
		for (int i = 0; i < indexes.size; i++) {
			ItemPointerData other;
			if (TransactionIdIsValid(pass.writer)) {
				if (!equals_another(pass, indexes.list[i], &other, &takes_part)) continue;
				takes_part = false;
			} else if (NO_OTHER_ROW(pass.info, pass.formed, pass.estate, &other, indexes.list[i].only)) continue;
			found[n++] = {*reinterpret_cast<ItemPointer>(DatumGetPointer(pass.row->tts_values[1])), other,
			    DatumGetObjectId(pass.row->tts_values[0]), i};
		}
		if (takes_part) {
			table_tuple_insert(pass.shadow, pass.formed, GetCurrentCommandId(true), 0, nullptr);
			INSERT_INDEX_ENTRIES(pass.info, pass.formed, pass.estate);
		}
		MemoryContextSwitchTo(old);
		ResetPerTupleExprContext(pass.estate);
	}
	PopActiveSnapshot();
	return n;
}

std::string address(const ItemPointerData &at)
{
	return "\"(" + std::to_string(ItemPointerGetBlockNumberNoCheck(&at)) + "," + std::to_string(ItemPointerGetOffsetNumberNoCheck(&at)) + ")\"";
}

void pass_over(const Refresh &refresh, const Rows &rows, const Indexes &indexes, TransactionId writer,
    const std::function<void(const Found *, int)> &take)
{
	const Oid original = static_cast<Oid>(rows.relation.oid), shadow = refresh.shadows.at(original);
	std::string selected = "k.rel, k.row_id";
	std::vector<AttrNumber> numbers;
	for (std::size_t i = 0; i < rows.columns.size(); i++)
		selected += ", " + rows.values[i], numbers.push_back(static_cast<AttrNumber>(rows.columns[i]->number));
	auto [store, desc] = pg::Tables(refresh.extension, pg::Plans::kept)
	                         .store("SELECT " + selected + " FROM " + rows.from + " WHERE " + rows.where, rows.arguments);
	Tuplestorestate *from = store;
	TupleDesc of = desc;
	AttrNumber *first = numbers.data();
	const bool generated = indexes.generated;
	const int n = static_cast<int>(numbers.size()), room = std::max(batch, indexes.size);
	std::optional<Pass> pass;
	std::vector<Found> found(static_cast<std::size_t>(room));
	for (Found *into = found.data();;) {
		int many;
		{
			AsOwner as(shadow);
			if (!pass) pass = pg::call([=] { return begin(from, of, shadow, first, n, generated, writer); });
			const Pass at = *pass;
			many = pg::call([=] { return look_up(at, indexes, into, room); });
		}
		if (many) take(into, many);
		if (many + indexes.size <= room) break;
	}
	const Pass at = *pass;
	pg::call([=] { end(at); });
}

}  // namespace

Indexes unique_indexes(const Refresh &refresh, const core::Relation &relation)
{
	const Oid original = static_cast<Oid>(relation.oid), shadow = refresh.shadows.at(original);
	AsOwner as(shadow);
	return pg::call([=] { return find_indexes(original, shadow); });
}

std::vector<const core::Column *> used_columns(const core::Relation &relation, const Indexes &indexes)
{
	std::vector<const core::Column *> out;
	for (const core::Column &column : relation.columns) {
		bool used = indexes.generated;
		for (int i = 0; i < indexes.size; i++) used |= indexes.list[i].uses[column.number];
		if (used && !column.generated) out.push_back(&column);
	}
	return out;
}

void look_up(const Refresh &refresh, const Rows &rows, const Indexes &indexes, Among among, const std::function<void(const Found *, int)> &take)
{
	if (among == Among::content) return pass_over(refresh, rows, indexes, InvalidTransactionId, take);
	// They are put into the shadow one after the other, and taken back: there is nothing else that compares as its indexes do.
	std::vector<Found> all;
	Subtransaction own;
	try {
		const TransactionId writer = pg::call([] { return GetCurrentTransactionId(); });
		pass_over(refresh, rows, indexes, writer, [&](const Found *found, int n) { all.insert(all.end(), found, found + n); });
	} catch (const pg::InFlight &) {
		own.roll_back();
		throw;
	} catch (const std::exception &) {
		own.roll_back();
		throw;
	}
	own.roll_back();
	for (std::size_t i = 0; i < all.size(); i += batch) take(all.data() + i, static_cast<int>(std::min<std::size_t>(batch, all.size() - i)));
}

Addresses addresses(const Found *found, int n, int index)
{
	std::string in, rows, others;
	for (const Found *one = found; one < found + n; ++one) {
		if (one->index != index) continue;
		const char *comma = rows.empty() ? "" : ",";
		in += comma + std::to_string(one->in), rows += comma + address(one->row), others += comma + address(one->other);
	}
	return {"{" + in + "}", "{" + rows + "}", "{" + others + "}"};
}

}  // namespace prodsync
