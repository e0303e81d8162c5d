-- sync_anonymize(): a database restored from a snapshot is masked where it stands, by the stored configuration.
SET client_min_messages = warning;
CREATE DATABASE prodsync_anonymize;
\c prodsync_anonymize
CREATE EXTENSION prodsync;
\pset null NULL
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION watched() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'a trigger fired'; END$$;
CREATE TABLE customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, name varchar(80) NOT NULL, shown text GENERATED ALWAYS AS (upper(name)) STORED,
	phones text[], profile jsonb, born date, code char(10), feeling mood, note text, CHECK (name <> ''));
CREATE INDEX ON customer (lower(email));
CREATE STATISTICS customer_pairs (mcv) ON code, feeling FROM customer;
CREATE TABLE login (email text NOT NULL REFERENCES customer (email), at timestamptz NOT NULL, PRIMARY KEY (email, at));
CREATE TABLE visit (id int, city text, at date NOT NULL, customer_id bigint REFERENCES customer) PARTITION BY RANGE (at);
CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
CREATE TABLE mail (id int PRIMARY KEY, body text);
CREATE TABLE mail_log (id int PRIMARY KEY, mail_id int REFERENCES mail);
CREATE TABLE product (id int PRIMARY KEY, title text);
CREATE TABLE setting (owner_email text, value text);
INSERT INTO customer (email, name, phones, profile, born, code, feeling, note)
	SELECT CASE WHEN i < 98 THEN 'raw' || i || '@secret.test' END, 'Raw Person ' || i, ARRAY['+4930123456' || i], jsonb_build_object('mail', 'raw' || i || '@secret.test', 'size', i),
		date '1980-01-01' + i, 'RAWCODE' || i % 3, CASE i % 2 WHEN 0 THEN 'good' ELSE 'bad' END::mood, CASE i WHEN 1 THEN '' ELSE repeat('raw secret text ', 400) END FROM generate_series(1, 99) AS i;
INSERT INTO login SELECT email, now() FROM customer WHERE email IS NOT NULL;
INSERT INTO visit SELECT i, 'Rawtown', date '2024-06-01' + i * 10, i FROM generate_series(1, 99) AS i;
INSERT INTO mail SELECT i, 'raw mail' FROM generate_series(1, 7) AS i;
INSERT INTO mail_log VALUES (1, 1), (2, NULL);
INSERT INTO product VALUES (1, 'a thing');
INSERT INTO setting VALUES ('raw1@secret.test', 'x');
CREATE MATERIALIZED VIEW addresses AS SELECT id, email FROM customer;
CREATE UNIQUE INDEX ON addresses (id);    -- it could be refreshed concurrently, which would leave dead raw rows in its file
CREATE MATERIALIZED VIEW later AS SELECT * FROM addresses WITH NO DATA;
-- what an owner wrote runs as the owner
CREATE ROLE prodsync_shop;
CREATE FUNCTION of_the_shop(text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RETURN coalesce(current_setting('shop.strict', true), '') <> 'on' OR current_user = 'prodsync_shop'; END$$;
ALTER TABLE visit ADD CHECK (public.of_the_shop(city));
ALTER TABLE visit OWNER TO prodsync_shop;
ALTER TABLE visit_old OWNER TO prodsync_shop;
ALTER TABLE visit_new OWNER TO prodsync_shop;
SET shop.strict = on;
CREATE TRIGGER watched BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON customer FOR EACH STATEMENT EXECUTE FUNCTION watched();
ALTER TABLE customer ENABLE ALWAYS TRIGGER watched;
ANALYZE;

-- what has to be there first; nothing is locked or written before it is
SELECT * FROM sync_anonymize();
SELECT sync_set_environment('uat', true);
SELECT * FROM sync_anonymize();
SELECT sync_configure('{"tables": {"mail": {"mode": "empty"}, "mail_log": {"references": {"mail_id": {"on_missing": "null"}}}}}');
\set VERBOSITY terse
SELECT * FROM sync_anonymize();    -- columns that look personal and have no rule (strict)
SELECT sync_configure('{"anonymize": {"policy": "none"}}');
\set VERBOSITY default
SELECT * FROM sync_anonymize();    -- no rule
CREATE FUNCTION configure(more text DEFAULT '{}', tables text DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT sync_configure(jsonb_build_object('tables', '{"mail": {"mode": "empty"}, "mail_log": {"references": {"mail_id": {"on_missing": "null"}}}}'::jsonb || tables::jsonb,
		'anonymize', jsonb_build_object('policy', 'none', 'tables', '{
			"customer": [{"column": "email", "strategy": "email"}, {"column": "name", "strategy": "full_name"}, {"column": "phones", "strategy": "phone"},
				{"column": "profile", "path": "$.mail", "strategy": "email"}, {"column": "born", "strategy": "date_shift", "entity": "id"}, {"column": "code", "strategy": "redact"},
				{"column": "feeling", "strategy": "choice"}, {"column": "note", "strategy": "null"}],
			"login": [{"column": "email", "strategy": "email"}],
			"visit": [{"column": "city", "strategy": "city"}]}'::jsonb || more::jsonb)))
$$;
SELECT configure();
SELECT * FROM sync_anonymize();    -- no key
SELECT sync_set_key('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');

-- rules that cannot be followed here
SELECT configure('{"setting": [{"column": "value", "strategy": "redact", "when": "value <> ''''"}]}');
SELECT * FROM sync_anonymize();
SELECT configure('{"visit": [{"column": "at", "strategy": "date_shift"}]}');
SELECT * FROM sync_anonymize();
SELECT configure('{"setting": [{"column": "owner_email", "strategy": "email"}]}', '{"setting": {"mode": "keep"}}');
SELECT * FROM sync_anonymize();    -- a kept table
SELECT configure('{"login": [{"column": "email", "strategy": "none"}]}');
SELECT * FROM sync_anonymize();    -- a reference of which only one end is masked
SELECT configure();
SELECT * FROM sync_anonymize(ARRAY['login']::regclass[]);    -- and one of which only one end is asked for
SELECT * FROM sync_anonymize(ARRAY['product']::regclass[]);
SELECT * FROM sync_anonymize(ARRAY['visit_old']::regclass[]);
SELECT * FROM sync_anonymize('{}');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM sync_anonymize();
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM sync_anonymize();
ROLLBACK;
SELECT prodsync_work.mask_in_place('a', NULL, 0);

-- nothing was changed so far
SELECT count(*) FROM customer WHERE email LIKE 'raw%@secret.test';

-- a CHECK that a mask breaks takes everything back
ALTER TABLE customer ADD CONSTRAINT raw_only CHECK (code ~ '^RAW');
\set VERBOSITY sqlstate
SELECT * FROM sync_anonymize();
\set VERBOSITY default
SELECT count(*) FROM customer WHERE email LIKE 'raw%@secret.test';
ALTER TABLE customer DROP CONSTRAINT raw_only;

-- some of the tables; what is emptied may be referenced by others
SELECT * FROM sync_anonymize(ARRAY['visit', 'mail']::regclass[]);
BEGIN;
SELECT * FROM sync_anonymize(ARRAY['visit', 'mail', 'mail_log']::regclass[]);
ROLLBACK;
SELECT count(*) FROM visit WHERE city = 'Rawtown';

CREATE TABLE before AS SELECT id, email, name, born FROM customer;
SELECT sync_anonymize();

-- keys and references hold, ids stay, and the masks are those of everywhere
SELECT count(*) AS customers, count(email) AS with_email, count(*) FILTER (WHERE shown = upper(name)) AS generated, count(DISTINCT email) AS different FROM customer;
SELECT count(*) > 90 AS shifted, count(DISTINCT c.born - b.born) > 50 AS each_by_itself FROM before b JOIN customer c USING (id) WHERE c.born <> b.born;
SELECT count(*) FROM before b JOIN customer c USING (id) WHERE (c.email = sync_mask(b.email, 'email') OR c.email IS NULL AND b.email IS NULL) AND c.name = sync_mask(b.name, 'full_name');
SELECT count(*) FROM login JOIN customer USING (email);
SELECT profile ->> 'size' AS size, profile ->> 'mail' = email AS same, array_length(phones, 1) AS phones, phones[1] ~ '^\+493012345' AS raw, code, feeling, note FROM customer WHERE id IN (1, 2) ORDER BY id;
SELECT tableoid::regclass, count(*), count(*) FILTER (WHERE city = 'Rawtown') AS raw FROM visit GROUP BY 1 ORDER BY 1;
SELECT (SELECT count(*) FROM mail) AS mail, count(*) AS log, count(mail_id) AS referring FROM mail_log;
INSERT INTO product VALUES (2, 'b');
SELECT nextval(pg_get_serial_sequence('customer', 'id'));
-- views, statistics and what a person had not thought of
SELECT count(*) FROM addresses WHERE email LIKE 'raw%';
SELECT relispopulated FROM pg_class WHERE relname = 'later';
SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public' AND tablename NOT IN ('before', 'setting') AND (most_common_vals::text || coalesce(histogram_bounds::text, '')) ~* 'raw' ORDER BY 1, 2;
SELECT count(*) FROM pg_stats_ext WHERE most_common_vals::text ~* 'raw';
SELECT count(*) > 0 AS gathered_again FROM pg_stats_ext WHERE most_common_vals IS NOT NULL;
SELECT count(*) AS inherited FROM pg_stats WHERE tablename = 'visit' AND inherited AND attname = 'city';
SELECT count(*) FROM pg_class WHERE relnamespace = 'prodsync_work'::regnamespace AND relkind = 'r' AND relname LIKE 's\_%';
SELECT kind, status FROM sync_runs;
SELECT check_name, count(*), bool_and(ok) FROM sync_run_checks GROUP BY 1 ORDER BY 1;
SELECT check_name, object FROM sync_check() WHERE NOT ok;
SELECT sync_config() -> 'choice' IS NULL AS nothing_of_one_call_is_stored;

-- a second run masks what is there: masks of masks, as equal as before
CREATE TABLE once AS SELECT id, email FROM customer;
SELECT * FROM sync_anonymize();
SELECT count(*) FROM once JOIN customer c USING (id) WHERE c.email = sync_mask(once.email, 'email') AND c.email <> once.email;

-- by steps, as the client does it: whoever writes to a table meanwhile is held from before it is read, in the transaction of the switch
CREATE TABLE small (id int PRIMARY KEY, email text);
INSERT INTO small VALUES (1, 'raw1@secret.test');
SET client_min_messages = warning;
CREATE FUNCTION begin_in_place() RETURNS int LANGUAGE sql AS $$
	SELECT max(run) FROM sync_start('{"anonymize": {"policy": "none", "tables": {"small": [{"column": "email", "strategy": "email"}]}}, "choice": {"in_place": true}}', sync_catalog(), '{"asked": []}')
$$;
CREATE PROCEDURE work(this int) LANGUAGE plpgsql AS $$
DECLARE
	s record;
BEGIN
	FOR s IN SELECT * FROM sync_run_steps WHERE run = this AND status = 'waiting' AND kind = 'verify' LOOP PERFORM sync_step(this, s.step); END LOOP;
END $$;
SELECT kind, relation, item.depends_on FROM sync_start('{"anonymize": {"policy": "none", "tables": {"small": [{"column": "email", "strategy": "email"}]}}, "choice": {"in_place": true}}', sync_catalog(), '{"asked": []}') AS item ORDER BY step;
SELECT sync_discard(max(run)) FROM sync_runs;
SELECT begin_in_place() AS run \gset
BEGIN;
SELECT sync_step(:run, 1) AS shadow \gset
COPY :shadow FROM STDIN;
1	user_0123456789abcdef@example.com
\.
SELECT sync_loaded(:run, 1, 1);
COMMIT;
CALL work(:run);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT sync_step(:run, step) FROM sync_run_steps WHERE run = :run AND kind = 'preflight';
COMMIT;
SELECT * FROM sync_switch(:run);
BEGIN;
SELECT sync_hold(:run);    -- too late
SELECT * FROM sync_switch(:run);
ROLLBACK;
SELECT sync_discard(:run);
SELECT sync_hold(:run);
SELECT * FROM small;
-- a column that came after the plan would lose its values
CREATE TABLE planned AS SELECT sync_catalog() AS catalog;
ALTER TABLE small ADD phone text DEFAULT 'raw';
\set VERBOSITY terse
SELECT * FROM sync_start('{"anonymize": {"policy": "none", "tables": {"small": [{"column": "email", "strategy": "email"}]}}, "choice": {"in_place": true}}', (SELECT catalog FROM planned), '{"asked": []}');
\set VERBOSITY default
-- a run stores its rules, and leaves the tenants that are stored
CREATE TABLE tenant (id int PRIMARY KEY, slug text);
SELECT sync_configure('{"tenants": {"table": "tenant", "keep": "slug = ''test''"}}');
SELECT sync_discard(begin_in_place());
SELECT sync_config() -> 'tenants' ->> 'table' AS tenants, sync_config() #> '{anonymize,tables,small}' IS NOT NULL AS rules;
-- a view over what is emptied, and one that is not populated any more: nothing is known of their rows afterwards; nor of rows that hang from emptied ones
CREATE TABLE queue (id int PRIMARY KEY, body text);
CREATE TABLE queue_entry (id int PRIMARY KEY, queue_id int NOT NULL REFERENCES queue, body text);
INSERT INTO queue SELECT i, 'raw mail' FROM generate_series(1, 20) AS i;
INSERT INTO queue_entry SELECT i, 1, 'raw entry' FROM generate_series(1, 20) AS i;
CREATE MATERIALIZED VIEW bodies AS SELECT body FROM queue;
CREATE MATERIALIZED VIEW unread AS SELECT body FROM queue;
-- masks are those of the type's output, as everywhere: a cast to text would say true, and 10.0.0.1/32
CREATE TABLE form (id int PRIMARY KEY, yes boolean, address inet, yes_text text, address_text text, born date, born_too date);
INSERT INTO form VALUES (1, true, '10.0.0.1', 't', '10.0.0.1', '1990-01-01', '1990-01-01');
ANALYZE;
REFRESH MATERIALIZED VIEW unread WITH NO DATA;
SELECT count(*) AS known FROM pg_stats WHERE tablename IN ('bodies', 'unread');
SELECT sync_configure('{"tables": {"queue": {"mode": "empty"}, "queue_entry": {"references": {"queue_id": {"on_missing": "drop"}}}},
	"anonymize": {"policy": "none", "tables": {"form": [{"column": "address", "strategy": "ip"}, {"column": "address_text", "strategy": "ip"},
		{"column": "born", "strategy": "date_shift", "entity": "yes"}, {"column": "born_too", "strategy": "date_shift", "entity": "yes_text"}]}}}');
SELECT * FROM sync_anonymize();
SELECT address = address_text::inet AS same, born = born_too AS same_shift FROM form;
SELECT count(*) AS known FROM pg_stats WHERE tablename IN ('bodies', 'unread');
-- the proof reads masks back in the text forms that they were made in, whatever the session has
CREATE TABLE moment (id int PRIMARY KEY, at timestamptz, born date, email text);
INSERT INTO moment VALUES (1, '2025-03-05 12:00+00', '1990-01-01', 'raw@corp.test');
SELECT sync_configure('{"anonymize": {"policy": "none", "tables": {"moment": [{"column": "at", "strategy": "date_truncate"},
	{"column": "born", "strategy": "constant", "value": "1970-01-01"}, {"column": "email", "strategy": "email"}]}}}');
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'German, DMY';
SELECT column_name, rows FROM sync_anonymize();
SELECT at, born FROM moment;
SELECT object, violations, ok FROM sync_check() WHERE check_name = 'masked form';
RESET TimeZone;
RESET DateStyle;
-- sync_check(): without tenants nothing tells a tester's row from one that was restored; what is found is said
INSERT INTO moment (id, email) VALUES (2, 'tester@corp.test');
SELECT object, violations, detail, ok FROM sync_check() WHERE check_name = 'masked form' AND violations > 0;
-- with them: rows of kept tenants, and those of the reserved range, are testers'
CREATE TABLE person (id int PRIMARY KEY, tenant_id int REFERENCES tenant, email text, about jsonb);
INSERT INTO tenant VALUES (1, 'acme'), (2, 'test');
INSERT INTO person VALUES (1, 1, 'user_0123456789abcdef@example.com', '{"mail": "user_0123456789abcdef@example.com", "kind": "raw"}'),
	(2, 2, 'raw@corp.test', '{"mail": "raw@corp.test"}'), (1000000001, 1, 'raw@corp.test', '{"mail": "raw@corp.test"}');
SELECT sync_configure('{"tenants": {"table": "tenant", "keep": "slug = ''test''"}, "anonymize": {"policy": "none", "tables": {"person": [
	{"column": "email", "strategy": "email"}, {"column": "about", "path": "$.mail", "strategy": "email"}]}}}');
SELECT object, violations, ok FROM sync_check() WHERE check_name = 'masked form';
UPDATE person SET email = 'raw@corp.test', about = '{"mail": "raw@corp.test"}' WHERE id = 1;
SELECT object, violations, detail, ok FROM sync_check() WHERE check_name = 'masked form';
\c regression
DROP DATABASE prodsync_anonymize;
DROP ROLE prodsync_shop;

