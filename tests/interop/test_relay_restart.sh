#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The relay ends, by order or by kill -9, and starts again, while packets pass through it every 20 ms; and who is no node
# any more is thrown off it.
# limit: 200
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

rounds=$(soak_or 2 10)

status() { hw relay status -o json | jq -e "$1" >/dev/null; }
connected() { status '.connections | map(.name // "?") | sort | join(" ") == "'"$1"'"'; }
thrown_off_ms() { # THOSE_LEFT: sets MS to how long it took
  local began
  began=$(now_ms)
  wait_for 5 connected "$1"
  MS=$(($(now_ms) - began))
}

lab_up
lab_host a "$CLIENT_NEW"
lab_host b "$CLIENT_USED"
lab_host c "$CLIENT_OLD"
lab_block a b c
lab_block b a c
lab_block c a b
user_and_key alice
for host in a b c; do lab_join "$host" >/dev/null 2>&1; done
first_ping a b 1000
first_ping c a 1000
check "all are connected" wait_for 5 connected "a b c"

# restarts FROM TO KEPT LIMIT_MS
restarts() {
  local how i gaps=()
  for how in stop kill9; do
    gaps=()
    for ((i = 0; i < rounds; i++)); do
      wait_for 20 on_relay "$1" "$2" >/dev/null || fail "$how$3: $1 and $2 do not meet on the relay"
      gap_begin "$1" "$(address_of "$2")" >/dev/null
      gap_more 50 >/dev/null
      "daemon_$how"
      daemon_start
      gap_more 100 30 >/dev/null || fail "$how$3: no packet passes any more"
      gap_end
      gaps+=("$GAP_MS")
      echo "# $how$3, $1 to $2: $GAP_MS ms without an answer, $LOST packets lost"
    done
    figure "$how$3, $1 to $2: longest time without an answer" "$(printf '%s\n' "${gaps[@]}" | sort -n | tail -n 1)" "$4" ms
  done
}

restarts a b "" 5000
restarts c b "" 5000
daemon_stop
LAB_MANAGER=1
daemon_start
restarts a b ", sockets kept" 2000

check "all are connected again" wait_for 15 connected "a b c"
check "b expires" hw nodes expire --identifier "$(node_id b)"
thrown_off_ms "a c"
figure "an expired node is off the relay" "$MS" 1000 ms
check "a reaches c by it" wait_for 5 via_relay a c
before=$(hw relay status -o json | jq .refused)
check "c is deleted" hw nodes delete --identifier "$(node_id c)" --force
thrown_off_ms "a"
figure "a deleted node is off the relay" "$MS" 1000 ms
check "it dials again and is refused" wait_for 20 status ".refused > $before"
check "and does not come back" connected "a"
