#!/bin/bash
# Rows per second with 0, 1, 3 and 10 masked columns, beside a plain text COPY pipe: make bench WAYS=masked_columns [ROWS=1000000] [ROUNDS=3]
#
# One table of ROWS rows with a key, ten personal columns and two others, about 200 bytes a row; on two throwaway clusters with the settings of the bench.
# prodsync's seconds are those of the whole program: plan, load, index, verification, switch.  The pipe is TRUNCATE and psql | psql into the table with
# its index.  One round after the other, each way once; the table has the medians.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
base=tmp_bench_masked
rows=${ROWS:-1000000} rounds=${ROUNDS:-3}
number='^[1-9][0-9]{0,8}$'
[[ $rows =~ $number && $rounds =~ $number ]] || { echo "usage: [ROWS=1000000] [ROUNDS=3] test/bench/masked_columns.sh" >&2; exit 2; }
cluster() { test/cluster.sh -b "$base" "$@"; }
finish() { trap - EXIT INT TERM HUP; cluster close; }
trap finish EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$base"
room=$(cluster open)
cluster tree
mapfile -t conf < <(grep -v '^#' test/bench/postgresql.conf)
for name in production uat; do cluster start "$name" "${conf[@]}"; done
cluster run mkdir "$room/src"
tar -c --mode=u+rwX test/bench/masked_columns.sql test/bench/masked_columns.pl | cluster run tar -x
cluster run perl test/bench/masked_columns.pl "$rows" "$rounds" "$room" </dev/null
