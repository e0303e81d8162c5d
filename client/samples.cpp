#include "samples.hpp"

#include "fault_point.hpp"

namespace client {

namespace {

// A partitioned table is read partition by partition, so that never more than one of them is locked; of many some, all over them.
std::vector<const core::Relation *> sampled_relations(const core::Catalog &catalog, const core::Relation &table)
{
	constexpr std::size_t most = 20;
	if (table.kind != 'p') return {&table};
	auto leaves = catalog.storage(table.name);
	std::erase_if(leaves, [](const core::Relation *leaf) { return !leaf->readable || !leaf->bypasses_row_security; });
	if (leaves.size() <= most) return leaves;
	std::vector<const core::Relation *> some;
	for (std::size_t i = 0; i < most; ++i) some.push_back(leaves[i * leaves.size() / most]);
	return some;
}

void read_sample(Connection &source, const core::Name &name, const core::Relation &table, const std::vector<std::string> &columns, const std::string &statement,
    core::Contents &contents)
{
	try {
		// The snapshot's transaction lasts as long as the load: a table's lock is given back at once.
		source.exec("SAVEPOINT sample; SET LOCAL lock_timeout = '10s'");
		const Result rows = source.exec(statement);
		for (int i = 0; i < rows.rows(); ++i) {
			core::Row row;
			for (std::size_t c = 0; c < columns.size(); ++c) {
				const int at = static_cast<int>(c);
				row.push_back(rows.null(i, at) ? std::nullopt : std::optional(rows.text(i, at)));
			}
			core::add_sample(contents[name], table, columns, row);
		}
		source.exec("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
	} catch (Error &error) {
		if (!source.usable() || error.exit_code != exit_other) throw;
		if (error.sqlstate == "42501") {    // the plan names what is missing
			source.exec("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
			return;
		}
		if (error.sqlstate == "55P03")
			throw Error(error.exit_code, name.shown() + " is locked in " + source.endpoint().label + ": no sample of it could be read within 10 seconds; nothing was changed",
			    "run it again when whoever holds the lock is done; columns that a rule names are not sampled", {}, error.sqlstate);
		throw Error(error.exit_code, error.what() + (" (sampling " + name.shown() + ")"), error.hint, error.detail, error.sqlstate);
	}
}

}  // namespace

core::Contents read_samples(Connection &source, const core::Catalog &catalog, const std::set<core::Name> &tables, const core::Masking &ruled)
{
	core::Contents contents;
	for (const core::Name &name : tables) {
		const core::Relation *table = catalog.find(name);
		if (!table || !table->readable || !table->bypasses_row_security) continue;    // the plan says so; detect lists them
		auto columns = core::sampled_columns(*table);
		if (const auto rules = ruled.find(name); rules != ruled.end()) std::erase_if(columns, [&](const auto &column) { 
			    const auto rule = rules->second.find(column);
			    return rule != rules->second.end() && rule->second.inside.empty();    // of one with rules for parts the rest is looked at
			});
		if (columns.empty()) continue;
		FAULT_POINT("sampling");
		for (const core::Relation *relation : sampled_relations(catalog, *table))
			read_sample(source, name, *table, columns, core::sample_statement(catalog, *relation, columns), contents);
	}
	return contents;
}

}  // namespace client
