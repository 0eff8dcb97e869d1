#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Who may use which exit node, as the policy says: autogroup:internet, one for each user by "via", and in the older form
# that names the exit node's own address. Two exits, and a host on the internet that says from where it was asked.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

# first_map NAME: what the first answer to its map request says of itself
first_map() { sed -n '/MapResponse: {/,/"DERPMap"/p; /"DERPMap"/q' "$LAB/$1/log"; }
offers() { peer "$1" "$2" .ExitNodeOption | grep -cx true; }
offers_not() { not offers "$1" "$2"; }
uses() { ts "$1" set --exit-node="$2"; }
OWNERS='"tagOwners": {"tag:exit": ["alice@"], "tag:exit1": ["alice@"], "tag:exit2": ["alice@"]},
  "autoApprovers": {"exitNode": ["tag:exit"]},'

lab_up
lab_host a
lab_host b "$CLIENT_USED"
LAB_CLIENT_ENV=TS_DEBUG_MAP=2 lab_host x1
lab_host x2 "$CLIENT_OLD"
lab_lan vault x1
lab_echo
lab_echo vault "$LAN_SERVER"
hw users create bob >/dev/null
new_key bob --reusable
lab_join b
user_and_key alice
lab_join a
policy <<END
{
  $OWNERS
  "grants": [{"src": ["alice@"], "dst": ["autogroup:internet"], "ip": ["*"]}],
}
END

lab_join x1 --advertise-tags=tag:exit,tag:exit1 --advertise-exit-node --advertise-routes="$LAN_NET"
check "tag:exit has both default routes approved, and not the network behind" \
  node_is x1 '.approvedRoutes | sort | join(",")' '0.0.0.0/0,::/0'
check "that was so in the answer to its first map request" eval 'first_map x1 | grep -F "\"0.0.0.0/0\""'
lab_join x2 --advertise-tags=tag:exit,tag:exit2 --advertise-exit-node
X1=$(address x1) X2=$(address x2)

check "autogroup:internet: alice is offered both exits" eval 'wait_for 5 offers a x1 && wait_for 5 offers a x2'
check_not "bob sees none of them" eval 'knows b x1 || knows b x2'
check_not "and cannot choose one" uses b x1
check "alice uses one" uses a x1
check "and leaves by it" wait_for 20 leaves_by a x1
check "the exit node itself reaches the network behind" on x1 curl -fsS -o /dev/null "http://$LAN_SERVER/"
check_not "alice does not" outer_address a "$LAN_SERVER"
check_not "nor the exit node's own address" reaches a "$X1"
check_not "nor the other one's" reaches a "$X2"
check "she changes to the other" uses a x2
check "and leaves by that" wait_for 20 leaves_by a x2

policy <<END
{
  $OWNERS
  "grants": [{"src": ["alice@"], "dst": ["tag:exit"], "ip": ["tcp:22"]}],
}
END
check "without autogroup:internet the exits are no option" eval 'wait_for 5 offers_not a x1 && wait_for 5 offers_not a x2'
check "though she sees them" eval 'knows a x1 && knows a x2'
check_not "and nothing leaves by the one she uses" outer_address a
uses a ""
check "she leaves by herself" wait_for 10 leaves_by a a

via='{"src": ["alice@"], "dst": ["autogroup:internet"], "via": ["tag:exit1"], "ip": ["*"]},
    {"src": ["bob@"], "dst": ["autogroup:internet"], "via": ["tag:exit2"], "ip": ["*"]},'
each_his_own() {
  check "$1: alice is offered hers alone" eval 'wait_for 5 offers a x1 && wait_for 5 offers_not a x2'
  check "$1: bob his" eval 'wait_for 5 offers b x2 && wait_for 5 offers_not b x1'
  check "$1: they choose them" eval 'wait_for 5 uses a x1 && wait_for 5 uses b x2'
  check "$1: alice leaves by hers" wait_for 20 leaves_by a x1
  check "$1: bob by his" wait_for 20 leaves_by b x2
  check_not "$1: alice does not reach the network behind hers" outer_address a "$LAN_SERVER"
}
policy <<<"{$OWNERS \"grants\": [$via]}"
each_his_own via
check "via: the other exit is not there for her" not knows a x2
policy <<<"{$OWNERS \"grants\": [$via {\"src\": [\"bob@\"], \"dst\": [\"alice@\"], \"ip\": [\"22\"]}]}"
each_his_own "via beside an unrelated rule"
uses a ""
uses b ""

older='{"action": "accept", "src": ["alice@"], "dst": ["exit1:*"]}, {"action": "accept", "src": ["bob@"], "dst": ["exit2:*"]}'
policy <<<"{$OWNERS \"hosts\": {\"exit1\": \"$X1/32\", \"exit2\": \"$X2/32\"}, \"acls\": [$older]}"
each_his_own "older form"
check "older form: alice reaches the exit node itself" wait_for 5 reaches a "$X1"
check "policy check names the rules that grant an exit so" eval 'hw policy check -f "$LAB/policy.hujson" 2>&1 | grep -F via'
policy <<<"{$OWNERS \"hosts\": {\"exit1\": \"$X1/32\", \"exit2\": \"$X2/32\"}, \"acls\": [${older//:\*/:22}]}"
check "one port of the exit node is no exit" eval 'wait_for 5 offers_not a x1 && wait_for 5 offers_not b x2'
check_not "and nothing leaves by it" outer_address a
