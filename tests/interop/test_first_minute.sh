#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The first minute, as the README tells it: `make run` on a machine with nothing else, the line that it prints on two
# others, and a ping between them. No configuration, no privileges, no internet.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

home=$WORK/home
as_user() { ip netns exec "$(lab_ns ctl)" setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH="$PATH" HOME="$home" "$@"; }
run_begin() {
  as_user "$ROOT/server/dist/run.sh" "$WORK/bin" >"$WORK/out" 2>&1 </dev/null &
  disown
  wait_for 20 grep -q 'tailscale up' "$WORK/out" || { cat "$WORK/out" "$home/.local/state/headway/headwayd.log"; return 1; }
}
# latency HOST: netcheck's figure of the region
latency() { ts "$1" netcheck 2>&1 | tee "$LAB/netcheck" | grep -oE -- '- +headway: [0-9.]+(µs|ms)' || { cat "$LAB/netcheck"; return 1; }; }

lab_net
lab_host a "$CLIENT_NEW"
lab_host b "$CLIENT_USED"
install -d -o 65534 -g 65534 "$home"
chmod 0711 "$WORK"
install -d "$WORK/bin" && install "$HEADWAYD" "$HEADWAY" "$WORK/bin"
began=$(now_ms)
check "make run starts" run_begin || exit 0
echo "# make run printed its line after $(($(now_ms) - began)) ms"
read -ra line < <(grep -o 'tailscale up .*' "$WORK/out")
check "the line is complete" test "${#line[@]}" = 6

for host in a b; do
  began=$(now_ms)
  check "the line joins $host" ts "$host" "${line[@]:1}" --hostname "$host"
  figure "tailscale up of $host" "$(($(now_ms) - began))" 600 ms
done
first_ping a b 1000
check "and soon directly" wait_for 10 on_path a b
check "netcheck of a (1.102.3) names the region with its latency" wait_for 10 latency a
check "netcheck of b (1.98.9) names it too" wait_for 10 latency b
check "a has no complaint" eval 'ts a status --json | jq -e ".Health | length == 0"'
