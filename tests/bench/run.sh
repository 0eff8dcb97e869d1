#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Prints the tables of figures: what the parts cost by themselves, then what nodes cost a whole daemon.
#   tests/bench/run.sh [N...]      N nodes against the daemon; 100 1000 by default (make bench takes BENCH_NODES)
#   tests/bench/run.sh console     the console's alone
set -u
cd "$(dirname "$0")/../.." || exit 1
status=0
if [ "${1:-}" = console ]; then
  build/release/tests/bench/bench_console || status=1
  tests/bench/console_start.py || status=1
  exit "$status"
fi
for program in build/release/tests/bench/bench_*; do
  if [[ ! -x $program || $program == *.* || $program == *bench_load || $program == *bench_relay ]]; then continue; fi
  echo "== ${program##*/bench_}"
  "$program" || status=1
done
echo "== relay"
tests/bench/relay.py || status=1
echo "== start of the console"
tests/bench/console_start.py || status=1
echo "== daemon"
if [ $# -eq 0 ]; then read -ra nodes <<<"${BENCH_NODES:-100 1000}"; else nodes=("$@"); fi
tests/bench/daemon.py "${nodes[@]}" || status=1
echo "== databases"
tests/bench/daemon.py engines || status=1
exit "$status"
