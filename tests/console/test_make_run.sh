#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What `make run` does on a terminal: it says that the server stops with the console, and asks before it stops it.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"
need_commands unshare ip curl setpriv
need_programs
[ "$(id -u)" = 0 ] || skip_all "a network of its own needs root"

# A user of its own number, with a home of its own, in a network of its own: port 8080 of this machine stays free.
home=$WORK/home
install -d -o 65534 -g 65534 "$home"
chmod 0711 "$WORK"
install -d "$WORK/bin" && install "$HEADWAYD" "$HEADWAY" "$WORK/bin"
net=hwmake$$
ip netns add "$net" || skip_all "this machine makes no network namespaces"
at_exit ip netns del "$net"
ip -n "$net" link set lo up
as_user=(ip netns exec "$net" setpriv --reuid 65534 --regid 65534 --clear-groups env -i "PATH=$PATH" "HOME=$home" LC_ALL=C.UTF-8)
is_up() { "${as_user[@]}" "$WORK/bin/headway" health >/dev/null 2>&1; }
run_on_a_terminal() { screen_start 100 30 "${as_user[@]}" TERM=tmux-256color "$ROOT/server/dist/run.sh" "$WORK/bin"; }

run_on_a_terminal
check "the end is told at the beginning" screen_wait 30 'server stops with the console'
screen_keys Enter
check "the console opens" screen_wait 10 LIVE
screen_keys q
check "it asks before the server is stopped" screen_wait 10 'Stop the server too'
check "it still runs" is_up
screen_keys n Enter
check "it says how to stop it" screen_wait 10 'kill [0-9]+'
pid=$(screen | grep -oE 'kill [0-9]+' | grep -oE '[0-9]+' | head -n 1)
at_exit end_process "$pid"
check "the script ends" wait_for 10 screen_ended
check "the server goes on" is_up

run_on_a_terminal
check "a second start finds it" screen_wait 30 'running already'
check "and promises no end of it" screen_has_not 'server stops with the console'
screen_keys Enter
check "its console opens" screen_wait 10 LIVE
screen_keys q
check "and ends without a question" wait_for 10 screen_ended
check "the server goes on still" is_up
end_process "$pid"
check "it ends when it is told to" wait_for 10 not is_up

run_on_a_terminal
check "it starts again" screen_wait 30 'Enter opens the console'
screen_keys Enter
check "with its console" screen_wait 10 LIVE
screen_keys q
check "which asks" screen_wait 10 'Stop the server too'
screen_keys Enter
check "Enter stops the server" wait_for 10 not is_up

# By root, where the unit's user is there already: it can open what is left.
echo "headway:x:1234:1234::/:" >"$WORK/passwd"
echo "headway:x:1234:" >"$WORK/group"
cat >"$WORK/as_root" <<'END'
set -e
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /run
cd /
"$2/server/dist/run.sh" "$1/bin" </dev/null &
until "$1/bin/headway" health; do
  kill -0 $!
  sleep 0.1
done
kill $!
wait $! || true
test -s /var/lib/headway/db.sqlite
test -z "$(find /var/lib/headway ! -user 1234)"
END
check "what root's daemon made is its unit's user's" ip netns exec "$net" env -u HEADWAY_CONFIG unshare -m bash "$WORK/as_root" "$WORK" "$ROOT"
