#include "catch.hpp"
#include "core/masks.hpp"
#include "core/statements.hpp"
#include "small_catalog.hpp"

using namespace core;

TEST_CASE("COPY from the source reads the table itself, column by column")
{
	Step step;
	step.source_relation = {"public", "Odd Name"};
	step.columns = {{"id", "bigint", {}, ""}, {"order", "integer", {}, "integer"}};
	CHECK(copy_from_source(step) ==
	    "COPY (SELECT t.id, t.\"order\"::integer FROM ONLY public.\"Odd Name\" AS t) TO STDOUT (FORMAT binary)");
	step.binary = false;
	step.filter = "t.id = 1";
	CHECK(copy_from_source(step) ==
	    "COPY (SELECT t.id, t.\"order\"::integer FROM ONLY public.\"Odd Name\" AS t WHERE t.id = 1) TO STDOUT (FORMAT text, "
	    "ENCODING 'UTF8')");
	CHECK(copy_into_shadow(step, "prodsync_work.s1") ==
	    "COPY prodsync_work.s1 (id, \"order\") FROM STDIN (FREEZE true, FORMAT text, ENCODING 'UTF8')");
}

TEST_CASE("S6: which loads look at other tables")
{
	Step step;
	step.columns = {{"id", "bigint", {}, ""}, {"note", "text", {}, ""}};
	CHECK_FALSE(reads_more(step));
	step.columns[1].mask.strategy = "email";
	CHECK_FALSE(reads_more(step));
	Step filtered = step, nulled = step, conditional = step, computed = step;
	filtered.filter = "EXISTS (SELECT FROM ONLY public.parent AS p1 WHERE p1.id = t.id)";
	nulled.columns[1].source_value = "CASE WHEN EXISTS (SELECT FROM ONLY public.parent AS p1) THEN t.note END";
	conditional.columns[1].mask.when = "EXISTS (SELECT FROM public.parent)";
	computed.columns[1].mask.strategy = by_production;
	for (const Step &one : {filtered, nulled, conditional, computed}) CHECK(reads_more(one));
}

TEST_CASE("row security is an error on both sides (P15)")
{
	for (const auto &settings : {source_settings(150000), target_settings(150000)})
		CHECK(std::find(settings.begin(), settings.end(), "SET row_security = off") != settings.end());
}

TEST_CASE("both sides write names and values alike, for the catalog and for rows")
{
	for (const auto &settings : {source_settings(150000), target_settings(150000)})
		for (const char *setting : {"SET search_path = pg_catalog, pg_temp", "SET TimeZone = UTC", "SET DateStyle = ISO, YMD",
		         "SET IntervalStyle = postgres", "SET extra_float_digits = 3"})
			CHECK(std::find(settings.begin(), settings.end(), setting) != settings.end());
}

TEST_CASE("settings follow the server's release; the source is read-only")
{
	const auto has = [](const std::vector<std::string> &settings, const std::string &what) {
		return std::any_of(
		    settings.begin(), settings.end(), [&](const auto &setting) { return setting.find(what) != std::string::npos; });
	};
	CHECK_FALSE(has(source_settings(160000), "transaction_timeout = 0\n"));
	CHECK(has(source_settings(170000), "SET transaction_timeout = 0"));
	CHECK_FALSE(has(source_settings(160002), "SET transaction_timeout"));
	CHECK_FALSE(has(source_settings(130000), "idle_session_timeout"));
	CHECK(has(source_settings(150000), "default_transaction_read_only = on"));
	CHECK_FALSE(has(target_settings(150000), "read_only = on"));
}

TEST_CASE("a snapshot is exported or joined")
{
	CHECK(begin_snapshot("").find("READ ONLY;\nSELECT pg_catalog.pg_export_snapshot()") != std::string::npos);
	CHECK(begin_snapshot("0003-1").find("SET TRANSACTION SNAPSHOT '0003-1'") != std::string::npos);
	CHECK(lock_source({"a", "b"}) == "LOCK TABLE ONLY a.b IN ACCESS SHARE MODE");
}

TEST_CASE("arrays are one literal, whatever is in them")
{
	CHECK(array_literal({"1", "2"}, "bigint") == "'{1,2}'::bigint[]");
	CHECK(array_literal({"-1", "a \"b\", c"}, "text").find("\"a \\\\\"b\\\\\", c\"") != std::string::npos);
	CHECK(array_literal({}, "text") == "'{}'::text[]");
	CHECK(array_literal({"ab"}, "character") == "'{\"ab\"}'::pg_catalog.bpchar[]");    // character[] would keep one letter
	CHECK(cast_type("bit[]") == "pg_catalog.bit[]");
	CHECK(cast_type("character varying") == "character varying");
	CHECK(array_literal({"it's"}, "text") == "'{\"it''s\"}'::text[]");
	CHECK(array_literal({"(0,1)"}, "tid") == "'{\"(0,1)\"}'::tid[]");
}

TEST_CASE("rows of source tenants are left out along the path")
{
	const auto catalog = small::application();
	const auto tenant = small::name("tenant");
	CHECK(tenant_filter(catalog, {}, tenant, "id", {}).empty());
	CHECK(tenant_filter(catalog, {}, tenant, "id", {"7"}) == "(t.id = ANY ('{7}'::bigint[])) IS NOT TRUE");
	const Hop to_tenant{"customer_tenant_id_fkey", {"tenant_id"}, tenant, {"id"}};
	SECTION("NULL is no tenant: the row is copied (P9)")
	{
		CHECK(tenant_filter(catalog, {to_tenant}, tenant, "id", {"7", "8"}) ==
		    "(t.tenant_id = ANY ('{7,8}'::bigint[])) IS NOT TRUE");
	}
	SECTION("several hops (P10)")
	{
		const Hop to_customer{"tag_fkey", {"customer_id"}, small::name("customer"), {"id"}};
		CHECK(tenant_filter(catalog, {to_customer, to_tenant}, tenant, "id", {"7"}) ==
		    "NOT EXISTS (SELECT FROM ONLY public.customer AS p1 WHERE p1.id = t.customer_id AND p1.tenant_id = ANY "
		    "('{7}'::bigint[]))");
	}
	SECTION("a path by another unique key of the tenant table (M7)")
	{
		const Hop by_name{"x", {"schema"}, tenant, {"schema_name"}};
		CHECK(tenant_filter(catalog, {by_name}, tenant, "id", {"7"}) ==
		    "NOT EXISTS (SELECT FROM ONLY public.tenant AS p1 WHERE p1.schema_name = t.schema AND p1.id = ANY "
		    "('{7}'::bigint[]))");
	}
}
