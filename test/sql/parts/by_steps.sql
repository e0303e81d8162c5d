-- A run driven from psql, step by step: content comes by COPY, tables without content have none in "production". Whoever includes this says what
-- start() and failed() are.
\ir failures.sql
CREATE FUNCTION source() RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(sync_catalog(), '{system_identifier}', '"4711"')$$;
-- more: what is answered beside the questions, and in "also" further questions that are
CREATE FUNCTION start_with(more jsonb) RETURNS int LANGUAGE sql AS $$
	SELECT max(run) FROM sync_start(sync_config(), source(), (SELECT jsonb_build_object('asked', coalesce(jsonb_agg(question), '[]') || coalesce(more -> 'also', '[]')) || (more - 'also') FROM sync_questions(sync_config(), source())))
$$;
CREATE FUNCTION step(kind text, relation text) RETURNS int LANGUAGE sql AS $$
	SELECT s.step FROM sync_run_steps AS s WHERE run = (SELECT max(run) FROM sync_runs) AND s.kind = $1 AND s.relation = $2
$$;
CREATE FUNCTION open(relation text) RETURNS text LANGUAGE sql AS $$SELECT sync_step((SELECT max(run) FROM sync_runs), step('load', relation))$$;
CREATE FUNCTION loaded(relation text, rows bigint) RETURNS void LANGUAGE sql AS $$SELECT sync_loaded((SELECT max(run) FROM sync_runs), step('load', relation), rows)$$;
-- all that is left to do before the preflight
CREATE PROCEDURE go_on() LANGUAGE plpgsql AS $$
DECLARE
	s record; current int := (SELECT max(run) FROM sync_runs);
BEGIN
	FOR s IN SELECT * FROM sync_run_steps WHERE run = current AND status = 'waiting' AND kind IN ('load', 'empty', 'index', 'verify') ORDER BY step LOOP
		PERFORM sync_step(current, s.step);
		IF s.kind = 'load' THEN PERFORM sync_loaded(current, s.step, 0); END IF;
	END LOOP;
END $$;
CREATE FUNCTION preflight() RETURNS text LANGUAGE sql AS $$SELECT sync_step((SELECT max(run) FROM sync_runs), step) FROM sync_run_steps WHERE run = (SELECT max(run) FROM sync_runs) AND kind = 'preflight'$$;
