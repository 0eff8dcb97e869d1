# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What every test script shares: cases as TAP, waiting for an event, cleaning up. Sourced first:
#   . "$(dirname "$0")/../shared/lib.sh"
#
#   check NAME COMMAND...        one case: passes when the command succeeds; its output is shown when it does not
#   wait_for SECONDS COMMAND...  runs the command until it succeeds; fails, with its last output, when the time is over
#   soak_or SHORT LONG           the figure of `make check`, or that of `make soak`
#   at_exit COMMAND...           run when the script ends in whatever way, last registered first
#   skip_all REASON              ends the script: all its cases are skipped
# $WORK is a directory of the test's own, removed at the end (kept, and named, when KEEP=1).
set -uo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/headway-test.XXXXXX")
HEADWAYD=${HEADWAYD:-$ROOT/build/release/headwayd}
HEADWAY=${HEADWAY:-$ROOT/build/release/headway}
export HEADWAYD HEADWAY
POLL=0.05

case_count=0 case_failed=0
exit_jobs=()

at_exit() { exit_jobs+=("$(printf '%q ' "$@")"); }

lib_finish() {
  local status=$? i
  trap '' INT TERM HUP
  for ((i = ${#exit_jobs[@]} - 1; i >= 0; i--)); do eval "${exit_jobs[i]}"; done
  if [ -n "${KEEP:-}" ]; then echo "# kept: $WORK"; else rm -rf "$WORK"; fi
  if [ "$case_count" -gt 0 ] && [ "$status" = 0 ]; then
    echo "1..$case_count"
    [ "$case_failed" = 0 ] || status=1
  fi
  exit "$status"
}
trap lib_finish EXIT
trap 'exit 130' INT TERM HUP

skip_all() {
  echo "$*"
  exit 77
}

pass() {
  case_count=$((case_count + 1))
  echo "ok $case_count - $*"
}

fail() {
  case_count=$((case_count + 1)) case_failed=$((case_failed + 1))
  echo "not ok $case_count - $*"
}

skip_case() { # NAME REASON
  case_count=$((case_count + 1))
  echo "ok $case_count - $1 # SKIP $2"
}

check() {
  local name=$1
  shift
  # In this shell, not in a substitution: what the command sets must stay.
  if "$@" >"$WORK/check.out" 2>&1; then
    pass "$name"
  else
    fail "$name"
    printf '%s: %s\n' "$*" "$(cat "$WORK/check.out")" | tail -n 20 | sed 's/^/# /'
    return 1
  fi
}

# The opposite: the command has to fail.
check_not() {
  local name=$1
  shift
  check "$name" not "$@"
}
not() { ! "$@"; }

wait_for() {
  local limit=$1 out end
  shift
  end=$(($(now_ms) + limit * 1000))
  until out=$("$@" 2>&1); do
    if [ "$(now_ms)" -ge "$end" ]; then
      echo "not within $limit s: $*"
      echo "$out"
      return 1
    fi
    sleep "$POLL"
  done
  [ -z "$out" ] || echo "$out"
}

now_ms() { date +%s%3N; }

soak_or() { if [ "${SOAK:-0}" = 1 ]; then echo "$2"; else echo "$1"; fi; }

# figure NAME FIGURE AIM UNIT: a time that was measured and what it should be; for people, since a busy machine may need
# longer. Budgets are kept by make bench.
figure() { echo "# $1: $2 $4 (aim: at most $3)"; }

# at_most NAME COUNT LIMIT UNIT: a count against what it must keep
at_most() {
  echo "# $1: $2 $4 (at most $3)"
  check "$1 within $3 $4" test "$2" -le "$3"
}

# median FIGURE...
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

need_commands() {
  local c
  for c in "$@"; do command -v "$c" >/dev/null || skip_all "$c is not there"; done
}

need_programs() {
  local p
  for p in "$HEADWAYD" "$HEADWAY"; do [ -x "$p" ] || skip_all "$(basename "$p") is not built"; done
}

# gone PID: it has ended (a child that nobody waited for yet counts as ended)
gone() {
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  [[ ${stat##*) } == Z* ]]
}

# end_process PID [SIGNAL]: ends one process that this script started, and waits until it is gone
end_process() {
  kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
  wait_for 10 gone "$1" >/dev/null || kill -KILL "$1" 2>/dev/null
  wait_for 5 gone "$1" >/dev/null
}
