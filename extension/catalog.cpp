// This database as one JSON document: the very statement that the client runs on the source.
#include "core/catalog_query.hpp"
#include "core/masking.hpp"
#include "mask.hpp"
#include "refresh.hpp"
#include "pg_server.hpp"

namespace prodsync {

// A client asks three times for a plan: its document, answers, plan. In a read-only transaction of one snapshot the catalog cannot have changed
// meanwhile, and with 1,000 tables it takes most of a second to read.
static std::string of_transaction;

static void forget(XactEvent event, void *)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) std::string().swap(of_transaction);
}

static void remember(const std::string &document)
{
	static bool watching = false;
	if (!watching) pg::call([] { RegisterXactCallback(forget, nullptr); }), watching = true;
	of_transaction = document;
}

std::string read_catalog()
{
	const bool stays = XactReadOnly && IsolationUsesXactSnapshot();
	if (stays && !of_transaction.empty()) return of_transaction;
	pg::Settings settings;
	for (const auto &[name, value] : core::catalog_settings) settings.set(name, value);
	pg::Spi spi;
	std::string document = spi.one(core::catalog_query).value_or("{}");
	if (has_file_key())    // what only the library knows: kept rows can be masked here
		document = spi.one("SELECT pg_catalog.jsonb_set($1::pg_catalog.jsonb, ARRAY['settings', $2], '\"usable\"')",
		                  {document, std::string(core::key_file_setting)})
		               .value_or("{}");
	if (stays) remember(document);
	return document;
}

PG_FUNCTION(prodsync_catalog)
{
	std::string document;
	{
		pg::AsExtension as(pg::extension_of(fcinfo));  // what the caller may read here decides nothing
		document = read_catalog();
	}
	return pg::jsonb_datum(document);
}

}  // namespace prodsync
