#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# After a prefix moved, the server knows who follows: all who can, by their own word; who is cut off from the server is
# named. And what clients hold is compared with what they should.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

says() { hw routes status "$LAN_NET" | grep -F -- "$1"; }

lab_up
lab_host new "$CLIENT_NEW"
lab_host used "$CLIENT_USED"
lab_host old "$CLIENT_OLD"
lab_host r1
lab_host r2
lab_lan office r1 r2
user_and_key alice
for h in new used old; do check "$h joins" lab_join "$h" --accept-routes; done
for r in r1 r2; do
  lab_join "$r" --advertise-routes="$LAN_NET"
  check "$r is approved" approve "$r" "$LAN_NET"
done
check "r1 serves" wait_for 5 serves r1
for h in new used old; do check "packets of $h pass" wait_for 30 reaches "$h" "$LAN_SERVER"; done

check "a simulation says who would take over" eval 'hw routes simulate --down r1 | grep -E "^$LAN_NET +\| moves +\| r1 +\| r2"'
hw routes primary "$LAN_NET" r2 >/dev/null
check "all who can say so have switched" hw routes status "$LAN_NET" --wait
check "of those two have" says "2 of 2 nodes have switched $LAN_NET to r2"
check "and one cannot say" says "1 cannot be asked"
check "the journal has it" wait_for 10 eval 'hw events --limit 20 | grep -F "2 of 2 nodes have switched"'
check "the history names who moved it" eval 'hw routes history "$LAN_NET" | grep -F "by administrator, by "'
check "so has the histogram" eval 'on ctl curl -fsS http://127.0.0.1:9090/metrics | grep -E "headway_route_follow_seconds_count [1-9]"'

kill -STOP "$(cat "$LAB/used/pid")"
hw routes primary "$LAN_NET" r1 >/dev/null
check "the one that does not answer is named" wait_for 20 says "1 has not answered (used, since"
check "the other one has switched" wait_for 10 says "1 of 2 nodes has switched $LAN_NET to r1"
kill -CONT "$(cat "$LAB/used/pid")"
check "when it answers again it follows" wait_for 40 says "2 of 2 nodes have switched $LAN_NET to r1"

for h in new used; do check "$h holds what it should" wait_for 20 hw nodes diff "$h"; done
check "an old client cannot be asked" eval '{ hw nodes diff old 2>&1 || :; } | grep -F "cannot be asked"'

# unsafe: status with --wait ends without waiting for what nobody will say
unsafe() { ! hw routes status r1 --wait >"$WORK/status"; }
hw routes drain r1 >/dev/null
check "a drained router is not safe to reboot where a client cannot say what it uses" unsafe
check "and the reason is told" grep -F "1 cannot be asked (before 1.90); all others use other routers" "$WORK/status"
