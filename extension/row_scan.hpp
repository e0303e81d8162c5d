// Rows as they lie in a table, for checks of prodsync's own that run nobody's code: no operator, no cast, no detoasting.
#pragma once
#include "pg_server.hpp"

namespace prodsync {

// Calls f(slot) for every row that is visible now, with the columns up to `last` taken apart, until it says false. Values of other columns stay as
// they are: nothing is detoasted. May longjmp.
template <class F> void scan_rows(Oid relation, AttrNumber last, F f)
{
	Relation rel = table_open(relation, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, nullptr);
	TableScanDesc rows = table_beginscan(rel, GetActiveSnapshot(), 0, nullptr);
	while (table_scan_getnextslot(rows, ForwardScanDirection, slot)) {
		CHECK_FOR_INTERRUPTS();
		slot_getsomeattrs(slot, last);
		if (!f(slot)) break;
	}
	table_endscan(rows);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
}

}  // namespace prodsync
