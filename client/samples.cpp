#include "samples.hpp"

#include "fault_point.hpp"

namespace client {

core::Contents read_samples(Connection &source, const core::Catalog &catalog, const std::set<core::Name> &tables, const core::Masking &ruled,
	UnmatchedPaths *unmatched)
{
	core::Contents contents;
	for (const core::Name &name : tables) {
		const core::Relation *table = catalog.find(name);
		if (!table || !table->readable || !table->bypasses_row_security) continue;    // the plan says so; detect lists them
		auto columns = core::sampled_columns(*table);
		const auto of_table = ruled.find(name);
		const core::TableMasking *rules = of_table == ruled.end() ? nullptr : &of_table->second;
		if (rules) std::erase_if(columns, [&](const auto &column) {
			const auto rule = rules->find(column);
			return rule != rules->end() && rule->second.inside.empty();    // of one with rules for parts the rest is looked at
		});
		if (columns.empty()) continue;
		FAULT_POINT("sampling");
		try {
			// The snapshot's transaction lasts as long as the load: a table's lock is given back at once.
			source.exec("SAVEPOINT sample; SET LOCAL lock_timeout = '10s'");
			const Result rows = source.exec(core::sample_statement(catalog, *table, columns));
			for (int i = 0; i < rows.rows(); ++i) {
				core::Row row;
				for (std::size_t c = 0; c < columns.size(); ++c) {
					const int at = static_cast<int>(c);
					row.push_back(rows.null(i, at) ? std::nullopt : std::optional(rows.text(i, at)));
				}
				core::add_sample(contents[name], *table, columns, row);
				for (std::size_t c = 0; rules && unmatched && c < columns.size(); ++c)
					if (const auto rule = rules->find(columns[c]); row[c] && rule != rules->end() && !rule->second.inside.empty())
						unmatched->see(name, *table->column(columns[c]), rule->second, *row[c]);
			}
			source.exec("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
		} catch (Error &error) {
			if (!source.usable() || error.exit_code != exit_other) throw;
			if (error.sqlstate == "42501") {    // a partition of it, perhaps: the plan names what is missing
				source.exec("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
				continue;
			}
			if (error.sqlstate == "55P03")
				throw Error(error.exit_code, name.shown() + " is locked in " + source.endpoint().label + ": no sample of it could be read within 10 seconds; nothing was changed",
				    "run it again when whoever holds the lock is done; columns that a rule names are not sampled", {}, error.sqlstate);
			throw Error(error.exit_code, error.what() + (" (sampling " + name.shown() + ")"), error.hint, error.detail, error.sqlstate);
		}
	}
	return contents;
}

}  // namespace client
