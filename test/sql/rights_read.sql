-- Reading is no harmless thing: the planner evaluates calls of functions that are declared as immutable, in indexes, statistics, partition keys and
-- CHECKs. Whoever reads, they run as the table's owner; where a statement's tables have several owners, as nobody (pg_tables.cpp).
SET client_min_messages = warning;
CREATE DATABASE prodsync_read;
CREATE ROLE prodsync_one;         -- own tables, and write down who runs their code
CREATE ROLE prodsync_two;
CREATE ROLE prodsync_reader;      -- refreshes, and has EXECUTE only
\c prodsync_read
CREATE EXTENSION prodsync;
SELECT sync_set_environment('uat', true);
SELECT sync_grant('prodsync_reader');
GRANT CREATE ON SCHEMA public TO prodsync_one, prodsync_two;
CREATE TABLE seen (what text, who text, superuser text, restricted text, path text);
GRANT ALL ON seen TO PUBLIC;
CREATE FUNCTION write_down(what text) RETURNS text LANGUAGE plpgsql SET client_min_messages = error AS $$
DECLARE
	who text = 'nobody';
	restricted text = 'no';
BEGIN
	BEGIN who = current_user; EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN EXECUTE 'RESET ROLE'; EXCEPTION WHEN insufficient_privilege THEN restricted = 'yes'; END;
	BEGIN PERFORM public.sync_discard(); restricted = 'could call us'; EXCEPTION WHEN OTHERS THEN NULL; END;
	INSERT INTO public.seen VALUES (what, who, current_setting('is_superuser'), restricted, current_setting('search_path'));
	RETURN what;
END $$;
CREATE FUNCTION look(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN public.write_down(what); END$$;    -- which it is not

-- (session authorization, since RESET ROLE is among what the functions try)
-- the constants are what the planner evaluates: nobody has to read a row
SET SESSION AUTHORIZATION prodsync_one;
CREATE TABLE tenant (id serial PRIMARY KEY, schema_name text UNIQUE, secret text DEFAULT 'hidden', CHECK (look('check of tenant') IS NOT NULL));
CREATE INDEX ON tenant (id) WHERE look('index predicate of tenant') > '';
CREATE INDEX ON tenant ((schema_name || look('index expression of tenant')));
CREATE STATISTICS tenant_statistics ON (schema_name || look('statistics of tenant')), id FROM tenant;
CREATE TABLE customer (id serial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant);
CREATE INDEX ON customer (id) WHERE look('index predicate of customer') > '';
GRANT REFERENCES ON customer TO prodsync_two;
CREATE TABLE history (id int, tenant_id int REFERENCES tenant, at int) PARTITION BY RANGE ((at + length(look('partition key of history'))));
CREATE TABLE history_1 PARTITION OF history FOR VALUES FROM (0) TO (1000);
CREATE TABLE history_2 PARTITION OF history FOR VALUES FROM (1000) TO (2000);
CREATE TABLE auth_user (id serial PRIMARY KEY, username text UNIQUE NOT NULL, is_admin boolean DEFAULT false, password text DEFAULT 'hidden');
CREATE INDEX ON auth_user (id) WHERE look('index predicate of auth_user') > '';
SET SESSION AUTHORIZATION prodsync_two;
CREATE TABLE note (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, user_id int);
CREATE INDEX ON note (id) WHERE look('index predicate of note') > '';
RESET SESSION AUTHORIZATION;
ALTER TABLE note ADD FOREIGN KEY (user_id) REFERENCES auth_user;
INSERT INTO tenant (schema_name) VALUES ('test_a'), ('old');
INSERT INTO customer (tenant_id) VALUES (1), (2);
INSERT INTO auth_user (username, is_admin) VALUES ('admin', true), ('bob', false);
INSERT INTO note (customer_id, user_id) VALUES (1, 2), (2, 1);
INSERT INTO history VALUES (1, 1, 10), (2, 2, 10), (3, 1, 1500);
ANALYZE;

-- As whom code ran since the last time. (Caches and the server's version decide which of it runs when, the end of this test looks at all of it.)
CREATE TABLE met (step text, who text, what text);
CREATE FUNCTION met(step text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO met SELECT DISTINCT met.step, s.who, s.what FROM seen AS s;
	RETURN QUERY SELECT DISTINCT CASE
			WHEN s.superuser = 'off' AND s.restricted = 'yes' AND s.path = 'pg_catalog, pg_temp' AND
				s.who IN ('nobody', CASE WHEN s.what LIKE '% note' THEN 'prodsync_two' ELSE 'prodsync_one' END) THEN 'owner or nobody'
			ELSE s::text END FROM seen AS s ORDER BY 1;
	DELETE FROM seen;
END $$;
-- (\c: a new session each time, so that no cache hides what is evaluated)
SELECT count(*) > 0 AS "written down" FROM met('the owners themselves');
TRUNCATE met;

-- ---- the plan ----
\c prodsync_read
SELECT sync_catalog() || '{"system_identifier": "4711"}' AS source \gset
SELECT '{"tenants": {"table": "tenant", "keep": "schema_name LIKE ''test\\_%''"}, "users": {"table": "auth_user", "fallback": "is_admin", "match": ["username"]}, "tables": {"seen": {"mode": "keep"}, "met": {"mode": "keep"}}, "anonymize": {"policy": "none"}}' AS config \gset
SET SESSION AUTHORIZATION prodsync_reader;
SELECT sync_configure(:'config');
SELECT relation, kept_rows FROM sync_tables();
SELECT * FROM sync_answers(:'config', :'source', '{}') WHERE question NOT LIKE 'pairs%' ORDER BY 1;
-- natural keys only as digests
SELECT question, cells[1], cells[2] = encode(sha256('bob'), 'hex') AS bob FROM sync_answers(:'config', :'source', '{}') WHERE question LIKE 'pairs%' ORDER BY 2;
RESET SESSION AUTHORIZATION;
SELECT * FROM met('the plan');

-- ---- a refresh ----
\c prodsync_read
SET SESSION AUTHORIZATION prodsync_reader;
SELECT jsonb_build_object('asked', (SELECT jsonb_agg(question) FROM sync_questions(:'config', :'source')), 'target_tenants', 2, 'kept_tenants', '["test_a"]'::jsonb,
	'maps', '{"public.auth_user": {"pairs": {"1": "1", "2": "2"}, "fallback": "1", "fallback_candidates": 1}}'::jsonb) AS answers \gset
SELECT max(run) AS run FROM sync_start(:'config', :'source', :'answers') \gset
CREATE FUNCTION pg_temp.load(run int, wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
	FOR s IN SELECT step FROM sync_run_steps r WHERE r.run = load.run AND r.kind = wanted ORDER BY step LOOP
		PERFORM sync_step(load.run, s.step);
		IF wanted = 'load' THEN PERFORM sync_loaded(load.run, s.step, 0); END IF;
	END LOOP;
	RETURN wanted;
END $$;
SELECT pg_temp.load(:run, 'load');
SELECT pg_temp.load(:run, 'index');
SELECT pg_temp.load(:run, 'verify');
RESET SESSION AUTHORIZATION;
SELECT * FROM met('load, index, verify');
SET SESSION AUTHORIZATION prodsync_reader;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.load(:run, 'preflight');
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT * FROM met('preflight');
SET SESSION AUTHORIZATION prodsync_reader;
SELECT check_name, violations, detail FROM sync_switch(:run) WHERE check_name = 'kept rows';
RESET SESSION AUTHORIZATION;
SELECT * FROM met('switch');
SET SESSION AUTHORIZATION prodsync_reader;
SELECT sync_discard(:run);

-- ---- by hand ----
\c prodsync_read
SET SESSION AUTHORIZATION prodsync_reader;
SELECT check_name, object, violations FROM sync_check() WHERE NOT ok;
SELECT relation, mapped, fallback FROM sync_remap_users() ORDER BY 1;
SELECT * FROM sync_clear() ORDER BY 1;
SELECT * FROM sync_reset_sequences() ORDER BY 1;
RESET SESSION AUTHORIZATION;
SELECT * FROM met('by hand');

-- ---- what a role with EXECUTE only is not shown ----
\c prodsync_read
SET SESSION AUTHORIZATION prodsync_reader;
\set VERBOSITY sqlstate
TABLE tenant;
SELECT password FROM auth_user;
\set VERBOSITY default
SELECT sync_configure(:'config');
CREATE FUNCTION pg_temp.kept(keep text, label text DEFAULT 'schema_name') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	config jsonb = jsonb_build_object('tenants', jsonb_build_object('table', 'tenant', 'keep', keep, 'label', label), 'tables', '{"seen": {"mode": "keep"}, "met": {"mode": "keep"}, "auth_user": {"mode": "keep"}}'::jsonb);
	hint text;
	message text;
BEGIN
	RETURN (SELECT string_agg(cells::text, ' ') FROM sync_answers(config, sync_catalog(), '{}') WHERE question LIKE 'kept_tenants%');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, message = MESSAGE_TEXT;
	RETURN SQLSTATE || ' ' || message || coalesce(E'\nHINT: ' || nullif(hint, ''), '');
END $$;
\pset tuples_only
SELECT pg_temp.kept('schema_name LIKE ''test%''');
SELECT pg_temp.kept('lower(schema_name) = ANY (ARRAY[''test_a'']) AND id < 2000000000 AND now() > ''2020-01-01''');
SELECT pg_temp.kept('true', 'secret');
SELECT pg_temp.kept('"look"(secret) > ''''');
SELECT pg_temp.kept('secret = ANY (SELECT ''hidden'')');
SELECT pg_temp.kept('query_to_xml(format(''SELECT public.look(%L)'', secret), true, false, '''') IS NOT NULL');
SELECT pg_temp.kept('pg_notify(''x'', secret) IS NULL');
CREATE DOMAIN pg_temp.spy AS text CHECK (public.look(VALUE) IS NOT NULL);
SELECT pg_temp.kept('secret::pg_temp.spy IS NOT NULL');
SELECT pg_temp.kept('(tenant.*)::text > ''''');
SELECT pg_temp.kept('true) UNION SELECT (1');
SELECT pg_temp.kept('"look"(t::text) > ''''');
SELECT pg_temp.kept('t IS NOT NULL AND schema_name > ''''');
RESET SESSION AUTHORIZATION;
GRANT SELECT (schema_name, id) ON tenant TO prodsync_reader;
SELECT * FROM met('nothing that the caller may not read was carried away');
SET SESSION AUTHORIZATION prodsync_reader;
-- of what he may read himself he may do as he likes
SELECT pg_temp.kept('public.look(schema_name) > ''''');
SELECT pg_temp.kept('EXISTS (SELECT FROM public.auth_user WHERE auth_user.username = schema_name)');
SELECT pg_temp.kept('look(schema_name) > '''' AND secret > ''''');
\pset tuples_only off
RESET SESSION AUTHORIZATION;
SELECT * FROM met('of what he may read');
-- each owner's code was met in a statement over his tables alone, and in one with the other's tables too
SELECT DISTINCT who FROM met WHERE step <> 'of what he may read' ORDER BY 1;
SELECT DISTINCT what FROM met ORDER BY 1;

\c postgres
DROP DATABASE prodsync_read;
DROP ROLE prodsync_one, prodsync_two, prodsync_reader;
