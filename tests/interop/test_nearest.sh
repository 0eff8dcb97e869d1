#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two routers of one network at two sites, a client near each: where the prefix asks for it, each client uses the router
# that is nearest by what both measured to the relays, leaves it at once when it dies, and does not hurry back.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

FAR=10.99.0.250

# A second region, which is there to be measured only.
lab_net
daemon_config
sed -i "s|^  urls: \[\]|  urls: []\n  paths: [$LAB/derp.yaml]|" "$LAB/config.yaml"
cat >"$LAB/derp.yaml" <<EOF2
regions:
  901:
    regionid: 901
    regioncode: far
    regionname: Far
    nodes: [{name: 901a, regionid: 901, hostname: far.example.com, ipv4: $FAR, stunport: 3478}]
EOF2
lab_namespace far "$FAR"
ip netns exec "$(lab_ns far)" python3 -c '
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 3478))
cookie = 0x2112A442
while True:
    q, (host, port) = s.recvfrom(2048)
    if len(q) < 20 or q[:2] != b"\0\1":
        continue
    address = struct.unpack("!I", socket.inet_aton(host))[0] ^ cookie
    value = struct.pack("!BBHI", 0, 1, port ^ (cookie >> 16), address)
    s.sendto(struct.pack("!HHI", 0x0101, 4 + len(value), cookie) + q[8:20] + struct.pack("!HH", 0x20, len(value)) + value,
             (host, port))' >"$LAB/far.log" 2>&1 </dev/null &
disown
daemon_start

# lab_near NAME RELAY: it measures nothing but the relay at that address
lab_near() {
  local other=$FAR
  lab_host "$1" || return
  [ "$2" = "$CTL" ] || other=$CTL
  on "$1" nft "table ip measure {
    chain out { type filter hook output priority -200; ip daddr $other udp dport 3478 drop; }
  }"
}
lab_near v1 "$CTL"
lab_near r1 "$CTL"
lab_near v2 "$FAR"
lab_near r2 "$FAR"
lab_lan office r1 r2
lab_echo office "$LAN_SERVER"
user_and_key alice
for r in r1 r2; do
  check "$r joins" lab_join "$r" --advertise-routes="$LAN_NET"
  check "$r is approved" approve "$r" "$LAN_NET"
done
for v in v1 v2; do check "$v joins" lab_join "$v" --accept-routes; done

# measured NAME REGION: it reaches that relay alone
measured() {
  ts "$1" netcheck --format=json 2>/dev/null | jq -e --arg r "$2" '.RegionLatency | keys == [$r]' >/dev/null
}
# through NAME ROUTER NUMBER: its packets arrive at the LAN from that router
through() { [ "$(outer_address "$1" "$LAN_SERVER")" = "${LAN_SERVER%.*}.$2" ]; }

check "r1 and v1 measure the first relay" eval 'wait_for 20 measured r1 900 && wait_for 20 measured v1 900'
check "r2 and v2 measure the second one" eval 'wait_for 20 measured r2 901 && wait_for 20 measured v2 901'
check "all use one router at first" eval 'wait_for 20 through v1 1 && wait_for 30 through v2 1'
check "the prefix asks for the nearest" hw routes set "$LAN_NET" --nearest
check "v2 is shown it at r2" wait_for 10 has_route v2 r2 "$LAN_NET"
check "v1 is shown it at r1" has_route v1 r1 "$LAN_NET"
check "and each only there" eval 'has_no_route v2 r1 "$LAN_NET" && has_no_route v1 r2 "$LAN_NET"'
check "the packets of v2 go through r2" wait_for 30 through v2 2
check "those of v1 through r1" through v1 1
check "it is explained" eval 'hw policy explain v2 "$LAN_SERVER:80" | grep -F "for v2 that is r2"'

lab_kill9 r2
check "r2 dies: v2 goes through r1 at once" wait_for 10 through v2 1
lab_start r2
check "r2 is back" wait_for 30 node_is r2 .online true
check "v2 stays where it is for a while" eval 'has_route v2 r1 "$LAN_NET" && through v2 1'
check "one router for all again" hw routes set "$LAN_NET" --nearest=false
check "no packet is lost for it" through v2 1
