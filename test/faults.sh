#!/bin/bash
# make check-faults: breaks something at every moment of a refresh, and looks whether the target is what it was, or what it was to become,
# and nothing in between (test/faults/).  Then prints what was visited: point, fault, exit code, outcome, seconds.
#
# The points at which a refresh is stopped (FAULT_POINT in the sources) are only in a build with FAULTS=1.  It lives in a folder of its own,
# tmp_faults/build, where only the few objects that have such points are compiled again; the rest are the checkout's.
#
#   FAULTS_ONLY='switch: rows brought'     only points that match this regular expression
#   TAP=test/faults/checks.pl              only this file
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$PWD/tmp_faults
jobs=$(nproc)
unset MAKEFLAGS MFLAGS MAKELEVEL

mkdir -p "$work/build"
rm -rf "$work"/build/{extension,client,sql,test,expected,docs,README.md,prodsync.so}
cp -a Makefile README.md extension client sql test docs "$work/build/"
cd "$work/build"
rm -f client/prodsync
grep -l 'fault_point\.hpp' extension/*.cpp client/*.cpp | sed 's/\.cpp$/.o/' | xargs rm -f
echo "building with fault points"
make -s -j"$jobs" FAULTS=1 all-lib client/prodsync >"$work/build.log" 2>&1 </dev/null ||
	{ tail -n 40 "$work/build.log" >&2; echo "prodsync: error: the build with fault points failed; all of it: $work/build.log" >&2; exit 1; }

status=0
# One more than there are cores: they wait now and then.  FAULTS: `make install` must not find anything else to build.
export PRODSYNC_TEST_FAULTS_ONLY=${FAULTS_ONLY:-}
FAULTS=1 TAP=${TAP:-$(echo test/faults/*.pl)} PROVE_FLAGS=${PROVE_FLAGS:--j$((jobs + 1))} CHECK=$work/check test/run.sh tap || status=1

say_visited()
{
	find "$work/check/tap" -type f -exec grep -h '^# visited | ' {} + | sed 's/^# visited | //' | sort
}
printf '\n%-58s %-30s %5s  %-22s %7s\n' point fault exit outcome seconds
say_visited | awk -F ' [|] ' '{ printf "%-58s %-30s %5s  %-22s %7s\n", $1, $2, $3, $4, $5 }'
say_visited | awk -F ' [|] ' '{ n++; points[$1]; by[$4]++ } END { printf "\n%d visits at %d points:", n, length(points); for (o in by) printf " %s %d", o, by[o]; print "" }'
exit $status
