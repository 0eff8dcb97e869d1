# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# A daemon of the test's own on free ports of loopback, with its own relay, in $WORK. Sourced after lib.sh.
#   daemon_configure POLICY   writes $WORK/config.yaml; POLICY is its section policy, indented
#   daemon_up                 starts it and waits until it answers; it ends with the test
#   daemon_down
#   hw WORDS...               headway, with that configuration
# shellcheck disable=SC2034
need_commands python3 curl
need_programs
read -r DAEMON_PORT DAEMON_STUN DAEMON_RELAY < <(PYTHONPATH=$ROOT/tests/shared python3 -c '
import daemon
print(daemon.free_port(), daemon.free_port(daemon.socket.SOCK_DGRAM), daemon.free_port())')
DAEMON_PID=

daemon_configure() {
  cat >"$WORK/config.yaml" <<END
server_url: http://127.0.0.1:$DAEMON_PORT
listen_addr: 127.0.0.1:$DAEMON_PORT
metrics_listen_addr: ""
unix_socket: $WORK/headway.sock
noise:
  private_key_path: $WORK/noise.key
database:
  type: sqlite
  sqlite:
    path: $WORK/db.sqlite
prefixes:
  v4: 100.64.0.0/10
  v6: fd7a:115c:a1e0::/48
derp:
  server:
    stun_listen_addr: 127.0.0.1:$DAEMON_STUN
    listen_addr: 127.0.0.1:$DAEMON_RELAY
    private_key_path: $WORK/derp.key
  urls: []
dns:
  base_domain: tail.example.com
  override_local_dns: false
policy:
$1
END
}

daemon_answers() { curl -fsS -o /dev/null "http://127.0.0.1:$DAEMON_PORT/health"; }
daemon_down() { [ -z "$DAEMON_PID" ] || end_process "$DAEMON_PID"; }
daemon_up() {
  [ -n "$DAEMON_PID" ] || at_exit daemon_down
  "$HEADWAYD" -c "$WORK/config.yaml" >>"$WORK/log" 2>&1 </dev/null &
  DAEMON_PID=$!
  disown
  wait_for 20 daemon_answers || { tail -n 20 "$WORK/log"; exit 1; }
}

hw() { "$HEADWAY" -c "$WORK/config.yaml" "$@"; }
