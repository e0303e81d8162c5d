#!/bin/bash
# sync_anonymize() by the rules that the database has stored.
set -euo pipefail
psql -Xq -v ON_ERROR_STOP=1 -h "$TARGET" -d in_place <<SQL
SELECT sync_set_key('$PRODSYNC_KEY') \g /dev/null
SELECT * FROM sync_anonymize();
SQL
