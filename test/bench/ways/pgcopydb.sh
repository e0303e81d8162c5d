#!/bin/sh
# pgcopydb into a new database, two processes for tables and two for indexes; its other settings as they come (it also runs VACUUM ANALYZE).
set -eu
createdb -h "$TARGET" fresh
exec pgcopydb clone --dir "$SCRATCH/pgcopydb" --source "host=$SOURCE dbname=app" --target "host=$TARGET dbname=fresh" \
	--table-jobs 2 --index-jobs 2
