// Streets, towns, companies and web addresses that are nobody's. Parts of an address have a strategy each, so that the country, which says
// little of a person and much to a program, can be left as it is.
#include "mask_person.hpp"
#include "mask_stream.hpp"

namespace core {

namespace {

// ---- street ----

enum class Place { none, front, back };
bool is_digit(char c) { return c >= '0' && c <= '9'; }
Place place_of_number(std::string_view street)
{
	if (is_digit(street.front())) return Place::front;
	return std::any_of(street.begin(), street.end(), is_digit) ? Place::back : Place::none;
}

constexpr int most_house_number = 199;

void write_street(std::string_view value, Hash hash, const MaskRule &, std::string &out)
{
	const Place place = place_of_number(value);
	const std::string number = place == Place::none ? "" : std::to_string(1 + second_word(hash) % most_house_number);
	if (place == Place::front) out += number, out += ' ';
	out += pick(street_names, hash[0]);
	out += ' ';
	out += pick(street_kinds, hash[1]);
	if (place == Place::back) out += ' ', out += number;
}

template <std::size_t Size>
bool among(const std::array<Word, Size> &list, std::string_view word)
{
	return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_house_number(std::string_view text)
{
	return !text.empty() && text.size() <= 3 && all_digits(text) && text[0] != '0' && (text.size() < 3 || text <= std::to_string(most_house_number));
}

bool is_street(std::string_view value, const MaskRule &)
{
	std::array<std::string_view, 3> words;
	std::size_t count = 0;
	for (;;) {
		const auto end = std::min(value.find(' '), value.size());
		if (count == words.size()) return false;
		words[count++] = value.substr(0, end);
		if (end == value.size()) break;
		value.remove_prefix(end + 1);
	}
	const auto named = [&](std::size_t at) { return among(street_names, words[at]) && among(street_kinds, words[at + 1]); };
	if (count == 2) return named(0);
	return count == 3 && ((is_house_number(words[0]) && named(1)) || (is_house_number(words[2]) && named(0)));
}

int street_width(const MaskRule &) { return 3 + 1 + longest(street_names) + 1 + longest(street_kinds); }

// ---- city ----

void write_city(std::string_view, Hash hash, const MaskRule &, std::string &out)
{
	out += pick(town_beginnings, hash[0]);
	out += pick(town_endings, hash[1]);
}

bool is_city(std::string_view value, const MaskRule &)
{
	return std::any_of(town_beginnings.begin(), town_beginnings.end(),
	    [&](Word beginning) { return value.starts_with(beginning) && among(town_endings, value.substr(beginning.size())); });
}

int city_width(const MaskRule &) { return longest(town_beginnings) + longest(town_endings); }

// ---- company ----

void write_company(std::string_view, Hash hash, const MaskRule &, std::string &out)
{
	out += pick(company_names, hash[0]);
	out += ' ';
	out += pick(company_trades, hash[1]);
	out += ' ';
	out += pick(company_forms, hash[2]);
}

bool is_company(std::string_view value, const MaskRule &)
{
	const auto first = value.find(' '), last = value.rfind(' ');
	return first != value.npos && first < last && among(company_names, value.substr(0, first)) &&
	    among(company_trades, value.substr(first + 1, last - first - 1)) && among(company_forms, value.substr(last + 1));
}

int company_width(const MaskRule &) { return longest(company_names) + 1 + longest(company_trades) + 1 + longest(company_forms); }

// ---- url ----

constexpr std::string_view schemes[] = {
    "https", "http", "ftps", "ftp", "sftp", "wss", "ws", "ssh", "git", "s3"};  // the first where there is none of them
constexpr std::string_view under = ".example.com";
constexpr int host_digits = 16;

// The scheme of scheme://host...; empty: the value is no such address.
std::string_view scheme_of(std::string_view value)
{
	const auto colon = value.find("://");
	if (colon == value.npos || value.size() == colon + 3) return {};
	for (const std::string_view scheme : schemes) {
		std::string lower;
		append_lower(value.substr(0, colon), lower);
		if (lower == scheme) return scheme;
	}
	return {};
}

class UrlMasker : public Masker {
	MaskSubkey key_;
	std::size_t most_;
	std::string host_;

public:
	UrlMasker(const MaskRule &rule, const MaskSubkey &key) : key_(key), most_(static_cast<std::size_t>(rule.number("length", 200))) {}
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		const std::size_t before = out.size();
		const std::string_view scheme = scheme_of(value);
		MaskHash of_host = hash;
		std::string_view path;
		if (!scheme.empty()) {
			const std::string_view rest = value.substr(value.find("://") + 3), authority = rest.substr(0, rest.find_first_of("/?#"));
			path = rest.substr(authority.size());
			// Names and passwords before it and the port behind it are left out. The same host gets the same name everywhere; no address begins with "//".
			std::string_view host = authority.substr(authority.rfind('@') + 1);
			if (!host.starts_with('[')) host = host.substr(0, host.find(':'));
			host_ = "//";
			append_lower(host, host_);
			of_host = mask_hash(host_, key_);
		}
		out += scheme.empty() ? schemes[0] : scheme;
		out += "://";
		append_hex(of_host, host_digits, out);
		out += under;
		const std::size_t host_end = out.size();
		if (std::any_of(path.begin(), path.end(), [](char c) {
			    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
		    })) {
			MaskStream stream(hash, key_, 'u');
			append_shape(path, stream, out);
			std::replace(out.begin() + static_cast<std::ptrdiff_t>(host_end), out.end(), '%', '-');    // two letters behind a % would be no escape
		} else {
			out += '/';
		}
		if (out.size() - before > most_) out.resize(before + most_);
	}
};

std::unique_ptr<Masker> make_url(const MaskRule &rule, const MaskSubkey &key) { return std::make_unique<UrlMasker>(rule, key); }

bool is_url(std::string_view value, const MaskRule &rule)
{
	const std::string_view scheme = scheme_of(value);
	if (scheme.empty() || !value.starts_with(scheme) || !is_ascii(value) ||
	    value.size() > static_cast<std::size_t>(rule.number("length", 200)))
		return false;
	value.remove_prefix(scheme.size() + 3);
	return value.size() > host_digits + under.size() && all_hex(value.substr(0, host_digits)) && value.substr(host_digits).starts_with(under) &&
	    std::string_view("/?#").find(value[host_digits + under.size()]) != std::string_view::npos;
}

}  // namespace

std::vector<Strategy> place_strategies()
{
	using enum ValueKind;
	return {
	    {.name = "company", .gives = "<word> <trade> <legal form>", .takes = {text}, .keyed = true, .options = {}, .width = company_width,
	        .distinct = distinct_by_hash<14>, .make = simple_masker<write_company>, .in_form = is_company, .recognizable = true},
	    {.name = "street", .gives = "<number> <word> <street, road ...>", .takes = {text}, .keyed = true, .options = {}, .width = street_width,
	        .distinct = never_distinct, .make = simple_masker<write_street>, .in_form = is_street, .recognizable = false},
	    {.name = "city", .gives = "one of 1,024 names of towns", .takes = {text}, .keyed = true, .options = {}, .width = city_width,
	        .distinct = never_distinct, .make = simple_masker<write_city>, .in_form = is_city, .recognizable = false},
	    {.name = "url", .gives = "https://<16 hex digits>.example.com/<path of the same shape>", .takes = {text}, .keyed = true,
	        .options = {{.name = "length", .kind = MaskOption::Kind::number, .least = 48, .most = 4000, .otherwise = "200"}},
	        .width = [](const MaskRule &rule) { return static_cast<int>(rule.number("length", 200)); }, .distinct = never_distinct, .make = make_url,
	        .in_form = is_url, .recognizable = true},
	};
}

}  // namespace core
