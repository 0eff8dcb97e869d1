#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A server with a certificate that it orders itself, at the ports 80 and 443: an official client joins by https, trusting the
# authority alone, and its stream of maps lives through renewals.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

need_commands uacme pebble pebble-challtestsrv openssl ss
NAME=vpn.example.com LOGIN=https://vpn.example.com CA=$WORK/ca SECONDS_VALID=30

# The authority's own certificate, of one that only ctl believes.
certificates() {
  mkdir -p "$CA/trust"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=test" -keyout "$CA/root.key" -out "$CA/trust/root.pem" &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout "$CA/key.pem" -out "$CA/csr" &&
    openssl x509 -req -in "$CA/csr" -CA "$CA/trust/root.pem" -CAkey "$CA/root.key" -CAcreateserial -days 2 \
      -extfile <(echo "subjectAltName=DNS:localhost") -out "$CA/cert.pem"
}
authority() {
  cat >"$CA/pebble.json" <<EOF
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "$CA/cert.pem",
  "privateKey": "$CA/key.pem", "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false,
  "certificateValidityPeriod": $SECONDS_VALID}}
EOF
  ip netns exec "$(lab_ns ctl)" pebble-challtestsrv -defaultIPv6 "" -defaultIPv4 "$CTL" -http01 "" -https01 "" -tlsalpn01 "" \
    -dns01 127.0.0.1:8053 -management 127.0.0.1:8055 >>"$CA/log" 2>&1 </dev/null &
  disown
  ip netns exec "$(lab_ns ctl)" env PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0 \
    pebble -config "$CA/pebble.json" -dnsserver 127.0.0.1:8053 >>"$CA/log" 2>&1 </dev/null &
  disown
  wait_for 20 on ctl curl -fsS --cacert "$CA/trust/root.pem" -o "$CA/issued.pem" https://localhost:15000/roots/0
}
configuration() {
  LAB_CONFIG="tls_letsencrypt_hostname: $NAME
tls_letsencrypt_challenge_type: $1
tls_letsencrypt_cache_dir: $LAB/daemon/cache
acme_url: https://localhost:14000/dir"
  daemon_config
  sed -i "s/^listen_addr: .*/listen_addr: $CTL:443/" "$LAB/config.yaml"
}
believer() {
  cat >"$CA/headwayd" <<EOF
#!/bin/sh
case \$3 in configtest) exec "$1" "\$@" ;; esac
mount --bind "$CA/trust" /etc/ssl/certs && exec "$1" "\$@"
EOF
  chmod +x "$CA/headwayd"
}
asks() { on ctl curl -fsS --cacert "$CA/issued.pem" --resolve "$NAME:443:$CTL" "$@"; }
daemon_running() {
  not gone "$DAEMON" || { tail -n 5 "$LAB/daemon.log"; return 1; }
  asks -o "$LAB/health" "$LOGIN/health"
}
serial() { on ctl openssl s_client -connect "$CTL:443" -servername "$NAME" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
is_another() { [ "$(serial)" != "$1" ]; }
# The client's connection to the server, by its own port.
connection() { on a ss -Htn state established dst "$CTL:443" | awk '{ print $3 }' | sort; }

lab_net
check "an authority" certificates || exit
believer "$HEADWAYD"
HEADWAYD=$CA/headwayd
configuration HTTP-01
check "it answers" authority || exit
daemon_start
check "the server gets a certificate" asks -o "$WORK/health" "$LOGIN/health"
LAB_CLIENT_ENV="SSL_CERT_FILE=$CA/issued.pem"
lab_host a "$CLIENT_NEW"
lab_host b "$CLIENT_OLD"
for host in a b; do echo "$CTL $NAME" >>"$LAB/$host/etc/hosts"; done
user_and_key alice
check "a client joins by https" lab_join a
check "it is online" wait_for 10 node_is a .online true
before=$(connection) first=$(serial)
check "it holds a connection" test -n "$before"
check "the certificate is renewed" wait_for 60 is_another "$first"
second=$(serial)
check "and again" wait_for 60 is_another "$second"
check "the client's connection is the same" eval '[ "$(connection)" = "$before" ]'
check "health shows until when" eval 'hw health | grep -F "certificate: $NAME, until "'
check "an old client joins with the new one" lab_join b
check "the first is told of it on the stream that was open" wait_for 10 knows a b
check "packets pass" wait_for 20 reaches a "$(address_of b)"
daemon_stop
rm -r "$LAB/daemon/cache"
configuration TLS-ALPN-01
daemon_start
check "by TLS-ALPN-01 too" asks -o "$WORK/health" "$LOGIN/health"
check "the clients come back" wait_for 60 eval 'node_is a .online true && node_is b .online true'
