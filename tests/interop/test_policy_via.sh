#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Steering by "via": two groups go to one network through routers of their own, and when one of a group's routers dies the
# other one of that group takes over, though a router of the other group is the network's primary.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

# goes_by NAME INDEX: the server on the LAN sees NAME's packets come from that one of its routers
goes_by() { [ "$(outer_address "$1" "$LAN_SERVER")" = "${LAN_SERVER%.*}.$2" ]; }
settled() { for r in "$@"; do node_is "$r" .online true && reaches a "$(address "$r")" || return 1; done; }

lab_up
lab_host a
lab_host b "$CLIENT_USED"
for r in r1 r2 r3; do lab_host "$r"; done
lab_lan office r1 r2 r3
lab_echo office "$LAN_SERVER"
hw users create bob >/dev/null
new_key bob --reusable
lab_join b --accept-routes
user_and_key alice
lab_join a --accept-routes
tags='"tagOwners": {"tag:ra": ["alice@"], "tag:rb": ["alice@"]}, "autoApprovers": {"routes": {"10.0.0.0/8": ["tag:ra", "tag:rb"]}}'
policy <<END
{
  $tags,
  "grants": [
    {"src": ["alice@"], "dst": ["$LAN_NET"], "via": ["tag:ra"], "ip": ["*"]},
    {"src": ["bob@"], "dst": ["$LAN_NET"], "via": ["tag:rb"], "ip": ["*"]},
    {"src": ["*"], "dst": ["tag:ra", "tag:rb"], "ip": ["icmp:*"]},
  ],
}
END
# The oldest router, and so the primary of the network, is bob's.
lab_join r3 --advertise-tags=tag:rb --advertise-routes="$LAN_NET"
lab_join r1 --advertise-tags=tag:ra --advertise-routes="$LAN_NET"
lab_join r2 --advertise-tags=tag:ra --advertise-routes="$LAN_NET"
check "bob's router is the primary" node_is r3 '.subnetRoutes | join(",")' "$LAN_NET"
check "alice is given the route by hers" eval 'wait_for 5 has_route a r1 "$LAN_NET" && has_no_route a r3 "$LAN_NET"'
check "bob by his" eval 'wait_for 5 has_route b r3 "$LAN_NET" && has_no_route b r1 "$LAN_NET"'
check "alice's packets go by it" wait_for 20 goes_by a 1
check "and bob's by his" wait_for 20 goes_by b 3
check "the routers are known" wait_for 20 settled r1 r2 r3

# move LABEL HARM FROM TO LIMIT: alice's router FROM is harmed, her packets go on by TO
move() {
  gap_begin a "$LAN_SERVER" >/dev/null
  gap_more 25 >/dev/null
  "$2" "r$3"
  check "$1: the other router of her group takes over" wait_for 15 has_route a "r$4" "$LAN_NET"
  gap_more 25 >/dev/null
  gap_end
  figure "$1: longest gap" "$GAP_MS" "$5" ms
  check "$1: her packets go by it" wait_for 5 goes_by a "$4"
  check "$1: the server reads back from her that she follows" \
    wait_for 15 eval "hw routes status '$LAN_NET' | grep -F '1 of 1 node has switched $LAN_NET via tag:ra to r$4'"
  check "$1: bob's go as before" goes_by b 3
  check "$1: the primary stays" node_is r3 '.subnetRoutes | join(",")' "$LAN_NET"
}
move "tailscaled killed with -9" lab_kill9 1 2 "$(soak_or 1500 500)"
lab_start r1
check "the first one is back" wait_for 30 settled r1 r2
check "and the second one keeps her route" eval 'has_route a r2 "$LAN_NET" && has_no_route a r1 "$LAN_NET"'
check "the journal says so" eval 'hw events | grep -F "$LAN_NET via tag:ra moved from r1 to r2"'
check "an explanation names it too" eval 'hw policy explain a "$LAN_SERVER" | grep -F r2'
move "cable pulled" lab_cut 2 1 3500
lab_mend r2
check "the second one is back" wait_for 30 settled r1 r2

lab_kill9 r3
check "bob has no other router, and no route" wait_for 15 has_no_route b r3 "$LAN_NET"
check_not "his packets do not go by alice's" outer_address b "$LAN_SERVER"
check "alice's go on" goes_by a 1

# The daemon dies, and the router that served is the last to come back: it keeps the prefix, as a primary does.
daemon_kill9
lab_kill9 r1
daemon_start
check "the other router is back first" wait_for 10 node_is r2 .online true
check "and does not take the prefix" eval 'has_route a r1 "$LAN_NET" && has_no_route a r2 "$LAN_NET"'
lab_start r1
check "the one that served is back" wait_for 10 node_is r1 .online true
check "with alice's route" eval 'has_route a r1 "$LAN_NET" && has_no_route a r2 "$LAN_NET"'
check "and her packets go by it" wait_for 20 goes_by a 1
