#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The runner of the tests: it counts cases, names failures and skips, ends what takes too long, and its exit status tells.
# limit: 60
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"

mkdir -p "$WORK/tree/tests/sample"
cp "$ROOT/tests/run.sh" "$WORK/tree/tests/"
cd "$WORK/tree" || exit 1
printf 'all build-tests:\n' >Makefile
sample() { cat >"tests/sample/test_$1.sh"; }
result() { tests/run.sh "sample/$1" >out 2>&1 </dev/null; }
last() { tail -n 1 out; }

sample cases <<'EOF'
echo "1..3"; echo "ok 1 - one"; echo "ok 2 - two"; echo "ok 3 - three # SKIP no moon"
EOF
check "cases are counted" result cases
check "in one line at the end" test "$(last)" = "2 passed, 0 failed, 1 skipped"
check "a skip is named with its reason" grep -q 'skipped sample/cases: three: no moon' out

sample fails <<'EOF'
echo "ok 1 - fine"; echo "not ok 2 - broken"; echo "# because"; echo "1..2"
EOF
check_not "a failed case fails the run" result fails
check "and is counted" test "$(last)" = "1 passed, 1 failed, 0 skipped"
check "and named" grep -q '^failed  sample/fails: broken$' out
check "with the log" grep -q '# because' out

sample short <<'EOF'
echo "1..3"; echo "ok 1 - fine"
EOF
check_not "cases that did not come are a failure" result short
check "said so" grep -q 'ended after 1 of 3 cases' out

sample dies <<'EOF'
echo "1..1"; echo "ok 1 - fine"; kill -SEGV $$
EOF
check_not "a crash after the last case is a failure" result dies

sample plain <<'EOF'
exit 0
EOF
check "a script without cases counts as one" result plain
check "passed" test "$(last)" = "1 passed, 0 failed, 0 skipped"

sample plainskip <<'EOF'
echo "no network"; exit 77
EOF
check "77 is a skip" result plainskip
check "with its reason" grep -q 'skipped sample/plainskip: no network' out

sample slow <<'EOF'
# limit: 1
tail -f /dev/null
EOF
check_not "a test that takes too long is ended" result slow
check "and said so" grep -q 'time limit' out

sample leaves <<'EOF'
tail -f /dev/null &
echo $! >child
EOF
check_not "a test that leaves a process behind fails" result leaves
check "and the process is ended" wait_for 5 gone "$(cat child)"

rm tests/sample/test_*.sh
sample plain <<<'exit 0'
sample other <<<'exit 0'
mkdir tests/second && cp tests/sample/test_plain.sh tests/second/
check "a kind and a file of another one" eval 'tests/run.sh sample second/plain >out 2>&1'
check "run together" test "$(last)" = "3 passed, 0 failed, 0 skipped"
check "all kinds without a word" eval 'rm -rf tests/second; cp -r tests/sample tests/third; tests/run.sh sample third >out 2>&1'
check "run as well" test "$(last)" = "4 passed, 0 failed, 0 skipped"

check_not "nothing to run is no success" result nonsense


# Unit tests run beside each other: the first waits for the second, and is told of first.
mkdir -p tests/unit/part build/debug/tests/unit/part
touch tests/unit/part/test_{a,b,c}.c
program() {
  { echo '#!/bin/bash' && cat; } >"build/debug/tests/unit/part/test_$1"
  chmod +x "build/debug/tests/unit/part/test_$1"
}
program a <<EOF
until [ -e "$WORK/b_ran" ]; do sleep 0.01; done; echo "ok 1 - a"; echo 1..1
EOF
program b <<EOF
touch "$WORK/b_ran"; echo "ok 1 - b"; echo 1..1
EOF
program c <<'EOF'
echo "not ok 1 - c"; echo 1..1
EOF
check_not "a failed unit test fails the run" eval 'VARIANT=debug tests/run.sh unit >out 2>&1 </dev/null'
check "what ran beside each other is reported in order" \
  test "$(grep -o '^unit/[abc]' out | tr '\n' ' ')" = "unit/a unit/b unit/c "
check "and counted once" test "$(last)" = "2 passed, 1 failed, 0 skipped"

# Scripts of a folder too, but for those that say that they stand alone: these come last, each by itself.
mkdir tests/fourth
printf 'until [ -e "%s/second_ran" ]; do sleep 0.01; done\ntouch "%s/first_ended"\n' "$WORK" "$WORK" >tests/fourth/test_first.sh
printf '# alone: why\n[ -e "%s/first_ended" ] && touch "%s/alone_ran"\n' "$WORK" "$WORK" >tests/fourth/test_nobody.sh
printf '[ ! -e "%s/alone_ran" ] && touch "%s/second_ran"\n' "$WORK" "$WORK" >tests/fourth/test_second.sh
check "scripts run beside each other, one that is alone after them" eval 'tests/run.sh fourth >out 2>&1 </dev/null'
check "all are counted" test "$(last)" = "3 passed, 0 failed, 0 skipped"
