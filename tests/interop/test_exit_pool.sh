#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A pool of exit nodes: clients that choose for themselves (--exit-node=auto:any) leave a dead one at once, whatever their
# release, also where it is a subnet router (trap 1) and where the next is approved only later (trap 2).
# limit: 600
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

CLIENT_FIRST_AUTO=1.86.2 # the first release with --exit-node=auto:any

lab_up
lab_host first "$CLIENT_FIRST_AUTO"
lab_host used "$CLIENT_USED"
lab_host new "$CLIENT_NEW"
clients="first used new"
lab_host x1
lab_host x2
lab_lan office x1 x2
user_and_key alice
for c in $clients; do lab_join "$c"; done
lab_join x1 --advertise-exit-node
lab_join x2 --advertise-exit-node
lab_echo internet "$INTERNET"
for x in x1 x2; do check "$x is approved" approve "$x" 0.0.0.0/0; done

# exit_of NAME: the exit node that its packets leave by
exit_of() {
  local x address
  address=$(outer_address "$1") || return 1
  for x in x1 x2; do [ "$address" != "$(cat "$LAB/$x/address")" ] || echo "$x"; done | grep .
}
other() { if [ "$1" = x1 ]; then echo x2; else echo x1; fi; }
both_online() { node_is x1 .online true && node_is x2 .online true; }

for c in $clients; do
  check "$c chooses among them" ts "$c" set --exit-node=auto:any
  check "$c leaves by one" wait_for 30 exit_of "$c"
done

# leave LABEL LIMIT_MS HARM MEND: breaks the exit node that each client uses in turn, and measures how long its packets
# are not answered
leave() {
  local label=$1 limit=$2 harm=$3 mend=$4 c from to
  for c in $clients; do
    wait_for 30 both_online >/dev/null || fail "$label: the lab does not settle"
    from=$(wait_for 30 exit_of "$c") to=$(other "$from")
    # The client has to know the other one's keys and paths as it does after minutes of life.
    wait_for 20 reaches "$c" "$(address "$to")" >/dev/null
    gap_begin "$c" "$INTERNET" >/dev/null
    gap_more 50 >/dev/null
    "$harm" "$from"
    check "$label: $c leaves by the other one" wait_for 30 leaves_by "$c" "$to"
    gap_more 50 60 >/dev/null
    gap_end
    figure "$label: $c, longest gap" "$GAP_MS" "$limit" ms
    "$mend" "$from"
  done
}
leave "tailscaled killed with -9" 1000 lab_kill9 lab_start
leave "cable pulled" 4000 lab_cut lab_mend

# used_by HOST N: so many clients say that they use it
used_by() { hw exits list -o json | jq -e --arg n "$1" --argjson used "$2" '.[] | select(.name == $n) | .usedBy == $used'; }
drain() { # HOST true|false
  on ctl curl -fsS --unix-socket "$LAB/daemon/headway.sock" -H 'Content-Type: application/json' -d "{\"drained\":$2}" \
    "http://headway/api/headway/nodes/$(node_id "$1")/drain"
}

# Order: by the administrator's priority.
wait_for 30 both_online >/dev/null
for x in x1 x2 x1; do
  check "$x is preferred" hw exits priority "$x" "$((priority = ${priority:-100} + 100))"
  for c in $clients; do check "$c leaves by $x" wait_for 10 leaves_by "$c" "$x"; done
  check "all of them say so" wait_for 10 used_by "$x" 3
done
check "x1 is drained" drain x1 true
for c in $clients; do check "$c leaves by x2, though x1 is preferred" wait_for 10 leaves_by "$c" x2; done
check "the server knows that all have left x1" \
  wait_for 10 eval 'hw routes status 0.0.0.0/0 | grep -F "3 of 3 nodes have left the exit node x1, which was drained: 3 use x2"'
check "x1 is safe to reboot" \
  eval 'hw routes status x1 --wait | grep -F "and nobody uses it as exit node: it is safe to reboot"'
check "the history of exit nodes tells it" eval 'hw routes history 0.0.0.0/0 | grep -E "x1 +\| nobody +\| was drained"'
check "so does the histogram" eval 'on ctl curl -fsS http://127.0.0.1:9090/metrics | grep -E "headway_exit_leave_seconds_count [1-9]"'
check "who takes the exit node away is warned" \
  eval 'hw routes revoke x2 0.0.0.0/0 --dry-run 2>&1 | grep -F "x2 is the exit node of 3 nodes now: "'
check "x1 is no longer drained" drain x1 false
for c in $clients; do check "$c leaves by x1 again" wait_for 10 leaves_by "$c" x1; done
for x in x1 x2; do hw exits priority "$x" default >/dev/null; done

wait_for 30 both_online >/dev/null
for x in x1 x2; do
  ts "$x" set --advertise-routes="$LAN_NET"
  check "$x is a subnet router too" approve "$x" "0.0.0.0/0,$LAN_NET"
done
leave "trap 1, a subnet router is killed with -9" 1000 lab_kill9 lab_start
leave "trap 1, the cable of a subnet router is pulled" 4000 lab_cut lab_mend

# Trap 2: nobody is left, and then another one is approved.
wait_for 30 both_online >/dev/null
check "x2 is no exit node any more" hw nodes approve-routes --identifier "$(node_id x2)" --routes=
for c in $clients; do check "$c leaves by x1" wait_for 20 leaves_by "$c" x1; done
lab_kill9 x1
check "x1 is offline" wait_for 20 node_is x1 .online false
for c in $clients; do check_not "$c leaves by nobody, and not by itself" outer_address "$c"; done
check "x2 is approved now" approve x2 0.0.0.0/0
for c in $clients; do check "trap 2: $c leaves by x2" wait_for 10 leaves_by "$c" x2; done
lab_start x1
check "x1 is back" wait_for 30 node_is x1 .online true
lab_kill9 x2
for c in $clients; do check "trap 2: $c leaves by x1, which came back" wait_for 20 leaves_by "$c" x1; done
