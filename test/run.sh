#!/bin/bash
# Runs the tests: test/run.sh [unit] [replay] [regress] [isolation] [tap]
#
# Everything runs as an ordinary user on throwaway clusters (test/cluster.sh), on a copy of test/ and expected/, because that
# user may be unable to read the checkout and no test should write into it.  What is left to read is in tmp_check/: KIND.log,
# KIND.diffs and KIND.results/ (of regress and isolation), tap/ (the raw lines), log/ (of the servers).
#
# Set in the environment, or behind make:
#   REGRESS='a b', ISOLATION='a b'        only test/sql/a.sql ..., test/specs/a.spec ...
#   TAP=test/t/a.pl, PROVE_FLAGS=-v       only these; how prove runs them (as many at a time as there are cores)
#   UNIT_ARGS='"name of a case"'          what the unit tests' program gets
#   CHECK=tmp_check2                      another folder, so that two runs go beside each other
#   KEEP=1                                leaves the servers' files; test/cluster.sh -b tmp_check close removes them
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PG_CONFIG=${PG_CONFIG:-pg_config}
check=${CHECK:-tmp_check}
kinds=("$@")

mkdir -p "$check"
# One run at a time.  (Not flock: what a killed run leaves behind would hold the lock.)
holder=$(cat "$check/pid" 2>/dev/null) || :
if [[ -n $holder && $holder != "$$" ]] && grep -qz 'test/run\.sh' "/proc/$holder/cmdline" 2>/dev/null; then
	echo "prodsync: error: tests are running in $check already (process $holder)" >&2
	echo "hint: wait, or make CHECK=tmp_check2 ..." >&2
	exit 1
fi
echo $$ >"$check/pid"

cluster() { test/cluster.sh -b "$check" "$@"; }
room=
finish()
{
	trap - EXIT INT TERM HUP
	[[ -n $room ]] || return 0
	local log
	mkdir -p "$check/log"
	for log in "$room"/*/log; do [[ ! -f $log ]] || cp "$log" "$check/log/$(basename "$(dirname "$log")").log"; done
	if [[ -z ${KEEP:-} ]]; then cluster close; fi
	rm -f "$check/pid"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

find "$check" -mindepth 1 -maxdepth 1 ! -name pid ! -name private -exec rm -rf {} +
room=$(cluster open)
mkdir "$check/totals"
case " $* " in *" regress "* | *" isolation "* | *" tap "*) cluster tree ;; esac

# The copy.  Fixtures that lie beside the checkout keep their place beside it.
cluster run mkdir "$room/src"
copied=()
for name in test expected sql docs README.md extension/prodsync.control; do [[ ! -e $name ]] || copied+=("$name"); done
tar -c --mode=u+rwX --exclude='test/unit/*.[od]' --exclude='test/fuzz/*.[od]' "${copied[@]}" | cluster run tar -x
if [[ -d ../shared/fixtures ]]; then (cd .. && tar -c --mode=u+rwX shared/fixtures) | cluster run sh -c 'tar -x -C ..'; fi

failed=0
total() { printf '%s\n' "$2" "$3" >"$check/totals/$1"; (($3 == 0)) || failed=1; }
say() { printf '\n== %s\n' "$*"; }
count() { grep -Ec "$1" "$2" || :; }

unit()
{
	say "unit tests"
	if [[ ! -x test/unit/unit ]]; then echo "there are none yet"; return; fi
	local log=$check/unit.log status=0 passed=0 bad=0 line
	eval "set -- ${UNIT_ARGS:-}"            # names of test cases have blanks, so there are quotes in it
	cluster run test/unit/unit "$@" >"$log" 2>&1 </dev/null || status=$?
	((status == 0)) || head -n 200 "$log"
	line=$(grep -E '^(All tests passed|test cases:|No tests ran)' "$log" | tail -n 1) || :
	tail -n 3 "$log" | grep -E '^(All tests passed|test cases:|assertions:|No tests ran)' || :
	case $line in
	All*) passed=$(sed -E 's/.* in ([0-9]+) test cases?.*/\1/' <<<"$line") ;;
	test*)
		passed=$(sed -nE 's/.*\| +([0-9]+) passed.*/\1/p' <<<"$line")
		bad=$(sed -nE 's/.*\| +([0-9]+) failed( .*)?$/\1/p' <<<"$line")
		;;
	esac
	if ((status != 0 && ${bad:-0} == 0)); then echo "the unit tests ended with exit code $status"; bad=1; fi
	total unit "${passed:-0}" "${bad:-0}"
}

# The targets of test/fuzz on their corpus and on changes of it: one of them is one test.
replay()
{
	say "fuzz targets, replayed"
	local log=$check/replay.log status=0 passed
	cluster run test/fuzz/replay >"$log" 2>&1 </dev/null || status=$?
	((status == 0)) || cut -c 1-1000 "$log"
	passed=$(count '^ok ' "$log")
	((status != 0)) || echo "$passed targets held what they promise"
	total replay "$passed" "$((status != 0))"
}

# pg_regress and its sister for isolation specs write where they read from, so each gets a folder of its own.  A test's expected
# output is expected/NAME.out for both.
regression()                                # kind, inputs' folder, their ending, program, names...
{
	local kind=$1 inputs=$2 ending=$3 program=$4 status=0 log=$check/$1.log name
	shift 4
	say "$kind tests"
	if (($# == 0)); then
		for name in "$inputs"/*."$ending"; do [[ ! -e $name ]] || set -- "$@" "$(basename "$name" ".$ending")"; done
	fi
	if (($# == 0)); then echo "there are none yet"; return; fi
	local dir=$room/run/$kind conf=()
	cluster run mkdir -p "$dir/expected"
	cluster run cp -a "$room/src/$inputs" "$dir/"
	cluster run sh -c 'cp -a "$0"/src/expected/. "$1"/expected/ 2>/dev/null || :' "$room" "$dir"
	for name; do
		[[ -e $inputs/$name.$ending ]] || { echo "prodsync: error: there is no $inputs/$name.$ending" >&2; exit 2; }
		# a new test fails with all of its output, which then waits in the results
		[[ -e $dir/expected/$name.out ]] || cluster run touch "$dir/expected/$name.out"
	done
	if [[ -f test/postgresql.conf ]]; then mapfile -t conf <test/postgresql.conf; fi
	cluster start "$kind" "${conf[@]}"
	program=$room/tree$("$PG_CONFIG" --pgxs | sed 's,/makefiles/pgxs.mk$,,')/test/$program
	cluster run env PRODSYNC_TEST_PARTS="$dir/$(basename "$inputs")/parts" "$program" --bindir= --inputdir="$dir" --outputdir="$dir" --host="$room/$kind" --port=5432 --user=postgres \
		--dbname=regression "$@" >"$log" 2>&1 </dev/null || status=$?
	cluster stop "$kind"
	if [[ -d $dir/results ]]; then cp -a "$dir/results" "$check/$kind.results"; fi
	if [[ -s $dir/regression.diffs ]]; then
		cp "$dir/regression.diffs" "$check/$kind.diffs"
		grep -E '^test .*FAILED|^not ok' "$log" || :
		head -n 150 "$dir/regression.diffs"
		echo "all of it: $check/$kind.diffs; what came out: $check/$kind.results/"
	elif ((status != 0)); then
		cat "$log"
	fi
	# up to PostgreSQL 15 "test NAME ... ok 12 ms", from 16 TAP
	local passed bad
	passed=$(count '^(test .*\.\.\. ok|ok [0-9])' "$log")
	bad=$(count '^(test .*\.\.\. (FAILED|failed)|not ok [0-9])' "$log")
	if ((status != 0 && bad == 0)); then bad=1; fi
	grep -E '(tests? (passed|failed)|tests did not)' "$log" | tail -n 1 || :
	total "$kind" "$passed" "$bad"
}

tap()
{
	say "tests of the whole client"
	if (($# == 0)) && compgen -G 'test/t/*.pl' >/dev/null; then set -- test/t/*.pl; fi
	if (($# == 0)); then echo "there are none yet"; return; fi
	local status=0 dump=$room/tap log=$check/tap.log
	cluster run mkdir "$dump"
	# The raw lines of each file go to $dump, for the count.
	# shellcheck disable=SC2086
	cluster run env PERL_TEST_HARNESS_DUMP_TAP="$dump" prove -I test/t ${PROVE_FLAGS:--j$(nproc)} "$@" 2>&1 </dev/null | tee "$log" || status=$?
	cp -a "$dump" "$check/tap"
	local passed=0 bad=0 file
	while read -r file; do
		passed=$((passed + $(grep -E '^ok ' "$file" | grep -Evc '# (skip|SKIP)' || :)))
		bad=$((bad + $(grep -E '^not ok ' "$file" | grep -Evc '# (todo|TODO)' || :)))
	done < <(find "$dump" -type f)
	if ((status != 0 && bad == 0)); then bad=1; fi      # a file that died between its tests
	total tap "$passed" "$bad"
}

for kind in "${kinds[@]}"; do
	# shellcheck disable=SC2086
	case $kind in
	unit) unit ;;
	replay) replay ;;
	regress) regression regress test/sql sql regress/pg_regress ${REGRESS:-} ;;
	isolation) regression isolation test/specs spec isolation/pg_isolation_regress ${ISOLATION:-} ;;
	tap) tap ${TAP:-} ;;
	*) echo "usage: test/run.sh [unit] [replay] [regress] [isolation] [tap]" >&2; exit 2 ;;
	esac
done
echo
if ((failed)); then echo "Some tests failed; the logs are in $check/."; fi
exit $failed
