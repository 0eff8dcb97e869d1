#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The table of headwayd(8), LOGINS, with an official client: for each pair of who owns the machine's node and what it logs in
# with, the login takes effect, or it is refused and nothing is used up.
# limit: 400
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

# key_for OWNER: a one-shot key of a user, or with tags; sets KEY
key_for() {
  case $1 in
  tag:*) KEY=$(hw preauthkeys create --tags "$1" -o json | jq -er .key) ;;
  *) new_key "$1" ;;
  esac
}
key_used() { hw preauthkeys list -o json | jq -e --arg p "${KEY:0:24}" 'map(select(.key | startswith($p))) | .[0].used == '"$1"; }
# owner ID: "alice", or "tag:a,tag:b"
owner() { nodes | jq -er --arg i "$1" '.[] | select(.id == $i) | if .tags | length > 0 then .tags | sort | join(",") else .user.name end'; }
is_owned_by() { [ "$(owner "$1")" = "$2" ]; }
only_node() { nodes | jq -er '.[] | .id' | sort -n | tail -n 1; }
count_is() { nodes | jq -e "length == $1"; }

# begin_as OWNER: the machine has one node, of that owner, or none ("")
begin_as() {
  ts m logout >/dev/null 2>&1
  local id
  for id in $(nodes | jq -r '.[].id'); do hw nodes delete --identifier "$id" --force >/dev/null; done
  FIRST=
  [ -n "$1" ] || return 0
  key_for "$1"
  again --timeout 15s && FIRST=$(only_node) && is_owned_by "$FIRST" "$1"
}
# again FLAGS...: the machine logs in with $KEY
again() { ts m up --login-server "$LOGIN" --auth-key "$KEY" --hostname m --reset --force-reauth "$@"; }

lab_up
lab_host m
hw users create alice >/dev/null && hw users create bob >/dev/null
policy <<'EOF'
{"tagOwners": {"tag:a": ["alice@"], "tag:b": ["alice@"], "tag:c": ["bob@"]}, "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}
EOF

# before | key | tags asked for | effect: same (the same node), new (a second or first one), refused | owner then
while IFS='|' read -r before key tags effect owner; do
  name="${before:-no node}, a key of $key${tags:+, asking for $tags}"
  check "$name: begins" begin_as "$before" || continue
  key_for "$key"
  if [ "$effect" = refused ]; then
    check_not "$name: refused" again --timeout 5s ${tags:+"--advertise-tags=$tags"}
    check "$name: the key is not used up" key_used false
    [ -z "$FIRST" ] || check "$name: the node stays as it was" is_owned_by "$FIRST" "$before"
    continue
  fi
  check "$name: logs in" again --timeout 15s ${tags:+"--advertise-tags=$tags"}
  check "$name: the key is used" key_used true
  case $effect in
  same) check "$name: the same node" eval 'count_is 1 && [ "$(only_node)" = "$FIRST" ]' ;;
  new) check "$name: a node of its own" eval '[ "$(only_node)" != "$FIRST" ]' ;;
  esac
  [ "$effect" != new ] || [ -z "$FIRST" ] || check "$name: the first one stays" is_owned_by "$FIRST" "$before"
  check "$name: then it belongs to $owner" is_owned_by "$(only_node)" "$owner"
  check "$name: the client runs" wait_for 10 backend_is m Running
done <<'EOF'
|alice||new|alice
|tag:a||new|tag:a
|alice|tag:a|new|tag:a
|alice|tag:c|refused|
|tag:a|tag:b|refused|
alice|alice||same|alice
alice|bob||new|bob
alice|tag:a||same|tag:a
alice|alice|tag:b|same|tag:b
alice|alice|tag:c|refused|
tag:a|alice||same|alice
tag:a|tag:b||same|tag:b
tag:a|tag:a,tag:b|tag:b|same|tag:b
tag:a|alice|tag:c|refused|
EOF

auth_url() { ts m status --json | jq -er '.AuthURL | select(length > 0)'; }
# ask_for TAGS: without a key; the client goes on as it is and has an address for who looks at its status
ask_for() {
  on_words m
  "${ON[@]}" "$(cat "$LAB/m/bin")/tailscale" --socket="$LAB/m/sock" up --login-server "$LOGIN" --hostname m --reset --advertise-tags="$1" \
    >"$WORK/up" 2>&1 </dev/null &
  UP=$!
  disown
  wait_for 15 auth_url || return 1
  AUTH_ID=$(auth_url)
  AUTH_ID=${AUTH_ID##*/}
}
for before in alice tag:a; do
  check "$before: begins" begin_as "$before"
  check "$before, asking for tag:b without a key: gets an address" ask_for tag:b
  check "$before: until somebody approves nothing changes" is_owned_by "$FIRST" "$before"
  check "$before: approved for alice" hw auth register --auth-id "$AUTH_ID" --user alice
  check "$before: the tags are there" wait_for 10 is_owned_by "$FIRST" tag:b
  check "$before: the command returns" wait_for 10 gone "$UP"
  check "$before: there is one node" count_is 1
done
check "asking for a tag of others without a key: gets an address" ask_for tag:c
check_not "approved for alice it is refused" hw auth register --auth-id "$AUTH_ID" --user alice
check "and nothing changes" is_owned_by "$FIRST" tag:b
end_process "$UP" TERM

# A machine with several nodes: whoever could mean any of them is refused, and who can mean one only is not.
owners() { nodes | jq -r 'sort_by(.id | tonumber)[] | if .tags | length > 0 then .tags | sort | join(",") else .user.name end' | paste -sd ' '; }
are_owned_by() { [ "$(owners)" = "$1" ]; }
# ask_anew: without a key, and with a node key that is new
ask_anew() {
  ts m logout
  "${ON[@]}" "$(cat "$LAB/m/bin")/tailscale" --socket="$LAB/m/sock" up --login-server "$LOGIN" --hostname m --reset --force-reauth >"$WORK/up" 2>&1 </dev/null &
  UP=$!
  disown
  wait_for 15 auth_url || return 1
  AUTH_ID=$(auth_url)
  AUTH_ID=${AUTH_ID##*/}
}
check "a machine of alice's: begins" begin_as alice
key_for bob
check "it logs in for bob too" again --timeout 15s
check "and has a node of each" are_owned_by "alice bob"
key_for tag:a
check_not "a key of tags only is refused" again --timeout 5s
check "and not used up" key_used false
check "and nothing changes" are_owned_by "alice bob"
key_for alice
check "alice's key, asking for a tag, means hers" again --timeout 15s --advertise-tags=tag:a
check "which is tagged then" are_owned_by "tag:a bob"
check "without a key: gets an address" ask_anew
check_not "approved for bob it is refused" hw auth register --auth-id "$AUTH_ID" --user bob
check_not "and for alice" hw auth register --auth-id "$AUTH_ID" --user alice
check "and nothing changes" are_owned_by "tag:a bob"
end_process "$UP" TERM
