#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# One story at the console, with the real daemon and official clients: a router appears, its route is approved with a
# key, serves, and is taken back.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=../interop/lab.sh
. "$(dirname "$0")/../interop/lab.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"

lab_up
lab_host a
lab_host gateway
lab_lan office gateway
user_and_key alice
lab_join a --accept-routes

screen_start 100 30 ip netns exec "$(lab_ns ctl)" env LC_ALL=C.UTF-8 "$HEADWAY" -c "$LAB/config.yaml"
check "the console shows who is there" screen_wait 5 '^ *.? *.? a +'
check "and is connected" screen_wait 5 LIVE
check_not "the router is not there yet" screen_has gateway
began=$(now_ms)
lab_join gateway --advertise-routes="$LAN_NET"
check "a router appears by itself" screen_wait 3 gateway
echo "# on the screen $(($(now_ms) - began)) ms after tailscale up was started"

screen_keys 2
check "its route is there" screen_wait 3 "${LAN_NET//./\\.}"
check "as one that waits" screen_wait 3 'NOT APPROVED'
screen_keys /
screen_keys -l "${LAN_NET%/*}"
screen_keys Enter
check "it is found" screen_wait 3 "${LAN_NET//./\\.}"
screen_keys G
screen_keys a
check "one key approves it" screen_wait 3 serving
check "the daemon says the same" wait_for 3 node_is gateway '.subnetRoutes | join(",")' "$LAN_NET"
check "the client has it" wait_for 5 has_route a gateway "$LAN_NET"
check "packets pass" wait_for 20 reaches a "$LAN_SERVER"

approve gateway "$LAN_NET,192.168.77.0/24" >/dev/null
screen_keys Escape
screen_keys Escape
check "a change made elsewhere is on the screen" screen_wait 2 '192\.168\.77\.0/24'

screen_keys u
check "undo asks" screen_wait 3 'y undo'
screen_keys y
check "and takes it back" wait_for 5 node_is gateway '.approvedRoutes | index("'"$LAN_NET"'") == null' true
screen_keys q
check "the console ends" eval 'wait_for 5 screen_ended || { screen_keys q; wait_for 5 screen_ended; }'
screen_ended
check "without an error" test "${SCREEN_STATUS:-none}" = 0
check_not "and leaves the terminal as it was" screen_has gateway
