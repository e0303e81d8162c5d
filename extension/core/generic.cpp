#include "generic.hpp"

#include <algorithm>
#include <set>

#include "key_types.hpp"
#include "maps.hpp"
#include "obstacles.hpp"
#include "rules.hpp"
#include "statements.hpp"
#include "ways.hpp"
#include "words.hpp"

namespace core {

namespace {

bool has_models(const Relation &relation) { return relation.kind == 'r' && relation.column("app_label") && relation.column("model"); }

// The table of content types that the column is a key of.
const ForeignKey *key_to_types(const Graph &graph, const Name &table, const std::string &column)
{
	for (const ForeignKey *key : graph.from(table))
		if (key->child == table && key->columns == std::vector{column} && !key->array && key->text_of.empty() &&
		    has_models(*graph.node(key->parent).relation))
			return key;
	return nullptr;
}

bool looks_like_object_id(const std::string &column)
{
	return column.ends_with("object_id") || column.ends_with("object_pk");
}

struct Declared {
	Graph &graph;
	const Catalog &catalog;
	std::vector<Problem> &problems;

	// "*": "apps_*" -> what stands in the place of the star in the table's name.
	static std::string under(const std::string &pattern, const std::string &name)
	{
		const auto star = pattern.find('*');
		const std::string before = pattern.substr(0, star), after = pattern.substr(star + 1);
		if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) return "";
		return name.substr(before.size(), name.size() - before.size() - after.size());
	}

	void name_models(GenericRelation &one, const GenericRule &rule, const std::string &place)
	{
		const bool by_type = !one.by.types.empty();
		if (by_type)
			for (const auto &[name, node] : graph.tables)
				if (name.schema == one.by.types.schema) one.models[name.name] = name;
		const auto pattern = rule.models.find("*");
		if (pattern != rule.models.end()) {
			if (!by_type || std::count(pattern->second.begin(), pattern->second.end(), '*') != 1) {
				problems.push_back({"bad-value", place + ".models.*",
				    by_type ? "\"" + pattern->second + "\" does not say where app_label_model stands"
				            : "the names of classes do not say those of tables",
				    by_type ? "models: {\"*\": \"prefix_*\"}" : "models: {Class: table}"});
				return;
			}
			for (const auto &[name, node] : graph.tables)
				if (const auto model = under(pattern->second, name.name); name.schema == one.by.types.schema && !model.empty())
					one.models.emplace(model, name);
		}
		for (const auto &[model, written] : rule.models) {
			if (model == "*") continue;
			if (by_type && model.find('.') == std::string::npos) {
				problems.push_back({"bad-value", place + ".models." + model,
				    "a model is written as app_label.model, as in the table of content types",
				    "models: {\"app_label.model\": table}"});
				continue;
			}
			one.by.written.push_back(model);
			Name table;
			if (!written.empty())
				if (const auto found = resolve_table(catalog, written, place + ".models." + model, problems)) table = *found;
			one.models[model] = table;
		}
	}

	void add(const Name &table, const std::string &column, const GenericRule &rule, const std::string &place)
	{
		const Relation &relation = *graph.node(table).relation;
		const Column *id = relation.column(column), *type = relation.column(rule.type);
		if (!id) return;    // a problem of its own
		const auto refuse = [&](const char *what, const std::string &text, const std::string &fix) { problems.push_back({what, place, text, fix}); };
		const auto full = table.shown() + "." + column;
		if (!type) {
			std::vector<std::string> known;
			for (const Column &one : relation.columns) known.push_back(one.name);
			return refuse("unknown-column", table.shown() + " has no column \"" + rule.type + "\"" + did_you_mean(rule.type, known),
			    "content_type: the column that says which model's row " + column + " means");
		}
		for (const ForeignKey *key : graph.from(table))
			if (std::find(key->columns.begin(), key->columns.end(), column) != key->columns.end())
				return refuse("reference-twice", full + " is a reference to " + key->parent.shown() + " already (" + key->name + ")",
				    "take content_type: " + rule.type + " out");
		if (!is_key_type(id->base))
			return refuse("reference-type", full + " is of type " + id->type + ": ids are integers, texts or uuids",
			    "take references: " + column + " out");
		GenericRelation one{table, column, {rule.type, {}, {}, {}, {}}, {}, {}};
		if (const ForeignKey *key = key_to_types(graph, table, rule.type)) {
			one.by.types = key->parent;
			one.by.key = key->referenced.front();
		} else if (!is_text_type(type->base) || rule.models.empty()) {
			return refuse("content-type",
			    table.shown() + "." + rule.type +
			        (is_text_type(type->base)
			                ? " references no table of content types, and which class is which table is not said"
			                : " references no table of content types (with app_label and model)"),
			    is_text_type(type->base) ? column + ": {content_type: " + rule.type + ", models: {Class: table}}"
			                             : "take references: " + column + " out");
		}
		name_models(one, rule, place);
		std::map<Name, std::vector<std::string>> names;
		for (const auto &[name, of] : one.models)
			if (!of.empty()) names[of].push_back(name);
		for (const auto &[parent, called] : names) {
			const Relation &to = *graph.node(parent).relation;
			const auto key = single_key(to);
			if (key.empty() || !comparable_keys(id->base, to.column(key)->base)) continue;    // none of its rows has an id that the column could hold
			ForeignKey &added = graph.declared->emplace_back();
			added.name = full + " (" + parent.shown() + ")";
			added.child = table;
			added.parent = parent;
			added.columns = {column};
			added.referenced = {key};
			added.equals = {"OPERATOR(pg_catalog.=)"};
			added.declared = true;
			if (is_text_type(id->base) && !is_text_type(to.column(key)->base)) added.text_of = to.column(key)->base;
			added.by_model = one.by;
			added.by_model->names = called;
			one.keys.push_back(&added);
		}
		graph.generic.push_back(std::move(one));
	}
};

}  // namespace

std::string id_of(const GenericRelation &one) { return column_key(one.table, one.column); }

std::string shown(const GenericRelation &one) { return one.table.shown() + "." + one.column; }

void add_generic_relations(
    Graph &graph, const Catalog &catalog, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &problems)
{
	Declared declared{graph, catalog, problems};
	for (const auto &[table, rule] : rules)
		for (const auto &[column, generic] : rule->generic)
			if (graph.tables.contains(table)) declared.add(table, column, generic, "tables." + rule->pattern + ".references." + column);
}

std::vector<GenericRelation> undeclared_generic_relations(const Graph &graph)
{
	std::vector<GenericRelation> out;
	for (const auto &[table, node] : graph.tables) {
		if (node.mode == Mode::empty) continue;
		std::vector<std::string> types;
		std::set<std::string> known;
		for (const ForeignKey *key : graph.from(table)) {
			known.insert(key->columns.begin(), key->columns.end());
			if (key->columns.size() == 1 && key_to_types(graph, table, key->columns.front()) == key) types.push_back(key->columns.front());
		}
		for (const Column &column : node.relation->columns) {
			if (types.empty() || known.contains(column.name) || !looks_like_object_id(column.name) || !is_key_type(column.base) ||
			    generic_relation(graph, table, column.name))
				continue;
			// Several pairs: actor_content_type_id beside actor_object_id.
			const auto prefix = column.name.substr(0, column.name.rfind("object_"));
			const auto own = std::find_if(
			    types.begin(), types.end(), [&](const std::string &type) { return type.starts_with(prefix + "content_type"); });
			out.push_back({table, column.name, {own == types.end() ? types.front() : *own, {}, {}, {}, {}}, {}, {}});
		}
	}
	return out;
}

std::string declaration(const Catalog &catalog, const GenericRelation &one)
{
	return "tables:\n  " + yaml_table(catalog, one.table) + ":\n    references:\n      " + yaml_word(one.column) + ": {content_type: " +
	    yaml_word(one.by.column) + "}";
}

std::string model_of_type(const ByModel &by)
{
	const std::string name = "pg_catalog.format('%s_%s', ct.app_label, ct.model)", label = "pg_catalog.format('%s.%s', ct.app_label, ct.model)";
	if (by.written.empty()) return name;
	return "CASE WHEN " + label + " = ANY (" + array_literal(by.written, "text") + ") THEN " + label + " ELSE " + name + " END";
}

std::string of_model(const ByModel &by, const std::string &child, const std::string &types)
{
	const std::string column = child + "." + quote_identifier(by.column);
	if (by.types.empty()) return column + "::text = ANY (" + array_literal(by.names, "text") + ")";
	// An array that is made once, not a join that the planner may do last: then nothing else is looked up for rows of other models.
	return column + " = ANY (ARRAY(SELECT ct." + quote_identifier(by.key) + " FROM " + types + " WHERE " + model_of_type(by) + " = ANY (" +
	    array_literal(by.names, "text") + ")))";
}

std::string as_key(const ForeignKey &key, const std::string &value)
{
	if (key.text_of.empty()) return value;
	// Only what the server itself writes for such a key; and no cast that could fail.
	if (key.text_of == "uuid")
		return "CASE WHEN " + value + " OPERATOR(pg_catalog.~) '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN (" + value + ")::uuid END";
	// Of 19 digits (snowflakes have them) not all are a bigint.
	return "CASE WHEN " + value + " OPERATOR(pg_catalog.~) '^(0|-?[1-9][0-9]{0,17})$' THEN (" + value + ")::bigint WHEN " + value +
	    " OPERATOR(pg_catalog.~) '^-?[1-9][0-9]{18}$' THEN CASE WHEN (" + value +
	    ")::numeric OPERATOR(pg_catalog.<=) 9223372036854775807 AND (" + value +
	    ")::numeric OPERATOR(pg_catalog.>=) -9223372036854775808 THEN (" + value + ")::bigint END END";
}

std::string name_for_checks(const ForeignKey &key) { return key.by_model ? key.child.shown() + "." + key.columns.front() : key.name; }

std::string model_name(const ByModel &by, const std::string &label)
{
	if (by.types.empty() || std::find(by.written.begin(), by.written.end(), label) != by.written.end()) return label;
	std::string name = label;
	if (const auto dot = name.find('.'); dot != std::string::npos) name[dot] = '_';
	return name;
}

Identity key_owner(const Graph &graph, const ForeignKey &key)
{
	const Identity *identity = graph.identity(key.parent, key.referenced.front());
	return identity ? *identity : Identity{logical_table(graph, key.parent), key.referenced.front()};
}

Name kept_map(const Graph &graph, const ForeignKey &key)
{
	const Identity owner = key_owner(graph, key);
	const TableNode &node = graph.node(owner.table);
	return node.mapped && single_key(*node.relation) == owner.column ? owner.table : Name{};
}

std::map<std::string, Name> maps_by_model(const Graph &graph, const Answers &answers, const GenericRelation &one)
{
	std::map<std::string, Name> out;
	const auto found = answers.models.find(id_of(one));
	if (found == answers.models.end()) return out;
	for (const auto &[type, label] : found->second) {
		const auto name = model_name(one.by, label);
		for (const ForeignKey *key : one.keys) {
			if (std::find(key->by_model->names.begin(), key->by_model->names.end(), name) == key->by_model->names.end()) continue;
			const Identity owner = key_owner(graph, *key);
			Name map = kept_map(graph, *key);
			if (const auto fold = answers.folds.find(owner.table); map.empty() && fold != answers.folds.end() && !fold->second.by_ctid &&
			    !fold->second.dropped.empty() && single_key(*graph.node(owner.table).relation) == owner.column)
				map = owner.table;
			if (!map.empty()) out[type] = map;
		}
	}
	return out;
}

const GenericRelation *generic_relation(const Graph &graph, const Name &table, const std::string &column)
{
	for (const GenericRelation &one : graph.generic)
		if (one.table == table && one.column == column) return &one;
	return nullptr;
}

bool in_use(const GenericRelation &one, const ForeignKey &key, const Answers &answers)
{
	const auto found = answers.models.find(id_of(one));
	return found != answers.models.end() && std::any_of(found->second.begin(), found->second.end(), [&](const auto &type) {
		const auto &names = key.by_model->names;
		return std::find(names.begin(), names.end(), model_name(one.by, type.second)) != names.end();
	});
}

std::vector<const ForeignKey *> used_generic_keys(const Graph &graph, const Answers &answers, const Name &table)
{
	std::vector<const ForeignKey *> out;
	for (const GenericRelation &one : graph.generic)
		if (one.table == table)
			for (const ForeignKey *key : one.keys)
				if (in_use(one, *key, answers)) out.push_back(key);
	return out;
}

// ---- questions ----

namespace {

// Everything that is read of that side is there, of types that can be read as the target's.
bool readable(const Graph &graph, const GenericRelation &one, const Catalog &catalog)
{
	const Relation *table = catalog.find(one.table), &here = *graph.node(one.table).relation;
	if (!table || !table->ordinary()) return false;
	const Column *id = table->column(one.column), *by = table->column(one.by.column);
	if (!id || !by || !is_key_type(id->base) || !have_equality(id->base, here.column(one.column)->base)) return false;
	if (one.by.types.empty()) return true;
	const Relation *types = catalog.find(one.by.types);
	return types && has_models(*types) && types->column(one.by.key) && have_equality(types->column(one.by.key)->base, by->base);
}

// Of rows that come, and of those that stay and that others find their tenant through.
bool asks_source(const Graph &graph, const GenericRelation &one, const Catalog &source)
{
	return (graph.node(one.table).mode == Mode::copy || on_a_path(graph, one)) && readable(graph, one, source);
}

// Rows that stay in the target, and something there gets other ids.
bool asks_target(const Config &config, const Graph &graph, const GenericRelation &one)
{
	return config.tenants && graph.node(one.table).mode != Mode::empty;
}

}  // namespace

bool models_known(const Graph &graph, const Catalog &source, const Answers &answers)
{
	return std::all_of(graph.generic.begin(), graph.generic.end(), [&](const GenericRelation &one) {
		return !asks_source(graph, one, source) || asked(answers, "models " + id_of(one) + " source");
	});
}

std::string models_in_use(const GenericRelation &one, const Catalog &catalog)
{
	const std::string type = "t." + quote_identifier(one.by.column), rows = from_only(*catalog.find(one.table)) + " AS t";
	if (one.by.types.empty()) return "SELECT DISTINCT " + type + "::text, " + type + "::text FROM " + rows + " WHERE " + type + " IS NOT NULL";
	const std::string key = "ct." + quote_identifier(one.by.key);
	return "SELECT " + key + "::text, pg_catalog.format('%s.%s', ct.app_label, ct.model) FROM " + from_only(*catalog.find(one.by.types)) +
	    " AS ct WHERE " + key + " IN (SELECT " + type + " FROM " + rows + ")";
}

std::vector<Question> model_questions(
    const Config &config, const Graph &graph, const Catalog &source, const Catalog &target)
{
	std::vector<Question> out;
	const auto ask = [&](const GenericRelation &one, Side side) {
		// Of the target its texts are shown: it asks for the right to read them.
		const bool types = side == Side::target && !one.by.types.empty();
		out.push_back({"models " + id_of(one) + (side == Side::source ? " source" : " target"), "models", side, types ? one.by.types : one.table,
		    types ? std::vector<std::string>{"app_label", "model"} : std::vector{one.by.column},
		    models_in_use(one, side == Side::source ? source : target), {}, false});
	};
	for (const GenericRelation &one : graph.generic) {
		if (asks_source(graph, one, source)) ask(one, Side::source);
		if (asks_target(config, graph, one)) ask(one, Side::target);
	}
	return out;
}

// ---- what the plan says ----

namespace {

// A table whose name ends as the model's would: a guess to paste, never followed.
std::string guess(const Catalog &target, const Graph &graph, std::string label)
{
	if (const auto dot = label.find('.'); dot != std::string::npos) label[dot] = '_';
	Name found;
	for (const auto &[name, node] : graph.tables)
		if (name.name.ends_with("_" + label)) {
			if (!found.empty()) return "TABLE";
			found = name;
		}
	return found.empty() ? "TABLE" : yaml_table(target, found);
}

std::string models_to_paste(const GenericRelation &one, const Graph &graph, const Catalog &target, const std::set<std::string> &unknown)
{
	std::set<std::string> prefixes;
	std::vector<std::string> lines;
	for (const auto &label : unknown) {
		std::string name = label;
		if (const auto dot = name.find('.'); dot != std::string::npos) name[dot] = '_';
		const auto table = one.by.types.empty() ? "TABLE" : guess(target, graph, label);
		prefixes.insert(table.ends_with(name) && table.find('.') == std::string::npos ? table.substr(0, table.size() - name.size()) : "");
		lines.push_back(yaml_word(label) + ": " + table);
	}
	if (lines.size() > 1 && prefixes.size() == 1 && !prefixes.begin()->empty()) lines = {"\"*\": \"" + *prefixes.begin() + "*\""};
	if (lines.size() > 10) lines.resize(10);
	std::string text = declaration(target, one);
	text.pop_back();
	return text + ", models: {" + joined(lines, ", ") + "}}    # null instead of a table: its ids stay as they are";
}

void unknown_models(const GenericRelation &one, const Graph &graph, const Catalog &target, const Answers &answers, Plan &plan)
{
	std::set<std::string> unknown;
	const auto look_at = [&](const std::string &label) {
		if (!one.models.contains(model_name(one.by, label))) unknown.insert(label);
	};
	if (const auto there = answers.models.find(id_of(one)); there != answers.models.end())
		for (const auto &[type, label] : there->second) look_at(label);
	if (const auto here = answers.models_here.find(id_of(one)); here != answers.models_here.end())
		for (const auto &label : here->second) look_at(label);
	if (unknown.empty()) return;
	plan.problems.push_back({"unknown-model", shown(one),
	    shown(one) + " names rows of models whose table is not known: " + listed({unknown.begin(), unknown.end()}),
	    models_to_paste(one, graph, target, unknown)});
}

void rows_that_become_equal(const GenericRelation &one, const Graph &graph, const Catalog &target, const Answers &answers, Plan &plan)
{
	std::string merged;
	for (const auto &[type, name] : maps_by_model(graph, answers, one)) {
		const auto map = answers.maps.find(name);
		if (map == answers.maps.end() || map->second.fallback) merged = name.shown();
	}
	for (const Index &index : graph.node(one.table).relation->indexes)
		if (!merged.empty() && index.unique && index.valid &&
		    std::find(index.columns.begin(), index.columns.end(), one.column) != index.columns.end())
			plan.problems.push_back({"generic-fold", one.table.shown() + "." + index.name,
			    shown(one) + " is part of the unique index " + index.name + ", and rows of " + merged +
			        " that it names become one: which of its rows would stay is not decided",
			    mode_line(target, one.table, "mode: empty")});
}

void masked(const GenericRelation &one, const Masking &masking, const Answers &answers, Plan &plan)
{
	const auto is_masked = [&](const Name &table, const std::string &column) {
		const auto rules = masking.find(table);
		if (rules == masking.end()) return false;
		const auto rule = rules->second.find(column);
		return rule != rules->second.end() && rule->second.masks();
	};
	std::vector<std::string> columns;
	for (const auto &column : {one.column, one.by.column})
		if (is_masked(one.table, column)) columns.push_back(one.table.shown() + "." + column);
	for (const ForeignKey *key : one.keys)
		if (in_use(one, *key, answers) && is_masked(key->parent, key->referenced.front()))
			columns.push_back(key->parent.shown() + "." + key->referenced.front());
	for (const auto &column : columns)
		plan.problems.push_back({"generic-masked", column,
		    shown(one) + " names rows by content type and id, and " + column + " is masked: they would not be found",
		    "take the rule of " + column + " out of anonymize.tables"});
}

// A tenant's rows of a model that the object's id cannot name would be nobody's without a word, and what names them: lost where they are kept,
// copied where they are left out.
void branches_without_key(const GenericRelation &one, const Graph &graph, const Catalog &target, const Answers &answers, Plan &plan)
{
	if (!on_a_path(graph, one)) return;
	std::set<std::string> in_use;
	for (const Models &models : {models_of_source(graph, answers), models_of_target(graph, answers)})
		if (const auto found = models.find(id_of(one)); found != models.end()) in_use.insert(found->second.begin(), found->second.end());
	std::set<Name> tables;
	for (const auto &[model, table] : one.models)
		if (!table.empty() && in_use.contains(model) && graph.node(table).scope == Scope::tenant &&
		    std::none_of(one.keys.begin(), one.keys.end(), [&of = table](const ForeignKey *key) { return key->parent == of; }))
			tables.insert(table);
	for (const Name &table : tables)
		plan.problems.push_back({"tenant-path-key", shown(one),
		    one.table.shown() + " reaches its tenant by " + shown(one) + ", which names rows of " + table.shown() +
		        ", a table of tenants without a primary key of one column that " + one.column + " could hold: whose they are cannot be told",
		    mode_line(target, one.table, "mode: keep") + "    # or empty, or another tenant_path; or a primary key of one column for " + table.shown()});
}

}  // namespace

void suggest_generic_relations(const Config &config, const Graph &graph, const Catalog &target, std::vector<Problem> &warnings)
{
	const bool maps = std::any_of(graph.tables.begin(), graph.tables.end(), [](const auto &table) { return table.second.mapped; });
	if (!config.tenants && !maps) return;    // every id stays what it is
	std::string names, lines;
	std::size_t found = 0;
	for (const GenericRelation &one : undeclared_generic_relations(graph)) {
		++found;
		names += (names.empty() ? "" : ", ") + shown(one);
		lines += declaration(target, one).substr(std::string("tables:").size());
	}
	if (found)
		warnings.push_back({"generic-relations", "tables",
		    (found == 1 ? "1 column looks" : std::to_string(found) + " columns look") +
		        " like the id of an object whose content type stands beside it, and rows' ids change: " + names,
		    "# where it is one:\ntables:" + lines});
}

void add_generic_obstacles(const Config &config, const Graph &graph, const Masking &masking, const Catalog &source, const Catalog &target,
    const Answers &answers, Plan &plan)
{
	for (const GenericRelation &one : graph.generic) {
		const TableNode &node = graph.node(one.table);
		if (node.mode == Mode::copy && source.find(one.table) && !readable(graph, one, source))
			plan.problems.push_back({"generic-not-in-source", shown(one),
			    shown(one) + " names rows by " + one.by.column + (one.by.types.empty() ? "" : " and " + one.by.types.shown()) +
			        ", which production has not, or of other types",
			    mode_line(target, one.table, "mode: keep")});
		unknown_models(one, graph, target, answers, plan);
		branches_without_key(one, graph, target, answers, plan);
		if (node.mode != Mode::copy) continue;
		rows_that_become_equal(one, graph, target, answers, plan);
		masked(one, masking, answers, plan);
	}
	for (const GenericRelation &one : undeclared_generic_relations(graph)) {
		const auto kept = answers.kept_rows.find(one.table);
		const TableNode &node = graph.node(one.table);
		if (config.tenants && node.mode == Mode::copy && node.scope == Scope::tenant && kept != answers.kept_rows.end() && kept->second > 0)
			plan.problems.push_back({"generic-relation", one.table.shown(),
			    counted(kept->second, "kept row", "kept rows") + " of " + one.table.shown() +
			        " name other rows by content type and id (" + one.column +
			        "), without a foreign key: ids that move would lead elsewhere",
			    declaration(target, one) + "\n  # or\n  " + yaml_table(target, one.table) + ": {mode: empty}"});
	}
}

}  // namespace core
