#include "tokens.hpp"
#include <algorithm>
#include <vector>

namespace client {
namespace {

constexpr std::size_t least_digits = 9;    // of a number: a day has eight
constexpr std::size_t most_groups = 8;     // that a number is written in

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool of_word(char c) { return digit(c) || letter(c) || c == '_' || c == '-'; }
bool of_local(char c) { return of_word(c) || beyond_ascii(c) || std::string_view(".+%!#$&'*/=?^`{|}~").find(c) != std::string_view::npos; }
bool of_domain(char c) { return digit(c) || letter(c) || beyond_ascii(c) || c == '-' || c == '.'; }
bool between_digits(char c) { return std::string_view(" ()/.-").find(c) != std::string_view::npos; }

struct Span { std::size_t begin, end; };
using Found = std::function<void(Span, const std::string &)>;

void addresses(std::string_view text, const Found &found)
{
	for (auto at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
		std::size_t begin = at, end = at + 1;
		while (begin > 0 && at - begin < 64 && of_local(text[begin - 1])) --begin;
		while (begin < at && !(of_word(text[begin]) || beyond_ascii(text[begin]))) ++begin;    // 'a@b.example'
		while (end < text.size() && end - at < 255 && of_domain(text[end])) ++end;
		while (end > at && (text[end - 1] == '.' || text[end - 1] == '-')) --end;    // the end of a sentence
		if (begin == at || end <= at + 3 || text.substr(at, end - at).find('.') == text.npos) continue;
		std::string one(text.substr(begin, end - begin));
		std::transform(one.begin(), one.end(), one.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
		found({begin, end}, one);
	}
}

void numbers(std::string_view text, const Found &found)
{
	for (std::size_t at = 0; at < text.size();) {
		if (!digit(text[at]) || (at > 0 && (of_word(text[at - 1]) || beyond_ascii(text[at - 1])))) {
			++at;
			continue;
		}
		// A number goes on over at most two characters between its digits: "+49 (0)89 123-4567". Where it ends nobody knows, in "123-4567 2 times".
		std::vector<Span> groups;
		while (at < text.size() && digit(text[at])) {
			const std::size_t begin = at;
			while (at < text.size() && digit(text[at])) ++at;
			groups.push_back({begin, at});
			std::size_t next = at;
			while (next < text.size() && next - at < 2 && between_digits(text[next])) ++next;
			if (next < text.size() && digit(text[next])) at = next;
		}
		if (at < text.size() && (letter(text[at]) || text[at] == '_' || beyond_ascii(text[at]))) groups.pop_back();    // a word's beginning
		for (std::size_t first = 0; first < groups.size(); ++first) {
			std::string all;
			for (std::size_t last = first; last < std::min(groups.size(), first + most_groups); ++last) {
				all += text.substr(groups[last].begin, groups[last].end - groups[last].begin);
				if (all.size() >= least_digits) found({groups[first].begin, groups[last].end}, all);
			}
		}
	}
}

void words(std::string_view text, const Found &found)
{
	for (std::size_t at = 0; at < text.size();) {
		std::size_t end = at;
		std::size_t digits = 0, letters = 0;
		for (; end < text.size() && of_word(text[end]); ++end) digits += digit(text[end]), letters += letter(text[end]);
		if (end - at >= 8 && digits >= 4 && letters > 0) found({at, end}, std::string(text.substr(at, end - at)));
		at = std::max(end, at + 1);
	}
}

void all_tokens(std::string_view text, const Found &found)
{
	const auto digits = std::count_if(text.begin(), text.end(), digit);
	addresses(text, found);
	if (digits >= static_cast<std::ptrdiff_t>(least_digits)) numbers(text, found);
	if (digits >= 4) words(text, found);
}

}  // namespace

void tokens(std::string_view text, const std::function<void(const std::string &)> &found)
{
	if (text.size() < 8) return;
	all_tokens(text, [&](Span, const std::string &one) { found(one); });
}

std::optional<std::string> whole_token(std::string_view value)
{
	const auto first = value.find_first_not_of(" +("), last = value.find_last_not_of(" )");
	if (first == value.npos || last < first) return std::nullopt;
	std::optional<std::string> out;
	all_tokens(value, [&](Span span, const std::string &one) {
		if (span.begin <= first && span.end > last) out = one;
	});
	return out;
}

}  // namespace client
