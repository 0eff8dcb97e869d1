#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A router that is online and does not forward: the prefix moves within 20 s where a target behind it is probed, and
# where none is, the router's client says what is wrong. Scenario 100 of the routes.
# limit: 600
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

LAB_CONFIG="node: {routes: {probe: {health_interval: 10s}}}"
lab_up
lab_host a
lab_host b "$CLIENT_USED"
lab_host r1
lab_host r2 "$CLIENT_OLD"
lab_lan office r1 r2
ip -n "$(lab_ns office)" route del default # answers come back by the routers' NAT alone
user_and_key alice
lab_join a --accept-routes
lab_join b --accept-routes
for r in r1 r2; do
  lab_join "$r" --advertise-routes="$LAN_NET"
  check "$r is approved" approve "$r" "$LAN_NET"
done

events() { hw events --limit 500 -o json | jq -r --arg k "$1" ".[] | select(.kind == \$k) | .text"; }
snapshot() { on ctl curl -fsS --unix-socket "$LAB/daemon/headway.sock" http://headway/api/headway/snapshot; }
warns() { snapshot | jq -er --arg n "$1" --arg c "$2" '.nodes[] | select(.givenName == $n) | .warnings[]? | select(.code | test($c)) | .text'; }
metric() { on ctl curl -fsS "http://127.0.0.1:9090/metrics" | awk -v n="$1" '$1 == n {print $2}'; }
pinged() { [ "$(metric headway_route_pings_total)" -ge "$1" ]; }

check "r1 serves" wait_for 10 serves r1
check "packets pass" wait_for 20 reaches a "$LAN_SERVER"
check "b's packets pass" wait_for 20 reaches b "$LAN_SERVER"

forwarding() { on "$1" sysctl -qw net.ipv4.ip_forward="$2" net.ipv6.conf.all.forwarding="$2"; }

# Without a target nothing moves, and the client of the router complains.
forwarding r1 0
ts r1 set --advertise-routes="$LAN_NET,10.250.0.0/24" # it looks at its system when it says something
check "the client warns that forwarding is off" wait_for 40 warns r1 forwarding
check "which the list of routes says" eval 'hw routes list --node r1 | grep -i "warning: .*forward"'
check "r1 serves on" serves r1
forwarding r1 1
ts r1 set --advertise-routes="$LAN_NET"
check "the warning goes when it is over" wait_for 40 not warns r1 forwarding

check "a target is named" hw routes set "$LAN_NET" --probe "$LAN_SERVER"
check "other nodes ping it" wait_for 30 pinged 12

# moves_within_20s LABEL FROM TO
moves_within_20s() {
  local label=$1 to=$3 start
  start=$(now_ms)
  check "$label: $to takes over" wait_for 30 serves "$to"
  at_most "$label: seen and moved" $(($(now_ms) - start)) 20000 ms
  check "$label: packets pass" wait_for 10 reaches a "$LAN_SERVER"
  check "$label: $2 is online all the while" node_is "$2" .online true
}

forwarding r1 0
moves_within_20s "forwarding off" r1 r2
check "the evidence is in the journal" eval 'events route.unreached | grep -F "behind $LAN_NET does not answer through r1"'
forwarding r1 1
check "r1 is tested on, and found well" wait_for 90 eval 'events route.reached | grep -F "through r1 again"'

on r2 ip link set lan-office down
moves_within_20s "LAN port down" r2 r1
on r2 ip link set lan-office up
check "r2 is found well" wait_for 90 eval 'events route.reached | grep -F "through r2 again"'

on r1 nft flush ruleset
on r1 sh -c 'command -v iptables >/dev/null && iptables -t nat -F || true'
moves_within_20s "NAT broken" r1 r2
lab_stop r1
lab_start r1 # it sets its NAT up anew
check "r1 is back" wait_for 30 node_is r1 .online true

moved() { events route.failover | wc -l; }
before=$(moved) asked=$(metric headway_route_pings_total)
for r in r1 r2; do
  on "$r" nft 'table inet lossy {
    chain incoming { type filter hook prerouting priority -300; numgen random mod 100 < 5 drop; }
    chain outgoing { type filter hook postrouting priority -300; numgen random mod 100 < 5 drop; }
  }'
done
check "pings go on while 5 % of the packets are lost" wait_for "$(soak_or 120 900)" pinged $((asked + $(soak_or 40 480)))
check "and nothing moves" test "$(moved)" = "$before"
