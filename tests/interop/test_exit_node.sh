#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An exit node: the pair of default routes is approved as one, and a client's traffic leaves from there.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_up
lab_host a
lab_host r1
user_and_key alice
lab_join a
lab_join r1 --advertise-exit-node
lab_echo internet "$INTERNET"

check "without an exit node a leaves by itself" test "$(outer_address a)" = "$(cat "$LAB/a/address")"
check "both default routes are available" wait_for 5 node_is r1 '.availableRoutes | sort | join(",")' '0.0.0.0/0,::/0'
check_not "a may not use it before it is approved" ts a set --exit-node=r1
check "approving one" approve r1 0.0.0.0/0
check "approves both" node_is r1 '.approvedRoutes | sort | join(",")' '0.0.0.0/0,::/0'
check "a's client has it as an option" wait_for 5 eval '[ "$(peer a r1 .ExitNodeOption)" = true ]'
check "a uses it" ts a set --exit-node=r1
check "and leaves from the exit node's address" wait_for 20 eval '[ "$(outer_address a)" = "$(cat "$LAB/r1/address")" ]'
check "revoked" hw nodes approve-routes --identifier "$(node_id r1)" --routes=
check "it is no option any more" wait_for 5 eval '[ "$(peer a r1 .ExitNodeOption)" = false ]'
check "a no longer leaves by it" wait_for 10 eval '[ "$(outer_address a)" != "$(cat "$LAB/r1/address")" ]'
ts a set --exit-node=
check "without it a leaves by itself again" wait_for 10 eval '[ "$(outer_address a)" = "$(cat "$LAB/a/address")" ]'
