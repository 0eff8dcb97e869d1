#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Clients of a headscale tailnet go on after the import: nobody logs in again, addresses, names, routes and tags are as they
# were, and keys work. The tailnet is made by headway and then written down as headscale 0.28 does.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"
need_commands sqlite3

lab_up
for host in a b r t e x; do lab_host "$host"; done
lab_lan lan r
user_and_key alice
lab_join a
lab_join b
lab_join r --advertise-routes="$LAN_NET"
lab_join x
hw nodes approve-routes --identifier "$(node_id r)" --routes "$LAN_NET" >/dev/null
check "a machine joins with an ephemeral key" ts e up --login-server "$LOGIN" --hostname e --timeout 60s \
  --auth-key "$(hw preauthkeys create --user alice --ephemeral)"
hw policy set --file /dev/stdin >/dev/null <<<'{"tagOwners": {"tag:srv": ["alice@"]}, "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}'
check "a machine joins with tags" ts t up --login-server "$LOGIN" --hostname t --timeout 60s \
  --auth-key "$(hw preauthkeys create --tags tag:srv)"
hw nodes rename --identifier "$(node_id a)" kay >/dev/null
hw nodes expire --identifier "$(node_id x)" >/dev/null
check "x is to log in again" wait_for 20 eval '[ "$(ts x status --json | jq -r .BackendState)" = NeedsLogin ]'
addresses() { for host in a b r t e; do ts "$host" ip; done; }
addresses >"$LAB/before"
daemon_stop

old=$LAB/headscale
mkdir "$old"
cp "$LAB/daemon/noise_private.key" "$old/noise_private.key"
cp "$LAB/daemon/derp_private.key" "$old/derp_private.key"
sed "s|$LAB/daemon|$old|" "$LAB/config.yaml" >"$old/config.yaml"
# What headway does not store of it, headscale does: bcrypt of a secret, and a key as text.
plain=0123456789abcdef0123456789abcdef0123456789abcdef
sqlite3 "$old/db.sqlite" <<SQL
ATTACH '$LAB/daemon/db.sqlite' AS hw;
CREATE TABLE migrations(id text PRIMARY KEY);
INSERT INTO migrations VALUES('202511011637-preauthkey-bcrypt');
CREATE TABLE users(id integer PRIMARY KEY AUTOINCREMENT, name text, display_name text, email text,
  provider_identifier text, provider text, profile_pic_url text, created_at datetime, updated_at datetime, deleted_at datetime);
INSERT INTO users(id, name, created_at) SELECT id, name, datetime(created_ns / 1000000000, 'unixepoch') || '+00:00' FROM hw.user;
CREATE TABLE pre_auth_keys(id integer PRIMARY KEY AUTOINCREMENT, key text, prefix text, hash blob, user_id integer,
  reusable numeric, ephemeral numeric, used numeric, tags text, expiration datetime, created_at datetime);
INSERT INTO pre_auth_keys(id, prefix, hash, user_id, reusable, ephemeral, used, tags)
  SELECT id, prefix, '\$2a\$10\$abcdefghijklmnopqrstuuKp1jJ1jJ1jJ1jJ1jJ1jJ1jJ1jJ1jJ1j', nullif(user_id, 0), reusable, ephemeral, used, tags
  FROM hw.preauth_key;
INSERT INTO pre_auth_keys(key, user_id, reusable) VALUES('$plain', 1, 1);
CREATE TABLE api_keys(id integer PRIMARY KEY AUTOINCREMENT, prefix text, hash blob, expiration datetime, created_at datetime);
CREATE TABLE nodes(id integer PRIMARY KEY AUTOINCREMENT, machine_key text, node_key text, disco_key text, endpoints text,
  host_info text, ipv4 text, ipv6 text, hostname text, given_name varchar(63), user_id integer, register_method text, tags text,
  auth_key_id integer, last_seen datetime, expiry datetime, approved_routes text, created_at datetime, updated_at datetime,
  deleted_at datetime);
INSERT INTO nodes SELECT id, 'mkey:' || lower(hex(machine_key)), 'nodekey:' || lower(hex(node_key)),
  'discokey:' || lower(hex(disco_key)), '[]', hostinfo, ipv4, ipv6, hostname, given_name, nullif(user_id, 0), 'authkey',
  nullif(tags, '[]'), nullif(preauth_key_id, 0), NULL, CASE WHEN expiry_ns > 0 THEN datetime(expiry_ns / 1000000000, 'unixepoch') || '+00:00' END,
  approved, datetime(created_ns / 1000000000, 'unixepoch') || '+00:00', NULL, NULL FROM hw.node;
CREATE TABLE policies(id integer PRIMARY KEY AUTOINCREMENT, data text, created_at datetime, updated_at datetime, deleted_at datetime);
INSERT INTO policies(id, data) SELECT id, text FROM hw.policy;
SQL
rm -r "$LAB/daemon"
sum() { md5sum "$old"/*; }
sum >"$LAB/sums"

check "the start with headscale's database names the import" eval \
  '! "$HEADWAYD" -c "$old/config.yaml" configtest 2>"$LAB/said"; grep -q "headwayd import --config $old/config.yaml" "$LAB/said"'
rm "$LAB/config.yaml"
check "a dry run finds nothing wrong" "$HEADWAYD" import --config "$old/config.yaml" --to "$LAB/config.yaml" --state "$LAB/daemon" --dry-run
check "and writes nothing" test ! -e "$LAB/daemon" -a ! -e "$LAB/config.yaml"
check "the import" "$HEADWAYD" import --config "$old/config.yaml" --to "$LAB/config.yaml" --state "$LAB/daemon"
check "headscale's files are as they were" cmp "$LAB/sums" <(sum)
check "a second one says that it was done" eval \
  '"$HEADWAYD" import --config "$old/config.yaml" --to "$LAB/config.yaml" --state "$LAB/daemon" | grep -c already'
echo "unix_socket: $LAB/daemon/headway.sock" >>"$LAB/config.yaml"
daemon_start

online() { hw nodes list -o json | jq '[.[] | select(.online)] | length'; }
check "five clients are back" wait_for 60 eval '[ "$(online)" = 5 ]'
addresses >"$LAB/after"
check "with the addresses that they had" cmp "$LAB/before" "$LAB/after"
check "a reaches b" wait_for 30 on a ping -c1 -W1 "$(ts b ip -4)"
check "b reaches a by its name" wait_for 30 on b ping -c1 -W1 "kay.$BASE_DOMAIN"
check "a reaches the tagged one" wait_for 30 on a ping -c1 -W1 "$(ts t ip -4)"
check "and the ephemeral one" wait_for 30 on a ping -c1 -W1 "$(ts e ip -4)"
ts a set --accept-routes
check "and what is behind the router" wait_for 30 on a ping -c1 -W1 "$LAN_SERVER"
check "the tagged one has its tag" node_is t '.tags | join(",")' tag:srv
check "x is still to log in again" eval '[ "$(ts x status --json | jq -r .BackendState)" = NeedsLogin ]'
check "and does, with a key that headscale kept as text" ts x up --login-server "$LOGIN" --hostname x --timeout 60s --auth-key "$plain"
check "then it is reached" wait_for 30 on a ping -c1 -W1 "$(ts x ip -4)"
lab_stop e
check "the ephemeral one goes when its client does" wait_for 150 eval '! hw nodes list -o json | jq -e "any(.[]; .name == \"e\")" >/dev/null'
