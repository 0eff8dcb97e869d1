#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# "Coming from headscale", as README tells it, with packages: headway is installed beside headscale, offers the import, takes
# the tailnet over, and headway-headscale takes the place of headscale's command and unit. headscale's files stay.
# limit: 360
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=debian_tree.sh
. "$(dirname "$0")/debian_tree.sh"
need_commands dpkg-deb dpkg-shlibdeps unshare python3
need_programs
cd "$ROOT" || exit 1
need_tree "headscale's tree"
mapfile -t debs < <(server/dist/debian/build.sh 0.3.0 "build/${VARIANT_RUN:-release}")
check "two packages are made" test "${#debs[@]}" = 2 -a -s "${debs[0]}" -a -s "${debs[1]}"
cp "${debs[0]}" "$WORK/headway-headscale.deb"
cp "${debs[1]}" "$WORK/headway.deb"

# A package of headscale's name, with the state that headscale 0.28 leaves.
old=$WORK/headscale
mkdir -p "$old/DEBIAN" "$old/usr/bin" "$old/etc/headscale" "$old/usr/lib/systemd/system" "$WORK/state"
printf 'Package: headscale\nVersion: 0.28.0\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: a stand-in\n' >"$old/DEBIAN/control"
echo /etc/headscale/config.yaml >"$old/DEBIAN/conffiles"
printf '#!/bin/sh\necho the real one\n' >"$old/usr/bin/headscale"
chmod 0755 "$old/usr/bin/headscale"
printf '[Service]\nExecStart=/usr/bin/headscale serve\n' >"$old/usr/lib/systemd/system/headscale.service"
port=$(PYTHONPATH=tests/shared python3 -c 'import daemon; print(daemon.free_port())')
cat >"$old/etc/headscale/config.yaml" <<CONFIG
server_url: http://127.0.0.1:$port
listen_addr: 127.0.0.1:$port
unix_socket: /var/run/headscale/headscale.sock
noise:
  private_key_path: /var/lib/headscale/noise_private.key
prefixes:
  v4: 100.64.0.0/10
database:
  type: sqlite
  sqlite:
    path: /var/lib/headscale/db.sqlite
dns:
  base_domain: tail.example.com
  override_local_dns: false
CONFIG
dpkg-deb --root-owner-group --build "$old" "$WORK/headscale.deb" >/dev/null
printf 'privkey:%064d' 7 >"$WORK/state/noise_private.key"
python3 - "$WORK/state/db.sqlite" <<'PYTHON'
import os
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
db.executescript("""
PRAGMA journal_mode = WAL;
CREATE TABLE migrations(id text PRIMARY KEY);
INSERT INTO migrations VALUES('202511011637-preauthkey-bcrypt');
CREATE TABLE users(id integer PRIMARY KEY AUTOINCREMENT, name text, display_name text, email text, provider_identifier text,
  provider text, profile_pic_url text, created_at datetime, updated_at datetime, deleted_at datetime);
INSERT INTO users(id, name, created_at) VALUES(1, 'alice', '2026-07-01 10:00:00+00:00');
CREATE TABLE pre_auth_keys(id integer PRIMARY KEY AUTOINCREMENT, key text, prefix text, hash blob, user_id integer,
  reusable numeric, ephemeral numeric, used numeric, tags text, expiration datetime, created_at datetime);
CREATE TABLE api_keys(id integer PRIMARY KEY AUTOINCREMENT, prefix text, hash blob, expiration datetime, created_at datetime);
CREATE TABLE nodes(id integer PRIMARY KEY AUTOINCREMENT, machine_key text, node_key text, disco_key text, endpoints text,
  host_info text, ipv4 text, ipv6 text, hostname text, given_name varchar(63), user_id integer, register_method text, tags text,
  auth_key_id integer, last_seen datetime, expiry datetime, approved_routes text, created_at datetime, updated_at datetime,
  deleted_at datetime);
CREATE TABLE policies(id integer PRIMARY KEY AUTOINCREMENT, data text, created_at datetime, updated_at datetime, deleted_at datetime);
""")
db.execute("INSERT INTO nodes(id, machine_key, node_key, disco_key, ipv4, hostname, given_name, user_id, register_method) "
           "VALUES(1, ?, ?, ?, '100.64.0.1', 'laptop', 'laptop', 1, 'cli')",
           ("mkey:" + "1" * 64, "nodekey:" + "2" * 64, "discokey:" + "3" * 64))
db.commit()
os._exit(0)  # as after a crash: all of it is in the log beside the file
PYTHON
check "headscale's database has a log that is not written back" test -s "$WORK/state/db.sqlite-wal"

cat >"$WORK/steps" <<'STEPS'
there 'dpkg -i /tmp/headscale.deb; mv /tmp/state /var/lib/headscale; cd /var/lib/headscale; find . -type f | sort | xargs md5sum >/tmp/sums; find . | sort >/tmp/names'
install_deb headway.deb
reached "headway is installed beside headscale"
there 'test "$(headscale)" = "the real one"; ! test -L /usr/lib/systemd/system/headscale.service'
reached "headscale is not overwritten"
there 'headwayd import --config /etc/headscale/config.yaml --dry-run; ! test -e /var/lib/headway/db.sqlite'
there 'headwayd import --config /etc/headscale/config.yaml'
there 'test "$(stat -c %U /var/lib/headway/db.sqlite /var/lib/headway/noise_private.key | uniq)" = headway'
there 'test "$(stat -c "%U %G" /etc/headway/config.yaml)" = "root headway"; headwayd import | grep -q already'
reached "one command takes the tailnet over"
there 'if command -v apt-get >/dev/null; then apt-get -qq install -y --no-install-recommends /tmp/headway-headscale.deb; else dpkg -r headscale; dpkg -i /tmp/headway-headscale.deb; fi'
there '! dpkg -s headscale | grep -q "Status: install ok installed"; test "$(readlink /usr/bin/headscale)" = headway; test "$(readlink /usr/lib/systemd/system/headscale.service)" = headwayd.service'
reached "headway-headscale takes headscale's place"
there 'cd /var/lib/headscale; md5sum -c /tmp/sums >/dev/null; test -e /etc/headscale/config.yaml'
reached "headscale's files are as they were"
there 'headscale configtest -c /etc/headscale/config.yaml 2>&1 | grep "/etc/headway/config.yaml is used instead"'
there 'mkdir -m 0770 /run/headway; chown headway:headway /run/headway
  start=$(sed -n "s/^ExecStart=//p" /usr/lib/systemd/system/headwayd.service.d/headscale.conf | tail -n 1)
  chroot --userspec=headway:headway / env RUNTIME_DIRECTORY=/run/headway STATE_DIRECTORY=/var/lib/headway $start >/tmp/log 2>&1 & pid=$!
  n=0; until headscale health >/dev/null 2>&1; do n=$((n + 1)); test $n -lt 200 || { cat /tmp/log; exit 1; }; sleep 0.1; done
  test "$(cat /proc/$pid/comm)" = headscale; tr "\0" " " </proc/$pid/cmdline | grep -q "^[^ ]*headscale serve "
  headscale nodes list | grep -q "laptop.*100.64.0.1"
  headscale -c /etc/headscale/config.yaml nodes list -o json | grep -q "\"given_name\": \"laptop\""
  HEADWAY_OUTPUT=0.30 headscale nodes list -o json | grep -q "\"givenName\": \"laptop\""
  headscale version | grep -q "^headscale version v0"
  kill $pid; wait $pid'
reached "headscale serve is headway, with the tailnet of headscale"
there 'dpkg -r headway-headscale; ! test -e /usr/bin/headscale; headway version; dpkg -i /tmp/headscale.deb; test "$(headscale)" = "the real one"'
there 'cd /var/lib/headscale; md5sum -c /tmp/sums >/dev/null; find . | sort | cmp - /tmp/names'
reached "the way back"
STEPS
debian_steps "headscale's tree" "$WORK/steps" "$WORK/headway.deb" "$WORK/headway-headscale.deb" "$WORK/headscale.deb" "$WORK/state"
debian_reached "headscale's tree" "headway is installed beside headscale" "headscale is not overwritten" \
  "one command takes the tailnet over" "headway-headscale takes headscale's place" "headscale's files are as they were" \
  "headscale serve is headway, with the tailnet of headscale" "the way back"
check "the package offers the import" grep -q "headwayd import --config /etc/headscale/config.yaml --dry-run" "$WORK/said"
