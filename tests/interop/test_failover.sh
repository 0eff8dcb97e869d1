#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two routers of one prefix: the other takes over when the serving one dies, loses its cable, or is told to rest.
# Scenarios 51, 52 and 64 of the routes, with packets.
# alone: it counts the packets that a switch loses
# limit: 420
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

rounds=$(soak_or 1 7)

serving() { if serves r1; then echo r1; else echo r2; fi; }
# settled: both routers are online, and the client's packets pass
settled() { node_is r1 .online true && node_is r2 .online true && reaches a "$LAN_SERVER"; }

lab_up
lab_office

# hand_over LABEL LIMIT_MS HARM MEND: breaks the serving router in the given way, measures the gap, mends it. Leaves the
# packets lost in each round in LOSSES
hand_over() {
  local label=$1 limit=$2 harm=$3 mend=$4 from to i gaps=()
  LOSSES=()
  for ((i = 0; i < rounds; i++)); do
    wait_for 30 settled >/dev/null || { fail "$label: the lab does not settle"; return; }
    from=$(serving) to=r1
    [ "$from" = r2 ] || to=r2
    # The client has to know the standby's keys and paths as it does after minutes of life.
    wait_for 20 reaches a "$(address "$to")" >/dev/null
    gap_begin a "$LAN_SERVER" >/dev/null
    gap_more 50 >/dev/null
    "$harm" "$from"
    wait_for 60 serves "$to" >/dev/null || fail "$label: $to does not take over"
    gap_more 50 60 >/dev/null
    gap_end
    gaps+=("$GAP_MS")
    LOSSES+=("$LOST")
    echo "# $label: from $from to $to, longest gap $GAP_MS ms, $LOST packets lost"
    "$mend" "$from"
    check "$label: the new router keeps the prefix when the old one is back" eval "wait_for 30 settled && serves $to"
  done
  figure "$label: longest gap" "$(median "${gaps[@]}")" "$limit" ms
}

rest() { hw routes primary "$LAN_NET" "$(if [ "$1" = r1 ]; then echo r2; else echo r1; fi)" >/dev/null; }
nothing() { :; }
hand_over "tailscaled killed with -9" "$(soak_or 1000 500)" lab_kill9 lab_start
# By PINGs: probes are each 10 seconds by default, so they have no part in it (scenario 75).
hand_over "cable pulled" 3000 lab_cut lab_mend
rounds=$(soak_or 3 20)
hand_over "switched between living routers" 100 rest nothing
# An answer that is under way over the old router in the very moment is refused by the client: WireGuard takes an
# address from one peer only. It is rare; nothing else may be lost.
check "a switch loses no packet, at the median" test "$(median "${LOSSES[@]}")" = 0
at_most "switched between living routers: packets lost in the worst round" \
  "$(printf '%s\n' "${LOSSES[@]}" | sort -n | tail -n 1)" 1 packets

from=$(serving)
ts "$from" set --advertise-routes=
check "a router that withdraws its route hands over" wait_for 5 not serves "$from"
check "and packets pass" wait_for 20 reaches a "$LAN_SERVER"
# Scenario 74: only one router is left, and nobody would notice by packets.
lone=$(serving)
lab_cut "$lone"
check "a lone router whose cable is pulled is offline within seconds" wait_for 15 node_is "$lone" .online false
check "and nobody serves" wait_for 5 not serves "$lone"
lab_mend "$lone"
check "until it is back" wait_for 60 serves "$lone"
