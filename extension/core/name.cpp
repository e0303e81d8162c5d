#include "name.hpp"
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace core {
namespace {

// Words that some release from 13 to 18 does not accept as every kind of name without quotes: reserved, column name and
// type or function name keywords (src/include/parser/kwlist.h). Sorted.
const std::set<std::string_view> keywords{"all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check",
    "coalesce", "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog",
    "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float",
    "for", "foreign", "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having", "ilike", "in", "initially",
    "inner", "inout", "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "json", "json_array",
    "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query", "json_scalar", "json_serialize", "json_table",
    "json_value", "lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp", "merge_action",
    "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric", "offset", "on", "only",
    "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position", "precision", "primary", "real", "references",
    "returning", "right", "row", "select", "session_user", "setof", "similar", "smallint", "some", "substring", "symmetric",
    "system_user", "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union",
    "unique", "user", "using", "values", "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes",
    "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize",
    "xmltable"};

bool plain(std::string_view name)
{
	if (name.empty() || !((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_')) return false;
	for (char c : name)
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
	return !keywords.contains(name);
}

// Damerau-Levenshtein distance (optimal string alignment): insert, delete, replace, swap neighbours.
std::size_t distance(std::string_view a, std::string_view b)
{
	std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
	for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
	for (std::size_t i = 1; i <= a.size(); ++i) {
		now[0] = i;
		for (std::size_t j = 1; j <= b.size(); ++j) {
			now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
		}
		std::swap(before, last);
		std::swap(last, now);
	}
	return last[b.size()];
}

}  // namespace

std::string quote_identifier(std::string_view name)
{
	if (plain(name)) return std::string(name);
	std::string out = "\"";
	for (char c : name) {
		if (c == '"') out += '"';
		out += c;
	}
	return out + '"';
}

std::string quote_literal(std::string_view text)
{
	bool escapes = text.find('\\') != std::string_view::npos;
	std::string out = escapes ? "E'" : "'";
	for (char c : text) {
		if (c == '\'' || c == '\\') out += c;
		out += c;
	}
	return out + '\'';
}

std::string Name::sql() const { return quote_identifier(schema) + '.' + quote_identifier(name); }

std::string Name::shown() const { return schema == "public" ? quote_identifier(name) : sql(); }

std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string> &known)
{
	std::set<std::pair<std::size_t, std::string>> found;
	std::size_t limit = wanted.size() / 3;
	for (const auto &name : known) {
		// The difference in length is a lower bound: most names of a large catalog need no matrix.
		std::size_t longer = std::max(name.size(), wanted.size()), shorter = std::min(name.size(), wanted.size());
		if (longer - shorter > limit) continue;
		if (std::size_t d = distance(wanted, name); d <= limit) found.emplace(d, name);
	}
	std::vector<std::string> out;
	for (auto it = found.begin(); it != found.end() && out.size() < 3; ++it) out.push_back(it->second);
	return out;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string> &known)
{
	std::string out;
	for (const auto &name : nearest(wanted, known)) out += (out.empty() ? " (did you mean " : ", ") + name;
	return out.empty() ? out : out + "?)";
}

}  // namespace core
