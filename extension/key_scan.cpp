#include "key_scan.hpp"
#include <algorithm>
#include "core/key_types.hpp"
#include "row_scan.hpp"
extern "C" {
#include "storage/bufmgr.h"
}

namespace prodsync {

namespace {

// A column of integers, seen in the catalog of this moment.
struct Place {
	Oid relation = InvalidOid;
	AttrNumber column = 0;
};

// What pg::call's lambdas work on: plain data.
struct Parents {
	std::vector<Place> places;
	KeySet *keys = nullptr;
	bool complete = true;
};
struct Lookup {
	AttrNumber column;
	std::int16_t width;
	const KeySet *parents;
	KeySet *used;    // of a table that stays
	std::int64_t orphans;
	bool complete;
};

// Integers on both sides by the catalog document, compared by the server's own "=": whatever the widths, that is equality of numbers.
bool suits(const Refresh &refresh, const core::ForeignKey &key)
{
	if (key.columns.size() != 1 || key.match == 'f' || key.period || key.equals[0] != "OPERATOR(pg_catalog.=)") return false;
	const core::Relation *child = refresh.catalog().find(key.child), *parent = refresh.catalog().find(key.parent);
	if (!child || !parent || (parent->kind != 'r' && !refresh.replaced(key.parent))) return false;
	const core::Column *from = child->column(key.columns[0]), *to = parent->column(key.referenced[0]);
	return from && to && core::is_integer(from->base) && core::is_integer(to->base);
}

// Nothing where the table or the column is not what the document says any more: the join says so in words.
std::optional<Place> find_place(Oid relation, const std::string &name)
{
	const char *column = name.c_str();
	Place place{relation, 0};
	place.column = pg::call([=]() -> AttrNumber {
		Relation rel = try_relation_open(relation, AccessShareLock);
		if (!rel) return 0;
		AttrNumber number = rel->rd_rel->relkind == RELKIND_RELATION ? get_attnum(relation, column) : InvalidAttrNumber;
		if (number > 0) {
			Oid type = getBaseType(TupleDescAttr(RelationGetDescr(rel), number - 1)->atttypid);
			if (type != INT2OID && type != INT4OID && type != INT8OID) number = 0;
		}
		table_close(rel, NoLock);    // the lock stays to the end, as with a query
		return std::max<AttrNumber>(number, 0);
	});
	return place.column ? std::optional(place) : std::nullopt;
}

std::int64_t integer(Datum value, std::int16_t width)
{
	return width == 2 ? DatumGetInt16(value) : width == 4 ? DatumGetInt32(value) : DatumGetInt64(value);
}

bool is_empty(Oid relation)
{
	Relation rel = table_open(relation, AccessShareLock);
	const bool empty = RelationGetNumberOfBlocks(rel) == 0;
	table_close(rel, NoLock);
	return empty;
}

std::int16_t width_of(Oid relation, AttrNumber column)
{
	Relation rel = table_open(relation, AccessShareLock);
	std::int16_t width = TupleDescAttr(RelationGetDescr(rel), column - 1)->attlen;
	table_close(rel, NoLock);
	return width;
}

// Reads the parents' keys; false where they do not fit.
bool fill(KeySet *keys, const Place *place, std::size_t places)
{
	bool fits = true;
	for (const Place *end = place + places; fits && place < end; ++place) {
		const int at = place->column - 1;
		const std::int16_t width = width_of(place->relation, place->column);
		scan_rows(place->relation, place->column,
		    [&](TupleTableSlot *row) { return fits = row->tts_isnull[at] || keys->add(integer(row->tts_values[at], width)); });
	}
	return fits;
}

void look_up(Oid child, AttrNumber last, Lookup *lookups, std::size_t count)
{
	scan_rows(child, last, [=](TupleTableSlot *row) {
		for (Lookup *one = lookups; one < lookups + count; ++one) {
			const int at = one->column - 1;
			if (row->tts_isnull[at] || !one->complete) continue;
			const std::int64_t key = integer(row->tts_values[at], one->width);
			one->orphans += !one->parents->contains(key);
			if (one->used) one->complete = one->used->add(key);
		}
		return true;
	});
}

// The memory of one verification: sets that turn out not to fit are given back at once.
class Budget {
	MemoryContext all_ = nullptr;
	std::size_t left_ = static_cast<std::size_t>(maintenance_work_mem) * 1024;
	std::map<KeySet *, MemoryContext> sets_;

public:
	Budget() : all_(pg::call([] { return AllocSetContextCreate(CurrentMemoryContext, "prodsync keys", ALLOCSET_DEFAULT_SIZES); })) {}

	std::size_t left() const { return left_; }
	KeySet *make(std::size_t limit)
	{
		MemoryContext parent = all_;
		MemoryContext own = pg::call([=] { return AllocSetContextCreate(parent, "prodsync keys of one column", ALLOCSET_DEFAULT_SIZES); });
		void *place = pg::call([=] { return MemoryContextAlloc(own, sizeof(KeySet)); });
		KeySet *keys = new (place) KeySet(
		    [](void *where, std::size_t bytes) { return MemoryContextAllocZero(static_cast<MemoryContext>(where), bytes); }, own,
		    limit);
		sets_[keys] = own;
		return keys;
	}
	// The set will not grow any more.
	void settle(const KeySet *keys) { left_ -= std::min(left_, keys->bytes()); }
	void free(KeySet *keys)
	{
		MemoryContext own = sets_.at(keys);
		sets_.erase(keys);
		pg::call([=] { MemoryContextDelete(own); });
	}
};

}  // namespace

KeyScan::KeyScan(const Refresh &refresh, const std::vector<const core::ForeignKey *> &keys, const core::Name &child_relation)
{
	const Oid child = refresh.shadows.at(refresh.oid(child_relation));
	std::map<std::pair<core::Name, std::string>, Parents> parents;    // many columns reference one table of users
	std::vector<const core::ForeignKey *> suitable;
	std::map<const core::ForeignKey *, Place> columns;
	for (const core::ForeignKey *key : keys) {
		if (!suits(refresh, *key)) continue;
		std::optional<Place> column = find_place(child, key->columns[0]);
		if (!column) continue;
		auto [found, is_new] = parents.try_emplace({key->parent, key->referenced[0]});
		if (is_new)
			for (const core::Relation *leaf : refresh.catalog().storage(key->parent)) {
				Oid relation = static_cast<Oid>(leaf->oid);
				std::optional<Place> place = find_place(refresh.replaced(key->parent) ? refresh.shadows.at(relation) : relation, key->referenced[0]);
				if (!(found->second.complete = place.has_value())) break;
				found->second.places.push_back(*place);
			}
		if (!found->second.complete) continue;
		columns[key] = *column;
		suitable.push_back(key);
	}
	if (suitable.empty()) return;
	if (pg::call([=] { return is_empty(child); })) {    // of what a refresh empties: no reason to read its parents
		for (const core::ForeignKey *key : suitable) counted_[key] = {};
		return;
	}

	pg::call([] {
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
	});
	Budget budget;
	for (auto &[name, one] : parents) {
		if (!one.complete) continue;
		KeySet *set = one.keys = budget.make(budget.left());
		const Place *places = one.places.data();
		const std::size_t count = one.places.size();
		if (!(one.complete = pg::call([=] { return fill(set, places, count); }))) budget.free(set);
		else budget.settle(set);
	}
	std::vector<Lookup> lookups;
	AttrNumber last = 0;
	std::vector<const core::ForeignKey *> looked_up;
	for (const core::ForeignKey *key : suitable) {
		const Parents &of = parents.at({key->parent, key->referenced[0]});
		if (!of.complete) continue;
		AttrNumber column = columns.at(key).column;
		std::int16_t width = pg::call([=] { return width_of(child, column); });
		lookups.push_back({column, width, of.keys, nullptr, 0, true});
		looked_up.push_back(key);
		last = std::max(last, column);
	}
	// These grow side by side, so each has its share.
	const auto stays = [&](const core::ForeignKey *key) { return !refresh.replaced(key->parent); };
	const auto staying = static_cast<std::size_t>(std::count_if(looked_up.begin(), looked_up.end(), stays));
	for (std::size_t i = 0; i < lookups.size(); i++)
		if (stays(looked_up[i])) lookups[i].used = budget.make(budget.left() / staying);
	Lookup *first = lookups.data();
	const std::size_t count = lookups.size();
	if (count) pg::call([=] { look_up(child, last, first, count); });
	pg::call([] { PopActiveSnapshot(); });
	for (std::size_t i = 0; i < count; i++)
		if (lookups[i].complete) counted_[looked_up[i]] = {lookups[i].orphans, lookups[i].used};
}

std::optional<std::int64_t> KeyScan::orphans(const core::ForeignKey &key) const
{
	auto found = counted_.find(&key);
	return found == counted_.end() ? std::nullopt : std::optional(found->second.orphans);
}

void KeyScan::used_keys(const core::ForeignKey &key, std::size_t batch, const std::function<void(const std::string &)> &take) const
{
	auto found = counted_.find(&key);
	if (found == counted_.end() || !found->second.used) return;
	std::string literal;
	std::size_t held = 0;
	found->second.used->each([&](std::int64_t value) {
		literal += (literal.empty() ? "{" : ",") + std::to_string(value);
		if (++held < batch) return;
		take(literal + "}");
		literal.clear(), held = 0;
	});
	if (held) take(literal + "}");
}

}  // namespace prodsync
