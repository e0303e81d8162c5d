-- How foreign keys of the new content are verified: by one scan and bitmaps where integers allow it, else by joins. Both count the same.
SET client_min_messages = warning;
CREATE DATABASE prodsync_foreign_keys;
\c prodsync_foreign_keys
CREATE EXTENSION prodsync;
SELECT sync_set_environment('uat', true);

-- parents: each width, with negative keys and the ends of the type; one whose key is not its first column, behind a dropped one
CREATE TABLE small (id smallint PRIMARY KEY);
CREATE TABLE normal (gone text, note text, id integer PRIMARY KEY);
ALTER TABLE normal DROP COLUMN gone;
CREATE TABLE large (id bigint PRIMARY KEY);
CREATE TABLE far (id bigint PRIMARY KEY);
CREATE TABLE plain (id integer, code text UNIQUE, a int, b int, UNIQUE (a, b), PRIMARY KEY (id));
CREATE DOMAIN number AS bigint CHECK (VALUE <> 13);
CREATE TABLE numbered (id number PRIMARY KEY);
CREATE TABLE split (id integer PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE split_0 PARTITION OF split FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE split_1 PARTITION OF split FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- two that stay
CREATE TABLE person (id integer PRIMARY KEY, name text);
CREATE TABLE crowd (id integer PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE crowd_0 PARTITION OF crowd FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO person SELECT i, 'p' || i FROM generate_series(-1, 5) AS i;
INSERT INTO crowd SELECT generate_series(1, 5);

-- one child with keys of all kinds, among them values that are stored out of line, and a column that came later with a default
CREATE TABLE child (
	id serial PRIMARY KEY, gone int, document text,
	small_int integer, normal_small smallint, large_int integer, small_big bigint, far_id bigint,
	full_id integer, code text, a int, b int, numbered_id bigint, split_id int,
	person_id bigint, second_id smallint, crowd_id int, parent_id int);
ALTER TABLE child DROP COLUMN gone, ALTER document SET STORAGE EXTERNAL;
ALTER TABLE child ADD later integer DEFAULT 7,
	ADD CONSTRAINT c01_small FOREIGN KEY (small_int) REFERENCES small,
	ADD CONSTRAINT c02_normal FOREIGN KEY (normal_small) REFERENCES normal,
	ADD CONSTRAINT c03_large FOREIGN KEY (large_int) REFERENCES large,
	ADD CONSTRAINT c04_small FOREIGN KEY (small_big) REFERENCES small,
	ADD CONSTRAINT c05_far FOREIGN KEY (far_id) REFERENCES far,
	ADD CONSTRAINT c06_full FOREIGN KEY (full_id) REFERENCES normal MATCH FULL,
	ADD CONSTRAINT c07_text FOREIGN KEY (code) REFERENCES plain (code),
	ADD CONSTRAINT c08_two FOREIGN KEY (a, b) REFERENCES plain (a, b),
	ADD CONSTRAINT c09_domain FOREIGN KEY (numbered_id) REFERENCES numbered,
	ADD CONSTRAINT c10_split FOREIGN KEY (split_id) REFERENCES split,
	ADD CONSTRAINT c11_person FOREIGN KEY (person_id) REFERENCES person,
	ADD CONSTRAINT c12_person FOREIGN KEY (second_id) REFERENCES person,
	ADD CONSTRAINT c13_crowd FOREIGN KEY (crowd_id) REFERENCES crowd,
	ADD CONSTRAINT c14_self FOREIGN KEY (parent_id) REFERENCES child,
	ADD CONSTRAINT c15_later FOREIGN KEY (later) REFERENCES normal;

CREATE FUNCTION source() RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(sync_catalog(), '{system_identifier}', '"4711"')$$;
CREATE FUNCTION config() RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"anonymize": {"policy": "none"}, "tables": {"person": {"mode": "keep", "match": ["id"]}, "crowd": {"mode": "keep", "match": ["id"]}}}'::jsonb $$;
CREATE FUNCTION step(kind text, relation text) RETURNS int LANGUAGE sql AS $$
	SELECT s.step FROM prodsync_work.run_step AS s WHERE run = (SELECT max(run) FROM prodsync_work.run) AND s.kind = $1 AND s.relation = $2 $$;
CREATE FUNCTION fill(relation text, columns text, query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	shadow text := sync_step((SELECT max(run) FROM sync_runs), step('load', $1)); n bigint;
BEGIN
	EXECUTE format('INSERT INTO %s (%s) %s', shadow, columns, query);
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM sync_loaded((SELECT max(run) FROM sync_runs), step('load', $1), 0);
	RETURN n;
END $$;
-- What a run with this content finds. `apart` multiplies the keys of "far": 65536 and more takes a block each.
CREATE FUNCTION verified(apart bigint, memory text) RETURNS TABLE (name text, violations bigint, by text, used bigint, keys text) LANGUAGE plpgsql AS $$
DECLARE
	current int;
BEGIN
	PERFORM set_config('maintenance_work_mem', memory, true);
	SELECT max(run) INTO current FROM sync_start(config(), source(), (SELECT jsonb_build_object('asked', jsonb_agg(question),
		'maps', '{"public.person": {"pairs": {}}, "public.crowd": {"pairs": {}}}'::jsonb) FROM sync_questions(config(), source())));
	PERFORM fill('small', 'id', 'SELECT unnest(ARRAY[-32768, -5, -1, 0, 1, 7, 32767])');
	PERFORM fill('normal', 'id, note', 'SELECT v, repeat(''x'', 100) FROM unnest(ARRAY[-2147483648, -5, -1, 0, 1, 7, 2147483647]) AS v');
	PERFORM fill('large', 'id', 'SELECT unnest(ARRAY[-9223372036854775808, -4294967295, -1, 0, 1, 7, 4294967297, 9223372036854775807])');
	PERFORM fill('far', 'id', format('SELECT i * %s FROM generate_series(-200, 200) AS i', apart));
	PERFORM fill('plain', 'id, code, a, b', 'SELECT i, ''c'' || i, i, -i FROM generate_series(1, 5) AS i');
	PERFORM fill('numbered', 'id', 'SELECT generate_series(1, 5)');
	PERFORM fill('split_0', 'id', 'SELECT i FROM generate_series(1, 20) AS i WHERE satisfies_hash_partition(''split''::regclass, 2, 0, i)');
	PERFORM fill('split_1', 'id', 'SELECT i FROM generate_series(1, 20) AS i WHERE satisfies_hash_partition(''split''::regclass, 2, 1, i)');
	PERFORM fill('child', 'id, document, small_int, normal_small, large_int, small_big, far_id, full_id, code, a, b, numbered_id, split_id, person_id, second_id, crowd_id, parent_id, later',
		format($q$
		-- whole rows: every value is there
		SELECT i, repeat('long', 3000), (ARRAY[-32768, -5, 0, 7, 32767])[1 + i %% 5], (ARRAY[-5, -1, 0, 1, 7])[1 + i %% 5], (ARRAY[-1, 0, 1, 7, NULL])[1 + i %% 5], (ARRAY[-32768, -1, 1, 7, NULL])[1 + i %% 5],
			(i - 150) * %1$s, (ARRAY[-2147483648, -1, 7, 2147483647, NULL])[1 + i %% 5], 'c' || 1 + i %% 5, 1 + i %% 5, -1 - i %% 5, 1 + i %% 5, 1 + i %% 20,
			i %% 7 - 1, 1 + i %% 3, 1 + i %% 5, CASE WHEN i > 1 THEN i - 1 END, 7 FROM generate_series(1, 300) AS i
		-- three rows are broken in each key: 32768 is no smallint, 4294967297 is 1 in 32 bits
		UNION ALL SELECT 1000, '', 32768, 2, 2, 4294967297, 1, 2, 'c6', 1, 1, 6, 21, 6, 6, 6, 2000, 8
		UNION ALL SELECT 1001, '', -32769, -32768, 2147483647, -4294967295, 65537, -2, '', 5, 5, 0, 0, 4294967297, -2, 0, -1, 9
		UNION ALL SELECT 1002, '', 2, 32767, -2147483648, 65536, %1$s * 201, 65537, 'C1', 2, -1, -1, -1, -9223372036854775808, 32767, -1, 1003, -8
		-- nothing referenced
		UNION ALL SELECT 1004, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		UNION ALL SELECT 1005, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL $q$, apart));
	PERFORM sync_step(current, s.step) FROM sync_run_steps AS s WHERE run = current AND kind IN ('index', 'verify') ORDER BY step;
	RETURN QUERY SELECT c.detail ->> 'constraint', c.violations, c.detail ->> 'by', count(u.key), string_agg(u.key[1], ' ' ORDER BY u.key[1]::bigint)
		FROM prodsync_work.run_check AS c LEFT JOIN prodsync_work.used_key AS u ON u.run = c.run AND u.constraint_name = c.detail ->> 'constraint'
		WHERE c.run = current AND c.check_name = 'foreign key' GROUP BY 1, 2, 3 ORDER BY 1;
END $$;

-- close keys: every integer is verified by the scan
BEGIN;
SELECT * FROM verified(2, '64MB');
ROLLBACK;
-- keys too far apart for the memory: those are joined, and the counts are the same
BEGIN;
SELECT name, violations, by FROM verified(65536 * 2, '1MB') WHERE by = 'join' OR name = 'c05_far';
ROLLBACK;
BEGIN;
SELECT name, violations, by FROM verified(65536 * 2, '64MB') WHERE name = 'c05_far';
ROLLBACK;
