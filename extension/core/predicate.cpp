#include "predicate.hpp"
#include <algorithm>
#include <cctype>

namespace core {
namespace {

using Token = SqlToken;

bool starts_word(char c)
{
	return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool in_word(char c) { return starts_word(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '$'; }

// A quoted text from `at` (the opening quote) on; doubled quotes are one, `escapes`: backslashes protect the next character.
std::string quoted(std::string_view sql, std::size_t &at, char quote, bool escapes)
{
	std::string out;
	for (++at; at < sql.size(); ++at) {
		if (sql[at] == quote) {
			if (at + 1 >= sql.size() || sql[at + 1] != quote) break;
			++at;
		} else if (escapes && sql[at] == '\\' && at + 1 < sql.size()) {
			++at;
		}
		out += sql[at];
	}
	at = std::min(at + 1, sql.size());
	return out;
}

// $tag$ at the position, or nothing: a $ can also be a parameter.
std::string dollar_tag(std::string_view sql, std::size_t at)
{
	std::size_t end = at + 1;
	while (end < sql.size() && in_word(sql[end]) && sql[end] != '$') ++end;
	if (end >= sql.size() || sql[end] != '$' || (end > at + 1 && !starts_word(sql[at + 1]))) return "";
	return std::string(sql.substr(at, end - at + 1));
}

std::size_t skip_comment(std::string_view sql, std::size_t at)
{
	if (sql.substr(at, 2) == "--") return std::min(sql.find('\n', at), sql.size());
	int depth = 0;
	do {
		if (sql.substr(at, 2) == "/*") {
			++depth;
			at += 2;
		} else if (sql.substr(at, 2) == "*/") {
			--depth;
			at += 2;
		} else {
			++at;
		}
	} while (depth > 0 && at < sql.size());
	return std::min(at, sql.size());
}

}  // namespace

std::vector<SqlToken> sql_tokens(std::string_view sql)
{
	static constexpr std::string_view operators = "~!@#^&|`?+-*/%<>=";
	std::vector<Token> out;
	for (std::size_t at = 0; at < sql.size();) {
		char c = sql[at];
		std::size_t from = at;
		auto add = [&](Token::Kind kind, std::string text) {
			out.push_back({kind, std::move(text), std::string(sql.substr(from, at - from))});
		};
		if (std::isspace(static_cast<unsigned char>(c))) {
			++at;
		} else if (sql.substr(at, 2) == "--" || sql.substr(at, 2) == "/*") {
			at = skip_comment(sql, at);
		} else if (c == '\'' || ((c == 'E' || c == 'e') && at + 1 < sql.size() && sql[at + 1] == '\'')) {
			bool escapes = c != '\'';
			at += escapes ? 1 : 0;
			std::string text = quoted(sql, at, '\'', escapes);
			add(Token::literal, std::move(text));
		} else if (c == '"') {
			std::string text = quoted(sql, at, '"', false);
			add(Token::word, std::move(text));
		} else if (std::string tag = c == '$' ? dollar_tag(sql, at) : ""; !tag.empty()) {
			std::size_t body = at + tag.size(), end = sql.find(tag, body);
			at = end == std::string_view::npos ? sql.size() : end + tag.size();
			add(Token::literal, std::string(sql.substr(body, std::min(end, sql.size()) - body)));
		} else if (starts_word(c)) {
			while (at < sql.size() && in_word(sql[at])) ++at;
			std::string text(sql.substr(from, at - from));
			std::transform(
			    text.begin(), text.end(), text.begin(), [](char ch) { return ch >= 'A' && ch <= 'Z' ? char(ch + 32) : ch; });
			add(Token::word, std::move(text));
		} else if (operators.find(c) != std::string_view::npos) {
			while (at < sql.size() && operators.find(sql[at]) != std::string_view::npos) ++at;
			add(Token::other, std::string(sql.substr(from, at - from)));
		} else {
			++at;
			add(Token::other, std::string(1, c));
		}
	}
	return out;
}

namespace {

bool is(const Token &t, std::string_view text) { return t.kind != Token::literal && t.text == text; }

bool has_loose_underscore(const std::string &pattern, char escape)
{
	for (std::size_t i = 0; i < pattern.size(); ++i) {
		if (escape && pattern[i] == escape)
			++i;
		else if (pattern[i] == '_')
			return true;
	}
	return false;
}

}  // namespace

std::vector<std::string> mentioned_columns(std::string_view predicate, const Relation &relation)
{
	std::vector<Token> all = sql_tokens(predicate);
	std::vector<std::string> out;
	for (const Column &c : relation.columns)
		if (std::any_of(all.begin(), all.end(), [&](const Token &t) { return t.kind == Token::word && t.text == c.name; }))
			out.push_back(c.name);
	return out;
}

std::vector<std::string> loose_patterns(std::string_view predicate)
{
	std::vector<Token> all = sql_tokens(predicate);
	std::vector<std::string> out;
	for (std::size_t i = 0; i < all.size(); ++i) {
		bool like = is(all[i], "like") || is(all[i], "ilike") || is(all[i], "~~") || is(all[i], "~~*") || is(all[i], "!~~") ||
		    is(all[i], "!~~*") || (is(all[i], "to") && i > 0 && is(all[i - 1], "similar"));
		if (!like) continue;
		// Up to the end of this comparison: LIKE 'a', LIKE ANY (ARRAY['a', 'b']), LIKE ('a' || 'b').
		std::size_t end = i + 1;
		int depth = 0;
		for (; end < all.size(); ++end) {
			depth += is(all[end], "(") || is(all[end], "[") ? 1 : is(all[end], ")") || is(all[end], "]") ? -1 : 0;
			if (depth < 0 || (depth == 0 && (is(all[end], "and") || is(all[end], "or") || is(all[end], "escape")))) break;
		}
		char escape = '\\';
		if (end + 1 < all.size() && is(all[end], "escape") && all[end + 1].kind == Token::literal)
			escape = all[end + 1].text.empty() ? 0 : all[end + 1].text[0];
		for (std::size_t k = i + 1; k < end; ++k)
			if (all[k].kind == Token::literal && has_loose_underscore(all[k].text, escape)) out.push_back(all[k].written);
	}
	return out;
}

}  // namespace core
