#include "answers.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>

#include "digest.hpp"
#include "maps.hpp"

namespace core {

namespace {

[[noreturn]] void refuse(const std::string &why) { throw std::runtime_error("answers: " + why); }

std::int64_t number(const std::optional<std::string> &cell)
{
	try {
		std::size_t used = 0;
		const auto value = std::stoll(cell.value(), &used);
		if (used == cell->size()) return value;
	} catch (const std::exception &) {}
	refuse("a number was expected");
}

const std::string &text(const std::optional<std::string> &cell)
{
	if (!cell) refuse("a value was expected, not NULL");
	return *cell;
}

// ---- natural keys ----

// Values of a natural key as one string that no other list of values has. NULL is as good as a value: the key was declared.
std::string one_key(const Row &values)
{
	std::string all;
	for (const auto &value : values) all += value ? std::to_string(value->size()) + ":" + *value : "-";
	return all;
}

struct Keyed {
	std::map<std::string, std::string> keys;  // natural key -> key, only where exactly one row has it
	std::vector<std::string> without;         // keys of rows that nothing can be matched with: nothing but NULL, or not unique
	std::int64_t twice = 0;                   // those that are not unique
};

// `cells` are rows of a key and its natural key, one after the other. `translate` gives a natural column's value as the target tells it.
Keyed by_natural_key(const Row &cells, std::size_t width,
    const std::function<std::optional<std::string>(std::size_t, const std::string &)> &translate)
{
	Keyed found;
	std::set<std::string> twice;
	std::vector<std::pair<std::string, std::string>> rows;
	for (std::size_t at = 0; at + width <= cells.size(); at += width) {
		Row values;
		bool known = true, told = false;
		for (std::size_t i = 1; i < width && known; ++i) {
			const auto &cell = cells[at + i];
			values.push_back(cell ? translate(i - 1, *cell) : std::nullopt);
			known = values.back() || !cell;
			told |= values.back().has_value();
		}
		const auto &key = text(cells[at]);
		if (!known || !told)
			found.without.push_back(key);
		else
			rows.emplace_back(one_key(values), key);
	}
	for (const auto &[natural, key] : rows)
		if (!found.keys.emplace(natural, key).second) twice.insert(natural);
	for (const auto &[natural, key] : rows)
		if (twice.contains(natural)) {
			found.keys.erase(natural);
			found.without.push_back(key);
			++found.twice;
		}
	return found;
}

void match_pairs(
    Answers &answers, const Config &config, const Graph &graph, const Name &table, const std::vector<std::string> &natural)
{
	const auto source = answers.keys.find("pairs " + table.sql() + " source"),
	           target = answers.keys.find("pairs " + table.sql() + " target");
	const bool stays = graph.node(table).stays;
	if (source == answers.keys.end() || (target == answers.keys.end() && !(stays && natural.empty()))) return;
	const std::size_t width = natural.size() + 1;
	std::vector<const Map *> maps;  // of those natural columns that hold ids of another map
	for (const auto &column : natural) {
		const auto map = answers.maps.find(kept_map(graph, table, column));
		maps.push_back(map == answers.maps.end() || map->first == table ? nullptr : &map->second);
	}
	const auto translated = [&](std::size_t column, const std::string &value) -> std::optional<std::string> {
		if (!maps[column]) return digest(value);
		if (const auto pair = maps[column]->pairs.find(value); pair != maps[column]->pairs.end()) return digest(pair->second);
		if (maps[column]->as_is && !std::binary_search(maps[column]->unmatched.begin(), maps[column]->unmatched.end(), value))
			return digest(value);
		return maps[column]->fallback ? std::optional(digest(*maps[column]->fallback)) : std::nullopt;
	};
	auto here = by_natural_key(source->second, width, translated);
	const auto there = target == answers.keys.end()
	    ? Keyed{}
	    : by_natural_key(target->second, width, [](std::size_t, const std::string &value) { return std::optional(value); });
	// What many rows have names none of them. (Ids of a map with a fallback are equal because of that.)
	if (std::none_of(maps.begin(), maps.end(), [](const Map *one) { return one && one->fallback; }))
		answers.unmatched["twice " + table.sql()] = here.twice + there.twice;
	Map &map = answers.maps[table];
	map.as_is = stays;
	for (const auto &[value, key] : here.keys) {
		if (const auto same = there.keys.find(value); same != there.keys.end())
			map.pairs[key] = same->second;
		else
			here.without.push_back(key);
	}
	if (!has_fallback(config, graph, table)) {
		std::sort(here.without.begin(), here.without.end());
		map.unmatched = std::move(here.without);
	}
	answers.keys.erase(source);
	answers.keys.erase("pairs " + table.sql() + " target");
}

// ---- folds ----

// Later questions drop rows that survived earlier ones: everything points to the last survivor.
void resolve_chains(std::map<std::string, std::string> &dropped)
{
	for (auto &[key, survivor] : dropped) {
		std::size_t steps = 0;
		for (auto next = dropped.find(survivor); next != dropped.end(); next = dropped.find(survivor)) {
			survivor = next->second;
			if (++steps > dropped.size()) refuse("folded rows go round in a circle");
		}
	}
}

std::string index_of(const Question &question)
{
	auto index = question.id.substr(("folds " + question.relation.sql() + ".").size());
	return index.substr(0, index.rfind(" after ") == std::string::npos ? index.size() : index.rfind(" after "));
}

}  // namespace

void Answers::take(const Config &config, const Graph &graph, const Question &question, const std::vector<Row> &rows)
{
	const auto width = [&](std::size_t columns) {
		for (const Row &row : rows)
			if (row.size() != columns)
				refuse("question \"" + question.id + "\" has " + std::to_string(columns) + " columns, not " +
				    std::to_string(row.size()));
	};
	const auto one_row = [&](std::size_t columns) {
		width(columns);
		if (rows.size() != 1) refuse("question \"" + question.id + "\" has one row, not " + std::to_string(rows.size()));
	};
	if (core::asked(*this, question.id)) refuse("question \"" + question.id + "\" was answered already");
	if (question.kind == "maximum") {
		one_row(1);
		maximums[column_key(question.relation, question.columns.at(0))] =
		    rows[0][0] ? number(rows[0][0]) : 0;  // NULL: an empty table
	} else if (question.kind == "source_tenants") {
		width(2);
		for (const Row &row : rows) {
			source_tenants.push_back(text(row[0]));
			source_tenant_labels.push_back(row[1].value_or(*row[0]));
		}
	} else if (question.kind == "named_tenants") {
		width(2);
		for (const Row &row : rows) named_tenants[text(row[0])] = text(row[1]);
	} else if (question.kind == "tenant_labels") {
		width(2);
		for (const Row &row : rows)
			if (row[1]) tenant_labels.push_back(*row[1]);
	} else if (question.kind == "outside") {
		one_row(1);
		outside[question.id.substr(std::string("outside ").size())] = number(rows[0][0]);
	} else if (question.kind == "other_path") {
		one_row(1);
		other_path[question.id.substr(std::string("other_path ").size())] = number(rows[0][0]);
	} else if (question.kind == "circle") {
		one_row(1);
		circles[question.relation.sql()] = number(rows[0][0]);
	} else if (question.kind == "kept_tenants") {
		width(3);
		target_tenants = rows.empty() ? 0 : number(rows[0][0]);
		for (const Row &row : rows)
			if (row[1]) kept_tenants.push_back(row[2].value_or(*row[1]));
	} else if (question.kind == "fallback") {
		width(3);
		Map &map = maps[question.relation];
		if (!rows.empty()) {
			map.fallback = text(rows[0][0]);
			map.fallback_label = rows[0][1].value_or("");
			map.fallback_candidates = number(rows[0][2]);
		}
	} else if (question.kind == "known") {
		width(2);
		for (const Row &row : rows) known[question.relation].emplace_back(text(row[0]), text(row[1]));
	} else if (question.kind == "pairs") {
		width(question.columns.size());
		Row &cells = keys[question.id];
		cells.reserve(rows.size() * question.columns.size());
		for (const Row &row : rows) cells.insert(cells.end(), row.begin(), row.end());
		match_pairs(*this, config, graph, question.relation, {question.columns.begin() + 1, question.columns.end()});
	} else if (question.kind == "doubles") {
		one_row(1);
		unmatched["twice " + question.relation.sql()] = number(rows[0][0]);
	} else if (question.kind == "unmatched") {
		one_row(1);
		unmatched[column_key(question.relation, question.columns.at(0))] = number(rows[0][0]);
	} else if (question.kind == "left_out") {
		one_row(2);
		left_out[question.relation] = {number(rows[0][0]), number(rows[0][1])};
	} else if (question.kind == "missing") {
		one_row(1);
		missing[column_key(question.relation, question.columns.at(0))] = number(rows[0][0]);
	} else if (question.kind == "models") {
		width(2);
		const bool here = question.side == Side::target;
		const std::string column = question.id.substr(7, question.id.size() - 7 - 7);    // "models " ... " source"
		if (here) models_here[column];
		else models[column];
		for (const Row &row : rows)
			if (here) models_here[column].push_back(text(row[1]));
			else models[column][text(row[0])] = text(row[1]);
	} else if (question.kind == "folds") {
		width(2);
		Fold &fold = folds[question.relation];
		fold.by_ctid = question.columns.at(0) == "ctid";  // no column of a table can have that name
		bool total = false;
		for (const Row &row : rows) {
			if (row[0]) {
				fold.dropped[*row[0]] = text(row[1]);
				continue;
			}
			// Rows that an earlier question dropped were not read again.
			if (fold.indexes.empty()) fold.total = number(row[1]);
			total = true;
		}
		if (!total) refuse("question \"" + question.id + "\" came without its total");
		resolve_chains(fold.dropped);
		fold.indexes.push_back(index_of(question));
	} else if (question.kind == "kept_rows") {
		one_row(1);
		kept_rows[question.relation] = number(rows[0][0]);
	} else {
		refuse("unknown question \"" + question.kind + "\"");
	}
	asked.push_back(question.id);
}

// ---- JSON ----

namespace {

// The reverse of Name::sql().
Name parse_name(const std::string &sql)
{
	std::vector<std::string> parts{""};
	bool quoted = false;
	for (std::size_t i = 0; i < sql.size(); ++i) {
		if (sql[i] == '"' && quoted && i + 1 < sql.size() && sql[i + 1] == '"')
			parts.back() += sql[i++];
		else if (sql[i] == '"')
			quoted = !quoted;
		else if (sql[i] == '.' && !quoted)
			parts.emplace_back();
		else
			parts.back() += sql[i];
	}
	if (parts.size() != 2 || quoted || parts[1].empty()) refuse("\"" + sql + "\" is no relation");
	return {parts[0], parts[1]};
}

template <class T> T get(const json &object, const char *key, T otherwise)
{
	const auto found = object.find(key);
	return found == object.end() || found->is_null() ? otherwise : found->get<T>();
}

const json &object(const json &document, const char *key)
{
	static const json empty = json::object();
	const auto found = document.find(key);
	if (found == document.end() || found->is_null()) return empty;
	if (!found->is_object()) refuse(std::string("\"") + key + "\" is no object");
	return *found;
}

}  // namespace

json Answers::to_json() const
{
	json document{{"maximums", maximums}, {"source_tenants", source_tenants}, {"named_tenants", named_tenants},
	    {"outside", outside}, {"other_path", other_path}, {"circles", circles}, {"kept_tenants", kept_tenants}, {"target_tenants", target_tenants},
	    {"maps", json::object()}, {"unmatched", unmatched}, {"folds", json::object()}, {"left_out", json::object()},
	    {"missing", missing}, {"models", models}, {"models_here", models_here}, {"kept_rows", json::object()}, {"asked", asked}};
	for (const auto &[name, rows] : left_out) document["left_out"][name.sql()] = {rows.first, rows.second};
	for (const auto &[name, map] : maps)
		document["maps"][name.sql()] = {{"pairs", map.pairs}, {"fallback", map.fallback ? json(*map.fallback) : json()},
		    {"fallback_label", map.fallback_label}, {"fallback_candidates", map.fallback_candidates},
		    {"unmatched", map.unmatched.size()}, {"as_is", map.as_is}};
	for (const auto &[name, fold] : folds)
		document["folds"][name.sql()] = {
		    {"dropped", fold.dropped}, {"by_ctid", fold.by_ctid}, {"total", fold.total}, {"indexes", fold.indexes}};
	for (const auto &[name, rows] : kept_rows) document["kept_rows"][name.sql()] = rows;
	return document;
}

bool Answers::has_text_keys() const
{
	const auto is_text = [](const std::string &key) { return key.find_first_not_of("0123456789abcdef-(),") != key.npos; };
	if (std::any_of(source_tenants.begin(), source_tenants.end(), is_text)) return true;
	for (const auto &[key, label] : named_tenants)
		if (is_text(key)) return true;
	for (const auto &[name, map] : maps)
		for (const auto &[from, to] : map.pairs)
			if (is_text(from)) return true;
	for (const auto &[name, fold] : folds)
		for (const auto &[from, to] : fold.dropped)
			if (is_text(from) || is_text(to)) return true;
	return false;
}

Answers Answers::parse(const json &document)
{
	if (!document.is_object()) refuse("the document is no object");
	using Texts = std::vector<std::string>;
	using Pairs = std::map<std::string, std::string>;
	Answers answers;
	try {
		answers.maximums = object(document, "maximums").get<std::map<std::string, std::int64_t>>();
		answers.source_tenants = get(document, "source_tenants", Texts{});
		answers.kept_tenants = get(document, "kept_tenants", Texts{});
		answers.named_tenants = object(document, "named_tenants").get<Pairs>();
		answers.outside = object(document, "outside").get<std::map<std::string, std::int64_t>>();
		answers.other_path = object(document, "other_path").get<std::map<std::string, std::int64_t>>();
		answers.circles = object(document, "circles").get<std::map<std::string, std::int64_t>>();
		answers.target_tenants = get(document, "target_tenants", std::int64_t{-1});
		for (const auto &[name, map] : object(document, "maps").items()) {
			Map &parsed = answers.maps[parse_name(name)];
			parsed.pairs = get(map, "pairs", Pairs{});
			if (map.contains("fallback") && !map["fallback"].is_null()) parsed.fallback = map["fallback"].get<std::string>();
			parsed.fallback_label = get(map, "fallback_label", std::string{});
			parsed.as_is = get(map, "as_is", false);
			parsed.fallback_candidates = get(map, "fallback_candidates", std::int64_t{0});
			parsed.unmatched.resize(std::min<std::size_t>(get(map, "unmatched", std::size_t{0}), 1));    // whether there are any is all that matters
		}
		answers.unmatched = object(document, "unmatched").get<std::map<std::string, std::int64_t>>();
		for (const auto &[name, fold] : object(document, "folds").items())
			answers.folds[parse_name(name)] = {get(fold, "dropped", Pairs{}), get(fold, "by_ctid", false),
			    get(fold, "total", std::int64_t{0}), get(fold, "indexes", Texts{})};
		answers.missing = object(document, "missing").get<std::map<std::string, std::int64_t>>();
		answers.models = object(document, "models").get<std::map<std::string, Pairs>>();
		answers.models_here = object(document, "models_here").get<std::map<std::string, Texts>>();
		for (const auto &[name, rows] : object(document, "left_out").items())
			answers.left_out[parse_name(name)] = rows.get<std::pair<std::int64_t, std::int64_t>>();
		for (const auto &[name, rows] : object(document, "kept_rows").items())
			answers.kept_rows[parse_name(name)] = rows.get<std::int64_t>();
		answers.asked = get(document, "asked", Texts{});
	} catch (const json::exception &) {
		refuse("a value is of the wrong type");
	}
	return answers;
}

}  // namespace core
