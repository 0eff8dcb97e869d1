#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What `make run` does, as a user without privileges and without a terminal: one line that joins a machine, a daemon
# that ends with it, the same state the next time.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
need_commands unshare ip curl
need_programs
[ "$(id -u)" = 0 ] || skip_all "a network of its own needs root"

# A user of its own number, with a home of its own, in a network of its own: port 8080 of this machine stays free.
home=$WORK/home
install -d -o 65534 -g 65534 "$home"
chmod 0711 "$WORK"
install -d "$WORK/bin" && install "$HEADWAYD" "$HEADWAY" "$WORK/bin"
net=hwrun$$
ip netns add "$net" || skip_all "this machine makes no network namespaces"
at_exit ip netns del "$net"
ip -n "$net" link set lo up
ip -n "$net" link add eth0 type veth peer name eth1
ip -n "$net" link set eth1 up
ip -n "$net" addr add 192.168.1.10/24 dev eth0
ip -n "$net" link set eth0 up

as_user() { ip netns exec "$net" setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH="$PATH" HOME="$home" "$@"; }
start() {
  as_user "$ROOT/server/dist/run.sh" "$WORK/bin" >"$WORK/out" 2>&1 </dev/null &
  RUN=$(wait_for 10 run_pid)
  disown
  at_exit stop
  wait_for 20 grep -q 'tailscale up' "$WORK/out" || { cat "$WORK/out" "$home/.local/state/headway/headwayd.log"; return 1; }
}
run_pid() { pgrep -f -u 65534 "$ROOT/server/dist/run.sh $WORK/bin"; }
stop() { end_process "$RUN"; }
line() { grep -o 'sudo tailscale up .*' "$WORK/out"; }

check "it starts" start || exit 0
check "one complete line" grep -qxE 'sudo tailscale up --login-server http://192\.168\.1\.10:8080 --auth-key [A-Za-z0-9_-]+' <<<"$(line)"
check "the printed address answers" as_user curl -fsS http://192.168.1.10:8080/health
check "the console's program finds the daemon" as_user "$WORK/bin/headway" users list --name me
first=$(line)
ask_key() { as_user curl -fsS "http://192.168.1.10:8080/key?v=142" | grep -o 'mkey:[0-9a-f]*'; }
server_key=$(ask_key)
check "the daemon has a key" test -n "$server_key"
check "it ends when it is told to" stop
check "and the daemon with it" wait_for 10 not as_user "$WORK/bin/headway" health
check "it starts again" start
check "with a fresh key" test "$(line)" != "$first"
check "and the state of before" test "$(ask_key)" = "$server_key"
check "one user" test "$(as_user "$WORK/bin/headway" users list -o json | grep -c '"name": "me"')" = 1
