// prodsync plan --preview: what masking makes of a few rows of production.
#pragma once
#include "plan_run.hpp"

namespace client {

// For each table with masked columns its first `rows` rows, as a table of text and as JSON. Without `raw` a value that a mask leaves as it is (a
// condition says so) is not shown either. The plan has no problems. Reads production in the plan's snapshot.
struct Preview {
	std::string text;
	core::json tables = core::json::array();
};
Preview preview(const RefreshOptions &options, const Prepared &prepared, int rows, bool raw);

}  // namespace client
