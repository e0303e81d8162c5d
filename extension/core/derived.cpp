#include "derived.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "masks.hpp"
#include "obstacles.hpp"
#include "predicate.hpp"

namespace core {

namespace {

using Tokens = std::vector<SqlToken>;
using Origins = std::set<std::string>;    // columns of NEW and OLD, "*": all of them

bool is(const SqlToken &token, std::initializer_list<const char *> any)
{
	return token.kind != SqlToken::literal && std::any_of(any.begin(), any.end(), [&](const char *one) { return token.text == one; });
}

// One function's body: what each local variable and each column of NEW is made of.
class Body {
	std::map<std::string, Origins> variables_, columns_;
	bool more_ = false;    // something was learnt

	void learn(std::map<std::string, Origins> &of, const std::string &name, const Origins &origins)
	{
		if (origins.empty()) return;
		Origins &known = of[name];
		const std::size_t before = known.size();
		known.insert(origins.begin(), origins.end());
		more_ = more_ || known.size() != before;
	}

	Origins origins(const Tokens &all, std::size_t from, std::size_t to) const
	{
		Origins out;
		for (std::size_t i = from; i < to; ++i) {
			if (all[i].kind != SqlToken::word || (i > from && is(all[i - 1], {"."}))) continue;
			if (is(all[i], {"new", "old"})) out.insert(i + 2 < to && is(all[i + 1], {"."}) && all[i + 2].text != "*" ? all[i + 2].text : "*");
			else if (const auto known = variables_.find(all[i].text); known != variables_.end())
				out.insert(known->second.begin(), known->second.end());
		}
		return out;
	}

	// What stands at `at` is filled: a column of NEW, or a variable (of a record, all of it).
	void fill(const Tokens &all, std::size_t at, const Origins &from)
	{
		if (is(all[at], {"new"})) {
			if (at + 2 < all.size() && is(all[at + 1], {"."}) && all[at + 2].kind == SqlToken::word) learn(columns_, all[at + 2].text, from);
		} else if (!is(all[at], {"old"})) learn(variables_, all[at].text, from);
	}

	// What begins at `at` and ends with its semicolon at `end`: name := expression, name = expression, name type := expression of a declaration.
	void assignment(const Tokens &all, std::size_t at, std::size_t end)
	{
		if (at >= end || all[at].kind != SqlToken::word) return;
		std::size_t next = at + 1;
		while (next + 1 < end && is(all[next], {"."})) next += 2;
		if (next < end && is(all[next], {"="})) return fill(all, at, origins(all, next + 1, end));
		int depth = 0;
		for (std::size_t i = next; i + 1 < end; ++i) {
			if (is(all[i], {"(", "["})) ++depth;
			else if (is(all[i], {")", "]"})) --depth;
			else if (depth == 0 &&
			    (is(all[i], {"default"}) ||
			        (is(all[i], {":"}) && all[i + 1].kind == SqlToken::other && all[i + 1].text.starts_with('='))))
				return fill(all, at, origins(all, i + 1, end));
			else if (is(all[i], {"if", "then", "begin", "loop", "into", "select"})) return;
		}
	}

	// SELECT ... INTO a, NEW.b FROM ...; FOR r IN ... LOOP
	void into(const Tokens &all, std::size_t from, std::size_t end)
	{
		for (std::size_t i = from; i < end; ++i) {
			if (is(all[i], {"for"}) && i + 2 < end && is(all[i + 2], {"in"})) fill(all, i + 1, origins(all, i + 3, end));
			if (!is(all[i], {"into"}) || (i > from && is(all[i - 1], {"insert"}))) continue;
			Origins of = origins(all, from, i);
			std::vector<std::size_t> targets;
			std::size_t at = i + 1;
			if (at < end && is(all[at], {"strict"})) ++at;
			while (at < end && all[at].kind == SqlToken::word) {
				targets.push_back(at++);
				while (at + 1 < end && is(all[at], {"."})) at += 2;
				if (at >= end || !is(all[at], {","})) break;
				++at;
			}
			of.merge(origins(all, at, end));
			for (const std::size_t one : targets) fill(all, one, of);
		}
	}

public:
	explicit Body(std::string_view body)
	{
		const Tokens all = sql_tokens(body);
		do {
			more_ = false;
			for (std::size_t from = 0; from < all.size();) {
				std::size_t end = from;
				while (end < all.size() && !is(all[end], {";"})) ++end;
				assignment(all, from, end);
				for (std::size_t i = from; i < end; ++i)
					if (is(all[i], {"begin", "then", "else", "loop", "declare"})) assignment(all, i + 1, end);
				into(all, from, end);
				from = end + 1;
			}
		} while (more_);
	}
	const std::map<std::string, Origins> &columns() const { return columns_; }
};

bool is_text_search(const Column &column) { return column.base == "tsvector"; }

// Whether a column of the one kind can still tell what a value of the other was.
bool tells(const Column &made, const Column &of)
{
	const ValueKind kind = kind_of_type(made.base), origin = kind_of_type(of.base);
	switch (kind) {
	case ValueKind::boolean: return false;
	case ValueKind::integer:
	case ValueKind::numeric:
		return origin == ValueKind::integer || origin == ValueKind::numeric || origin == ValueKind::date ||
		    origin == ValueKind::timestamp;
	case ValueKind::date:
	case ValueKind::timestamp: return origin == ValueKind::date || origin == ValueKind::timestamp;
	default: return true;
	}
}

struct Way {    // of a column into another one
	std::string column, by;
	std::vector<std::string> from;    // "*": all
};

std::vector<Way> ways(const Catalog &catalog, const Relation &table)
{
	std::vector<Way> out;
	for (const Column &column : table.columns) {
		if (column.expression.empty()) continue;
		Way way{column.name, "generated", {}};
		for (const Column &other : table.columns)
			if (mentions(column.expression, other.name)) way.from.push_back(other.name);
		out.push_back(std::move(way));
	}
	std::vector<const Relation *> relations{&table};
	for (const Relation *leaf : catalog.storage(table.name))
		if (leaf != &table) relations.push_back(leaf);
	for (const Relation *relation : relations)
		for (const Filler &filler : relation->fillers) {
			const std::string by = "trigger " + filler.trigger;
			const auto &arguments = filler.arguments;
			// tsvector, configuration or the column that names it, texts
			if (filler.function.starts_with("tsvector_update_trigger") && arguments.size() > 2)
				out.push_back({arguments[0], by, {arguments.begin() + 2, arguments.end()}});
			if (const auto body = catalog.trigger_bodies.find(filler.body); body != catalog.trigger_bodies.end())
				for (Filled &filled : filled_columns(body->second)) out.push_back({filled.column, by, std::move(filled.from)});
		}
	return out;
}

}  // namespace

std::vector<Filled> filled_columns(std::string_view body)
{
	std::vector<Filled> out;
	const Body read(body);
	for (const auto &[column, origins] : read.columns()) out.push_back({column, {origins.begin(), origins.end()}});
	return out;
}

std::vector<Derived> derived_columns(const Catalog &catalog, const Relation &table, const std::function<bool(const std::string &)> &personal)
{
	const auto all = ways(catalog, table);
	std::map<std::string, Derived> found;
	for (bool more = true; more;) {
		more = false;
		for (const Way &way : all) {
			const Column *made = table.column(way.column);
			if (!made || personal(way.column)) continue;
			const bool whole = std::find(way.from.begin(), way.from.end(), "*") != way.from.end();
			for (const Column &of : table.columns) {
				if (of.name == way.column || (!whole && std::find(way.from.begin(), way.from.end(), of.name) == way.from.end()) ||
				    !tells(*made, of))
					continue;
				const auto through = found.find(of.name);
				std::vector<std::string> origins;
				if (personal(of.name)) origins.push_back(of.name);
				else if (through != found.end()) origins = through->second.from;
				for (const std::string &origin : origins) {
					Derived &derived = found.try_emplace(way.column, Derived{way.column, {}, way.by}).first->second;
					if (std::find(derived.from.begin(), derived.from.end(), origin) != derived.from.end()) continue;
					derived.from.push_back(origin);
					more = true;
				}
			}
		}
	}
	std::vector<std::string> texts;
	for (const Column &column : table.columns) {
		const ValueKind kind = kind_of_type(masked_base({}, column.base));
		if ((kind == ValueKind::text || kind == ValueKind::json_document || kind == ValueKind::other) &&
		    !is_text_search(column) && personal(column.name))
			texts.push_back(column.name);
	}
	std::vector<Derived> out;
	for (const Column &column : table.columns) {
		if (const auto one = found.find(column.name); one != found.end()) out.push_back(one->second);
		else if (is_text_search(column) && !texts.empty() && !personal(column.name) && column.expression.empty())
			out.push_back({column.name, texts, ""});
	}
	for (Derived &one : out) {
		std::vector<std::string> sorted;
		for (const Column &column : table.columns)
			if (std::find(one.from.begin(), one.from.end(), column.name) != one.from.end()) sorted.push_back(column.name);
		one.from = std::move(sorted);
	}
	return out;
}

}  // namespace core
