#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# From an empty server to a router that is drained, at the console alone: a user, a key, the command it shows, tags,
# a copy on the terminal, and the last change done again. With the real daemon and official clients.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=../interop/lab.sh
. "$(dirname "$0")/../interop/lab.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"

type_keys() { screen_keys -l "$1"; }

lab_up
lab_host one
lab_host two

screen_start 110 30 ip netns exec "$(lab_ns ctl)" env LC_ALL=C.UTF-8 "$HEADWAY" -c "$LAB/config.yaml"
check "an empty server says what to do" screen_wait 5 'no nodes yet: 6 N'
screen_tmux set -s set-clipboard on
screen_keys 6 N
check "a form asks for the user" screen_wait 3 'new user'
type_keys alice
screen_keys Enter
check "the user is there" screen_wait 3 'user alice created'
screen_keys 7 N
check "a form asks for the key" screen_wait 3 'user +\[alice\]'
screen_keys Tab Tab Space Enter
check "the key is shown with the command" screen_wait 3 'tailscale up --login-server'
screen_keys y
# What OSC 52 hands over is in tmux's paste buffer.
check "it can be pasted" wait_for 3 eval 'screen_tmux show-buffer 2>/dev/null | grep -c "^hskey-auth-"'
KEY=$(screen_tmux show-buffer)
screen_keys Escape
check "then it is gone" screen_wait_not 3 'shown only once'
check_not "from the list, too" screen_has "${KEY##*-}"

lab_join one --advertise-routes=10.60.0.0/24
lab_join two --advertise-routes=10.60.0.0/24
screen_keys 2
type_keys '+10.60'
screen_keys Enter
check "both routers are there" screen_wait 5 '2 marked'
screen_keys a
check "the daemon has looked at the plan" screen_wait 3 'Enter approve'
screen_keys Enter
check "one serves" wait_for 3 node_is one '.subnetRoutes | join(",")' 10.60.0.0/24
check "the console knows who would take over" screen_wait 3 'standby.* one '
screen_keys 1
screen_keys g
type_keys ':node one'
screen_keys Enter
screen_keys o
check "draining it says so" screen_wait 3 '10.60.0.0/24 moves from one to two'
check "and the daemon agrees" screen_wait 3 'y drain'
screen_keys y
check "the other one serves" wait_for 3 node_is two '.subnetRoutes | join(",")' 10.60.0.0/24
check "the screen says what the node is" screen_wait 3 'one.*drained'
screen_keys t
type_keys '+router'
screen_keys Enter
check "tags that no policy names are refused" screen_wait 3 'tagOwners'
screen_keys Escape
echo '{"tagOwners": {"tag:router": ["alice@"]}, "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}' >"$WORK/tags.hujson"
hw policy set -f "$WORK/tags.hujson" >/dev/null
screen_keys t
type_keys '+router'
screen_keys Enter
check "tags are asked for: it belonged to a user" screen_wait 3 'y set the tags'
screen_keys Escape
screen_keys C-c
check "the console ends" wait_for 5 screen_ended
