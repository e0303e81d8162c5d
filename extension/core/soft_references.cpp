#include "soft_references.hpp"

#include <algorithm>
#include <cctype>

#include "key_types.hpp"
#include "maps.hpp"
#include "detect_names.hpp"
#include "rules.hpp"
#include "statements.hpp"

namespace core {

namespace {

void add_one(Graph &graph, const Catalog &catalog, const Name &table, const std::string &column, const std::string &to,
    const std::vector<std::string> &tenant_path, const std::string &place, std::vector<Problem> &problems)
{
	const Column *child = graph.node(table).relation->column(column);
	const auto parent = resolve_table(catalog, to, place + ".to", problems);
	if (!child || !parent) return;  // an unknown column is a problem of its own
	const Relation &relation = *graph.node(*parent).relation;
	const auto key = single_key(relation);
	const auto shown = table.shown() + "." + column;
	if (key.empty()) {
		problems.push_back({"reference-without-key", place + ".to",
		    shown + " cannot reference " + parent->shown() + ", which has no primary key of one column", "take references: " + column + " out"});
		return;
	}
	const bool array = child->base.ends_with("[]");
	const auto from = array ? element_type(child->base) : child->base, &type = relation.column(key)->base;
	if (!comparable_keys(from, type) || (array && !is_id_array(child->base))) {
		problems.push_back({"reference-type", place,
		    shown + " is of type " + child->type + ", the key " + parent->shown() + "." + key + " of type " + relation.column(key)->type +
		        ": a value of one does not name a row by the other",
		    "take references: " + column + " out, or give both columns the same type"});
		return;
	}
	const bool by_text = is_text_type(from) && !is_text_type(type);
	if (by_text && std::find(tenant_path.begin(), tenant_path.end(), column) != tenant_path.end()) {
		problems.push_back({"reference-type", place, shown + " is a text and cannot be part of a tenant path",
		    "give it the type of " + parent->shown() + "." + key});
		return;
	}
	for (const ForeignKey *other : graph.keys)
		if (other->child == table && other->columns == std::vector{column} && logical_table(graph, other->parent) == *parent) {
			problems.push_back({"reference-twice", place, shown + " is a foreign key to " + parent->shown() + " already (" + other->name + ")",
			    "take to: " + to + " out"});
			return;
		}
	ForeignKey &added = graph.declared->emplace_back();
	added.name = shown;
	added.child = table;
	added.parent = *parent;
	added.columns = {column};
	added.referenced = {key};
	added.equals = {"OPERATOR(pg_catalog.=)"};
	added.declared = true;
	added.array = array;
	if (by_text) added.text_of = type;
	graph.keys.push_back(&added);
}

// "customerId", "customer_id" -> "customer"; nothing for another name.
std::string named_thing(const std::string &column)
{
	auto words = words_of_name(column);
	if (words.size() < 2 || words.back() != "id") return "";
	std::string all;
	for (std::size_t i = 0; i + 1 < words.size(); ++i) all += words[i];
	return all;
}

// What rows of the table may be called in a column's name, the last words of its own: apps_customers_customer, Customers -> customer.
std::set<std::string> things_in(const Name &table)
{
	std::set<std::string> out;
	const auto words = words_of_name(table.name);
	std::string end;
	for (auto word = words.rbegin(); word != words.rend(); ++word) {
		end.insert(0, *word);
		out.insert(end);
		if (end.ends_with("s")) out.insert(end.substr(0, end.size() - 1));
		if (end.ends_with("es")) out.insert(end.substr(0, end.size() - 2));
		if (end.ends_with("ies")) out.insert(end.substr(0, end.size() - 3) + "y");
	}
	return out;
}

}  // namespace

std::string ids_that_stay(const std::string &array, const std::string &base_type, const std::string &condition)
{
	const std::string type = cast_type(base_type);
	// SQL has no way to set an element of an array. So its text form is written anew: with `size` elements in a part of each dimension, a
	// part begins where (n - 1) % size = 0 and ends where n % size = 0. Ids need no quotes.
	std::string size = "1", sizes;
	for (int dimension = 6; dimension > 0; --dimension) {    // MAXDIM
		size = "coalesce(array_length(" + array + ", " + std::to_string(dimension) + "), 1)" + (dimension == 6 ? "" : " * " + size);
		sizes = size + (sizes.empty() ? "" : ", ") + sizes;
	}
	const auto braces = [&](const char *brace, const char *place) {
		return std::string("repeat('") + brace + "', (SELECT count(*)::integer FROM unnest(ARRAY[" + sizes +
		    "]) WITH ORDINALITY AS d(size, dimension) WHERE d.dimension <= array_ndims(" + array + ") AND " + place + " % d.size = 0))";
	};
	const std::string elements = " FROM unnest(" + array + ") WITH ORDINALITY AS e(v, n)";
	return "CASE WHEN array_ndims(" + array + ") > 1 THEN (SELECT (array_dims(" + array + ") || '=' || string_agg(" + braces("{", "(e.n - 1)") +
	    " || CASE WHEN " + condition + " THEN coalesce(e.v::text, 'NULL') ELSE 'NULL' END || " + braces("}", "e.n") +
	    ", ',' ORDER BY e.n))::" + type + elements + ") ELSE ARRAY(SELECT e.v" + elements + " WHERE " + condition + " ORDER BY e.n) END";
}

void add_soft_references(
    Graph &graph, const Catalog &catalog, const std::map<Name, const TableRule *> &rules, std::vector<Problem> &problems)
{
	graph.declared = std::make_shared<std::list<ForeignKey>>();
	for (const auto &[table, rule] : rules)
		for (const auto &[column, to] : rule->to)
			if (graph.tables.contains(table))
				add_one(graph, catalog, table, column, to, rule->tenant_path, "tables." + rule->pattern + ".references." + column, problems);
}

void suggest_soft_references(const Config &config, const Graph &graph, const Catalog &catalog, std::vector<Problem> &warnings)
{
	std::string names, lines;
	std::int64_t found = 0;
	// Ids of other tables stay what they are.
	std::map<std::string, std::vector<Name>> called;
	for (const auto &[name, node] : graph.tables)
		if (node.mapped || (config.tenants && node.mode == Mode::copy && !node.key.empty()))
			if (const auto key = single_key(*node.relation); !key.empty() && (node.mapped || node.key == key))
				for (const auto &thing : things_in(name)) called[thing].push_back(name);
	for (const auto &[table, node] : graph.tables) {
		if (node.mode == Mode::empty) continue;
		std::string of_table;
		std::set<std::string> known;
		for (const ForeignKey *key : graph.from(table)) known.insert(key->columns.begin(), key->columns.end());
		for (const Column &column : node.relation->columns) {
			const auto thing = named_thing(column.name);
			if (thing.empty() || known.contains(column.name) || (!is_integer(column.base) && column.base != "uuid")) continue;
			std::vector<Name> meant;
			if (const auto others = called.find(thing); others != called.end())
				for (const Name &other : others->second) {
					const Relation &parent = *graph.node(other).relation;
					if (other != table && parent.column(single_key(parent))->base == column.base) meant.push_back(other);
				}
			if (meant.size() != 1) continue;
			if (++found <= 10) names += (names.empty() ? "" : ", ") + table.shown() + "." + column.name;
			of_table += "\n      " + yaml_word(column.name) + ": {to: " + yaml_table(catalog, meant.front()) + "}";
		}
		if (!of_table.empty()) lines += "\n  " + yaml_table(catalog, table) + ":\n    references:" + of_table;
	}
	if (!found) return;
	if (found > 10) names += " and " + std::to_string(found - 10) + " more";
	warnings.push_back({"soft-references", "tables",
	    (found == 1 ? "1 column looks" : std::to_string(found) + " columns look") +
	        " like a reference without a foreign key, to rows whose ids change: " + names,
	    "# where it is one:\ntables:" + lines});
}

}  // namespace core
