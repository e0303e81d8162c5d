#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include "catch.hpp"
#include "fixtures.hpp"
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
	pair.in_target("customer").indexes.back().expression_keys = {"\"left\"(phone, 4)"};
	CHECK(Pair(pair).rule("customer", "phone", hash).problem("masked-unique").text ==
	    "strategy hash may give equal keys in the unique index u_phone, which is over an expression (customer.phone)");
	Pair exclusion;
	exclusion.unique({"phone"}).in_target("customer").indexes.back().unique = false;
	exclusion.in_target("customer").indexes.back().exclusion = true;
	CHECK(exclusion.rule("customer", "phone", phone).problem("masked-unique").object == "customer.phone");
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
