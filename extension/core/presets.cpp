// A table is recognized by its name and by columns that only the framework's table has: a table called "sessions" may as well be about yoga.
// Users are recognized too, so that the plan can name them; what becomes of them `users:` says, not a mode.
#include "presets.hpp"
#include <algorithm>
#include "rules.hpp"

namespace core {
namespace {

struct Preset {
	const char *framework, *table, *mode, *what;    // no mode: nothing is demanded
	std::vector<const char *> columns;
};

const std::vector<Preset> presets{
    // Django and its usual applications
    {"Django", "auth_user", "", "users", {"username", "password"}},
    {"Django", "django_migrations", "keep", "migrations", {"app", "name"}},
    {"Django", "south_migrationhistory", "keep", "migrations", {}},
    {"Django", "django_session", "keep", "sessions", {}},
    {"Django", "user_sessions_session", "keep", "sessions", {}},
    {"Django", "authtoken_token", "keep", "tokens", {}},
    {"Django", "knox_authtoken", "keep", "tokens", {}},
    {"Django", "oauth2_provider_accesstoken", "keep", "tokens", {}},
    {"Django", "oauth2_provider_refreshtoken", "keep", "tokens", {}},
    {"Django", "oauth2_provider_idtoken", "keep", "tokens", {}},
    {"Django", "oauth2_provider_grant", "keep", "tokens", {}},
    {"Django", "token_blacklist_outstandingtoken", "keep", "tokens", {}},
    {"Django", "token_blacklist_blacklistedtoken", "keep", "tokens", {}},
    {"Django", "socialaccount_socialtoken", "keep", "tokens", {}},
    {"Django", "otp_totp_totpdevice", "keep", "tokens", {}},
    {"Django", "otp_static_staticdevice", "keep", "tokens", {}},
    {"Django", "otp_static_statictoken", "keep", "tokens", {}},
    {"Django", "post_office_email", "empty", "mail queue", {"to", "status"}},
    {"Django", "django_q_ormq", "empty", "queue", {"key", "payload"}},
    {"Django", "django_q_schedule", "empty", "schedule", {"func", "next_run"}},
    {"Django", "django_celery_beat_periodictask", "empty", "schedule", {"task", "enabled"}},
    {"Django", "django_apscheduler_djangojob", "empty", "schedule", {"next_run_time"}},
    {"Django", "background_task", "empty", "queue", {"task_name", "run_at"}},
    {"Django", "mailer_message", "empty", "mail queue", {"message_data"}},
    {"Django", "fcm_django_fcmdevice", "empty", "device tokens", {"registration_id"}},
    {"Django", "push_notifications_gcmdevice", "empty", "device tokens", {"registration_id"}},
    {"Django", "push_notifications_apnsdevice", "empty", "device tokens", {"registration_id"}},
    {"Django", "push_notifications_webpushdevice", "empty", "device tokens", {"registration_id"}},
    // Rails
    {"Rails", "users", "", "users", {"email", "encrypted_password"}},
    {"Rails", "schema_migrations", "keep", "migrations", {"version"}},
    {"Rails", "data_migrations", "keep", "migrations", {"version"}},
    {"Rails", "ar_internal_metadata", "keep", "migrations", {}},
    {"Rails", "sessions", "keep", "sessions", {"session_id", "data"}},
    {"Rails", "oauth_access_tokens", "keep", "tokens", {"token", "resource_owner_id"}},
    {"Rails", "oauth_access_grants", "keep", "tokens", {"token"}},
    {"Rails", "delayed_jobs", "empty", "queue", {"handler", "run_at"}},
    {"Rails", "good_jobs", "empty", "queue", {"serialized_params"}},
    {"Rails", "solid_queue_jobs", "empty", "queue", {"class_name", "arguments"}},
    {"Rails", "solid_queue_recurring_tasks", "empty", "schedule", {"schedule"}},
    {"Rails", "que_jobs", "empty", "queue", {"job_class", "run_at"}},
    {"Rails", "rpush_notifications", "empty", "push queue", {"device_token", "delivered"}},
    // Sequelize, and the session stores that go with it
    {"Sequelize", "Users", "", "users", {"email"}},
    {"Sequelize", "SequelizeMeta", "keep", "migrations", {"name"}},
    {"Sequelize", "SequelizeData", "keep", "migrations", {"name"}},
    {"Sequelize", "Sessions", "keep", "sessions", {"sid", "data"}},
    {"Sequelize", "sessions", "keep", "sessions", {"sid", "data"}},
    {"Sequelize", "session", "keep", "sessions", {"sid", "sess"}},
    // Laravel: Passport's, Sanctum's and Telescope's tables as well
    {"Laravel", "users", "", "users", {"email", "password", "remember_token"}},
    {"Laravel", "migrations", "keep", "migrations", {"migration", "batch"}},
    {"Laravel", "sessions", "keep", "sessions", {"payload", "last_activity"}},
    {"Laravel", "personal_access_tokens", "keep", "tokens", {"tokenable_id", "token"}},
    {"Laravel", "oauth_access_tokens", "keep", "tokens", {"client_id", "revoked", "scopes"}},
    {"Laravel", "oauth_refresh_tokens", "keep", "tokens", {"access_token_id"}},
    {"Laravel", "oauth_auth_codes", "keep", "tokens", {"client_id", "revoked"}},
    {"Laravel", "password_resets", "keep", "password resets", {"email", "token"}},
    {"Laravel", "password_reset_tokens", "keep", "password resets", {"email", "token"}},
    {"Laravel", "jobs", "empty", "queue", {"queue", "payload", "attempts"}},
    {"Laravel", "failed_jobs", "empty", "queue", {"payload", "exception"}},
    {"Laravel", "job_batches", "empty", "queue", {"pending_jobs"}},
    {"Laravel", "cache", "empty", "cache", {"key", "value", "expiration"}},
    {"Laravel", "cache_locks", "empty", "cache", {"key", "owner", "expiration"}},
    // Prisma, and the tables that Auth.js makes with it
    {"Prisma", "User", "", "users", {"email"}},
    {"Prisma", "_prisma_migrations", "keep", "migrations", {"checksum", "migration_name"}},
    {"Prisma", "Session", "keep", "sessions", {"sessionToken"}},
    {"Prisma", "Account", "keep", "tokens", {"providerAccountId", "access_token"}},
    {"Prisma", "VerificationToken", "keep", "tokens", {"identifier", "token"}},
    {"Prisma", "VerificationRequest", "keep", "tokens", {"identifier", "token"}},
};

const Preset *preset_of(const Relation &table)
{
	const auto found = std::find_if(presets.begin(), presets.end(), [&](const Preset &preset) {
		return table.name.name == preset.table &&
		    std::all_of(preset.columns.begin(), preset.columns.end(), [&](const char *column) { return table.column(column); });
	});
	return found == presets.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Problem> missing_modes(const Graph &graph, const Catalog &catalog, const std::map<Name, const TableRule *> &rules)
{
	std::string names, lines;
	for (const Relation *r : catalog.tables()) {
		auto rule = rules.find(r->name);
		const Preset *preset = preset_of(*r);
		if (!preset || !*preset->mode || graph.node(r->name).stays || (rule != rules.end() && rule->second->mode)) continue;
		if (graph.node(r->name).mode != Mode::copy) continue;    // users.table
		names += (names.empty() ? "" : ", ") + r->name.shown() + " (" + preset->what + ")";
		lines += "\n  " + yaml_table(catalog, r->name) + ": {mode: " + preset->mode + "}";
	}
	if (names.empty()) return {};
	return {{"missing-mode", "tables", "not said what becomes of " + names, "tables:" + lines}};
}

std::map<std::string, std::vector<std::string>> recognized(const Catalog &catalog)
{
	std::map<std::string, std::vector<std::string>> out;
	for (const Relation *table : catalog.tables())
		if (const Preset *preset = preset_of(*table)) out[preset->framework].push_back(table->name.shown() + " (" + preset->what + ")");
	return out;
}

}  // namespace core
