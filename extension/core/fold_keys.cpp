#include "fold_keys.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "generic.hpp"
#include "key_types.hpp"
#include "maps.hpp"
#include "obstacles.hpp"
#include "statements.hpp"
#include "words.hpp"

namespace core {

namespace {

using Names = std::vector<std::string>;

bool contains(const Names &names, const std::string &name) { return std::find(names.begin(), names.end(), name) != names.end(); }

void add(Names &names, const std::string &name)
{
	if (!contains(names, name)) names.push_back(name);
}

// The predicate asks of the column nothing but whether it is NULL, which no map changes.
bool asks_only_for_null(std::string predicate, const std::string &column)
{
	for (const char *question : {" IS NOT NULL", " IS NULL"}) {
		const auto asked = quote_identifier(column) + question;
		for (auto at = predicate.find(asked); at != predicate.npos; at = predicate.find(asked, at)) {
			const char before = at ? predicate[at - 1] : '(';
			if (before != '(' && before != ' ') return false;
			predicate.erase(at, asked.size());
		}
	}
	return !mentions(predicate, column);
}

// An expression is in the place of each key without a name.
std::string expression_at(const Index &index, std::size_t place)
{
	const auto n = static_cast<std::size_t>(std::count(index.columns.begin(), index.columns.begin() + static_cast<std::ptrdiff_t>(place), ""));
	return n < index.expression_keys.size() ? index.expression_keys[n] : "";
}

// Two arrays side by side: the pairs of a map, for a join.
std::string pairs_table(const std::map<std::string, std::string> &pairs, const std::string &type)
{
	Names from, to;
	for (const auto &[old, now] : pairs) {
		from.push_back(old);
		to.push_back(now);
	}
	return "unnest(" + array_literal(from, type) + ", " + array_literal(to, "text") + ")";
}

// A source's row with the values that its columns are going to have.
class NewValues {
	const Graph &graph_;
	const Answers &answers_;
	const Missing &missing_;
	const Name &table_;
	const Relation &source_;
	const bool exact_;    // also where different ids stay different, whatever they become
	std::map<std::string, std::string> made_;
	std::string joins_;

	// What IdMap (idmap.hpp) makes of the value when it is loaded.
	std::string make(const std::string &name, const std::string &value)
	{
		const Name by = column_map(graph_, answers_, table_, name);
		const auto found_map = answers_.maps.find(by);
		const auto found_fold = answers_.folds.find(by);
		const Map *map = found_map == answers_.maps.end() ? nullptr : &found_map->second;
		const Fold *fold = map || found_fold == answers_.folds.end() ? nullptr : &found_fold->second;
		const bool nulls = missing_.nulls_unmatched(table_, name);
		// A map without a fallback keeps different ids different: the raw value does as well.
		if (!fold && (!map || (!map->fallback && !exact_ && !nulls))) return value;
		const auto &pairs = fold ? fold->dropped : map->pairs;
		const bool as_is = fold || map->as_is, falls_back = !as_is && map->fallback, let_go = nulls && !falls_back;
		std::set<std::string> gone;
		if (map && as_is && let_go) gone.insert(map->unmatched.begin(), map->unmatched.end());
		// Of an id without a pair.
		const auto otherwise = [&](const std::string &id, const std::string &is_gone) {
			if (falls_back) return quote_literal(*map->fallback) + "::text";
			if (!let_go) return id + "::text";
			return !as_is ? "NULL" : is_gone.empty() ? id + "::text" : "CASE WHEN NOT " + is_gone + " THEN " + id + "::text END";
		};
		const Column &column = *source_.column(name);
		if (is_id_array(column.base)) {
			const auto found = quote_literal(json(pairs).dump()) + "::jsonb";
			json none = json::object();    // its keys are found faster than elements of an array
			for (const auto &id : gone) none[id] = true;
			const auto is_gone = gone.empty() ? "" : "(" + quote_literal(none.dump()) + "::jsonb ? u.v::text)";
			const auto stays = !as_is ? found + " ? u.v::text" : gone.empty() ? "true" : "NOT " + is_gone;
			return "CASE WHEN " + value + " IS NOT NULL THEN ARRAY(SELECT CASE WHEN u.v IS NOT NULL THEN coalesce(" + found +
			    " ->> u.v::text, " + otherwise("u.v", is_gone) + ") END FROM unnest(" + value + ") WITH ORDINALITY AS u(v, n)" +
			    (let_go ? " WHERE u.v IS NULL OR array_ndims(" + value + ") > 1 OR " + stays : "") + " ORDER BY u.n) END";
		}
		const auto alias = "m" + std::to_string(made_.size()), none = "n" + std::to_string(made_.size());
		if (!gone.empty())
			joins_ += " LEFT JOIN unnest(" + array_literal({gone.begin(), gone.end()}, column.base) + ") AS " + none + "(id) ON " + none + ".id = " + value;
		const auto is_gone = gone.empty() ? "" : "(" + none + ".id IS NOT NULL)";
		// An empty text references nothing.
		const auto given = "CASE WHEN " + value + (is_text_type(column.base) ? " = '' THEN '' WHEN " + value : "") + " IS NOT NULL THEN ";
		if (pairs.empty()) return given + otherwise(value, is_gone) + " END";
		joins_ += " LEFT JOIN " + pairs_table(pairs, column.base) + " AS " + alias + "(old, new) ON " + alias + ".old = " + value;
		return given + "coalesce(" + alias + ".new, " + otherwise(value, is_gone) + ") END";
	}

public:
	NewValues(const Graph &graph, const Answers &answers, const Missing &missing, const Name &table, const Relation &source, bool exact)
	    : graph_(graph), answers_(answers), missing_(missing), table_(table), source_(source), exact_(exact)
	{}
	// A reference that is let go of (on_missing: null) arrives as NULL.
	std::string kept(const std::string &name) const
	{
		const auto let_go = missing_.value(table_, name);
		return let_go.empty() ? "t." + quote_identifier(name) : "(" + let_go + ")";
	}
	// A text where a map says it.
	const std::string &of(const std::string &name)
	{
		const auto made = made_.find(name);
		if (made != made_.end()) return made->second;
		auto value = make(name, kept(name));
		return made_.emplace(name, std::move(value)).first->second;
	}
	const std::string &joins() const { return joins_; }

	// The whole row, for what is computed of these columns, generated ones among them.
	std::string row(const Names &columns)
	{
		const auto computed = [&](const Column &column) { return column.generated && contains(columns, column.name); };
		const auto select = [&](const auto &value) {
			std::string list;
			for (const Column &column : source_.columns)
				if (const std::string sql = value(column); !sql.empty()) list += (list.empty() ? "" : ", ") + sql + " AS " + quote_identifier(column.name);
			return list;
		};
		auto row = "(SELECT " + select([&](const Column &column) {
			if (!contains(columns, column.name) || column.generated) return "t." + quote_identifier(column.name);
			const auto &value = of(column.name), as_it_is = "t." + quote_identifier(column.name);
			return value == as_it_is ? as_it_is : "(" + value + ")::" + cast_type(column.type);
		}) + ") AS t";
		if (std::none_of(source_.columns.begin(), source_.columns.end(), computed)) return row;
		return "(SELECT " + select([&](const Column &column) {
			return computed(column) ? "(" + column.expression + ")" : "t." + quote_identifier(column.name);
		}) + " FROM " + row + ") AS t";
	}
};

}  // namespace

const Index *same_index(const Relation &source, const Index &index)
{
	const auto found = std::find_if(source.indexes.begin(), source.indexes.end(), [&](const Index &other) {
		return other.unique && other.valid && other.predicate == index.predicate && other.columns == index.columns &&
		    other.expression_keys == index.expression_keys && other.nulls_not_distinct == index.nulls_not_distinct;
	});
	return found == source.indexes.end() ? nullptr : &*found;
}

FoldKeys::FoldKeys(
    const Config &config, const Graph &graph, const Answers &answers, const Missing &missing, const Name &table, const Index &index)
    : graph_(graph), answers_(answers), missing_(missing), table_(table), relation_(*graph.node(table).relation), index_(index)
{
	const auto look_at = [&](const std::string &sql, const auto &except) {
		for (const Column &column : relation_.columns)
			if ((index.whole_row || mentions(sql, column.name)) && !except(column.name)) add(computed_, column.name);
	};
	const auto nothing = [](const std::string &) { return false; };
	for (const auto &column : index.columns)
		if (!column.empty()) add(columns_, column);
	for (const auto &expression : index.expression_keys) look_at(expression, nothing);
	if (!index.predicate.empty())
		look_at(index.predicate, [&](const std::string &column) { return !decides(column); });
	for (const Column &column : relation_.columns)
		if (column.generated && (contains(columns_, column.name) || contains(computed_, column.name))) {
			look_at(column.expression, nothing);
			add(computed_, column.name);
		}
	const bool anything_computed_changes = std::any_of(computed_.begin(), computed_.end(), [&](const auto &column) { return changes(column); });
	// What nothing is computed of that changes is as it is.
	if (!anything_computed_changes && index.expression_keys.empty()) computed_.clear();
	for (const auto &column : computed_) add(columns_, column);
	may_fold_ = anything_computed_changes || std::any_of(columns_.begin(), columns_.end(), [&](const std::string &column) {
		if (index.nulls_not_distinct && changes(column)) return true;
		if (is_id_array(relation_.column(column)->base) && let_go(column)) return true;    // {1,2} without the 2
		const Name by = column_map(graph, answers, table, column);
		return !by.empty() && (graph.node(by).mapped ? has_fallback(config, graph, by) : true);
	});
}

bool FoldKeys::changes(const std::string &column) const
{
	return !column_map(graph_, answers_, table_, column).empty() || let_go(column) || generic_relation(graph_, table_, column);
}

bool FoldKeys::let_go(const std::string &column) const
{
	return missing_.nulls_unmatched(table_, column) || !missing_.value(table_, column).empty();
}

bool FoldKeys::decides(const std::string &column) const
{
	if (index_.predicate.empty() || index_.whole_row) return index_.whole_row;
	return mentions(index_.predicate, column) && (let_go(column) || !asks_only_for_null(index_.predicate, column));
}

std::vector<std::string> FoldKeys::changing() const
{
	Names out;
	for (const auto &column : computed_)
		if (changes(column)) out.push_back(column);
	return out;
}

bool FoldKeys::ready(const Config &config) const
{
	return std::all_of(columns_.begin(), columns_.end(), [&](const auto &column) {
		const Name by = kept_map(graph_, table_, column);
		return by.empty() || (!exact() && !missing_.nulls_unmatched(table_, column)) || map_complete(config, graph_, answers_, by);
	});
}

std::string FoldKeys::undecidable(const Catalog &source) const
{
	const Relation *there = source.find(table_);
	if (!may_fold_ || !there || !there->ordinary()) return "";
	// It has its default in every row; where that is NULL none is equal to another one.
	for (const auto &name : columns_)
		if (!there->column(name) && (index_.nulls_not_distinct || relation_.column(name)->has_default || contains(computed_, name)))
			return name + " is not in production";
	if (computed_.empty()) return "";
	if (index_.whole_row) return "it looks at whole rows";
	if ((!index_.expression_keys.empty() || !index_.predicate.empty()) && !same_index(*there, index_))
		return "production has no unique index of the same expressions, and the target's are not run there";
	for (const auto &name : computed_) {
		const Column *here = relation_.column(name), *read = there->column(name);
		// What production's expression is, only the client knows (plan_run.cpp).
		if (here->generated != read->generated || (!read->expression.empty() && here->expression != read->expression))
			return name + " is generated otherwise in production";
		if (changes(name) && here->base != read->base) return name + " is " + read->type + " in production and " + here->type + " here";
		if (const GenericRelation *one = generic_relation(graph_, table_, name); one && !maps_by_model(graph_, answers_, *one).empty())
			return "which rows " + name + " names, " + one->by.column + " says";
	}
	return "";
}

FoldKeys::Sql FoldKeys::sql(const Relation &source) const
{
	NewValues values(graph_, answers_, missing_, table_, source, exact());
	const Index *same = same_index(source, index_);
	const auto condition = index_.predicate.empty() ? "" : "(\n" + same->predicate + "\n)";    // undecidable() saw to it that there is one
	const bool mapped_condition =
	    !condition.empty() && std::any_of(computed_.begin(), computed_.end(), [&](const std::string &column) { return decides(column); });
	Sql out;
	std::string list;
	for (std::size_t i = 0; i < index_.columns.size(); ++i) {
		const auto &name = index_.columns[i];
		const bool generated = !name.empty() && contains(computed_, name) && source.column(name)->generated;
		if (name.empty() || generated) {
			const auto key = "e.k" + std::to_string(i), expression = name.empty() ? "(" + expression_at(*same, i) + ")" : "t." + quote_identifier(name);
			// An expression may fail over rows that the index does not have.
			list += (list.empty() ? "" : ", ") + (condition.empty() ? expression : "CASE WHEN " + condition + " THEN " + expression + " END") +
			    " AS k" + std::to_string(i);
			out.raw.push_back(name.empty() ? key : expression);
			out.keys.push_back(key);
			out.given.push_back(key + " IS NOT NULL");
			continue;
		}
		const auto raw = "t." + quote_identifier(name);
		out.raw.push_back(raw);
		out.keys.push_back(values.of(name));
		out.given.push_back((missing_.nulls_unmatched(table_, name) ? values.of(name) : values.kept(name)) + " IS NOT NULL");
		// The same ids in another shape are not equal. What ids are taken out of still begins where it did, unless nothing is left.
		if (const auto kept = values.kept(name); is_id_array(source.column(name)->base) && values.of(name) != raw)
			out.keys.push_back("CASE WHEN array_ndims(" + kept + ") > 1 THEN array_dims(" + kept + ") WHEN array_lower(" + kept +
			    ", 1) <> 1 AND cardinality(" + values.of(name) + ") > 0 THEN array_lower(" + kept + ", 1)::text END");
	}
	if (mapped_condition) {
		list += (list.empty() ? "" : ", ") + condition + " AS p";
		out.after = "e.p";
	} else {
		out.before = condition;
	}
	const auto row = list.empty() ? "" : values.row(computed_);
	out.joins = values.joins() + (list.empty() ? "" : " CROSS JOIN LATERAL (SELECT " + list + " FROM " + row + ") AS e");
	return out;
}

}  // namespace core
