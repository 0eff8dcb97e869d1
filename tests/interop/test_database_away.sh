#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# PostgreSQL hangs and is killed under a tailnet: routers fail over, clients that are known come back, changes are refused
# with an error; when the database is there again the journal has what happened meanwhile.
# alone: it counts the packets that a failover loses
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

BIN=$(find /usr/lib/postgresql -name initdb 2>/dev/null | sort | tail -n 1)
[ -n "$BIN" ] || skip_all "no PostgreSQL server is installed"
BIN=${BIN%/initdb}
PG=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
as_nobody() { (cd "$PG" && exec setpriv --pdeathsig SIGQUIT --reuid=nobody --regid=nogroup --clear-groups "$@"); }

database_start() {
  (cd "$PG" && exec setpriv --pdeathsig SIGQUIT --reuid=nobody --regid=nogroup --clear-groups \
    "$BIN/postgres" -D "$PG/data" -k "$PG" -h '' >>"$PG/log" 2>&1 </dev/null) &
  DATABASE=$!
  disown
  wait_for 20 "$BIN/pg_isready" -q -h "$PG"
}
# database_signal SIGNAL: to all its processes
database_signal() {
  local pids
  pids=$(pgrep -P "$DATABASE")
  # shellcheck disable=SC2086
  kill "-$1" "$DATABASE" $pids
}
database_end() {
  kill -CONT "$DATABASE" 2>/dev/null
  end_process "$DATABASE" QUIT
  rm -rf "$PG"
}

health() { on ctl curl -fsS "http://$CTL:8080/health" | jq -r .status; }
health_is() { [ "$(health)" = "$1" ]; }
create() { hw users create "$1" 2>&1; }

lab_net
chown nobody "$PG"
at_exit database_end
as_nobody "$BIN/initdb" -D "$PG/data" -U headway -A trust --no-sync >"$PG.log" 2>&1 || skip_all "initdb does not run"
rm -f "$PG.log"
database_start
daemon_config
sed -i "/^database:/,/path:/c\\database:\n  type: postgres\n  postgres: {host: $PG, port: 5432, name: postgres, user: headway}" "$LAB/config.yaml"
daemon_start
lab_office
wait_for 20 reaches a "$(address r2)" >/dev/null

gap_begin a "$LAN_SERVER" >/dev/null
gap_more 50 >/dev/null
database_signal STOP
lab_kill9 r1
check "the database hangs: the other router takes over" wait_for 20 serves r2
check "and packets pass" gap_more 50 30
gap_end
figure "failover without a database: longest gap" "$GAP_MS" 1000 ms

refused=$(create bob)
check "a change is refused" test $? != 0
check "with the reason" grep -q PostgreSQL <<<"$refused"
check "/health warns, and does not fail" wait_for 5 health_is warn

lab_kill9 a
check "a client that ends is offline" wait_for 20 node_is a .online false
lab_start a
check "it starts anew and is back" wait_for 30 node_is a .online true
check "and its packets pass" wait_for 30 reaches a "$LAN_SERVER"
lab_start r1
check "so is the router that was killed" wait_for 30 node_is r1 .online true
database_signal KILL
end_process "$DATABASE" KILL
check "the database is killed: the tailnet goes on" reaches a "$LAN_SERVER"
rm -f "$PG/data/postmaster.pid"
database_start
check "when it is back, changes are taken" wait_for 20 create carol
check "the journal has the failover" wait_for 20 eval "hw events -o json | grep -c 'moved from r1 to r2'"
check "and /health is well" wait_for 20 health_is pass
daemon_kill9
daemon_start
check "after the daemon was killed too: the other router serves on" wait_for 20 serves r2
check "and packets pass" wait_for 30 reaches a "$LAN_SERVER"
check "what was refused is not there" eval "! hw users list -o json | grep -c '\"bob\"'"
