#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Clients join by key: how long that takes, that they see, name and reach each other, and which keys are refused.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_up
lab_host a
lab_host b
check "a user and a key" user_and_key alice

began=$(now_ms)
check "a joins by key" lab_join a
took=$(($(now_ms) - began))
figure "tailscale up" "$took" 600 ms
check "b joins by key" lab_join b
check "the client runs" wait_for 5 backend_is a Running
check "both are listed as online" wait_for 5 eval 'node_is a .online true && node_is b .online true'
check "the first address is the first of the range" test "$(address a)" = 100.64.0.1
check "an IPv6 address as well" node a '.ipAddresses[] | select(startswith("fd7a:115c:a1e0:"))'
check "the owner is the key's" node_is a .user.name alice

check "a sees b" wait_for 5 knows a b
check "b sees a" wait_for 5 knows b a
check "a sees that b is online" wait_for 5 eval '[ "$(peer a b .Online)" = true ]'
check "a pings b by tailscale ping" ts a ping -c 5 --timeout 5s --until-direct=false b
check "packets from a to b" wait_for 20 reaches a "$(address b)"
check "packets from b to a" wait_for 20 reaches b "$(address a)"
check "IPv6 packets" wait_for 20 reaches a "$(node b '.ipAddresses[] | select(contains(":"))')"

check "the full name resolves" wait_for 10 eval '[ "$(on a getent ahostsv4 "b.$BASE_DOMAIN" | awk "NR == 1 { print \$1 }")" = "$(address b)" ]'
check "the short name resolves" wait_for 10 eval '[ "$(on a getent ahostsv4 b | awk "NR == 1 { print \$1 }")" = "$(address b)" ]'
check_not "a name that nobody has does not" on a getent ahostsv4 "nobody.$BASE_DOMAIN"

ts b down
check "b goes down: a sees it offline" wait_for 15 eval '[ "$(peer a b .Online)" = false ]'
check "and so does the list" node_is b .online false
ts b up
check "b comes back" wait_for 10 eval '[ "$(peer a b .Online)" = true ]'

lab_host c
good=$KEY
KEY=hskey-auth-0123456789ab-0123456789012345678901234567890123456789012345678901234567890123
check_not "an unknown key is refused" lab_join c --timeout 5s
check_not "and no node comes of it" node c .id
new_key alice
once=$KEY
check "a key for one use" lab_join c
lab_host d
KEY=$once
check_not "is refused the second time" lab_join d --timeout 5s
KEY=$good
check "a second host of the same name" ts d up --reset --login-server "$LOGIN" --auth-key "$KEY" --hostname c --timeout 60s
check "gets a name of its own" eval 'nodes | jq -e "[.[].givenName] | (unique | length) == length" && [ "$(nodes | jq length)" = 4 ]'

new_key alice --reusable --tags tag:server
lab_host e
check "a tagged key" lab_join e
check "makes a tagged node" node_is e '.tags | join(",")' tag:server
