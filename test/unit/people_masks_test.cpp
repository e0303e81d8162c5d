// Masks of people and texts: what each strategy keeps, what it does with values that are not of its form, and when the plan refuses it.
#include <crypt.h>
#include <sodium.h>

#include <set>

#include "catch.hpp"
#include "core/config.hpp"
#include "core/mask_stream.hpp"
#include "core/mask_words.hpp"
#include "core/masks.hpp"
#include "small_catalog.hpp"

using namespace core;

namespace {

const MaskKey &test_key()
{
	static const MaskKey key = [] {
		std::string why;
		return *MaskKey::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", why);
	}();
	return key;
}

MaskRule rule(const std::string &strategy, json options = json::object())
{
	std::vector<Problem> problems;
	options["strategy"] = strategy;
	const auto parsed = parse_mask_rule(options, {}, "x", problems);
	for (const auto &one : problems) UNSCOPED_INFO(one.text);
	REQUIRE(problems.empty());
	return *parsed;
}

std::string masked(const MaskRule &of, const std::string &value, const std::string &drawn_from = "")
{
	Mask mask(of, &test_key());
	const auto made = drawn_from.empty() ? mask(value) : mask(value, drawn_from);
	return made ? std::string(*made) : "NULL";
}
std::string masked(const std::string &strategy, const std::string &value) { return masked(rule(strategy), value); }

std::string why_not(const std::string &strategy, json options)
{
	std::vector<Problem> problems;
	options["strategy"] = strategy;
	parse_mask_rule(options, {}, "x", problems);
	return problems.empty() ? "" : problems.front().text;
}

const std::vector<MaskRule> &every_rule()
{
	static const std::vector<MaskRule> all{rule("first_name"), rule("last_name"), rule("full_name"), rule("username"), rule("email"), rule("email", {{"form", "name"}}),
	    rule("email", {{"keep", "company"}}), rule("email", {{"keep", "domain"}}), rule("email", {{"keep", "domain"}, {"form", "name"}}), rule("phone"),
	    rule("phone", {{"form", "e164"}}), rule("phone", {{"form", "e164"}, {"country", 27}}), rule("phone", {{"form", "as_written"}}), rule("company"),
	    rule("street"), rule("city"), rule("postcode"), rule("postcode", {{"first", 2}}), rule("shape"), rule("secret"), rule("secret", {{"length", 40}}),
	    rule("partial", {{"last", 4}}), rule("partial", {{"first", 3}, {"last", 1}, {"with", "#"}}), rule("url"), rule("free_text"), rule("free_text", {{"form", "shape"}}),
	    rule("choice", {{"of", {"a", "b"}}}), rule("constant", {{"value", "x"}}), rule("empty_json"), rule("password", {{"iterations", 1}}),
	    rule("password", {{"form", "bcrypt"}, {"cost", 4}})};
	return all;
}

}  // namespace

TEST_CASE("whatever a value looks like, its mask has the form, the width and nothing of it")
{
	// No name, number or address that a strategy may keep, but things that stand in such columns.
	const std::vector<std::string> odd{"call Bobwyn 8.15pm", "n/a (zzyzx)", std::string(5000, 'q'), "Zürichwürfel", "日本語の名前です", "🙂🙃🙂🙃🙂🙃", "\xff\xfe\xff\xfe\xff\xfe",
	    "qwxzy@qwxzy@@qwxzy", "https://qwxzy:qwxzy@", "{\"qwxzy\": [\"qwxzy\"]}", "+++qwxzy---qwxzy", "qwxzy\tqwxzy\nqwxzy\\N", std::string("qwx\0zyqwx", 9), "++49 89 777 qwxzy"};
	for (const MaskRule &one : every_rule()) {
		const Strategy &strategy = *find_strategy(one.strategy);
		for (const std::string &value : odd) {
			const std::string made = masked(one, value);
			INFO(one.to_json().dump() << " of value " << (&value - odd.data()));
			CHECK(is_masked_form(one, "text", made));
			CHECK(made == masked(one, value));
			if (const int width = strategy.width(one); width > 0) CHECK(count_characters(made) <= static_cast<std::size_t>(width));
			else if (width == as_long_as_the_value) {
				CHECK(count_characters(made) <= count_characters(value));
				CHECK(made.size() <= value.size());
			}
			if (one.strategy != "free_text" || one.options.contains("form")) {
				CHECK(made != value);
				if (one.strategy != "partial") CHECK(made.find("qwxzy") == made.npos);
			}
		}
	}
}

TEST_CASE("the names and addresses of one person agree")
{
	for (const std::string who : {"17", "Jürgen Müller", "alice@corp.example"}) {
		const auto of = [&](const char *strategy, const json &options = json::object()) { return masked(rule(strategy, options), "some value", who); };
		const auto first = of("first_name"), last = of("last_name");
		CHECK(of("full_name") == first + " " + last);
		std::string lower;
		for (const char c : first + "." + last) lower += static_cast<char>(std::tolower(c));
		CHECK(of("email", {{"form", "name"}}).starts_with(lower + "."));
		CHECK(of("username").starts_with(lower.substr(0, first.size()) + "_"));
		CHECK(of("email", {{"form", "name"}}).substr(lower.size() + 1, 12) == of("username").substr(first.size() + 1, 12));
	}
	CHECK(masked("full_name", "a") != masked(rule("full_name", {{"domain", "other"}}), "a"));
}

TEST_CASE("lists of words have no word twice")
{
	const auto distinct = [](const auto &list) { return std::set<Word>(list.begin(), list.end()).size() == list.size(); };
	CHECK((distinct(first_names) && distinct(last_names) && distinct(street_names) && distinct(street_kinds) && distinct(town_beginnings) && distinct(town_endings)));
	CHECK((distinct(company_names) && distinct(company_trades) && distinct(company_forms)));
	for (const Word name : first_names) CHECK((is_drawn_first_name(name) && is_known_first_name(name)));
	CHECK_FALSE(is_drawn_first_name("Bob"));
	CHECK(is_known_first_name("Bob"));
	CHECK(is_known_last_name("Müller"));
}

TEST_CASE("200,000 user names and addresses of persons stay as many (E5)")
{
	Mask username(rule("username"), &test_key()), email(rule("email", {{"form", "name"}}), &test_key()), secret(rule("secret", {{"length", 11}}), &test_key());
	std::set<std::string> usernames, emails, secrets;
	for (int i = 0; i < 200'000; ++i) {
		const auto value = "person" + std::to_string(i);
		usernames.emplace(*username(value));
		emails.emplace(*email(value));
		secrets.emplace(*secret(value));
	}
	CHECK(usernames.size() == 200'000);
	CHECK(emails.size() == 200'000);
	CHECK(secrets.size() == 200'000);
	CHECK(collision_odds(*find_strategy("full_name"), rule("full_name"), 100) > accepted_odds);
	CHECK(collision_odds(*find_strategy("secret"), rule("secret", {{"length", 32}}), 1e9) < accepted_odds);
	CHECK(collision_odds(*find_strategy("secret"), rule("secret"), 2) == 1);    // who knows how short they are
}

TEST_CASE("an e-mail address keeps its domain, or the company it tells of, and no other text")
{
	const MaskRule domain = rule("email", {{"keep", "domain"}}), company = rule("email", {{"keep", "company"}});
	CHECK(masked(domain, "alice@Corp.example") == masked("email", "alice@Corp.example").substr(0, 22) + "Corp.example");
	for (const char *none : {"bob@home tomorrow", "bob@corp", "bob", "@corp.example", "bob@corp..example", "bob@-corp.example", "bob@corp.example?subject=Bob"})
		CHECK(masked(domain, none).ends_with("@example.com"));
	const auto domain_of = [&](const MaskRule &of, const char *value) { return masked(of, value).substr(masked(of, value).find('@')); };
	CHECK(domain_of(company, "alice@corp.example") == domain_of(company, "bob@CORP.example"));
	CHECK(domain_of(company, "alice@corp.example") == domain_of(rule("email", {{"keep", "company"}, {"form", "name"}}), "bob@corp.example"));
	CHECK(domain_of(company, "alice@corp.example") != domain_of(company, "alice@other.example"));
	CHECK(domain_of(company, "alice@corp.example").ends_with(".example.com"));
	CHECK_FALSE(is_masked_form(company, "text", "user_d23ac2eb2e8ad87b@corp.example"));
	CHECK_FALSE(is_masked_form(domain, "text", "alice@corp.example"));
	CHECK_FALSE(is_masked_form(rule("email", {{"form", "name"}}), "text", "alice.corp.d23ac2eb2e8a@example.com"));
}

TEST_CASE("a phone number keeps country and length, and is a valid one (M9)")
{
	const MaskRule e164 = rule("phone", {{"form", "e164"}}), written = rule("phone", {{"form", "as_written"}}), south_african = rule("phone", {{"form", "e164"}, {"country", 27}});
	const auto digits = [](const std::string &text) { return std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }); };
	for (const std::string value : {"+49 89 1234567", "+27 82 123 4567", "+1 (555) 123-4567", "+350 2001 2345", "+44 20 7946 0958"}) {
		const auto made = masked(e164, value);
		CHECK(made.starts_with(value.substr(0, value.find(' '))));
		CHECK(digits(made) == digits(value));
		CHECK(masked(written, value).size() == value.size());
		CHECK(masked(written, value).find_first_of("0123456789") == value.find_first_of("0123456789"));
	}
	CHECK(masked(e164, "0049 89 1234567").starts_with("+498"));
	CHECK(masked(e164, "+49 (0)89 1234567").starts_with("+498"));
	CHECK(masked(written, "+49 (0)89 1234567").starts_with("+49 (0)8"));
	CHECK(masked(e164, "089 1234567").starts_with("+999"));    // nobody's country
	CHECK(masked(south_african, "082 123 4567").starts_with("+278"));
	CHECK(masked(south_african, "082 123 4567").size() == 12);
	CHECK(masked(e164, "call 112").starts_with("+999"));
	CHECK(why_not("phone", {{"country", 27}}) == "strategy phone in x: country is for form: e164, which writes it before national numbers");
	CHECK(recognizable(rule("phone")));
	CHECK_FALSE(recognizable(e164));
}

TEST_CASE("partial never shows more than it hides")
{
	const MaskRule last = rule("partial", {{"last", 4}}), both = rule("partial", {{"first", 2}, {"last", 2}, {"with", "x"}});
	CHECK(masked(last, "4111111111111234") == "************1234");
	CHECK(masked(last, "1234567") == "*******");
	CHECK(masked(last, "1234") == "****");
	CHECK(masked(both, "日本語日本語日本") == "日本xxxx日本");
	CHECK(masked(both, "1234567") == "xxxxxxx");
	CHECK(why_not("partial", json::object()).find("how many characters stay") != std::string::npos);
	CHECK(why_not("partial", {{"last", 4}, {"with", "**"}}).find("one character") != std::string::npos);
	CHECK(why_not("partial", {{"last", 65}}) == "x.last must be a whole number from 0 to 64");
	CHECK_FALSE(is_masked_form(last, "text", "4111111111111234"));
}

TEST_CASE("a secret keeps its alphabet, a shape its letters' case")
{
	const auto only = [](const std::string &made, const char *alphabet) { return made.find_first_not_of(alphabet) == made.npos; };
	CHECK(only(masked("secret", "5a8943f67bb7ad15"), "0123456789abcdef"));
	CHECK(only(masked("secret", "5A8943F67BB7AD15"), "0123456789ABCDEF"));
	CHECK(only(masked("secret", "918273645"), "0123456789"));
	CHECK(masked("secret", "sk_live_51H8aBcDeFg")[2] == '_');
	CHECK(masked("shape", "A-1234 zz")[1] == '-');
	CHECK(only(masked("shape", "ÄÖÜŁ").substr(0, 4), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
	CHECK(masked(rule("postcode", {{"first", 2}}), "SW1A 1AA").starts_with("SW"));
	CHECK(masked("shape", "---").find('-') == std::string::npos);    // nothing to replace: nothing stays
}

TEST_CASE("a password is a working hash of the test password")
{
	const auto bcrypt = masked(rule("password", {{"form", "bcrypt"}, {"cost", 4}, {"password", "open sesame"}}), "$2y$10$abc");
	crypt_data data{};
	CHECK(bcrypt == crypt_r("open sesame", bcrypt.c_str(), &data));
	const auto django = masked(rule("password", {{"iterations", 2}}), "pbkdf2_sha256$600000$salt$hash");
	REQUIRE(django.starts_with("pbkdf2_sha256$2$"));
	const auto salt = django.substr(16, 22);
	unsigned char one[32], two[32];
	const std::string password = "prodsync", first = salt + std::string("\0\0\0\1", 4);
	const auto hmac = [&](const void *bytes, std::size_t size, unsigned char *out) {
		crypto_auth_hmacsha256_state state;
		crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char *>(password.data()), password.size());
		crypto_auth_hmacsha256_update(&state, static_cast<const unsigned char *>(bytes), size);
		crypto_auth_hmacsha256_final(&state, out);
	};
	hmac(first.data(), first.size(), one);
	hmac(one, 32, two);
	for (int i = 0; i < 32; ++i) one[i] ^= two[i];
	char base64[45];
	CHECK(django.substr(39) == sodium_bin2base64(base64, sizeof base64, one, 32, sodium_base64_VARIANT_ORIGINAL));
	CHECK(masked(rule("password", {{"iterations", 1}}), "!unusable").starts_with("!"));    // an account without a password gets none
	CHECK(why_not("password", {{"form", "bcrypt"}, {"iterations", 5}}).find("bcrypt has a cost") != std::string::npos);
	CHECK(why_not("password", {{"form", "bcrypt"}, {"password", std::string(73, 'x')}}).find("72 bytes") != std::string::npos);
	CHECK_FALSE(is_masked_form(rule("password"), "text", "pbkdf2_sha256$100000$somebodyssaltsomebodys$KJzzQQhZHZUVIYw6nbGmV4qByWj5yLiKFMYHfNvJihY="));
}

TEST_CASE("free text: what is found is replaced, and what is not stays")
{
	const auto made = masked("free_text", "Dear Ms Winterbottom, Bob Kowalska (bob@corp.example, +49 89 1234567) pays 12.50 to DE89 3704 0044 0532 0130 00, token ab12cd34ef");
	for (const char *gone : {"Winterbottom", "Bob", "Kowalska", "corp.example", "1234567", "3704", "0532", "ab12cd34"}) {
		INFO(gone);
		CHECK(made.find(gone) == made.npos);
	}
	for (const char *there : {"Dear Ms ", " pays 12.50 to DE", ", token "}) CHECK(made.find(there) != made.npos);
	CHECK(made.find(masked("email", "bob@corp.example")) != made.npos);    // the same in a text as in a column of addresses
	CHECK(masked("free_text", "nothing to see") == "nothing to see");
	CHECK_FALSE(is_masked_form(rule("free_text"), "text", "mail bob@corp.example"));
	CHECK(is_masked_form(rule("free_text"), "text", "mail user_d23ac2eb2e8ad87b@example.com."));
	// In time that grows with the text, and no more.
	for (const char *piece : {"a.", "@", "(", "a@", "1 ", "DE89 "}) {
		std::string many;
		for (int i = 0; i < 200'000; ++i) many += piece;
		CHECK(is_masked_form(rule("free_text"), "text", masked("free_text", many)));
	}
}

TEST_CASE("a web address has a made-up host, the same for the same")
{
	const auto host = [](const std::string &made) { return made.substr(0, made.find('/', 8)); };
	CHECK(host(masked("url", "https://corp.example/a")) == host(masked("url", "https://user:pw@CORP.example:8443/b?c")));
	CHECK(host(masked("url", "https://corp.example/a")) != host(masked("url", "https://other.example/a")));
	CHECK(masked("url", "http://corp.example/users/alice").starts_with("http://"));
	CHECK(masked("url", "http://corp.example/users/alice").size() == std::string("http://5d40375353041762.example.com/users/alice").size());
	CHECK(masked("url", "javascript://alert").starts_with("https://"));
	CHECK(masked(rule("url", {{"length", 48}}), "https://corp.example/" + std::string(100, 'a')).size() == 48);
}

TEST_CASE("constant and choice have to be values of the column")
{
	const auto unfit = [](const MaskRule &of, const std::string &base, std::vector<std::string> labels = {}, bool not_null = false) {
		Column column;
		column.name = "c", column.type = column.base = base, column.labels = std::move(labels), column.not_null = not_null;
		return find_strategy(of.strategy)->unfit(of, column);
	};
	const auto constant = [](const json &value) { return rule("constant", {{"value", value}}); };
	CHECK(unfit(constant(12), "integer").empty());
	CHECK(unfit(constant(40'000), "smallint") == "gives a value that is no value of this type");
	CHECK(unfit(constant("x"), "integer") == "gives a value that is no value of this type");
	CHECK(unfit(constant("2024-02-30"), "date") == "gives a value that is no value of this type");
	CHECK(unfit(constant("2024-02-29"), "date").empty());
	CHECK(unfit(constant(true), "boolean").empty());
	CHECK(unfit(constant("{"), "jsonb") == "gives a value that is no JSON");
	CHECK(unfit(constant("{}"), "text[]").empty());
	CHECK(unfit(constant("\\x00ff"), "bytea").empty());
	CHECK(unfit(constant("1 day"), "interval") == "gives a value that cannot be told to be a value of this type");
	CHECK(unfit(constant("sad"), "public.mood", {"happy", "sad"}).empty());
	CHECK(unfit(constant("angry"), "public.mood", {"happy", "sad"}) == "gives a value that is none of the type's labels");
	CHECK(unfit(rule("choice", {{"of", {"happy", "angry"}}}), "public.mood", {"happy", "sad"}) == "has a choice, number 2, that is none of the type's labels");
	CHECK(unfit(rule("choice"), "text") == "needs of: a list of what to choose from, since the column is of no enum type");
	CHECK(unfit(rule("null"), "text", {}, true) == "makes NULL of every value, and the column is NOT NULL");
	CHECK(unfit(rule("null"), "interval").empty());
	CHECK(why_not("constant", json::object()) == "strategy constant needs value in x");
	CHECK(why_not("constant", {{"value", json::array()}}) == "x.value must be a text, a number, true or false");
	// As the server prints it.
	for (const auto &[given, printed] : std::vector<std::pair<json, const char *>>{{"1.5", "1.50"}, {true, "t"}, {"2024-02-29 10:00:00", "2024-02-29 10:00:00"}, {"{\"a\":1}", "{\"a\": 1}"}, {"10.0.0.1/32", "10.0.0.1"}})
		CHECK(is_masked_form(constant(given), "text", printed));
	CHECK_FALSE(is_masked_form(constant("1.5"), "text", "1.6"));
	CHECK_THROWS_AS(Mask(rule("choice"), &test_key()), std::invalid_argument);
	CHECK(masked("null", "x") == "NULL");
	CHECK(masked("null", "").empty());
}

namespace {

struct Planned {
	Catalog source = small::application(), target;
	Config config = small::configuration();
	Planned()
	{
		small::Table table(source, "customer");
		table.column("email", "character varying(254)").column("about", "text").column("mood", "public.mood").column("since", "interval").column("code", "text", true);
		source.relations.at(small::name("customer")).columns[3].length = 254;
		source.relations.at(small::name("customer")).columns[5].labels = {"happy", "sad"};
		target = source;
	}
	Plan with(const std::string &column, const MaskRule &rule) const
	{
		Config rules = config;
		rules.masks.push_back({"customer", {{column, rule}}});
		return make_plan(rules, source, target, small::answered(rules, source, target, small::rows_for));
	}
};

}  // namespace

TEST_CASE("the plan knows NULL, enum labels and what may reach somebody")
{
	Planned pair;
	CHECK(pair.with("since", rule("null")).problems.empty());
	CHECK(small::table(pair.with("since", rule("null")), "customer").binary);    // no text is needed to make NULL
	const auto not_null = pair.with("code", rule("null"));
	REQUIRE(not_null.problems.size() == 1);
	CHECK(not_null.problems[0].id == "masked-value");
	CHECK(not_null.problems[0].text == "strategy null makes NULL of every value, and the column is NOT NULL (customer.code, text)");
	// NULLs are no duplicates, unless the index says so.
	Index index;
	index.name = "u_about", index.unique = true, index.columns = {"about"}, index.method = "btree";
	pair.target.relations.at(small::name("customer")).indexes.push_back(index);
	CHECK(pair.with("about", rule("null")).problems.empty());
	CHECK(pair.with("about", rule("constant", {{"value", "x"}})).problems.size() == 1);
	pair.target.relations.at(small::name("customer")).indexes.back().nulls_not_distinct = true;
	CHECK(pair.with("about", rule("null")).problems.size() == 1);
	pair.target.relations.at(small::name("customer")).indexes.pop_back();
	// A choice among the labels travels as a list.
	const auto chosen = pair.with("mood", rule("choice"));
	CHECK(chosen.problems.empty());
	for (const auto &column : small::table(chosen, "customer").columns)
		if (column.column == "mood") CHECK(column.mask.options["of"] == json({"happy", "sad"}));
	CHECK(pair.with("about", rule("choice")).problems.size() == 1);
	CHECK(pair.with("email", rule("free_text")).problems.front().text == "customer.email is too short for strategy free_text: it gives what may be longer than the value, the column holds 254");
	CHECK(pair.with("email", rule("free_text", {{"form", "shape"}})).problems.empty());
	CHECK(small::find(pair.with("email", rule("email", {{"keep", "domain"}})).warnings, "masked-caution"));
	CHECK_FALSE(small::find(pair.with("email", rule("email", {{"keep", "company"}})).warnings, "masked-caution"));
	std::vector<Problem> problems;
	CHECK_FALSE(parse_mask_rule(json{{"strategy", nullptr}}, {}, "x", problems));    // YAML's null
	CHECK(problems.at(0).fix == "strategy: \"null\", in quotes, makes the column NULL");
}
