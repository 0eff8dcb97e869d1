#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The past and the pulse at the console, with the real daemon: a moment is looked at by its entry of the journal, stepped
# through, and left again; the journal is searched; what needs somebody is there.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"
# shellcheck source=../shared/daemon.sh
. "$(dirname "$0")/../shared/daemon.sh"
need_commands tmux jq
RUN_NODE=${RUN_NODE:-$(dirname "$HEADWAYD")/tests/docs/run_node}
[ -x "$RUN_NODE" ] || skip_all "$RUN_NODE is not built: make build-tests"

daemon_configure "  mode: database"
daemon_up
echo '{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:443"]}]} // then' >"$WORK/policy"
hw policy set -f "$WORK/policy" >/dev/null
hw users create alice >/dev/null
# A moment is shown as it was a tenth of a second after its entry.
created=$(now_ms)
is_past() { [ $(($(now_ms) - created)) -gt 200 ]; }
wait_for 5 is_past
hw users create bob >/dev/null
sed -i 's/443/22/; s/then/now/' "$WORK/policy"
hw policy set -f "$WORK/policy" >/dev/null

screen_start 100 30 env LC_ALL=C.UTF-8 XDG_STATE_HOME="$WORK/user" "$HEADWAY" -c "$WORK/config.yaml"
check "the console is connected" screen_wait 5 LIVE
screen_keys 5
check "the journal is there, whole" screen_wait 5 'events, all that is kept'
check "with the day as a graph" screen_wait 5 '30 min a cell'
screen_keys -l '/alice'
screen_keys Enter
check "an entry is found" screen_wait 5 '1 of [0-9]+'
screen_keys -l '@'
check "its moment is shown" screen_wait 5 'THEN .* event [0-9.]+: .*alice'
check "and cannot be changed" screen_wait 3 READ-ONLY
screen_keys 6
check "with who was there" screen_wait 3 'alice +owner'
check_not "and without who came later" screen_has '^ *.? *bob '
screen_keys 4
check "the policy is the one of then" screen_wait 3 '// then'
screen_keys -l '>'
screen_keys 6
check "one step on there is one more" screen_wait 5 'bob +member'
screen_keys 7
check "what is not kept is named" screen_wait 3 'not known of the past'
screen_keys Escape
check "Esc returns to now" screen_wait 3 LIVE
screen_keys 5
screen_keys Escape
screen_keys -l '/nobody-is-called-so'
screen_keys Enter
check "what is not found is said" screen_wait 5 'nothing matches in all that is kept'
screen_keys 0
check "nothing needs anybody" screen_wait 3 'nothing needs you'
check "the last hour is there, from the daemon" screen_wait 5 'events/min'

# The same moment at the console and in a command: a router whose prefix is approved, and later revoked.
key=$(hw preauthkeys create --user alice --reusable | tail -n 1)
mkfifo "$WORK/gw.in"
"$RUN_NODE" "127.0.0.1:$DAEMON_PORT" "$key" gw 10.5.0.0/16 <>"$WORK/gw.in" >"$WORK/gw.out" 2>&1 &
at_exit end_process $!
check "a router is there" wait_for 10 grep -qx connected "$WORK/gw.out"
check "its prefix is approved" hw routes approve gw 10.5.0.0/16
created=$(now_ms)
wait_for 5 is_past
check "and revoked" hw routes revoke gw 10.5.0.0/16

# shown_event: the id of the entry whose moment the console shows; the moment is a tenth of a second after it
shown_event() { screen | sed -n 's/.* event \([0-9.]*\):.*/\1/p'; }
moment_of() {
  local time
  time=$(hw events -o json | jq -r --arg id "$1" '.[] | select(.id == $id) | .time') && [ -n "$time" ] &&
    date -u -d "@$(date -d "$time" +%s.%N | awk '{ printf "%.3f", $1 + 0.1 }')" +%Y-%m-%dT%H:%M:%S.%3NZ
}
# same_as_state STATE: the routes that the command tells of that moment are those of the console's list, in that state
same_as_state() {
  local event at
  event=$(shown_event) && at=$(moment_of "$event") || return 1
  hw state --at "$at" -o json >"$WORK/state" || return 1
  jq -e --arg state "$1" '[.nodes[] | .givenName as $n | .routes[]? | "\($n) \(.prefix) \(.state)"] == ["gw 10.5.0.0/16 \($state)"]' \
    "$WORK/state" && screen_has "10.5.0.0/16.*$1|$1.*10.5.0.0/16"
}
screen_keys 5
screen_keys Escape
screen_keys -l '/route.approved'
screen_keys Enter
check "the approval is found" screen_wait 5 '▸.* route.approved '
screen_keys -l '@'
check "its moment is shown, too" screen_wait 5 'THEN .* event [0-9.]+: .*10.5.0.0/16'
screen_keys 2
check "the console and 'headway state' tell the same of it" wait_for 5 same_as_state serving
screen_keys Escape
check "and now again" screen_wait 3 LIVE
screen_keys C-c
check "the console ends" wait_for 5 screen_ended
screen_ended
check "without an error" test "${SCREEN_STATUS:-none}" = 0
