-- Kept rows whose unique key a row of the new content has too: keys of every kind, all reported at once, in the preflight and again at the switch.
SET client_min_messages = warning;
CREATE DATABASE prodsync_kept_collisions;
\c prodsync_kept_collisions
CREATE EXTENSION prodsync;
SELECT sync_set_environment('uat', true);

\set part `echo "$PRODSYNC_TEST_PARTS"`/by_steps.sql
\i :part
CREATE FUNCTION start() RETURNS int LANGUAGE sql AS $$SELECT start_with('{"target_tenants": 4, "kept_tenants": ["test_a"]}')$$;
CREATE FUNCTION failed(command text) RETURNS TABLE (state text, check_name text, object text, violations text, keys text) LANGUAGE sql AS $$
	SELECT state, coalesce(item ->> 'check_name', item ->> 'id'), item ->> 'object', item ->> 'violations', item #>> '{detail,kept_keys}' FROM failures(command)
$$;

-- The owner's code runs as the owner, who may not read what others own.
CREATE ROLE prodsync_kc_owner;
CREATE FUNCTION folded(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'prodsync_kc_owner' THEN RAISE 'run as %', current_user; END IF;
	RETURN lower(t);
END $$;

CREATE TABLE tenant (id serial PRIMARY KEY, name text UNIQUE NOT NULL);
INSERT INTO tenant (name) VALUES ('old'), ('test_a');
CREATE TABLE unit (id serial PRIMARY KEY, code text UNIQUE);
CREATE TABLE item (id bigserial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, unit_id int REFERENCES unit, sku text, ean text, live boolean DEFAULT true, note text,
	upper_sku text GENERATED ALWAYS AS (upper(sku)) STORED, during int4range, tags text[]);
CREATE UNIQUE INDEX item_partial ON item (ean) WHERE live;
CREATE UNIQUE INDEX item_expression ON item (folded(note));
CREATE UNIQUE INDEX item_generated ON item (upper_sku);
CREATE UNIQUE INDEX item_array ON item (tags);
CREATE UNIQUE INDEX item_unit ON item (unit_id, (length(note)));     -- what the unit becomes counts, not what it was
ALTER TABLE item ADD CONSTRAINT item_during EXCLUDE USING gist (during WITH &&);
CREATE TABLE letter (code text PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant);
CREATE TABLE history (id bigserial, tenant_id int NOT NULL REFERENCES tenant, at date NOT NULL, no int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE history_old PARTITION OF history FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
CREATE TABLE history_new (no int, at date NOT NULL, tenant_id int NOT NULL, id bigint NOT NULL DEFAULT nextval('history_id_seq'));
ALTER TABLE history ATTACH PARTITION history_new DEFAULT;
CREATE UNIQUE INDEX history_new_no ON history_new (no) WHERE no > 0;
CREATE TABLE ping (id uuid PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, item_id bigint REFERENCES item);
CREATE TABLE pong (id serial PRIMARY KEY, ping_id uuid NOT NULL REFERENCES ping);
ALTER TABLE item OWNER TO prodsync_kc_owner;
-- NULLs that are not distinct: since 15 (else a plain index does the same)
DO $$BEGIN EXECUTE CASE WHEN current_setting('server_version_num')::int >= 150000 THEN 'CREATE UNIQUE INDEX letter_nulls ON letter (nullif(tenant_id, tenant_id)) NULLS NOT DISTINCT'
	ELSE 'CREATE UNIQUE INDEX letter_nulls ON letter (coalesce(nullif(tenant_id, tenant_id), 0))' END; END$$;

INSERT INTO unit (code) VALUES ('kg'), ('only here');
SET ROLE prodsync_kc_owner;
INSERT INTO item (tenant_id, unit_id, sku, ean, live, note, during, tags) VALUES
	(1, NULL, 'old', 'old', true, 'old', NULL, NULL),
	(2, NULL, 's-1', '4006381', true, 'one', '[1,5)', '{a,b}'),
	(2, NULL, 's-2', '4006382', false, 'Two', '[10,15)', '{c}'),
	(2, 1, 's-3', '4006383', true, 'four', NULL, NULL),
	(2, 2, 's-4', '4006384', true, 'three', NULL, NULL);
RESET ROLE;
INSERT INTO letter VALUES ('q', 2);
INSERT INTO history (tenant_id, at, no) VALUES (2, '2010-01-01', 1), (2, '2030-01-01', 1), (2, '2030-01-01', -1);
INSERT INTO ping VALUES ('00000000-0000-0000-0000-000000000001', 2, 2), ('00000000-0000-0000-0000-000000000002', 2, 3);
INSERT INTO pong (ping_id) VALUES ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0000-000000000002');
SELECT sync_configure('{"tenants": {"table": "tenant", "keep": "name LIKE ''test\\_%''"}, "anonymize": {"policy": "none"}}');

SELECT start() AS run \gset
BEGIN;
SELECT open('tenant') AS shadow \gset
COPY :shadow (id, name) FROM STDIN (FREEZE);
1	acme
2	globex
\.
SELECT loaded('tenant', 2);
SELECT open('unit') AS shadow \gset
COPY :shadow (id, code) FROM STDIN (FREEZE);
2	g
7	kg
\.
SELECT loaded('unit', 2);
SELECT open('item') AS shadow \gset
COPY :shadow (id, tenant_id, unit_id, sku, ean, live, note, during, tags) FROM STDIN (FREEZE);
1	1	\N	other	4006381	f	ONE	[20,30)	{d}
2	1	\N	S-1	4006382	t	one more	[30,40)	{c}
3	1	\N	p-3	4006383	t	five	[4,6)	\N
4	1	7	p-4	\N	t	x234	\N	\N
5	1	2	p-5	\N	t	12345	\N	\N
\.
SELECT loaded('item', 5);
SELECT open('letter') AS shadow \gset
COPY :shadow FROM STDIN (FREEZE);
r	1
\.
SELECT loaded('letter', 1);
SELECT open('history_old') AS shadow \gset
COPY :shadow (id, tenant_id, at, no) FROM STDIN (FREEZE);
1	1	2010-01-01	1
\.
SELECT loaded('history_old', 1);
SELECT open('history_new') AS shadow \gset
COPY :shadow (id, tenant_id, at, no) FROM STDIN (FREEZE);
2	1	2031-01-01	1
3	1	2031-01-01	-1
\.
SELECT loaded('history_new', 2);
SELECT open('ping') AS shadow \gset
COPY :shadow FROM STDIN (FREEZE);
00000000-0000-0000-0000-000000000002	1	1
\.
SELECT loaded('ping', 1);
COMMIT;
CALL go_on();
-- Collide: the partial index (item 4), the expression (2), the generated column (2), the array (3), the exclusion (2), the unit by its new id (4), not
-- by its old one (5 has unit 2, which is another one there); NULLs that are equal; the leaf's own index, for the row in its predicate; a uuid.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM failed('SELECT preflight()');
ROLLBACK;
-- Mended, all of it; then a tester brings one of them back while the locks are not there yet: S1.
SET ROLE prodsync_kc_owner;
UPDATE item SET ean = ean || '0', note = note || note, sku = 'k' || sku, tags = ARRAY['z' || id], during = NULL WHERE tenant_id = 2;
RESET ROLE;
DELETE FROM letter;
UPDATE history SET no = 7 WHERE no = 1;
DELETE FROM pong; DELETE FROM ping;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT preflight();
COMMIT;
INSERT INTO history (tenant_id, at, no) VALUES (2, '2031-01-01', 1);
SELECT * FROM failed(format('SELECT sync_switch(%s)', :run));
DELETE FROM history WHERE no = 1;
SELECT check_name, object, violations, detail FROM sync_switch(:run) WHERE check_name <> 'foreign key' ORDER BY 1, 2;
SELECT sync_discard(:run);
SELECT id, tenant_id, unit_id, ean, note, upper_sku FROM item ORDER BY id;
SELECT check_name, object, violations FROM sync_check() WHERE NOT ok;

-- ---- on_collision: source. The kept row goes, with what references it among kept rows; what stays may not lose its parent ----
CREATE TABLE remark (id serial PRIMARY KEY, pong_id int NOT NULL REFERENCES pong, kind_id int REFERENCES unit);
CREATE TABLE bookmark (name text PRIMARY KEY, pong_id int REFERENCES pong);
INSERT INTO ping SELECT ('00000000-0000-0000-0000-00000000000' || i)::uuid, id, NULL FROM tenant, generate_series(3, 4) AS i WHERE name = 'test_a';
INSERT INTO unit (code) VALUES ('of a dropped row');
INSERT INTO pong (ping_id) SELECT id FROM ping;
INSERT INTO remark (pong_id, kind_id) SELECT p.id, u.id FROM pong AS p, unit AS u WHERE code = 'of a dropped row' AND ping_id::text LIKE '%4';
INSERT INTO bookmark SELECT 'of a dropped row', id FROM pong WHERE ping_id::text LIKE '%4';
SELECT sync_configure(sync_config() || '{"on_collision": "source", "tables": {"bookmark": {"mode": "keep"}}}');
SELECT start() AS run \gset
BEGIN;
SELECT open('ping') AS shadow \gset
COPY :shadow (id, tenant_id) FROM STDIN (FREEZE);
00000000-0000-0000-0000-000000000004	1
\.
SELECT loaded('ping', 1);
SELECT open('tenant') AS shadow \gset
COPY :shadow (id, name) FROM STDIN (FREEZE);
1	acme
\.
SELECT loaded('tenant', 1);
COMMIT;
CALL go_on();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM failed('SELECT preflight()');
ROLLBACK;
DELETE FROM bookmark;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT preflight();
COMMIT;
SELECT check_name, object, violations, detail ->> 'text' AS text FROM sync_switch(:run) WHERE check_name = 'kept rows dropped' ORDER BY 2;
SELECT sync_discard(:run);
SELECT p.id AS ping, p.tenant_id, o.id AS pong, (SELECT count(*) FROM remark) AS remarks, (SELECT count(*) FROM unit WHERE code LIKE 'of a%') AS units FROM ping p LEFT JOIN pong o ON ping_id = p.id ORDER BY 1;
SELECT check_name, object, violations FROM sync_check() WHERE NOT ok;

\c postgres
DROP DATABASE prodsync_kept_collisions;
DROP ROLE prodsync_kc_owner;
