#include "masking.hpp"

#include <algorithm>

#include "composite.hpp"
#include "json_path.hpp"
#include "maps.hpp"
#include "masked_checks.hpp"
#include "mask_fit.hpp"
#include "masks.hpp"
#include "obstacles.hpp"
#include "personal_columns.hpp"
#include "predicate.hpp"
#include "rules.hpp"

namespace core {

using Problems = std::vector<Problem>;

std::string rule_text(const std::string &column, const MaskRule &rule)
{
	if (!rule.inside.empty()) {    // the lines of a list, all but the first with their beginning
		std::string all;
		for (const MaskRule &part : rule.inside) all += (all.empty() ? "" : "\n      - ") + rule_text(column, part);
		return all;
	}
	std::string text = "{column: " + yaml_word(column);
	if (!rule.path.empty()) text += ", path: " + json(rule.path).dump();
	text += ", strategy: " + yaml_word(rule.strategy);
	if (!rule.domain.empty()) text += ", domain: " + yaml_word(rule.domain);
	if (!rule.entity.empty()) text += ", entity: " + yaml_word(rule.entity);
	if (!rule.when.empty()) text += ", when: " + json(rule.when).dump();
	// JSON is YAML
	for (const auto &[option, value] : rule.options.items())
		if (option != shape_option) text += ", " + option + ": " + (value.is_string() ? yaml_word(value.get<std::string>()) : value.dump());
	return text + "}";
}

namespace {

std::string rule_lines(const Catalog &target, const Name &table, const std::string &line)
{
	return "anonymize:\n  tables:\n    " + yaml_table(target, table) + ":\n      " + line;
}

// What the rule does, behind "masked by".
std::string strategy_of(const MaskRule &rule)
{
	return rule.inside.empty() ? "strategy " + rule.strategy : "rules for its parts";
}

// A rule that would copy the column, as a comment: nobody shall paste a leak.
std::string copied_line(const std::string &rule) { return "# - " + rule + "    # copies it as it is"; }

class Checker {
	const Config &config;
	const Graph &graph;
	const Masking &masking;
	const Catalog &source, &target;
	const Answers &answers;
	const MaskFit fit;
	Plan &plan;

	void problem(const char *id, const std::string &object, const std::string &text, const std::string &fix)
	{
		plan.problems.push_back({id, object, text, fix});
	}

	// "another strategy that fits", as lines to paste.
	std::string instead(const PlannedTable &table, const Column &column) const
	{
		const auto other = fit.fitting(table, column, {"hash", "email", "name", "redact"});
		return rule_lines(target, table.name,
		    other ? "- " + rule_text(column.name, *other) : copied_line(rule_text(column.name, {"none", "", json::object()})));
	}

	void checks(const PlannedTable &table, const Column &column, const MaskRule &rule)
	{
		const auto names = checks_of(target, table.name, column);
		if (!names.empty()) plan.warnings.push_back(masked_check_warning(table.name, column.name, names, rule));
	}

	// Rules for fields of a composite type: each as if the field were a column.
	bool fits_fields(const PlannedTable &table, const Column &column, const MaskRule &rule, const std::string &object)
	{
		const json &shape = rule.options.at(shape_option);
		if (parts_of_type(target, column) != shape) {
			problem("masked-type", object, object + " is " + column.type + ", whose fields are not production's, in their order and their types",
			    "change the type in the target, or mask the column as a whole: " + rule_text(column.name, {"null", "", json::object()}));
			return false;
		}
		bool fits = true;
		for (const MaskRule &part : rule.inside) {
			std::string why;
			const auto fields = fields_at(shape, *JsonPath::parse(part.path, why));
			const auto refuse = [&](const char *id, const std::string &text, const std::string &fix) {
				problem(id, object, text, fix);
				fits = false;
			};
			if (fields.empty())
				refuse("masked-path", "the path " + part.path + " names no field of " + object + ", which is " + column.type,
				    "fields: " + listed(field_names(shape)));
			for (Column field : fields) {
				const auto shown_field = object + "." + field.name;
				const Strategy *strategy = part.masks() ? find_strategy(part.strategy) : nullptr;
				if (!strategy) continue;
				const std::string another = rule_lines(
				    target, table.name, "- " + rule_text(column.name, {"redact", "", json::object(), "", "", part.path, {}}));
				if (!takes(*strategy, kind_of_type(field.base)))
					refuse("masked-type",
					    shown_field + " is " + field.type + ", which strategy " + part.strategy + " does not take", another);
				else if (const auto no = strategy->unfit ? strategy->unfit(part, field) : ""; !no.empty())
					refuse("masked-value", "strategy " + part.strategy + " " + no + " (" + shown_field + ", " + field.type + ")",
					    "");
				else if (const auto narrow = fit.too_narrow(field, part); !narrow.empty())
					refuse("masked-length", shown_field + " is too short for strategy " + part.strategy + ": it gives " + narrow,
					    "");
			}
		}
		return fits;
	}

	// A partial unique index that chooses its rows by the column: masked, rows may enter that were not in it. Whether a value is NULL or empty no
	// mask changes, but for those that give NULL.
	void partial_index(const PlannedTable &table, const Column &column, const MaskRule &rule)
	{
		const auto name = quote_identifier(column.name);
		for (const Relation *relation : fit.relations(table.name))
			for (const Index &index : relation->indexes) {
				if (!index.unique || !index.valid || index.predicate.empty()) continue;
				std::string predicate = index.predicate;
				if (!gives_null(rule))
					for (const std::string &same :
					    {name + " IS NOT NULL", name + " IS NULL", "(" + name + ")::text <> ''::text", name + " <> ''::text"})
						if (const auto at = predicate.find(same); at != predicate.npos) predicate.erase(at, same.size());
				if (!mentions(predicate, column.name)) continue;
				plan.warnings.push_back({"masked-predicate", table.name.shown() + "." + column.name,
				    "unique index " + index.name + " has the rows WHERE " + index.predicate + ": " + table.name.shown() + "." + column.name +
				        " is masked, so other rows may be in it than in production, and two that are equal there end the run",
				    "prodsync sync --rehearse tries it, and changes nothing"});
			}
	}

	// Whether the rule can be about such a column at all.
	bool fits_type(const PlannedTable &table, const Column &column, const MaskRule &rule, const std::string &object)
	{
		if (rule.inside.empty()) {
			const Strategy &strategy = *find_strategy(rule.strategy);
			Column one = column;
			one.base = masked_base(rule, column.base);
			if (!takes(strategy, kind_of_type(one.base)))
				problem("masked-type", object,
				    object + " is " + column.type + ", which strategy " + rule.strategy + " does not take",
				    instead(table, column));
			else if (const auto no = strategy.unfit ? strategy.unfit(rule, one) : ""; !no.empty())
				problem("masked-value", object, "strategy " + rule.strategy + " " + no + " (" + object + ", " + column.type + ")",
				    instead(table, column));
			else return true;
			return false;
		}
		if (rule.options.contains(shape_option)) return fits_fields(table, column, rule, object);
		if (!has_parts(column.base)) {
			problem("masked-type", object, object + " is " + column.type + ", which has no parts that a path could name",
			    rule_lines(target, table.name,
			        "- " + rule_text(column.name, {rule.inside.front().strategy, "", rule.inside.front().options})));
			return false;
		}
		for (const MaskRule &part : rule.inside)
			if (std::string why; is_hstore(column.base) && !JsonPath::parse(part.path, why)->names_members()) {
				problem("masked-type", object,
				    object + " is " + column.type + ", whose keys have nothing below them: the path " + part.path +
				        " names no key",
				    "path: $.key");
				return false;
			}
		for (const MaskRule &part : rule.inside)
			if (part.masks() && !takes(*find_strategy(part.strategy), ValueKind::text)) {
				problem("masked-type", object,
				    object + " " + part.path + " is text as far as a mask is concerned, which strategy " + part.strategy +
				        " does not take",
				    rule_lines(target, table.name,
				        "- " + rule_text(column.name, {"redact", "", json::object(), "", "", part.path, {}})));
				return false;
			}
		return true;
	}

	void of_column(const PlannedTable &table, const Column &column, const MaskRule &rule)
	{
		const auto object = table.name.shown() + "." + column.name;
		if (!fits_type(table, column, rule, object)) return;
		if (const Strategy *strategy = find_strategy(rule.strategy); strategy && strategy->caution)
			if (const auto what = strategy->caution(rule); !what.empty())
				plan.warnings.push_back({"masked-caution", object, object + " " + what, ""});
		if (const auto why = fit.too_narrow(column, rule); !why.empty())
			problem("masked-length", object, object + " is too short for strategy " + rule.strategy + ": it gives " + why,
			    instead(table, column));
		else if (const auto odds = fit.collides(table, column.name, rule);
		         !odds.empty() && find_strategy(rule.strategy) && find_strategy(rule.strategy)->as_elsewhere)
			plan.warnings.push_back({"masked-unique", object, strategy_of(rule) + " " + odds + " (" + object + ")",
			    "prodsync sync --rehearse tries it, and changes nothing; without compat: confiture masks do not collide"});
		else if (!odds.empty())
			problem("masked-unique", object, strategy_of(rule) + " " + odds + " (" + object + ")", instead(table, column));
		if (const Strategy *strategy = find_strategy(rule.strategy);
		    strategy && !rule.entity.empty() && (strategy->of_the_value || masked_base(rule, column.base) != column.base))
			problem("bad-value", object,
			    strategy->of_the_value
			        ? "strategy " + rule.strategy + " is made of the value itself, so entity has no effect (" + object + ")"
			        : object + " is an array, whose elements draw each from itself: entity has no effect",
			    "take entity out");
		if (const Relation *there = source.find(table.name); there && !rule.entity.empty() && !there->column(rule.entity)) {
			std::vector<std::string> known;
			for (const Column &one : there->columns) known.push_back(one.name);
			problem("unknown-column", object,
			    "the rule for " + object + " draws its mask from " + rule.entity + ", which production's table does not have" +
			        did_you_mean(rule.entity, known),
			    "entity: the column that tells whose row it is, like user_id");
		}
		checks(table, column, rule);
		partial_index(table, column, rule);
		key(table, column, object);
		children(table, column, rule);
	}

	// Keys by which rows are chosen go to the target as they are in production, and are compared with it afterwards.
	void key(const PlannedTable &table, const Column &column, const std::string &object)
	{
		const std::string without_rule = "take the rule for " + object + " out";
		const bool is_key = single_key(*target.find(table.name)) == column.name;
		const auto fold = answers.folds.find(table.name);
		if (is_key && table.name == tenant_table(config, graph))
			problem("masked-key", object, object + " is the key of the tenant table: which tenants are left out is told by it", without_rule);
		else if (is_key && fold != answers.folds.end() && !fold->second.dropped.empty())
			problem("masked-key", object,
			    object + " is the key of a table whose rows become equal when users are mapped: which of them go is told by it",
			    without_rule);
		else if (const auto &columns = table.columns; std::any_of(columns.begin(), columns.end(), [&](const Transfer &one) {
			         return one.column == column.name && (!one.map.empty() || !one.by_model.empty());
		         }))
			problem("masked-key", object,
			    object + " holds ids that are replaced on their way: masking and replacing exclude each other", without_rule);
		if (config.tenants && table.name == tenant_table(config, graph))
			for (const auto &mentioned : mentioned_columns(config.tenants->keep, *target.find(table.name)))
				if (mentioned == column.name)
					problem("masked-keep", object, "tenants.keep chooses by " + object + ", which is masked: next time it would choose among masks",
					    "choose by another column, or " + without_rule);
	}

	// Inheritance: SELECT of the parent shows the children's rows, which are tables of their own here.
	void children(const PlannedTable &table, const Column &column, const MaskRule &given)
	{
		for (const PlannedTable &child : plan.tables) {
			const Relation *relation = target.find(child.name);
			const bool written = child.mode == Mode::copy || (config.choice.in_place && graph.node(child.name).stays);
			if (!written || !child.in_source ||
			    std::find(relation->parents.begin(), relation->parents.end(), table.name) == relation->parents.end())
				continue;
			if (!fit.rule(child.name, column.name))
				problem("masked-child", child.name.shown() + "." + column.name,
				    child.name.shown() + " inherits " + column.name + " from " + table.name.shown() +
				        ", where it is masked, and has no rule of its own",
				    rule_lines(target, child.name, "- " + rule_text(column.name, given)));
		}
	}

	// A reference holds only where both ends change alike.
	void references()
	{
		std::map<Name, const PlannedTable *> tables;
		for (const PlannedTable &table : plan.tables) tables[table.name] = &table;
		for (const ForeignKey *key : graph.keys) {
			const auto child = tables.find(logical_table(graph, key->child)), parent = tables.find(logical_table(graph, key->parent));
			if (child == tables.end() || parent == tables.end()) continue;
			if (child->second->mode == Mode::empty || parent->second->mode == Mode::empty) continue;
			if (graph.node(child->first).stays && !config.choice.in_place) continue;    // nothing of it travels; that its references hold is verified
			if (child->second->mode == Mode::copy && !child->second->in_source) continue;    // kept rows only, which follow theirs
			for (std::size_t i = 0; i < key->columns.size(); ++i) {
				const MaskRule of_child = fit.effective(*child->second, key->columns[i]), of_parent = fit.effective(*parent->second, key->referenced[i]);
				if (of_child == of_parent && of_child.entity.empty() && of_child.when.empty() && of_child.strategy != by_production) {
					of_equal_rules(*key, i, of_child);
					continue;
				}
				const auto child_column = child->first.shown() + "." + key->columns[i],
				           parent_column = parent->first.shown() + "." + key->referenced[i];
				const auto how = [](const MaskRule &rule) {
					return !rule.masks() ? std::string("copied as it is")
					                     : "masked by " + rule.strategy + (rule.options.empty() ? "" : " with " + rule.options.dump()) +
					        (rule.domain.empty() ? "" : " in domain " + rule.domain);
				};
				const bool copies = config.choice.in_place ||
				    (child->second->mode == Mode::copy &&
				        (parent->second->mode == Mode::copy || graph.node(parent->first).stays));
				// One rule for both ends: the parent's, or the child's where only that has one.
				const MaskRule &both = of_parent.masks() ? of_parent : of_child;
				problem("masked-reference", child_column,
				    child_column + " (" + how(of_child) + ") references " + parent_column + " (" + how(of_parent) +
				        "): " + key->name + " would break",
				    config.choice.in_place && config.choice.of_tables() && fit.rule(child->first, key->columns[i]) &&
				            fit.rule(parent->first, key->referenced[i])
				        ? "choose both: " + child->first.shown() + " and " + parent->first.shown()
				        : copies ? rule_lines(target, child->first, "- " + rule_text(key->columns[i], both)) + "\n    " +
				            yaml_table(target, parent->first) + ":\n      - " + rule_text(key->referenced[i], both)
				                 : rule_lines(target, of_child.masks() ? child->first : parent->first,
				                       copied_line(rule_text(of_child.masks() ? key->columns[i] : key->referenced[i],
				                           {"none", "", json::object()}))));
			}
		}
	}

	// citext compares without case, a mask is made of the bytes.
	void of_equal_rules(const ForeignKey &key, std::size_t i, const MaskRule &rule)
	{
		const Relation *child = target.find(logical_table(graph, key.child));
		const Column *column = child ? child->column(key.columns[i]) : nullptr;
		if (rule.masks() && column && (column->base == "citext" || column->base.ends_with(".citext")))
			plan.warnings.push_back({"masked-citext", child->name.shown() + "." + column->name,
			    child->name.shown() + "." + column->name +
			        " is citext and masked: a reference that differs in case from what it references finds nothing, and ends the "
			        "run",
			    "prodsync sync --rehearse tries it, and changes nothing"});
	}

	// A table that is masked by a rule with a key, and a target that has none for its own rows.
	void kept_rows()
	{
		if (!masks_kept_rows(config) || !config.tenants) return;
		for (const auto &[table, columns] : masking)
			for (const auto &[column, rule] : columns) {
				if (!rule.masks() || recognizable(rule)) continue;
				plan.problems.push_back({"kept-rows-form", table.shown() + "." + column,
				    "what " + strategy_of(rule) +
				        " gave cannot be told from raw values: every refresh would mask the kept rows of " + table.shown() + "." +
				        column + " once more",
				    "anonymize: {kept_rows: trust}, or another strategy for the column"});
			}
		if (target.settings.contains(key_file_setting)) return;
		for (const auto &[table, columns] : masking)
			for (const auto &[column, rule] : columns) {
				if (!rule.masks() || !needs_key(rule)) continue;
				plan.problems.push_back({"kept-rows-key", "anonymize.kept_rows",
				    "kept rows are to be masked on the target, and its setting prodsync.key_file names no file with a key",
				    "ALTER SYSTEM SET prodsync.key_file = '/path/to/uat.key';    -- a superuser of the target, then SELECT "
				    "pg_reload_conf(); 64 hex digits, "
				    "mode 0600, of the server's operating system user"});
				return;
			}
	}

public:
	Checker(const Config &config_, const Graph &graph_, const Masking &masking_, const Catalog &source_, const Catalog &target_,
	    const Answers &answers_, Plan &plan_)
	    : config(config_), graph(graph_), masking(masking_), source(source_), target(target_), answers(answers_),
	      fit(config_, graph_, masking_, source_, target_), plan(plan_)
	{}

	void run()
	{
		for (const PlannedTable &table : plan.tables) {
			const auto rules = masking.find(table.name);
			if (rules == masking.end()) continue;
			for (const auto &[name, rule] : rules->second) {
				if (!rule.masks()) continue;
				const auto object = table.name.shown() + "." + name;
				const Relation *there = source.find(table.name);
				if (!there || !there->column(name)) continue;    // only the target has it: nothing travels
				if (table.mode == Mode::keep && !graph.node(table.name).stays)
					problem("masked-kept-table", object,
					    "a rule for " + object + ": the table is kept, none of its rows is copied or masked (" + table.reason + ")",
					    "take the rule out, or: tables: {" + yaml_table(target, table.name) + ": {mode: copy}}");
				const Column *column = target.find(table.name)->column(name);
				// One that stays was masked when it was copied; what inherits from it travels now.
				if (graph.node(table.name).stays && !config.choice.in_place && column && !column->generated) children(table, *column, rule);
				if (table.mode != Mode::copy || !table.in_source || !column || column->generated) continue;
				of_column(table, *column, rule);
			}
		}
		references();
		kept_rows();
	}

	// In place a table stays because no rule masks it: with one it would not.
	Plan with_rules_everywhere() const
	{
		Plan out;
		out.tables = plan.tables;
		if (!config.choice.in_place || config.choice.of_tables()) return out;
		for (PlannedTable &table : out.tables) {
			if (!graph.node(table.name).stays || !table.in_source) continue;
			table.mode = Mode::copy;
			for (const Column &column : target.find(table.name)->columns)
				if (!column.generated) table.columns.push_back({column.name, column.type, {}});
		}
		return out;
	}

	// What stands in the way of other rules in the place of these.
	std::vector<Problem> problems_of(const Masking &rules) const
	{
		Plan tried = with_rules_everywhere();
		Checker(config, graph, rules, source, target, answers, tried).run();
		return std::move(tried.problems);
	}

	void personal(const Contents &contents, double least)
	{
		add_personal_columns(config, graph, masking, source, target, answers, contents, least, with_rules_everywhere(),
		    [&](const Masking &rules) { return problems_of(rules); }, plan);
	}
};

}  // namespace

bool masks_kept_rows(const Config &config) { return config.anonymize.value("kept_rows", "trust") == "mask"; }

void add_masking_obstacles(
    const Config &config, const Graph &graph, const Masking &masking, const Catalog &source, const Catalog &target, const Answers &answers,
    const Contents &contents, Plan &plan)
{
	Checker checker(config, graph, masking, source, target, answers, plan);
	checker.run();
	checker.personal(contents, flagged);
}

std::vector<PersonalColumn> list_personal(const Config &given, const Catalog &catalog, const Contents &contents, double least)
{
	Config config = given;
	config.choice = {};
	config.policy = Policy::none;
	const Answers none;
	Plan plan = make_plan(config, catalog, catalog, none);
	config.policy = Policy::strict;
	std::vector<Problem> ignored;
	const Graph graph = Graph::build(config, catalog, ignored, ignored);
	const Masking masking = resolve_masking(config, graph, catalog, catalog, ignored);
	Checker(config, graph, masking, catalog, catalog, none, plan).personal(contents, least);
	return std::move(plan.personal);
}

}  // namespace core
