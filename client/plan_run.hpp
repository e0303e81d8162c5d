// Everything up to the plan: sessions, the snapshot of production, both catalogs, guard, answers. Writes nothing and locks nothing;
// `prodsync plan` and `--dry-run` end here, a refresh goes on with what this returns.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include "../extension/core/answers.hpp"
#include "../extension/core/catalog.hpp"
#include "../extension/core/config.hpp"
#include "../extension/core/plan.hpp"
#include "connection.hpp"
#include "guard.hpp"
#include "key.hpp"
#include "source_sql.hpp"

namespace client {

enum class OnLock { wait, cancel };

struct RefreshOptions {
	Endpoint source, target;
	std::string demanded_label;                  // the environment's name where --to names one; empty: any label
	bool demand_refreshable = true;              // false (plan): a label that is missing is a warning
	core::json shared_config;                    // what of the file reaches the target
	core::Config config;                         // the same, parsed
	bool demand_masking = false;                 // --anonymize: a plan that masks nothing is a problem
	SourceSql source_sql;                        // what of the rules stays here
	KeyFound key;                                // for masking; only where the plan masks it matters whether there is one
	int jobs = 0;                                // 0: by the cores here, 2 to 4
	std::chrono::milliseconds lock_wait{600'000};
	OnLock on_lock = OnLock::wait;
	bool rehearse = false;                       // everything but the switch
};

struct Prepared {
	std::unique_ptr<Connection> source;          // holds the snapshot: an open transaction
	std::unique_ptr<Connection> target;          // the control session, no transaction open
	Extension extension;
	Environment label;
	std::string snapshot;
	core::json source_document;                  // the source's catalog as sync_plan() and sync_start() get it
	core::Catalog source_catalog, target_catalog;
	core::Answers answers;
	core::Plan plan;                             // with its problems: refuse_problems() throws them
	std::vector<std::string> warnings;           // of the guard; those of the plan are in plan.warnings
	int jobs = 2;
};

// A statement that reads a catalog opens relations (pg_get_expr() does), so it waits for whoever holds one against everybody: not longer than a minute,
// then he is named (exit 4). An open transaction is rolled back then.
Result exec_that_reads_catalog(Connection &connection, const std::string &sql, const Params &params = {}, Show show = Show::nothing);
// A catalog document by that statement.
std::optional<std::string> read_catalog(Connection &connection, const std::string &sql, Show show = Show::nothing);
// S6: a table truncated or rewritten since the snapshot reads as empty, without an error; one that was renamed is another, one that has lost a partition
// lacks its rows. The name of one that the open transaction has read so, while it holds their locks still, and what became of it.
struct ReadButRewritten {
	std::string name, what;    // "was renamed"
};
// From the rows of core::rewritten_since_snapshot().
std::optional<ReadButRewritten> rewritten_of(const Result &, const core::Catalog &);
std::optional<ReadButRewritten> read_but_rewritten(Connection &source, const core::Catalog &catalog);
// The source's catalog document, in the transaction that is open.
core::json source_catalog(Connection &source);
Prepared prepare(const RefreshOptions &options);
// Columns that are masked on their way.
std::size_t masked_columns(const core::Plan &plan);
// Exit 5 with all of them where there are any.
void refuse_problems(const core::Plan &plan);
// What the target's sync_plan() returns (section, object, item) against our own: "" or what differs. Pure.
std::string difference(const core::Plan &ours, const std::vector<core::Row> &theirs);

}  // namespace client
