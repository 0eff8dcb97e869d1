#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A router that loses the server and forwards on: of its two prefixes the one that is kept stays with it, with packets,
# over kill -9 of the server too; the other one is withdrawn (scenarios 15, 18, 54, 55, 74). A router that is there takes
# the kept one over at once.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

OTHER=10.250.0.0/24 THIRD=10.251.0.0/24
LAB_CONFIG="node: {routes: {ha: {settle_time: 3s}}}"
lab_up
lab_host a
lab_host b "$CLIENT_USED"
lab_host r1
lab_host r2 "$CLIENT_OLD"
lab_lan office r1 r2
user_and_key alice
lab_join a --accept-routes
lab_join b --accept-routes
lab_join r1 --advertise-routes="$LAN_NET,$OTHER"
lab_join r2 --advertise-routes="$THIRD"
check "a third one, of r2, is approved" approve r2 "$THIRD"
check "the two of r1 are approved" approve r1 "$LAN_NET,$OTHER"
check "one of them is kept" hw routes set "$LAN_NET" --keep
for host in a b; do
  check "$host's packets pass" wait_for 20 reaches "$host" "$LAN_SERVER"
  check "$host has a path to r1 without relay" wait_for 30 on_path "$host" r1
done

kept() { serves r1 && has_route a r1 "$LAN_NET" && has_route b r1 "$LAN_NET"; }
withdrawn() { node_is r1 ".subnetRoutes | index(\"$OTHER\")" null && has_no_route a r1 "$OTHER" && has_no_route b r1 "$OTHER"; }
both_back() { node_is a .online true && node_is b .online true; }

# Only the way to the server is gone, and with it the relay.
gap_begin a "$LAN_SERVER"
lab_block r1 ctl
check "r1 is seen to be offline" wait_for 30 node_is r1 .online false
check "what is not kept is withdrawn" wait_for 20 withdrawn
check "what is kept stays, at the clients too" kept
check "and packets pass" gap_more 50
check "the check names it" eval 'hw routes check "$LAN_NET" | grep -F "the node is offline, keeps the prefix"'

third_is() { node_is r2 ".subnetRoutes | index(\"$THIRD\") != null" "$1"; }
for how in kill9 stop; do
  check "$how: r2 serves the third" wait_for 60 third_is true
  "daemon_$how"
  check "$how: packets pass without the server" gap_more 100
  lab_stop r2
  daemon_start
  check "$how: clients are back" wait_for 60 both_back
  # That r2 did not come back is said then.
  check "$how: the settle time is over" wait_for 30 third_is false
  check "$how: what was withdrawn stays so" withdrawn
  check "$how: what is kept stays, at the clients too" wait_for 10 kept
  check "$how: packets pass" gap_more 100
  check "$how: a packet from b, whose client is another one" wait_for 10 reaches b "$LAN_SERVER"
  lab_start r2
done
gap_end
echo "# $REPLIES answers, $LOST packets lost, longest gap $GAP_MS ms"

ts r2 set --advertise-routes="$LAN_NET,$THIRD"
check "another router of the kept one is approved" approve r2 "$LAN_NET,$THIRD"
check "and takes over at once" wait_for 10 serves r2
check "the clients follow" wait_for 20 eval 'has_route a r2 "$LAN_NET" && has_no_route a r1 "$LAN_NET"'
check "packets pass through it" wait_for 20 reaches a "$LAN_SERVER"
lab_unblock r1
check "r1 comes back" wait_for 60 node_is r1 .online true
check "and serves what was withdrawn, at once" wait_for 10 node_is r1 ".subnetRoutes | index(\"$OTHER\") != null" true
check "but not what another one serves" serves r2
