#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two hosts between which no packet passes: they talk through the relay, and directly once they can. Also over a restart
# of the daemon, with clients of three ages, and without UDP at all.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

relayed() { reaches "$1" "$(address_of "$2")"; }
status() { hw relay status -o json | jq -e "$1" >/dev/null; }

lab_up
lab_host a "$CLIENT_NEW"
lab_host b "$CLIENT_USED"
lab_host c "$CLIENT_OLD"
lab_block a b c
lab_block b a c
lab_block c a b
user_and_key alice
began=$(now_ms)
lab_join a
figure "tailscale up" "$(($(now_ms) - began))" 600 ms
lab_join b
lab_join c

first_ping a b 1000
first_ping c b 1000
check "a reaches b through the relay" wait_for 5 via_relay a b
check "and b reaches a" wait_for 5 via_relay b a
check "a reaches c, which cannot pin the certificate, and back" eval 'wait_for 15 via_relay a c && wait_for 5 via_relay c a'
check "packets pass too" wait_for 5 relayed a b
check "no packet passes directly" not via_direct a b
check "netcheck names the region" eval 'ts a netcheck 2>&1 | grep -F "Nearest DERP: Lab"'
check "relay status shows the three" wait_for 5 status '.connections | map(.name) | sort == ["a", "b", "c"]'
check "and that this is their home" wait_for 5 status '.connections | map(.home) | all'
check "and bytes" status '.bytesIn > 0 and .bytesOut > 0'
check "clients of 1.82 and newer are told the pin" eval 'ts a debug derp-map | jq -e ".Regions[\"900\"].Nodes[0].CertName | startswith(\"sha256-raw:\")" && ts b debug derp-map | grep -q sha256-raw'
check "the relay's own tool finds it established" eval 'ts a debug derp lab | grep -F "Successfully established"'

daemon_kill9
daemon_start
began=$(now_ms)
check "after kill -9 they talk again" wait_for 20 relayed a b
echo "# back $(($(now_ms) - began)) ms after the daemon answered"
check "by the same certificate" eval 'wait_for 5 via_relay b a'

on a nft 'table inet noudp { chain out { type filter hook output priority -300; oifname "eth0" meta l4proto udp drop; }
}'
check "without UDP the relay's delay is measured over TLS" eval 'ts a netcheck 2>&1 | grep -F "Nearest DERP: Lab"'
check "and a reaches b" wait_for 15 via_relay a b
on a nft delete table inet noudp

lab_unblock a
lab_unblock b
check "freed, they find each other directly" wait_for 60 via_direct a b

check "a node that is deleted" hw nodes delete --identifier "$(node_id c)" --force
check "loses its relay at once" wait_for 2 status '.connections | map(.name // "?") | sort == ["a", "b"]'
