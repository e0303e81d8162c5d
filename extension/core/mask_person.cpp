// Realistic names and user names, the same person for the same value.
#include "mask_person.hpp"

namespace core {

void append_person_digits(Hash hash, int digits, std::string &out)
{
	MaskHash second{};
	std::copy(hash.begin() + 8, hash.end(), second.begin());
	append_hex(second, digits, out);
}

void append_lower(Word word, std::string &out)
{
	for (const char c : word) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// All names begin with their only capital.
static std::string capitalized(std::string_view name)
{
	std::string word(name);
	if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') word[0] = static_cast<char>(word[0] - 'a' + 'A');
	return word;
}
static bool begins_lower(std::string_view name) { return !name.empty() && name[0] >= 'a' && name[0] <= 'z'; }
bool is_lower_first_name(std::string_view name) { return begins_lower(name) && is_drawn_first_name(capitalized(name)); }
bool is_lower_last_name(std::string_view name) { return begins_lower(name) && is_drawn_last_name(capitalized(name)); }

namespace {

constexpr int username_digits = 14;

void write_first_name(std::string_view, Hash hash, const MaskRule &, std::string &out) { out += Person(hash).first; }
void write_last_name(std::string_view, Hash hash, const MaskRule &, std::string &out) { out += Person(hash).last; }
void write_full_name(std::string_view, Hash hash, const MaskRule &, std::string &out)
{
	const Person person(hash);
	out += person.first;
	out += ' ';
	out += person.last;
}
void write_username(std::string_view, Hash hash, const MaskRule &, std::string &out)
{
	append_lower(Person(hash).first, out);
	out += '_';
	append_person_digits(hash, username_digits, out);
}

bool is_first(std::string_view value, const MaskRule &) { return is_drawn_first_name(value); }
bool is_last(std::string_view value, const MaskRule &) { return is_drawn_last_name(value); }
bool is_full(std::string_view value, const MaskRule &)
{
	const auto space = value.find(' ');
	return space != value.npos && is_drawn_first_name(value.substr(0, space)) && is_drawn_last_name(value.substr(space + 1));
}
bool is_username(std::string_view value, const MaskRule &)
{
	const auto line = value.find('_');
	return line != value.npos && is_lower_first_name(value.substr(0, line)) && value.size() == line + 1 + username_digits &&
	    all_hex(value.substr(line + 1));
}

}  // namespace

std::vector<Strategy> person_strategies()
{
	using enum ValueKind;
	return {
	    {.name = "first_name", .gives = "one of 256 first names", .takes = {text}, .keyed = true, .options = {},
	        .width = [](const MaskRule &) { return longest(first_names); }, .distinct = never_distinct, .make = simple_masker<write_first_name>,
	        .in_form = is_first, .recognizable = false, .subkey = person_subkey},
	    {.name = "last_name", .gives = "one of 256 last names", .takes = {text}, .keyed = true, .options = {},
	        .width = [](const MaskRule &) { return longest(last_names); }, .distinct = never_distinct, .make = simple_masker<write_last_name>,
	        .in_form = is_last, .recognizable = false, .subkey = person_subkey},
	    {.name = "full_name", .gives = "<first name> <last name>", .takes = {text}, .keyed = true, .options = {},
	        .width = [](const MaskRule &) { return longest(first_names) + 1 + longest(last_names); }, .distinct = distinct_by_hash<16>,
	        .make = simple_masker<write_full_name>, .in_form = is_full, .recognizable = false, .subkey = person_subkey},
	    {.name = "username", .gives = "<first name>_<14 hex digits>", .takes = {text}, .keyed = true, .options = {},
	        .width = [](const MaskRule &) { return longest(first_names) + 1 + username_digits; }, .distinct = distinct_by_hash<64>,
	        .make = simple_masker<write_username>, .in_form = is_username, .recognizable = true, .subkey = person_subkey},
	};
}

}  // namespace core
