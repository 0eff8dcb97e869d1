#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Equal IPv4 networks of two sites: each a 4via6 prefix, approved, reached by its address and by its name.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_up
lab_host r1
lab_host r2 "$CLIENT_USED"
lab_lan office r1
NET=$LAN_NET SERVER=$LAN_SERVER
lan_next=0
lab_lan works r2
check "both sites have the same network" test "$LAN_NET" = "$NET"
lab_echo office "$SERVER"
lab_echo works "$SERVER"
user_and_key alice
P7=$(hw routes via6 7 "$NET") P8=$(hw routes via6 8 "$NET")
check "the prefix is the one that clients make" test "$P7" = "$(ts r1 debug via 7 "$NET" | head -n 1)"
check "and back" test "$(hw routes via6 "$P7")" = "site 7, $NET"
lab_join r1 --advertise-routes="$P7"
lab_join r2 --advertise-routes="$P8"
check "site 7 is approved" approve r1 "$P7"
check "site 8 is approved" approve r2 "$P8"
check "the list shows them decoded" eval 'hw nodes list-routes | grep -F "(site 7, $NET)" && hw routes list | grep -F "(site 8, $NET)"'
for client in "a $CLIENT_NEW" "b $CLIENT_USED" "o $CLIENT_OLD"; do
  read -r host version <<<"$client"
  lab_host "$host" "$version"
  lab_join "$host" --accept-routes
  check "$version is sent both" wait_for 10 eval "has_route $host r1 $P7 && has_route $host r2 $P8"
  address=$(hw routes via6 7 "$SERVER/32")
  check "its packets reach site 7 by the address" wait_for 20 on "$host" curl -gfsS --max-time 2 "http://[${address%/*}]/"
  for site in "7 office 1" "8 works 1"; do
    read -r number lan _ <<<"$site"
    name=${SERVER//./-}-via-$number
    check "$version resolves $name" wait_for 10 on "$host" getent ahostsv6 "$name"
    check "and reaches $lan by it" wait_for 20 on "$host" curl -fsS --max-time 2 "http://$name/"
  done
done
check_not "a site that is too large is refused" hw routes via6 70000 "$NET"
check_not "so is what is no IPv4 network" hw routes via6 7 fd00::/64
