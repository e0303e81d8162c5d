#include "samples.hpp"

#include <algorithm>
#include <chrono>

#include "fault_point.hpp"
#include "output.hpp"

namespace client {

namespace {

using namespace std::chrono;
constexpr milliseconds patience = 10s, least_patience = 200ms;

// The rows of one statement, as text. Of a table of empty pages the planner thinks that the index leads to every page, and would read all of it.
// The snapshot's transaction lasts as long as the load: a table's lock is given back at once.
std::vector<core::Row> sampled(Connection &source, const std::string &sql, milliseconds lock_timeout)
{
	source.exec("SAVEPOINT sample; SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL lock_timeout = " +
	    std::to_string(lock_timeout.count()));
	auto rows = source.exec(sql).all();
	source.exec("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
	return rows;
}

}  // namespace

Samples read_samples(Connection &source, const core::Catalog &catalog, const std::set<core::Name> &tables,
    const core::Masking &ruled, UnmatchedPaths *unmatched, Look look)
{
	Samples samples;
	milliseconds left = patience;    // for all locks together: a night shall not wait ten seconds for each of a hundred partitions
	for (const core::Name &name : tables) {
		const core::Relation *table = catalog.find(name);
		if (!table || !table->readable || !table->bypasses_row_security) continue;    // the plan says so; detect lists them
		auto columns = core::sampled_columns(*table);
		const auto of_table = ruled.find(name);
		const auto rule_of = [&](const std::string &column) -> const core::MaskRule * {
			if (of_table == ruled.end()) return nullptr;
			const auto rule = of_table->second.find(column);
			return rule == of_table->second.end() ? nullptr : &rule->second;
		};
		std::erase_if(columns, [&](const std::string &column) {
			const core::MaskRule *rule = rule_of(column);
			return rule ? rule->inside.empty() : look == Look::parts;    // of one with rules for parts the rest is looked at
		});
		if (columns.empty()) continue;
		FAULT_POINT("sampling");
		for (const core::SampleStatement &one : core::sample_statements(catalog, *table, columns)) {
			const auto begun = steady_clock::now();
			try {
				for (const core::Row &row : sampled(source, one.sql, std::max(left, least_patience))) {
					core::add_sample(samples.contents[name], *table, columns, row);
					for (std::size_t c = 0; unmatched && c < columns.size(); ++c)
						if (const core::MaskRule *rule = rule_of(columns[c]); row[c] && rule && !rule->inside.empty())
							unmatched->see(name, *table->column(columns[c]), *rule, *row[c]);
				}
			} catch (Error &error) {
				if (!source.usable() || error.exit_code != exit_other) throw;
				const bool locked = error.sqlstate == "55P03";
				if (!locked && error.sqlstate != "42501")    // a partition that may not be read, perhaps: the plan names what is missing
					throw Error(error.exit_code, error.what() + (" (sampling " + one.relation.shown() + ")"), error.hint,
					    error.detail, error.sqlstate);
				source.exec("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
				if (!locked) continue;
				samples.locked.push_back(one.relation);
				left -= std::min(left, duration_cast<milliseconds>(steady_clock::now() - begun));
			}
		}
	}
	return samples;
}

std::string Samples::locked_tables() const
{
	std::vector<std::string> names;
	for (const core::Name &name : locked) names.push_back(name.shown());
	return list(names, 5) + (names.size() == 1 ? " is locked" : " are locked");
}

}  // namespace client
