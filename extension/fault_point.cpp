// Each point that is passed is a line of the server's log. Where the setting prodsync.fault_point names it, the session waits there for an
// advisory lock that the test holds, and can be interrupted, or fails if prodsync.fault_action is "error". The settings are the
// database's (ALTER DATABASE ... SET), so that every session of a run has them.
#ifdef PRODSYNC_FAULTS
#include "fault_point.hpp"
#include <cstring>
#include "pg_server.hpp"

namespace prodsync {

static constexpr uint32 held_by_the_test = 0x6661756c;  // pg_advisory_lock() of this number

static void pass(const char *name)
{
	ereport(LOG_SERVER_ONLY, (errmsg("fault point: %s", name), errhidestmt(true), errhidecontext(true)));
	const char *wanted = GetConfigOption("prodsync.fault_point", true, false);
	if (!wanted || std::strcmp(wanted, name) != 0) return;
	const char *action = GetConfigOption("prodsync.fault_action", true, false);
	if (action && std::strcmp(action, "error") == 0) pg::raise(ERRCODE_INTERNAL_ERROR, "a fault was asked for");
	LOCKTAG tag;
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, held_by_the_test, 1);
	(void)LockAcquire(&tag, ShareLock, false, false);
	(void)LockRelease(&tag, ShareLock, false);
}

void fault_point(const std::string &name)
{
	const char *text = name.c_str();
	pg::call([=] { pass(text); });
}

static const char *at_commit = nullptr;

static void committing(XactEvent event, void *)
{
	const char *name = at_commit;
	at_commit = nullptr;
	if (name && event == XACT_EVENT_PRE_COMMIT) pass(name);
}

void fault_point_at_commit(const char *name)
{
	static bool watching = false;
	if (!watching) RegisterXactCallback(committing, nullptr);
	watching = true;
	at_commit = name;
}

}  // namespace prodsync
#endif
