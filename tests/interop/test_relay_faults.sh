#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What happens to a relay in its life: clients break their connections and move, the map changes, clients that cannot pin a
# certificate are not served any more, a client comes twice with one key.
# limit: 150
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

status() { hw relay status -o json | jq -e "$1" >/dev/null; }
connected() { status '.connections | map(.name // "?") | sort | join(" ") == "'"$1"'"'; }
regions() { ts "$1" debug derp-map | jq -r '.Regions | keys | join(" ")'; }
has_regions() { [ "$(regions "$1")" = "$2" ]; }
relay_node() { ts "$1" debug derp-map | jq -e ".Regions[\"900\"].Nodes[0] | $2" >/dev/null; }

lab_up
lab_host a "$CLIENT_NEW"
lab_host b "$CLIENT_USED"
lab_host c "$CLIENT_OLD"
lab_block a b
lab_block b a
user_and_key alice
for host in a b c; do lab_join "$host" >/dev/null 2>&1; done
first_ping a b 1000
check "all are connected" wait_for 5 connected "a b c"

logins=$(hw relay status -o json | jq .logins)
gap_begin a "$(address_of b)" >/dev/null
check "a breaks its connection" ts a debug break-derp-conns
check "and comes back" wait_for 10 status ".logins > $logins"
gap_more 50 >/dev/null
check "b rebinds" ts b debug rebind
gap_more 50 >/dev/null
gap_end
figure "longest time without an answer meanwhile" "$GAP_MS" 2000 ms

check "an old client is told not to look at the certificate" relay_node c '.InsecureForTests and (.CertName // "") == ""'
check "a new one is not" relay_node a '(.InsecureForTests | not) and (.CertName | startswith("sha256-raw:"))'

cat >"$LAB/derp.yaml" <<END
regions:
  901:
    regionid: 901
    regioncode: far
    regionname: Far
    nodes:
      - name: 901a
        regionid: 901
        hostname: relay.example.com
        ipv4: 10.99.0.250
        stunport: -1
END
sed -i "s|^  urls: \[\]|  urls: []\n  paths: [$LAB/derp.yaml]|" "$LAB/config.yaml"
kill -HUP "$DAEMON"
for host in a b c; do check "$host is told another region" wait_for 5 has_regions "$host" "900 901"; done
check "its home stays" wait_for 5 connected "a b c"
check "and a reaches b by it" wait_for 10 via_relay a b
sed -i '/^  paths:/d' "$LAB/config.yaml"
kill -HUP "$DAEMON"
check "and that it is gone" wait_for 5 has_regions a 900

sed -i 's|^    region_id: 900|    legacy_clients: false\n&|' "$LAB/config.yaml"
daemon_stop
daemon_start
check "legacy_clients: false, the old client is told the pin like everybody" wait_for 30 relay_node c '.InsecureForTests | not'
check "it is not on the relay" wait_for 20 connected "a b"
check "and reaches the others directly" wait_for 30 via_direct c a

# The same key a second time, as of a copied disk: the one that spoke last gets what is sent.
lab_address twin
cp -a "$LAB/b/state" "$LAB/twin/state"
cp "$LAB/b/bin" "$LAB/twin/bin"
mkdir "$LAB/twin/lib"
cp -a "$LAB/b/etc" "$LAB/twin/etc"
lab_namespace twin "$(cat "$LAB/twin/address")"
lab_block twin a
lab_start twin
check "a copy of b comes" wait_for 20 status '.connections | map(select(.name == "b")) | length == 2'
lab_stop twin
check "it goes, and b is still there" wait_for 20 connected "a b"
check "and reached" wait_for 20 reaches a "$(address b)"
