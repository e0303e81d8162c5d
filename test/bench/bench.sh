#!/bin/bash
# Compares prodsync with other ways of bringing production's content into UAT: make bench [SCALE=250] [ROUNDS=3] [MINUTES=28] [WAYS='...']
#
# Two throwaway clusters under tmp_bench/ (test/cluster.sh), which this ends and removes, whatever happens. The table goes to stdout
# and to tmp_bench/table.md; runs.tsv, results.json, what the programs said (out/) and the servers' logs lie beside it.
# What is measured, and how: test/bench/README.md.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PG_CONFIG=${PG_CONFIG:-pg_config}
base=tmp_bench
scale=${SCALE:-250} rounds=${ROUNDS:-3} minutes=${MINUTES:-28} ways=${WAYS:-}
number='^[1-9][0-9]{0,3}$'
if [[ ! $scale =~ $number || ! $rounds =~ $number || ! $minutes =~ $number || $# -gt 0 ]]; then
	echo "usage: [SCALE=250] [ROUNDS=3] [MINUTES=28] [WAYS='prodsync pg_restore'] test/bench/bench.sh" >&2
	exit 2
fi
cluster() { test/cluster.sh -b "$base" "$@"; }

mkdir -p "$base"
# One at a time: a second one would take the first one's servers for leftovers.
holder=$(cat "$base/pid" 2>/dev/null) || :
if [[ -n $holder && $holder != "$$" ]] && grep -qz 'test/bench/bench\.sh' "/proc/$holder/cmdline" 2>/dev/null; then
	echo "prodsync: error: a bench is running in $base already (process $holder)" >&2
	exit 1
fi
echo $$ >"$base/pid"

room='' driver='' pauses=''
finish()
{
	trap - EXIT INT TERM HUP
	[[ -n $room ]] || { rm -f "$base/pid"; return 0; }
	local log
	if [[ -n $pauses ]]; then kill "$pauses" 2>/dev/null || :; wait "$pauses" 2>/dev/null || :; fi
	if [[ -d $room/results ]]; then cp -a --no-preserve=ownership "$room/results/." "$base/"; fi
	for log in "$room"/*/log; do [[ ! -f $log ]] || cp "$log" "$base/$(basename "$(dirname "$log")").log"; done
	# Ends what runs in the folder, the driver and its programs too, then stops the servers and removes it.
	cluster close
	if [[ -n $driver ]]; then wait "$driver" 2>/dev/null || :; fi
	rm -f "$base/pid"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

find "$base" -mindepth 1 -maxdepth 1 ! -name pid ! -name private -exec rm -rf {} +
room=$(cluster open)
cluster tree
cluster run mkdir "$room/src" "$room/results"
tar -c --mode=u+rwX test/cluster.sh test/bench test/fixtures/saas test/t/Prodsync.pm | cluster run tar -x
export PRODSYNC_TEST_COMMIT
PRODSYNC_TEST_COMMIT=$(git describe --always --dirty 2>/dev/null || echo unknown)
# Where this may have real-time priority; else the table says nothing of the machine's own pauses.
chrt -f 1 perl test/bench/pauses.pl "$room/results/pauses.tsv" 2>/dev/null &
pauses=$!
# Beside this shell and not within it, so that a signal ends the wait at once.
# shellcheck disable=SC2086
cluster run nice -n "${NICE:-0}" perl -I test/t -I test/bench test/bench/bench.pl "$scale" "$rounds" "$minutes" "$room/results" $ways </dev/null &
driver=$!
status=0
wait "$driver" || status=$?
driver=''
exit "$status"
