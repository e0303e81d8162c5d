#include "content.hpp"
#include "core/generic.hpp"
#include "generic.hpp"
#include "shadow.hpp"

namespace prodsync {

std::string key_equals(const core::ForeignKey &key, const std::string &parent, const std::string &child)
{
	std::vector<std::string> parts;
	for (std::size_t i = 0; i < key.columns.size(); i++)
		parts.push_back(parent + "." + core::quote_identifier(key.referenced[i]) + " " + key.equals[i] +
		    (key.array ? " ANY (" : " ") + core::as_key(key, child + "." + core::quote_identifier(key.columns[i])) +
		    (key.array ? ")" : ""));
	if (key.by_model) parts.push_back(of_model(key, child));
	return core::joined(parts, " AND ");
}

Oid Refresh::oid(const core::Name &relation) const
{
	const core::Relation *found = catalog().find(relation);
	if (!found) throw std::logic_error("relation " + relation.sql() + " is not in the catalog document");
	return static_cast<Oid>(found->oid);
}

bool Refresh::replaced(const core::Name &table) const
{
	auto of_partition = graph.roots.find(table);
	auto node = graph.tables.find(of_partition == graph.roots.end() ? table : of_partition->second);
	return node != graph.tables.end() && node->second.mode != core::Mode::keep;
}

std::string Refresh::old_rows(const core::Name &table, const std::string &alias) const
{
	const core::Relation *relation = catalog().find(table);
	return (relation && relation->kind == 'p' ? "" : "ONLY ") + table.sql() + " AS " + alias;
}

std::string Refresh::shadow_of(Oid original) const
{
	auto found = shadows.find(original);
	if (found == shadows.end()) throw std::logic_error("relation " + std::to_string(original) + " has no shadow");
	return sql_name(found->second);
}

std::string Refresh::new_rows(const core::Name &table, const std::vector<std::string> &columns, const std::string &alias) const
{
	if (!replaced(table)) return old_rows(table, alias);
	std::vector<std::string> names, selects;
	for (const std::string &column : columns) names.push_back(core::quote_identifier(column));
	for (const core::Relation *leaf : catalog().storage(table))
		selects.push_back("SELECT " + (names.empty() ? std::string("1") : core::joined(names, ", ")) + " FROM ONLY " +
		    shadow_of(static_cast<Oid>(leaf->oid)));
	if (selects.size() == 1) return "ONLY " + shadow_of(static_cast<Oid>(catalog().storage(table)[0]->oid)) + " AS " + alias;
	if (selects.empty())
		return "(SELECT " + core::joined(names, ", ") + " FROM " + table.sql() + " WHERE false) AS " +
		    alias;  // a tree without leaves
	return "(" + core::joined(selects, " UNION ALL ") + ") AS " + alias;
}

std::vector<const core::Column *> Refresh::stored_columns(const core::Name &table) const
{
	std::vector<const core::Column *> out;
	for (const core::Column &column : catalog().find(table)->columns)
		if (!column.generated) out.push_back(&column);
	return out;
}

std::unique_ptr<Refresh> make_refresh(const pg::Extension &extension, int run, Documents documents)
{
	auto refresh = std::make_unique<Refresh>();
	refresh->extension = extension, refresh->run = run, refresh->documents = std::move(documents);
	std::vector<core::Problem> problems, warnings;    // the plan has reported them
	refresh->graph = core::Graph::build(refresh->documents.config, refresh->documents.target, problems, warnings);
	if (core::masks_kept_rows(refresh->config()))
		refresh->masks_of_kept =
		    core::resolve_masking(refresh->config(), refresh->graph, refresh->catalog(), refresh->catalog(), problems);
	for (const auto &[original, shadow] : ledger::shadows(extension, run)) refresh->shadows[original] = shadow;
	return refresh;
}

// What the plan left as it is (a shared table that only the target has), whatever its mode, has no step.
static void leave_without_step(const pg::Extension &extension, Refresh &refresh)
{
	std::set<Oid> filled;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		for (const pg::Row &row :
		    spi.rows("SELECT original FROM prodsync_work.run_step WHERE run = $1::int AND kind IN ('load', 'empty', 'route')",
		        {std::to_string(refresh.run)}))
			filled.insert(static_cast<Oid>(std::stoul(*row[0])));
	}
	for (auto &[name, node] : refresh.graph.tables) {
		std::vector<const core::Relation *> storage = refresh.catalog().storage(name);
		if (filled.count(refresh.oid(name)) || (!storage.empty() && filled.count(static_cast<Oid>(storage[0]->oid)))) continue;
		if (node.mode != core::Mode::keep) node.on_missing.clear();    // said of its copied rows; these stay
		node.mode = core::Mode::keep;
	}
}

Refresh &refresh_of(const pg::Extension &extension, int run)
{
	static std::unique_ptr<Refresh> cached;
	std::string started;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		started = spi.one("SELECT started::text FROM prodsync_work.run WHERE run = $1::int", {std::to_string(run)}).value_or("");
	}
	if (!cached || cached->run != run || cached->started != started) {
		cached.reset();
		pg::forget_plans();
		std::unique_ptr<Refresh> made = make_refresh(extension, run, ledger::documents(extension, run));
		made->started = started;
		leave_without_step(extension, *made);
		cached = std::move(made);
	} else {
		cached->shadows.clear();    // steps of other sessions add shadows
		for (const auto &[original, shadow] : ledger::shadows(extension, run)) cached->shadows[original] = shadow;
	}
	return *cached;
}

}  // namespace prodsync
