// CHECK constraints that look at masked columns. Their rules are code: what they say of masks only the target can tell, which is asked to try them
// on masks of a sample before a row is written (client/try_checks.cpp). Until then each is a warning of the plan.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include "plan.hpp"

namespace core {

struct MaskedCheck {
	Name table;
	Name relation;                       // that has it: the table, or a partition that has it alone
	std::string constraint;
	bool of_domain = false;
	std::vector<std::string> columns;    // that it looks at, all of them; masked ones first
	std::size_t masked = 0;              // how many those are
	bool operator==(const MaskedCheck &) const = default;
};

// Those of tables that are copied: on the table itself, on its partitions and on the domains of its columns.
std::vector<MaskedCheck> masked_checks(const Plan &, const Catalog &target);

struct TriedCheck {
	MaskedCheck check;
	std::int64_t rows = 0, violations = 0;    // of the sample; rows 0: it could not be tried
	std::optional<MaskRule> allowed = std::nullopt;    // another rule, whose masks of the sample it allows
};

// Rules that could take the place of the column's, for a constraint that does not allow its masks: those whose masks have the form of what they
// replace, as far as the column takes them and its unique indexes are safe from them. Most likely ones first.
std::vector<MaskRule> form_keeping_rules(const Catalog &target, const Name &table, const std::string &column, const MaskRule &instead_of);

// Takes the warnings of what was tried away; what is violated becomes a problem that names constraint, columns and rules.
void tell_tried_checks(const std::vector<TriedCheck> &, const Catalog &target, Plan &);

// Names of the CHECK constraints that look at the column, partitions' and domains' included.
std::vector<std::string> checks_of(const Catalog &target, const Name &table, const Column &);
// The warning about a column whose constraints have these names.
Problem masked_check_warning(const Name &table, const std::string &column, const std::vector<std::string> &constraints, const MaskRule &);

}  // namespace core
