#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The container image is built by its recipe, from a bare Debian tree that stands in for the image that a registry would
# give, and runs: the daemon serves, headscale's command is in it, and headscale's tailnet is taken over in volumes.
# limit: 900
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=debian_tree.sh
. "$(dirname "$0")/debian_tree.sh"
need_commands buildah jq sqlite3
cd "$ROOT" || exit 1
[ "$(id -u)" = 0 ] || skip_all "root is needed to build an image here"
tree=$(bare_tree 2>"$WORK/bare") || skip_all "$(cat "$WORK/bare")"

# What the recipe installs before it looks at the sources is kept from one run to the next.
kept=$tree_cache/image
exec 8>"$tree_cache/image.lock"
flock 8
images() { buildah --storage-driver "$driver" --root "$kept" --runroot "$WORK/runroot" "$@"; }
driver=overlay
images images >/dev/null 2>&1 || driver=vfs
at_exit rm -rf "$WORK/runroot"

# Other packages than last time: what was kept is of no use.
sed '/^COPY \. \./,$d' server/dist/Dockerfile >"$WORK/first"
cat "$WORK/first" .ci/deps >"$WORK/stamp"
cmp -s "$WORK/stamp" "$tree_cache/image.stamp" || images rmi -a -f >/dev/null 2>&1

base=localhost/debian:$(tree_suite)-slim
make_base() {
  images inspect --type image "$base" >/dev/null 2>&1 && return
  local c
  c=$(images from scratch) && images add -q "$c" "$tree" / && images commit -q "$c" "$base" && images rm "$c"
}
check "a base is made of the bare tree" make_base || exit
check "nothing of this machine's build is copied" eval 'grep -qx /build .dockerignore && grep -qx /.git .dockerignore'
bud() { images bud --isolation chroot --pull-never --layers --format docker "$@" .; }
check "what is needed to build it is installed" bud -f "$WORK/first" -t headway-build || exit
cp "$WORK/stamp" "$tree_cache/image.stamp"
all_images() { images images -a -q --no-trunc | sort -u; }
all_images >"$WORK/before"
forget() { all_images | comm -13 "$WORK/before" - | xargs -r buildah --storage-driver "$driver" --root "$kept" --runroot "$WORK/runroot" rmi -f >/dev/null; }
began=$(now_ms)
check "the recipe builds the image" bud --build-arg VERSION=0.4.0 -f server/dist/Dockerfile -t headway-test || exit
figure "the image" "$(($(now_ms) - began))" 300000 ms
at_exit forget

images inspect --type image headway-test >"$WORK/inspect"
config() { jq -e ".Docker.config | $1" "$WORK/inspect"; }
check "it runs as the user headway" config '.User == "headway"'
check "the daemon is what it runs" config '.Entrypoint == ["/usr/sbin/headwayd"]'
check "its state is a volume" config '.Volumes["/var/lib/headway"]'
check "it says whether it is well" config '.Healthcheck.Test == ["CMD", "headway", "health"]'
check "its ports are named" config '.ExposedPorts | has("8080/tcp") and has("8443/tcp") and has("3478/udp")'

container=$(images from --pull-never headway-test)
at_exit eval 'images rm "$container" >/dev/null'
inside() { images run --isolation chroot "${mounts[@]}" "$@"; }
mounts=()
check "it is the version that was asked for" eval '[ "$(inside "$container" -- /usr/sbin/headwayd --version)" = "headwayd 0.4.0" ]'
check_not "no compiler and no source is in it" inside "$container" -- sh -c 'command -v gcc || command -v make || test -e /src || test -e /packages'

# headscale's state, as root's container had it.
mkdir -p "$WORK/etc" "$WORK/old" "$WORK/state" "$WORK/new"
printf 'privkey:%064d' 7 >"$WORK/old/noise_private.key"
chmod 0600 "$WORK/old/noise_private.key"
port=$(PYTHONPATH=tests/shared python3 -c 'import daemon; print(daemon.free_port())')
cat >"$WORK/etc/config.yaml" <<CONFIG
server_url: http://127.0.0.1:$port
listen_addr: 127.0.0.1:$port
metrics_listen_addr: ""
noise: {private_key_path: /var/lib/headscale/noise_private.key}
prefixes: {v4: 100.64.0.0/10}
database: {type: sqlite, sqlite: {path: /var/lib/headscale/db.sqlite}}
dns: {base_domain: tail.example.com, override_local_dns: false}
CONFIG
sqlite3 "$WORK/old/db.sqlite" <<'SQL'
CREATE TABLE migrations(id text PRIMARY KEY);
INSERT INTO migrations VALUES('202511011637-preauthkey-bcrypt');
CREATE TABLE users(id integer PRIMARY KEY AUTOINCREMENT, name text, display_name text, email text, provider_identifier text,
  provider text, profile_pic_url text, created_at datetime, updated_at datetime, deleted_at datetime);
INSERT INTO users(id, name, created_at) VALUES(1, 'alice', '2026-07-01 10:00:00+00:00');
CREATE TABLE nodes(id integer PRIMARY KEY AUTOINCREMENT, machine_key text, node_key text, disco_key text, endpoints text,
  host_info text, ipv4 text, ipv6 text, hostname text, given_name varchar(63), user_id integer, register_method text, tags text,
  auth_key_id integer, last_seen datetime, expiry datetime, approved_routes text, created_at datetime, updated_at datetime,
  deleted_at datetime);
SQL
# Volumes have the owners of the image's folders.
owner=$(inside "$container" -- sh -c 'echo "$(id -u):$(id -g)"' | tail -n 1)
chown "$owner" "$WORK/state"
mounts=(-v "$WORK/etc:/etc/headscale:ro" -v "$WORK/old:/var/lib/headscale:ro" -v "$WORK/state:/var/lib/headway" -v "$WORK/new:/etc/headway")
check "headscale's tailnet is taken over from its volumes" inside --user root "$container" -- \
  /usr/sbin/headwayd import --config /etc/headscale/config.yaml
cat >"$WORK/steps" <<'STEPS'
set -eu
headscale serve &
daemon=$!
n=0
until headway health; do n=$((n + 1)); test $n -lt 200; sleep 0.1; done
headscale users list | grep alice
kill $daemon
wait $daemon
echo ended
STEPS
cp "$WORK/steps" "$WORK/new/steps"
check "the daemon serves it, as headscale's command too, and ends in order" eval \
  'inside "$container" -- sh /etc/headway/steps 2>&1 | tee "$WORK/said" | tail -n 1 | grep -x ended || { cat "$WORK/said"; false; }'
