// Collisions are looked up as the server would notice them: the row is formed with its new values, and the shadow's own index is asked for it
// (ExecCheckIndexConstraints, as INSERT ... ON CONFLICT does). So a key may be made of expressions, have a predicate, compare by operators of an
// extension, count NULLs as equal, or exclude by overlap; whatever the index says is right.
//
// Expressions and predicates are code of the table's owner: everything that may run some (the index list's expressions are folded when they are read)
// happens as that owner, in a restricted operation, as pg::Tables does it for statements. The rows come out of a statement of pg::Tables.
#include "collisions.hpp"
#include <algorithm>
#include "layout.hpp"
#include "pg_versions.hpp"
#include "shadow.hpp"
extern "C" {
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

struct UniqueIndex {         // plain data for pg::call
	Oid index = InvalidOid;  // of the shadow
	NameData name{};         // of the original's
	bool *uses = nullptr;    // by attribute number: columns of its key, expressions and predicate
	List *only = NIL;        // of this index, as an arbiter
	bool mapped = false, overlaps = false;    // overlaps: rows that exclude each other need not be equal
};
struct Found {
	ItemPointerData row, other;
	int index;
};
constexpr int batch = 1000;

struct Indexes {
	UniqueIndex *list;
	int size, columns;
	bool generated;    // one of them uses a generated column, so all columns are needed to compute it
};

void note_columns(Node *expression, bool *uses, int columns)
{
	Bitmapset *found = nullptr;
	pull_varattnos(expression, 1, &found);
	for (int i = -1; (i = bms_next_member(found, i)) >= 0;) {
		const int column = i + FirstLowInvalidHeapAttributeNumber;
		if (column > 0 && column <= columns) uses[column] = true;
	}
}

Indexes unique_indexes(Oid original, Oid shadow)
{
	Relation rel = table_open(original, AccessShareLock), of = table_open(shadow, AccessShareLock);
	List *twins = list_copy(RelationGetIndexList(of));
	Indexes out{static_cast<UniqueIndex *>(palloc0(sizeof(UniqueIndex) * static_cast<Size>(list_length(twins) + 1))), 0, RelationGetNumberOfAttributes(of), false};
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

// One pass over the rows of a relation that are brought. Between two batches what was found is written down, as the extension's owner.
struct Pass {
	Tuplestorestate *rows;
	TupleTableSlot *row, *formed;
	Relation shadow;
	EState *estate;
	ResultRelInfo *info;
	AttrNumber *columns;    // attribute number of each column of `rows` but the first, which is the row's address
	int n, capacity;
	bool generated;
};

Pass begin(Tuplestorestate *rows, TupleDesc of, Oid shadow, AttrNumber *columns, int n, bool generated)
{
	Pass pass{rows, MakeSingleTupleTableSlot(of, &TTSOpsMinimalTuple), nullptr, table_open(shadow, RowExclusiveLock), CreateExecutorState(), makeNode(ResultRelInfo), columns, n, 0, generated};
	pass.formed = MakeSingleTupleTableSlot(RelationGetDescr(pass.shadow), &TTSOpsVirtual);
	InitResultRelInfo(pass.info, pass.shadow, 1, nullptr, 0);
	WRITES_TO(pass.estate, pass.info);
	ExecOpenIndices(pass.info, true);
	return pass;
}

void end(const Pass &pass)
{
	ExecCloseIndices(pass.info);
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
		pass.formed->tts_values[pass.columns[i] - 1] = pass.row->tts_values[i + 1];
		pass.formed->tts_isnull[pass.columns[i] - 1] = pass.row->tts_isnull[i + 1];
	}
	ExecStoreVirtualTuple(pass.formed);
	pass.formed->tts_tableOid = RelationGetRelid(pass.shadow);
	if (pass.generated) COMPUTE_GENERATED(pass.info, pass.estate, pass.formed);
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
		for (int i = 0; i < indexes.size; i++) {
			ItemPointerData other;
			if (NO_OTHER_ROW(pass.info, pass.formed, pass.estate, &other, indexes.list[i].only)) continue;
			found[n++] = {*reinterpret_cast<ItemPointer>(DatumGetPointer(pass.row->tts_values[0])), other, i};
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

void write_down(const Refresh &refresh, const core::Name &table, Oid rel, const Indexes &indexes, const Found *found, int n)
{
	if (n == 0) return;
	pg::AsExtension as(refresh.extension);
	pg::Spi spi;
	for (int i = 0; i < indexes.size; i++) {
		std::string rows, others;
		for (const Found *one = found; one < found + n; ++one)
			if (one->index == i) rows += (rows.empty() ? "" : ",") + address(one->row), others += (others.empty() ? "" : ",") + address(one->other);
		if (rows.empty()) continue;
		spi.run("INSERT INTO prodsync_work.collision (tab, rel, row_id, index_name, mapped, other) SELECT $1::oid, $2::oid, r, $3::name, $4::bool, o FROM unnest($5::tid[], $6::tid[]) AS u (r, o)",
				{std::to_string(refresh.oid(table)), std::to_string(rel), std::string(NameStr(indexes.list[i].name)), indexes.list[i].mapped ? "t" : "f", "{" + rows + "}", "{" + others + "}"});
	}
}

// Ids that production's were mapped to (users), or that were moved to a kept row in this switch already.
bool holds_mapped(const Refresh &refresh, const core::Name &table, const core::Relation &relation, const UniqueIndex &index, const std::set<core::Name> &gave_way)
{
	for (const core::Column &column : relation.columns) {
		if (!index.uses[column.number]) continue;
		const core::Identity *identity = refresh.graph.identity(table, column.name);
		if (!identity || (identity->table == table && identity->column == column.name)) continue;
		if (refresh.graph.node(identity->table).mapped || gave_way.count(identity->table)) return true;
	}
	return false;
}

void look_up_relation(const Refresh &refresh, const core::Name &table, const core::Relation &relation, const std::set<core::Name> &gave_way)
{
	const Oid original = static_cast<Oid>(relation.oid), shadow = refresh.shadows.at(original);
	Indexes indexes;
	{
		AsOwner as(shadow);
		indexes = pg::call([=] { return unique_indexes(original, shadow); });
	}
	if (indexes.size == 0) return;
	for (int i = 0; i < indexes.size; i++) indexes.list[i].mapped = !indexes.list[i].overlaps && holds_mapped(refresh, table, relation, indexes.list[i], gave_way);
	std::vector<const core::Column *> columns;
	for (const core::Column &column : relation.columns) {
		bool used = indexes.generated;
		for (int i = 0; i < indexes.size; i++) used |= indexes.list[i].uses[column.number];
		if (used && !column.generated) columns.push_back(&column);
	}
	Brought rows = brought(refresh, table, "ONLY " + relation.name.sql() + " AS t", columns);
	std::string selected = "k.row_id";
	std::vector<AttrNumber> numbers;
	for (std::size_t i = 0; i < columns.size(); i++) selected += ", " + rows.values[i], numbers.push_back(static_cast<AttrNumber>(columns[i]->number));
	auto [store, desc] = pg::Tables(refresh.extension, pg::Plans::kept).store("SELECT " + selected + " FROM " + rows.from + " WHERE k.rel = $1::oid AND " + is_brought, {std::to_string(original)});
	Tuplestorestate *from = store;
	TupleDesc of = desc;
	AttrNumber *first = numbers.data();
	const int n = static_cast<int>(numbers.size()), room = std::max(batch, indexes.size);
	std::optional<Pass> pass;
	std::vector<Found> found(static_cast<std::size_t>(room));
	for (Found *into = found.data();;) {
		int many;
		{
			AsOwner as(shadow);
			if (!pass) pass = pg::call([=] { return begin(from, of, shadow, first, n, indexes.generated); });
			const Pass at = *pass;
			many = pg::call([=] { return look_up(at, indexes, into, room); });
		}
		write_down(refresh, table, original, indexes, into, many);
		if (many + indexes.size <= room) break;
	}
	const Pass at = *pass;
	pg::call([=] { end(at); });
}

}  // namespace

void find_collisions(const Refresh &refresh, const core::Name &table, const std::set<core::Name> &gave_way)
{
	std::set<Oid> leaves;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		sql.run("DELETE FROM prodsync_work.collision WHERE tab = $1::oid", {std::to_string(refresh.oid(table))});
		for (const pg::Row &row : sql.rows(std::string("SELECT DISTINCT k.rel FROM prodsync_work.kept k WHERE k.tab = $1::oid AND ") + is_brought, {std::to_string(refresh.oid(table))}))
			leaves.insert(static_cast<Oid>(std::stoul(*row[0])));
	}
	for (const core::Relation *leaf : refresh.catalog().storage(table)) {
		if (leaves.count(static_cast<Oid>(leaf->oid))) look_up_relation(refresh, table, *leaf, gave_way);
		pg::check_interrupts();
	}
}

void find_collisions(const Refresh &refresh)
{
	if (refresh.nothing_comes) return;
	std::vector<core::Name> tables;
	{
		pg::Tables sql(refresh.extension, pg::Plans::kept);
		tables = tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'");
	}
	for (const core::Name &table : tables) find_collisions(refresh, table, {});
}

// Keys of some rows of a relation, where they may be shown: integers and uuids. `where` over kept as k and the row as t.
static void add_keys(pg::Tables &sql, const Refresh &refresh, const core::Relation &leaf, const std::string &from, const std::string &where, const pg::Row &args, core::json &detail)
{
	const std::string own = core::single_key(*refresh.graph.node(refresh.catalog().root(leaf.name)).relation);
	const core::Column *key = own.empty() ? nullptr : leaf.column(own);
	if (!key || (key->base != "uuid" && key->base != "bigint" && key->base != "integer" && key->base != "smallint")) return;
	core::json keys = core::json::array();
	for (const pg::Row &one : sql.rows("SELECT t." + core::quote_identifier(own) + "::text FROM " + from + " JOIN ONLY " + leaf.name.sql() + " AS t ON t.ctid = k.row_id WHERE " + where + " ORDER BY t." + core::quote_identifier(own) + " LIMIT 5", args))
		keys.push_back(*one[0]);
	detail["kept_keys"] = keys;
}

static std::map<Oid, core::Name> names_of_relations(const Refresh &refresh)
{
	std::map<Oid, core::Name> out;
	for (const auto &[name, relation] : refresh.catalog().relations) out[static_cast<Oid>(relation.oid)] = name;
	return out;
}

std::vector<Check> drop_colliding(const Refresh &refresh)
{
	if (refresh.config().on_collision != "source") return {};
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::uint64_t found = sql.run(std::string("UPDATE prodsync_work.kept k SET state = 'd' FROM prodsync_work.collision c WHERE c.rel = k.rel AND c.row_id = k.row_id AND NOT c.mapped AND ") + is_brought);
	if (found == 0) return {};
	while (found > 0) {
		found = 0;
		const std::vector<core::Name> dropped = tables_with_kept_rows(sql, refresh, "state = 'd'");
		const std::set<core::Name> parents(dropped.begin(), dropped.end());
		for (const core::Name &child : tables_with_kept_rows(sql, refresh, "state = 'b' AND why <> 'r'"))
			for (const core::ForeignKey *key : refresh.graph.from(child)) {
				if (!parents.count(refresh.catalog().root(key->parent))) continue;
				found += sql.run("UPDATE prodsync_work.kept k SET state = 'd' FROM " + refresh.old_rows(child, "c") + " JOIN " + refresh.old_rows(key->parent, "p") + " ON " + key_equals(*key, "p", "c") +
									 " JOIN prodsync_work.kept pk ON pk.rel = p.tableoid AND pk.row_id = p.ctid AND pk.state = 'd' WHERE k.tab = $1::oid AND k.rel = c.tableoid AND k.row_id = c.ctid AND " + is_brought,
								 {std::to_string(refresh.oid(child))});
				pg::check_interrupts();
			}
	}
	std::map<Oid, core::Name> names = names_of_relations(refresh);
	std::vector<Check> out;
	for (const pg::Row &row : sql.rows("SELECT rel, count(*) FROM prodsync_work.kept WHERE state = 'd' GROUP BY 1")) {
		const core::Relation &leaf = *refresh.catalog().find(names.at(static_cast<Oid>(std::stoul(*row[0]))));
		core::json detail{{"text", "kept rows that have a unique key of a row from the source, or reference such a row, are dropped (on_collision: source)"}};
		add_keys(sql, refresh, leaf, "prodsync_work.kept k", "k.rel = $1::oid AND k.state = 'd'", {row[0]}, detail);
		out.push_back({"kept rows dropped", leaf.name.shown(), std::stoll(*row[1]), detail.dump(), true});
	}
	std::sort(out.begin(), out.end(), [](const Check &a, const Check &b) { return a.object < b.object; });
	prune_supporting(refresh);
	return out;
}

std::vector<Check> check_collisions(const Refresh &refresh)
{
	pg::Tables sql(refresh.extension, pg::Plans::kept);
	std::map<Oid, core::Name> names = names_of_relations(refresh);
	std::vector<Check> out;
	for (const pg::Row &row : sql.rows(std::string("SELECT c.rel, c.index_name, count(*) FROM prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id) WHERE NOT c.mapped AND ") +
		is_brought + " GROUP BY 1, 2")) {
		const core::Relation &leaf = *refresh.catalog().find(names.at(static_cast<Oid>(std::stoul(*row[0]))));
		core::json detail{{"index", *row[1]}, {"text", "a kept row has the same unique key as a row from the source"}};
		add_keys(sql, refresh, leaf, "prodsync_work.collision c JOIN prodsync_work.kept k USING (rel, row_id)", std::string("c.rel = $1::oid AND c.index_name = $2::name AND ") + is_brought, {row[0], row[1]}, detail);
		out.push_back({"collision", leaf.name.shown() + "." + *row[1], std::stoll(*row[2]), detail.dump(), false});
	}
	std::sort(out.begin(), out.end(), [](const Check &a, const Check &b) { return a.object < b.object; });
	return out;
}

}  // namespace prodsync
