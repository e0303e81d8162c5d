// This database as one JSON document: the very statement that the client runs on the source.
#include "core/catalog_query.hpp"
#include "refresh.hpp"

namespace prodsync {

std::string read_catalog()
{
	pg::Settings settings;
	for (const auto &[name, value] : core::catalog_settings) settings.set(name, value);
	pg::Spi spi;
	return spi.one(core::catalog_query).value_or("{}");
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
