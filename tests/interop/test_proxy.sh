#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Behind nginx, HAProxy and Caddy as headway-proxy(7) configures them, which alone have a certificate and offer TCP port 443
# and nothing else: clients join through them and use the relay there, who asks is known by X-Forwarded-For, and streams
# pass without being held up.
# limit: 600
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
      -extfile <(echo "subjectAltName=IP:$CTL") -out "$PROXY/cert.pem" &&
    cat "$PROXY/cert.pem" "$PROXY/key.pem" >"$PROXY/both.pem"
}

# page PROXY: its configuration in the manual, for this machine
page() {
  sed -n "/^\.\\\\\" $1: begin/,/^\.\\\\\" $1: end/p" "$ROOT/man/headway-proxy.7" | grep -v '^\.' |
    sed -e "s/hw\.example\.com\.key/KEY/; s/hw\.example\.com\.pem/PEM/; s/hw\.example\.com/$CTL/" \
      -e "s|/etc/ssl/private/KEY|$PROXY/key.pem|; s|/etc/ssl/PEM|$PROXY/cert.pem|; s|/etc/haproxy/PEM|$PROXY/both.pem|"
}

# nginx_config [DERP]: what stands in the location of /derp; without it, it is passed on like everything else
nginx_config() {
  local derp=
  [ -z "${1:-}" ] || derp="s|^    proxy_pass|    location /derp { $1 }\\n&|"
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
  $(page nginx | sed "$derp")
}
EOF
}
haproxy_config() { page haproxy >"$PROXY/haproxy.cfg"; }
# Who asks for an address names no host, and the certificate is the test's.
caddy_config() {
  {
    printf '{\n  admin off\n  auto_https disable_redirects\n  default_sni %s\n  storage file_system %s\n}\n' "$CTL" "$PROXY/caddy"
    page caddy | sed "s|^$CTL {|&\n  tls $PROXY/cert.pem $PROXY/key.pem|"
  } >"$PROXY/Caddyfile"
}
# What headscale's manual has for nginx instead of a Connection of "upgrade".
headscale_config() {
  nginx_config
  sed -i 's/default upgrade;/default keep-alive;/; s/""      "";/""      close;/' "$PROXY/nginx.conf"
}

proxy_run() { # COMMAND...
  ip netns exec "$(lab_ns ctl)" "$@" >>"$PROXY/log" 2>&1 </dev/null &
  RUNNING=$!
  disown
  wait_for 20 on ctl curl -fsS -o "$PROXY/health" --cacert "$PROXY/ca.pem" "$LOGIN/health" || { tail -n 5 "$PROXY/log"; return 1; }
}
proxy_stop() { end_process "$RUNNING" TERM; }
nginx_start() { proxy_run nginx -e "$PROXY/error.log" -p "$PROXY" -c "$PROXY/nginx.conf"; }
haproxy_start() { proxy_run haproxy -db -f "$PROXY/haproxy.cfg"; }
caddy_start() {
  proxy_run env XDG_DATA_HOME="$PROXY" XDG_CONFIG_HOME="$PROXY" caddy run --adapter caddyfile --config "$PROXY/Caddyfile"
}
headscale_start() { nginx_start; }

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
proxy_stop
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

proxy_stop

websocket() { # PATH PROTOCOL
  [ "$(on a curl -s --http1.1 --max-time 3 --cacert "$PROXY/ca.pem" -o /dev/null -w '%{http_code}' -H 'Connection: Upgrade' \
    -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
    -H "Sec-WebSocket-Protocol: $2" "$LOGIN$1")" = 101 ]
}
refusals() { grep -c "$(outside a) came with an API key" "$LAB/daemon.log"; }
more_refusals() { [ "$(refusals)" -gt "$1" ]; }
# Addresses that the client says itself. Once for each proxy: failures are counted, and logged a few times a minute only.
made_up() {
  local before
  before=$(refusals)
  on a curl -s --cacert "$PROXY/ca.pem" -H "X-Forwarded-For: 192.0.2.78" -H "X-Real-IP: 192.0.2.78" -H "True-Client-IP: 192.0.2.78" \
    -H "Authorization: Bearer hskey-api-made-up" "$LOGIN/api/v1/user" >"$WORK/answer"
  wait_for 5 more_refusals "$before" && ! grep -F 192.0.2.78 "$LAB/daemon.log"
}
relay_source() {
  [ "$(hw relay status -o json | jq -r --arg n "$1" '[.connections[] | select(.name == $n) | .source | sub(":[0-9]+$"; "")] | join(" ")')" = "$(outside "$1")" ]
}
streams() { # an event passes while the stream stays open
  follow
  wait_for 5 test -s "$WORK/events" && hw users create "of-$1" >"$WORK/user" && wait_for 5 grep -q "of-$1" "$WORK/events"
}
leaves() { ts "$1" logout && hw nodes delete --identifier "$(node_id "$1")" --force; }

lab_host c "$CLIENT_NEW"
lab_block c a b
for proxy in nginx haproxy caddy headscale; do
  program=${proxy/headscale/nginx}
  command -v "$program" >/dev/null || { skip_case "behind $proxy" "$program is not there"; continue; }
  "${proxy}_config"
  check "$proxy starts" "${proxy}_start" || continue
  check "$proxy: the clients come back by themselves" wait_for 90 eval 'node_is a .online true && node_is b .online true'
  check "$proxy: a client joins" lab_join c
  began=$(now_ms)
  check "$proxy: the others are told at once" wait_for 10 knows a c
  figure "$proxy: a new machine is known to another" "$(($(now_ms) - began))" 1000 ms
  check "$proxy: the relay carries their packets" wait_for 40 relayed a b
  check "$proxy: the relay knows their addresses" wait_for 10 relay_source a
  check "$proxy: what a client says of its address is not believed" made_up
  check "$proxy: a WebSocket reaches the relay" websocket /derp derp
  if [ "$proxy" != headscale ]; then
    check "$proxy: events come through" streams "$proxy"
    end_process "$FOLLOWER" TERM
  fi
  check "$proxy: the machine leaves" leaves c
  proxy_stop
done
check "nothing was closed for abuse" not grep -F 'closed for abuse' "$LAB/daemon.log"
