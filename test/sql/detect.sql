-- sync_detect_pii(): what looks personal in this database. It tells categories and counts, never a value.
SET client_min_messages = warning;
CREATE DATABASE prodsync_detect;
CREATE ROLE prodsync_owner;
CREATE ROLE prodsync_looker;      -- has EXECUTE only
\c prodsync_detect
SET client_min_messages = warning;
CREATE EXTENSION prodsync;
SELECT sync_grant('prodsync_looker');
GRANT CREATE ON SCHEMA public TO prodsync_owner;
SET ROLE prodsync_owner;
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, full_name varchar(40), born date);
INSERT INTO users (email, full_name) SELECT 'secret' || i || '@leak.test', 'Anna Miller' FROM generate_series(1, 20) i;
CREATE TABLE things (id serial PRIMARY KEY, a text, b jsonb, c text, d json, label text, placed_by text REFERENCES users (email), e text[], empty_email text);
INSERT INTO things (a, b, c, d, label, e) SELECT '+4917112345' || 100 + i, '{"contacts": [{"mail_to": "secret@leak.test"}], "secretkey7": 1, "leak@leak.test": 2}',
	'rang about the order, write to secret@leak.test', '{"total": 1}', 'thing ' || i, ARRAY['x', 'secret@leak.test'] FROM generate_series(1, 20) i;
COMMENT ON COLUMN things.label IS 'PII, says legal';
CREATE TABLE history (at date, ip inet, plain text) PARTITION BY RANGE (at);
CREATE TABLE history_1 PARTITION OF history FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO history VALUES ('2024-02-02', '10.0.0.1', 'DE89370400440532013000');
-- row security does not hide what is there from the detection
CREATE TABLE guarded (id int, note text);
INSERT INTO guarded SELECT i, 'Sipho Nkosi' FROM generate_series(1, 5) i;
INSERT INTO guarded SELECT i, 'Priya Garcia' || '' FROM generate_series(1, 5) i;
INSERT INTO guarded VALUES (11, 'Yuki Tanaka');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
ANALYZE;

-- the caller may read all of it
SELECT * FROM sync_detect_pii() ORDER BY 1, 2;
SELECT relation, column_name FROM sync_detect_pii('{users,history}') ORDER BY 1, 2;

-- who has EXECUTE only learns categories, and no keys of documents
SET SESSION AUTHORIZATION prodsync_looker;
SELECT count(*) AS readable FROM information_schema.columns WHERE table_name IN ('users', 'things') AND has_column_privilege(table_schema || '.' || table_name, column_name, 'SELECT');
SELECT column_name, category, evidence FROM sync_detect_pii('{things}') ORDER BY 1;
SELECT count(*) AS values_told FROM sync_detect_pii() AS d WHERE d::text ~* 'leak\.test|secret|Miller|4917|Nkosi|DE89|10\.0';

-- a large table is sampled at pages all over it, and alike every time
RESET SESSION AUTHORIZATION;
CREATE TABLE large (id int, who text);
INSERT INTO large SELECT i, CASE WHEN i > 1000 THEN 'a' || i || '@leak.test' ELSE 'nobody' END FROM generate_series(1, 20000) i;
ANALYZE large;
SELECT category, confidence FROM sync_detect_pii('{large}');
SELECT (SELECT array_agg(evidence) FROM sync_detect_pii('{large}')) = (SELECT array_agg(evidence) FROM sync_detect_pii('{large}')) AS alike;

-- errors
\set VERBOSITY sqlstate
SELECT * FROM sync_detect_pii('{no_such_table}');
SELECT * FROM sync_detect_pii('{pg_class}');
SELECT * FROM sync_detect_pii('{history_1}');
CREATE ROLE prodsync_nobody;
SET ROLE prodsync_nobody;
SELECT * FROM sync_detect_pii();
RESET ROLE;
\set VERBOSITY default
\c postgres
DROP DATABASE prodsync_detect;
DROP ROLE prodsync_owner, prodsync_looker, prodsync_nobody;
