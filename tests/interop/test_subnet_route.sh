#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A subnet router: advertised, approved, used by packets to a host behind it, revoked, approved in advance.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_up
lab_host a
lab_host r1
lab_lan office r1
user_and_key alice
lab_join a --accept-routes
lab_join r1 --advertise-routes="$LAN_NET"

check "the route is available" wait_for 5 node_is r1 '.availableRoutes | join(",")' "$LAN_NET"
check "and not approved" node_is r1 '.approvedRoutes | length' 0
check "a has no such route" has_no_route a r1 "$LAN_NET"
check_not "and no packet passes" reaches a "$LAN_SERVER"
check "list-routes shows it as available" eval 'hw nodes list-routes | grep -F r1 | grep -F "$LAN_NET"'

out=$(approve r1 "$LAN_NET")
began=$(now_ms)
check "approve-routes says what it did" grep -qx 'Node updated' <<<"$out"
check "a's client has the route" wait_for 5 has_route a r1 "$LAN_NET"
echo "# route at the client $(($(now_ms) - began)) ms after the command returned (two processes were started to see it)"
check "r1 is shown as the one that serves it" wait_for 2 node_is r1 '.subnetRoutes | join(",")' "$LAN_NET"
check "a's client names r1 as primary" peer a r1 ".PrimaryRoutes | index(\"$LAN_NET\") != null"
check "packets reach the host behind" wait_for 20 reaches a "$LAN_SERVER"
check "the kernel of a has the route" eval 'on a ip route show table 52 | grep -F "$LAN_NET"'

check "revoking by an empty list" hw nodes approve-routes --identifier "$(node_id r1)" --routes=
check "takes the route from a" wait_for 5 has_no_route a r1 "$LAN_NET"
check "and the packets" wait_for 5 not reaches a "$LAN_SERVER"

check "one prefix approved" hw routes approve r1 "$LAN_NET"
check "is back at the client" wait_for 5 has_route a r1 "$LAN_NET"
check "one prefix revoked" hw routes revoke r1 "$LAN_NET"
check "is gone at the client" wait_for 5 has_no_route a r1 "$LAN_NET"

check "a prefix with host bits is refused or masked, never taken as it is" eval 'approve r1 10.100.0.7/24; node r1 ".approvedRoutes | index(\"10.100.0.7/24\") == null"'
check "no --routes at all is refused" eval '! hw nodes approve-routes --identifier "$(node_id r1)"'
check "approve in advance" approve r1 "$LAN_NET,192.168.77.0/24"
ts r1 set --advertise-routes="$LAN_NET,192.168.77.0/24"
check "serves what is advertised later" wait_for 10 has_route a r1 192.168.77.0/24
ts r1 set --advertise-routes="$LAN_NET"
check "withdrawn by the router: gone at the client" wait_for 10 has_no_route a r1 192.168.77.0/24
check "but still approved" node r1 '.approvedRoutes | index("192.168.77.0/24") != null'
check "the other route stays" has_route a r1 "$LAN_NET"

ts a set --accept-routes=false
check "a client that takes no routes" wait_for 5 not reaches a "$LAN_SERVER"
