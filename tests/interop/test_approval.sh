#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Machines that wait for approval, and messages to clients: what official clients print, do and leave off.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

LAB_CONFIG="node: {approval: on}"
lab_up
lab_host old "$CLIENT_OLD"
lab_host new "$CLIENT_NEW"
check "a key whose machines need no approval" user_and_key alice
check "a machine joins with it" lab_join old
check "and runs" wait_for 10 backend_is old Running
new_key alice --reusable --no-preauthorized

# ---- a machine that waits ----
# In the background: it waits until somebody approves.
on_words new
"${ON[@]}" "$(cat "$LAB/new/bin")/tailscale" --socket="$LAB/new/sock" up --login-server "$LOGIN" --auth-key "$KEY" \
  --hostname new --timeout 120s --advertise-routes=10.55.0.0/24 >"$LAB/up" 2>&1 &
up=$!
check "tailscale up says where to ask for approval" wait_for 20 grep -F "$LOGIN/admin" "$LAB/up"
check "and waits" not gone "$up"
check "the client knows that it waits" backend_is new NeedsMachineAuth
check "its status says so" eval '{ ts new status || true; } 2>&1 | grep -F "not yet approved"'
check "the page names the command" eval 'on new curl -fsS "$LOGIN/admin" | grep -F "headway nodes approve"'
check "it is listed among those that wait" eval '[ "$(hw nodes list --waiting -o json | jq -r ".[].givenName")" = new ]'
check "the other does not know it" not knows old new
check "nor it the other" not knows new old
check "its route is approved" approve new 10.55.0.0/24
check "and does not work" eval 'hw routes list -o json | jq -e ".[] | select(.name == \"new\") | .state == \"approved\""'

check "an administrator approves it" hw nodes approve new
check "tailscale up ends by itself" wait_for 20 gone "$up"
check "the client runs" wait_for 10 backend_is new Running
check "each knows the other" wait_for 10 eval 'knows old new && knows new old'
check "packets pass" wait_for 30 reaches old "$(address new)"
check "its route works" wait_for 10 eval 'hw routes list -o json | jq -e ".[] | select(.name == \"new\") | .state == \"serving\""'

# ---- taken back ----
check "approval is taken back" hw nodes unapprove new
check "the client has no peers" wait_for 10 eval '[ "$(ts new status --json | jq ".Peer // {} | length")" = 0 ]'
check "and lets nothing in" wait_for 10 not reaches old "$(address new)"
check "the other forgot it" wait_for 10 not knows old new
ts new down
ts new up >"$LAB/up2" 2>&1 &
check "a client that starts again is still not approved" wait_for 20 backend_is new NeedsMachineAuth
lab_kill9 new
check "nor is one that was killed" eval 'lab_start new && wait_for 20 backend_is new NeedsMachineAuth'
daemon_kill9
daemon_start
check "nor after the daemon was killed" wait_for 60 backend_is new NeedsMachineAuth
check "an undo approves it again" hw undo "$(hw events -o json --limit 200 | jq -er '[.[] | select(.kind == "node.unauthorized")] | last | .id')"
check "and it runs" wait_for 60 backend_is new Running
check "packets pass again" wait_for 60 reaches old "$(address new)"

# ---- a new login ----
check "a login with a new key" ts new up --login-server "$LOGIN" --auth-key "$KEY" --hostname new --force-reauth --timeout 60s \
  --advertise-routes=10.55.0.0/24
check "keeps the approval" wait_for 10 backend_is new Running

# ---- messages ----
health() { ts "$1" status --json | jq -r '.Health[]?'; }
shows() { health "$1" | grep -F "$2"; }
check "a message to all" hw server message "Maintenance at six" --severity high
check "the newest client shows it" wait_for 10 shows new "Maintenance at six"
check "the oldest as well" wait_for 10 shows old "Maintenance at six"
check "in the status for people" eval 'ts new status | grep -F "Maintenance at six"'
check "it is taken back" hw server message --off
check "the newest client shows it no more" wait_for 10 not shows new "Maintenance at six"
check "nor does the oldest" wait_for 10 not shows old "Maintenance at six"

soon=$(date -u -d '+3 hours' +%Y-%m-%dT%H:%M:%SZ)
for h in old new; do
  check "the key of $h is to end soon" hw nodes expire --identifier "$(node_id "$h")" --expiry "$soon"
  check "its user is told" wait_for 10 shows "$h" "The key of this machine expires soon"
  check "it ends later" hw nodes expire --identifier "$(node_id "$h")" --expiry +300d
  check "and that is told no more" wait_for 10 not shows "$h" "expires soon"
done

check "a router advertises one more route" ts new set --advertise-routes=10.55.0.0/24,10.56.0.0/24
check "and hears that it waits" wait_for 10 shows new "10.56.0.0/24"
check "the route is approved" approve new 10.55.0.0/24,10.56.0.0/24
check "and that is told no more" wait_for 10 not shows new "10.56.0.0/24"

lab_host exit
new_key alice --reusable
check "an exit node joins" lab_join exit --advertise-exit-node
check "and is approved" approve exit 0.0.0.0/0
check "a client knows it" wait_for 20 eval 'peer new exit .ExitNodeOption | grep -x true'
check "and uses it" ts new set --exit-node "$(address exit)"
check "the daemon knows" wait_for 10 eval 'hw exits list -o json | jq -e ".[] | select(.name == \"exit\")"'
lab_kill9 exit
check "its user hears that it is down" wait_for 40 shows new "exit is offline"
check "nobody else does" not shows old "exit is offline"
check "it comes back" lab_start exit
check "and that is told no more" wait_for 40 not shows new "exit is offline"
