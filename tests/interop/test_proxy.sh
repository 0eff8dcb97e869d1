#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Behind nginx, which alone has a certificate and offers TCP port 443 and nothing else: clients join through it and use the
# relay there, who asks is known by X-Forwarded-For, and streams pass without being held up.
# limit: 300
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

need_commands nginx openssl
LOGIN=https://$CTL LAB_LISTEN=127.0.0.1 PROXY=$WORK/proxy

certificates() {
  mkdir -p "$PROXY"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=test authority" \
    -keyout "$PROXY/ca.key" -out "$PROXY/ca.pem" &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$CTL" -keyout "$PROXY/key.pem" -out "$PROXY/csr" &&
    openssl x509 -req -in "$PROXY/csr" -CA "$PROXY/ca.pem" -CAkey "$PROXY/ca.key" -CAcreateserial -days 2 \
      -extfile <(echo "subjectAltName=IP:$CTL") -out "$PROXY/cert.pem"
}

# nginx_config [DERP]: what stands in the location of /derp; without it, it is passed on like everything else
nginx_config() {
  cat >"$PROXY/nginx.conf" <<EOF
daemon off;
user root;
pid $PROXY/pid;
error_log $PROXY/error.log;
events {}
http {
  access_log $PROXY/access.log;
  client_body_temp_path $PROXY/body;
  proxy_temp_path $PROXY/temp;
  fastcgi_temp_path $PROXY/fastcgi;
  uwsgi_temp_path $PROXY/uwsgi;
  scgi_temp_path $PROXY/scgi;
  map \$http_upgrade \$connection_upgrade { default upgrade; '' ''; }
  upstream headway { server 127.0.0.1:8080; keepalive 8; }
  server {
    listen $CTL:443 ssl;
    ssl_certificate $PROXY/cert.pem;
    ssl_certificate_key $PROXY/key.pem;
    proxy_http_version 1.1;
    proxy_set_header Host \$host;
    proxy_set_header Upgrade \$http_upgrade;
    proxy_set_header Connection \$connection_upgrade;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    proxy_buffering off;
    proxy_read_timeout 1h;
    location / { proxy_pass http://headway; }
    location /derp { ${1:-proxy_pass http://headway;} }
  }
}
EOF
}
nginx_start() {
  ip netns exec "$(lab_ns ctl)" nginx -e "$PROXY/error.log" -p "$PROXY" -c "$PROXY/nginx.conf" >>"$PROXY/log" 2>&1 </dev/null &
  NGINX=$!
  disown
  wait_for 10 on ctl curl -fsS -o "$PROXY/health" --cacert "$PROXY/ca.pem" "$LOGIN/health"
}
nginx_stop() { end_process "$NGINX" TERM; }

# The authority is one of those that ctl believes.
believer() {
  cat >"$PROXY/$2" <<EOF
#!/bin/sh
mount --bind "$PROXY/bundle.pem" /etc/ssl/certs/ca-certificates.crt && exec "$1" "\$@"
EOF
  chmod +x "$PROXY/$2"
  cat /etc/ssl/certs/ca-certificates.crt "$PROXY/ca.pem" >"$PROXY/bundle.pem"
}
daemon_running() {
  not gone "$DAEMON" || { tail -n 5 "$LAB/daemon.log"; return 1; }
  on ctl curl -fsS -o "$LAB/health" http://127.0.0.1:8080/health
}

status() { hw relay status -o json | jq -e "$1"; }
relayed() { reaches "$1" "$(address_of "$2")"; }
through_proxy() { on a curl -fsS --cacert "$PROXY/ca.pem" -H "Authorization: Bearer $API_KEY" "$@"; }
outside() { cat "$LAB/$1/address"; }
# follow: the events as they come, through the proxy
follow() {
  on_words a
  "${ON[@]}" curl -NsS --cacert "$PROXY/ca.pem" -H "Authorization: Bearer $API_KEY" "$LOGIN/api/headway/events?follow=1" \
    >"$WORK/events" 2>"$WORK/events.error" &
  FOLLOWER=$!
  disown
}

lab_net
check "an authority and a certificate" certificates || exit
LAB_CONFIG='trusted_proxies: [127.0.0.0/8]'
daemon_config
believer "$HEADWAYD" headwayd
HEADWAYD=$PROXY/headwayd
# Nothing but 443, from elsewhere.
on ctl nft 'table inet only443 { chain incoming { type filter hook input priority -300;
  iifname "eth0" ct state established,related accept; iifname "eth0" tcp dport 443 accept;
  iifname "eth0" meta l4proto tcp reject with tcp reset; iifname "eth0" meta l4proto udp drop; }
}'

check "configtest names the proxy's port, and what the proxy must do" eval \
  'hw configtest 2>&1 | grep -F "clients reach the relay at $CTL, TCP port 443: the proxy there must pass /derp on"'
daemon_start
check "so does the start" grep -F "clients reach the relay at $CTL, TCP port 443: the proxy there must pass /derp on" "$LAB/daemon.log"
check "as long as no proxy answers there the log says so" wait_for 15 grep -F "clients are told that the relay is at $CTL, TCP port 443, and from here it is not" "$LAB/daemon.log"
check "and the status" wait_for 5 status '.derpFromHere.reached == false and .advertisedPort == 443 and .behindProxy'
nginx_config "return 404;"
check "nginx starts" nginx_start
kill -HUP "$DAEMON"
check "one that does not pass /derp on is told from none" wait_for 15 status '.derpFromHere.reached == false and (.derpFromHere.error | test("404"))'
nginx_stop
nginx_config
check "nginx passes it on" nginx_start
kill -HUP "$DAEMON"
check "the status says that it is reached" wait_for 15 status '.derpFromHere.reached'

LAB_CLIENT_ENV="SSL_CERT_FILE=$PROXY/ca.pem"
lab_host a "$CLIENT_NEW"
lab_host b "$CLIENT_OLD"
lab_block a b
lab_block b a
check_not "8443 is closed" on a curl -sk --max-time 3 "https://$CTL:8443/"
user_and_key alice
API_KEY=$(hw apikeys create)
follow
began=$(now_ms)
check "a client joins through the proxy" lab_join a
figure "tailscale up" "$(($(now_ms) - began))" 2000 ms
check "an old one too" lab_join b
check "they are online" wait_for 10 eval 'node_is a .online true && node_is b .online true'
check "they see each other" wait_for 10 eval 'knows a b && knows b a'
check "the relay is told at 443, under the proxy's certificate" eval \
  'ts a debug derp-map | jq -e ".Regions[\"900\"].Nodes[0] | .DERPPort == 443 and (.CertName // \"\") == \"\" and .HostName == \"$CTL\""'
check "packets pass through the relay" wait_for 20 relayed a b
check "and back" wait_for 10 via_relay b a
check "relay status shows both, by the addresses that the proxy names" eval \
  'wait_for 5 status ".connections | map(.name) | sort == [\"a\", \"b\"]" && [ "$(hw relay status -o json | jq -r "[.connections[].source] | map(sub(\":[0-9]+$\"; \"\")) | sort | join(\" \")")" = "$(outside a) $(outside b)" ]'
check "events came through while the stream stays open" wait_for 5 grep -q '^data:' "$WORK/events"
hw users create carol >/dev/null
check "and come at once" wait_for 5 grep -q carol "$WORK/events"
check "calls of the API pass on kept connections" eval 'for _ in 1 2 3 4 5; do through_proxy "$LOGIN/api/v1/user" | jq -e ".users | length == 2" || exit 1; done'
check_not "an address that a client makes up is not believed" eval \
  'on a curl -s --cacert "$PROXY/ca.pem" -H "X-Forwarded-For: 192.0.2.77" -H "Authorization: Bearer hskey-api-made-up" "$LOGIN/api/v1/user" >/dev/null; wait_for 2 grep -F "192.0.2.77 came with" "$LAB/daemon.log"'
check "the proxy's own word counts" wait_for 5 grep -F "$(outside a) came with an API key" "$LAB/daemon.log"
end_process "$FOLLOWER" TERM

nginx_stop
check "nginx starts again" nginx_start
check "the clients come back by themselves" wait_for 60 eval 'node_is a .online true && node_is b .online true'
check "and talk" wait_for 30 relayed a b
check "nothing was closed for abuse" not grep -F 'closed for abuse' "$LAB/daemon.log"
nginx_stop
