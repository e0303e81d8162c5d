// The configuration and its rules: any text is read, or is an error with its place; a rule that was read can be used, and masks.
#include <algorithm>
#include "config.hpp"
#include "core/json_path.hpp"
#include "core/masks.hpp"
#include "target.hpp"

using namespace fuzz;

namespace {

void use(const core::MaskRule &rule)
{
	require(core::MaskRule::from_json(rule.to_json()) == rule, "a rule travels as it is");
	require(core::find_strategy(rule.strategy) || rule.strategy == "none" || !rule.inside.empty(), "a strategy is one that there is");
	if (!rule.masks() || rule.strategy == core::by_production || rule.strategy == "password") return;
	static const core::MaskKey key{[] { std::array<unsigned char, core::MaskKey::size> bytes{}; bytes.fill(7); return bytes; }()};
	const std::string base = rule.inside.empty() ? "text" : "jsonb", value = rule.inside.empty() ? std::string(marker) : "{\"a\": 1}";
	core::Mask mask(rule, &key, base);
	if (!rule.inside.empty() || !core::takes(*core::find_strategy(rule.strategy), core::ValueKind::text)) return;
	const auto masked = mask(value);
	const bool as_it_is = rule.strategy == "partial" || rule.strategy == "free_text" || rule.strategy == "constant" || rule.strategy == "choice" ||
	    std::any_of(rule.options.begin(), rule.options.end(), [](const core::json &option) { return option.is_string() && option.get<std::string>().find(marker) != std::string::npos; });
	require(as_it_is || !masked || !shows(*masked), "the raw value never comes out");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const std::string_view text(reinterpret_cast<const char *>(data), size);
	try {
		const client::Settings settings = client::parse_settings(text, "prodsync.yaml");
		require(is_text(settings.shared.dump()), "what goes to the server is a text");
		std::vector<core::Problem> problems;
		const core::Config again = core::Config::parse(settings.shared, problems);
		require(problems.empty(), "what was read can be read again");
		require(again.to_json() == settings.config.to_json(), "and says the same");
		for (const auto &table : settings.config.masks)
			for (const auto &column : table.columns) use(column.rule);
		for (const auto &pattern : settings.config.mask_patterns) use(pattern.rule);
	} catch (const client::ConfigError &error) {
		const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r')) + 2;
		require(error.exit_code == client::exit_plan && !error.problems.empty() && error.positions.size() == error.problems.size(), "what is wrong is a list");
		for (const auto &problem : error.problems) require(!problem.text.empty() && !problem.id.empty(), "each has words");
		for (const auto &at : error.positions) require(at.line >= 0 && at.line <= lines && at.column >= 0, "and a place in the file");
	}
	std::string why;
	const auto first = text.substr(0, text.find('\n'));
	if (const auto path = core::JsonPath::parse(first, why)) require(path->covers(*path) || first.find("..") != first.npos, "a path to one place covers itself");
	else require(!why.empty(), "what is no path has a reason");
	return 0;
}
