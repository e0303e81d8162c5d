#!/bin/sh
# One text COPY after the other, from psql to psql, into the tables as they are, with their indexes. All old rows go first, also the
# testers' and the users; foreign keys and triggers are switched off, so nothing is verified. Sequences are left alone.
set -eu
psql() { command psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
# table|its columns, of every table that is not a partition
tables=$(psql -h "$SOURCE" -d app -F '|' -c "SELECT c.oid::regclass, string_agg(quote_ident(attname), ', ' ORDER BY attnum)
	FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
	WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace GROUP BY c.oid ORDER BY c.oid")
psql -h "$TARGET" -d app -c "TRUNCATE $(printf '%s\n' "$tables" | cut -d '|' -f 1 | paste -sd ,)"
export PGOPTIONS='-c session_replication_role=replica'
printf '%s\n' "$tables" | while IFS='|' read -r table columns; do
	psql -h "$SOURCE" -d app -c "COPY (SELECT $columns FROM $table) TO STDOUT" </dev/null |
		psql -h "$TARGET" -d app -c "COPY $table ($columns) FROM STDIN"
done
psql -h "$TARGET" -d app -c ANALYZE
