#include "literals.hpp"

namespace prodsync {

bool literals_may_run_code(pg::Spi &spi, const char *catalog, Oid object)
{
	// A domain's constraint depends on its domain as a part of it (deptype a), whatever its expression has.
	return spi.one(R"(
WITH RECURSIVE used (oid) AS (
	SELECT d.refobjid FROM pg_depend d
	 WHERE d.classid = $1::regclass AND d.objid = $2::oid AND d.refclassid = 'pg_type'::regclass AND d.deptype = 'n'
	UNION
	SELECT inner_one.oid FROM used u JOIN pg_type t ON t.oid = u.oid
	  CROSS JOIN LATERAL (SELECT t.typelem UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
		UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS inner_one (oid)
	 WHERE inner_one.oid <> 0 AND t.typtype <> 'd')
SELECT 't' FROM used u JOIN pg_type t ON t.oid = u.oid WHERE t.typtype = 'd' LIMIT 1)",
	              {catalog, std::to_string(object)})
	    .has_value();
}

}  // namespace prodsync
