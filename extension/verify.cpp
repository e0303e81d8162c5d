// The verify step of one shadow: statistics, foreign keys, the keys it uses in tables that stay, the form of masked values. Nothing is thrown here: what is found goes
// into the ledger, and the preflight reports everything that failed at once.
#include "foreign_keys.hpp"
#include "masked_form.hpp"
#include "refresh.hpp"
#include "shadow.hpp"

namespace prodsync {

void step_verify(const pg::Extension &extension, int run, const StepRow &step)
{
	Refresh &refresh = refresh_of(extension, run);
	core::Name relation;
	for (const auto &[name, candidate] : refresh.catalog().relations)
		if (static_cast<Oid>(candidate.oid) == step.original) relation = name;
	if (relation.empty()) throw pg::Error(PS_STALE, "\"" + step.relation + "\" is not part of the plan");
	if (!step.item.value("whole", false)) analyze(extension, refresh.shadows.at(step.original));
	std::vector<Check> checks;
	{
		pg::Tables sql(extension);
		checks = verify_foreign_keys(sql, refresh, relation);
	}
	for (Check &check : verify_masked_forms(refresh, step)) checks.push_back(std::move(check));
	ledger::record(extension, run, checks);
}

}  // namespace prodsync
