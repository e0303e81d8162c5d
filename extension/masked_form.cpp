#include "masked_form.hpp"
#include <cstring>
#include <list>
#include "core/masks.hpp"
#include "row_scan.hpp"
extern "C" {
#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace prodsync {

namespace {

struct Looked {    // plain data for pg::call
	const core::MaskRule *rule;
	const std::string *base;    // of the column, as core has it
	AttrNumber column;
	Oid type;
	std::int64_t others;
	bool stored_as_text;    // its bytes are the text's; of other types the text is what the output function prints
	Oid output;
	Size most_bytes;        // of a mask; 0: as many as the value has
};

// A mask is UTF-8, whatever the encoding of this database.
bool utf8_in_form(const Looked &one, const char *text, std::size_t size)
{
	char *utf8 = pg_server_to_any(const_cast<char *>(text), static_cast<int>(size), PG_UTF8);
	const bool masked = core::is_masked_form(*one.rule, *one.base, {utf8, utf8 == text ? size : std::strlen(utf8)});
	if (utf8 != text) pfree(utf8);
	return masked;
}

// In a wide row even a short value may be stored elsewhere; one that is longer than any mask is not fetched.
bool in_form(const Looked &one, Datum value)
{
	if (!one.stored_as_text) {
		char *text = OidOutputFunctionCall(one.output, value);
		const bool masked = utf8_in_form(one, text, std::strlen(text));
		pfree(text);
		return masked;
	}
	if (one.most_bytes && toast_raw_datum_size(value) > one.most_bytes + VARHDRSZ) return false;
	const auto *bytes = reinterpret_cast<struct varlena *>(PG_DETOAST_DATUM_PACKED(value));
	std::string_view text(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (one.type == BPCHAROID) text = text.substr(0, text.find_last_not_of(' ') + 1);
	const bool masked = utf8_in_form(one, text.data(), text.size());
	if (PointerGetDatum(bytes) != value) pfree(const_cast<struct varlena *>(bytes));
	return masked;
}

void count(Oid shadow, AttrNumber last, Looked *looked, std::size_t columns)
{
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	// What output functions leave behind goes with each row.
	MemoryContext of_row = AllocSetContextCreate(CurrentMemoryContext, "masked forms", ALLOCSET_DEFAULT_SIZES);
	scan_rows(shadow, last, [=](TupleTableSlot *row) {
		MemoryContext before = MemoryContextSwitchTo(of_row);
		for (Looked *one = looked; one < looked + columns; ++one)
			one->others += !row->tts_isnull[one->column - 1] && !in_form(*one, row->tts_values[one->column - 1]);
		MemoryContextSwitchTo(before);
		MemoryContextReset(of_row);
		return true;
	});
	MemoryContextDelete(of_row);
	PopActiveSnapshot();
}

}  // namespace

void text_forms(pg::Settings &settings)
{
	for (const auto &[name, value] : {std::pair("DateStyle", "ISO, YMD"), {"IntervalStyle", "postgres"}, {"TimeZone", "UTC"},
	         {"extra_float_digits", "3"}, {"bytea_output", "hex"}, {"xmloption", "content"}})
		settings.set(name, value);
}

std::vector<Check> verify_masked_forms(const Refresh &refresh, const StepRow &verify)
{
	core::json columns;
	{
		pg::AsExtension as(refresh.extension);
		pg::Spi spi;
		columns = core::json::parse(spi.one("SELECT item -> 'columns' FROM prodsync_work.run_step WHERE run = $1::int AND kind = "
		                                    "'load' AND item ->> 'table' = $2 LIMIT 1",
		                                   {std::to_string(refresh.run), verify.item.value("table", "")})
		                                .value_or("[]"));
	}
	std::vector<std::pair<std::string, core::MaskRule>> masked;
	for (const core::json &column : columns)
		if (column.contains("mask")) masked.push_back({column.value("name", ""), core::MaskRule::from_json(column["mask"])});
	return verify_masked_forms(refresh.shadows.at(verify.original), verify.relation, masked);
}

std::vector<Check> verify_masked_forms(Oid shadow, const std::string &relation, const std::vector<std::pair<std::string, core::MaskRule>> &masked)
{
	std::vector<Looked> looked;
	std::list<std::string> bases;    // what `looked` points to
	AttrNumber last = 0;
	for (const auto &[name, rule] : masked) {
		const char *column = name.c_str();
		Looked one{};
		one.rule = &rule;
		one.column = pg::call([=] { return get_attnum(shadow, column); });
		if (one.column <= 0) throw pg::Error(PS_STALE, "column \"" + name + "\" of " + relation + " is not what it was when the run started");
		const AttrNumber number = one.column;
		one.type = pg::call([=] { return getBaseType(get_atttype(shadow, number)); });
		one.output = pg::call([type = one.type] {
			Oid output;
			bool varlena;
			getTypeOutputInfo(type, &output, &varlena);
			return output;
		});
		// bpchar, varchar, text and citext hold their text; so does json.
		one.stored_as_text = pg::call([type = one.type] {
			char category;
			bool preferred;
			get_type_category_preferred(type, &category, &preferred);
			return type == JSONOID || (category == TYPCATEGORY_STRING && get_typlen(type) == -1);
		});
		bases.push_back(pg::call([type = one.type] { return format_type_be(type); }));
		one.base = &bases.back();
		// Blanks that character(n) is padded with are no part of a value; and which rows a condition left out only production knows.
		const bool any_length = one.type == BPCHAROID || !rule.when.empty();
		one.most_bytes = any_length ? 0 : 4 * static_cast<Size>(core::longest_mask(rule, bases.back()));    // of UTF-8 and what else a server has
		looked.push_back(one);
		last = std::max(last, number);
	}
	Looked *first = looked.data();
	const std::size_t size = looked.size();
	if (size) pg::call([=] { count(shadow, last, first, size); });
	std::vector<Check> checks;
	for (std::size_t i = 0; i < size; i++)
		checks.push_back({"masked form", relation + "." + masked[i].first, looked[i].others,
		    core::json{{"strategy", masked[i].second.strategy}}.dump(), looked[i].others == 0});
	return checks;
}

}  // namespace prodsync
