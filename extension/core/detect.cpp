// Evidence adds up: two signs of 0.3 and 0.5 that say the same make 0.65. A name that says it plainly is enough, and nothing inside the column
// takes that back: a table that is empty today has rows tomorrow.
#include "detect.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "covered.hpp"
#include "masking.hpp"
#include "name.hpp"
#include "words.hpp"

namespace core {

namespace {

constexpr std::size_t most_paths = 2;    // that are told in one line; all of them are in Personal::leaves

struct Known {
	Category category;
	const char *shown;
	std::vector<const char *> strategies;
};

const std::vector<Known> &categories()
{
	static const std::vector<Known> table{
	    {Category::password, "password", {"password", "secret", "hash", "redact"}},
	    {Category::secret, "secret", {"secret", "uuid", "hash", "redact"}},
	    {Category::email, "e-mail address", {"email", "hash", "redact"}},
	    {Category::phone, "phone number", {"phone", "hash", "redact"}},
	    {Category::network, "network address", {"ip", "hash", "redact"}},
	    {Category::device, "device", {"mac", "hash", "redact"}},
	    {Category::birth, "date of birth", {"date_shift", "redact", "hash"}},
	    {Category::document, "identity document", {"digits", "hash", "redact"}},
	    {Category::iban, "account or card", {"iban", "hash", "redact"}},
	    {Category::card, "account or card", {"card", "hash", "redact"}},
	    {Category::account, "account or card", {"digits", "hash", "redact"}},
	    {Category::first_name, "name", {"first_name", "name", "hash", "redact"}},
	    {Category::last_name, "name", {"last_name", "name", "hash", "redact"}},
	    {Category::full_name, "name", {"full_name", "name", "hash", "redact"}},
	    {Category::username, "name", {"username", "name", "hash", "redact"}},
	    {Category::street, "postal address", {"street", "redact", "hash"}},
	    {Category::city, "postal address", {"city", "redact", "hash"}},
	    {Category::postcode, "postal address", {"postcode", "redact", "hash"}},
	    {Category::address, "postal address", {"street", "redact", "hash"}},
	    {Category::company, "company", {"company", "hash", "redact"}},
	    {Category::file, "picture or document", {"hash", "redact"}},
	    {Category::text, "personal data in text", {"free_text", "redact", "hash"}},
	    {Category::structure, "personal data in JSON", {}},
	    {Category::marked, "personal", {"redact", "hash"}},
	    {Category::derived, "made from personal columns", {"hash", "redact"}},
	};
	return table;
}

using Words = std::vector<std::string>;

const Known &known(Category category)
{
	return *std::find_if(categories().begin(), categories().end(), [&](const Known &one) { return one.category == category; });
}

bool has(const Words &words, std::initializer_list<const char *> any)
{
	return std::any_of(any.begin(), any.end(), [&](const char *one) { return std::find(words.begin(), words.end(), one) != words.end(); });
}

class Detector {
	const Catalog &catalog;
	const Contents &contents;
	const double least;
	std::map<Name, std::map<std::string, Personal>> found;

	// A number that leads to a row says nothing, whatever it is called (bank_account_id); a text that does is what it leads to.
	const ForeignKey *reference(const Relation &table, const Column &column) const
	{
		for (const ForeignKey &key : catalog.foreign_keys)
			if (key.child == table.name && std::find(key.columns.begin(), key.columns.end(), column.name) != key.columns.end()) return &key;
		return nullptr;
	}

	bool holds_long_numbers(const Relation &table, const Column &column) const
	{
		const auto of_table = contents.find(table.name);
		if (of_table == contents.end()) return false;
		const auto content = of_table->second.find(column.name);
		return content != of_table->second.end() && !content->second.signs().empty();
	}

	void add(Personal &to, double confidence, Category category, const std::string &evidence)
	{
		if (confidence > to.confidence || to.evidence.empty()) to.category = category;
		to.confidence = to.evidence.empty() ? confidence : 1 - (1 - to.confidence) * (1 - confidence);
		to.evidence += (to.evidence.empty() ? "" : "; ") + evidence;
	}

	void look(const Relation &table, bool of_people, const Column &column)
	{
		const auto kind = kind_of(column);
		if (!kind) return;
		const bool number = *kind == Kind::number || *kind == Kind::token;
		if (number && reference(table, column)) return;
		// Most integers are counts and keys: only one whose values are as long as such a number's.
		if (column.base.starts_with("integer") && !holds_long_numbers(table, column)) return;
		Personal personal;
		double strongest = 0;
		const auto sign = [&](double confidence, Category category, const std::string &evidence) {
			const Category before = personal.category;
			add(personal, confidence, category, evidence);
			personal.category = confidence > strongest ? category : before;
			strongest = std::max(strongest, confidence);
		};
		const Words words = words_of_name(column.name);
		if (*kind == Kind::network) sign(0.9, column.base.starts_with("macaddr") ? Category::device : Category::network, "its type");
		else if (const auto told = sign_of_name(words, *kind)) {
			const bool bare = words.size() == 1 && has(words, {"name", "names", "nombre", "nome", "naam", "nom"});
			sign(bare && names_people(table.name.name) ? 0.8 : told->confidence, told->category, bare ? "its name and the table's" : "its name");
			if (told->confidence < flagged && of_people && told->category != Category::text && *kind == Kind::text && !bare)
				sign(0.25, told->category, "the table is about people");
		} else if (*kind == Kind::text && names_papers(table.name.name) && has(words, {"file", "document", "image", "scan", "photo"}) &&
		    has(words, {"url", "uri", "path", "link", "key", "image"}))
			sign(0.7, Category::file, "its name and the table's");
		if (const auto told = sign_of_comment(column.comment, *kind)) sign(told->confidence, told->category, "its comment");
		if (const auto table_content = contents.find(table.name); table_content != contents.end())
			if (const auto content = table_content->second.find(column.name); content != table_content->second.end())
				inside(column, words, content->second, personal, sign);
		if (personal.confidence >= std::min(least, 0.999)) found[table.name].emplace(column.name, std::move(personal));
	}

	template <typename Sign> void inside(const Column &column, const Words &words, const ColumnContent &content, Personal &personal, Sign sign)
	{
		for (const ContentSign &seen : content.signs()) {
			if (seen.path.empty()) {
				// hashes of files and revisions are long and random too, and no secret
				const bool of_contents = has(words,
				    {"hash", "checksum", "digest", "sha", "sha1", "sha256", "md5", "etag", "fingerprint", "commit", "revision",
				        "uuid", "guid", "id"});
				if (seen.confidence == 0.55 && of_contents) continue;
				sign(seen.confidence, seen.category, seen.evidence);
				personal.seen = seen.evidence;
				continue;
			}
			if (seen.confidence < flagged) continue;
			personal.leaves.push_back({seen.path, seen.category, seen.evidence});
		}
		if (personal.leaves.empty()) return;
		std::string paths;
		for (std::size_t i = 0; i < personal.leaves.size() && i < most_paths; ++i)
			paths += (i ? ", " : "") + personal.leaves[i].path + " (" + shown(personal.leaves[i].category) + ")";
		if (personal.leaves.size() > most_paths) paths += " and " + std::to_string(personal.leaves.size() - most_paths) + " more";
		const bool document = ColumnContent::shape_of(column) == ColumnContent::Shape::document;
		personal.seen = paths;
		sign(0.9, document ? Category::structure : Category::text, paths);
		personal.category = document ? Category::structure : personal.category;
	}

	// Rows of the table are about people: by its name, or because a strong sign of a person is in another column of it.
	bool is_of_people(const Relation &table) const
	{
		if (names_people(table.name.name)) return true;
		for (const Column &column : table.columns) {
			const auto kind = kind_of(column);
			if (!kind || *kind != Kind::text) continue;
			const auto told = sign_of_name(words_of_name(column.name), *kind);
			if (told && told->confidence >= 0.9 &&
			    (told->category == Category::first_name || told->category == Category::last_name ||
			        told->category == Category::phone))
				return true;
		}
		// a row for each of a table of people: user_id that is unique
		for (const ForeignKey &key : catalog.foreign_keys) {
			if (key.child != table.name || key.columns.size() != 1 || !names_people(key.parent.name)) continue;
			for (const Index &index : table.indexes)
				if (index.unique && index.columns == key.columns) return true;
		}
		const auto marked = sign_of_comment(table.comment, Kind::text);
		return marked && marked->category == Category::marked;
	}

	// What references a personal value by itself holds the same values.
	void follow_references()
	{
		for (bool more = true; more;) {
			more = false;
			for (const ForeignKey &key : catalog.foreign_keys) {
				const auto parent = found.find(key.parent);
				const Relation *child = catalog.find(key.child);
				if (parent == found.end() || !child) continue;
				for (std::size_t i = 0; i < key.columns.size(); ++i) {
					const auto of_parent = parent->second.find(key.referenced[i]);
					const Column *column = child->column(key.columns[i]);
					if (of_parent == parent->second.end() || !column || kind_of(*column) != Kind::text ||
					    found[key.child].contains(column->name))
						continue;
					Personal personal = of_parent->second;
					personal.evidence = "references " + key.parent.shown() + "." + key.referenced[i];
					personal.seen.clear();
					found[key.child].emplace(column->name, std::move(personal));
					more = true;
				}
			}
		}
	}

public:
	Detector(const Catalog &catalog_, const Contents &contents_, double least_) : catalog(catalog_), contents(contents_), least(least_) {}

	std::map<Name, std::map<std::string, Personal>> run()
	{
		for (const Relation *table : catalog.tables()) {
			const bool of_people = is_of_people(*table);
			for (const Column &column : table->columns) look(*table, of_people, column);
		}
		follow_references();
		std::erase_if(found, [](const auto &table) { return table.second.empty(); });
		return std::move(found);
	}
};

}  // namespace

const char *shown(Category category) { return known(category).shown; }

const std::vector<const char *> &strategies_for(Category category) { return known(category).strategies; }

std::map<Name, std::map<std::string, Personal>> find_personal(const Catalog &catalog, const Contents &contents, double least)
{
	return Detector(catalog, contents, least).run();
}

// Names of columns can hold anything: a comment must not become a line of its own.
static std::string one_line(std::string text)
{
	std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
	return text;
}

std::string PersonalColumn::rule() const
{
	if (fits.inside.empty()) return fits.strategy.empty() || fits.strategy == MaskRule::by_path ? "" : rule_text(column, fits);
	std::vector<std::string> rules;
	for (const MaskRule &part : fits.inside) rules.push_back(rule_text(column, part));
	return listed(rules);
}

std::vector<std::string> PersonalColumn::lines() const
{
	std::vector<std::string> out;
	if (fits.strategy == MaskRule::by_path) {    // a part for each leaf; what spares an object's members comes behind what masks some of them
		auto leaves = personal.leaves;
		std::stable_partition(leaves.begin(), leaves.end(), [](const PersonalLeaf &leaf) { return !is_of_names(leaf); });
		for (const PersonalLeaf &leaf : leaves) {
			const auto part = std::find_if(fits.inside.begin(), fits.inside.end(), [&](const MaskRule &one) { return one.path == leaf.path; });
			const std::string comment = std::string("    # ") + shown(leaf.category);
			if (part != fits.inside.end()) out.push_back("- " + rule_text(column, *part) + comment);
			else
				out.push_back("# - " + rule_text(column, {"none", "", json::object(), "", "", sparing_path(leaf), {}}) + comment +
				    (is_of_names(leaf) ? " in names of members, which nothing masks: this copies them as they are"
				                     : ": no strategy fits, this copies it as it is"));
		}
		return out;
	}
	const std::string what = std::string(shown(personal.category)) + (personal.seen.empty() ? "" : ": " + personal.seen);
	if (!fits.strategy.empty()) return {"- " + rule() + "    # " + what};
	// as a comment: nobody shall paste a leak
	return {"# - " + rule_text(column, {"none", "", json::object()}) + "    # " + what + (personal.seen.empty() ? ": " : "; ") + "no strategy fits" +
	    (why.empty() ? " " + type : ": " + one_line(why)) + "; this copies it as it is"};
}

}  // namespace core
