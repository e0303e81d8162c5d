#!/bin/sh
# pg_dump and pg_restore, two processes each, into a new database. Nothing of the old one is kept.
set -eu
pg_dump -h "$SOURCE" -Fd -j2 -f "$SCRATCH/dump" app
createdb -h "$TARGET" fresh
pg_restore -h "$TARGET" -j2 -d fresh "$SCRATCH/dump"
