#include "mask_column.hpp"
#include <algorithm>
#include "core/copy_text.hpp"
#include "core/masks.hpp"
#include "core/statements.hpp"
#include "core/value_text.hpp"
#include "error.hpp"

namespace client {

// The text of a field, whatever form it travels in. Into `buffer` where it has to be made.
static std::string_view text_of(std::string_view field, bool binary, core::BinaryForm form, std::string &buffer)
{
	if (!binary) return core::copy_unescaped(field, buffer);
	if (form == core::BinaryForm::same) return field;
	buffer.clear();
	core::append_text(form, field, buffer);
	return buffer;
}

Replacement masked_column(std::size_t at, const core::Transfer &transfer, const core::Step &step, const std::vector<std::string> &beside,
	const core::MaskKey *key, const core::Catalog &source, const core::Catalog &target)
{
	std::string base;
	bool padded = false;
	core::BinaryForm entity_form = core::BinaryForm::same;
	for (const auto &[catalog, name] : {std::pair(&source, step.source_relation), std::pair(&target, step.relation)}) {
		const core::Relation *relation = catalog->find(name);
		const core::Column *column = relation ? relation->column(transfer.column) : nullptr;
		if (column) base = column->base, padded = padded || base == "character";
		if (const core::Column *entity = relation && catalog == &source ? relation->column(transfer.mask.entity) : nullptr)
			entity_form = core::binary_form(entity->base);
	}
	auto mask = std::make_shared<core::Mask>(transfer.mask, key, base);
	// character(n) comes padded with blanks that are not part of the value: the mask is the one of the same text elsewhere.
	const bool binary = step.binary;
	const core::BinaryForm form = binary ? core::binary_form(base) : core::BinaryForm::same;
	const auto shown = step.relation.shown() + "." + transfer.column;
	auto write = [=, buffer = std::string(), of_entity = std::string(), field = std::string()](
	                 std::string_view value, std::optional<std::string_view> entity) mutable -> std::optional<std::string_view> {
		if (form == core::BinaryForm::unknown) return std::nullopt;    // NULL takes the place of values of every type: columns.cpp
		try {
			std::string_view text = text_of(value, binary, form, buffer);
			if (padded) text = text.substr(0, text.find_last_not_of(' ') + 1);
			const auto masked = (*mask)(text, entity ? text_of(*entity, binary, entity_form, of_entity) : text);
			if (!masked || (binary && form == core::BinaryForm::same)) return masked;
			field.clear();
			if (binary)
				core::append_binary(form, *masked, field);
			else
				core::append_copy_escaped(field, *masked);
			return field;
		} catch (const core::NoSuchValue &error) {
			throw Error(exit_check, shown + ": the rule cannot mask " + error.what(),
			    "nothing raw was copied; another strategy for the column, or the value mended in production");
		}
	};
	Replacement out{at, transfer.column, {}, core::gives_null(transfer.mask)};
	const std::string condition = core::mask_condition(transfer.mask), drawn_from = core::mask_entity(transfer.mask);
	if (condition.empty() && drawn_from.empty()) {
		out.value = [write](std::string_view value) mutable { return write(value, std::nullopt); };
		return out;
	}
	const auto field_of = [&](const std::string &sql) {
		return sql.empty() ? std::nullopt
		                   : std::optional(step.columns.size() +
		                         static_cast<std::size_t>(std::find(beside.begin(), beside.end(), sql) - beside.begin()));
	};
	out.value_in_row = [write, where = field_of(condition), whose = field_of(drawn_from)](
	                       std::string_view value, const auto &row) mutable -> std::optional<std::string_view> {
		if (where && (row[*where] == "f" || row[*where] == std::string_view("\0", 1))) return value;
		return write(value, whose ? row[*whose] : std::nullopt);
	};
	return out;
}

}  // namespace client
