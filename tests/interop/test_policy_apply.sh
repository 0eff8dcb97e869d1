#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# How fast a changed policy is in force at clients of all ages, by their packets; and that a refused one changes nothing.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

rounds=$(soak_or 5 15)
hosts=(b c d)

lab_up
lab_host a
lab_host b
lab_host c "$CLIENT_USED"
lab_host d "$CLIENT_OLD"
hw users create bob >/dev/null
new_key bob --reusable
for h in "${hosts[@]}"; do lab_join "$h"; done
user_and_key alice
lab_join a

# In both, everybody sees everybody: what changes is the filter at bob's.
cat >"$LAB/open.hujson" <<<'{"acls": [{"action": "accept", "src": ["alice@", "bob@"], "dst": ["alice@:*", "bob@:*"]}]}'
cat >"$LAB/closed.hujson" <<<'{"acls": [{"action": "accept", "src": ["bob@"], "dst": ["alice@:*"]}]}'
# In this one alice is alone: the peers go and come with it.
cat >"$LAB/apart.hujson" <<<'{"acls": [{"action": "accept", "src": ["bob@"], "dst": ["bob@:*"]}]}'
hw policy set -f "$LAB/open.hujson"

pings=()
ping_begin() {
  local h
  on_words a
  for h in "${hosts[@]}"; do
    "${ON[@]}" stdbuf -oL ping -n -D -i 0.02 "$(address "$h")" >"$LAB/ping-$h" 2>/dev/null &
    pings+=($!)
    disown
  done
}
# answers N AFTER: each host answered N packets after that time; silent: none did for 0.3 s
answers() {
  local h
  for h in "${hosts[@]}"; do
    awk -v n="$1" -v t="$2" '/bytes from/ && substr($1, 2) + 0 > t { k++ } END { exit k < n }' "$LAB/ping-$h" || return 1
  done
}
silent() {
  local now=$EPOCHREALTIME h
  for h in "${hosts[@]}"; do
    tail -n 1 "$LAB/ping-$h" | awk -v t="$now" '{ exit !(substr($1, 2) + 0 < t - 0.3) }' || return 1
  done
}
# first T, last T: the slowest host's first answer after T, or last one, in ms after T
first() {
  for h in "${hosts[@]}"; do
    awk -v t="$1" '/bytes from/ && substr($1, 2) + 0 > t { print int((substr($1, 2) - t) * 1000); exit }' "$LAB/ping-$h"
  done | sort -n | tail -n 1
}
last() {
  for h in "${hosts[@]}"; do
    awk -v t="$1" '/bytes from/ { x = substr($1, 2) - t } END { print (x > 0 ? int(x * 1000) : 0) }' "$LAB/ping-$h"
  done | sort -n | tail -n 1
}

ping_begin
check "alice's packets reach all of bob's" wait_for 20 answers 25 0
# changes LABEL FILE: that policy and the open one in turns
changes() {
  local i t shut=() opened=()
  for ((i = 0; i < rounds; i++)); do
    hw policy set -f "$LAB/$2.hujson" >/dev/null
    t=$EPOCHREALTIME
    wait_for 10 silent >/dev/null || fail "$1: packets go on"
    shut+=("$(last "$t")")
    hw policy set -f "$LAB/open.hujson" >/dev/null
    t=$EPOCHREALTIME
    wait_for 20 answers 10 "$t" >/dev/null || fail "$1: packets do not come back"
    opened+=("$(first "$t")")
  done
  echo "# $1: last packet of the slowest host after ${shut[*]} ms, first one after ${opened[*]} ms"
  figure "$1: closed at every client" "$(median "${shut[@]}")" 200 ms
  figure "$1: opened at every client" "$(median "${opened[@]}")" 200 ms
}
changes "another filter" closed
changes "other peers" apart

before=$(hw policy get | sha256sum)
version=$(on ctl curl -fsS --unix-socket "$LAB/daemon/headway.sock" http://local/api/headway/policy | jq -er .version)
refused=0 began=$EPOCHREALTIME
for text in '{' '{"acls": [{"action": "accept", "src": ["nobody-knows"], "dst": ["*:*"]}]}' \
  '{"grants": [], "tests": [{"src": "alice@", "accept": ["bob@:22"]}]}' '{"acls": [], "acls": []}' '{"unknown": 1}' \
  '{"acls": [], "autoApprovers": {"exitNode": ["tag:nobodys"]}}'; do
  echo "$text" >"$LAB/bad.hujson"
  t=$EPOCHREALTIME
  hw policy set -f "$LAB/bad.hujson" >"$LAB/said" 2>&1 || refused=$((refused + 1))
  cat "$LAB/said"
  wait_for 5 answers 5 "$t" >/dev/null || fail "packets do not go on"
done
check "six policies are refused" test "$refused" = 6
not_one_lost() { awk -v t="$1" '/bytes from/ && substr($1, 2) + 0 > t { match($0, /icmp_seq=[0-9]+/)
  s = substr($0, RSTART + 9, RLENGTH - 9); if (k++ && s != p + 1) n += s - p - 1; p = s } END { exit n > 0 }' "$LAB/ping-b"; }
check "no packet was lost over them" not_one_lost "$began"
check "the policy is the one before" test "$(hw policy get | sha256sum)" = "$before"
check "and so is its version" eval '[ "$(on ctl curl -fsS --unix-socket "$LAB/daemon/headway.sock" http://local/api/headway/policy | jq -er .version)" = "$version" ]'
for p in "${pings[@]}"; do end_process "$p"; done
