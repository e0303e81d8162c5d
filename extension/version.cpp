#include "pg.hpp"

// The library's version, for the handshake with the client; the extension's is in pg_extension.
PG_FUNCTION(prodsync_version) { return pg::text_datum(VERSION); }
