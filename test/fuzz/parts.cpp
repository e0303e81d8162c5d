// Documents, arrays and hstores: what a rule names is masked, whatever else is in the value; the rest is what it was; what cannot be read is an error.
#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>
#include "core/masks.hpp"
#include "core/value_text.hpp"
#include "leaves.hpp"
#include "target.hpp"

using namespace fuzz;

namespace {

// Of numbers as wide as they may be.
using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t, std::uint64_t, long double>;
using Place = std::vector<std::string>;    // keys, and of an array's elements "[0]"

// Paths, and what they mean in other words.
struct Rules {
	std::vector<const char *> paths;
	std::function<bool(const Place &)> names;
};
const std::vector<Rules> all_rules{
    {{"$"}, [](const Place &) { return true; }},
    {{"$..email"}, [](const Place &at) { return std::find(at.begin(), at.end(), "email") != at.end(); }},
    {{"$.a[*].b"}, [](const Place &at) { return at.size() >= 3 && at[0] == "a" && at[2] == "b"; }},
    {{"$['x y']", "$[0]"}, [](const Place &at) { return !at.empty() && (at[0] == "x y" || at[0] == "[0]"); }},
    {{"$.a.b", "$.a.c", "$.*.d"}, [](const Place &at) { return at.size() >= 2 && ((at[0] == "a" && (at[1] == "b" || at[1] == "c")) || at[1] == "d"); }},
};

bool has_double_keys(const std::string &text)
{
	std::vector<std::map<std::string, int>> open;
	bool twice = false;
	const auto see = [&](int, Json::parse_event_t event, Json &parsed) {
		using Event = Json::parse_event_t;
		if (event == Event::object_start) open.emplace_back();
		if (event == Event::object_end) open.pop_back();
		if (event == Event::key && ++open.back()[parsed.get<std::string>()] > 1) twice = true;
		return true;
	};
	const auto unused = Json::parse(text, see, false);
	return twice || unused.is_discarded();
}

void compare(const Json &was, const Json &is, Place &at, const Rules &rules)
{
	if (was.is_structured()) {
		require(was.type() == is.type() && was.size() == is.size(), "a document keeps its structure");
		const bool object = was.is_object();
		std::size_t index = 0;
		for (auto here = was.begin(); here != was.end(); ++here, ++index) {
			at.push_back(object ? here.key() : "[" + std::to_string(index) + "]");
			require(!object || is.contains(here.key()), "a document keeps its keys");
			compare(*here, object ? is.at(here.key()) : is.at(index), at, rules);
			at.pop_back();
		}
		return;
	}
	if (!rules.names(at) || was.is_null() || was == "") return require(is == was || (was.is_number() && is.is_number()), "what no rule names stays");
	require(is != was, "what a rule names is masked");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Input input(data, size);
	const unsigned kind = input.byte() & 3, which = input.byte(), place = input.byte();
	const char *const bases[] = {"json", "hstore", "text[]", "jsonb"};
	const std::string base = bases[kind];
	const Rules &rules = all_rules[kind == 2 ? 0 : which % all_rules.size()];
	core::MaskRule rule{"hash", "", core::json::object()};
	if (kind != 2) {
		rule.strategy = core::MaskRule::by_path;
		for (const char *path : rules.paths) rule.inside.push_back({"hash", "", core::json::object(), "", "", path, {}});
	}
	static const core::MaskKey key{[] { std::array<unsigned char, core::MaskKey::size> bytes{}; bytes.fill(7); return bytes; }()};
	core::Mask mask(rule, &key, base);
	const std::string value = which & 0x80 ? std::string(input.rest()) : marked(input.rest(), place);
	std::string out;
	try {
		const auto masked = mask(value);
		require(masked.has_value(), "no mask by NULL");
		out = *masked;
	} catch (const core::NoSuchValue &error) {
		require(!shows(error.what()), "what cannot be masked is named, not shown");
		return 0;
	}
	if (value.empty()) return 0;
	if (is_text(value)) require(is_text(out), "the mask of a text is one");
	require(core::is_masked_form(rule, base, out), "a mask has the form that sync_check() looks for");
	const auto before = client::leaves(base, value), after = client::leaves(base, out);
	require(before.size() == after.size(), "parts are as many as they were");
	for (std::size_t i = 0; i < before.size(); ++i) {
		require(before[i].key == after[i].key, "keys stay");
		if (&rules == &all_rules[0]) require(!shows(after[i].text), "the raw value never comes out");
	}
	if (kind == 0 || kind == 3) {
		const auto was = Json::parse(value, nullptr, false), is = Json::parse(out, nullptr, false);
		require(!is.is_discarded(), "a document stays one");
		if (was.is_discarded() || has_double_keys(value)) return 0;
		Place at;
		compare(was, is, at, rules);
	}
	return 0;
}
