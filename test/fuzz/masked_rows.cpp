// Every strategy over every type that it takes, in both formats of COPY: a value comes out masked or not at all. The marker is in each value.
#include <algorithm>
#include <memory>
#include "core/copy_text.hpp"
#include "core/masks.hpp"
#include "core/value_text.hpp"
#include "error.hpp"
#include "mask_column.hpp"
#include "rows.hpp"

using namespace fuzz;

namespace {

const char *const types[] = {"text", "character varying", "character", "citext", "smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "date",
    "timestamp without time zone", "timestamp with time zone", "uuid", "inet", "cidr", "macaddr", "macaddr8", "json", "jsonb", "text[]", "character[]", "integer[]", "date[]", "bytea"};

// Every strategy as it is when nothing else is said, and with its options.
const std::vector<core::MaskRule> &rules()
{
	static const auto made = [] {
		std::vector<core::MaskRule> out;
		for (const core::Strategy &strategy : core::strategies()) {
			if (strategy.name == std::string_view(core::by_production)) continue;
			core::json needed = core::json::object();
			if (strategy.name == std::string_view("choice")) needed = {{"of", {"one", "another"}}};
			if (strategy.name == std::string_view("constant")) needed = {{"value", "1"}};
			if (strategy.name == std::string_view("password")) needed = {{"iterations", 1}};
			std::vector<core::json> all{needed};
			for (const core::MaskOption &option : strategy.options) {
				if (needed.contains(option.name)) continue;
				std::vector<core::json> values;
				if (option.kind == core::MaskOption::Kind::word) values.assign(option.words.begin(), option.words.end());
				else if (option.kind == core::MaskOption::Kind::flag) values = {true, false};
				else if (!option.numbers.empty()) values.assign(option.numbers.begin(), option.numbers.end());
				else if (option.kind == core::MaskOption::Kind::number) values = {option.least, std::min<std::int64_t>(option.most, std::max<std::int64_t>(option.least, 3))};
				for (const core::json &value : values) {
					core::json with = needed;
					with[option.name] = value;
					all.push_back(with);
				}
			}
			for (core::json options : all) {
				if (strategy.name == std::string_view("password")) {    // what takes a quarter of a second each is no work for a fuzzer
					if (options.value("form", "") == "bcrypt" || options.contains("cost") || options.value("iterations", 0) > 3) continue;
				}
				options["strategy"] = strategy.name;
				std::vector<core::Problem> problems;
				const auto parsed = core::parse_mask_rule(options, {}, "rule", problems);
				if (parsed && problems.empty()) out.push_back(*parsed);
			}
		}
		return out;
	}();
	return made;
}

core::Column column_of(const std::string &base)
{
	core::Column column;
	column.name = "secret", column.type = column.base = base;
	return column;
}

// Of them those that a plan lets a column of the type have.
const std::vector<const core::MaskRule *> &fitting(std::size_t type)
{
	static const auto made = [] {
		std::vector<std::vector<const core::MaskRule *>> out;
		for (const char *base : types) {
			auto &fit = out.emplace_back();
			for (const core::MaskRule &rule : rules()) {
				const core::Strategy &strategy = *core::find_strategy(rule.strategy);
				if (core::takes(strategy, core::kind_of_type(core::masked_base(rule, base))) && (!strategy.unfit || strategy.unfit(rule, column_of(base)).empty())) fit.push_back(&rule);
			}
			require(!fit.empty(), "each type has a strategy");
		}
		return out;
	}();
	return made[type];
}

// What says that it keeps some of the value: the parts, what looks like no personal word, the domain.
bool keeps_text(const core::MaskRule &rule)
{
	return rule.strategy == "partial" || rule.strategy == "free_text" || rule.strategy == "digits" || rule.options.contains("keep") || rule.options.contains("keep_first") || rule.options.contains("keep_last");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Input input(data, size);
	const std::size_t type = input.byte() % std::size(types);
	const std::string base = types[type];
	const auto &fit = fitting(type);
	const core::MaskRule &rule = *fit[input.byte() % fit.size()];
	const unsigned shape = input.byte();

	core::Catalog catalog;
	core::Relation relation;
	relation.name = {"public", "people"};
	relation.columns = {column_of(base)};
	catalog.relations[relation.name] = relation;
	core::Transfer transfer;
	transfer.column = "secret", transfer.type = base, transfer.mask = rule;
	core::Step step;
	step.relation = step.source_relation = relation.name;
	step.columns = {transfer};
	const core::BinaryForm form = core::binary_form(base);
	step.binary = (shape & 1) && form != core::BinaryForm::unknown;

	// Either the text of a value, or the bytes as they came over the wire.
	const bool with_marker = !(shape & 4) && core::kind_of_type(base) != core::ValueKind::integer;
	const std::string value = with_marker ? marked(input.rest(), shape >> 3) : std::string(input.rest());
	std::string field;
	bool of_the_type = false;
	if (!(shape & 2)) {
		try {
			if (step.binary) core::append_binary(form, value, field);
			else core::append_copy_escaped(field, value);
			of_the_type = is_text(value);
		} catch (const core::NoSuchValue &) {}
	}
	if (!of_the_type) {
		field = value;
		if (!step.binary) std::erase_if(field, [](char c) { return c == '\n' || c == '\t'; });
	}
	static const core::MaskKey key{[] { std::array<unsigned char, core::MaskKey::size> bytes{}; bytes.fill(7); return bytes; }()};
	std::vector<client::Replacement> replacements;
	replacements.push_back(client::masked_column(1, transfer, step, {}, &key, catalog, catalog));
	client::Rewriter rewriter("public.people", step.binary, 3, std::move(replacements));
	const Row row{"before", field, "after"};
	std::string out, again;
	try {
		rewriter.message((step.binary ? binary_header() : "") + written(row, step.binary), out);
		rewriter.message(written(row, step.binary), again);
	} catch (const client::Error &error) {
		require(error.exit_code == client::exit_check && !shows(error.what() + error.hint + error.detail), "what cannot be masked is named, not shown");
		return 0;
	}
	const auto rows = read(step.binary ? std::string_view(out).substr(19) : out, step.binary, 3), twice = read(again, step.binary, 3);
	require(rows && rows->size() == 1 && rows->front()[0] == "before" && rows->front()[2] == "after", "one row, and its other fields as they were");
	require(rows == twice, "the same value has the same mask");
	const auto &masked = rows->front()[1];
	if (!step.binary && field == "\\N") return require(!masked, "NULL stays NULL"), 0;
	require(masked || core::gives_null(rule), "only what masks by NULL gives NULL");
	if (!masked || field.empty()) return 0;
	std::string text, buffer;
	if (!step.binary) text = core::copy_unescaped(*masked, buffer);
	else core::append_text(form, *masked, text);
	if (!keeps_text(rule)) require(!shows(*masked) && !shows(text), "the raw value never comes out");
	if (of_the_type) {
		require(is_text(text), "the mask of a text is one");
		require(core::is_masked_form(rule, base, text), "a mask has the form that sync_check() looks for");
	}
	return 0;
}
