#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The daemon ends, by order or by kill -9, and starts again: nothing that was told is lost, and clients come back; at
# once where its sockets are kept meanwhile, as systemd does.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

rounds=$(soak_or 3 25)

lab_up
lab_host a
lab_host r1 "$CLIENT_USED"
lab_host r2
lab_host old "$CLIENT_OLD"
lab_lan office r1 r2
user_and_key alice
lab_join a --accept-routes
lab_join r1 --advertise-routes="$LAN_NET"
approve r1 "$LAN_NET" >/dev/null
lab_join r2 --advertise-routes="$LAN_NET"
approve r2 "$LAN_NET" >/dev/null
lab_join old
check "packets pass before" wait_for 20 reaches a "$LAN_SERVER"

# What must be the same after a restart.
record() { nodes | jq -S '[.[] | {id, givenName, ipAddresses, approvedRoutes, availableRoutes, tags, user: .user.name, machineKey, nodeKey, expiry}] | sort_by(.id)'; }
moved() { hw events | grep -E 'moved from|Nobody serves'; }
back() { for host in a r1 r2 old; do node_is "$host" .online true || return; done; }

# restarts KEPT LIMIT_MS: KEPT is what the cases' names say more
restarts() {
  local kept=$1 limit=$2 how before began
  for how in stop kill9; do
    before=$(record)
    gap_begin a "$LAN_SERVER" >/dev/null
    "daemon_$how"
    check "$how$kept: what passed goes on passing without the daemon" gap_more 100 20
    began=$(now_ms)
    daemon_start
    check "$how$kept: nothing is lost" test "$(record)" = "$before"
    check "$how$kept: clients come back by themselves" wait_for 60 back
    figure "$how$kept: all clients online after the start" "$(($(now_ms) - began))" "$limit" ms
    check "$how$kept: the same prefix is served by the same router" wait_for 10 node_is r1 '.subnetRoutes | join(",")' "$LAN_NET"
    check "$how$kept: no route moved, neither at the end nor at the start" not moved
    gap_more 50 >/dev/null
    gap_end
    echo "# $how$kept: longest gap $GAP_MS ms, $LOST packets lost"
    check "$how$kept: tailscale ping between the two" ts a ping -c 5 --timeout 5s --until-direct=false r1
    check "$how$kept: packets to the LAN" wait_for 20 reaches a "$LAN_SERVER"
  done
}

# A client whose connection is refused by an http:// address would try again after ten seconds only, were it not told to
# dial more often.
restarts "" 5000
# Nobody is refused where the service manager keeps the sockets that listen.
daemon_stop
LAB_MANAGER=1
daemon_start
wait_for 30 back >/dev/null
restarts ", sockets kept" 3000

id=$(node_id r1)
for ((i = 0; i < rounds; i++)); do
  hw nodes approve-routes --identifier "$id" --routes "10.$((i + 1)).0.0/16" >/dev/null
  hw users create "user$i" >/dev/null
  daemon_kill9
  daemon_start
  check "killed right after the answer: the approval holds ($i)" node_is r1 '.approvedRoutes | join(",")' "10.$((i + 1)).0.0/16"
  check "and the user is there ($i)" user_id "user$i"
done

lab_host c
check "a key that was made before still opens" lab_join c
check "and the newcomer sees the others" wait_for 10 eval 'knows c a && knows c r1'

# A client that was away while the daemon was: it comes back to a daemon that never saw it.
lab_stop c
daemon_kill9
daemon_start
lab_start c
check "a client that was away returns" wait_for 20 backend_is c Running
check "with its address" wait_for 10 reaches a "$(address c)"
