-- The run's lock and the lock tries of the switch, against other sessions. Those are psql in the background; what they wait in is ended here.
SET client_min_messages = warning;
CREATE DATABASE prodsync_locks;
\c prodsync_locks
CREATE EXTENSION prodsync;
CREATE TABLE customer (id bigint PRIMARY KEY, note text);
INSERT INTO customer SELECT i, 'uat' FROM generate_series(1, 10) AS i;
SELECT sync_set_environment('uat', true);
SELECT sync_configure('{"anonymize": {"policy": "none"}}');
CREATE FUNCTION shadows() RETURNS bigint LANGUAGE sql AS $$SELECT count(*) FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relkind = 'r' AND relname LIKE 's\_%'$$;
CREATE PROCEDURE wait_until(condition text) LANGUAGE plpgsql AS $$
DECLARE
	done boolean;
BEGIN
	FOR i IN 1..3000 LOOP
		EXECUTE 'SELECT ' || condition INTO done;
		COMMIT;
		IF done THEN RETURN; END IF;
		PERFORM pg_sleep(0.01);
	END LOOP;
	RAISE 'waited in vain until %', condition;
END $$;
CREATE FUNCTION sleeps(name text) RETURNS boolean LANGUAGE sql AS $$SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = name AND query LIKE '%pg_sleep%' AND state = 'active')$$;
CREATE FUNCTION is_gone(name text) RETURNS boolean LANGUAGE sql AS $$SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = name)$$;
\setenv PGDATABASE prodsync_locks

-- ---- a run of another session ----
\set ignored `PGAPPNAME=first psql -X -c "SELECT count(*) FROM sync_start(sync_config(), sync_catalog(), '{}')" -c "SELECT pg_sleep(600)" >/dev/null 2>&1 </dev/null &`
CALL wait_until($$sleeps('first')$$);
SELECT max(run) AS run FROM sync_runs \gset
CREATE FUNCTION told(command text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	message := regexp_replace(message, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', '(time)');
END $$;
SELECT * FROM told($$SELECT sync_start(sync_config(), sync_catalog(), '{}')$$);
SELECT * FROM told($$SELECT sync_clear()$$);
SELECT sync_discard();
SELECT status FROM sync_runs;
SELECT sync_discard(:run, 'somebody else''s turn');
CALL wait_until($$is_gone('first')$$);
SELECT status, reason FROM sync_runs;

-- ---- two that begin in the same moment: the second one is refused, whichever commits ----
BEGIN;
SELECT count(*) > 0 AS started FROM sync_start(sync_config(), sync_catalog(), '{}');
\set said `PGOPTIONS='-c client_min_messages=error' psql -X -At -c "SELECT count(*) FROM sync_start(sync_config(), sync_catalog(), '{}')" 2>&1`
\echo :said
ROLLBACK;

-- ---- S9: what works for a run is ended before its shadows go, and nothing can begin meanwhile ----
SELECT max(run) AS run FROM sync_start(sync_config(), sync_catalog(), '{}') \gset
\set ignored `PGAPPNAME=worker psql -X -c "BEGIN" -c "SELECT sync_step(:run, 1)" -c "SELECT pg_sleep(600)" >/dev/null 2>&1 </dev/null &`
CALL wait_until($$sleeps('worker')$$);
\set VERBOSITY terse
SELECT sync_step(:run, 1);
\set VERBOSITY default
BEGIN;
SELECT sync_discard(:run);
SELECT shadows();
\set said `psql -X -At -c "SELECT sync_step(:run, 1)" 2>&1 | sed 's/run [0-9]*/run N/'`
\echo :said
COMMIT;
CALL wait_until($$is_gone('worker')$$);
SELECT shadows();
SELECT status FROM sync_runs WHERE run = :run;
-- an advisory lock that any role can take is not in the way
\set ignored `PGAPPNAME=hostile psql -X -c "SELECT pg_advisory_lock(0, r), pg_advisory_lock(r) FROM generate_series(1, 50) AS r" -c "SELECT pg_sleep(600)" >/dev/null 2>&1 </dev/null &`
CALL wait_until($$sleeps('hostile')$$);
SELECT max(run) AS run FROM sync_start(sync_config(), sync_catalog(), '{}') \gset
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hostile';

-- ---- the locks of the switch ----
BEGIN;
SELECT sync_step(:run, 1) AS shadow \gset
COPY :shadow FROM STDIN (FREEZE);
1	production
\.
SELECT sync_loaded(:run, 1, 1);
COMMIT;
SELECT sync_step(:run, 2);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT sync_step(:run, 3);
COMMIT;
-- in a function, so that DETAIL can be taken apart: who is there
CREATE FUNCTION try_switch(run int, ms int) RETURNS TABLE (state text, message text, role text, application text, doing text, mode text, prepared text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	code text; said text; holders text;
BEGIN
	PERFORM sync_switch(run, ms);
	RETURN QUERY SELECT 'done', NULL, NULL, NULL, NULL, NULL, NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, holders = PG_EXCEPTION_DETAIL;
	RETURN QUERY SELECT code, said, h ->> 'role', h ->> 'application', h ->> 'state', h ->> 'mode', h ->> 'prepared' FROM jsonb_array_elements(holders::jsonb) AS h;
END $$;
\set ignored `PGAPPNAME=reader psql -X -c "BEGIN" -c "SELECT count(*) FROM customer" -c "SELECT pg_sleep(600)" >/dev/null 2>&1 </dev/null &`
CALL wait_until($$sleeps('reader')$$);
SELECT * FROM try_switch(:run, 50);
-- what else happens meanwhile comes through
SET statement_timeout = '100ms';
\set VERBOSITY sqlstate
SELECT * FROM sync_switch(:run, 60000);
\set VERBOSITY default
RESET statement_timeout;
-- a role that may not see what others do is told who they are
CREATE ROLE prodsync_plain;
SELECT sync_grant('prodsync_plain');
UPDATE prodsync_work.run SET role = 'prodsync_plain' WHERE run = :run;
SET ROLE prodsync_plain;
SELECT * FROM try_switch(:run, 50);
RESET ROLE;
UPDATE prodsync_work.run SET role = current_user WHERE run = :run;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reader';
CALL wait_until($$is_gone('reader')$$);

-- a prepared transaction has no session
BEGIN;
UPDATE customer SET note = 'prepared' WHERE id = 1;
PREPARE TRANSACTION 'prodsync forgotten';
SELECT * FROM try_switch(:run, 50);
ROLLBACK PREPARED 'prodsync forgotten';
SELECT bool_and(ok) AS ok FROM sync_switch(:run);
TABLE customer;
SELECT sync_discard(:run);

-- ---- between two tries nothing is held, and what was done before them is still there ----
CREATE TABLE zone (id int PRIMARY KEY);    -- locked after customer
CREATE FUNCTION waits_between() RETURNS boolean LANGUAGE sql AS $$
	SELECT EXISTS (SELECT 1 FROM pg_stat_activity AS a WHERE application_name = 'clearer' AND wait_event_type = 'Extension'
		AND NOT EXISTS (SELECT 1 FROM pg_locks AS l WHERE l.pid = a.pid AND relation IN ('customer'::regclass, 'zone'::regclass) AND mode = 'AccessExclusiveLock'))
$$;
\set ignored `PGAPPNAME=reader psql -X -c "BEGIN" -c "SELECT count(*) FROM zone" -c "SELECT pg_sleep(600)" >/dev/null 2>&1 </dev/null &`
CALL wait_until($$sleeps('reader')$$);
\set ignored `PGAPPNAME=clearer psql -X -c "BEGIN" -c "CREATE TABLE before_it ()" -c "SELECT * FROM sync_clear()" -c "COMMIT" >/dev/null 2>&1 </dev/null &`
CALL wait_until('waits_between()');
SELECT count(*) FROM customer;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reader';
CALL wait_until($$is_gone('clearer')$$);
SELECT count(*), to_regclass('before_it') FROM customer;

\c postgres
DROP DATABASE prodsync_locks;
DROP ROLE prodsync_plain;
