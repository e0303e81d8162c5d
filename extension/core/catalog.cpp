#include "catalog.hpp"
#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace core {
namespace {

Name name_of(const json &pair)
{
	return pair.is_array() && pair.size() == 2 ? Name{pair[0].get<std::string>(), pair[1].get<std::string>()} : Name{};
}

// The document leaves out what is false, zero or empty (catalog_query.cpp); `otherwise` says the same here.
template <typename T> T value(const json &object, const char *key, T otherwise)
{
	auto it = object.find(key);
	return it == object.end() || it->is_null() ? otherwise : it->get<T>();
}

std::string text(const json &object, const char *key) { return value<std::string>(object, key, ""); }

char letter(const json &object, const char *key, char otherwise)
{
	std::string s = text(object, key);
	return s.empty() ? otherwise : s[0];
}

bool flag(const json &object, const char *key, bool otherwise = false) { return value(object, key, otherwise); }

std::int64_t number(const json &object, const char *key, std::int64_t otherwise = 0) { return value(object, key, otherwise); }

std::vector<std::string> strings(const json &object, const char *key) { return value<std::vector<std::string>>(object, key, {}); }

const json &list(const json &object, const char *key)
{
	static const json none = json::array();
	auto it = object.find(key);
	return it == object.end() || it->is_null() ? none : *it;
}

Column parse_column(const json &j)
{
	Column c;
	c.name = j.at("name").get<std::string>();
	c.number = static_cast<int>(number(j, "number"));
	c.type = j.at("type").get<std::string>();
	c.base = text(j, "base");
	c.not_null = flag(j, "not_null");
	c.identity = letter(j, "identity", 0);
	c.generated = letter(j, "generated", 0);
	c.expression = text(j, "expression");
	c.has_default = flag(j, "has_default");
	if (Name s = name_of(list(j, "sequence")); !s.empty()) c.sequence = s.sql();
	c.length = static_cast<int>(number(j, "length"));
	c.domain_checks = strings(j, "domain_checks");
	c.labels = strings(j, "labels");
	c.binary = flag(j, "binary");
	c.comment = text(j, "comment");
	if (c.base.empty()) c.base = c.type;
	return c;
}

Index parse_index(const json &j)
{
	Index i;
	i.oid = number(j, "oid");
	i.name = j.at("name").get<std::string>();
	i.unique = flag(j, "unique");
	i.primary = flag(j, "primary");
	i.valid = flag(j, "valid", true);
	i.immediate = flag(j, "immediate", true);
	i.nulls_not_distinct = flag(j, "nulls_not_distinct");
	i.exclusion = flag(j, "exclusion");
	i.expressions = flag(j, "expressions");
	i.whole_row = flag(j, "whole_row");
	i.predicate = text(j, "predicate");
	i.columns = strings(j, "columns");
	i.expression_keys = strings(j, "expression_keys");
	i.method = text(j, "method");
	i.pages = number(j, "pages");
	return i;
}

Relation parse_relation(const json &j)
{
	Relation r;
	r.oid = number(j, "oid");
	r.name = {j.at("schema").get<std::string>(), j.at("name").get<std::string>()};
	r.kind = letter(j, "kind", 'r');
	r.persistence = letter(j, "persistence", 'p');
	r.owner = text(j, "owner");
	r.rows = value(j, "rows", -1.0);
	r.pages = number(j, "pages");
	r.toast_pages = number(j, "toast_pages");
	r.filenode = number(j, "filenode");
	r.row_security = flag(j, "row_security");
	r.force_row_security = flag(j, "force_row_security");
	r.readable = flag(j, "readable", true);
	r.bypasses_row_security = flag(j, "bypasses_row_security", true);
	r.partition = flag(j, "partition");
	r.bound = text(j, "bound");
	r.partition_key = text(j, "partition_key");
	for (const json &p : list(j, "parents")) r.parents.push_back(name_of(p));
	r.extension = text(j, "extension");
	r.published = flag(j, "published");
	for (const json &c : list(j, "columns")) r.columns.push_back(parse_column(c));
	for (const json &i : list(j, "indexes")) r.indexes.push_back(parse_index(i));
	for (const json &k : list(j, "checks")) r.checks.push_back({k.at("name").get<std::string>(), strings(k, "columns")});
	r.triggers = strings(j, "triggers");
	for (const json &f : list(j, "fillers")) r.fillers.push_back({text(f, "name"), text(f, "function"), strings(f, "arguments"), number(f, "body")});
	r.comment = text(j, "comment");
	return r;
}

ForeignKey parse_key(const json &j)
{
	ForeignKey k;
	k.name = j.at("name").get<std::string>();
	k.child = name_of(j.at("child"));
	k.parent = name_of(j.at("parent"));
	k.columns = strings(j, "columns");
	k.referenced = strings(j, "referenced");
	k.equals = strings(j, "equals");
	k.match = letter(j, "match", 's');
	k.enforced = flag(j, "enforced", true);
	k.validated = k.enforced && flag(j, "validated", true);
	k.period = flag(j, "period");
	if (k.columns.empty() || k.columns.size() != k.referenced.size() || k.columns.size() != k.equals.size())
		throw std::runtime_error("foreign key " + k.name + " has no columns, or not as many as it references");
	return k;
}

Sequence parse_sequence(const json &j)
{
	Sequence s;
	s.name = {j.at("schema").get<std::string>(), j.at("name").get<std::string>()};
	s.type = text(j, "type");
	s.increment = number(j, "increment", 1);
	s.maximum = number(j, "maximum");
	s.table = name_of(list(j, "table"));
	s.column = text(j, "column");
	return s;
}

Catalog parse_catalog(const json &j)
{
	Catalog c;
	c.server = static_cast<int>(j.at("server").get<std::int64_t>());
	c.database = j.at("database").get<std::string>();
	c.system_identifier = text(j, "system_identifier");
	c.snapshot = text(j, "snapshot");
	c.encoding = text(j, "encoding");
	c.in_recovery = flag(j, "in_recovery");
	c.settings = value<std::map<std::string, std::string>>(j, "settings", {});
	c.extensions = value<std::map<std::string, std::string>>(j, "extensions", {});
	c.large_objects = number(j, "large_objects");
	for (const json &r : list(j, "relations")) {
		Relation relation = parse_relation(r);
		c.relations.emplace(relation.name, std::move(relation));
	}
	for (const json &k : list(j, "foreign_keys")) c.foreign_keys.push_back(parse_key(k));
	// The server sorts names in their own way (C collation): here they are sorted as Name compares.
	std::sort(c.foreign_keys.begin(), c.foreign_keys.end(),
	    [](const ForeignKey &a, const ForeignKey &b) { return std::tie(a.child, a.name) < std::tie(b.child, b.name); });
	for (const json &s : list(j, "sequences")) c.sequences.push_back(parse_sequence(s));
	for (const json &b : list(j, "trigger_bodies")) c.trigger_bodies.emplace(number(b, "oid"), text(b, "text"));
	for (const json &t : list(j, "composites"))
		for (const json &f : list(t, "fields")) c.composites[text(t, "name")].push_back(parse_column(f));
	for (const json &v : list(j, "materialized_views")) c.materialized_views.push_back(name_of(v));
	return c;
}

bool outside(const std::string &schema)
{
	return schema == "pg_catalog" || schema == "information_schema" || schema == "prodsync_work" ||
	    schema.starts_with("pg_toast") || schema.starts_with("pg_temp");
}

bool is_table(const Relation &r) { return r.ordinary() && !r.partition && r.extension.empty() && !outside(r.name.schema); }

}  // namespace

const Column *Relation::column(std::string_view wanted) const
{
	for (const Column &c : columns)
		if (c.name == wanted) return &c;
	return nullptr;
}

const Index *Relation::primary_key() const
{
	for (const Index &i : indexes)
		if (i.primary) return &i;
	return nullptr;
}

Catalog Catalog::parse(const json &document)
{
	if (!document.is_object()) throw std::runtime_error("a catalog must be a JSON object, as sync_catalog() returns it");
	try {
		return parse_catalog(document);
	} catch (const json::exception &e) {
		throw std::runtime_error(std::string("not a catalog as sync_catalog() returns it: ") + e.what());
	}
}

const Relation *Catalog::find(const Name &name) const
{
	auto it = relations.find(name);
	return it == relations.end() ? nullptr : &it->second;
}

Name Catalog::root(const Name &relation) const
{
	Name at = relation;
	// The other side's document is not to be trusted to be a tree: no walk is longer than there are relations.
	for (std::size_t steps = 0; steps < relations.size(); ++steps) {
		const Relation *r = find(at);
		if (!r || !r->partition || r->parents.empty()) break;
		at = r->parents.front();
	}
	return at;
}

std::vector<const Relation *> Catalog::storage(const Name &table) const
{
	std::vector<const Relation *> out;
	const Relation *r = find(table);
	if (!r) return out;
	if (r->kind != 'p') return {r};
	// Any partitioned table may be asked about, a root or one inside of a tree.
	for (const auto &[name, leaf] : relations) {
		if (!leaf.partition || leaf.kind != 'r') continue;
		const Relation *at = &leaf;
		for (std::size_t steps = 0; at && at->name != table && steps < relations.size(); ++steps)
			at = at->partition && !at->parents.empty() ? find(at->parents.front()) : nullptr;
		if (at && at->name == table) out.push_back(&leaf);
	}
	return out;
}

std::vector<const Relation *> Catalog::tables() const
{
	std::vector<const Relation *> out;
	for (const auto &[name, r] : relations)
		if (is_table(r)) out.push_back(&r);
	return out;
}

std::vector<Name> Catalog::resolve(std::string_view written) const
{
	// A name may contain dots, so nothing is split: what is written is compared with both forms of every name.
	std::vector<Name> tables_found, others;
	for (const auto &[name, r] : relations)
		if (name.name == written || name.schema + '.' + name.name == written)
			(is_table(r) ? tables_found : others).push_back(name);
	return tables_found.empty() ? others : tables_found;
}

}  // namespace core
