#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Routes at the console, with the real daemon and official clients: a plan with figures, approved, followed until clients
# have switched, drained until it is safe to reboot, and what is wrong with a route.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=../interop/lab.sh
. "$(dirname "$0")/../interop/lab.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"

type_keys() { screen_keys -l "$1"; }

lab_up
lab_host a
lab_host one
lab_host two
user_and_key alice
lab_join a --accept-routes
lab_join one --advertise-routes=10.50.0.0/24
lab_join two --advertise-routes=10.50.0.0/24

screen_start 120 40 ip netns exec "$(lab_ns ctl)" env LC_ALL=C.UTF-8 "$HEADWAY" -c "$LAB/config.yaml"
check "the console is connected" screen_wait 5 LIVE
screen_keys 2
type_keys '+10.50.0.0'
screen_keys Enter
screen_keys a
check "a plan is shown" screen_wait 3 'approve 2 routes on 2 nodes'
check "its figures arrive" screen_wait 5 '[0-9]+ nodes? gains? a way'
check "it says who will serve" screen_wait 1 'approved, serves it'
check "and for whom what changes" screen_wait 1 'gains 10\.50\.0\.0/24'
screen_keys Enter
check "they are approved" wait_for 3 node_is one '.subnetRoutes | join(",")' 10.50.0.0/24
check "the client has the route" wait_for 5 has_route a one 10.50.0.0/24

screen_keys Escape
screen_keys Tab
screen_keys G
check "the prefix says who may use it" screen_wait 10 'used by +[0-9]+ node.*a'
check "and who takes over" screen_wait 10 'if it fails +10\.50\.0\.0/24 moves from one to two'
screen_keys f
screen_keys Enter
check "another router can be made primary" screen_wait 3 'y make primary'
check "the plan says what moves" screen_wait 5 'moves from one to two'
screen_keys y
check "the daemon says the same" wait_for 3 node_is two '.subnetRoutes | join(",")' 10.50.0.0/24
check "clients are seen to follow" screen_wait 30 '1 of 1 node has switched .*to two'
screen_keys Tab
check "the group tells of the flip" screen_wait 10 '1 flip in 24 h'
check "and how it came about" screen_wait 15 'one to two.*followed in'

screen_keys o
check "draining asks" screen_wait 3 'y drain'
check "and says what moves" screen_wait 5 'moves from two to one'
screen_keys y
check "it is said when the router can be rebooted" screen_wait 40 'two is drained.*safe to reboot'
screen_keys Escape
type_keys '/is:drained'
screen_keys Enter
check "a drained router is found" screen_wait 3 '1 of 1'
screen_keys Escape

# A client's own network within an advertised prefix.
ts one set --advertise-routes=10.50.0.0/24,10.99.0.0/16
screen_keys 2
screen_keys BTab
screen_keys BTab
check "what is wrong with a route has a word" screen_wait 25 '10\.99\.0\.0/16 .*! own network'
type_keys '/is:warning'
screen_keys Enter
screen_keys G
check "it is found, and says what to do" screen_wait 3 'renumber'
screen_keys a
check "approving it asks first" screen_wait 3 'Enter approve'
screen_keys Escape
screen_keys C-c
check "the console ends" wait_for 5 screen_ended
