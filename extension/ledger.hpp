// The ledger: runs, their steps and checks, in prodsync_work. Everything here runs as the extension's owner, on a pg::Spi of its own.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include "core/answers.hpp"
#include "core/catalog.hpp"
#include "core/config.hpp"
#include "core/plan.hpp"
#include "pg.hpp"

namespace prodsync {

struct Check {                       // one row of sync_check(), sync_switch() and sync_run_checks
	std::string name, object;
	std::int64_t violations = 0;
	std::string detail;              // JSON or empty; never a value of a row but integer and uuid keys of the target
	bool ok = true;
};

struct Run {
	int run = 0;
	std::string kind, status, role;
};

struct Documents {                   // what a run's switch needs of what was known when it started
	core::Config config;
	core::Catalog target;
	core::Answers answers;
	std::string source_system, source_database;
	std::string fingerprint;
};

struct StepRow {
	int step = 0;
	std::string kind, relation, status;
	Oid original = InvalidOid, shadow = InvalidOid;
	core::json item;
};

namespace ledger {
// A new run; for kind clear and remap without steps and documents. Returns its number.
int open(const pg::Extension &, const std::string &kind, const core::json &config, const core::json &source, const core::json &documents,
		 const std::string &fingerprint, const std::vector<core::Step> &steps, const core::Catalog &target);
// Throws PS_REFUSED where there is no such run, or it belongs to another role than the caller.
Run find(const pg::Extension &, int run, Oid caller);
Documents documents(const pg::Extension &, int run);
StepRow step(const pg::Extension &, int run, int step);
// Notes this transaction with it. Throws PS_REFUSED where it was begun before.
void step_started(const pg::Extension &, int run, int step);
void step_done(const pg::Extension &, int run, int step, std::optional<std::int64_t> rows);
void remember_shadow(const pg::Extension &, int run, Oid original, Oid shadow);
void forget_shadow(const pg::Extension &, int run, Oid original);
std::vector<std::pair<Oid, Oid>> shadows(const pg::Extension &, int run);    // (original, shadow), by original
void record(const pg::Extension &, int run, const std::vector<Check> &checks);
void forget(const pg::Extension &, int run, const std::vector<std::string> &check_names);    // what the preflight foresaw
// Statuses that end a run free its documents.
// By the transaction id of the rows whose references it moved to kept rows (xid8, or empty): the next run knows them as production's.
void remember_switch(const pg::Extension &, int run, const std::string &moved_by);
void set_status(const pg::Extension &, int run, const std::string &status, const std::string &reason = {});
std::vector<Check> checks(const pg::Extension &, int run);    // all that were recorded
std::vector<pg::Row> as_rows(const std::vector<Check> &checks);
}  // namespace ledger

}  // namespace prodsync
