#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The life of a node: renamed, expired, logged out, registered again, deleted; each at once at the others.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_up
lab_host a
lab_host b
user_and_key alice
lab_join a
lab_join b
check "a sees b" wait_for 5 knows a b
id=$(node_id b) address=$(address b)

check "renaming" hw nodes rename --identifier "$id" printer
check "the new name is at the other client" wait_for 5 eval '[ "$(peer a b .DNSName)" = "printer.$BASE_DOMAIN." ]'
check "the new name resolves" wait_for 10 on a getent ahostsv4 "printer.$BASE_DOMAIN"
check "back to the old one" hw nodes rename --identifier "$id" b
check_not "a name that is no DNS label is refused" hw nodes rename --identifier "$id" 'no_label!'
check "and changes nothing" node_is b .id "$id"

check "expiring" hw nodes expire --identifier "$id"
check "b's client asks for a login" wait_for 10 backend_is b NeedsLogin
check "a's packets no longer reach it" wait_for 10 not reaches a "$address"
check "registering again" ts b up --login-server "$LOGIN" --auth-key "$KEY" --hostname b --timeout 60s --force-reauth
check "is the same node" node_is b .id "$id"
check "with the same address" test "$(address b)" = "$address"
check "reachable again" wait_for 20 reaches a "$address"

# What a client was told bit by bit is what a fresh map says, for every field of its peers.
peers_held() { ts "$1" debug netmap | jq -S '[.Peers[] | if .Online then del(.LastSeen) else . end] | sort_by(.ID)'; }
expired_at() { [ "$(peers_held "$1" | jq --argjson id "$id" '.[] | select(.ID == $id) | .Expired // false')" = "$2" ]; }
check "a key that ends in some seconds" hw nodes expire --identifier "$id" --expiry "$(date -u -d '+6 seconds' +%FT%TZ)"
check "a's client takes it for expired then" wait_for 20 expired_at a true
check "and b is not online" wait_for 5 node_is b .online false
check "its packets do not get there" not reaches a "$address"
check "renewed" hw nodes expire --identifier "$id" --disable
check "a's client takes it back" wait_for 10 expired_at a false
check "reachable again" wait_for 20 reaches a "$address"
check "and online" wait_for 5 node_is b .online true
# as_before NODE: since the last call nothing changed
as_before() { mv "$WORK/held.new" "$WORK/held"; peers_held "$1" >"$WORK/held.new"; cmp -s "$WORK/held" "$WORK/held.new"; }
as_held() { peers_held "$1" | cmp -s - "$WORK/held"; }
peers_held a >"$WORK/held.new"
check "nothing more comes" wait_for 10 as_before a
lab_kill9 a
lab_start a
check "a fresh map says what was held" wait_for 20 as_held a

check "logging out" ts b logout
check "b is no longer online" wait_for 5 node_is b .online false
check "a's packets no longer reach it" wait_for 10 not reaches a "$address"
check "logging in again" lab_join b
check "keeps the address" test "$(address b)" = "$address"
check "and is one node" eval '[ "$(nodes | jq length)" = 2 ]'
check "reachable again" wait_for 20 reaches a "$address"

check "deleting" hw nodes delete --identifier "$id" --force
check "it is not listed" eval '[ "$(nodes | jq length)" = 1 ]'
check "a no longer knows it" wait_for 5 not knows a b
check "its own client asks for a login" wait_for 20 backend_is b NeedsLogin
check "a new registration" ts b up --login-server "$LOGIN" --auth-key "$KEY" --hostname b --timeout 60s --force-reauth
check "is a new node" test "$(node_id b)" != "$id"
check "reachable" wait_for 20 reaches a "$(address b)"

new_key alice --ephemeral
lab_host e
check "an ephemeral node" lab_join e
check "is there" wait_for 5 knows a e
check "and logs out" ts e logout
check "which deletes it" wait_for 10 not node e .id
check "at the others too" wait_for 5 not knows a e
