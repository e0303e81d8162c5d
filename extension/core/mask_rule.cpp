// Reading a rule's strategy and options. A word that is not known is an error, never skipped: a typo must not copy a column as it is (E2).
#include "mask_rule.hpp"

#include <algorithm>
#include <limits>

#include "config.hpp"
#include "masks.hpp"
#include "words.hpp"

namespace core {

namespace {

using Problems = std::vector<Problem>;

bool is_date(const std::string &text)
{
	if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
	for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9})
		if (text[i] < '0' || text[i] > '9') return false;
	const int month = std::stoi(text.substr(5, 2)), day = std::stoi(text.substr(8, 2));
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

// Why the option cannot have this value, behind "... must be "; empty: it can.
std::string wanted(const MaskOption &option, const json &value)
{
	switch (option.kind) {
	case MaskOption::Kind::number: {
		// what is no signed number of 64 bits would be read as another one
		const bool whole = value.is_number_integer() &&
		    !(value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max());
		if (!option.numbers.empty()) {
			std::vector<std::string> words;
			for (const auto one : option.numbers) words.push_back(std::to_string(one));
			const bool known = whole && std::any_of(option.numbers.begin(), option.numbers.end(), [&](auto one) { return value == one; });
			return known ? "" : "one of " + listed(words);
		}
		if (whole && value.get<std::int64_t>() >= option.least && value.get<std::int64_t>() <= option.most) return "";
		return "a whole number from " + std::to_string(option.least) + " to " + std::to_string(option.most);
	}
	case MaskOption::Kind::word: {
		const bool known = value.is_string() &&
		    std::any_of(option.words.begin(), option.words.end(), [&](const char *one) { return value == one; });
		return known ? "" : "one of " + listed({option.words.begin(), option.words.end()});
	}
	case MaskOption::Kind::text: return value.is_string() && !value.get<std::string>().empty() ? "" : "a text";
	case MaskOption::Kind::texts: {
		const bool good = value.is_array() && !value.empty() &&
		    std::all_of(value.begin(), value.end(), [](const json &one) { return one.is_string() && !one.get<std::string>().empty(); });
		return good ? "" : "a list of texts";
	}
	case MaskOption::Kind::scalar: return value.is_string() || value.is_number() || value.is_boolean() ? "" : "a text, a number, true or false";
	case MaskOption::Kind::flag: return value.is_boolean() ? "" : "true or false";
	case MaskOption::Kind::date: return value.is_string() && is_date(value.get<std::string>()) ? "" : "a date like 2024-02-29";
	}
	return "";
}

std::string example(const MaskOption &option)
{
	const std::string name = std::string(option.name) + ": ";
	if (*option.otherwise) return name + option.otherwise;
	if (!option.numbers.empty()) return name + std::to_string(option.numbers.back());
	switch (option.kind) {
	case MaskOption::Kind::number: return name + std::to_string(std::clamp<std::int64_t>(1, option.least, option.most));
	case MaskOption::Kind::word: return name + option.words.front();
	case MaskOption::Kind::text: return name + "some text";
	case MaskOption::Kind::texts: return name + "[one, another]";
	case MaskOption::Kind::scalar: return name + "unknown";
	case MaskOption::Kind::flag: return name + "true";
	case MaskOption::Kind::date: return name + "2024-02-29";
	}
	return name;
}

}  // namespace

json MaskRule::to_json() const
{
	json out{{"strategy", strategy}};
	const auto put = [&](const char *key, const auto &what) {
		if (!what.empty()) out[key] = what;
	};
	put("domain", domain);
	put("options", options);
	put("entity", entity);
	put("when", when);
	put("path", path);
	for (const MaskRule &part : inside) out["inside"].push_back(part.to_json());
	return out;
}

MaskRule MaskRule::from_json(const json &document)
{
	MaskRule rule{document.value("strategy", ""), document.value("domain", ""), document.value("options", json::object()),
	    document.value("entity", ""), document.value("when", ""), document.value("path", "")};
	for (const json &part : document.value("inside", json::array())) rule.inside.push_back(from_json(part));
	return rule;
}

std::optional<MaskRule> parse_mask_rule(const json &given, const std::vector<std::string> &besides, const std::string &path, Problems &problems)
{
	const auto problem = [&](const char *id, const std::string &key, const std::string &text, const std::string &fix) {
		problems.push_back({id, path + "." + key, text, fix});
	};
	const auto text_of = [&](const char *key) -> std::string {
		const auto found = given.find(key);
		if (found == given.end() || found->is_null()) return "";
		if (found->is_string() && !found->get<std::string>().empty()) return found->get<std::string>();
		problem("wrong-type", key, path + "." + key + " must be a text", "");
		return "";
	};
	MaskRule rule;
	const std::size_t before = problems.size();
	rule.strategy = text_of("strategy");
	if (rule.strategy.empty()) {
		const auto found = given.find("strategy");
		if (problems.size() == before)
			problem("missing-key", "strategy", path + " needs strategy",
			    found != given.end() && found->is_null() ? "strategy: \"null\", in quotes, makes the column NULL" : "");
		return std::nullopt;
	}
	const Strategy *strategy = find_strategy(rule.strategy);
	if (!strategy && rule.strategy != "none") {
		problem("unknown-strategy", "strategy",
		    "unknown strategy \"" + rule.strategy + "\" in " + path + did_you_mean(rule.strategy, strategy_names()),
		    "known are: " + listed(strategy_names()));
		return std::nullopt;
	}
	std::vector<std::string> known = besides;
	known.emplace_back("strategy");
	if (strategy)
		for (const auto &option : strategy_options(*strategy)) known.push_back(option);
	for (const auto &[key, ignored] : given.items())
		if (std::find(known.begin(), known.end(), key) == known.end())
			problem("unknown-option", key,
			    "unknown option \"" + key + "\" of strategy " + rule.strategy + " in " + path + did_you_mean(key, known),
			    "known are: " + listed(known));
	if (!strategy) return rule;
	if (strategy->keyed) rule.domain = text_of("domain");
	for (const MaskOption &option : strategy->options) {
		const auto found = given.find(option.name);
		if (found == given.end() || found->is_null()) {
			if (option.required)
				problem("missing-key", option.name, "strategy " + rule.strategy + " needs " + option.name + " in " + path, example(option));
			continue;
		}
		if (const auto must = wanted(option, *found); !must.empty())
			problem("bad-value", option.name, path + "." + option.name + " must be " + must, example(option));
		else if (!*option.otherwise || *found != json::parse(option.otherwise))    // the default said in so many words is the same rule
			rule.options[option.name] = *found;
	}
	if (problems.size() == before && strategy->refused)
		if (const auto why = strategy->refused(rule); !why.empty())
			problem("bad-value", "strategy", "strategy " + rule.strategy + " in " + path + ": " + why, "");
	return rule;
}

}  // namespace core
