#include <algorithm>
#include "catch.hpp"
#include "core/array_of_ids.hpp"
#include "core/key_types.hpp"
#include "core/missing.hpp"
#include "core/soft_references.hpp"
#include "core/statements.hpp"
#include "fixtures.hpp"
#include "small_catalog.hpp"

using namespace core;
using fixtures::Built;
using small::find;
using small::name;

namespace {

json with(const std::string &table, const json &rule)
{
	json settings = fixtures::shop_settings();
	settings["tables"][table] = rule;
	return settings;
}

json reference(const std::string &column, const json &what) { return {{"references", {{column, what}}}}; }

// Both databases alike: "letter" is emptied, "note" references it, "mark" references notes, "tag" them by a column that may be NULL.
struct Letters {
	Catalog source = make(), target = make();
	Config config = small::configuration();

	static Catalog make()
	{
		Catalog catalog = small::application();
		small::Table(catalog, "letter").serial();
		small::Table(catalog, "note").serial().column("letter_id").column("up_id").references({"letter_id"}, "letter").references({"up_id"}, "note");
		small::Table(catalog, "mark").serial().column("note_id", "bigint", true).references({"note_id"}, "note");
		small::Table(catalog, "tag").serial().column("note_id").references({"note_id"}, "note");
		return catalog;
	}
	Letters()
	{
		rule("letter").mode = Mode::empty;
	}
	TableRule &rule(const std::string &table)
	{
		for (TableRule &one : config.tables)
			if (one.pattern == table) return one;
		config.tables.push_back({});
		config.tables.back().pattern = table;
		return config.tables.back();
	}
	Plan plan(const std::string &missing = "3") const
	{
		const auto rows = [&](const Question &question) -> std::vector<Row> {
			if (question.kind == "left_out") return {{"2", "5"}};
			if (question.kind == "missing") return {{missing}};
			return small::rows_for(question);
		};
		return make_plan(config, source, target, small::answered(config, source, target, rows));
	}
};

const Transfer &transfer(const Plan &plan, const std::string &of, const std::string &column)
{
	for (const auto &one : small::table(plan, of).columns)
		if (one.column == column) return one;
	throw std::out_of_range(column);
}

}  // namespace

TEST_CASE("a reference to an emptied table is an error until somebody says what becomes of it")
{
	Letters letters;
	const auto plan = letters.plan();
	const auto *problem = find(plan.problems, "reference-to-empty", "note.letter_id");
	REQUIRE(problem);
	CHECK(problem->fix.find("note:\n    references:\n      letter_id: {on_missing: null}    # or drop") != std::string::npos);
}

TEST_CASE("on_missing: null lets go of the reference at the source")
{
	Letters letters;
	letters.rule("note").on_missing = {{"letter_id", "null"}};
	const auto plan = letters.plan();
	CHECK(plan.problems.empty());
	CHECK(transfer(plan, "note", "letter_id").source_value == "CASE WHEN t.letter_id IS NOT NULL THEN NULL ELSE t.letter_id END");
	CHECK(copy_from_source(small::step(plan, "load", "note")).find("(CASE WHEN t.letter_id") != std::string::npos);
	CHECK(small::step(plan, "load", "note").filter.empty());
	CHECK(find(plan.warnings, "becomes-null", "note.letter_id")->text.find("3 rows") != std::string::npos);
	// both sides agree on it, and on nothing else
	Letters other;
	other.rule("note").on_missing = {{"letter_id", "drop"}};
	CHECK(plan.binding() != other.plan("0").binding());
}

TEST_CASE("on_missing: drop leaves out the row, and what cannot be without it")
{
	Letters letters;
	letters.rule("note").on_missing = {{"letter_id", "drop"}};
	SECTION("a reference that may be NULL needs a word of its own, where there are such rows")
	{
		const auto plan = letters.plan();
		const auto *problem = find(plan.problems, "reference-to-dropped", "tag.note_id");
		REQUIRE(problem);
		CHECK(problem->fix.find("on_missing: null}    # or drop") != std::string::npos);
		CHECK(find(plan.problems, "reference-to-dropped", "note.up_id"));
		CHECK(letters.plan("0").problems.empty());
	}
	SECTION("its own word")
	{
		letters.rule("tag").on_missing = {{"note_id", "null"}};
		letters.rule("note").on_missing["up_id"] = "drop";
		const auto plan = letters.plan();
		for (const auto &problem : plan.problems) UNSCOPED_INFO(problem.text);
		CHECK(plan.problems.empty());
		// rows below dropped rows of the same table, however deep
		CHECK(small::step(plan, "load", "note").filter.find("WITH RECURSIVE") != std::string::npos);
		CHECK(small::step(plan, "load", "mark").filter.starts_with("NOT EXISTS (SELECT FROM ONLY public.note AS g1 WHERE g1.id = t.note_id AND (g1.letter_id IS NOT NULL"));
		CHECK(transfer(plan, "tag", "note_id").source_value.starts_with("CASE WHEN EXISTS (SELECT FROM ONLY public.note"));
		const auto *told = find(plan.warnings, "left-out", "mark");
		REQUIRE(told);
		CHECK(told->text.find("mark loses 2 of 5 rows") != std::string::npos);
		CHECK(small::table(plan, "note").what_happens.find("2 rows left out") != std::string::npos);
	}
	SECTION("tables that drop each other's rows")
	{
		for (auto *catalog : {&letters.source, &letters.target}) {
			small::Table(*catalog, "wing").serial().column("tail_id").column("letter_id").references({"letter_id"}, "letter").references({"tail_id"}, "tail");
			small::Table(*catalog, "tail").serial().column("wing_id", "bigint", true).references({"wing_id"}, "wing");
		}
		letters.rule("wing").on_missing = {{"letter_id", "drop"}, {"tail_id", "drop"}};
		const auto plan = letters.plan("0");
		for (const auto &problem : plan.problems) UNSCOPED_INFO(problem.id + " " + problem.object + ": " + problem.text);
		CHECK(find(plan.problems, "drop-circle"));
	}
}

TEST_CASE("ids that the map of a kept table does not have: NULL by the pump, or left out by what it has")
{
	Letters letters;
	for (auto *catalog : {&letters.source, &letters.target})
		small::Table(*catalog, "event").serial().column("content_type_id", "integer").references({"content_type_id"}, "content_type");
	letters.rule("note").on_missing = {{"letter_id", "null"}};
	letters.rule("event").on_missing = {{"content_type_id", "null"}};
	auto plan = letters.plan();
	CHECK(transfer(plan, "event", "content_type_id").null_unmatched);
	CHECK(transfer(plan, "event", "content_type_id").source_value.empty());
	letters.rule("event").on_missing = {{"content_type_id", "drop"}};
	plan = letters.plan();
	CHECK_FALSE(transfer(plan, "event", "content_type_id").null_unmatched);
	CHECK(small::step(plan, "load", "event").filter.find("NOT EXISTS (SELECT FROM unnest('{") != std::string::npos);
}

TEST_CASE("what on_missing cannot do is a problem with its place")
{
	CHECK(Built(fixtures::document("shop"), with("notes", reference("order_id", {{"on_missing", "null"}}))).problem("cannot-be-null").object.empty());
	Built b(fixtures::document("shop"), with("order_lines", reference("order_id", {{"on_missing", "null"}})));
	CHECK(b.problem("cannot-be-null").object == "tables.order_lines.references.order_id");
	CHECK(b.problem("cannot-be-null").text.find("cannot become NULL") != std::string::npos);
	Built c(fixtures::document("shop"), with("orders", reference("total", {{"on_missing", "null"}})));
	CHECK((c.problem("no-reference").object == "tables.orders.references.total" || c.problem("unknown-column").object == "tables.orders.references"));
}

TEST_CASE("a declared reference is a key like the others, but for paths that do not name it")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "likes");
	fixtures::add_column(doc, "likes", "author", "bigint", false);
	fixtures::add_column(doc, "likes", "order_ref", "bigint", true);
	fixtures::add_column(doc, "likes", "readers", "bigint[]", false);
	json rule{{"references", {{"author", {{"to", "users"}}}, {"order_ref", {{"to", "orders"}}}, {"readers", {{"to", "users"}}}}}};
	Built b(doc, with("likes", rule));
	for (const Problem &p : b.problems) UNSCOPED_INFO(p.text);
	CHECK(b.problems.empty());
	CHECK(b.identity("likes", "author") == "users.id");
	CHECK(b.identity("likes", "order_ref") == "orders.id");
	CHECK(b.identity("likes", "readers") == "users.id");
	CHECK(b["likes"].scope == Scope::shared);
	REQUIRE(b.graph.from(name("likes")).size() == 3);
	CHECK(b.graph.from(name("likes"))[0]->declared);
	CHECK(b.graph.from(name("likes"))[2]->array);
	rule["tenant_path"] = {"order_ref"};
	CHECK(Built(doc, with("likes", rule)).path("likes").starts_with("order_ref, "));
	// the normal form keeps it
	std::vector<Problem> problems;
	CHECK(Config::parse(b.config.to_json(), problems).to_json() == b.config.to_json());
	CHECK(problems.empty());
}

TEST_CASE("declared wrongly: with the place in the configuration and the nearest names")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "likes");
	fixtures::add_column(doc, "likes", "author", "text", false);
	fixtures::add_column(doc, "likes", "words", "text[]", false);
	fixtures::add_column(doc, "likes", "day", "date", false);
	const auto problem = [&](const std::string &column, const std::string &to) {
		return Built(doc, with("likes", reference(column, {{"to", to}}))).problems.at(0);
	};
	CHECK(problem("author", "user").text == "unknown table \"user\" (did you mean users?)");
	CHECK(problem("author", "user").object == "tables.likes.references.author.to");
	CHECK(problem("autor", "users").text.find("did you mean author?") != std::string::npos);
	CHECK(problem("day", "users").id == "reference-type");
	CHECK(problem("day", "users").object == "tables.likes.references.day");
	CHECK(problem("words", "users").id == "reference-type");
	CHECK(problem("author", "order_lines").id == "reference-without-key");
	CHECK(Built(doc, with("orders", reference("assigned_to", {{"to", "users"}}))).problem("reference-twice").object == "tables.orders.references.assigned_to");
}

TEST_CASE("types that differ on one side: what can be asked of a reference")
{
	CHECK(have_equality("integer", "numeric"));
	CHECK(have_equality("public.citext", "text"));
	CHECK(have_equality("public.mood", "public.mood"));
	CHECK_FALSE(have_equality("public.mood", "text"));
	CHECK_FALSE(have_equality("bigint", "text"));
	CHECK_FALSE(have_equality("integer[]", "bigint[]"));
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "likes");
	fixtures::add_column(doc, "likes", "user_id", "bigint", false);
	fixtures::add_column(doc, "likes", "users_id", "bigint[]", false);
	fixtures::add_column(doc, "likes", "by", "text", false);
	const Catalog catalog = Catalog::parse(doc);
	ForeignKey key;
	key.child = {"public", "likes"}, key.parent = {"public", "users"}, key.referenced = {"id"};
	const auto follows = [&](const std::string &column, bool array, const std::string &text_of) {
		key.columns = {column}, key.array = array, key.text_of = text_of;
		return can_follow(catalog, key) ? "follows" : has_reference(catalog, key) ? "has reference" : "nothing";
	};
	CHECK(follows("user_id", false, "") == std::string("follows"));
	CHECK(follows("users_id", true, "") == std::string("follows"));
	CHECK(follows("by", false, "bigint") == std::string("follows"));
	CHECK(follows("by", false, "uuid") == std::string("has reference"));
	CHECK(follows("by", false, "") == std::string("has reference"));
	CHECK(follows("user_id", true, "") == std::string("nothing"));
	CHECK(follows("user_id", false, "bigint") == std::string("nothing"));
	CHECK(follows("missing", false, "") == std::string("nothing"));
}

TEST_CASE("M11: columns that look like references without a foreign key are suggested, with the lines to paste")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "likes");
	fixtures::add_column(doc, "likes", "customerId", "bigint", false);
	fixtures::add_column(doc, "likes", "users_id", "text", false);   // of another type than any key
	fixtures::add_column(doc, "likes", "weather_id", "bigint", false);    // no such table
	const auto suggested = [&](const json &settings) {
		Built b(doc, settings);
		std::vector<Problem> warnings;
		suggest_soft_references(b.config, b.graph, b.catalog, warnings);
		for (const Problem &one : warnings)
			if (one.text.find("likes.") != std::string::npos) return one;
		return Problem{};
	};
	const auto one = suggested(fixtures::shop_settings());
	CHECK(one.text.find("likes.customerId") != std::string::npos);
	CHECK(one.text.find("likes.users_id") == std::string::npos);
	CHECK(one.text.find("likes.weather_id") == std::string::npos);
	CHECK(one.fix.find("  likes:\n    references:\n      customerId: {to: customers}") != std::string::npos);
	CHECK(suggested(with("likes", reference("customerId", {{"to", "customers"}}))).text.empty());
}

TEST_CASE("C4: a table that inherits from one of another mode")
{
	json doc = fixtures::document("shop");
	fixtures::add_table(doc, "mails_2020");
	fixtures::relation(doc, "mails_2020")["parents"] = json::array({json::array({"public", "mails"})});
	Built b(doc, with("mails", {{"mode", "empty"}}));
	CHECK(b.problem("inherits").object == "mails_2020");
	CHECK(b.problem("inherits").fix.find("mails_2020: {mode: empty}\n  # or\n  mails_2020: {mode: copy}") != std::string::npos);
	json said = with("mails", {{"mode", "empty"}});
	said["tables"]["mails_2020"] = {{"mode", "empty"}};
	CHECK(Built(doc, said).problem("inherits").id.empty());
}

TEST_CASE("arrays of ids, text format")
{
	const auto find_id = [](std::string_view id) -> std::optional<std::string_view> {
		return id == "1" ? std::optional<std::string_view>("100") : id == "2" ? std::optional<std::string_view>("7") : std::nullopt;
	};
	ArrayOfIds strict(find_id, false, false), loose(find_id, false, true);
	CHECK(strict("{1,NULL,2}") == "{100,NULL,7}");
	CHECK(strict("{}") == "{}");
	CHECK(strict("{{1},{2}}") == "{{100},{7}}");
	CHECK(strict("[0:1]={1,2}") == "[0:1]={100,7}");
	CHECK_FALSE(strict("{1,3}"));
	CHECK(loose("{3}") == "{}");
	CHECK(loose("{3,1,4,2,5}") == "{100,7}");
	CHECK(loose("{1,3}") == "{100}");
	CHECK(loose("{{1},{3}}") == "{{100},{NULL}}");
	CHECK_THROWS_AS(strict("1,2"), std::runtime_error);
}

TEST_CASE("arrays of ids, binary format")
{
	const auto number = [](std::uint32_t n) {
		std::string out;
		for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
		return out;
	};
	const auto array = [&](const std::vector<int> &ids, bool nulls = false) {
		std::string out = number(ids.empty() ? 0 : 1) + number(nulls) + number(23);
		if (!ids.empty()) out += number(static_cast<std::uint32_t>(ids.size())) + number(1);
		for (const int id : ids) out += id < 0 ? number(0xffffffff) : number(4) + number(static_cast<std::uint32_t>(id));
		return out;
	};
	const std::string one = number(1), hundred = number(100);
	const auto find_id = [&](std::string_view id) { return id == one ? std::optional<std::string_view>(hundred) : std::nullopt; };
	ArrayOfIds strict(find_id, true, false), loose(find_id, true, true);
	CHECK(strict(array({1, -1, 1}, true)) == array({100, -1, 100}, true));
	CHECK(strict(array({})) == array({}));
	CHECK_FALSE(strict(array({1, 2})));
	CHECK(loose(array({2, 1, 3})) == array({100}));
	CHECK(loose(array({2})) == array({}));
	CHECK_THROWS_AS(strict(array({1}).substr(0, 21)), std::runtime_error);
	CHECK_THROWS_AS(strict("x"), std::runtime_error);
}

namespace {

// Notes on any row, by content type; production's types are 1, 2, 3 (shop.customer, shop.old, auth.user).
struct Notes {
	Catalog catalog = small::application();
	Config config = small::configuration();
	std::vector<Row> there{{"3", "auth.user"}, {"9", "app.customer"}}, here{{"11", "auth.user"}};

	Notes(const std::string &id = "bigint", const std::string &type = "integer")
	{
		auto table = small::Table(catalog, "note");
		table.serial().column("tenant_id", "bigint", true).column("object_id", id, true).column("type", type).column("author", "text").references({"tenant_id"}, "tenant");
		if (type == "integer") table.references({"type"}, "content_type");
		small::Table(catalog, "app_customer").serial().column("tenant_id", "bigint", true).references({"tenant_id"}, "tenant");
		config.tables.push_back({});
		config.tables.back().pattern = "note";
		config.tables.back().generic["object_id"] = {"type"};
		config.tables.back().to["author"] = "auth_user";
	}
	GenericRule &rule() { return config.tables.back().generic.at("object_id"); }
	Plan plan(const std::string &missing = "0") const
	{
		return make_plan(config, catalog, catalog, small::answered(config, catalog, catalog, [&](const Question &question) -> std::vector<Row> {
			if (question.kind == "models") return question.side == Side::source ? there : here;
			if (question.kind == "missing") return {{missing}};
			if (question.kind == "left_out") return {{"1", "5"}};
			return small::rows_for(question);
		}));
	}
};

}  // namespace

TEST_CASE("P13: an object id goes by the map of its content type")
{
	Notes notes;
	notes.rule().models["auth.user"] = "auth_user";    // not by convention: the table is auth_user all the same
	const auto plan = notes.plan();
	for (const auto &problem : plan.problems) UNSCOPED_INFO(problem.text);
	CHECK(plan.problems.empty());
	const Transfer &id = transfer(plan, "note", "object_id");
	CHECK(id.map.empty());
	CHECK(id.by_column == "type");
	CHECK(id.by_model == std::map<std::string, Name>{{"3", small::name("auth_user")}});
	CHECK(transfer(plan, "note", "author").map == small::name("auth_user"));    // a text that holds the id
	// both sides must agree on it
	Notes other;
	other.there = {{"9", "app.customer"}};
	CHECK(plan.binding() != other.plan().binding());
	CHECK(transfer(other.plan(), "note", "object_id").by_model.empty());
}

TEST_CASE("P13: models whose table is not known stop the plan, with what to write")
{
	Notes notes;
	notes.there.push_back({"4", "shop.customer_tag"});
	notes.here.push_back({"12", "shop.vip"});
	auto plan = notes.plan();
	const auto *problem = find(plan.problems, "unknown-model", "note.object_id");
	REQUIRE(problem);
	CHECK(problem->text.ends_with("shop.customer_tag, shop.vip"));
	CHECK(problem->fix.find("object_id: {content_type: type, models: {") != std::string::npos);
	notes.rule().models = {{"shop.customer_tag", "customer_tag"}, {"shop.vip", ""}};
	CHECK_FALSE(find(notes.plan().problems, "unknown-model"));
	notes.rule().models = {{"vip", "vip"}};
	CHECK(find(notes.plan().problems, "bad-value"));
	notes.rule().models = {{"*", "no star"}};
	CHECK(find(notes.plan().problems, "bad-value"));
}

TEST_CASE("P13: a prefix says where the tables of all models are")
{
	Notes notes;
	small::Table(notes.catalog, "apps_crm_lead").serial().column("tenant_id", "bigint", true).references({"tenant_id"}, "tenant");
	small::Table(notes.catalog, "apps_crm_deal").serial().column("tenant_id", "bigint", true).references({"tenant_id"}, "tenant");
	notes.there = {{"4", "crm.lead"}, {"5", "crm.deal"}};
	const auto plan = notes.plan();
	const auto *problem = find(plan.problems, "unknown-model");
	REQUIRE(problem);
	CHECK(problem->fix.find("models: {\"*\": \"apps_*\"}") != std::string::npos);
	notes.rule().models = {{"*", "apps_*"}};
	CHECK(notes.plan().problems.empty());
	const auto graph = small::graph(notes.config, notes.catalog);
	CHECK(graph.generic.at(0).models.at("crm_lead") == small::name("apps_crm_lead"));
	CHECK(graph.generic.at(0).models.at("app_customer") == small::name("app_customer"));
}

TEST_CASE("P13: objects that are not copied: on_missing")
{
	Notes notes;
	small::Table(notes.catalog, "mail_box").serial();
	notes.config.tables.push_back({});
	notes.config.tables.back().pattern = "mail_box";
	notes.config.tables.back().mode = Mode::empty;
	std::swap(notes.config.tables.back(), notes.config.tables[notes.config.tables.size() - 2]);
	notes.there = {{"6", "mail.box"}};
	CHECK(notes.plan("0").problems.empty());
	const auto refused = notes.plan("2");
	const auto *problem = find(refused.problems, "reference-to-empty", "note.object_id");
	REQUIRE(problem);
	CHECK(problem->text.find("2 rows") != std::string::npos);
	notes.config.tables.back().on_missing["object_id"] = "drop";
	const auto plan = notes.plan();
	CHECK(plan.problems.empty());
	CHECK(small::step(plan, "load", "note").filter.find("t.type = ANY (ARRAY(SELECT ct.id FROM ONLY public.content_type AS ct WHERE pg_catalog.format('%s_%s', ct.app_label, ct.model) = ANY ('{") != std::string::npos);
	notes.config.tables.back().on_missing["object_id"] = "null";
	CHECK(find(notes.plan().problems, "cannot-be-null"));
}

TEST_CASE("P13: classes by their names, as Rails has them")
{
	Notes notes("bigint", "text");
	notes.there = {{"User", "User"}};
	notes.here = {{"Customer", "Customer"}};
	CHECK(find(notes.plan().problems, "content-type"));
	notes.rule().models = {{"User", "auth_user"}, {"Customer", "customer"}};
	const auto plan = notes.plan();
	CHECK(plan.problems.empty());
	CHECK(transfer(plan, "note", "object_id").by_model == std::map<std::string, Name>{{"User", small::name("auth_user")}});
}

TEST_CASE("P13: what cannot be followed is refused")
{
	SECTION("a unique key that ids of merged rows are part of")
	{
		Notes notes;
		small::Table(notes.catalog, "other");
		notes.catalog.relations.at(small::name("note")).indexes.push_back({});
		auto &index = notes.catalog.relations.at(small::name("note")).indexes.back();
		index.name = "once", index.unique = true, index.columns = {"type", "object_id"};
		CHECK(find(notes.plan().problems, "generic-fold"));
		notes.there = {{"9", "app.customer"}};
		CHECK_FALSE(find(notes.plan().problems, "generic-fold"));
	}
	SECTION("ids of another type")
	{
		Notes notes("date");
		CHECK(find(notes.plan().problems, "reference-type", "tables.note.references.object_id"));
	}
}

TEST_CASE("on_missing: adopt is for rows of tenants, by a path that one column ends")
{
	Catalog catalog = small::application();
	small::Table(catalog, "dock").serial().column("plant_id", "bigint", true).references({"plant_id"}, "plant");
	small::Table(catalog, "booking").serial().column("tenant_id", "bigint", true).column("dock_id").column("box_id").references({"tenant_id"}, "tenant").references({"dock_id"}, "dock").references({"box_id"}, "outbox");
	Config config = small::configuration();
	config.tables.push_back({});
	config.tables.back().pattern = "booking";
	config.tables.back().tenant_path = {"tenant_id"};
	const auto problem = [&](const std::string &column) -> std::string {
		config.tables.back().on_missing = {{column, "adopt"}};
		std::vector<Problem> problems, warnings;
		(void)Graph::build(config, catalog, problems, warnings);
		const auto *found = find(problems, "cannot-adopt", "tables.booking.references." + column);
		return found ? found->text : "";
	};
	CHECK(problem("dock_id").empty());
	CHECK(problem("tenant_id").ends_with("tenant is the tenant table itself"));
	CHECK(problem("box_id").ends_with("rows of outbox belong to no tenant"));
}
