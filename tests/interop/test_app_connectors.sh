#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# App connectors: clients of all versions resolve the domains of an app through a connector, it learns the addresses, they
# are approved, and the packets leave from it; another connector takes over; what leaves the policy is withdrawn.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

RESOLVER=203.0.113.53 APP=203.0.113.80 WILD=203.0.113.81
LAB_DNS="  nameservers:
    global: [$RESOLVER]"

# serve_names: a resolver on "the internet" that knows three names
serve_names() {
  local ns
  ns=$(lab_ns internet)
  for address in "$RESOLVER" "$APP" "$WILD"; do ip -n "$ns" addr add "$address/32" dev lo; done
  ip netns exec "$ns" python3 -c '
import socket, struct, sys
NAMES = {"www.apps.test": sys.argv[2], "x.wild.test": sys.argv[3], "y.wild.test": sys.argv[3]}
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
while True:
    q, who = s.recvfrom(4096)
    at, labels = 12, []
    while q[at]:
        labels.append(q[at + 1:at + 1 + q[at]].decode().lower())
        at += q[at] + 1
    kind = struct.unpack(">H", q[at + 1:at + 3])[0]
    address = NAMES.get(".".join(labels))
    known = address and kind == 1
    head = q[:2] + struct.pack(">HHHHH", 0x8180 if address else 0x8183, 1, int(bool(known)), 0, 0)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + socket.inet_aton(address) if known else b""
    s.sendto(head + q[12:at + 5] + answer, who)' "$RESOLVER" "$APP" "$WILD" >"$LAB/names.log" 2>&1 </dev/null &
  disown
}

# apps DOMAINS: the policy, with an app of these domains (JSON)
apps() {
  policy <<END
{"groups": {"group:users": ["alice@"]},
 "tagOwners": {"tag:connector": ["alice@"]},
 "acls": [{"action": "accept", "src": ["alice@", "bob@"], "dst": ["autogroup:internet:*"]}],
 "nodeAttrs": [{"target": ["group:users"], "app": {"tailscale.com/app-connectors": [
   {"name": "lab", "connectors": ["tag:connector"], "domains": $1}]}}]}
END
}
asks() { on "$1" getent ahostsv4 "$2" | grep -cF "$3"; }
resolver_of() { ts "$1" debug netmap | jq -r --arg d "$2" '.DNS.Routes[$d] // [] | map(.Addr) | join(" ")'; }
resolves_by() { resolver_of "$1" "$2" | grep -cF "http://$(address "$3"):"; }
packets() { on "$1" nft list table ip counted | grep -oE 'packets [0-9]+' | cut -d' ' -f2; }
more_than() { [ "$(packets "$1")" -gt "$2" ]; }
learned() { node "$1" ".approvedRoutes | index(\"$2\") != null" >/dev/null; }
forgotten() { node "$1" "(.availableRoutes + .approvedRoutes) | index(\"$2\") == null" >/dev/null; }

lab_up
serve_names
lab_echo internet "$APP"
lab_echo internet "$WILD"
user_and_key alice
ALICE=$KEY
hw users create bob >/dev/null
check "a policy with an app" apps '["www.apps.test", "*.wild.test"]'
said=$(policy 2>&1 <<'END'
{"tagOwners": {},
 "nodeAttrs": [{"target": ["*"], "app": {"tailscale.com/app-connectors": [{"connectors": ["tag:x"], "domains": ["a.b"]}]}}]}
END
)
check "one whose connector has an unknown tag is refused, with its line" grep -F 'tag not found: "tag:x" (line 2' <<<"$said"
lab_host c1
lab_host c2 "$CLIENT_USED"
KEY=$(hw preauthkeys create --tags tag:connector --reusable -o json | jq -er .key)
lab_join c1 --advertise-connector
on c1 nft "table ip counted { chain through { type filter hook forward priority 0; ip daddr $APP counter
    }
  }"
check "the connector is told the app" eval 'ts c1 debug netmap | jq -e ".SelfNode.CapMap[\"tailscale.com/app-connectors\"][0].name == \"lab\""'

KEY=$ALICE
for client in "a $CLIENT_NEW" "b $CLIENT_USED" "o $CLIENT_OLD"; do
  read -r host version <<<"$client"
  lab_host "$host" "$version"
  lab_join "$host" --accept-routes
  check "$version resolves the domain through the connector" wait_for 10 resolves_by "$host" www.apps.test c1
  check "and those below the other" wait_for 10 resolves_by "$host" wild.test c1
  check "its own names are resolved as before" asks "$host" c1 "$(address c1)"
  check "the name has its address" wait_for 20 asks "$host" www.apps.test "$APP"
  check "the connector has learned it, and it is approved" wait_for 10 learned c1 "$APP/32"
  check "$version is sent the route" wait_for 10 has_route "$host" c1 "$APP/32"
  before=$(packets c1)
  check "its packets leave from the connector" wait_for 20 leaves_by "$host" c1 "$APP"
  check "and were counted there" more_than c1 "$before"
done
echo "# packets that went through c1: $(packets c1)"
check "the connector lists it too" eval 'ts c1 appc-routes | grep -F www.apps.test'
check "the journal names the approval" eval 'hw events --limit 100 | grep -F "$APP/32" | grep -F approved'
check "a name below the wildcard" wait_for 20 asks a x.wild.test "$WILD"
check "leads to the connector" wait_for 20 leaves_by a c1 "$WILD"
check "the list shows the app, its connector and what it learned" eval \
  'hw app-connectors list -o json | jq -e ".[0] | .name == \"lab\" and .ready == 1 and .users == 3 and (.connectors[0].learned | length) == 2"'

lab_host u
KEY=$(hw preauthkeys create --user "$(user_id bob)" -o json | jq -er .key)
lab_join u --accept-routes
check "who is no target resolves elsewhere" test -z "$(resolver_of u www.apps.test)"

KEY=$(hw preauthkeys create --tags tag:connector --reusable -o json | jq -er .key)
lab_join c2 --advertise-connector
check "a second connector is asked too" wait_for 10 resolves_by a www.apps.test c2
lab_kill9 c1
check "without the first the second alone is asked" wait_for 20 eval 'not resolves_by a www.apps.test c1'
check "the name is found" wait_for 20 asks a www.apps.test "$APP"
check "the packets leave from the second" wait_for 20 leaves_by a c2 "$APP"
lab_kill9 c2
check "without any the report of health names the app" wait_for 20 eval 'hw health | grep -F "no connector of app lab is ready"'
check "and the domain is resolved as any other" wait_for 20 test -z "$(resolver_of a www.apps.test)"
lab_start c2
check "it comes back" wait_for 20 resolves_by a www.apps.test c2

check "a policy without that domain" apps '["*.wild.test"]'
check "what was learned for it is withdrawn, and not approved any more" wait_for 20 forgotten c2 "$APP/32"
check "and is resolved as any other" wait_for 20 eval 'test -z "$(resolver_of a www.apps.test)"'
