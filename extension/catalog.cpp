// This database as one JSON document: the very statement that the client runs on the source.
#include "core/catalog_query.hpp"
#include "core/masking.hpp"
#include "mask.hpp"
#include "refresh.hpp"

namespace prodsync {

std::string read_catalog()
{
	pg::Settings settings;
	for (const auto &[name, value] : core::catalog_settings) settings.set(name, value);
	pg::Spi spi;
	// What only the library knows: kept rows can be masked here.
	const std::string noted = has_file_key() ? "usable" : "";
	if (noted.empty()) return spi.one(core::catalog_query).value_or("{}");
	return spi.one(std::string("SELECT pg_catalog.jsonb_set(q.document, ARRAY['settings', $1], pg_catalog.to_jsonb($2)) FROM (") + core::catalog_query + ") AS q",
		{std::string(core::key_file_setting), noted}).value_or("{}");
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
