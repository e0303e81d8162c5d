#include "error.hpp"
#include <algorithm>
#include <cctype>

namespace client {

Error problems_error(std::vector<core::Problem> problems)
{
	std::size_t n = problems.size();
	Error error(exit_plan, n == 1 ? "1 problem stands in the way" : std::to_string(n) + " problems stand in the way");
	error.problems = std::move(problems);
	return error;
}

namespace {

constexpr std::string_view hidden = "***";

bool space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Where a value of key=value ends. Unquoted ones end at white space; in a URI's query also at & (a password with an unencoded &
// in a key=value string is rare, and then its tail is not recognisable as one).
std::size_t value_end(std::string_view text, std::size_t at)
{
	if (at < text.size() && text[at] == '\'') {
		for (++at; at < text.size() && text[at] != '\''; ++at)
			if (text[at] == '\\') ++at;
		return std::min(at + 1, text.size());
	}
	for (; at < text.size() && !space(text[at]); ++at)
		if (text[at] == '\\' && at + 1 < text.size()) ++at;
	return std::min(at, text.size());
}

std::string scrub_keys(std::string_view text)
{
	std::string lower(text);
	std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
	std::string out;
	std::size_t done = 0;
	for (std::size_t at = 0; (at = lower.find("password", at)) != std::string::npos;) {
		std::size_t value = at + 8;
		while (value < text.size() && space(text[value])) ++value;
		at += 8;
		if (value >= text.size() || text[value] != '=') continue;
		for (++value; value < text.size() && space(text[value]);) ++value;
		std::size_t end = value_end(text, value);
		if (end == value) continue;
		out.append(text.substr(done, value - done)).append(hidden);
		done = at = end;
	}
	return out.append(text.substr(done));
}

// scheme://user:password@host. The last @ before white space ends the password: one that holds an unencoded @ or / is what
// libpq misreads and people type.
std::string scrub_uris(std::string_view text)
{
	std::string out;
	std::size_t done = 0;
	for (std::size_t at = 0; (at = text.find("://", at)) != std::string_view::npos;) {
		at += 3;
		std::size_t end = at;
		while (end < text.size() && !space(text[end])) ++end;
		std::size_t colon = text.find(':', at), host = text.substr(0, end).rfind('@');
		if (host == std::string_view::npos || host < at || colon > host) continue;
		out.append(text.substr(done, colon + 1 - done)).append(hidden);
		done = at = host;
	}
	return out.append(text.substr(done));
}

}  // namespace

std::string scrub(std::string_view text) { return scrub_keys(scrub_uris(text)); }

}  // namespace client
