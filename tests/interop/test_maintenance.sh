#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A router is drained while packets flow, and is safe to reboot once the client follows; the better router takes over
# after its delay; the same within a group that a grant names with via.
# alone: it counts the packets that a drain loses
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

via() { hw routes list -o json | jq -er --arg n "$1" '.[] | select(.name == $n) | .via'; }
serves_via() { [ "$(via "$1")" = tag:router ]; }
says() { hw routes status "$1" | grep -F "$2"; }

lab_up
lab_office
for r in r1 r2; do check "the client knows the way to $r" wait_for 20 reaches a "$(address "$r")"; done

# drained LABEL FROM TO IS_SERVED_BY: drains FROM with packets under way
drained() {
  gap_begin a "$LAN_SERVER" >/dev/null
  gap_more 50 >/dev/null
  check "$1: it is said what moved" eval "hw routes drain $2 | grep -F '$LAN_NET moved to $3'"
  check "$1: $3 serves" wait_for 5 "$4" "$3"
  gap_more 50 60 >/dev/null
  gap_end
  echo "# $1: longest gap $GAP_MS ms, $LOST packets lost"
  at_most "$1: packets lost" "$LOST" 1 packets
  check "$1: it is safe to reboot once the client follows" wait_for 90 says "$2" "safe to reboot"
  check "$1: packets pass without it" eval "lab_kill9 $2 && reaches a $LAN_SERVER"
  lab_start "$2"
  check "$1: it is back" wait_for 30 node_is "$2" .online true
  hw routes drain "$2" --off >/dev/null
}

drained "drained with packets under way" r1 r2 serves
check "the drained router is not preferred when it is back" serves r2

check "r1 gets a higher priority" hw routes priority r1 200
check "and takes over after the delay" hw routes set "$LAN_NET" --failback priority --hold-down 0s --failback-delay 5s
check "r1 serves again" wait_for 30 serves r1
check "packets pass through it" wait_for 20 reaches a "$LAN_SERVER"

hw routes priority r1 default >/dev/null
hw routes set "$LAN_NET" --reset >/dev/null
policy <<END
{ "tagOwners": { "tag:router": ["alice@"] },
  "grants": [
    { "src": ["alice@"], "dst": ["tag:router"], "ip": ["*"] },
    { "src": ["alice@"], "dst": ["$LAN_NET"], "via": ["tag:router"], "ip": ["*"] },
  ] }
END
for r in r1 r2; do check "$r has the tag" hw nodes tag --identifier "$(node_id "$r")" --tags tag:router; done
check "a router serves within the group" wait_for 10 eval 'serves_via r1 || serves_via r2'
check "packets pass within the group" wait_for 20 reaches a "$LAN_SERVER"
first=r1 second=r2
serves_via r1 || { first=r2 second=r1; }
for r in r1 r2; do check "the client knows the way to $r" wait_for 20 reaches a "$(address "$r")"; done
drained "drained within a group of via" "$first" "$second" serves_via
