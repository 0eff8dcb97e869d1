#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What `make run` does: starts the daemon (unless it runs), makes the user "me" and a fresh key, prints the line that
# joins a machine, and opens the console. Without a terminal it stays in the foreground. The daemon ends with it, unless
# the user wants it to go on.
#   server/dist/run.sh BUILD_DIRECTORY
set -euo pipefail
bin=${1:?usage: run.sh BUILD_DIRECTORY}
headway=$bin/headway
daemon=

if [ "$(id -u)" = 0 ]; then
  state=/var/lib/headway socket=/run/headway/headway.sock
else
  state=$HOME/.local/state/headway socket=$HOME/.local/state/headway/headway.sock
fi
log=$state/headwayd.log

# What root made, the user of an installed unit could not open.
give_back() {
  [ "$(id -u)" != 0 ] || ! getent passwd headway >/dev/null || chown -R -h headway:headway "$state"
}
stop() {
  [ -n "$daemon" ] || return 0
  if kill "$daemon" 2>/dev/null; then wait "$daemon" 2>/dev/null || true; fi
  give_back
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

is_up() { "$headway" health >/dev/null 2>&1; }

if is_up; then
  echo "headwayd is running already; this is its console. Nothing new was started." >&2
else
  mkdir -p "$state"
  # A session of its own: a Ctrl-C in the console is the console's.
  setsid "$bin/headwayd" >>"$log" 2>&1 </dev/null &
  daemon=$!
  for _ in $(seq 200); do
    ! is_up || break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
  done
  is_up || {
    echo "headwayd did not start. The end of $log:" >&2
    tail -n 12 "$log" >&2
    exit 1
  }
fi

# field NAME: the text of a field of the JSON on stdin; enough for flat answers of our own
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
user=$("$headway" users list --name me -o json | field id)
[ -n "$user" ] || user=$("$headway" users create me -o json | field id)
key=$("$headway" preauthkeys create --user "$user" --reusable --expiration 24h)
url=$(curl -fsS --unix-socket "$socket" http://headway/api/headway/whoami | field serverUrl)

cat <<EOF

Join a machine with the official client:

    sudo tailscale up --login-server $url --auth-key $key

The key is valid for 24 hours, for any number of machines. State and log: $state
EOF
end="this command (Ctrl-C)"
if [ -t 0 ] && [ -t 1 ]; then end="the console"; fi
[ -z "$daemon" ] || echo "The server stops with $end; 'make install' keeps it running."
echo

if [ -t 0 ] && [ -t 1 ]; then
  read -r -p "Enter opens the console: " _ || true
  status=0
  "$headway" || status=$?
  if [ -n "$daemon" ]; then
    read -r -p "Stop the server too? 'make install' keeps it running for good. [Y/n] " answer || answer=
    case $answer in
    [nN]*)
      echo "headwayd goes on as process $daemon. To stop it: kill $daemon"
      daemon=
      give_back
      ;;
    esac
  fi
  exit "$status"
elif [ -n "$daemon" ]; then
  wait "$daemon"
fi
