#include "obstacles.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <map>
#include <set>

#include "maps.hpp"
#include "masking.hpp"
#include "missing.hpp"
#include "needs.hpp"
#include "rules.hpp"
#include "generic.hpp"
#include "soft_references.hpp"
#include "statements.hpp"
#include "steps.hpp"

namespace core {

std::string mode_line(const Catalog &target, const Name &table, const std::string &rule)
{
	return "tables:\n  " + yaml_table(target, table) + ": {" + rule + "}";
}

bool mentions(const std::string &expression, const std::string &column)
{
	std::string quoted = "\"";
	for (const char c : column) quoted += c == '"' ? "\"\"" : std::string(1, c);
	if (expression.find(quoted + '"') != std::string::npos) return true;
	const auto in_word = [&](std::size_t at) {
		return at < expression.size() && (std::isalnum(static_cast<unsigned char>(expression[at])) || expression[at] == '_');
	};
	for (auto at = expression.find(column); at != std::string::npos; at = expression.find(column, at + 1))
		if ((at == 0 || !in_word(at - 1)) && !in_word(at + column.size())) return true;
	return false;
}

std::string place_of_match(const Config &config, const Graph &graph, const Name &table)
{
	if (is_users_table(config, graph, table)) return "users.match";
	for (const TableRule &rule : config.tables)
		if (!rule.match.empty() && (glob(rule.pattern, table.name) || glob(rule.pattern, table.schema + '.' + table.name)))
			return "tables." + rule.pattern + ".match";
	return table.shown();
}

namespace {

using Problems = std::vector<Problem>;

// ---- for every refresh ----

// Names of a list of tables; unknown ones are problems.
std::set<Name> accepted(
    const Catalog &target, const std::vector<std::string> &written, const std::string &where, Problems &problems)
{
	std::set<Name> names;
	for (const auto &name : written)
		if (const auto table = resolve_table(target, name, where, problems)) names.insert(*table);
	return names;
}

void constraints(const Config &config, const Graph &graph, Problems &problems)
{
	if (config.choice.in_place) return;    // nothing is production's alone there
	std::vector<std::string> known;
	for (const ForeignKey *key : graph.keys) known.push_back(key->name);
	for (const GenericRelation &one : graph.generic) known.push_back(one.table.shown() + "." + one.column);
	for (const auto &[name, value] : config.checks)
		if (std::find(known.begin(), known.end(), name) == known.end())
			problems.push_back(
			    {"unknown-constraint", "checks." + name, "unknown foreign key \"" + name + "\"" + did_you_mean(name, known),
			        "names of constraints are as in the catalog"});
}

void of_storage(const Catalog &target, const PlannedTable &table, const std::set<Name> &published, Plan &plan)
{
	bool carried = false;
	std::set<std::string> invalid;
	const auto look = [&](const Relation &relation) {
		carried |= relation.published;
		for (const Index &index : relation.indexes)
			if (!index.valid) invalid.insert(index.name);
	};
	if (const Relation *root = target.find(table.name)) look(*root);
	for (const Relation *leaf : target.storage(table.name)) look(*leaf);
	const auto shown = table.name.shown();
	if (carried && !published.contains(table.name))
		plan.problems.push_back(
		    {"published", shown, shown + " is in a publication of the target: its subscribers would see nothing of the refresh",
		        "accept:\n  published: " + yaml_list({yaml_table(target, table.name)})});
	for (const auto &index : invalid)
		plan.warnings.push_back({"invalid-index", shown, "index " + index + " of " + shown + " is invalid and stays so",
		    "REINDEX INDEX " + Name{table.name.schema, index}.sql() + ";"});
}

void keep_triggers(const Graph &graph, const Catalog &target, const std::set<Name> &fire, const Plan &plan, Problems &warnings)
{
	std::map<Name, Mode> modes;
	for (const auto &table : plan.tables) modes[table.name] = table.mode;
	for (const auto &table : plan.tables) {
		const Relation *relation = target.find(table.name);
		if (table.mode != Mode::keep || !relation || relation->triggers.empty() || fire.contains(table.name)) continue;
		for (const ForeignKey *key : graph.from(table.name)) {
			const auto parent = modes.find(logical_table(graph, key->parent));
			if (parent == modes.end() || parent->second == Mode::keep) continue;
			warnings.push_back({"trigger-silent", table.name.shown(),
			    table.name.shown() + " is kept; where its references follow rows that move, its triggers do not fire: " +
			        listed(relation->triggers),
			    "fire_triggers: " + yaml_list({yaml_table(target, table.name)})});
			break;
		}
	}
}

// ---- with a source ----

std::string source_role(const Catalog &source)
{
	const auto role = source.settings.find("role");
	return role == source.settings.end() ? "<role of the source>" : quote_identifier(role->second);
}

void rights(const Catalog &source, const Graph &graph, const Config &config, Plan &plan)
{
	std::vector<std::string> tables;
	std::set<std::string> schemas;
	for (const auto &table : plan.tables) {
		const Relation *root = source.find(table.name);
		// Of kept tables production is asked for the natural keys only.
		const bool read = table.mode == Mode::copy
		    ? table.in_source
		    : graph.node(table.name).mapped && (graph.node(table.name).stays || !natural_key(config, graph, table.name).empty());
		if (!root || !root->ordinary() || !read) continue;
		auto relations = source.storage(table.name);
		if (root->kind == 'p') relations.push_back(root);
		for (const Relation *relation : relations) {
			if (!relation->readable) {
				tables.push_back(relation->name.sql());
				schemas.insert(quote_identifier(relation->name.schema));
			}
			if (relation->row_security && !relation->bypasses_row_security)
				plan.problems.push_back({"row-security", relation->name.shown(),
				    relation->name.shown() +
				        (config.choice.in_place
				                ? " has row security, which the role that masks is subject to: rows would be missing"
				                : " of production has row security, which the role of the source is subject to: rows would be "
				                  "missing"),
				    "ALTER ROLE " + source_role(source) + " BYPASSRLS;    -- " +
				        (config.choice.in_place ? "" : "in production, ") + "as a superuser"});
		}
	}
	if (tables.empty()) return;
	const auto role = source_role(source);
	const bool in_place = config.choice.in_place;
	plan.problems.push_back({"rights", "source",
	    (in_place ? "the role that masks may not read " : "the role of the source may not read ") +
	        counted(static_cast<std::int64_t>(tables.size()), "table", "tables") + (in_place ? "" : " of production"),
	    "GRANT USAGE ON SCHEMA " + listed({schemas.begin(), schemas.end()}) + " TO " + role +
	        (in_place ? ";" : ";    -- in production") + "\nGRANT SELECT ON " + listed(tables) + " TO " + role + ";"});
}

// "a,b,": what --tables says already.
std::string listed_for_option(const std::vector<std::string> &names)
{
	std::string all;
	for (const auto &name : names) all += name + ",";
	return all;
}

// A start above production's ids that the type still holds, with room for rows of the target; 0 where the type has none.
std::int64_t later_start(const std::string &type, std::int64_t start, std::int64_t maximum)
{
	const std::int64_t largest = type == "smallint" ? std::numeric_limits<std::int16_t>::max()
	    : type == "integer"                         ? std::numeric_limits<std::int32_t>::max()
	                                                : std::numeric_limits<std::int64_t>::max();
	while (start <= maximum && start <= largest / 10) start *= 10;
	if (start > maximum && start < largest) return start;
	return largest - maximum < 4 ? 0 : maximum + (largest - maximum) / 2;
}

void reserved_ranges(const Config &config, const Graph &graph, const Answers &answers, Plan &plan)
{
	for (const auto &[name, node] : graph.tables) {
		const auto maximum = answers.maximums.find(column_key(name, node.key));
		const Column *column = node.relation ? node.relation->column(node.key) : nullptr;
		if (node.mode != Mode::copy || node.key.empty() || !column) continue;
		if (maximum == answers.maximums.end() || maximum->second < node.reserved_from) continue;
		// The range may be that of the sequence's type, which is the narrower one.
		std::string type = column->base;
		for (const auto &[other, start] : config.reserved_from)
			if (config.reserved_from.at(type) != node.reserved_from && start == node.reserved_from) type = other;
		const auto object = name.shown() + "." + node.key;
		const auto start = later_start(type, node.reserved_from, maximum->second);
		plan.problems.push_back({"reserved-range", "reserved_from." + type,
		    object + " goes up to " + shown_count(maximum->second) + " in production, into the range from " +
		        shown_count(node.reserved_from) + " that is reserved for rows of the target",
		    start ? "reserved_from: {" + type + ": " + std::to_string(start) + "}"
		          : object + " has no room left for rows of the target: give it a wider type"});
	}
}

// A large object is named by its oid, in columns of type oid or of a domain over it (lo); what else such a column may hold nobody can tell.
void large_objects(const Catalog &source, const Catalog &target, const std::set<Name> &accepted, Plan &plan)
{
	if (!source.large_objects) return;
	bool named = false;
	for (const auto &table : plan.tables) {
		const Relation *relation = table.mode == Mode::copy && table.in_source ? source.find(table.name) : nullptr;
		if (!relation || accepted.contains(table.name)) continue;
		for (const Transfer &transfer : table.columns) {
			const Column *column = relation->column(transfer.column);
			if (!column || (column->base != "oid" && column->base != "oid[]")) continue;
			named = true;
			const auto object = table.name.shown() + "." + column->name;
			plan.problems.push_back({"large-objects", object,
			    object + " may name large objects of production, which are not copied: it would lead nowhere",
			    mode_line(target, table.name, "mode: keep") +
			        "    # or {mode: empty}; where it names none, or need not lead anywhere:\naccept:\n  large_objects: " +
			        yaml_list({yaml_table(target, table.name)})});
		}
	}
	if (!named)
		plan.warnings.push_back({"large-objects", "source", "production has large objects: they are not copied", ""});
}

// Whatever is matched by it: kept rows, users, supporting rows.
void natural_keys(const Config &config, const Graph &graph, const Answers &answers, Problems &problems)
{
	for (const auto &[name, node] : graph.tables)
		if (const auto twice = answers.unmatched.find("twice " + name.sql()); twice != answers.unmatched.end() && twice->second)
			problems.push_back({"match-not-unique", place_of_match(config, graph, name),
			    "rows of " + name.shown() + " are matched by " + listed(natural_key(config, graph, name)) + ", which is not unique: " +
			        counted(twice->second, "row shares", "rows share") + " it with others",
			    "match: [...]    # columns that tell every row of " + name.shown() + " from the others, on both sides"});
}

std::string fallback_lines(const Relation &users, const std::vector<std::string> &natural)
{
	const std::string column = natural.empty() ? text_label(users) : natural.front();
	return "users:\n  fallback: {" + (column.empty() ? "..." : yaml_word(column)) + ": ...}    # of a user of the target";
}

void maps(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, const Answers &answers, Plan &plan)
{
	for (const auto &[name, node] : graph.tables) {
		if (!node.mapped || !node.relation) continue;
		const auto shown = name.shown();
		const auto map = answers.maps.find(name);
		if (single_key(*node.relation).empty()) {
			plan.problems.push_back(
			    {"map-without-key", shown, "rows of " + shown + " cannot be mapped: it has no primary key of one column",
			        mode_line(target, name, "mode: copy")});
			continue;
		}
		const auto natural = natural_key(config, graph, name);
		const Relation *there = source.find(name);
		if (node.stays) {
			if (!there || !there->ordinary() || common_key(*node.relation, *there).empty() ||
			    std::any_of(natural.begin(), natural.end(), [&](const auto &column) { return !there->column(column); }))
				plan.problems.push_back({"map-without-source", shown,
				    shown + " stays as it is (" + node.reason + "), and production has nothing to tell its rows by",
				    "choose " + shown + " as well, or other tables"});
			continue;
		}
		if (natural.empty() && !has_fallback(config, graph, name))
			plan.problems.push_back(
			    {"no-fallback-user", shown, "rows of " + shown + " have neither a natural key to be matched by nor a fallback",
			        fallback_lines(*node.relation, natural)});
		for (const auto &column : natural)
			if (!there || !there->ordinary() || !there->column(column) || !there->column(single_key(*node.relation)))
				plan.problems.push_back({"map-without-source", shown,
				    "rows of " + shown + " cannot be matched: production has no " + shown + "." + column,
				    mode_line(target, name, "mode: copy")});
		if (has_fallback(config, graph, name) && asked(answers, "fallback " + name.sql())) {
			if (map == answers.maps.end() || !map->second.fallback)
				plan.problems.push_back(
				    {"no-fallback-user", shown, "no row of " + shown + " in the target matches users.fallback",
				        fallback_lines(*node.relation, natural)});
			else if (map->second.fallback_candidates > 1)
				plan.warnings.push_back({"several-fallback-users", shown,
				    counted(map->second.fallback_candidates, "user", "users") + " match users.fallback: " +
				        (map->second.fallback_label.empty() ? "the first" : map->second.fallback_label) + " (" +
				        *map->second.fallback + ") is taken",
				    ""});
		}
	}
	// Ids of kept rows that production has and the target has not.
	const Missing missing(config, graph, source, answers);
	for (const auto &[name, node] : graph.tables) {
		if (!node.relation) continue;
		for (const Column &column : node.relation->columns) {
			const auto count = answers.unmatched.find(column_key(name, column.name));
			if (count == answers.unmatched.end() || count->second == 0) continue;
			const Name by = kept_map(graph, name, column.name);
			if (missing.nulls_unmatched(name, column.name)) {
				plan.warnings.push_back({"becomes-null", name.shown() + "." + column.name,
				    name.shown() + "." + column.name + " -> " + by.shown() + ": " + counted(count->second, "row", "rows") +
				        " of production reference rows that the target's " + by.shown() + " does not have; the references become NULL",
				    ""});
				continue;
			}
			if (graph.node(by).stays) {
				plan.problems.push_back({"unmatched-reference", name.shown() + "." + column.name,
				    name.shown() + "." + column.name + " -> " + by.shown() + ": " + counted(count->second, "row", "rows") +
				        " of production reference rows of " + by.shown() + ", which stays as it is (" + graph.node(by).reason +
				        ") and does not have them",
				    graph.node(by).reason == "--exclude"
				        ? "take " + by.shown() + " out of --exclude, or --exclude " + name.shown() + " as well"
				        : "--tables " + listed_for_option(config.choice.tables) + by.shown()});
				continue;
			}
			plan.problems.push_back({"unmatched-reference", name.shown() + "." + column.name,
			    name.shown() + "." + column.name + " -> " + by.shown() + ": " + counted(count->second, "row", "rows") +
			        " of production reference rows that the target's " + by.shown() + " does not have",
			    "# add the missing rows to " + by.shown() + " in the target, or say what becomes of the references:\ntables:\n  " +
			        yaml_table(target, name) + ":\n    references:\n      " + yaml_word(column.name) + ": {on_missing: " +
			        (column.not_null ? "drop}" : "null}    # or drop")});
		}
	}
}

// A copied row may only reference what is copied too, or what a map leads to. That no table references one that is emptied, or kept
// without a map, the graph has seen to; here is what only both catalogs tell, and what a map does not reach.
void references(const Graph &graph, const Catalog &target, const Plan &plan, Problems &problems)
{
	std::map<Name, const PlannedTable *> planned;
	for (const auto &table : plan.tables) planned[table.name] = &table;
	for (const ForeignKey *key : graph.keys) {
		const PlannedTable &from = *planned.at(logical_table(graph, key->child)),
		                   &to = *planned.at(logical_table(graph, key->parent));
		const TableNode &parent = graph.node(to.name);
		if (from.mode != Mode::copy || !from.in_source || to.mode != Mode::keep || (parent.mode == Mode::keep && !parent.mapped))
			continue;
		// Columns that production does not have reference nothing yet.
		const bool travels = std::all_of(key->columns.begin(), key->columns.end(), [&](const auto &column) {
			return std::any_of(
			    from.columns.begin(), from.columns.end(), [&](const Transfer &transfer) { return transfer.column == column; });
		});
		const bool mapped = std::all_of(key->columns.begin(), key->columns.end(),
		    [&](const auto &column) { return !kept_map(graph, from.name, column).empty(); });
		if (!travels || mapped || (parent.mapped && parent.match == key->referenced && parent.reason != "users.table")) continue;
		const auto action = configured_on_missing(graph, *key);
		if (!parent.stays && (action == OnMissing::null || action == OnMissing::drop)) continue;
		const auto object = from.name.shown() + "." + listed(key->columns);
		if (parent.stays) {
			problems.push_back({"reference-to-staying", object,
			    object + " references " + to.name.shown() + ", which stays as it is (" + parent.reason +
			        "), by other columns than its key (" + key->name + ")",
			    "choose " + to.name.shown() + " as well, or leave " + from.name.shown() + " out"});
			continue;
		}
		problems.push_back({"reference-to-kept", object,
		    object + " references " + to.name.shown() +
		        (parent.mapped ? ", which is kept, by other columns than the key that is mapped"
		                       : ", which production does not have"),
		    mode_line(target, from.name, "mode: keep}    # or {mode: empty")});
	}
}

}  // namespace

void add_target_obstacles(const Config &config, const Graph &graph, const Catalog &target, Plan &plan)
{
	if (target.server && target.server < 130000)
		plan.problems.push_back({"server-version", "target", "the target's server is older than release 13", "upgrade it"});
	// CVE-2022-1552: CREATE INDEX runs expressions of the table's owner as whoever creates it.
	else if ((target.server >= 130000 && target.server < 130007) || (target.server >= 140000 && target.server < 140003))
		plan.problems.push_back({"server-version", "target",
		    "the target's server is older than 13.7 or 14.3: building an index there runs code of the table's owner with the extension's rights",
		    "upgrade it to the last minor release"});
	const auto published = accepted(target, config.accept_published, "accept.published", plan.problems);
	const auto fire = accepted(target, config.fire_triggers, "fire_triggers", plan.problems);
	constraints(config, graph, plan.problems);
	if (!config.choice.in_place) {
		suggest_soft_references(config, graph, target, plan.warnings);
		suggest_generic_relations(config, graph, target, plan.warnings);
	}
	for (const auto &table : plan.tables) {
		if (table.mode == Mode::keep) continue;
		of_storage(target, table, published, plan);
	}
	if (!config.choice.in_place) keep_triggers(graph, target, fire, plan, plan.warnings);
	for (const ForeignKey *key : graph.keys)
		if (!key->validated && graph.node(logical_table(graph, key->child)).mode == Mode::copy)
			plan.warnings.push_back({"not-valid", key->child.shown(),
			    "foreign key " + key->name + " of " + key->child.shown() + " is " + (key->enforced ? "NOT VALID" : "NOT ENFORCED") +
			        " in the target and stays so",
			    ""});
}

void add_source_obstacles(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target, const Answers &answers, Plan &plan)
{
	if (source.server && source.server < 130000)
		plan.problems.push_back({"server-version", "source", "production's server is older than release 13", "upgrade it"});
	if (config.choice.in_place) {
		if (source.large_objects)
			plan.warnings.push_back({"large-objects", "source", "there are large objects: they stay as they are, whatever is in them", ""});
		rights(source, graph, config, plan);
		return;
	}
	large_objects(source, target, accepted(target, config.accept_large_objects, "accept.large_objects", plan.problems), plan);
	rights(source, graph, config, plan);
	if (config.tenants) reserved_ranges(config, graph, answers, plan);
	natural_keys(config, graph, answers, plan.problems);
	maps(config, graph, source, target, answers, plan);
	references(graph, target, plan, plan.problems);
	add_fold_obstacles(
	    config, graph, source, target, answers, accepted(target, config.accept_folded, "accept.folded", plan.problems), plan);
}

}  // namespace core
