// What a rule of the configuration says of a column.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace core {
using nlohmann::json;

// Two columns with equal rules give equal values equal masks, unless `entity` says that the mask is another column's.
struct MaskRule {
	std::string strategy;             // empty: no rule; "none": deliberately as it is; by_path: what `inside` says
	std::string domain;               // separates what would mask alike; empty: the one that all columns share
	json options = json::object();    // of the strategy; those that say its default are left out
	std::string entity = {};          // the column whose value the mask is drawn from, in the place of the own one
	std::string when = {};            // SQL, over the row: only where it is true the value is masked
	std::string path = {};            // of a rule in `inside`: which part of the value it is about
	std::vector<MaskRule> inside = {};    // of a value with parts (JSON, hstore), each with its own rule
	bool operator==(const MaskRule &) const = default;
	bool masks() const { return !strategy.empty() && strategy != "none"; }
	bool flag(const char *option) const { return options.value(option, false); }
	std::int64_t number(const char *option, std::int64_t otherwise) const { return options.value(option, otherwise); }
	std::string text(const char *option, const char *otherwise = "") const { return options.value(option, std::string(otherwise)); }

	static constexpr const char *by_path = "by path";
	// {"strategy", "domain", "entity", "when", "path", "inside" where there are any, and "options"}: how plans and statements carry it.
	json to_json() const;
	static MaskRule from_json(const json &);    // of what to_json() gave
};

// An option of a strategy, and what it may be.
struct MaskOption {
	enum class Kind { number, word, text, texts, scalar, flag, date };    // scalar: a text, which may be empty, a number, true or false
	const char *name;
	Kind kind = Kind::text;
	std::int64_t least = 0, most = 0;              // kind number
	std::vector<const char *> words = {};          // kind word
	std::vector<std::int64_t> numbers = {};        // kind number: only these, where there are any
	const char *otherwise = "";                    // what it is where nothing is said, as JSON; empty: there is no default
	bool required = false;
};

struct Problem;
// Strategy and options of one rule; `besides` are the keys that the rule may have for other purposes. What is wrong is added to `problems`
// under `path`; nullopt: there is no strategy to speak of.
std::optional<MaskRule> parse_mask_rule(
    const json &, const std::vector<std::string> &besides, const std::string &path, std::vector<Problem> &problems);

}  // namespace core
