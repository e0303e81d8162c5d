// The documents that callers hand in (configuration, source's catalog, answers), and how what is wrong with them is told.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "core/answers.hpp"
#include "core/catalog.hpp"
#include "core/config.hpp"
#include "pg.hpp"

namespace prodsync {

core::json json_arg(FunctionCallInfo, int n);
// Errors of the caller (22023), not of ours, where it is no such document.
core::Catalog source_arg(FunctionCallInfo, int n);
core::Answers answers_arg(FunctionCallInfo, int n);
// This database as the extension's owner sees it, so that what the caller may read decides nothing.
core::json target_document(const pg::Extension &);

// Throws PS_PROBLEMS with all of them in DETAIL, [{id, object, text, fix}], unless there are none.
void refuse_problems(const std::vector<core::Problem> &problems);

// The current configuration: sync_configure()'s, or that of the last refresh that was started.
std::optional<core::Config> current_config(const pg::Extension &);
// The stored configuration holds predicates that run as whoever calls: PS_REFUSED where its author could not do as the caller what they say.
void refuse_foreign_text(const pg::Extension &);
bool may_run_stored_text(const pg::Extension &);
void store_config(const pg::Extension &, const core::Config &);

}  // namespace prodsync
