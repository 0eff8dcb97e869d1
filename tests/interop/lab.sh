# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: BSD-3-Clause
# A tailnet on one machine. Every host is a network namespace on one switch and runs the official, unmodified tailscaled;
# the daemon under test runs in the namespace "ctl". Several labs live side by side: names carry the number of the process,
# addresses repeat. Sourced after ../shared/lib.sh.
#
#   lab_up                        the switch and the daemon; skips the test where a lab cannot be made
#   lab_net                       the switch and an empty ctl
#   lab_host NAME [VERSION]       a host with a client, ready for `ts NAME up`
#   lab_nat NAME KIND             a router to the switch that masquerades: easy (keeps ports) or hard (another one for each
#                                 destination); lab_host NAME VERSION NAT puts a host behind it
#   lab_lan NAME HOST...          a LAN behind these hosts (they forward into it), with a server; sets LAN_NET and LAN_SERVER
#   on NAME COMMAND...            a command on that host (or "ctl", "internet", or a LAN's name)
#   ts NAME ARGUMENTS...          its tailscale command
#   hw ARGUMENTS...               the administrator's command, on ctl
#   lab_join NAME ARGUMENTS...    tailscale up with $KEY and the arguments
#   lab_office                    client a, and routers r1 and r2 of one LAN, approved: r1 serves, and packets pass
#   lab_cut NAME, lab_mend NAME   its cable is pulled: packets vanish, nothing is closed; and put back
#   lab_block NAME FROM..., lab_unblock NAME      what comes from these hosts vanishes at NAME: the relay is left
#   lab_kill9, lab_stop, lab_start NAME      its tailscaled
#   daemon_start, daemon_stop, daemon_kill9  the daemon
#   gap_begin NAME ADDRESS, gap_end          a packet each 20 ms; gap_end sets GAP_MS, REPLIES and LOST
# LAB_MANAGER=1: the daemon is run by ../shared/manager.py, which keeps its sockets from one start to the next as systemd does.
# LAB_CLIENT_ENV="TS_DEBUG_MAP=2 TS_DEBUG_DISCO=1" makes each client write what it is told into $LAB/NAME/log (see KEEP).
LAB=$WORK/lab
LAB_PREFIX=hwt$$
CTL=10.99.0.1
LOGIN=http://$CTL:8080
INTERNET=203.0.113.1
BASE_DOMAIN=tail.example.com
CLIENT_NEW=1.102.3 CLIENT_USED=1.98.9 CLIENT_OLD=1.80.3

lab_ns() { echo "$LAB_PREFIX-$1"; }

# on_words NAME: sets ON to the words that bring a command onto that host. Where its tailscaled runs it has its own /etc,
# so that names resolve there as its client says.
on_words() {
  local pid
  pid=$(cat "$LAB/$1/pid" 2>/dev/null)
  if [ -n "$pid" ] && ! gone "$pid"; then
    ON=(nsenter -t "$pid" -m -n --)
  else
    ON=(ip netns exec "$(lab_ns "$1")")
  fi
}
on() {
  on_words "$1"
  shift
  "${ON[@]}" "$@"
}

lab_down() {
  local ns pid
  for ns in $(ip netns list 2>/dev/null | awk '{ print $1 }'); do
    [[ $ns == "$LAB_PREFIX"-* ]] || continue
    # Whatever lives in a namespace of this lab was started by it.
    for pid in $(ip netns pids "$ns" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done
    ip netns del "$ns"
  done
}

# lab_namespace NAME ADDRESS: on the switch as eth0
lab_namespace() {
  local ns switch
  ns=$(lab_ns "$1") switch=$(lab_ns internet)
  ip netns add "$ns" &&
    ip link add "to-$1" netns "$switch" type veth peer name eth0 netns "$ns" &&
    ip -n "$switch" link set "to-$1" master br0 up &&
    ip -n "$ns" link set lo up &&
    ip -n "$ns" addr add "$2/24" dev eth0 &&
    ip -n "$ns" link set eth0 up &&
    ip -n "$ns" route add default via 10.99.0.254
}

lab_up() {
  lab_net
  daemon_config
  daemon_start
}

lab_net() {
  local client switch
  [ "$(id -u)" = 0 ] || skip_all "network namespaces need root"
  [ -c /dev/net/tun ] || skip_all "/dev/net/tun is not there"
  need_commands ip nft ping nsenter jq curl
  need_programs
  client=$("$ROOT/tests/interop/clients.sh" "$CLIENT_NEW") || skip_all "$client"
  mkdir -p "$LAB"
  at_exit lab_down
  switch=$(lab_ns internet)
  ip netns add "$switch" 2>/dev/null || skip_all "this machine makes no network namespaces"
  # An address of its own: else the bridge takes that of a port, and changes it when another is added.
  ip -n "$switch" link add br0 address 02:00:00:00:00:fe type bridge
  ip -n "$switch" link set br0 up
  ip -n "$switch" link set lo up
  ip -n "$switch" addr add 10.99.0.254/24 dev br0
  ip -n "$switch" addr add "$INTERNET/32" dev lo
  lab_namespace ctl "$CTL"
  mkdir -p "$LAB/ctl"
  echo "$CTL" >"$LAB/ctl/address"
  lab_next=10 lan_next=0
}

daemon_config() {
  mkdir -p "$LAB/daemon"
  cat >"$LAB/config.yaml" <<EOF
server_url: $LOGIN
listen_addr: ${LAB_LISTEN:-$CTL}:8080
metrics_listen_addr: 127.0.0.1:9090
unix_socket: $LAB/daemon/headway.sock
unix_socket_permission: "0770"
noise:
  private_key_path: $LAB/daemon/noise_private.key
database:
  type: sqlite
  sqlite:
    path: $LAB/daemon/db.sqlite
prefixes:
  v4: 100.64.0.0/10
  v6: fd7a:115c:a1e0::/48
  allocation: sequential
derp:
  server:
    enabled: true
    region_id: 900
    region_code: lab
    region_name: Lab
    stun_listen_addr: 0.0.0.0:3478
    private_key_path: $LAB/daemon/derp_private.key
  urls: []
dns:
  magic_dns: true
  base_domain: $BASE_DOMAIN
  override_local_dns: false
${LAB_DNS:-}
policy:
  mode: database
log:
  level: ${LAB_LOG_LEVEL:-debug}
${LAB_CONFIG:-}
EOF
}

# daemon_running: it answers, and is the one that was started last
daemon_running() {
  not gone "$DAEMON" || { tail -n 5 "$LAB/daemon.log"; return 1; }
  on ctl curl -fsS -o "$LAB/health" "http://$CTL:8080/health"
}

daemon_start() {
  if [ -n "${LAB_MANAGER:-}" ]; then
    if [ ! -p "$LAB/manager" ]; then
      mkfifo "$LAB/manager"
      ip netns exec "$(lab_ns ctl)" "$ROOT/tests/shared/manager.py" "$LAB/manager" "$LAB/daemon.pid" \
        "$HEADWAYD" -c "$LAB/config.yaml" >>"$LAB/daemon.log" 2>&1 </dev/null &
      disown
    fi
    rm -f "$LAB/daemon.pid"
    echo start >"$LAB/manager"
    wait_for 20 test -s "$LAB/daemon.pid"
    DAEMON=$(cat "$LAB/daemon.pid")
  else
    ip netns exec "$(lab_ns ctl)" "$HEADWAYD" -c "$LAB/config.yaml" >>"$LAB/daemon.log" 2>&1 </dev/null &
    DAEMON=$!
    disown
  fi
  wait_for 20 daemon_running || {
    echo "the daemon does not answer:"
    tail -n 20 "$LAB/daemon.log"
    exit 1
  }
}
daemon_stop() { end_process "$DAEMON" TERM; }
daemon_kill9() { end_process "$DAEMON" KILL; }

hw() { ip netns exec "$(lab_ns ctl)" "$HEADWAY" -c "$LAB/config.yaml" "$@"; }

# lab_address NAME: the next one of the switch, also in the host's file "address"
lab_address() {
  mkdir -p "$LAB/$1"
  echo "10.99.0.$lab_next" >"$LAB/$1/address"
  lab_next=$((lab_next + 1))
}

# What a packet that nobody asked for meets at home: it is dropped, the rest is masqueraded.
lab_nat() {
  local name=$1 how=masquerade
  [ "$2" = easy ] || how='masquerade fully-random'
  lab_address "$name"
  lab_namespace "$name" "$(cat "$LAB/$name/address")"
  on "$name" sysctl -qw net.ipv4.ip_forward=1
  on "$name" nft "table ip nat {
    chain out { type nat hook postrouting priority 100; oifname \"eth0\" $how; }
    chain in { type filter hook input priority 0; iifname \"eth0\" ct state new drop; }
    chain through { type filter hook forward priority 0; iifname \"eth0\" ct state new drop; }
  }"
}

# lab_behind NAME NAT: a namespace on the far side of that router. What others see is the router's address.
lab_behind() {
  local ns nat net=10.98.$lab_next
  ns=$(lab_ns "$1") nat=$(lab_ns "$2")
  cp "$LAB/$2/address" "$LAB/$1/address"
  lab_next=$((lab_next + 1))
  ip netns add "$ns" &&
    ip link add "to-$1" netns "$nat" type veth peer name eth0 netns "$ns" &&
    ip -n "$nat" addr add "$net.1/24" dev "to-$1" &&
    ip -n "$nat" link set "to-$1" up &&
    ip -n "$ns" link set lo up &&
    ip -n "$ns" addr add "$net.2/24" dev eth0 &&
    ip -n "$ns" link set eth0 up &&
    ip -n "$ns" route add default via "$net.1"
}

lab_host() {
  local name=$1 version=${2:-$CLIENT_NEW} nat=${3:-} bin
  bin=$("$ROOT/tests/interop/clients.sh" "$version") || skip_all "$bin"
  mkdir -p "$LAB/$name/lib"
  if [ -n "$nat" ]; then
    lab_behind "$name" "$nat"
  else
    lab_address "$name"
    lab_namespace "$name" "$(cat "$LAB/$name/address")"
  fi
  echo "$bin" >"$LAB/$name/bin"
  # tailscaled rewrites resolv.conf and puts files beside it; the machine's own must stay as they are.
  cp -a /etc "$LAB/$name/etc"
  rm -f "$LAB/$name/etc/resolv.conf"
  echo "nameserver 203.0.113.53" >"$LAB/$name/etc/resolv.conf"
  on "$name" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  lab_start "$name"
}

lab_start() {
  local name=$1 d=$LAB/$1 bin
  bin=$(cat "$d/bin")
  # shellcheck disable=SC2016,SC2086
  ip netns exec "$(lab_ns "$name")" sh -c 'mount --bind "$0/etc" /etc && mount --bind "$0/lib" /var/lib && exec "$@"' "$d" \
    env -u HTTP_PROXY -u HTTPS_PROXY -u http_proxy -u https_proxy TS_NO_LOGS_NO_SUPPORT=true ${LAB_CLIENT_ENV:-} \
    "$bin/tailscaled" --statedir="$d/state" --socket="$d/sock" --tun=tailscale0 --port=41641 --no-logs-no-support \
    >>"$d/log" 2>&1 </dev/null &
  echo $! >"$d/pid"
  disown
  wait_for 20 test -S "$d/sock" || { tail -n 5 "$d/log"; return 1; }
}
lab_stop() { lab_end "$1" TERM; }
lab_kill9() { lab_end "$1" KILL; }
lab_end() {
  end_process "$(cat "$LAB/$1/pid")" "$2"
  rm -f "$LAB/$1/pid" "$LAB/$1/sock"
}

ts() {
  local name=$1
  shift
  on "$name" "$(cat "$LAB/$name/bin")/tailscale" --socket="$LAB/$name/sock" "$@"
}

lab_join() {
  local name=$1
  shift
  ts "$name" up --login-server "$LOGIN" --auth-key "$KEY" --hostname "$name" --timeout 60s "$@"
}

lab_lan() {
  local name=$1 ns host i=1
  shift
  ns=$(lab_ns "$name") LAN_NET=10.$((100 + lan_next)).0
  lan_next=$((lan_next + 1))
  ip netns add "$ns"
  ip -n "$ns" link set lo up
  ip -n "$ns" link add br0 address 02:00:00:00:00:fd type bridge
  ip -n "$ns" addr add "$LAN_NET.10/24" dev br0
  ip -n "$ns" link set br0 up
  for host in "$@"; do
    ip link add "to-$host" netns "$ns" type veth peer name "lan-$name" netns "$(lab_ns "$host")"
    ip -n "$ns" link set "to-$host" master br0 up
    ip -n "$(lab_ns "$host")" addr add "$LAN_NET.$i/24" dev "lan-$name"
    ip -n "$(lab_ns "$host")" link set "lan-$name" up
    i=$((i + 1))
  done
  ip -n "$ns" route add default via "$LAN_NET.1"
  LAN_SERVER=$LAN_NET.10 LAN_NET=$LAN_NET.0/24
}

lab_office() {
  local router
  lab_host a
  lab_host r1
  lab_host r2
  lab_lan office r1 r2
  user_and_key alice
  lab_join a --accept-routes
  for router in r1 r2; do
    lab_join "$router" --advertise-routes="$LAN_NET"
    check "$router is approved" approve "$router" "$LAN_NET"
  done
  check "the first to be approved serves" wait_for 5 serves r1
  check "packets pass" wait_for 20 reaches a "$LAN_SERVER"
}

lab_cut() {
  on "$1" nft 'table inet cut {
    chain incoming { type filter hook input priority -300; iifname "eth0" drop; }
    chain outgoing { type filter hook output priority -300; oifname "eth0" drop; }
    chain through { type filter hook forward priority -300; drop; }
  }'
}
lab_mend() { on "$1" nft delete table inet cut; }

lab_block() {
  local host=$1 from rules=
  shift
  for from in "$@"; do rules+="ip saddr $(cat "$LAB/$from/address") drop; "; done
  # A host behind a router of its own has its outer address there.
  on "$host" nft "table ip block { chain incoming { type filter hook prerouting priority -300; $rules }
  }"
}
lab_unblock() { on "$1" nft delete table ip block; }

gap_begin() {
  # No function in the background: its number would be a shell's, and ping would outlive it.
  on_words "$1"
  "${ON[@]}" stdbuf -oL ping -n -D -i 0.02 "$2" >"$LAB/gap" 2>&1 &
  GAP_PING=$!
  disown
  wait_for 20 grep -q 'bytes from' "$LAB/gap"
}
gap_replies() { grep -c 'bytes from' "$LAB/gap"; }
# gap_more N: N more answers than now
gap_more() {
  local goal=$(($(gap_replies) + $1))
  wait_for "${2:-60}" gap_reached "$goal"
}
gap_reached() { [ "$(gap_replies)" -ge "$1" ]; }
gap_end() {
  end_process "$GAP_PING"
  read -r REPLIES GAP_MS LOST < <(awk '
    /bytes from/ {
      t = substr($1, 2) + 0; match($0, /icmp_seq=[0-9]+/); seq = substr($0, RSTART + 9, RLENGTH - 9) + 0
      if (n++ && t - last > gap) gap = t - last
      if (seq > top) top = seq
      if (n == 1) first = seq
      last = t
    }
    END { printf "%d %d %d\n", n, gap * 1000, n ? top - first + 1 - n : 0 }' "$LAB/gap")
}

# --- what the tests ask again and again -----------------------------------------------------------------------------

# user_and_key NAME [FLAGS...]: a user, and a reusable key of it in $KEY
user_and_key() {
  local name=$1
  shift
  hw users create "$name" >/dev/null || return 1
  new_key "$name" --reusable "$@"
}
new_key() { # USER FLAGS...: sets KEY
  local user=$1
  shift
  KEY=$(hw preauthkeys create --user "$(user_id "$user")" "$@" -o json | jq -er .key)
}
user_id() { hw users list -o json | jq -er --arg n "$1" '.[] | select(.name == $n) | .id'; }
nodes() { hw nodes list -o json; }
# node NAME FILTER: a field of a node by its given name
node() { nodes | jq -er --arg n "$1" ".[] | select(.givenName == \$n) | $2"; }
node_id() { node "$1" .id; }
node_is() { [ "$(node "$1" "$2")" = "$3" ]; }
address() { node "$1" '.ipAddresses[] | select(contains("."))'; }

# peer NAME OTHER FILTER: what NAME's client knows of OTHER
peer() { ts "$1" status --json | jq -er --arg n "$2" ".Peer // {} | [.[] | select(.HostName == \$n)] | .[0] | $3"; }
# has_route NAME OTHER PREFIX: NAME's client sends that prefix to OTHER
has_route() { peer "$1" "$2" ".AllowedIPs | index(\"$3\") != null" >/dev/null; }
has_no_route() { peer "$1" "$2" ".AllowedIPs | index(\"$3\") == null" >/dev/null; }
knows() { peer "$1" "$2" .HostName >/dev/null; }
address_of() { ts "$1" ip -4; }
via_relay() { ts "$1" ping --until-direct=false -c 1 --timeout 3s "$(address_of "$2")" | grep -F 'via DERP(lab)'; }
via_direct() { ts "$1" ping -c 1 --timeout 3s "$(address_of "$2")" | grep -F "via $(cat "$LAB/$2/address"):"; }
# on_relay, on_path FROM TO: a packet passes, and status says by which path
on_relay() { reaches "$1" "$(address_of "$2")" && peer "$1" "$2" 'select(.CurAddr == "") | .Relay' | grep -x lab; }
on_path() { reaches "$1" "$(address_of "$2")" && peer "$1" "$2" .CurAddr | grep "^$(cat "$LAB/$2/address"):"; }
# first_ping FROM TO LIMIT_MS: how long until the first packet ever is answered
first_ping() {
  local to began
  to=$(address_of "$2") began=$(now_ms)
  check "the first packet from $1 to $2 is answered" on "$1" ping -n -q -c 1 -W 15 "$to"
  figure "first answer from $2 to $1" "$(($(now_ms) - began))" "$3" ms
}
reaches() { on "$1" ping -n -q -c 1 -W 1 "$2"; }
backend_is() { [ "$(ts "$1" status --json | jq -r .BackendState)" = "$2" ]; }
# serves NAME: the network of the last LAN is served by that router
serves() { node "$1" ".subnetRoutes | index(\"$LAN_NET\") != null" >/dev/null; }
approve() { hw nodes approve-routes --identifier "$(node_id "$1")" --routes "$2"; }

# lab_echo [NAME ADDRESS]: whoever asks "the internet" (or a LAN's server) is told the address that it arrived from
lab_echo() {
  local name=${1:-internet} address=${2:-$INTERNET}
  ip netns exec "$(lab_ns "$name")" python3 -c '
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("'"$address"'", 80), Echo).serve_forever()' >"$LAB/$name-echo.log" 2>&1 </dev/null &
  disown
  wait_for 10 on "$name" curl -fsS "http://$address/" >/dev/null
}
# outer_address NAME [ADDRESS]: as whom NAME arrives there
outer_address() { on "$1" curl -fsS --max-time 2 "http://${2:-$INTERNET}/"; }
# leaves_by NAME HOST [ADDRESS]: NAME's packets leave from that host
leaves_by() { [ "$(outer_address "$1" "${3:-}")" = "$(cat "$LAB/$2/address")" ]; }

# policy: the standard input becomes the policy
policy() { cat >"$LAB/policy.hujson" && hw policy set -f "$LAB/policy.hujson"; }
