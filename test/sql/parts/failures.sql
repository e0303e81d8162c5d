-- How a command fails: its SQLSTATE, and each of the checks or problems; the message where there are none.
CREATE FUNCTION failures(command text) RETURNS TABLE (state text, item jsonb) LANGUAGE plpgsql AS $$
DECLARE
	code text; items text;
BEGIN
	EXECUTE command;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, items = PG_EXCEPTION_DETAIL;
	IF items !~ '^\[' THEN items := jsonb_build_array(jsonb_build_object('check_name', SQLERRM))::text; END IF;
	RETURN QUERY SELECT code, i FROM jsonb_array_elements(items::jsonb) AS i;
END $$;
