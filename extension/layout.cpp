// Comparing an original with its shadow: columns, rules, indexes. Under the locks of the switch; no lock is taken on indexes.
#include "layout.hpp"
#include "pg_versions.hpp"

namespace prodsync {

void refuse(Relation rel, const char *why)
{
	pg::raise(PS_STALE, "\"%s\" was changed while it was being refreshed: %s", RelationGetRelationName(rel), why);
}

static bool same_column(TupleDesc x, TupleDesc y, int i)
{
	Form_pg_attribute p = TupleDescAttr(x, i), q = TupleDescAttr(y, i);
	if (p->attisdropped != q->attisdropped || p->attlen != q->attlen || p->attalign != q->attalign || p->attbyval != q->attbyval) return false;
	return p->attisdropped ||
	    (p->atttypid == q->atttypid && p->atttypmod == q->atttypmod && p->attcollation == q->attcollation &&
	        p->attgenerated == q->attgenerated && (!NOT_NULL(x, i) || q->attnotnull) &&
	        namestrcmp(&p->attname, NameStr(q->attname)) == 0);
}

static bool has_rule(List *have, const CookedConstraint *want)
{
	ListCell *c;
	foreach(c, have) {
		CookedConstraint *h = static_cast<CookedConstraint *>(lfirst(c));
		if (h->contype == want->contype && h->attnum == want->attnum && equal(h->expr, want->expr)) return true;
	}
	return false;
}

void check_layout(Relation rel, Relation shadow)
{
	Form_pg_class a = rel->rd_rel, b = shadow->rd_rel;
	if (a->relkind != RELKIND_RELATION || b->relkind != RELKIND_RELATION || a->relfilenode == 0 || b->relfilenode == 0)
		refuse(rel, "it is no ordinary table");
	if (b->relnamespace != work_schema()) refuse(rel, "the other table is not a shadow");
	if (a->relam != b->relam || a->relpersistence != b->relpersistence || a->relowner != b->relowner)
		refuse(rel, "its access method, persistence or owner");
	if (shadow->trigdesc || shadow->rd_rules || b->relrowsecurity) refuse(rel, "somebody changed its shadow");
	TupleDesc x = RelationGetDescr(rel), y = RelationGetDescr(shadow);
	if (x->natts != y->natts) refuse(rel, "a column was added");
	for (int i = 0; i < x->natts; i++)
		if (!same_column(x, y, i)) refuse(rel, "a column");
	List *have = rules_of(shadow);
	ListCell *c;
	foreach(c, rules_of(rel)) {
		CookedConstraint *want = static_cast<CookedConstraint *>(lfirst(c));
		if (want->contype == CONSTR_DEFAULT && TupleDescAttr(x, want->attnum - 1)->attgenerated == '\0') continue;
		if (!has_rule(have, want)) refuse(rel, "a check constraint, generated column or partition bound");
	}
}

static bool same_value(int cache, HeapTuple a, HeapTuple b, int column, bool tree)
{
	bool na, nb;
	Datum x = SysCacheGetAttr(cache, a, static_cast<AttrNumber>(column), &na), y = SysCacheGetAttr(cache, b, static_cast<AttrNumber>(column), &nb);
	if (na || nb) return na && nb;
	return tree ? equal(stringToNode(TextDatumGetCString(x)), stringToNode(TextDatumGetCString(y))) : datumIsEqual(x, y, false, -1);
}

static bool same_options(Oid a, Oid b, int columns)
{
	for (int i = 1; i <= columns; i++) {
		Datum x = get_attoptions(a, static_cast<int16>(i)), y = get_attoptions(b, static_cast<int16>(i));
		if ((x == 0) != (y == 0) || (x != 0 && !datumIsEqual(x, y, false, -1))) return false;
	}
	return true;
}

static bool same_operators(Oid a, Oid b)    // of exclusion constraints
{
	HeapTuple e = SearchSysCache1(CONSTROID, ObjectIdGetDatum(get_index_constraint(a)));
	HeapTuple f = SearchSysCache1(CONSTROID, ObjectIdGetDatum(get_index_constraint(b)));
	bool same = HeapTupleIsValid(e) && HeapTupleIsValid(f) && same_value(CONSTROID, e, f, Anum_pg_constraint_conexclop, false);
	if (HeapTupleIsValid(e)) ReleaseSysCache(e);
	if (HeapTupleIsValid(f)) ReleaseSysCache(f);
	return same;
}

static bool same_index(Relation rel, Oid index, Oid other)
{
	HeapTuple a = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index)), b = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(other));
	HeapTuple ca = SearchSysCache1(RELOID, ObjectIdGetDatum(index)), cb = SearchSysCache1(RELOID, ObjectIdGetDatum(other));
	if (!HeapTupleIsValid(a) || !HeapTupleIsValid(b) || !HeapTupleIsValid(ca) || !HeapTupleIsValid(cb)) refuse(rel, "an index is gone");
	Form_pg_index x = reinterpret_cast<Form_pg_index>(GETSTRUCT(a)), y = reinterpret_cast<Form_pg_index>(GETSTRUCT(b));
	Form_pg_class p = reinterpret_cast<Form_pg_class>(GETSTRUCT(ca)), q = reinterpret_cast<Form_pg_class>(GETSTRUCT(cb));
	bool same = (y->indisvalid || !x->indisvalid) && p->relam == q->relam && p->relpersistence == q->relpersistence && x->indnatts == y->indnatts &&
				x->indnkeyatts == y->indnkeyatts && x->indisexclusion == y->indisexclusion &&
				(!x->indisvalid || (x->indisunique == y->indisunique && !NULLS_DIFFER(x, y)));
	for (int column : {Anum_pg_index_indkey, Anum_pg_index_indcollation, Anum_pg_index_indclass, Anum_pg_index_indoption})
		same = same && same_value(INDEXRELID, a, b, column, false);
	for (int column : {Anum_pg_index_indexprs, Anum_pg_index_indpred}) same = same && same_value(INDEXRELID, a, b, column, true);
	same = same && same_value(RELOID, ca, cb, Anum_pg_class_reloptions, false) && same_options(index, other, x->indnatts);
	same = same && (!x->indisexclusion || same_operators(index, other));
	if (same && y->indcheckxmin) refuse(rel, "older transactions cannot use an index of the shadow (rows were updated before it was built)");
	ReleaseSysCache(a), ReleaseSysCache(b), ReleaseSysCache(ca), ReleaseSysCache(cb);
	return same;
}

Oid twin_of(Relation rel, Oid index, List *others)
{
	ListCell *c;
	foreach(c, others)
		if (same_index(rel, index, lfirst_oid(c))) return lfirst_oid(c);
	return InvalidOid;
}

}  // namespace prodsync
