// Masks that say nothing of a value: NULL, a constant, an empty document, one of a list. What they give has to be a value of the column, whatever its type
// is, which can be told before anything is read.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>
#include "calendar.hpp"
#include "catalog.hpp"
#include "mask_stream.hpp"
#include "value_text.hpp"

namespace core {

namespace {

using enum ValueKind;
const std::vector<ValueKind> every_kind{text, integer, numeric, date, timestamp, uuid, network, mac, json_document, boolean, bytes, other};

bool is_bytes(std::string_view value) { return value.starts_with("\\x") && value.size() % 2 == 0 && all_hex(value.substr(2)); }

// "numeric(10,2)": what the server rounds to, or refuses, so that no mask would be as the rule says.
std::string too_many_digits(const Column &column, std::string_view value)
{
	int precision = 0, scale = 0;
	const auto point = std::min(value.find('.'), value.size());
	const auto fraction = value.substr(std::min(point + 1, value.size()));
	const auto last = fraction.find_last_not_of('0');
	const int behind = last == fraction.npos ? 0 : static_cast<int>(last) + 1;
	if (const int read = std::sscanf(column.type.c_str(), "numeric(%d,%d)", &precision, &scale); read == 2) {
		const auto first = value.substr(0, point).find_first_of("123456789");
		const int before = first == std::string_view::npos ? 0 : static_cast<int>(point - first);
		return behind > scale            ? "has more digits behind the point than the column keeps"
		    : before > precision - scale ? "is too large for the column"
		                                 : "";
	}
	const auto bracket = column.type.find("timestamp") == 0 ? column.type.find('(') : column.type.npos;
	if (bracket == column.type.npos) return "";
	const auto zone = fraction.find_first_not_of("0123456789");
	const auto digits = fraction.substr(0, zone).find_last_not_of('0');
	return digits != fraction.npos && static_cast<int>(digits) + 1 > std::atoi(column.type.c_str() + bracket + 1)
	    ? "has more digits behind the point than the column keeps"
	    : "";
}

// Why the text is no value of the column, in words; empty: it is one.
std::string no_value_of(const Column &column, const std::string &value)
{
	if (!column.labels.empty())
		return std::find(column.labels.begin(), column.labels.end(), value) != column.labels.end() ? "" : "is none of the type's labels";
	const ValueKind kind = kind_of_type(column.base);
	if (kind == text) return "";
	if (kind == json_document) return json::accept(value) ? "" : "is no JSON";
	if (kind == bytes) return is_bytes(value) ? "" : "is not of the form \\x00ff";
	if ((column.base.ends_with("[]") && value == "{}") || (column.base == "tsvector" && value.empty())) return "";
	const BinaryForm form = binary_form(column.base);
	if (form == BinaryForm::unknown) return "cannot be told to be a value of this type";
	try {
		std::string binary;
		append_binary(form, value, binary);
		return too_many_digits(column, value);
	} catch (const NoSuchValue &) {
		return "is no value of this type";
	}
}

// ---- null ----

bool never_in_form(std::string_view, const MaskRule &) { return false; }
std::string null_unfit(const MaskRule &, const Column &column)
{
	return column.not_null ? "makes NULL of every value, and the column is NOT NULL" : "";
}

// ---- constant ----

std::string constant_of(const MaskRule &rule)
{
	const auto found = rule.options.find("value");
	if (found == rule.options.end()) return "";
	return found->is_string() ? found->get<std::string>() : found->dump();
}

struct ConstantMasker : Masker {
	std::string value;
	explicit ConstantMasker(const MaskRule &rule) : value(constant_of(rule)) {}
	void write(std::string_view, Hash, std::string &out) override { out += value; }
};
std::unique_ptr<Masker> make_constant(const MaskRule &rule, const MaskSubkey &) { return std::make_unique<ConstantMasker>(rule); }

// The server may print a value in other words than it was given: 1.50 for 1.5, t for true, a time of day behind a date.
bool same_value_otherwise(std::string_view printed, std::string_view given)
{
	if (printed == "t" || printed == "f") return given == (printed == "t" ? "true" : "false");
	for (const BinaryForm form : {BinaryForm::uuid, BinaryForm::mac, BinaryForm::network}) try {
			std::string one, other;
			append_binary(form, printed, one);
			append_binary(form, given, other);
			return one == other;
		} catch (const NoSuchValue &) {
		}
	bool with_zone = false;
	if (const auto one = parse_timestamp(printed, with_zone)) {
		const auto other = parse_timestamp(given, with_zone);
		return other && *one == *other;
	}
	const json one = json::parse(printed, nullptr, false);
	return !one.is_discarded() && one == json::parse(given, nullptr, false);
}
// Asked for every row, and nearly always about the same few: what took a look is remembered.
bool same_value(std::string_view printed, std::string_view given)
{
	constexpr std::size_t most = 256, longest = 256;
	if (printed == given) return true;
	if (printed.size() + given.size() > longest) return same_value_otherwise(printed, given);
	static thread_local std::unordered_map<std::string, bool> known;
	std::string both(printed);
	both += '\0';
	both += given;
	const auto found = known.find(both);
	if (found != known.end()) return found->second;
	if (known.size() >= most) known.clear();
	return known[both] = same_value_otherwise(printed, given);
}

bool is_constant(std::string_view value, const MaskRule &rule)
{
	const auto given = rule.options.find("value");
	if (given != rule.options.end() && given->is_string()) return same_value(value, given->get_ref<const std::string &>());
	return same_value(value, constant_of(rule));
}

int constant_width(const MaskRule &rule) { return static_cast<int>(count_characters(constant_of(rule))); }
std::string constant_unfit(const MaskRule &rule, const Column &column)
{
	const auto why = no_value_of(column, constant_of(rule));
	return why.empty() ? "" : "gives a value that " + why;
}

// ---- empty_json ----

void write_empty_json(std::string_view value, Hash, const MaskRule &, std::string &out)
{
	const auto first = value.find_first_not_of(" \t\r\n");
	out += first != value.npos && value[first] == '[' ? "[]" : "{}";
}
bool is_empty_json(std::string_view value, const MaskRule &) { return value == "{}" || value == "[]"; }

// ---- choice ----

std::vector<std::string> list_of(const MaskRule &rule) { return rule.options.value("of", std::vector<std::string>{}); }

struct ChoiceMasker : Masker {
	std::vector<std::string> list;
	explicit ChoiceMasker(const MaskRule &rule) : list(list_of(rule))
	{
		if (list.empty()) throw std::invalid_argument("strategy choice needs of: a list of what to choose from, but for columns of an enum type");
	}
	void write(std::string_view, Hash hash, std::string &out) override { out += list[first_word(hash) % list.size()]; }
};
std::unique_ptr<Masker> make_choice(const MaskRule &rule, const MaskSubkey &) { return std::make_unique<ChoiceMasker>(rule); }

bool is_choice(std::string_view value, const MaskRule &rule)
{
	const auto list = rule.options.find("of");
	if (list == rule.options.end()) return false;
	const auto any = [&](const auto &same) {
		return std::any_of(
		    list->begin(), list->end(), [&](const json &one) { return same(one.template get_ref<const std::string &>()); });
	};
	return any([&](const std::string &one) { return value == one; }) || any([&](const std::string &one) { return same_value(value, one); });
}

int choice_width(const MaskRule &rule)
{
	std::size_t most = 1;
	for (const auto &one : list_of(rule)) most = std::max(most, count_characters(one));
	return static_cast<int>(most);
}

std::string choice_unfit(const MaskRule &rule, const Column &column)
{
	const auto list = list_of(rule);
	if (list.empty()) return "needs of: a list of what to choose from, since the column is of no enum type";
	for (std::size_t i = 0; i < list.size(); ++i)
		if (const auto why = no_value_of(column, list[i]); !why.empty()) return "has a choice, number " + std::to_string(i + 1) + ", that " + why;
	return "";
}

}  // namespace

std::vector<Strategy> fixed_strategies()
{
	using Kind = MaskOption::Kind;
	return {
	    {.name = "choice",
	        .gives = "one of the list",
	        .takes = every_kind,
	        .keyed = true,
	        .options = {{.name = "of", .kind = Kind::texts}},
	        .width = choice_width,
	        .distinct = never_distinct,
	        .make = make_choice,
	        .in_form = is_choice,
	        .recognizable = false,
	        .unfit = choice_unfit},
	    {.name = "constant",
	        .gives = "the value that the rule says",
	        .takes = every_kind,
	        .keyed = false,
	        .options = {{.name = "value", .kind = Kind::scalar, .required = true}},
	        .width = constant_width,
	        .distinct = never_distinct,
	        .make = make_constant,
	        .in_form = is_constant,
	        .recognizable = true,
	        .unfit = constant_unfit,
	        .of_the_whole = true},
	    {.name = "null",
	        .gives = "NULL",
	        .takes = every_kind,
	        .keyed = false,
	        .options = {},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = never_distinct,
	        .make = nullptr,
	        .in_form = never_in_form,
	        .recognizable = true,
	        .gives_null = true,
	        .unfit = null_unfit},
	    {.name = "empty_json",
	        .gives = "{} or []",
	        .takes = {json_document, text},
	        .keyed = false,
	        .options = {},
	        .width = width_of<2>,
	        .distinct = never_distinct,
	        .make = simple_masker<write_empty_json>,
	        .in_form = is_empty_json,
	        .recognizable = true},
	};
}

}  // namespace core
