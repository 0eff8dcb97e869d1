#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# One story at the console, with the real daemon and official clients: a router appears, its routes are planned with
# warnings, approved, followed until the clients have switched, drained, failed over, looked at in the past, hidden by the
# policy with the loser named, restored, and undone. STORY=DIRECTORY keeps its screens.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=../interop/lab.sh
. "$(dirname "$0")/../interop/lab.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"

type_keys() { screen_keys -l "$1"; }
serves() { node "$1" ".subnetRoutes | index(\"$LAN_NET\") != null" >/dev/null; }
# scene NAME: the screen as it is now, for people
scenes=0
scene() {
  [ -n "${STORY:-}" ] || return 0
  scenes=$((scenes + 1))
  screen >"$STORY/$(printf %02d "$scenes")-$1"
}

lab_up
lab_host a
lab_host one
lab_host two
lab_lan office one two
user_and_key alice
user_and_key bob
new_key alice --reusable
policy <<END
{
  "tagOwners": {"tag:router": ["alice@"]},
  "grants": [
    {"src": ["*"], "dst": ["tag:router"], "ip": ["*"]},
    {"src": ["alice@"], "dst": ["$LAN_NET"], "ip": ["*"]}, // the office
  ],
}
END
lab_join a --accept-routes

# The user's own editor takes the office out of the policy.
cat >"$WORK/editor" <<'END'
#!/bin/sh
sed -i '/the office/d' "$1"
END
chmod +x "$WORK/editor"

screen_start 110 34 ip netns exec "$(lab_ns ctl)" env LC_ALL=C.UTF-8 XDG_STATE_HOME="$WORK/user" VISUAL= EDITOR="$WORK/editor" \
  "$HEADWAY" -c "$LAB/config.yaml"
check "the console shows who is there" screen_wait 5 '^ *.? *.? a +'
check "and is connected" screen_wait 5 LIVE

# --- a router appears
check_not "the router is not there yet" screen_has 'one +'
new_key alice --reusable --tags tag:router
began=$(now_ms)
lab_join one --advertise-routes="$LAN_NET,10.99.0.0/16"
check "a router appears by itself" screen_wait 3 '^ *.? *.? one +'
figure "on the screen after tailscale up was started" "$(($(now_ms) - began))" 2000 ms
scene appears

# --- its routes are planned, with warnings, and approved
screen_keys 2
check "its routes wait" screen_wait 3 "$LAN_NET +NOT APPROVED"
scene waits
type_keys '+one'
screen_keys Enter
screen_keys a
check "approving them shows a plan" screen_wait 3 'approve 2 routes on'
check "which warns of the one that holds the clients' own network" screen_wait 5 '! .*10\.99\.0\.0/16'
screen_keys NPage
check "and says for whom what changes" screen_wait 5 'gains? a way|gains '
scene plan
screen_keys Escape
check "it is given up" screen_wait_not 3 'approve 2 routes on'
type_keys "\\"
type_keys "/$LAN_NET"
screen_keys Enter
screen_keys G
screen_keys a
check "the right one is approved" screen_wait 5 serving
scene approved
check "the client has it" wait_for 10 has_route a one "$LAN_NET"
check "packets pass" wait_for 20 reaches a "$LAN_SERVER"
lab_join two --advertise-routes="$LAN_NET"
check "a second router comes, and waits" screen_wait 5 'NOT APPROVED'
screen_keys G
screen_keys a
check "it stands by" screen_wait 5 standby
screen_keys Escape

# --- drained, and followed until the clients have switched
screen_keys Tab
screen_keys Tab
check "the prefix has two routers" screen_wait 5 'if it fails +.* moves from one to two'
scene group
screen_keys o
check "draining says what moves" screen_wait 5 'moves from one to two'
scene drain-plan
screen_keys y
check "the daemon does it" wait_for 5 serves two
check "the clients are seen to follow" screen_wait 40 'node has switched .*to two'
check "until the router can be rebooted" screen_wait 40 'one is drained.*safe to reboot'
scene drained
check "packets pass" wait_for 10 reaches a "$LAN_SERVER"
screen_keys u
check "taking that back is asked" screen_wait 3 'y undo'
screen_keys y
check "and done" screen_wait 5 'undone: "one is drained"'

# --- failed over
lab_kill9 two
check "the router dies, and the other serves" wait_for 30 serves one
check "which the group tells" screen_wait 10 '2 flips in 24 h'
check "with the way that it went" screen_wait 15 'two to one'
scene failed-over
check "packets pass" wait_for 20 reaches a "$LAN_SERVER"

# --- looked at in the past
screen_keys 5
type_keys '/kind:failover'
screen_keys Enter
screen_keys G
scene failovers
type_keys '@'
check "the moment is shown" screen_wait 5 'THEN .*ago'
screen_keys 2
check "with who served it then" screen_wait 3 "$LAN_NET"
scene past
screen_keys Escape
check "and left again" screen_wait 3 LIVE

# --- hidden by the policy, which names the loser
screen_keys 4
check "the policy is there" screen_wait 3 'the office'
screen_keys C-e
check "a line is taken out" screen_wait 5 MODIFIED
screen_keys C-s
check "the review says that access is lost" screen_wait 5 'LOST|loses|lost'
scene review
check "by whom" screen_wait 3 'alice@|a -> '
screen_keys Enter
scene save
type_keys LOST
screen_keys Enter
scene saved
check "it is saved" screen_wait 5 'policy saved as version'
check "the client has the way no longer" wait_for 10 has_no_route a one "$LAN_NET"
screen_keys 2
scene hidden
screen_keys Tab
screen_keys Tab
check "the prefix says that nobody may use it" screen_wait 20 'nobody'
scene nobody

# --- restored
screen_keys 4
screen_keys L
check "the versions are listed" screen_wait 5 'in force'
scene versions
screen_keys Down # letters would look in the times too
screen_keys Enter
screen_wait 3 'restore it: reviewed' >/dev/null
screen_keys Down Enter
check "the one before is reviewed" screen_wait 5 'Enter saves it'
scene restore
screen_keys Enter
check "and saved" screen_wait 5 'policy saved as version 3'
check "the client has the way again" wait_for 10 has_route a one "$LAN_NET"
check "packets pass" wait_for 20 reaches a "$LAN_SERVER"

# --- undone
screen_keys u
check "undo asks" screen_wait 3 'y undo'
scene undo
screen_keys y
check "the client has lost it once more" wait_for 10 has_no_route a one "$LAN_NET"
scene undone
screen_keys 5
screen_keys Escape
screen_keys G
check "all of it is in the journal" screen_wait 5 'policy'
scene journal
screen_keys C-c
check "the console ends" wait_for 5 screen_ended
screen_ended
check "without an error" test "${SCREEN_STATUS:-none}" = 0
check_not "and leaves the terminal as it was" screen_has "${LAN_NET//./\\.}"
