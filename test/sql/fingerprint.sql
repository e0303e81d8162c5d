-- S3: what a plan relies on changes the fingerprint, maintenance does not.
SET client_min_messages = warning;
CREATE DATABASE prodsync_fingerprint;
\c prodsync_fingerprint
CREATE EXTENSION prodsync;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE parent (id serial PRIMARY KEY, name text NOT NULL, feeling mood, n positive);
CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id int REFERENCES parent, body text, price numeric(10,2) DEFAULT 1, UNIQUE (parent_id, body));
CREATE INDEX child_expression ON child (lower(body)) WHERE price > 0;
CREATE INDEX child_plain ON child (price);
CREATE TABLE history (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE history_2025 PARTITION OF history FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM child;
INSERT INTO parent (name) SELECT 'p' || i FROM generate_series(1, 100) AS i;
INSERT INTO child (parent_id, body) SELECT i, repeat('x', 5000) || i FROM generate_series(1, 100) AS i;
ALTER TABLE child ADD quick int DEFAULT 7;    -- a value kept in the catalog until the table is rewritten
SELECT sync_set_environment('uat', true);

-- What a run would remember; the run itself is rolled back.
CREATE FUNCTION fingerprint() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	PERFORM sync_start('{"anonymize": {"policy": "none"}, "accept": {"published": ["child"]}}', sync_catalog(), '{}');
	SELECT fingerprint INTO found FROM prodsync_work.run ORDER BY run DESC LIMIT 1;
	RAISE EXCEPTION SQLSTATE 'FP000' USING MESSAGE = found;
EXCEPTION WHEN SQLSTATE 'FP000' THEN
	RETURN SQLERRM;
END $$;
CREATE TABLE prodsync_work.seen (what text, fingerprint text, number serial);
-- What the next one changed, in words.
CREATE FUNCTION look(what text) RETURNS text LANGUAGE sql AS $$
	INSERT INTO prodsync_work.seen (what, fingerprint) VALUES ($1, public.fingerprint());
	SELECT format('%-40s %s', $1, CASE WHEN count(DISTINCT fingerprint) = 1 THEN 'same' ELSE 'other' END) FROM (SELECT fingerprint FROM prodsync_work.seen ORDER BY number DESC LIMIT 2) AS s
$$;
\pset tuples_only on
\pset format unaligned
SELECT look('the first time');

-- ---- maintenance ----
VACUUM FULL;
SELECT look('VACUUM FULL');
REINDEX TABLE child;
SELECT look('REINDEX');
REINDEX TABLE CONCURRENTLY child;
SELECT look('REINDEX CONCURRENTLY');
REINDEX TABLE CONCURRENTLY parent;
SELECT look('REINDEX CONCURRENTLY of what is referenced');
ANALYZE;
SELECT look('ANALYZE');
VACUUM FREEZE;
SELECT look('VACUUM FREEZE');
CLUSTER child USING child_pkey;
SELECT look('CLUSTER');
TRUNCATE child;
SELECT look('TRUNCATE');
REFRESH MATERIALIZED VIEW seen;
SELECT look('REFRESH');
SELECT 'nextval ' || nextval('parent_id_seq');
ALTER SEQUENCE parent_id_seq RESTART WITH 500;
SELECT look('a sequence restarted');
ALTER TABLE child ALTER body SET STATISTICS 500;
SELECT look('a statistics target');
ALTER TABLE child SET (fillfactor = 70, autovacuum_enabled = false);
SELECT look('storage parameters');
GRANT SELECT ON child TO PUBLIC;
SELECT look('a right');
COMMENT ON TABLE child IS 'children';
SELECT look('a comment');
CREATE VIEW children AS SELECT * FROM child;
SELECT look('a view');
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
SELECT look('a function');
CREATE TEMP TABLE mine (id int PRIMARY KEY, n int CHECK (n > 0));
CREATE TEMP TABLE mine_too (id int) PARTITION BY LIST (id);
SELECT look('temporary tables');

-- ---- changes ----
CREATE TABLE added (id int);
SELECT look('a table');
ALTER TABLE added ADD name text;
SELECT look('a column');
ALTER TABLE added RENAME name TO title;
SELECT look('a column renamed');
ALTER TABLE added ALTER title TYPE varchar(30);
SELECT look('a type');
ALTER TABLE added ALTER title TYPE varchar(31);
SELECT look('a length');
ALTER TABLE added ALTER title SET DEFAULT 'x';
SELECT look('a default');
ALTER TABLE added ALTER title SET DEFAULT 'y';
SELECT look('another default');
ALTER TABLE added ALTER title SET NOT NULL;
SELECT look('NOT NULL');
ALTER TABLE added ADD CONSTRAINT small CHECK (id < 10);
SELECT look('a check');
ALTER TABLE added ADD FOREIGN KEY (id) REFERENCES parent NOT VALID;
SELECT look('a foreign key');
ALTER TABLE added VALIDATE CONSTRAINT added_id_fkey;
SELECT look('a foreign key validated');
ALTER TABLE added DISABLE TRIGGER ALL;
SELECT look('a foreign key switched off');
ALTER TABLE added ADD PRIMARY KEY (id);
SELECT look('a primary key');
CREATE INDEX added_title ON added (title);
SELECT look('an index');
ALTER INDEX added_title RENAME TO added_name;
SELECT look('an index renamed');
DROP INDEX child_expression;
CREATE INDEX child_expression ON child (upper(body)) WHERE price > 0;
SELECT look('another expression in an index');
DROP INDEX child_expression;
CREATE INDEX child_expression ON child (upper(body)) WHERE price > 1;
SELECT look('another predicate of an index');
DROP INDEX child_plain;
CREATE INDEX child_plain ON child (price DESC);
SELECT look('another direction of an index');
CREATE TRIGGER t BEFORE INSERT ON added FOR EACH ROW EXECUTE FUNCTION f();
SELECT look('a trigger');
ALTER TABLE added DISABLE TRIGGER t;
SELECT look('a trigger switched off');
CREATE POLICY p ON added USING (id > 1);
SELECT look('a policy');
ALTER POLICY p ON added USING (id > 2);
SELECT look('a policy changed');
SET client_min_messages = error;    -- the server's wal_level may suffice or not
CREATE PUBLICATION carried FOR TABLE child;
SELECT look('a publication');
ALTER PUBLICATION carried SET (publish = 'insert');
SELECT look('what a publication carries');
ALTER PUBLICATION carried DROP TABLE child;
SELECT look('a table no longer published');
DROP PUBLICATION carried;
SET client_min_messages = warning;
SELECT look('a publication dropped');
ALTER TABLE added ENABLE ROW LEVEL SECURITY;
SELECT look('row security');
CREATE TABLE history_2026 PARTITION OF history FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
SELECT look('a partition');
ALTER TABLE history DETACH PARTITION history_2026;
SELECT look('a partition detached');
ALTER DOMAIN positive ADD CHECK (VALUE < 1000);
SELECT look('a check of a domain');
ALTER SEQUENCE parent_id_seq MAXVALUE 100000;
SELECT look('the end of a sequence');
ALTER TABLE added DROP COLUMN title;
SELECT look('a column dropped');
CREATE SCHEMA elsewhere;
ALTER TABLE added SET SCHEMA elsewhere;
SELECT look('another schema');
ALTER SCHEMA elsewhere RENAME TO somewhere;
SELECT look('a schema renamed');
DROP TABLE somewhere.added;
SELECT look('a table dropped');
CREATE MATERIALIZED VIEW seen_too AS SELECT 1;
SELECT look('a materialized view');

\c postgres
DROP DATABASE prodsync_fingerprint;
