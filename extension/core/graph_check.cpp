#include "graph_check.hpp"
#include <algorithm>
#include "missing.hpp"
#include "predicate.hpp"
#include "rules.hpp"

namespace core {
namespace {

struct Check {
	const Graph &graph;
	const Config &config;
	const Catalog &catalog;
	std::vector<Problem> &problems, &warnings;

	void columns_exist(const Relation &table, const std::vector<std::string> &columns, const std::string &object)
	{
		std::vector<std::string> known;
		for (const Column &c : table.columns) known.push_back(c.name);
		for (const auto &name : columns)
			if (!table.column(name))
				problems.push_back(
				    {"unknown-column", object, table.name.shown() + " has no column \"" + name + "\"" + did_you_mean(name, known),
				        "columns are written as in the catalog: case-sensitive, without SQL's quotes"});
	}

	void rule(const TableNode &node, const TableRule &r)
	{
		std::string object = "tables." + r.pattern;
		columns_exist(*node.relation, r.match, object + ".match");
		std::vector<std::string> references;
		for (const auto &[column, what] : r.on_missing) references.push_back(column);
		for (const auto &[column, what] : r.to)
			if (!r.on_missing.contains(column)) references.push_back(column);
		for (const auto &[column, what] : r.generic)
			if (!r.on_missing.contains(column)) references.push_back(column);
		columns_exist(*node.relation, references, object + ".references");
		if (node.mode == Mode::empty && !r.match.empty())
			problems.push_back({"match-empty", object + ".match",
			    node.relation->name.shown() + " is emptied: there are no rows to match", "take match out"});
		if (!r.tenant_path.empty() && !config.tenants && !config.choice.in_place)
			problems.push_back({"tenant-path", object + ".tenant_path", "tenant_path says nothing without tenants",
			    "add tenants, or take tenant_path out"});
	}

	// A unique key that is not the generated one: what rows of a kept table could be recognised by.
	static std::vector<std::string> natural_key(const Relation &table)
	{
		const Index *best = nullptr;
		for (const Index &i : table.indexes) {
			bool usable = i.unique && i.valid && i.predicate.empty() && !i.expressions && !i.columns.empty() &&
			    std::none_of(i.columns.begin(), i.columns.end(), [&](const std::string &name) {
				    const Column *c = table.column(name);
				    return !c || !c->sequence.empty() || c->base == "uuid";
			    });
			if (usable && (!best || i.columns.size() < best->columns.size())) best = &i;
		}
		return best ? best->columns : std::vector<std::string>{};
	}

	void reference(const ForeignKey &k)
	{
		const TableNode &child = graph.node(k.child), &parent = graph.node(k.parent);
		bool kept = parent.mode == Mode::keep && !parent.mapped && !config.choice.in_place;    // in place every row keeps its id
		auto said = configured_on_missing(graph, k);
		if (!parent.stays && (said == OnMissing::null || said == OnMissing::drop)) return;
		if (child.mode != Mode::copy || !(kept || parent.mode == Mode::empty)) return;
		bool not_null = true;
		std::string columns;
		for (const auto &name : k.columns) {
			const Column *c = child.relation->column(name);
			not_null = not_null && c && c->not_null;
			columns += (columns.empty() ? "" : ", ") + name;
		}
		std::string object = k.child.shown() + (k.columns.size() == 1 ? "." + columns : " (" + columns + ")");
		std::string child_line = yaml_table(catalog, child.relation->name),
		            parent_line = yaml_table(catalog, parent.relation->name);
		if (parent.stays) {
			std::string asked;
			for (const auto &one : config.choice.tables) asked += one + ",";
			problems.push_back({"reference-to-staying", object,
			    object + " references " + parent.relation->name.shown() + ", which stays as it is (" + parent.reason +
			        "), and production's rows cannot be told there by a key of one column (" + k.name + ")",
			    parent.reason == "--exclude" ? "--exclude " + child.relation->name.shown() + " as well"
			                                 : "--tables " + asked + parent.relation->name.shown()});
			return;
		}
		std::string fix = "tables:", or_null = not_null ? ": {on_missing: drop}" : ": {on_missing: null}    # or drop";
		if (auto natural = natural_key(*parent.relation); kept && !natural.empty())
			fix += "\n  " + parent_line + ": {mode: keep, match: " + yaml_list(natural) + "}\n  # or";
		if (kept) fix += "\n  " + child_line + ": {mode: keep}";
		fix += std::string(kept ? "\n  # or" : "") + "\n  " + child_line + ": {mode: empty}";
		if (!kept) fix += "\n  # or\n  " + parent_line + ": {mode: copy}";
		fix += "\n  # or\n  " + child_line + ":\n    references:\n      " + yaml_word(k.columns.front()) + or_null;
		problems.push_back({kept ? "reference-to-kept" : "reference-to-empty", object,
		    object + " references " + parent.relation->name.shown() +
		        (kept ? ", whose rows are not copied and are not mapped either" : ", which is emptied") +
		        (not_null ? ", and may not be NULL" : "") + " (" + k.name + ")",
		    fix});
	}

	// C4. Rows of a table that inherits are rows of the one it inherits from, for whoever reads that without ONLY.
	void inheritance(const Name &table, const Relation &child, const std::map<Name, const TableRule *> &rules)
	{
		const TableNode &node = graph.node(table);
		const auto rule = rules.find(table);
		const bool said = rule != rules.end() && rule->second->mode && rule->second->pattern.find_first_of("*?") == std::string::npos;
		for (const Name &name : child.parents) {
			const auto parent = graph.tables.find(name);
			if (parent == graph.tables.end() || parent->second.mode == node.mode || parent->second.mode == Mode::copy || said ||
			    (config.choice.in_place && parent->second.stays))
				continue;
			const std::string mode = parent->second.mode == Mode::empty ? "empty" : "keep", line = "tables:\n  " + yaml_table(catalog, table);
			problems.push_back({"inherits", table.shown(),
			    table.shown() + " inherits from " + name.shown() + ", whose mode is " + mode + ": its own rows are " +
			        (node.mode == Mode::copy          ? "copied"
			                : node.mode == Mode::keep ? "kept"
			                                          : "removed") +
			        ", and are read with those of " + name.shown(),
			    line + ": {mode: " + mode + "}\n  # or\n  " + yaml_table(catalog, table) + ": {mode: copy}"});
		}
	}

	void storage(const TableNode &node)
	{
		if (node.mode == Mode::keep) return;
		const Name &table = node.relation->name;
		std::vector<const Relation *> parts = catalog.storage(table);
		if (node.relation->kind == 'p') parts.push_back(node.relation);
		for (const Relation *r : parts)
			for (const Index &i : r->indexes)
				if (i.whole_row)
					problems.push_back({"whole-row-index", r->name.shown() + "." + i.name,
					    "the index " + i.name + " of " + r->name.shown() +
					        " is over the whole row, whose type a copy beside does not have",
					    "DROP INDEX " + Name{r->name.schema, i.name}.sql() + "; or tables:\n  " + yaml_table(catalog, table) +
					        ": {mode: keep}"});
		if (node.relation->kind != 'p') return;
		for (const auto &[name, r] : catalog.relations)
			if (r.kind == 'f' && r.partition && catalog.root(name) == table)
				problems.push_back({"foreign-partition", name.shown(),
				    name.shown() + ", a partition of " + table.shown() + ", is a foreign table: not supported by this version",
				    "tables:\n  " + yaml_table(catalog, table) + ": {mode: keep}"});
	}

	// The pattern with every loose _ escaped, for the line to paste.
	static std::string escaped(const std::string &pattern)
	{
		std::string out;
		for (std::size_t i = 0; i < pattern.size(); ++i) {
			if (pattern[i] == '\\' && i + 1 < pattern.size())
				out += pattern[i++];
			else if (pattern[i] == '_')
				out += '\\';
			out += pattern[i];
		}
		return out;
	}

	void tenants(const Name &table)
	{
		const Tenants &t = *config.tenants;
		const Relation &r = *graph.node(table).relation;
		if (!t.label.empty()) columns_exist(r, {t.label}, "tenants.label");
		for (const auto &column : mentioned_columns(t.keep, r)) {
			const Identity *i = graph.identity(table, column);
			const TableNode *node = i ? &graph.node(i->table) : nullptr;
			if (node && node->key == i->column)
				problems.push_back({"keep-uses-key", "tenants.keep",
				    "tenants.keep uses " + table.shown() + "." + column +
				        ", an id that changes when kept rows move into the reserved range",
				    "use a column that people choose: a name, a slug, a schema"});
		}
		for (const auto &pattern : loose_patterns(t.keep)) {
			std::string fix = "escape it: \\_";
			if (pattern.starts_with('\'')) {
				std::string keep = t.keep;
				keep.replace(keep.find(pattern), pattern.size(), escaped(pattern));
				fix = "keep: " + json(keep).dump();
			}
			warnings.push_back({"loose-pattern", "tenants.keep",
			    "in tenants.keep the pattern " + pattern + " has an unescaped _, which stands for any character", fix});
		}
	}
};

}  // namespace

void check_graph(const Graph &graph, const Config &config, const Catalog &catalog, const std::optional<Name> &tenant,
    const std::map<Name, const TableRule *> &rules, std::vector<Problem> &problems, std::vector<Problem> &warnings)
{
	Check c{graph, config, catalog, problems, warnings};
	for (const auto &[name, node] : graph.tables) {
		if (auto it = rules.find(name); it != rules.end()) c.rule(node, *it->second);
		c.storage(node);
		c.inheritance(name, *node.relation, rules);
		if (config.users && node.reason == "users.table") c.columns_exist(*node.relation, config.users->match, "users.match");
	}
	for (const ForeignKey *k : graph.keys) c.reference(*k);
	check_on_missing(graph, catalog, rules, problems);
	if (tenant) c.tenants(*tenant);
}

}  // namespace core
