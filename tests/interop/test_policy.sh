#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The policy with the official client: approval by a tag before the first map, a changed policy at the clients, a tag that
# may not be had, a policy that is refused.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

serves() { on "$1" python3 -m http.server 8000 >"$LAB/web.log" 2>&1 </dev/null & disown; }
gets() { on "$1" curl -fsS -o /dev/null --max-time 2 "http://$2:8000/"; }
answers_at_home() { on "$1" curl -fsS -o /dev/null "http://127.0.0.1:8000/"; }

lab_up
lab_host a
lab_host b
lab_host r1
lab_lan office r1
user_and_key alice
lab_join a --accept-routes

# Comments and trailing commas are part of the language.
policy <<END
{
  // who may take a tag, and what that brings
  "tagOwners": {"tag:router": ["alice@"]},
  "autoApprovers": {"routes": {"10.0.0.0/8": ["tag:router"]}},
  "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
}
END
check "the policy reads back as it was written" eval 'hw policy get | grep -F "// who may take a tag"'
check_not "a tag that nobody owns is refused" ts r1 up --login-server "$LOGIN" --auth-key "$KEY" --hostname r1 --timeout 10s \
  --advertise-tags=tag:other
ts r1 logout >/dev/null 2>&1
check "a tag of the owner is given" ts r1 up --login-server "$LOGIN" --auth-key "$KEY" --hostname r1 --timeout 60s --reset \
  --advertise-tags=tag:router --advertise-routes="$LAN_NET"
check "and what it advertises is approved by itself" node_is r1 '.approvedRoutes | join(",")' "$LAN_NET"
check "it has the tag" node_is r1 '.tags | join(",")' tag:router
check "a's client has the route" wait_for 5 has_route a r1 "$LAN_NET"
check "packets reach the host behind" wait_for 20 reaches a "$LAN_SERVER"
check "the journal says who approved" eval 'hw events | grep -F autoApprovers'

lab_join b
serves b
wait_for 10 answers_at_home b
B=$(address b)
check "a reaches b" wait_for 20 gets a "$B"

policy <<END
{
  "tagOwners": {"tag:router": ["alice@"]},
  "acls": [{"action": "accept", "src": ["tag:router"], "dst": ["alice@:8000"]}],
}
END
check "another policy closes b to a" wait_for 10 not gets a "$B"
check "a's client no longer knows b" wait_for 10 not knows a b
check "and loses the route" wait_for 10 not reaches a "$LAN_SERVER"
check "what is approved stays approved" node_is r1 '.approvedRoutes | join(",")' "$LAN_NET"
check "the router reaches b" wait_for 20 gets r1 "$B"

echo '{"acls": [{"action": "accept", "src": ["nobody-knows"], "dst": ["*:*"]}]}' >"$LAB/bad.hujson"
check_not "a policy with an error is refused" hw policy set -f "$LAB/bad.hujson"
check_not "and checked as such" hw policy check -f "$LAB/bad.hujson"
check "the one before stays" eval 'hw policy get | grep -F "alice@:8000"'

daemon_stop
daemon_start
check "after a restart the policy holds" wait_for 20 gets r1 "$B"
check_not "for a too" gets a "$B"
policy <<<'{"acls": [{"action": "accept", "src": ["alice@"], "dst": ["alice@:*"]}]}'
check "an opened policy reaches a" wait_for 10 knows a b
check "and its packets b" wait_for 20 gets a "$B"
