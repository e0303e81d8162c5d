#!/usr/bin/env bash
# test/fuzz/fuzz.sh TARGET...: libFuzzer on each, for FUZZ_SECONDS (60).  It begins with the committed corpus; what it adds is kept in
# tmp_fuzz/corpus/TARGET for the next time, what breaks a promise in tmp_fuzz/found/.  A finding that is mended goes into
# test/fuzz/corpus/TARGET, by a name that says what it was: `make test` runs it from then on.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
mkdir -p tmp_fuzz/found
for target; do
	mkdir -p "tmp_fuzz/corpus/$target"
	printf '== %s, %s s\n' "$target" "${FUZZ_SECONDS:-60}"
	nice "tmp_fuzz/$target" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix="tmp_fuzz/found/$target-" "tmp_fuzz/corpus/$target" "test/fuzz/corpus/$target" 2>"tmp_fuzz/$target.log" ||
		{ status=1; grep -aE 'not kept|ERROR|SUMMARY|runtime error|Test unit written' "tmp_fuzz/$target.log" || tail -n 20 "tmp_fuzz/$target.log"; }
done
exit $status
