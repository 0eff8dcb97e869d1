#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Hosts behind routers that translate addresses: two whose routers keep ports and are kept apart by a packet filter, until
# it is lifted; two whose routers change ports for each destination, which find no way but the relay.
# limit: 150
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_up
lab_nat na easy
lab_nat nb easy
lab_nat nc hard
lab_nat nd hard
lab_block na nb
lab_block nb na
lab_host a "$CLIENT_NEW" na
lab_host b "$CLIENT_USED" nb
lab_host c "$CLIENT_USED" nc
lab_host d "$CLIENT_NEW" nd
user_and_key alice
for host in a b c d; do
  began=$(now_ms)
  lab_join "$host" >/dev/null 2>&1
  figure "tailscale up of $host" "$(($(now_ms) - began))" 600 ms
done

first_ping a b 1000
check "behind routers, direct path filtered: a reaches b through the relay" wait_for 5 via_relay a b
check "and b reaches a" wait_for 5 via_relay b a
check "status names the relay" wait_for 5 on_relay a b
for host in a b; do
  check "netcheck of $host names the region and its latency" eval \
    "ts $host netcheck 2>&1 | tee '$LAB/netcheck' | grep -F 'Nearest DERP: Lab' && grep -E -- '- +lab: [0-9.]+(ms|µs)' '$LAB/netcheck'"
done

first_ping c d 1000
check "ports that change: c reaches d through the relay" wait_for 5 via_relay c d
check "and d reaches c" wait_for 5 via_relay d c
check "status names the relay for them" wait_for 5 on_relay c d

# One tailscale ping from the relay to the direct path: it ends with the first answer that comes directly.
ts a ping -c 40 --timeout 3s "$(address_of b)" >"$LAB/ping" 2>&1 &
pinging=$!
check "tailscale ping begins on the relay" wait_for 10 grep -F 'via DERP(lab)' "$LAB/ping"
lab_unblock na
lab_unblock nb
began=$(now_ms)
check "the filter is lifted: it goes on directly" wait_for 60 grep -F "via $(cat "$LAB/b/address"):" "$LAB/ping"
echo "# direct after $(($(now_ms) - began)) ms"
check "and ends" wait "$pinging"
check "status says so" wait_for 10 on_path a b
check "and in the other direction" wait_for 20 on_path b a
check "c and d are still on the relay" on_relay c d
check "and reach each other" via_relay c d
check "relay status shows the four" eval 'hw relay status -o json | jq -e ".connections | map(.name) | sort == [\"a\", \"b\", \"c\", \"d\"]"'
