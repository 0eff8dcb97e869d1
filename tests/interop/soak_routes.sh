#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What must not move a prefix: ten minutes in which each twentieth packet of both routers is lost; and what may do so twice
# in five minutes: the link of the serving one that goes and comes back each ten seconds.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

serving() { if serves r1; then echo r1; else echo r2; fi; }
settled() { node_is r1 .online true && node_is r2 .online true && reaches a "$LAN_SERVER"; }
moves() { hw routes history "$LAN_NET" -o json | jq '[.. | objects | select(has("to"))] | length'; }
offline() { hw events --limit 1000 -o json | jq '[.. | objects | select(.kind? == "node.offline")] | length'; }

lab_up
lab_office
check "all is settled" wait_for 30 settled

before=$(moves) offline_before=$(offline)
for r in r1 r2; do
  on "$r" nft 'table inet lossy {
    chain incoming { type filter hook input priority -300; iifname "eth0" numgen random mod 100 < 5 drop; }
    chain outgoing { type filter hook output priority -300; oifname "eth0" numgen random mod 100 < 5 drop; }
  }'
done
gap_begin a "$LAN_SERVER" >/dev/null
end=$(($(now_ms) + 600000))
while [ "$(now_ms)" -lt "$end" ]; do gap_more 200 60 >/dev/null || break; done
gap_end
figure "5 % loss for ten minutes: answers" "$REPLIES" 30000 packets
figure "5 % loss for ten minutes: longest gap" "$GAP_MS" 1000 ms
check "5 % loss moves no prefix in ten minutes" test "$(moves)" = "$before"
check "and no router went offline" test "$(offline)" = "$offline_before"
for r in r1 r2; do on "$r" nft delete table inet lossy; done

check "all is settled again" wait_for 60 settled
before=$(moves) flapping=$(serving) flaps=0
end=$(($(now_ms) + 300000))
while [ "$(now_ms)" -lt "$end" ]; do
  lab_cut "$flapping"
  sleep 10 # the period of the flapping is what is tried
  lab_mend "$flapping"
  sleep 10
  flaps=$((flaps + 1))
done
figure "a link that went $flaps times in five minutes: moves" "$(($(moves) - before))" 2 moves
check "a link that flaps each 10 s moves a prefix at most twice in five minutes" test "$(($(moves) - before))" -le 2
check "in the end all is settled" wait_for 60 settled
