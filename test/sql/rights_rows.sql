-- Whose rights code runs with (RIGHTS.md): what belongs to a table's definition as the table's owner, the configuration's predicates as the caller,
-- and nothing as a superuser.
SET client_min_messages = warning;
CREATE DATABASE prodsync_rows;
CREATE ROLE prodsync_curious;     -- owns the tables, and writes down who he is
CREATE ROLE prodsync_caller;      -- refreshes
\c prodsync_rows
CREATE EXTENSION prodsync;
SELECT sync_set_environment('uat', true);
SELECT sync_grant('prodsync_caller');
GRANT CREATE ON SCHEMA public TO prodsync_curious;

SET ROLE prodsync_curious;
CREATE TABLE seen (what text, who name, path text, superuser text);
GRANT INSERT ON seen TO PUBLIC;
CREATE FUNCTION look(what text) RETURNS void LANGUAGE plpgsql SET client_min_messages = error AS $$
BEGIN
	INSERT INTO public.seen VALUES (what, current_user, current_setting('search_path'), current_setting('is_superuser'));
	-- what a superuser's rights would be good for
	BEGIN
		ALTER ROLE prodsync_curious SUPERUSER;
		INSERT INTO public.seen VALUES (what || ' became a superuser', current_user, NULL, NULL);
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
END $$;
CREATE FUNCTION in_check(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM public.look('check'); RETURN true; END$$;
CREATE FUNCTION in_default() RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM public.look('default'); RETURN 'default'; END$$;
CREATE FUNCTION in_domain(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM public.look('domain'); RETURN true; END$$;
-- declared as immutable, which they are not
CREATE FUNCTION in_generated(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM public.look('generated'); RETURN $1 || '!'; END$$;
CREATE FUNCTION in_index(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM public.look('index'); RETURN $1; END$$;
CREATE FUNCTION in_predicate(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM public.look('index predicate'); RETURN true; END$$;
CREATE FUNCTION in_trigger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM public.look('trigger'); RETURN NEW; END$$;
CREATE FUNCTION in_policy(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM public.look('policy'); RETURN true; END$$;
CREATE FUNCTION in_cast(int) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM public.look('cast'); RETURN $1; END$$;
CREATE DOMAIN label AS text CHECK (in_domain(VALUE));
CREATE TABLE tenant (id serial PRIMARY KEY, schema_name text UNIQUE);
CREATE TABLE customer (id serial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, name text CHECK (in_check(name)), label label, filled text DEFAULT in_default(),
	twice text GENERATED ALWAYS AS (in_generated(name)) STORED);
CREATE INDEX ON customer (in_index(name)) WHERE in_predicate(name);
CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON customer FOR EACH ROW EXECUTE FUNCTION in_trigger();
ALTER TABLE customer ENABLE ALWAYS TRIGGER t;
INSERT INTO tenant (schema_name) VALUES ('test_a'), ('old');
INSERT INTO customer (tenant_id, name, label) VALUES (1, 'kept', 'l'), (2, 'old', 'l');
CREATE TABLE session (key text PRIMARY KEY, customer_id int REFERENCES customer);
CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON session FOR EACH ROW EXECUTE FUNCTION in_trigger();
INSERT INTO session VALUES ('s', 1);
-- P15: forced row level security, and a policy that does not show the owner a row
ALTER TABLE customer ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON customer USING (in_policy(name) AND false);
GRANT SELECT ON tenant TO prodsync_caller;
TRUNCATE seen;
RESET ROLE;
CREATE FUNCTION in_event() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (tg_event || ' ' || tg_tag, current_user); END$$;
CREATE EVENT TRIGGER e1 ON ddl_command_start EXECUTE FUNCTION in_event();
CREATE EVENT TRIGGER e2 ON ddl_command_end EXECUTE FUNCTION in_event();
CREATE EVENT TRIGGER e3 ON sql_drop EXECUTE FUNCTION in_event();
CREATE EVENT TRIGGER e4 ON table_rewrite EXECUTE FUNCTION in_event();
-- of the caller; who runs it is written down
SET ROLE prodsync_curious;
CREATE FUNCTION chosen(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM public.look('predicate'); RETURN $1 LIKE 'test%'; END$$;
TRUNCATE seen;
RESET ROLE;

SELECT sync_catalog() || '{"system_identifier": "4711"}' AS source \gset
SET ROLE prodsync_caller;
SELECT sync_configure('{"tenants": {"table": "tenant", "keep": "public.chosen(schema_name)"}, "tables": {"session": {"mode": "keep"}, "seen": {"mode": "keep"}}, "anonymize": {"policy": "none"}}');

-- ---- COPY, its indexes, kept rows, references of what stays ----
SELECT max(run) AS run FROM sync_start(sync_config(), :'source', (SELECT jsonb_build_object('asked', jsonb_agg(question), 'target_tenants', 2, 'kept_tenants', '["test_a"]'::jsonb) FROM sync_questions(sync_config(), :'source'))) \gset
SELECT step FROM sync_run_steps WHERE run = :run AND kind = 'load' AND relation = 'customer' \gset
RESET ROLE;
SELECT count(*) FROM seen;
SET ROLE prodsync_caller;
BEGIN;
SELECT sync_step(:run, :step) AS shadow \gset
COPY :shadow (id, tenant_id, name, label) FROM STDIN (FREEZE);
1	1	one	l
\.
SELECT sync_loaded(:run, :step, 1);
COMMIT;
RESET ROLE;
SELECT DISTINCT what, who, path FROM seen ORDER BY 1, 2, 3;
SET ROLE prodsync_curious;
TRUNCATE seen;
SET ROLE prodsync_caller;
SELECT step FROM sync_run_steps WHERE run = :run AND kind = 'load' AND relation = 'tenant' \gset
BEGIN;
SELECT sync_step(:run, :step) AS other \gset
COPY :other FROM STDIN (FREEZE);
1	acme
\.
SELECT sync_loaded(:run, :step, 1);
COMMIT;
SELECT relation, sync_step(s.run, s.step) AS verified FROM sync_run_steps AS s WHERE s.run = :run AND kind = 'verify' ORDER BY 1;
SELECT step FROM sync_run_steps WHERE run = :run AND kind = 'preflight' \gset
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT sync_step(:run, :step);
COMMIT;
RESET ROLE;
SELECT DISTINCT what, who, path FROM seen ORDER BY 1, 2, 3;
SET ROLE prodsync_curious;
TRUNCATE seen;
SET ROLE prodsync_caller;
SELECT check_name, violations, detail FROM sync_switch(:run) WHERE check_name = 'kept rows';
SELECT current_user, current_setting('search_path') AS search_path;
RESET ROLE;
SELECT DISTINCT what, who, path FROM seen ORDER BY 1, 2, 3;
SELECT id, tenant_id, name, filled, twice FROM customer ORDER BY 1;
TABLE session;
SET ROLE prodsync_caller;
SELECT sync_discard(:run);

-- ---- by hand ----
RESET ROLE;
SET ROLE prodsync_curious;
TRUNCATE seen;
SET ROLE prodsync_caller;
BEGIN;
SELECT * FROM sync_clear();
SELECT * FROM sync_reset_sequences();
SELECT check_name, object, violations FROM sync_check() WHERE NOT ok;
COMMIT;
RESET ROLE;
SELECT DISTINCT what, who, path, superuser FROM seen ORDER BY 1, 2, 3;
SELECT id, tenant_id, name, filled, twice FROM customer ORDER BY 1;

-- ---- the predicate is one condition, with the rights of who calls ----
SET ROLE prodsync_caller;
-- (the event triggers do write down what they see, this statement)
CREATE FUNCTION pg_temp.failing(keep text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sync_configure(jsonb_set(sync_config(), '{tenants,keep}', to_jsonb(keep)));
	PERFORM sync_clear();
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
RESET ROLE;
SELECT what, who FROM seen WHERE what LIKE '% %' ORDER BY 1, 2;
SET ROLE prodsync_caller;
SELECT pg_temp.failing('EXISTS (SELECT 1 FROM public.customer)');        -- may not read it
SELECT pg_temp.failing('EXISTS (SELECT 1 FROM prodsync_work.run)');
SELECT pg_temp.failing('true); DROP TABLE public.tenant; SELECT (true');
SELECT pg_temp.failing('true -- the rest');
SELECT pg_temp.failing('set_config(''role'', ''none'', false) IS NOT NULL');
SELECT current_user;
SELECT pg_temp.failing('set_config(''search_path'', ''nowhere'', false) IS NOT NULL');
SHOW search_path;
SELECT pg_temp.failing('1 / 0 = 1');
SELECT current_user;
RESET ROLE;
SELECT count(*) FROM tenant;

-- ---- nobody may look into the private schema ----
SELECT count(*) FILTER (WHERE has_schema_privilege(oid, 'prodsync_work', 'USAGE') OR has_schema_privilege(oid, 'prodsync_work', 'CREATE')) AS roles FROM pg_roles WHERE NOT rolsuper AND rolname NOT LIKE 'pg\_%';
SELECT relname FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relacl IS NOT NULL;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
SET ROLE prodsync_caller;
SELECT max(run) AS run FROM sync_start(sync_config(), :'source', (SELECT jsonb_build_object('asked', jsonb_agg(question), 'target_tenants', 2, 'kept_tenants', '["test_a"]'::jsonb) FROM sync_questions(sync_config(), :'source'))) \gset
SELECT min(step) AS step FROM sync_run_steps WHERE run = :run AND kind = 'load' AND relation = 'customer' \gset
BEGIN;
SELECT sync_step(:run, :step) AS shadow \gset
SELECT sync_loaded(:run, :step, 0);
COMMIT;
RESET ROLE;
SELECT relacl, relowner::regrole FROM pg_class WHERE oid = :'shadow'::regclass;
-- pg_dump knows nothing of shadows
\setenv PGDATABASE prodsync_rows
\set dumped `pg_dump -s | grep -c 'prodsync_work\.s_'`
\echo :dumped
\set VERBOSITY sqlstate
DROP TABLE :shadow;
SET ROLE prodsync_curious;
DROP TABLE :shadow;
CREATE TRIGGER t BEFORE INSERT ON :shadow FOR EACH ROW EXECUTE FUNCTION in_trigger();
RESET ROLE;
\set VERBOSITY default
-- the table can be dropped meanwhile
BEGIN;
ALTER TABLE session DROP CONSTRAINT session_customer_id_fkey;
DROP TABLE customer;
ROLLBACK;
SET ROLE prodsync_caller;
SELECT sync_discard(:run);
RESET ROLE;
DROP EXTENSION prodsync CASCADE;
SELECT count(*) FROM pg_namespace WHERE nspname = 'prodsync_work';

\c postgres
DROP DATABASE prodsync_rows;
DROP ROLE prodsync_curious, prodsync_caller;
