// The configuration that lets sync_clear(), sync_remap_users() and sync_check() work from psql.
#include "inputs.hpp"
#include "core/graph.hpp"

namespace prodsync {

PG_FUNCTION(prodsync_configure)
{
	pg::prevent_in_read_only("sync_configure()");
	pg::Extension extension = pg::extension_of(fcinfo);
	std::vector<core::Problem> problems, warnings;
	core::Config config = core::Config::parse(json_arg(fcinfo, 0), problems);
	core::Catalog target = core::Catalog::parse(target_document(extension));
	if (config.choice != core::Choice{})
		problems.push_back({"unknown-key", "choice", "\"choice\" belongs to one refresh and is not stored", "take it out"});
	core::Graph::build(config, target, problems, warnings);  // names of tables and columns, rules that contradict each other
	refuse_problems(problems);
	store_config(extension, config);
	PG_RETURN_VOID();
}

PG_FUNCTION(prodsync_config)
{
	std::optional<core::Config> config = current_config(pg::extension_of(fcinfo));
	if (!config)
		throw pg::Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "this database has no configuration yet", {},
		    "SELECT sync_configure('{...}') stores one, and so does each refresh by the client.");
	return pg::jsonb_datum(config->to_json().dump());
}

}  // namespace prodsync
