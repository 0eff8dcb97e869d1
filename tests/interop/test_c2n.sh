#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What clients of three versions answer when they are asked (c2n): their preferences, their health, an echo, their
# network map.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

check_says() { hw routes check "$LAN_NET" | grep -F -- "$1"; }
metric() { on ctl curl -fsS http://127.0.0.1:9090/metrics | awk -v n="$1" '$1 == n { print $2 }'; }
asked_for_health() { [ "$(metric headway_health_questions_total)" -gt "$1" ]; }
all_answered() { [ "$(metric headway_health_questions_failed_total)" = 0 ]; }

lab_up
lab_host new "$CLIENT_NEW"
lab_host used "$CLIENT_USED"
lab_host old "$CLIENT_OLD"
lab_host r1
lab_lan office r1
user_and_key alice
for h in new used old; do check "$h joins without accepting routes" lab_join "$h"; done
lab_join r1 --advertise-routes="$LAN_NET"
check "the router is approved" approve r1 "$LAN_NET"

check "clients of each version say that they do not accept routes" wait_for 60 check_says \
  "3 of 3 nodes that were asked do not accept routes: new, used, old; see 'tailscale set --accept-routes'"
check "a list of nodes warns of it" eval 'hw nodes list 2>&1 | grep -F "do not accept routes"'
check "the router is asked for its health" wait_for 60 asked_for_health 0
check "and answers" wait_for 20 all_answered
for h in new used; do check "$h says what it holds" wait_for 30 hw nodes diff "$h"; done
check "an old client cannot say what it holds" eval '{ hw nodes diff old 2>&1 || :; } | grep -F "cannot be asked"'

# Helpers answer an echo only where a round was bad: nobody answers at the target.
for h in new used old; do ts "$h" set --accept-routes; done
for h in new used old; do check "packets of $h pass" wait_for 30 reaches "$h" "$LAN_SERVER"; done
hw routes set "$LAN_NET" --probe "$LAN_SERVER" >/dev/null
check "helpers ping the target" wait_for 30 eval '[ "$(metric headway_route_pings_total)" -ge 4 ]'
on r1 nft 'table ip broken {
  chain through { type filter hook forward priority -300; drop; }
}'
check "and are asked for an echo when it does not answer" wait_for 60 eval 'hw events --limit 20 | grep -F "pinged it in"'
