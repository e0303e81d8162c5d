-- References of tables that stay, several foreign keys away and over keys of several columns; whose conditions run.
SET client_min_messages = warning;
CREATE DATABASE prodsync_references;
\c prodsync_references
CREATE EXTENSION prodsync;
CREATE TABLE tenant (id serial PRIMARY KEY, schema_name text UNIQUE NOT NULL);
CREATE TABLE customer (id serial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, name text);
CREATE TABLE orders (id bigserial, region text, tenant_id int NOT NULL REFERENCES tenant, PRIMARY KEY (id, region));
-- all of these stay
CREATE TABLE vip (customer_id int PRIMARY KEY REFERENCES customer, since int);
CREATE TABLE vip_card (id serial PRIMARY KEY, vip_id int NOT NULL REFERENCES vip ON UPDATE CASCADE, number text);
CREATE TABLE note (id serial PRIMARY KEY, order_id bigint, region text, body text, FOREIGN KEY (order_id, region) REFERENCES orders);
INSERT INTO tenant (schema_name) VALUES ('old'), ('test_a');
INSERT INTO customer (tenant_id, name) VALUES (1, 'goes'), (2, 'kept'), (2, 'kept too');
INSERT INTO orders (region, tenant_id) VALUES ('eu', 1), ('eu', 2), ('us', 2);
INSERT INTO vip VALUES (2, 2020), (3, 2021);
INSERT INTO vip_card (vip_id, number) VALUES (3, 'c3'), (2, 'c2');
INSERT INTO note (order_id, region, body) VALUES (3, 'us', 'of the third'), (2, 'eu', 'of the second');
SELECT sync_set_environment('uat', true);
SELECT sync_configure('{"tenants": {"table": "tenant", "keep": "schema_name LIKE ''test\\_%''"},
	"tables": {"vip": {"mode": "keep"}, "vip_card": {"mode": "keep"}, "note": {"mode": "keep"}}}');

SELECT relation, kept, rekeyed FROM sync_clear() ORDER BY 1;
-- who belonged together still does
SELECT c.name, v.since, k.number FROM vip_card k JOIN vip v ON v.customer_id = k.vip_id JOIN customer c ON c.id = v.customer_id ORDER BY 1;
SELECT o.id, o.region, n.body FROM note n JOIN orders o ON o.id = n.order_id AND o.region = n.region ORDER BY 1;
SELECT count(*) AS broken FROM sync_check() WHERE NOT ok;

-- ---- a condition somebody stored runs for nobody who can do more ----
CREATE ROLE prodsync_author;
SELECT sync_grant('prodsync_author');
GRANT SELECT ON tenant TO prodsync_author;
CREATE FUNCTION told() RETURNS TABLE (state text, message text, hint text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sync_clear();
	state := 'done';
	RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END$$;
SET ROLE prodsync_author;
SELECT sync_configure('{"tenants": {"table": "tenant", "keep": "schema_name LIKE ''test\\_%'' AND current_user = ''prodsync_author''"},
	"tables": {"vip": {"mode": "keep"}, "vip_card": {"mode": "keep"}, "note": {"mode": "keep"}}}');
SELECT check_name, violations, ok FROM sync_check() WHERE check_name LIKE 'kept%' OR check_name = 'configuration';
RESET ROLE;
SELECT check_name, violations, ok FROM sync_check() WHERE check_name LIKE 'kept%' OR check_name = 'configuration';
SELECT replace(message, current_user, 'the superuser') AS message, hint, state FROM told();

-- ---- sequences behind something else than a key ----
SELECT sync_configure('{"tenants": {"table": "tenant", "keep": "schema_name LIKE ''test\\_%''"},
	"tables": {"vip": {"mode": "keep"}, "vip_card": {"mode": "keep"}, "note": {"mode": "keep"}}}');
-- counters that are no keys, text with a number from a sequence in it, a sequence that counts down
CREATE SEQUENCE invoice_number MAXVALUE 99999;
CREATE SEQUENCE downwards INCREMENT -1;
CREATE TABLE invoice (id serial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenant, no text DEFAULT 'INV-' || nextval('invoice_number'),
	counter int DEFAULT nextval('invoice_number'), below int DEFAULT nextval('downwards'));
INSERT INTO invoice (tenant_id) SELECT id FROM tenant;
SELECT relation, removed, kept FROM sync_clear() WHERE relation = 'invoice';
SELECT sequence, value FROM sync_reset_sequences() WHERE sequence IN ('invoice_number', 'downwards', 'invoice_id_seq') ORDER BY 1;
INSERT INTO invoice (tenant_id) SELECT id FROM tenant RETURNING id, no, counter, below;
SELECT count(*) AS broken FROM sync_check() WHERE NOT ok;

\c postgres
DROP DATABASE prodsync_references;
DROP ROLE prodsync_author;
