// sync_detect_pii(): which columns of this database look personal, by core's detection. Rows are sampled as every row of users' tables is
// read here, by Tables; what comes out are categories and counts, never a value. Keys inside of JSON documents are shown to those who may
// read the column: they can be data.
#include <algorithm>
#include <cmath>
#include <set>
#include "condition.hpp"
#include "core/detect.hpp"
#include "core/masking.hpp"
#include "core/name.hpp"
#include "core/words.hpp"
#include "inputs.hpp"
#include "locks.hpp"

namespace prodsync {

static constexpr int patience_ms = 10'000;    // for the locks of all tables together

// The tables that were named, or all.
static std::set<core::Name> chosen_tables(FunctionCallInfo fcinfo, const core::Catalog &catalog)
{
	std::set<core::Name> tables;
	if (!pg::has_arg(fcinfo, 0)) {
		for (const core::Relation *table : catalog.tables()) tables.insert(table->name);
		return tables;
	}
	for (const Oid oid : pg::arg_oids(fcinfo, 0)) {
		const auto all = catalog.tables();
		const auto table = std::find_if(
		    all.begin(), all.end(), [&](const core::Relation *one) { return one->oid == static_cast<std::int64_t>(oid); });
		if (table == all.end())
			throw pg::Error(ERRCODE_WRONG_OBJECT_TYPE,
			    "relation with OID " + std::to_string(oid) + " is no table of this database whose rows could be refreshed", {},
			    "Name ordinary tables, or the root of a partitioned one.");
		tables.insert((*table)->name);
	}
	return tables;
}

static std::string evidence_for(const core::PersonalColumn &column, const core::Relation &table)
{
	if (column.personal.leaves.empty() || may_select(table, column.column)) return column.personal.evidence;
	std::vector<std::string> what;
	for (const core::PersonalLeaf &leaf : column.personal.leaves)
		if (std::find(what.begin(), what.end(), core::shown(leaf.category)) == what.end()) what.emplace_back(core::shown(leaf.category));
	return "inside of it: " + core::listed(what);
}

PG_FUNCTION(prodsync_detect_pii)
{
	const pg::Extension extension = pg::extension_of(fcinfo);
	const core::Catalog catalog = core::Catalog::parse(target_document(extension));
	const auto tables = chosen_tables(fcinfo, catalog);
	struct OfTable {
		const core::Relation *table;
		std::vector<std::string> columns;
		std::vector<core::SampleStatement> statements;
	};
	std::vector<OfTable> samples;
	std::vector<Wanted> locks;
	for (const core::Name &name : tables) {
		const core::Relation &table = *catalog.find(name);
		const auto columns = core::sampled_columns(table);
		if (columns.empty()) continue;
		samples.push_back({&table, columns, core::sample_statements(catalog, table, columns)});
		for (const core::SampleStatement &one : samples.back().statements)
			locks.push_back({static_cast<Oid>(catalog.find(one.relation)->oid), Strength::access_share});
	}
	if (const auto holders = try_locks(locks, patience_ms))
		throw pg::Error(PS_LOCKED, holders->relation + " is in use", holders->json, "Try again; DETAIL says who holds it.");
	core::Contents contents;
	pg::Tables sql(extension);
	{
		// As the client reads its samples (client/samples.cpp): by the index, without compiling, and not waiting long for one that is rebuilt.
		pg::Settings settings;
		settings.set("enable_seqscan", "off"), settings.set("jit", "off"), settings.set("lock_timeout", std::to_string(patience_ms));
		for (const auto &[table, columns, statements] : samples) {
			for (const core::SampleStatement &sample : statements)
				for (const pg::Row &row : sql.rows(sample.sql)) core::add_sample(contents[table->name], *table, columns, row);
			pg::check_interrupts();
		}
	}
	std::vector<pg::Row> out;
	for (const core::PersonalColumn &column : core::list_personal(core::Config{}, catalog, contents, core::flagged)) {
		if (!tables.contains(column.table)) continue;
		const std::string hundredths =
		    std::to_string(100 + std::lround(100 * column.personal.confidence));  // 1.97 and its like: two digits, always
		const std::string confidence = std::to_string(hundredths[0] - '1') + "." + hundredths.substr(1);
		// A rule for parts of a document has their names in it.
		const std::string rule = column.fits.inside.empty() || may_select(*catalog.find(column.table), column.column) ? column.rule() : "";
		out.push_back({column.table.shown(), column.column, core::shown(column.personal.category), confidence,
		    evidence_for(column, *catalog.find(column.table)), rule.empty() ? pg::Value() : pg::Value(rule)});
	}
	return pg::table(fcinfo, out);
}

}  // namespace prodsync
