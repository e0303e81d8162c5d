// Locks: the run's own, and those of the switch.
//
// The run's lock is an advisory lock tag that no SQL function can make, so no role can take, block or release it but through
// us: its fourth field is 0x7073. Control session and steps agree with each other, two controls do not, discarding agrees with nobody.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "pg.hpp"

namespace prodsync {

namespace run_lock {
bool control(int run);              // for the session (given back if this transaction is rolled back); false: another session has it
bool step(int run);                 // shared, for the transaction; false: the run is being discarded
// One refresh, clear or remap at a time in this database: for the transaction. false: somebody else is at it, or a run is being worked for.
bool alone();
// Ends whoever holds the run's lock and takes it exclusively for the transaction, waiting up to `ms`. Returns how many sessions were ended.
int discard(const pg::Extension &, int run, int ms);
bool alive(int run);                // does a session hold it as control, this one included?
bool worked_for(int run);           // does anybody hold it, as control or for a step?
void release(int run);              // control, if this session has it, when the transaction commits
}  // namespace run_lock

enum class Strength { access_share = 1, share_update_exclusive = 4, share = 5, share_row_exclusive = 6, exclusive = 7, access_exclusive = 8 };
struct Wanted { Oid relation; Strength strength; };
struct Holders {                    // who was in the way when a try ended
	std::string relation;           // as SQL
	bool deadlock = false;          // they waited for us, too
	std::string json;               // array of {pid, role, application, state, since, query, prepared, mode, granted}, as the caller may see it
};
enum class Then { hold, let_go };
// All locks or none, under one deadline of `ms` for all of them: TOAST tables of what is wanted exclusively first, then by strength and
// oid. deadlock_timeout is 10 ms for the try, so that a deadlock is ours to give up and autovacuum gives way. nullopt: all are held, or (let_go)
// were held for a moment: nobody is in the way. Other errors than "not available" and "deadlock" come through.
std::optional<Holders> try_locks(const std::vector<Wanted> &wanted, int ms, Then then = Then::hold);

}  // namespace prodsync
