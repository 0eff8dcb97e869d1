#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Rules about networks behind routers, by packets: one server on two ports and not its router, the router too, what
# autoApprovers approves, and two sites that reach each other through their routers.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

serves() { # NAME ADDRESS PORT
  mkdir -p "$LAB/empty"
  # A namespace without a client has no pid file: its "on" is an ip netns exec.
  on "$1" python3 -m http.server -d "$LAB/empty" --bind "$2" "$3" >"$LAB/web.log" 2>&1 </dev/null &
  disown
  wait_for 10 gets "$1" "$2" "$3" >/dev/null
}
gets() { on "$1" curl -fsS -o /dev/null --max-time 2 "http://$2:$3/"; }
approved() { node_is r1 '.approvedRoutes | sort | join(",")' "$1"; }

lab_up
lab_host a
lab_host b "$CLIENT_USED"
lab_host r1
lab_host r2
lab_lan west r1
WEST=$LAN_NET WEST_SERVER=$LAN_SERVER
lab_lan east r2
EAST=$LAN_NET EAST_SERVER=$LAN_SERVER
for p in 80 443 8080; do serves west "$WEST_SERVER" "$p"; done
user_and_key alice
lab_join a --accept-routes
lab_join b --accept-routes
policy <<END
{
  "tagOwners": {"tag:router": ["alice@"]},
  "autoApprovers": {"routes": {"10.100.0.0/24": ["tag:router"]}},
  "acls": [],
}
END
lab_join r1 --advertise-tags=tag:router --advertise-routes=10.100.0.0/23
check "a wider route than autoApprovers names waits" node_is r1 '.approvedRoutes | length' 0
ts r1 set --advertise-routes=10.100.0.0/23,10.100.0.128/25
check "a narrower one is approved" wait_for 5 approved 10.100.0.128/25
ts r1 set --advertise-routes="$WEST"
check "and so is the named one" wait_for 5 approved "10.100.0.0/24,10.100.0.128/25"
lab_join r2 --accept-routes --advertise-tags=tag:router --advertise-routes="$EAST"
check "what is not named is approved by hand" approve r2 "$EAST"
R1=$(address r1)
serves r1 0.0.0.0 2222
serves r1 0.0.0.0 80

# The server behind, not the router.
hosts="\"hosts\": {\"router\": \"$R1/32\", \"node\": \"$(address a)/32\", \"service.example.net\": \"$WEST_SERVER/32\"},
  \"tagOwners\": {\"tag:router\": [\"alice@\"]}"
service='{"src": ["node"], "dst": ["service.example.net"], "ip": ["80,443"]}'
policy <<<"{$hosts, \"grants\": [$service]}"
check "the node has the route" wait_for 5 has_route a r1 "$WEST"
check "it reaches the server's port 80" wait_for 20 gets a "$WEST_SERVER" 80
check "and 443" gets a "$WEST_SERVER" 443
check_not "but not 8080" gets a "$WEST_SERVER" 8080
check_not "nor another host's port 80 in that network" gets a "${WEST_SERVER%.*}.1" 80
check_not "nor the router's" gets a "$R1" 80
check_not "another node knows nothing of the router" knows b r1
check_not "and does not get there" gets b "$WEST_SERVER" 80
policy <<<"{$hosts, \"grants\": [$service, {\"src\": [\"node\"], \"dst\": [\"router\"], \"ip\": [\"2222\"]}]}"
check "a rule for one port of the router opens that" wait_for 5 gets a "$R1" 2222
check_not "and no other" gets a "$R1" 80
check "the server is reached as before" gets a "$WEST_SERVER" 443

# Two sites. Without masquerading the packets keep their sender.
policy <<<"{\"grants\": [{\"src\": [\"$WEST\"], \"dst\": [\"$EAST\"], \"ip\": [\"*\"]}]}"
ts r1 set --accept-routes --snat-subnet-routes=false
ts r2 set --snat-subnet-routes=false
lab_echo east "$EAST_SERVER"
check "the routers see each other's networks" eval 'wait_for 5 has_route r1 r2 "$EAST" && wait_for 5 has_route r2 r1 "$WEST"'
check "a host of the one site reaches the other" wait_for 20 reaches west "$EAST_SERVER"
arrives_as_itself() { [ "$(outer_address west "$EAST_SERVER")" = "$WEST_SERVER" ]; }
check "and arrives there as itself" wait_for 10 arrives_as_itself
check_not "the other way nobody asked for" reaches east "$WEST_SERVER"
check_not "no other node knows the routers" eval 'knows a r1 || knows a r2'
