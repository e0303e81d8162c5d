-- prodsync: what the extension is on the target. Complain if the script is sourced in psql rather than by CREATE EXTENSION.
\echo Use "CREATE EXTENSION prodsync" to load this file. \quit

-- The private schema: nobody but the extension's owner has USAGE. Configuration, label, ledger, work tables, shadows.
CREATE SCHEMA prodsync_work;

CREATE TABLE prodsync_work.configuration (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	config jsonb NOT NULL,
	set_by name NOT NULL,
	set_at timestamptz NOT NULL DEFAULT now()
);

-- The label of this database. It holds for the database it was given to: a copy restored from a dump, or renamed, is another.
CREATE TABLE prodsync_work.environment (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	name text NOT NULL,
	refreshable boolean NOT NULL,
	system_identifier bigint NOT NULL,
	database_oid oid NOT NULL,
	database_name name NOT NULL,
	set_by name NOT NULL,
	set_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE prodsync_work.run (
	run integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('refresh', 'clear', 'remap', 'anonymize')),
	-- started: steps are being worked off. switched: committed, cleaning up. done: nothing left to do. failed, discarded: target untouched.
	status text NOT NULL CHECK (status IN ('started', 'switched', 'done', 'failed', 'discarded')),
	role name NOT NULL,
	application text,
	client inet,
	started timestamptz NOT NULL DEFAULT clock_timestamp(),
	switched timestamptz,
	ended timestamptz,
	reason text,
	source jsonb,             -- system_identifier, database, server, snapshot, in_recovery
	config jsonb NOT NULL,
	fingerprint text,         -- of the target's catalog when the run started
	documents jsonb           -- answers, target catalog, source catalog, plan: what the switch needs; emptied when the run is over
);

CREATE TABLE prodsync_work.run_step (
	run integer NOT NULL REFERENCES prodsync_work.run ON DELETE CASCADE,
	step integer NOT NULL,
	kind text NOT NULL,
	relation text NOT NULL,
	original oid,             -- the target's relation that the step works for
	shadow oid,
	status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'done')),
	rows bigint,
	started timestamptz,
	ended timestamptz,
	xid xid8,                 -- of the transaction that loaded the rows: who still has it is the source's row
	item jsonb NOT NULL,      -- the step as the plan has it
	PRIMARY KEY (run, step)
);

CREATE TABLE prodsync_work.run_check (
	run integer NOT NULL REFERENCES prodsync_work.run ON DELETE CASCADE,
	check_name text NOT NULL,
	object text NOT NULL,
	violations bigint NOT NULL,
	detail jsonb,
	ok boolean NOT NULL
);
CREATE INDEX run_check_run ON prodsync_work.run_check (run);
ALTER TABLE prodsync_work.run_check REPLICA IDENTITY FULL;    -- it has no key, and a publication FOR ALL TABLES would forbid every DELETE

-- Which shadow belongs to which relation of the target. After the switch the shadow holds the old storage.
CREATE TABLE prodsync_work.shadow (
	run integer NOT NULL REFERENCES prodsync_work.run ON DELETE CASCADE,
	original oid NOT NULL,
	shadow oid NOT NULL,
	PRIMARY KEY (run, original)
);

-- Keys that a shadow uses in tables that stay: looked up again under the lock.
CREATE UNLOGGED TABLE prodsync_work.used_key (
	run integer NOT NULL,
	constraint_name text NOT NULL,
	child oid NOT NULL,
	key text[] NOT NULL
);

-- Work tables of one switch, emptied by it.
-- kept: rows of the target that are looked at. why: k kept, s supporting (referenced by a kept one), a adopted (supporting, and another
-- tenant's until now), r only referenced by a table that stays.
-- state: b brought over, x the source has the very row (same key), n the source has it under another key (moved), d dropped (on_collision:
-- source), m dropped (on_missing: drop), or another tenant's and let go of. depth: how many foreign keys away from a kept row, -1 not reached.
CREATE UNLOGGED TABLE prodsync_work.kept (
	tab oid NOT NULL,         -- the logical table
	rel oid NOT NULL,         -- the relation the row is in (a leaf, or the table)
	row_id tid NOT NULL,
	why "char" NOT NULL,
	state "char" NOT NULL DEFAULT 'b',
	depth integer NOT NULL,
	moves_to oid,             -- the partition it goes into, where that is another one
	PRIMARY KEY (rel, row_id)
);
CREATE INDEX kept_tab ON prodsync_work.kept (tab, depth);
-- moved: keys of the table that change on the way. space: o keys of the old content (re-keyed, or found by natural key),
-- n keys of the new content (rows that gave way to a kept one), a tenants of adopted rows (by the rows' places).
CREATE UNLOGGED TABLE prodsync_work.moved (
	tab oid NOT NULL,         -- the table whose key it is
	space "char" NOT NULL,
	old_key text NOT NULL,
	new_key text NOT NULL,
	why "char" NOT NULL,      -- k re-keyed, n found by natural key, w gave way to a kept row, a adopted
	PRIMARY KEY (tab, space, old_key)
);
-- collision: rows that are to be brought and have a unique key, or an exclusion constraint's, that a row of the new content has.
CREATE UNLOGGED TABLE prodsync_work.collision (
	tab oid NOT NULL,
	rel oid NOT NULL,
	row_id tid NOT NULL,
	index_name name NOT NULL,
	mapped boolean NOT NULL,  -- the key holds ids that production's were mapped to: then the other row gives way
	themselves boolean NOT NULL,    -- the other row is to be brought, too
	into_rel oid NOT NULL,    -- the relation whose shadow it was looked up in
	other tid NOT NULL,       -- that row of the shadow
	PRIMARY KEY (rel, index_name, row_id)
);

-- Masks a value of a kept row, in statements of the switch that run as a table's owner; an error anywhere else. Nobody has USAGE on the schema.
-- `drawn_from`: the entity's, or NULL.
CREATE FUNCTION prodsync_work.mask_kept(value text, drawn_from text, rule text, base text) RETURNS text
	LANGUAGE C STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'prodsync_mask_kept';
GRANT EXECUTE ON FUNCTION prodsync_work.mask_kept(text, text, text, text) TO PUBLIC;    -- whatever the default rights are
-- Whether the value may be what the rule gives; in statements of sync_check().
CREATE FUNCTION prodsync_work.has_masked_form(value text, rule text, base text) RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'prodsync_has_masked_form';
GRANT EXECUTE ON FUNCTION prodsync_work.has_masked_form(text, text, text) TO PUBLIC;

-- Masks a value by the rule of this number, while sync_anonymize() rewrites tables; an error anywhere else. `drawn_from`: the entity's, or NULL.
CREATE FUNCTION prodsync_work.mask_in_place(value text, drawn_from text, rule integer) RETURNS text
	LANGUAGE C STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'prodsync_mask_in_place';
GRANT EXECUTE ON FUNCTION prodsync_work.mask_in_place(text, text, integer) TO PUBLIC;
-- An array put together anew, in the dimensions of the one it was made from: the same in those statements.
CREATE FUNCTION prodsync_work.in_shape_of(elements anyarray, shape anyarray) RETURNS anyarray
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'prodsync_in_shape_of';
GRANT EXECUTE ON FUNCTION prodsync_work.in_shape_of(anyarray, anyarray) TO PUBLIC;

CREATE FUNCTION sync_version() RETURNS text
	LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'prodsync_version';
CREATE FUNCTION sync_configure(config jsonb) RETURNS void
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_configure';
CREATE FUNCTION sync_config() RETURNS jsonb
	LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'prodsync_config';
CREATE FUNCTION sync_set_environment(name text, refreshable boolean) RETURNS void
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_set_environment';
CREATE FUNCTION sync_environment(OUT name text, OUT refreshable boolean, OUT reason text) RETURNS SETOF record
	LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'prodsync_environment';
CREATE FUNCTION sync_catalog() RETURNS jsonb
	LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'prodsync_catalog';
CREATE FUNCTION sync_tables(source jsonb DEFAULT NULL)
	RETURNS TABLE (relation text, mode text, scope text, tenant_path text, est_rows bigint, kept_rows bigint, reason text)
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_tables';
CREATE FUNCTION sync_questions(config jsonb, source jsonb)
	RETURNS TABLE (question text, kind text, relation text, columns text[])
	LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'prodsync_questions';
CREATE FUNCTION sync_answers(config jsonb, source jsonb, answers jsonb)
	RETURNS TABLE (question text, cells text[])
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_answers';
CREATE FUNCTION sync_plan(config jsonb, source jsonb, answers jsonb)
	RETURNS TABLE (section text, object text, item jsonb)
	LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'prodsync_plan';
CREATE FUNCTION sync_try_check(schema_name text, table_name text, constraint_name text, columns jsonb, samples jsonb) RETURNS bigint
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_try_check';
CREATE FUNCTION sync_start(config jsonb, source jsonb, answers jsonb)
	RETURNS TABLE (run integer, step integer, kind text, relation text, shadow text, depends_on integer[], est_bytes bigint,
		format text, columns jsonb, filter text)
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_start';
CREATE FUNCTION sync_step(run integer, step integer) RETURNS text
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_step';
CREATE FUNCTION sync_loaded(run integer, step integer, rows bigint) RETURNS void
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_loaded';
CREATE FUNCTION sync_switch(run integer, try_ms integer DEFAULT 100)
	RETURNS TABLE (check_name text, object text, violations bigint, detail jsonb, ok boolean)
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_switch';
CREATE FUNCTION sync_hold(run integer, try_ms integer DEFAULT 100) RETURNS void
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_hold';
CREATE FUNCTION sync_discard(run integer DEFAULT NULL, reason text DEFAULT NULL) RETURNS integer
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_discard';
CREATE FUNCTION sync_clear(tables regclass[] DEFAULT NULL)
	RETURNS TABLE (relation text, removed bigint, kept bigint, rekeyed bigint)
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_clear';
CREATE FUNCTION sync_remap_users(map jsonb DEFAULT NULL)
	RETURNS TABLE (relation text, column_name text, mapped bigint, fallback bigint, dropped bigint)
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_remap_users';
CREATE FUNCTION sync_anonymize(tables regclass[] DEFAULT NULL)
	RETURNS TABLE (relation text, column_name text, strategy text, rows bigint)
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_anonymize';
CREATE FUNCTION sync_reset_sequences() RETURNS TABLE (sequence text, value bigint)
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_reset_sequences';
CREATE FUNCTION sync_check()
	RETURNS TABLE (check_name text, object text, violations bigint, detail jsonb, ok boolean)
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_check';
CREATE FUNCTION sync_detect_pii(tables regclass[] DEFAULT NULL)
	RETURNS TABLE (relation text, column_name text, category text, confidence numeric, evidence text, suggested_rule text)
	LANGUAGE C AS 'MODULE_PATHNAME', 'prodsync_detect_pii';
CREATE FUNCTION sync_grant(role regrole) RETURNS void
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_grant';

-- Masking values of this database. RESTRICTED: a key given to the session is in its memory only, a parallel worker has none.
CREATE FUNCTION sync_mask(value text, strategy text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE C STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'prodsync_mask';
CREATE FUNCTION sync_email(value text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'prodsync_mask_email';
CREATE FUNCTION sync_phone(value text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'prodsync_mask_phone';
CREATE FUNCTION sync_name(value text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'prodsync_mask_name';
CREATE FUNCTION sync_redact(value text) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'prodsync_mask_redact';
CREATE FUNCTION sync_hash(value text, length integer DEFAULT 16) RETURNS text
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'prodsync_mask_hash';
-- numbers, dates and addresses of networks
CREATE FUNCTION sync_digits(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'digits', options);
CREATE FUNCTION sync_iban(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'iban', options);
CREATE FUNCTION sync_card(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'card', options);
CREATE FUNCTION sync_uuid(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'uuid', options);
CREATE FUNCTION sync_ip(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'ip', options);
CREATE FUNCTION sync_mac(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'mac', options);
CREATE FUNCTION sync_date_shift(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'date_shift', options);
CREATE FUNCTION sync_date_truncate(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'date_truncate', options);
CREATE FUNCTION sync_number_noise(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'number_noise', options);
CREATE FUNCTION sync_number_range(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'number_range', options);
CREATE FUNCTION sync_set_key(key text) RETURNS void
	LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'prodsync_set_key';

-- People and texts: sync_STRATEGY(value, options) is sync_mask(value, 'STRATEGY', options).
CREATE FUNCTION sync_email(value text, options jsonb) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'email', options);
CREATE FUNCTION sync_phone(value text, options jsonb) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'phone', options);
CREATE FUNCTION sync_first_name(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'first_name', options);
CREATE FUNCTION sync_last_name(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'last_name', options);
CREATE FUNCTION sync_full_name(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'full_name', options);
CREATE FUNCTION sync_username(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'username', options);
CREATE FUNCTION sync_company(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'company', options);
CREATE FUNCTION sync_street(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'street', options);
CREATE FUNCTION sync_city(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'city', options);
CREATE FUNCTION sync_postcode(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'postcode', options);
CREATE FUNCTION sync_shape(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'shape', options);
CREATE FUNCTION sync_secret(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'secret', options);
CREATE FUNCTION sync_partial(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'partial', options);
CREATE FUNCTION sync_url(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'url', options);
CREATE FUNCTION sync_free_text(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'free_text', options);
CREATE FUNCTION sync_choice(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'choice', options);
CREATE FUNCTION sync_constant(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'constant', options);
CREATE FUNCTION sync_null(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'null', options);
CREATE FUNCTION sync_empty_json(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'empty_json', options);
CREATE FUNCTION sync_confiture_email(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'confiture_email', options);
CREATE FUNCTION sync_confiture_phone(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'confiture_phone', options);
CREATE FUNCTION sync_confiture_name(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'confiture_name', options);
CREATE FUNCTION sync_confiture_redact(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'confiture_redact', options);
CREATE FUNCTION sync_confiture_hash(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'confiture_hash', options);
CREATE FUNCTION sync_password(value text, options jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN sync_mask(value, 'password', options);

CREATE VIEW sync_runs AS
	SELECT run, kind, status, role, application, client, started, switched, ended, reason,
		source ->> 'database' AS source_database, source ->> 'system_identifier' AS source_system,
		source ->> 'snapshot' AS source_snapshot,
		(SELECT sum(s.rows) FROM prodsync_work.run_step s WHERE s.run = r.run AND s.kind = 'load')::bigint AS rows
	FROM prodsync_work.run r;
CREATE VIEW sync_run_steps AS
	SELECT run, step, kind, relation, status, rows, started, ended FROM prodsync_work.run_step;
CREATE VIEW sync_run_checks AS
	SELECT run, check_name, object, violations, detail, ok FROM prodsync_work.run_check;

-- EXECUTE is the gate: sync_grant() opens it for the role that runs refreshes. Everybody may ask for version and label;
-- sync_set_environment() and sync_grant() themselves ask for the owner of the database.
REVOKE EXECUTE ON FUNCTION sync_configure(jsonb), sync_config(), sync_catalog(), sync_tables(jsonb), sync_questions(jsonb, jsonb),
	sync_answers(jsonb, jsonb, jsonb), sync_plan(jsonb, jsonb, jsonb),
	sync_try_check(text, text, text, jsonb, jsonb), sync_start(jsonb, jsonb, jsonb), sync_step(integer, integer), sync_loaded(integer, integer, bigint),
	sync_switch(integer, integer), sync_hold(integer, integer), sync_anonymize(regclass[]), sync_discard(integer, text), sync_clear(regclass[]), sync_remap_users(jsonb),
	sync_reset_sequences(), sync_check(), sync_detect_pii(regclass[]), sync_mask(text, text, jsonb), sync_email(text), sync_phone(text), sync_name(text),
	sync_redact(text), sync_hash(text, integer), sync_set_key(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION sync_email(text, jsonb), sync_phone(text, jsonb), sync_first_name(text, jsonb), sync_last_name(text,
	jsonb), sync_full_name(text, jsonb), sync_username(text, jsonb), sync_company(text, jsonb), sync_street(text, jsonb),
	sync_city(text, jsonb), sync_postcode(text, jsonb), sync_shape(text, jsonb), sync_secret(text, jsonb), sync_partial(text,
	jsonb), sync_url(text, jsonb), sync_free_text(text, jsonb), sync_choice(text, jsonb), sync_constant(text, jsonb),
	sync_null(text, jsonb), sync_empty_json(text, jsonb), sync_password(text, jsonb) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION sync_digits(text, jsonb), sync_iban(text, jsonb), sync_card(text, jsonb), sync_uuid(text, jsonb), sync_ip(text, jsonb),
	sync_mac(text, jsonb), sync_date_shift(text, jsonb), sync_date_truncate(text, jsonb), sync_number_noise(text, jsonb), sync_number_range(text, jsonb),
	sync_confiture_email(text, jsonb), sync_confiture_phone(text, jsonb), sync_confiture_name(text, jsonb), sync_confiture_redact(text, jsonb),
	sync_confiture_hash(text, jsonb) FROM PUBLIC;
