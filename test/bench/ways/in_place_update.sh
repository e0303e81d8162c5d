#!/bin/bash
# What a person would write into a restored snapshot: one UPDATE with the same masks. The raw rows are still in the file then, dead, and nobody has
# vacuumed it.
set -euo pipefail
psql -Xq -v ON_ERROR_STOP=1 -h "$TARGET" -d in_place <<SQL
SELECT sync_set_key('$PRODSYNC_KEY') \g /dev/null
UPDATE person SET email = sync_mask(email, 'email'), name = sync_mask(name, 'full_name'), phone = sync_mask(phone, 'phone');
SQL
