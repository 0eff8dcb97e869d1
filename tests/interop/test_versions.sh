#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Three releases of the client in one tailnet: each joins, each reaches each, each takes a route from each.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

LAB_CONFIG="node: {routes: {ha: {probe_interval: 2s, probe_timeout: 1s}}}"
lab_up
lab_host new "$CLIENT_NEW"
lab_host used "$CLIENT_USED"
lab_host old "$CLIENT_OLD"
user_and_key alice
hosts="new used old" n=0
for h in $hosts; do
  n=$((n + 1))
  check "$h joins" lab_join "$h" --accept-routes --advertise-routes="10.20$n.0.0/16"
done
n=0
for h in $hosts; do
  n=$((n + 1))
  check "$h is approved as a router" approve "$h" "10.20$n.0.0/16"
  for other in $hosts; do
    [ "$h" != "$other" ] || continue
    check "$other has the route of $h" wait_for 10 has_route "$other" "$h" "10.20$n.0.0/16"
    check "$other reaches $h" wait_for 30 reaches "$other" "$(address "$h")"
  done
done
snapshot() { on ctl curl -fsS --unix-socket "$LAB/daemon/headway.sock" http://headway/api/headway/snapshot; }
for h in $hosts; do
  version=$(basename "$(cat "$LAB/$h/bin")")
  check "the daemon knows the version of $h" eval 'snapshot | jq -er --arg n $h ".nodes[] | select(.givenName == \$n) | .clientVersion" | grep -F "${version#tailscale-}"'
done
# Routers are asked to call back inside their connection; every release does.
answering() { grep -F "answers the probe" "$LAB/daemon.log" | grep -Eo '[0-9.]+:[0-9]+ answers' | sort -u | wc -l; }
check "each router answers the daemon's probe" wait_for 20 eval '[ "$(answering)" = 3 ]'
check_not "so none counts as hung" grep -F "does not answer" "$LAB/daemon.log"
