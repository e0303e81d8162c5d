#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include "catch.hpp"
#include "fixtures.hpp"
#include "core/masked_checks.hpp"
#include "core/masking.hpp"
#include "key.hpp"
#include "small_catalog.hpp"

using namespace core;
using small::find;
using small::name;

namespace {

struct Pair {
	Catalog source = small::application(), target;
	Config config = small::configuration();

	Pair()
	{
		for (const auto &[column, type, length] : std::vector<std::tuple<const char *, const char *, int>>{
		         {"email", "character varying(254)", 254}, {"phone", "character varying(20)", 20}, {"full_name", "text", 0}, {"code", "character(8)", 8},
		         {"born", "date", 0}}) {
			Column added;
			added.name = column;
			added.type = type;
			added.base = added.type.substr(0, added.type.find('('));
			added.length = length;
			added.binary = true;
			in_source("customer").columns.push_back(added);
		}
		target = source;
	}
	Relation &in_source(const std::string &of) { return source.relations.at(name(of)); }
	Relation &in_target(const std::string &of) { return target.relations.at(name(of)); }
	Pair &rule(const std::string &table, const std::string &column, const MaskRule &rule)
	{
		config.masks.push_back({table, {{column, rule}}});
		return *this;
	}
	Pair &unique(const std::vector<std::string> &columns)
	{
		Index index;
		index.name = "u_" + columns.front();
		index.unique = true;
		index.columns = columns;
		index.method = "btree";
		in_target("customer").indexes.push_back(index);
		return *this;
	}
	Plan plan() const { return make_plan(config, source, target, small::answered(config, source, target, small::rows_for)); }
	Problem problem(const std::string &id) const
	{
		const auto made = plan();
		for (const auto &one : made.problems) UNSCOPED_INFO(one.id + ": " + one.text);
		const auto *found = find(made.problems, id);
		REQUIRE(found);
		CHECK(made.problems.size() == 1);
		return *found;
	}
	void fine() const
	{
		const auto made = plan();
		for (const auto &one : made.problems) UNSCOPED_INFO(one.id + ": " + one.text);
		CHECK(made.problems.empty());
	}
};

const MaskRule email{"email", "", json::object()}, phone{"phone", "", json::object()}, hash{"hash", "", json::object()}, person{"name", "", json::object()}, none{"none", "", json::object()};

}  // namespace

TEST_CASE("a rule travels with its column, and both sides see it")
{
	Pair pair;
	pair.rule("customer", "email", email).rule("customer", "phone", none);
	const auto plan = pair.plan();
	for (const auto &column : small::table(plan, "customer").columns) CHECK(column.mask.masks() == (column.column == "email"));
	CHECK(small::table(plan, "customer").what_happens == "1 column remapped, 1 column masked, binary");
	Pair other;
	CHECK(plan.binding() != other.plan().binding());
	CHECK(Plan::step_json(small::step(plan, "load", "customer")).dump().find(R"("strategy":"email")") != std::string::npos);
}

TEST_CASE("a rule for what is not there (E2)")
{
	CHECK(Pair().rule("customer", "emial", email).problem("unknown-column").text == "a rule for customer.emial: there is no such column (did you mean email?)");
	CHECK(Pair().rule("custmer", "email", email).problem("unknown-table").text == "unknown table \"custmer\" (did you mean customer?)");
	CHECK(Pair().rule("auth_user", "username", person).problem("masked-kept-table").object == "auth_user.username");
	CHECK(Pair().rule("customer", "email", email).rule("public.customer", "email", hash).problem("two-rules").text == "two rules for customer.email");
	CHECK(Pair().rule("customer", "email", email).rule("customer", "email", email).problem("two-rules").text == "two rules for customer.email");
	Pair ahead;    // a column that only one side has is no mistake
	ahead.in_source("customer").columns.pop_back();
	ahead.rule("customer", "born", none).fine();
}

TEST_CASE("a strategy that does not fit the column is a problem, with one that does")
{
	CHECK(Pair().rule("customer", "born", hash).problem("masked-type").text == "customer.born is date, which strategy hash does not take");
	const auto narrow = Pair().rule("customer", "code", hash).problem("masked-length");
	CHECK(narrow.text == "customer.code is too short for strategy hash: it gives 16 characters, the column holds 8");
	CHECK(narrow.fix.find("strategy: none}    # copies it as it is") != std::string::npos);
	CHECK(Pair().rule("customer", "phone", email).problem("masked-length").fix ==
	    "anonymize:\n  tables:\n    customer:\n      - {column: phone, strategy: hash}");
	Pair generated;
	for (auto *side : {&generated.source, &generated.target}) side->relations.at(name("customer")).columns.back().generated = 's';
	CHECK(generated.rule("customer", "born", hash).problem("masked-generated").object == "anonymize.tables.customer");
}

TEST_CASE("masks of a unique column cannot collide (C3, E5)")
{
	Pair().unique({"email"}).rule("customer", "email", email).fine();
	CHECK(Pair().unique({"phone"}).rule("customer", "phone", phone).problem("masked-unique").text ==
	    "strategy phone gives too few different values for the unique index u_phone (customer.phone)");
	CHECK(Pair().unique({"tenant_id", "full_name"}).rule("customer", "full_name", {"redact", "", json::object()}).problem("masked-unique").fix ==
	    "anonymize:\n  tables:\n    customer:\n      - {column: full_name, strategy: hash}");
	// 100 rows: 32 bits are not enough
	CHECK(Pair().unique({"full_name"}).rule("customer", "full_name", person).problem("masked-unique").text.find("odds of 1 in") != std::string::npos);
	// Another unique key keeps the rows apart, whatever the masks are.
	Pair().unique({"id", "phone"}).rule("customer", "phone", phone).fine();
	Pair many;
	many.in_source("customer").rows = 2e7;
	CHECK(many.unique({"email"}).rule("customer", "email", email).problem("masked-unique").fix.find("length: 32") != std::string::npos);
	Pair uncounted;
	uncounted.in_source("customer").rows = -1;
	uncounted.in_source("customer").pages = 0;
	CHECK(uncounted.unique({"email"}).rule("customer", "email", email).problem("masked-unique").object == "customer.email");
}

TEST_CASE("an index over an expression and an exclusion constraint are unique too (C3)")
{
	Pair pair;
	pair.unique({"phone"});
	Index &index = pair.in_target("customer").indexes.back();
	index.columns = {};
	index.expression_keys = {"lower((phone)::text)"};
	index.expressions = true;
	index.predicate = "(full_name IS NOT NULL)";
	CHECK(Pair(pair).rule("customer", "phone", phone).problem("masked-unique").object == "customer.phone");
	Pair(pair).rule("customer", "phone", hash).rule("customer", "full_name", {"redact", "", json::object()}).fine();    // the predicate is no key
	// a permutation of texts tells cases apart, the index does not
	CHECK(Pair(pair).rule("customer", "phone", {"digits", "", json::object()}).problem("masked-unique").text ==
	    "strategy digits tells values apart by the case of letters as well, and the unique index u_phone does not look at it (customer.phone)");
	Pair exact;
	exact.unique({"phone"}).rule("customer", "phone", {"digits", "", json::object()}).fine();
	for (auto *side : {&exact.source, &exact.target})
		for (Column &column : side->relations.at(name("customer")).columns)
			if (column.name == "phone") column.base = column.type = "public.citext", column.length = 0;
	CHECK(exact.problem("masked-unique").text.find("case of letters") != std::string::npos);
	pair.in_target("customer").indexes.back().expression_keys = {"\"left\"(phone, 4)"};
	CHECK(Pair(pair).rule("customer", "phone", hash).problem("masked-unique").text ==
	    "strategy hash may give equal keys in the unique index u_phone, which is over an expression (customer.phone)");
	Pair exclusion;
	exclusion.unique({"phone"}).in_target("customer").indexes.back().unique = false;
	exclusion.in_target("customer").indexes.back().exclusion = true;
	CHECK(exclusion.rule("customer", "phone", phone).problem("masked-unique").object == "customer.phone");
}

TEST_CASE("an index that only the target has counts, one that only production has does not (C3)")
{
	Pair pair;
	pair.unique({"phone"});
	CHECK(Pair(pair).rule("customer", "phone", phone).problem("masked-unique").object == "customer.phone");
	std::swap(pair.source, pair.target);
	pair.rule("customer", "phone", phone).fine();
}

TEST_CASE("a partial unique index that chooses by the masked column is named (C3)")
{
	Pair pair;
	pair.unique({"tenant_id"});
	std::string &predicate = pair.in_target("customer").indexes.back().predicate;
	pair.rule("customer", "email", email);
	predicate = "((email)::text ~~ '%@corp.example'::text)";
	const auto plan = pair.plan();
	const auto *warning = find(plan.warnings, "masked-predicate", "customer.email");
	REQUIRE(warning);
	CHECK(warning->text.starts_with("unique index u_tenant_id has the rows WHERE ((email)::text ~~"));
	for (const char *same : {"(email IS NOT NULL)", "(email IS NULL)", "((email)::text <> ''::text)", "(phone IS NOT NULL)"}) {
		predicate = same;
		CHECK_FALSE(find(pair.plan().warnings, "masked-predicate"));
	}
	Pair null;    // a mask that changes it
	null.unique({"tenant_id"}).in_target("customer").indexes.back().predicate = "(email IS NOT NULL)";
	CHECK(find(null.rule("customer", "email", {"null", "", json::object()}).plan().warnings, "masked-predicate"));
}

TEST_CASE("Confiture's masks may collide: a warning with the odds (E5)")
{
	Pair pair;
	pair.unique({"email"}).rule("customer", "email", {"confiture_email", "", json::object()});
	pair.in_source("customer").rows = 200'000;
	pair.fine();
	const auto plan = pair.plan();
	const auto *warning = find(plan.warnings, "masked-unique", "customer.email");
	REQUIRE(warning);
	CHECK(warning->text.find("would give two of about 200,000 rows the same value with odds of 1 in 1") != std::string::npos);
	const auto *caution = find(plan.warnings, "masked-caution", "customer.email");
	REQUIRE(caution);
	CHECK(caution->text.find("a hash without a key") != std::string::npos);
	// what is the same for everybody cannot work
	CHECK(Pair().unique({"phone"}).rule("customer", "phone", {"confiture_redact", "", json::object()}).problem("masked-unique").object == "customer.phone");
}

TEST_CASE("numbers that the column would round or refuse are no rule")
{
	const auto of_type = [](const char *type, const MaskRule &rule) {
		Pair pair;
		for (auto *side : {&pair.source, &pair.target})
			for (Column &column : side->relations.at(name("customer")).columns)
				if (column.name == "born") column.type = type, column.base = std::string(type).substr(0, std::string(type).find('('));
		return pair.rule("customer", "born", rule);
	};
	const MaskRule digits{"digits", "", json::object()}, noise{"number_noise", "", json::object()};
	const auto constant = [](const char *value) { return MaskRule{"constant", "", {{"value", value}}}; };
	CHECK(of_type("numeric(2,2)", digits).problem("masked-value").text == "strategy digits may give a number that does not fit (customer.born, numeric(2,2))");
	CHECK(of_type("numeric(2,2)", noise).problem("masked-value").object == "customer.born");
	CHECK(of_type("numeric(2,4)", noise).problem("masked-value").object == "customer.born");
	CHECK(of_type("numeric(5,-2)", digits).problem("masked-value").object == "customer.born");
	of_type("numeric(3,2)", digits).fine();
	CHECK(of_type("numeric(5,-2)", noise).problem("masked-value").object == "customer.born");    // 9999900 may become 9999950, and that 10000000
	of_type("numeric(5,0)", noise).fine();
	CHECK(of_type("numeric(4,2)", constant("1.555")).problem("masked-value").text.find("has more digits behind the point than the column keeps") != std::string::npos);
	CHECK(of_type("numeric(4,2)", constant("123.5")).problem("masked-value").text.find("is too large for the column") != std::string::npos);
	of_type("numeric(4,2)", constant("-12.500")).fine();
	of_type("numeric(4,2)", constant("0.55")).fine();
	of_type("numeric", constant("1.555")).fine();
	CHECK(of_type("numeric(4,2)", {"choice", "", {{"of", {"1.5", "1.555"}}}}).problem("masked-value").text.find("number 2") != std::string::npos);
}

TEST_CASE("a rule to paste has its condition, and each of its parts")
{
	MaskRule rule = email;
	rule.when = "NOT \"Staff\"";
	CHECK(rule_text("email", rule) == "{column: email, strategy: email, when: \"NOT \\\"Staff\\\"\"}");
	const MaskRule parts{MaskRule::by_path, "", json::object(), "", "", "", {{"email", "", json::object(), "", "", "$.a", {}}, {"hash", "", json::object(), "", "", "$.b", {}}}};
	CHECK(rule_text("about", parts) == "{column: about, path: \"$.a\", strategy: email}\n      - {column: about, path: \"$.b\", strategy: hash}");
}

TEST_CASE("under strict a column that the database makes from masked ones has a rule, or stops the run")
{
	Pair pair;
	for (auto *side : {&pair.source, &pair.target}) {
		Column words;
		words.name = words.type = words.base = "words";
		words.type = words.base = "tsvector";
		Column lower = words;
		lower.name = "lookup", lower.type = lower.base = "text";
		auto &customer = side->relations.at(name("customer"));
		customer.columns.push_back(words);
		customer.columns.push_back(lower);
		customer.fillers.push_back({"fill", "fill_customer", {}, 7});
		side->trigger_bodies[7] = "BEGIN NEW.words := to_tsvector(NEW.full_name); NEW.lookup := lower(NEW.email); RETURN NEW; END";
	}
	pair.config.policy = Policy::strict;
	for (const char *column : {"phone", "born"}) pair.rule("customer", column, none);
	pair.rule("customer", "email", email).rule("customer", "full_name", hash).rule("auth_user", "username", none);
	auto problem = pair.problem("personal-columns");
	CHECK(problem.fix == "anonymize:\n  tables:\n    customer:"
	                     "\n      - {column: words, strategy: \"null\"}    # made from personal columns: trigger fill, of full_name"
	                     "\n      - {column: lookup, strategy: email}    # made from personal columns: trigger fill, of email");
	for (Column &column : pair.in_target("customer").columns)
		if (column.name == "words") column.not_null = true;
	problem = pair.problem("personal-columns");
	CHECK(problem.fix.find("- {column: words, strategy: constant, value: \"\"}") != std::string::npos);
	Pair(pair).rule("customer", "words", none).rule("customer", "lookup", none).fine();    // somebody has looked
	pair.rule("customer", "words", {"constant", "", {{"value", ""}}}).rule("customer", "lookup", email).fine();
}

TEST_CASE("rules for fields of a composite type")
{
	Pair pair;
	for (auto *side : {&pair.source, &pair.target}) {
		const auto field = [](const char *called, const std::string &type) {
			Column one;
			one.name = called, one.type = type, one.base = type.substr(0, type.find('('));
			if (type.find('(') != std::string::npos) one.length = std::stoi(type.substr(type.find('(') + 1));
			return one;
		};
		side->composites["public.address"] = {field("street", "text"), field("zip", "character varying(8)"), field("geo", "public.geo"), field("mails", "text[]")};
		side->composites["public.geo"] = {field("place", "text"), field("height", "integer")};
		auto &columns = side->relations.at(name("customer")).columns;
		columns.push_back(field("address", "public.address"));
		columns.push_back(field("others", "public.address[]"));
	}
	const auto part = [](const char *path, const char *strategy) { return MaskRule{strategy, "", json::object(), "", "", path, {}}; };
	const auto with = [&](const char *column, const MaskRule &rule) { return Pair(pair).rule("customer", column, rule); };
	with("address", part("$.street", "street")).fine();
	with("address", part("$.geo.height", "digits")).fine();
	with("others", part("$[*].street", "street")).fine();
	with("others", part("$..mails", "email")).fine();
	CHECK(with("address", part("$.strete", "street")).problem("masked-path").fix == "fields: street, zip, geo.place, geo.height, mails");
	CHECK(with("others", part("$.street", "street")).problem("masked-path").object == "customer.others");    // of elements
	CHECK(with("address", part("$.geo.height", "street")).problem("masked-type").text == "customer.address.geo.height is integer, which strategy street does not take");
	CHECK(with("address", part("$.zip", "hash")).problem("masked-length").text == "customer.address.zip is too short for strategy hash: it gives 16 characters, the column holds 8");
	std::swap(pair.target.composites["public.address"][0], pair.target.composites["public.address"][1]);
	CHECK(with("address", part("$.street", "street")).problem("masked-type").text.find("whose fields are not production's") != std::string::npos);
}

TEST_CASE("a CHECK constraint that was tried is no warning, or a problem (M9)")
{
	Pair pair;
	pair.in_target("customer").checks.push_back({"phone_form", {"owner_id", "phone"}});
	for (Column &column : pair.in_target("customer").columns)
		if (column.name == "phone") column.domain_checks = {"of_domain"};
	pair.rule("customer", "phone", phone);
	auto plan = pair.plan();
	const auto all = masked_checks(plan, pair.target);
	REQUIRE(all.size() == 2);
	CHECK(all[0] == MaskedCheck{name("customer"), name("customer"), "phone_form", false, {"phone", "owner_id"}, 1});
	CHECK(all[1] == MaskedCheck{name("customer"), name("customer"), "of_domain", true, {"phone"}, 1});
	tell_tried_checks({{all[0], 300, 0}, {all[1], 0, 0}}, pair.target, plan);
	REQUIRE(find(plan.warnings, "masked-check"));
	CHECK(find(plan.warnings, "masked-check")->text.find("has CHECK constraint of_domain:") != std::string::npos);
	CHECK(plan.problems.empty());
	tell_tried_checks({{all[0], 300, 0}, {all[1], 300, 12}}, pair.target, plan);
	CHECK_FALSE(find(plan.warnings, "masked-check"));
	REQUIRE(find(plan.problems, "masked-check", "customer.phone"));
	CHECK(find(plan.problems, "masked-check")->text == "customer.phone masked by strategy phone: CHECK constraint of_domain does not allow 12 rows of a sample of 300");
}

TEST_CASE("a CHECK constraint on a masked column is named (M9)")
{
	Pair pair;
	pair.in_target("customer").checks.push_back({"phone_form", {"phone"}});
	pair.in_target("customer").checks.push_back({"other", {"id"}});
	for (Column &column : pair.in_target("customer").columns)
		if (column.name == "phone") column.domain_checks = {"of_domain"};
	pair.rule("customer", "phone", phone);
	pair.fine();
	const auto plan = pair.plan();
	const auto *warning = find(plan.warnings, "masked-check");
	REQUIRE(warning);
	CHECK(warning->text ==
	    "customer.phone has CHECK constraints of_domain, phone_form: a value that it does not allow masked as +1-555-<4 digits> ends the run");
}

TEST_CASE("both ends of a reference are masked alike, or it is refused (C8)")
{
	Pair pair;
	for (auto *side : {&pair.source, &pair.target}) {
		small::Table(*side, "letter").serial().column("to_email", "character varying(254)").references({"to_email"}, "customer", {"email"});
	}
	const auto letter = [&](const MaskRule &parent, const MaskRule &child) {
		Pair one = pair;
		if (!parent.strategy.empty()) one.rule("customer", "email", parent);
		if (!child.strategy.empty()) one.rule("letter", "to_email", child);
		return one;
	};
	letter(email, email).fine();
	letter(none, {}).fine();
	const auto problem = letter(email, {}).problem("masked-reference");
	CHECK(problem.text.starts_with("letter.to_email (copied as it is) references customer.email (masked by email)"));
	CHECK(problem.fix ==
	    "anonymize:\n  tables:\n    letter:\n      - {column: to_email, strategy: email}\n    customer:\n      - {column: email, strategy: email}");
	CHECK(letter({}, email).problem("masked-reference").object == "letter.to_email");
	CHECK(letter(email, hash).problem("masked-reference").object == "letter.to_email");
	CHECK(letter(email, {"email", "billing", json::object()}).problem("masked-reference").object == "letter.to_email");
	Pair kept = letter(email, {});
	core::TableRule keep;
	keep.pattern = "letter";
	keep.mode = Mode::keep;
	kept.config.tables.push_back(keep);
	CHECK(kept.problem("masked-reference").fix == "anonymize:\n  tables:\n    customer:\n      # - {column: email, strategy: none}    # copies it as it is");
}

TEST_CASE("keys that choose rows are not masked; keep does not choose among masks")
{
	Pair pair;
	for (auto *side : {&pair.source, &pair.target}) small::Table(*side, "tenant").column("owner_email", "text");
	CHECK(Pair(pair).rule("tenant", "schema_name", hash).problem("masked-keep").object == "tenant.schema_name");
	pair.rule("tenant", "owner_email", email).fine();
}

TEST_CASE("a rule on an inheritance parent wants one for each child")
{
	Pair pair;
	for (auto *side : {&pair.source, &pair.target}) {
		small::Table(*side, "old_customer").serial().column("full_name", "text");
		side->relations.at(name("old_customer")).parents = {name("customer")};
	}
	pair.rule("customer", "full_name", hash);
	CHECK(pair.problem("masked-child").fix == "anonymize:\n  tables:\n    old_customer:\n      - {column: full_name, strategy: hash}");
	pair.rule("old_customer", "full_name", none).fine();
}

TEST_CASE("a rule for what only the target has waits for production to have it")
{
	Pair pair;
	small::Table(pair.target, "feature").serial().column("email", "character varying(20)");
	pair.rule("feature", "email", email).fine();
	pair.in_source("customer").columns.erase(pair.in_source("customer").columns.end() - 2);    // code
	pair.rule("customer", "code", hash).fine();
}

TEST_CASE("under strict, columns that look personal stop the run, all of them in one block to paste (C1, C6)")
{
	Pair pair;
	pair.config.policy = Policy::strict;
	pair.unique({"phone"});
	const auto problem = pair.problem("personal-columns");
	CHECK(problem.text == "4 columns of 1 table look personal and have no rule; what they are, and a rule for each (strategy: none copies a column as it is):");
	CHECK(problem.fix ==
	    "anonymize:\n  tables:\n    customer:"
	    "\n      - {column: email, strategy: email}    # e-mail address"
	    "\n      - {column: phone, strategy: hash}    # phone number"    // unique: a masked phone number would not do
	    "\n      - {column: full_name, strategy: full_name}    # name"
	    "\n      - {column: born, strategy: date_shift}    # date of birth");
	// an id that references a row says nothing of a person; a number of the same name does
	for (auto *side : {&pair.source, &pair.target}) {
		small::Table(*side, "payment").serial().column("bank_account_id", "bigint").references({"bank_account_id"}, "customer");
		small::Table(*side, "transfer").serial().column("bank_account_id", "bigint");
	}
	CHECK(pair.problem("personal-columns").fix.find("payment") == std::string::npos);
	CHECK(pair.problem("personal-columns").fix.find("transfer:\n      - {column: bank_account_id, strategy: digits}") != std::string::npos);
	for (auto *side : {&pair.source, &pair.target}) side->relations.erase(name("transfer"));
	pair.config.policy = Policy::warn;
	CHECK(find(pair.plan().warnings, "personal-columns"));
	pair.fine();
	pair.config.policy = Policy::strict;
	for (const char *column : {"email", "phone", "full_name", "born"}) pair.rule("customer", column, none);
	pair.fine();
}

TEST_CASE("a key that is missing, short, not hex, or that others can read, where something is masked")
{
	char folder[] = "/tmp/prodsync-key-XXXXXX";
	REQUIRE(mkdtemp(folder));
	client::Settings settings;
	settings.file = std::string(folder) + "/prodsync.yaml";
	const auto file = [&](const std::string &text, mode_t mode) {
		const auto path = std::string(folder) + "/the.key";
		std::ofstream(path) << text;
		REQUIRE(chmod(path.c_str(), mode) == 0);
		settings.key_file = "the.key";    // relative to the configuration's folder
		return client::find_key(settings, false);
	};
	const std::string good(std::string(63, 'a') + "b\n");
	unsetenv("PRODSYNC_KEY");
	CHECK(client::find_key(settings, false).problem.text == "there are columns to mask, and no masking key");
	CHECK(client::find_key(settings, true).key);
	CHECK(file(good, 0600).key);
	CHECK(file(good, 0644).problem.text == "the key file the.key can be read by others");
	CHECK(file(good, 0644).problem.fix == "chmod 600 the.key");
	CHECK(file(good, 0640).problem.id == "open-key");
	CHECK(file("abc", 0600).problem.text == "the masking key in the.key has 3 hex digits instead of 64");
	CHECK(file(std::string(64, 'x'), 0600).problem.text == "the masking key in the.key has other characters than hex digits");
	CHECK(file(std::string(64, 'x'), 0600).problem.text.find("xx") == std::string::npos);    // nothing of it is shown
	settings.key_file = "nothing.key";
	CHECK(client::find_key(settings, false).problem.text == "the key file nothing.key cannot be read: No such file or directory");
	settings.key_file = ".";
	CHECK(client::find_key(settings, false).problem.text == "the key file . is no file");
	// The environment comes first.
	setenv("PRODSYNC_KEY", "12", 1);
	CHECK(client::find_key(settings, false).problem.text == "the masking key in PRODSYNC_KEY has 2 hex digits instead of 64");
	setenv("PRODSYNC_KEY", good.c_str(), 1);
	CHECK(client::find_key(settings, false).key);
	setenv("PRODSYNC_KEY", "", 1);    // as unset secrets come in containers
	settings.key_file = "the.key";
	CHECK(file(good, 0600).key);
	unsetenv("PRODSYNC_KEY");
	std::filesystem::remove_all(folder);

	Pair pair;
	pair.rule("customer", "phone", {"redact", "", json::object()});
	auto plan = pair.plan();
	client::demand_key(client::find_key({}, false), plan);
	CHECK(plan.problems.empty());    // nothing of the key is in "[REDACTED]"
	plan = pair.rule("customer", "email", email).plan();
	client::demand_key(client::find_key({}, false), plan);
	REQUIRE(plan.problems.size() == 1);
	CHECK(plan.problems[0].id == "no-key");
}
