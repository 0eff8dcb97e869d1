#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What an administrator does at the console, with the real daemon and official clients: lets a node in, renames it, makes
# the other router primary, revokes, expires, deletes.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=../interop/lab.sh
. "$(dirname "$0")/../interop/lab.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"

type_keys() { screen_keys -l "$1"; }
ts_up_alone() { ts guest up --login-server "$LOGIN" --hostname guest --timeout 60s >"$LAB/guest/up" 2>&1; }

lab_up
lab_host guest
lab_host one
lab_host two
user_and_key alice
hw users create bob >/dev/null
lab_join one --advertise-routes=10.50.0.0/24
lab_join two --advertise-routes=10.50.0.0/24

screen_start 110 30 ip netns exec "$(lab_ns ctl)" env LC_ALL=C.UTF-8 "$HEADWAY" -c "$LAB/config.yaml"
check "the console is connected" screen_wait 5 LIVE

ts_up_alone &
UP=$!
screen_keys 8
check "who asks to join is shown" screen_wait 10 'guest +[0-9]+s +join'
screen_keys a
check "the link stands there" screen_wait 3 'auth id +hskey-authreq-'
type_keys bob
screen_keys Enter
check "the node is let in" wait_for 10 backend_is guest Running
check "for the user that was chosen" node_is guest .user.name bob
# What went away stays on the screen, marked, for five seconds.
check "and waits no longer" screen_wait 9 'nobody is waiting'
end_process "$UP"

screen_keys 1
type_keys /guest
screen_keys Enter
screen_keys n
screen_keys C-u
type_keys visitor
screen_keys Enter
check "it is renamed" wait_for 3 node_is visitor .id "$(node_id guest 2>/dev/null || node_id visitor)"
check "and its new name is shown" screen_wait 3 'guest renamed to visitor'
screen_keys u
check "taking it back is asked" screen_wait 3 'y undo'
screen_keys y
check "and done" wait_for 3 node_id guest

screen_keys Escape
screen_keys 2
type_keys '+10.50.0.0'
screen_keys Enter
screen_keys a
check "two routes are approved by a plan" screen_wait 3 'approve 2 routes on 2 nodes'
check "that the daemon has looked at" screen_wait 3 'Enter approve'
screen_keys Enter
check "the older router serves" wait_for 3 node_is one '.subnetRoutes | join(",")' 10.50.0.0/24
check "the other one stands by" screen_wait 3 'standby.* one '
screen_keys Escape
type_keys '/node:two'
screen_keys Enter
screen_keys G
screen_keys f
check "who will serve is said" screen_wait 3 'served by one.*served by two'
check "and the daemon agrees" screen_wait 3 'y make primary'
screen_keys y
check "the other router serves" wait_for 3 node_is two '.subnetRoutes | join(",")' 10.50.0.0/24
screen_keys x
check "revoking asks" screen_wait 3 'y revoke'
screen_keys y
check "the first one takes over" wait_for 3 node_is one '.subnetRoutes | join(",")' 10.50.0.0/24

ts one set --advertise-routes=10.50.0.0/24,10.51.0.0/24,10.52.0.0/24,10.53.0.0/24
screen_keys Escape
type_keys '/node:one'
screen_keys Enter
check "a router offers three routes more" screen_wait 5 '1 of 4 approved'
screen_keys A
check "they are approved by one action" screen_wait 3 'Enter approve'
screen_keys Enter
check "all three" wait_for 3 node_is one '.approvedRoutes | length' 4
screen_keys u
check "undo asks once" screen_wait 3 'y undo'
screen_keys y
check "and takes back all three" wait_for 3 node_is one '.approvedRoutes | join(",")' 10.50.0.0/24
check "and says so" screen_wait 3 'undone: "3 routes approved on one"'

screen_keys Escape
screen_keys 1
type_keys '/guest'
screen_keys Enter
screen_keys x
check "expiring asks" screen_wait 3 'y expire'
screen_keys y
check "the node has to log in again" wait_for 5 backend_is guest NeedsLogin
check "the console says so" screen_wait 3 EXPIRED
screen_keys d
check "deleting wants the name" screen_wait 3 'type guest and Enter'
type_keys guest
screen_keys Enter
check "gone at the daemon, too" wait_for 3 eval '! node_id guest >/dev/null'
check "the console names it" screen_wait 3 'guest deleted'
screen_keys C-c
check "the console ends" wait_for 5 screen_ended
