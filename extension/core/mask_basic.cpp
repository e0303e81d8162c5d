// The plain strategies that every masking tool has: a recognizable stand-in of one form, whatever the value was. (Those of e-mail addresses and phone
// numbers, which have more forms, are in files of their own.)
#include "mask_tables.hpp"

namespace core {

namespace {

constexpr std::string_view redaction = "[REDACTED]";

void write_name(std::string_view, Hash hash, const MaskRule &, std::string &out)
{
	out += "User ";
	append_hex(hash, 8, out, true);
}

bool is_name(std::string_view value, const MaskRule &)
{
	return value.size() == 13 && value.starts_with("User ") && all_hex(value.substr(5), true);
}

void write_redacted(std::string_view, Hash, const MaskRule &, std::string &out) { out += redaction; }
bool is_redacted(std::string_view value, const MaskRule &) { return value == redaction; }

int hash_length(const MaskRule &rule) { return static_cast<int>(rule.number("length", 16)); }

void write_hash(std::string_view, Hash hash, const MaskRule &rule, std::string &out) { append_hex(hash, hash_length(rule), out); }

bool is_hash(std::string_view value, const MaskRule &rule)
{
	return value.size() == static_cast<std::size_t>(hash_length(rule)) && all_hex(value);
}

// What production made is the mask; nothing here may ever stand in for it.
std::unique_ptr<Masker> made_by_production(const MaskRule &, const MaskSubkey &)
{
	struct Passed : Masker {
		void write(std::string_view value, Hash, std::string &out) override { out += value; }
	};
	return std::make_unique<Passed>();
}

}  // namespace

Strategy redacted()
{
	return {.name = "redact",
	    .gives = "[REDACTED]",
	    .takes = {ValueKind::text},
	    .keyed = false,
	    .options = {},
	    .width = width_of<10>,
	    .distinct = never_distinct,
	    .make = simple_masker<write_redacted>,
	    .in_form = is_redacted,
	    .recognizable = true};
}

std::vector<Strategy> basic_strategies()
{
	using enum ValueKind;
	return {
	    {.name = "name",
	        .gives = "User <8 hex digits>",
	        .takes = {text},
	        .keyed = true,
	        .options = {},
	        .width = width_of<13>,
	        .distinct = distinct_by_hash<32>,
	        .make = simple_masker<write_name>,
	        .in_form = is_name,
	        .recognizable = true},
	    redacted(),
	    {.name = "hash",
	        .gives = "<16 or 32 hex digits>",
	        .takes = {text},
	        .keyed = true,
	        .options = {{.name = "length", .kind = MaskOption::Kind::number, .numbers = {16, 32}, .otherwise = "16"}},
	        .width = hash_length,
	        .distinct =
	            [](const MaskRule &rule) {
		            return Distinct{Distinct::Kind::by_hash, 4 * hash_length(rule)};
	            },
	        .make = simple_masker<write_hash>,
	        .in_form = is_hash,
	        .recognizable = true},
	    {.name = by_production,
	        .gives = "what the expression gives",
	        .takes = {text, integer, numeric, date, timestamp, uuid, network, mac, json_document, boolean, bytes, other},
	        .keyed = false,
	        .options = {{.name = "expression", .required = true}},
	        .width = width_of<as_long_as_the_value>,
	        .distinct =
	            [](const MaskRule &) {
		            return Distinct{Distinct::Kind::unknown, 0};
	            },
	        .make = made_by_production,
	        .in_form = [](std::string_view, const MaskRule &) { return true; },
	        .recognizable = false},
	};
}

}  // namespace core
