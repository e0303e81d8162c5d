#include "presets.hpp"
#include <algorithm>
#include "rules.hpp"

namespace core {
namespace {

struct Preset {
	const char *table;
	const char *mode;
	const char *what;
	// Columns that must be there: a table called "sessions" may as well be about yoga.
	std::vector<const char *> columns;
};

const std::vector<Preset> presets{
    // Django and its usual applications
    {"django_migrations", "keep", "migrations", {"app", "name"}},
    {"south_migrationhistory", "keep", "migrations", {}},
    {"django_session", "keep", "sessions", {}},
    {"user_sessions_session", "keep", "sessions", {}},
    {"authtoken_token", "keep", "tokens", {}},
    {"knox_authtoken", "keep", "tokens", {}},
    {"oauth2_provider_accesstoken", "keep", "tokens", {}},
    {"oauth2_provider_refreshtoken", "keep", "tokens", {}},
    {"oauth2_provider_idtoken", "keep", "tokens", {}},
    {"oauth2_provider_grant", "keep", "tokens", {}},
    {"token_blacklist_outstandingtoken", "keep", "tokens", {}},
    {"token_blacklist_blacklistedtoken", "keep", "tokens", {}},
    {"socialaccount_socialtoken", "keep", "tokens", {}},
    {"otp_totp_totpdevice", "keep", "tokens", {}},
    {"otp_static_staticdevice", "keep", "tokens", {}},
    {"otp_static_statictoken", "keep", "tokens", {}},
    // Rails
    {"schema_migrations", "keep", "migrations", {"version"}},
    {"data_migrations", "keep", "migrations", {"version"}},
    {"ar_internal_metadata", "keep", "migrations", {}},
    {"sessions", "keep", "sessions", {"session_id", "data"}},
    {"oauth_access_tokens", "keep", "tokens", {"token"}},
    {"oauth_access_grants", "keep", "tokens", {"token"}},
    // Sequelize, and the session stores that go with it
    {"SequelizeMeta", "keep", "migrations", {"name"}},
    {"SequelizeData", "keep", "migrations", {"name"}},
    {"Sessions", "keep", "sessions", {"sid", "data"}},
    {"sessions", "keep", "sessions", {"sid", "data"}},
    {"session", "keep", "sessions", {"sid", "sess"}},
};

}  // namespace

std::vector<Problem> missing_modes(const Catalog &catalog, const std::map<Name, const TableRule *> &rules)
{
	std::string names, lines;
	for (const Relation *r : catalog.tables()) {
		auto rule = rules.find(r->name);
		if (rule != rules.end() && rule->second->mode) continue;
		for (const Preset &p : presets) {
			bool known = r->name.name == p.table &&
			    std::all_of(p.columns.begin(), p.columns.end(), [&](const char *c) { return r->column(c); });
			if (!known) continue;
			names += (names.empty() ? "" : ", ") + r->name.shown() + " (" + p.what + ")";
			lines += "\n  " + yaml_table(catalog, r->name) + ": {mode: " + p.mode + "}";
			break;
		}
	}
	if (names.empty()) return {};
	return {{"missing-mode", "tables", "not said what becomes of " + names, "tables:" + lines}};
}

}  // namespace core
