// Every option of every strategy, given wrong: one clear problem each, none accepted, none that takes another one with it.
#include <limits>

#include "catch.hpp"
#include "core/config.hpp"
#include "core/masks.hpp"

using namespace core;

namespace {

json needed(const Strategy &strategy)
{
	json out{{"strategy", strategy.name}};
	if (strategy.name == std::string_view("partial")) out["last"] = 1;    // one of two
	for (const MaskOption &option : strategy.options)
		if (option.required) {
			const std::int64_t number = option.name == std::string_view("most") ? option.most : option.least;
			switch (option.kind) {
			case MaskOption::Kind::number: out[option.name] = number; break;
			case MaskOption::Kind::texts: out[option.name] = {"one", "two"}; break;
			case MaskOption::Kind::word: out[option.name] = option.words.front(); break;
			case MaskOption::Kind::flag: out[option.name] = true; break;
			case MaskOption::Kind::date: out[option.name] = "2024-02-29"; break;
			default: out[option.name] = "some text";
			}
		}
	return out;
}

std::vector<Problem> problems_of(const json &rule)
{
	std::vector<Problem> problems;
	parse_mask_rule(rule, {"column"}, "t.0", problems);
	return problems;
}

std::vector<json> wrong_values(const MaskOption &option)
{
	const json list = json::array({1}), object{{"a", 1}};
	switch (option.kind) {
	case MaskOption::Kind::number: {
		std::vector<json> out{list, object, true, "3", 1.5, "", std::numeric_limits<std::uint64_t>::max(), std::uint64_t{1} << 63, 1e300};
		if (!option.numbers.empty()) out.insert(out.end(), {option.numbers.back() + 1, -1, 0});
		else {
			if (option.least > std::numeric_limits<std::int64_t>::min()) out.push_back(option.least - 1);
			if (option.most < std::numeric_limits<std::int64_t>::max()) out.push_back(option.most + 1);
		}
		return out;
	}
	case MaskOption::Kind::word: return {list, object, true, 1, "", std::string(option.words.front()) + "x", "No Such Word"};
	case MaskOption::Kind::text: return {list, object, true, 1, ""};
	case MaskOption::Kind::texts: return {json::array(), object, "one", 1, list, json::array({""}), json::array({"one", 2})};
	case MaskOption::Kind::scalar: return {list, object};
	case MaskOption::Kind::flag: return {list, object, 1, 0, "true", "yes"};
	case MaskOption::Kind::date: return {list, object, true, 20240229, "", "2024-2-29", "29.02.2024", "2024-13-01", "2024-02-32", "2024-02-29 00:00:00"};
	}
	return {};
}

}  // namespace

TEST_CASE("every option of every strategy with a value that it cannot have")
{
	int options = 0;
	for (const Strategy &strategy : strategies()) {
		CAPTURE(strategy.name);
		CHECK(problems_of(needed(strategy)).empty());
		for (const MaskOption &option : strategy.options) {
			++options;
			for (const json &wrong : wrong_values(option)) {
				json rule = needed(strategy);
				rule[option.name] = wrong;
				CAPTURE(option.name, wrong.dump());
				const auto problems = problems_of(rule);
				REQUIRE(problems.size() == 1);
				CHECK(problems[0].id == "bad-value");
				CHECK(problems[0].object == std::string("t.0.") + option.name);
				CHECK(problems[0].text.starts_with(std::string("t.0.") + option.name + " must be "));
				CHECK(problems[0].fix.starts_with(std::string(option.name) + ": "));
			}
		}
	}
	CHECK(options > 25);
}

TEST_CASE("an option or strategy with a typo gets the nearest name")
{
	for (const Strategy &strategy : strategies()) {
		for (const std::string &option : strategy_options(strategy)) {
			json rule = needed(strategy);
			rule[option + "x"] = 1;
			CAPTURE(strategy.name, option);
			const auto problems = problems_of(rule);
			REQUIRE(problems.size() == 1);
			CHECK(problems[0].id == "unknown-option");
			CHECK(problems[0].object == "t.0." + option + "x");
			CHECK(problems[0].text.starts_with("unknown option \"" + option + "x\" of strategy " + strategy.name + " in t.0"));
			CHECK(problems[0].text.find("did you mean") != std::string::npos);
			CHECK(problems[0].text.find(option + "?") != std::string::npos);
		}
		json rule = needed(strategy);
		rule["strategy"] = std::string(strategy.name) + "x";
		const auto problems = problems_of(rule);
		CAPTURE(strategy.name);
		REQUIRE(problems.size() == 1);
		CHECK(problems[0].id == "unknown-strategy");
		CHECK(problems[0].text.find(strategy.name) != std::string::npos);
		CHECK(problems[0].text.find("did you mean") != std::string::npos);
	}
	CHECK(problems_of({{"strategy", "none"}, {"domain", "x"}}).size() == 1);
}

TEST_CASE("what a strategy needs and does not get, and a strategy that is none")
{
	for (const Strategy &strategy : strategies())
		for (const MaskOption &option : strategy.options) {
			if (!option.required) continue;
			CAPTURE(strategy.name, option.name);
			for (const bool null : {false, true}) {
				json rule = needed(strategy);
				if (null) rule[option.name] = nullptr;
				else rule.erase(option.name);
				const auto problems = problems_of(rule);
				REQUIRE(problems.size() == 1);
				CHECK(problems[0].id == "missing-key");
				CHECK(problems[0].text.find(option.name) != std::string::npos);
			}
		}
	for (const json &wrong : {json(1), json(true), json(""), json::array({"email"}), json::object()})
		CHECK(problems_of({{"strategy", wrong}}).at(0).id == "wrong-type");
	CHECK(problems_of({{"strategy", nullptr}}).at(0).fix == "strategy: \"null\", in quotes, makes the column NULL");
	CHECK(problems_of(json::object()).at(0).id == "missing-key");
	for (const json &wrong : {json(1), json(""), json::array({"x"})}) CHECK(problems_of({{"strategy", "email"}, {"domain", wrong}}).at(0).id == "wrong-type");
}
