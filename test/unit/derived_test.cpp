#include "core/derived.hpp"

#include <algorithm>
#include <set>

#include "catch.hpp"
#include "small_catalog.hpp"

using namespace core;

namespace {

std::string shown(const std::vector<Filled> &filled)
{
	std::string out;
	for (const Filled &one : filled) {
		out += (out.empty() ? "" : "; ") + one.column + ":";
		for (const std::string &from : one.from) out += " " + from;
	}
	return out;
}

struct Articles {
	Catalog catalog;
	std::set<std::string> masked;

	Articles()
	{
		small::Table(catalog, "article").serial().column("title", "text").column("born", "date").column("words", "tsvector").column("slug", "text").column("seen", "boolean").column("size", "integer");
	}
	Relation &table() { return catalog.relations.at(small::name("article")); }
	Articles &trigger(const std::string &body)
	{
		table().fillers.push_back({"fill", "fill_article", {}, 7});
		catalog.trigger_bodies[7] = body;
		return *this;
	}
	std::string derived(std::set<std::string> personal)
	{
		std::string out;
		for (const Derived &one : derived_columns(catalog, table(), [&](const std::string &column) { return personal.contains(column); })) {
			out += (out.empty() ? "" : "; ") + one.column + ":";
			for (const std::string &from : one.from) out += " " + from;
			out += one.by.empty() ? " (?)" : " (" + one.by + ")";
		}
		return out;
	}
};

}  // namespace

TEST_CASE("what a trigger's function fills, and from what")
{
	CHECK(shown(filled_columns("BEGIN NEW.words := to_tsvector('simple', coalesce(NEW.title, '')); RETURN NEW; END")) == "words: title");
	CHECK(shown(filled_columns("begin new.slug = lower(new.title) || '-' || new.id; return new; end")) == "slug: id title");
	CHECK(shown(filled_columns("BEGIN IF NEW.title IS DISTINCT FROM OLD.title THEN NEW.slug := slugify(NEW.title); ELSE NEW.slug := 'x'; END IF; RETURN NEW; END")) == "slug: title");
	CHECK(shown(filled_columns("DECLARE t text := NEW.title; u text; BEGIN u := upper(t); NEW.slug := u; RETURN NEW; END")) == "slug: title");
	CHECK(shown(filled_columns("BEGIN SELECT to_tsvector(NEW.title) INTO NEW.words; RETURN NEW; END")) == "words: title");
	CHECK(shown(filled_columns("DECLARE v tsvector; BEGIN SELECT to_tsvector(NEW.title) INTO STRICT v FROM config; NEW.words := v; RETURN NEW; END")) == "words: title");
	CHECK(shown(filled_columns("BEGIN NEW.words := to_tsvector(NEW::text); RETURN NEW; END")) == "words: *");
	CHECK(shown(filled_columns(R"(BEGIN NEW."Slug" := f(NEW."Title", a := 1); RETURN NEW; END)")) == "Slug: Title");
	// comparisons, comments, texts and what has nothing of the row
	CHECK(shown(filled_columns("BEGIN IF NEW.slug = NEW.title THEN RETURN NULL; END IF; NEW.updated := now(); -- NEW.slug := NEW.title;\n RETURN NEW; END")).empty());
	CHECK(shown(filled_columns("BEGIN PERFORM log('NEW.slug := NEW.title'); /* NEW.slug := NEW.title; */ INSERT INTO audit VALUES (NEW.title); RETURN NEW; END")).empty());
	CHECK(shown(filled_columns("")).empty());
	CHECK(shown(filled_columns("NEW.")).empty());
	CHECK(shown(filled_columns("NEW. := INTO FOR IN SELECT (((")).empty());
}

TEST_CASE("columns made from personal ones count too")
{
	Articles by_trigger;
	by_trigger.trigger("BEGIN NEW.slug := lower(NEW.title); NEW.words := to_tsvector(NEW.slug); NEW.seen := NEW.title <> ''; NEW.size := length(NEW.title); RETURN NEW; END");
	CHECK(by_trigger.derived({"title"}) == "words: title (trigger fill); slug: title (trigger fill)");    // in two steps; a flag and a length tell nothing
	CHECK(by_trigger.derived({"title", "slug"}) == "words: slug (trigger fill)");
	CHECK(by_trigger.derived({"born"}).empty());
	CHECK(by_trigger.derived({}).empty());
	Articles of_the_server;
	of_the_server.table().fillers.push_back({"search", "tsvector_update_trigger", {"words", "pg_catalog.english", "title", "slug"}, 0});
	CHECK(of_the_server.derived({"slug"}) == "words: slug (trigger search)");
	Articles unknown;    // who fills it nobody can tell
	CHECK(unknown.derived({"title"}) == "words: title (?)");
	CHECK(unknown.derived({"born"}).empty());
	Articles generated;
	for (Column &column : generated.table().columns)
		if (column.name == "slug") column.generated = 's', column.expression = "lower(title)";
	CHECK(generated.derived({"title"}) == "words: title (?); slug: title (generated)");
	Articles number;
	number.trigger("BEGIN NEW.size := extract(year FROM NEW.born); RETURN NEW; END");
	CHECK(number.derived({"born"}) == "size: born (trigger fill)");
}
