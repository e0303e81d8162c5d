-- sync_mask() and its siblings: the same objects as in the client. The golden file is read here and by the unit tests.
SET client_min_messages = warning;
CREATE DATABASE prodsync_mask;
\c prodsync_mask
CREATE EXTENSION prodsync;
\pset null NULL

-- without a key
SELECT sync_email('alice@example.com');
SELECT sync_redact('alice@example.com'), sync_mask('alice@example.com', 'redact');    -- needs none
SELECT sync_set_key('abc');
SELECT sync_set_key(repeat('x', 64));
SELECT sync_set_key(repeat('0', 64));

SELECT sync_set_key('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
CREATE TABLE golden (line serial, strategy text, options jsonb, value text, masked text);
\copy golden (strategy, options, value, masked) FROM 'test/fixtures/masks.tsv'
SELECT count(*) > 100 AS enough, count(DISTINCT strategy) >= 5 AS strategies FROM golden;
SELECT line, strategy, options FROM golden WHERE sync_mask(value, strategy, options) IS DISTINCT FROM masked;
-- each is a function of its own
CREATE FUNCTION by_name(strategy text, value text, options jsonb) RETURNS text LANGUAGE plpgsql AS $$DECLARE masked text; BEGIN
	IF options <> '{}' OR strategy NOT IN ('email', 'phone', 'name', 'redact', 'hash') THEN EXECUTE format('SELECT %I($1, $2)', 'sync_' || strategy) INTO masked USING value, options;
	ELSE EXECUTE format('SELECT %I($1)', 'sync_' || strategy) INTO masked USING value; END IF;
	RETURN masked; END$$;
SELECT line, strategy FROM golden WHERE (options = '{}' OR strategy NOT IN ('name', 'redact', 'hash')) AND masked IS DISTINCT FROM by_name(strategy, value, options);
SELECT sync_full_name('alice@example.com'), sync_partial('4111111111111111', '{"last": 4}'), sync_null('x') IS NULL AS "NULL", sync_city(NULL);
SELECT sync_hash('alice@example.com', 32), sync_mask('alice@example.com', 'none');
-- NULL stays NULL, the empty string empty
SELECT sync_email(NULL), sync_mask(NULL, 'email'), sync_mask('', 'email') = '' AS empty;

-- a type's own value by way of its text; options as JSON
SELECT sync_digits(4111111111111111::text), sync_digits('123456789', '{"keep_last": 4}'), sync_uuid('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid::text)::uuid,
	sync_ip('10.1.2.3'::inet::text, '{"keep": "network"}')::inet, sync_date_shift(to_char('1990-02-28'::date, 'YYYY-MM-DD'));
SELECT sync_ip('10.1.2.3', '{"keep": "all"}');
SELECT sync_number_range('5');

-- what is wrong is said, and nothing is masked by guess
SELECT sync_mask('a', 'emial');
SELECT sync_mask('a', NULL);
SELECT sync_mask('a', 'email', '{"lenght": 16}');
SELECT sync_mask('a', 'email', '[]');
SELECT sync_mask('a', 'email', '{"strategy": "hash"}');
SELECT sync_hash('a', 17);
SELECT sync_mask('a', 'hash', '{"length": "16"}');
SELECT sync_choice('a');
SELECT sync_constant('a');
SELECT sync_partial('a');
SELECT sync_phone('a', '{"country": 49}');
SELECT sync_email('a', '{"keep": "everything"}');

-- the key is no setting, and one session's is not another's
SELECT name FROM pg_settings WHERE setting ~ '000102';
\c
SELECT sync_email('alice@example.com');

-- the key's file: only a superuser names it, only the server may be able to read it
SELECT current_setting('data_directory') AS data \gset
\set file :data '/prodsync.key'
COPY (SELECT '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f') TO :'file';
DO $$BEGIN EXECUTE format('ALTER DATABASE prodsync_mask SET prodsync.key_file = %L', current_setting('data_directory') || '/prodsync.key'); END$$;
\c
SELECT sync_email('alice@example.com');    -- COPY made it readable for others
\setenv FILE :file
\! chmod 600 "$FILE"
SELECT sync_email('alice@example.com');
SELECT sync_set_key('ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');    -- the session's own comes first
SELECT sync_email('alice@example.com') <> 'user_d23ac2eb2e8ad87b@example.com' AS other;
\c
COPY (SELECT 'short') TO :'file';
SELECT sync_email('alice@example.com');
\! rm "$FILE"
SELECT sync_email('alice@example.com');
CREATE ROLE prodsync_mask_user;
GRANT EXECUTE ON FUNCTION sync_email(text) TO prodsync_mask_user;
SET ROLE prodsync_mask_user;
\set VERBOSITY sqlstate
SET prodsync.key_file = '/etc/hostname';
SHOW prodsync.key_file;
\set VERBOSITY default
SELECT sync_hash('alice@example.com');
RESET ROLE;
-- a role that runs refreshes gets no oracle for the server's key
SELECT sync_grant('prodsync_mask_user');
SET ROLE prodsync_mask_user;
SELECT sync_hash('alice@example.com');
SELECT sync_set_key('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
RESET ROLE;

-- what arrives without its mask is found before the switch (C1): values of every way to store them
DROP TABLE golden;
CREATE TABLE person (id int PRIMARY KEY, email varchar(254), code character(20), nick name, about text) WITH (toast_tuple_target = 128);    -- even a mask is stored elsewhere
SELECT sync_set_environment('uat', true);
SELECT '{"anonymize": {"tables": {"person": [{"column": "email", "strategy": "email"}, {"column": "code", "strategy": "hash"},
	{"column": "nick", "strategy": "name"}, {"column": "about", "strategy": "hash", "length": 32}]}}}'::jsonb AS config, sync_catalog() AS source \gset
SELECT jsonb_build_object('asked', coalesce(jsonb_agg(question), '[]')) AS answers FROM sync_questions(:'config', :'source') \gset
CREATE PROCEDURE refresh_with(config jsonb, source jsonb, answers jsonb, INOUT run int DEFAULT NULL) LANGUAGE plpgsql AS $$BEGIN
	SELECT max(s.run) INTO run FROM sync_start(config, source, answers) AS s; END$$;
CALL refresh_with(:'config', :'source', :'answers') \gset
BEGIN;
SELECT sync_step(:run, 1) AS shadow \gset
\set copy_in '\\copy ' :shadow ' FROM ''test/fixtures/unmasked.tsv'''
:copy_in
SELECT sync_loaded(:run, 1, 4);
COMMIT;
SELECT step, kind FROM sync_run_steps WHERE run = :run AND status = 'waiting' ORDER BY step;
SELECT sync_step(:run, 2);
SELECT check_name, object, violations, detail, ok FROM sync_run_checks WHERE run = :run AND check_name = 'masked form' ORDER BY object;
BEGIN ISOLATION LEVEL REPEATABLE READ;
\set VERBOSITY sqlstate
SELECT sync_step(:run, 3);
ROLLBACK;
\set VERBOSITY default
SELECT sync_discard(:run);

-- in another encoding the mask is that of the same text in UTF-8
CREATE DATABASE prodsync_mask_latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c prodsync_mask_latin
CREATE EXTENSION prodsync;
SELECT sync_set_key('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
SELECT sync_email(convert_from('\x4afc7267656e204dfc6c6c6572', 'LATIN1'));
SELECT sync_partial(convert_from('\x4afc7267656e204dfc6c6c6572', 'LATIN1'), '{"first": 2}') = convert_from('\x4afc', 'LATIN1') || '***********' AS kept;
\c prodsync_mask
DROP DATABASE prodsync_mask_latin;
DROP OWNED BY prodsync_mask_user;
DROP ROLE prodsync_mask_user;
\c regression
DROP DATABASE prodsync_mask;
