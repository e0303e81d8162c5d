// E-mail addresses. Where nothing else is said they are under example.com, which RFC 2606 keeps for examples: nobody's mail arrives there.
#include "mask_person.hpp"

namespace core {

namespace {

constexpr std::string_view nowhere = "example.com";
constexpr int name_digits = 12, company_digits = 8;
constexpr std::size_t longest_kept_domain = 64;

bool of_name(const MaskRule &rule) { return rule.text("form") == "name"; }
enum class Keep { nothing, company, domain };
Keep kept(const MaskRule &rule)
{
	const auto keep = rule.text("keep");
	return keep == "domain" ? Keep::domain : keep == "company" ? Keep::company : Keep::nothing;
}

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Labels of letters, digits and hyphens, two at least: what is no such name may be anything.
bool is_domain(std::string_view name)
{
	if (name.size() > longest_kept_domain) return false;
	int labels = 0;
	while (true) {
		const auto end = std::min(name.find('.'), name.size());
		const std::string_view label = name.substr(0, end);
		if (label.empty() || !is_letter_or_digit(label.front()) || !is_letter_or_digit(label.back())) return false;
		if (!std::all_of(label.begin(), label.end(), [](char c) { return c == '-' || is_letter_or_digit(c); })) return false;
		++labels;
		if (end == name.size()) return labels > 1;
		name.remove_prefix(end + 1);
	}
}

// The domain of an address; empty where the value is none.
std::string_view domain_of(std::string_view value)
{
	const auto at = value.rfind('@');
	if (at == value.npos || at == 0) return {};
	const std::string_view name = value.substr(at + 1);
	return is_domain(name) ? name : std::string_view{};
}

class EmailMasker : public Masker {
	MaskSubkey key_;
	bool name_;
	Keep keep_;
	std::string company_;

	// Domains differ in no letter's case. An address cannot begin with "@", so the hash is that of no address.
	void append_company(std::string_view domain, std::string &out)
	{
		company_ = "@";
		append_lower(domain, company_);
		const MaskHash hash = mask_hash(company_, key_);
		append_lower(pick(company_names, first_word(hash)), out);
		out += '-';
		append_person_digits(hash, company_digits, out);
		out += '.';
		out += nowhere;
	}

public:
	EmailMasker(const MaskRule &rule, const MaskSubkey &key) : key_(key), name_(of_name(rule)), keep_(kept(rule)) {}
	~EmailMasker() override { std::fill(key_.begin(), key_.end(), 0); }
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		if (name_) {
			const Person person(hash);
			append_lower(person.first, out);
			out += '.';
			append_lower(person.last, out);
			out += '.';
			append_person_digits(hash, name_digits, out);
		} else {
			out += "user_";
			append_hex(hash, 16, out);
		}
		out += '@';
		const std::string_view domain = keep_ == Keep::nothing ? std::string_view{} : domain_of(value);
		if (domain.empty()) out += nowhere;
		else if (keep_ == Keep::domain) out += domain;
		else append_company(domain, out);
	}
};

std::unique_ptr<Masker> make_email(const MaskRule &rule, const MaskSubkey &key) { return std::make_unique<EmailMasker>(rule, key); }

int email_width(const MaskRule &rule)
{
	const int local = of_name(rule) ? longest(first_names) + 1 + longest(last_names) + 1 + name_digits : 5 + 16;
	const int none = static_cast<int>(nowhere.size());
	const Keep keep = kept(rule);
	return local + 1 +
	    (keep == Keep::domain           ? static_cast<int>(longest_kept_domain)
	            : keep == Keep::company ? longest(company_names) + 1 + company_digits + 1 + none
	                                    : none);
}

bool is_local(std::string_view local, const MaskRule &rule)
{
	if (!of_name(rule)) return local.size() == 21 && local.starts_with("user_") && all_hex(local.substr(5));
	const auto first = local.find('.'), last = local.rfind('.');
	return first != local.npos && first < last && is_lower_first_name(local.substr(0, first)) &&
	    is_lower_last_name(local.substr(first + 1, last - first - 1)) && local.size() == last + 1 + name_digits && all_hex(local.substr(last + 1));
}

bool is_company(std::string_view domain)
{
	const auto line = domain.find('-');
	if (line == domain.npos || domain.size() != line + 1 + company_digits + 1 + nowhere.size() || !domain.ends_with(nowhere) ||
	    domain[line + 1 + company_digits] != '.')
		return false;
	return all_hex(domain.substr(line + 1, company_digits)) && std::any_of(company_names.begin(), company_names.end(), [&](Word name) {
		std::string lower;
		append_lower(name, lower);
		return domain.substr(0, line) == lower;
	});
}

bool is_email(std::string_view value, const MaskRule &rule)
{
	const auto at = value.rfind('@');
	if (at == value.npos || !is_local(value.substr(0, at), rule)) return false;
	const std::string_view domain = value.substr(at + 1);
	if (domain == nowhere) return true;
	switch (kept(rule)) {
	case Keep::domain: return is_domain(domain);
	case Keep::company: return is_company(domain);
	case Keep::nothing: break;
	}
	return false;
}

// The form that names nobody is older than persons, and stays what it was. The domain of a company is the same in both forms.
const char *email_subkey(const MaskRule &rule) { return of_name(rule) || kept(rule) == Keep::company ? person_subkey : "email"; }

std::string email_caution(const MaskRule &rule)
{
	return kept(rule) == Keep::domain ? "keeps the domains of production's addresses: mail sent to a masked address goes out to "
	                                    "them, and bounces there (keep: company makes up a domain for each)"
	                                  : "";
}

}  // namespace

std::vector<Strategy> email_strategies()
{
	using Kind = MaskOption::Kind;
	return {{.name = "email",
	    .gives = "user_<16 hex digits>@example.com",
	    .takes = {ValueKind::text},
	    .keyed = true,
	    .options = {{.name = "form", .kind = Kind::word, .words = {"user", "name"}, .otherwise = "\"user\""},
	        {.name = "keep", .kind = Kind::word, .words = {"nothing", "company", "domain"}, .otherwise = "\"nothing\""}},
	    .width = email_width,
	    .distinct = distinct_by_hash<64>,
	    .make = make_email,
	    .in_form = is_email,
	    .recognizable = true,
	    .subkey_of = email_subkey,
	    .caution = email_caution}};
}

}  // namespace core
