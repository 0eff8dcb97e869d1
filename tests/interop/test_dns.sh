#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Names that the configuration adds: found whatever the case they are written in, inside the tailnet's domain and
# outside of it, and known to be the client's to answer where its system splits DNS.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

RECORDS=$WORK/records.json
printf '[{"name":"DB.Lab.test","type":"A","value":"192.0.2.7"},{"name":"Wiki.%s","type":"A","value":"192.0.2.8"}]' "${BASE_DOMAIN^}" >"$RECORDS"
LAB_DNS="  extra_records_path: $RECORDS"

# answers NAME ADDRESS: the client's resolver says so
answers() { ts a dns query "$1" a | grep -cF "$2"; }
route_of() { ts a debug netmap | jq -c --arg name "$1" '.DNS.Routes[$name]'; }

lab_up
lab_host a
user_and_key alice
lab_join a
check "a record outside the tailnet's domain" wait_for 10 answers db.lab.test 192.0.2.7
check "asked for in capitals" answers DB.LAB.TEST 192.0.2.7
check "a record inside of it" answers "wiki.$BASE_DOMAIN" 192.0.2.8
check "the former has a route of its own" test "$(route_of db.lab.test)" = "[]"
check "the latter needs none" test "$(route_of "wiki.$BASE_DOMAIN")" = null

printf '[{"name":"other.lab.test","value":"192.0.2.9"}]' >"$RECORDS.new"
mv "$RECORDS.new" "$RECORDS"
has_route_of() { [ "$(route_of "$1")" = "[]" ]; }
check "another file is heard of" wait_for 10 has_route_of other.lab.test
check "its record is found" wait_for 10 answers other.lab.test 192.0.2.9
check "and the old one's route goes" test "$(route_of db.lab.test)" = null

# What an administrator sets while clients run takes the place of the configuration, at once.
set_v2() { curl -sf --unix-socket "$LAB/daemon/headway.sock" -X "$1" -H 'Content-Type: application/json' -d "$3" "http://headway/api/v2/tailnet/-/dns/$2"; }
shows() { ts a dns status | grep -qF "$1"; }
hides() { ! ts a dns status | grep -qF "$1"; }
check "name servers are set by the API" set_v2 POST nameservers '{"dns":["192.0.2.53"]}'
check "for all names" hw dns set --override-local-dns on
check "and arrive" wait_for 10 shows 192.0.2.53
check "so do those of a domain" set_v2 PATCH split-dns '{"corp.example.com":["192.0.2.54"]}'
check "which arrive" wait_for 10 shows corp.example.com
check "search domains are set by hand" hw dns set --search-domains search.example.com
check "and arrive as well" wait_for 10 shows search.example.com
check "they are taken back" hw dns reset
check "and go" wait_for 10 hides 192.0.2.53
check "with the domain" hides corp.example.com
