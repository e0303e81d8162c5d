// prodsync detect: which columns of production look personal, with a rule for each. Only the source is asked.
#include "detect.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "../extension/core/masking.hpp"
#include "../extension/core/rules.hpp"
#include "../extension/core/statements.hpp"
#include "commands.hpp"
#include "plan_run.hpp"
#include "samples.hpp"
#include "session.hpp"
#include "yaml_edit.hpp"

namespace client {
namespace {

std::string percent(double confidence)
{
	char text[16];
	std::snprintf(text, sizeof text, "%.2f", confidence);
	return text;
}

// On a line of a table for people: of the rules for a document's parts the first.
std::string shown_rule(const core::PersonalColumn &column)
{
	if (column.has_rule) return "has a rule";
	if (column.rule().empty()) return column.why.empty() ? "none fits " + column.type : "none: " + column.why;
	if (column.fits.inside.size() < 2) return column.rule();
	return core::rule_text(column.column, column.fits.inside.front()) + " and " + std::to_string(column.fits.inside.size() - 1) + " more";
}

// The key under anonymize.tables that names the table already, or the one to write.
std::pair<std::string, std::string> key_of(const core::Config &config, const core::Catalog &catalog, const core::Name &table)
{
	for (const auto &masked : config.masks)
		if (const auto names = catalog.resolve(masked.table); names.size() == 1 && names[0] == table)
			return {core::yaml_word(masked.table), masked.table};
	const std::string written = core::yaml_table(catalog, table);
	const auto read = parse_yaml(written + ":").value;
	return {written, read.is_object() && !read.empty() ? read.begin().key() : written};
}

}  // namespace

std::vector<RulesOfTable> rules_for(
    const core::Config &config, const core::Catalog &catalog, const std::vector<core::PersonalColumn> &columns, bool accept)
{
	std::vector<RulesOfTable> out;
	const core::Name *last = nullptr;
	for (const auto &column : columns) {
		if (column.has_rule) continue;
		if (!last || *last != column.table) {
			const auto [written, key] = key_of(config, catalog, column.table);
			out.push_back({written, key, {}});
			last = &column.table;
		}
		for (std::string line : column.lines()) {
			// Accepted means: somebody has looked, and it may go on as it is.
			if (accept && line.starts_with("# ")) line = line.substr(2);
			out.back().lines.push_back(line);
		}
	}
	return out;
}

Written write_rules(const Settings &settings, const std::vector<RulesOfTable> &rules)
{
	Written written;
	for (const auto &table : rules)
		for (const auto &line : table.lines)
			++(!line.starts_with("- ")                          ? written.commented
			        : line.find("strategy: none}") != line.npos ? written.copied
			                                                    : written.masked);
	std::ifstream in(settings.file, std::ios::binary);
	std::ostringstream text;
	text << in.rdbuf();
	if (!in) throw Error(exit_other, "cannot read " + settings.file + " again", "nothing was written");
	const auto edited = with_rules(text.str(), rules, written.why);
	if (!edited) return written;
	// The file as it will be has to be one that we take.
	(void)parse_settings(*edited, settings.file);
	if (*edited != text.str()) replace_file(settings.file, *edited);
	written.done = true;
	return written;
}

std::string written_text(const Written &written, const std::string &file, const std::vector<RulesOfTable> &rules)
{
	if (!written.done)
		return file + " was left as it is: " + written.why + ". Paste this:\n\n" + rules_block(rules);
	std::string text = file + ": " + counted(static_cast<std::int64_t>(written.masked), "rule") + " added";
	if (written.copied)
		text += ", and " + counted(static_cast<std::int64_t>(written.copied), "column") + " accepted as " +
		    (written.copied == 1 ? "it is" : "they are") + " (strategy: none)";
	if (written.commented)
		text += "; " + counted(static_cast<std::int64_t>(written.commented), "column") + " that no strategy fits " +
		    (written.commented == 1 ? "is" : "are") + " there as " + (written.commented == 1 ? "a comment" : "comments") +
		    ": look, and decide";
	return text + "\n";
}

Outcome detect(const Options &options, Settings &settings)
{
	settings = read_settings(options.config, options.config_given || options.write || !is_dsn(options.from));
	const auto which = side(settings, options.from, "--from");
	Connection source(which.endpoint);
	if (source.server() < 130000)
		throw Error(exit_refused, which.endpoint.label + " is PostgreSQL " + shown_version(source.server()) + ", prodsync needs 13 or later there");
	settle(source, core::source_settings(source.server()));
	source.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	const auto catalog = core::Catalog::parse(source_catalog(source));
	std::set<core::Name> tables;
	std::vector<std::string> unread;
	for (const core::Relation *table : catalog.tables()) {
		tables.insert(table->name);
		if (!table->readable || !table->bypasses_row_security) unread.push_back(table->name.shown());
	}
	const auto samples = read_samples(source, catalog, tables, {});
	source.rollback();
	auto found = core::list_personal(settings.config, catalog, samples.contents, options.min_confidence);

	Outcome outcome;
	std::size_t ruled = 0;
	TextTable table({"relation", "column", "category", ">confidence", "evidence", "suggested rule"});
	for (const auto &column : found) {
		ruled += column.has_rule;
		auto leaves = core::json::array();
		for (const auto &leaf : column.personal.leaves)
			leaves.push_back({{"path", leaf.path}, {"category", core::shown(leaf.category)}, {"evidence", leaf.evidence}});
		const auto rule = column.rule();
		outcome.details.push_back({{"relation", column.table.shown()}, {"column_name", column.column}, {"type", column.type},
		    {"category", core::shown(column.personal.category)}, {"confidence", std::stod(percent(column.personal.confidence))},
		    {"evidence", column.personal.evidence}, {"leaves", leaves}, {"has_rule", column.has_rule},
		    {"suggested_rule", rule.empty() ? core::json(nullptr) : core::json(rule)},
		    {"in_the_way", column.why.empty() ? core::json(nullptr) : core::json(column.why)}});
		if (column.has_rule && !options.all) continue;
		table.add({printable(column.table.shown()), printable(column.column), core::shown(column.personal.category),
		    percent(column.personal.confidence), printable(column.personal.evidence), printable(shown_rule(column))});
	}
	const auto missing = static_cast<std::int64_t>(found.size() - ruled);
	if (table.rows()) outcome.text = table.text() + "\n";
	outcome.text += which.endpoint.label + ": " + counted(static_cast<std::int64_t>(found.size()), "column") +
	    (found.size() == 1 ? " looks" : " look") + " personal";
	if (ruled)
		outcome.text += ", " + std::to_string(ruled) + " of them " + (ruled == 1 ? "has" : "have") + " a rule" +
		    (options.all ? "" : " (--all lists them)");
	outcome.text += "\n";
	if (!unread.empty())
		outcome.warnings.push_back("the role " + source.user() + " may not read " + list(unread, 5) + ": looked at by " +
		    (unread.size() == 1 ? "its names" : "their names") + " only");
	if (!samples.locked.empty())
		outcome.warnings.push_back(samples.locked_tables() + " by somebody: looked at by " +
		    (samples.locked.size() == 1 ? "its names" : "their names") + " only; run it again later");
	for (const auto &warning : outcome.warnings) outcome.text += "  warning: " + printable(warning) + "\n";
	outcome.more = {{"columns", found.size()}, {"without_rule", missing}};
	if (options.write && missing) {
		const auto rules = rules_for(settings.config, catalog, found, false);
		const auto written = write_rules(settings, rules);
		outcome.text += written_text(written, settings.file, rules);
		outcome.more["written"] = written.done;
		if (!written.done) outcome.more["block"] = rules_block(rules);
	} else if (missing && !options.write)
		outcome.text += "--write adds the rules to " + (settings.file.empty() ? std::string("the configuration") : settings.file) + "\n";
	return outcome;
}

}  // namespace client
