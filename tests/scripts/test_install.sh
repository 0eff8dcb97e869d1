#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# make install puts everything in its place, keeps a configuration that is there, and uninstall leaves only that.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
need_programs
cd "$ROOT" || exit 1
to=$WORK/root
put() { make "VARIANT=${VARIANT_RUN:-release}" "DESTDIR=$to" PREFIX=/usr SYSCONFDIR=/etc "$1"; }

check "installing" put install
for f in usr/sbin/headwayd usr/bin/headway usr/lib/systemd/system/headwayd.service usr/lib/sysusers.d/headway.conf \
  usr/lib/tmpfiles.d/headway.conf etc/headway/config.yaml usr/share/bash-completion/completions/headway \
  usr/share/zsh/site-functions/_headway usr/share/fish/vendor_completions.d/headway.fish; do
  check "$f" test -s "$to/$f"
done
for page in man/*.[1-9]; do
  check "$page is installed" test -s "$to/usr/share/$(dirname "$page")/man${page##*.}/$(basename "$page")"
done
check "nothing of the build's path is in the unit" grep -qx 'ExecStart=/usr/sbin/headwayd' "$to/usr/lib/systemd/system/headwayd.service"
if command -v systemd-analyze >/dev/null; then
  mkdir -p "$WORK/unit"
  sed "s|/usr/sbin/headwayd|$HEADWAYD|" "$to/usr/lib/systemd/system/headwayd.service" >"$WORK/unit/headwayd.service"
  check "the unit is valid" systemd-analyze verify --man=no "$WORK/unit/headwayd.service"
else
  skip_case "the unit is valid" "systemd-analyze is not there"
fi
# on ports and a database of its own: a daemon of this machine may have the usual ones
free=$(python3 -c 'import socket
s = [socket.socket(type=t) for t in (socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM)]
for one in s: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in s])')
read -r door relay stun <<<"$free"
check "the installed example is a valid configuration" env HEADWAY_LISTEN_ADDR="127.0.0.1:$door" \
  HEADWAY_DATABASE_SQLITE_PATH="$WORK/db.sqlite" \
  HEADWAY_DERP_SERVER_LISTEN_ADDR="127.0.0.1:$relay" HEADWAY_DERP_SERVER_STUN_LISTEN_ADDR="127.0.0.1:$stun" "$to/usr/sbin/headwayd" configtest -c "$to/etc/headway/config.yaml"
check "completion for bash is a script" bash -n "$to/usr/share/bash-completion/completions/headway"

# What `make run` by root left is the unit's user's once the directories are made.
if command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "headway:x:1234:1234::/:" >"$to/etc/passwd"
  echo "headway:x:1234:" >"$to/etc/group"
  install -D -m 0600 /dev/null "$to/var/lib/headway/noise_private.key"
  check "the directories are made" systemd-tmpfiles --create "--root=$to" headway.conf
  check "with what is in them" test "$(stat -c %u "$to/var/lib/headway" "$to/var/lib/headway/noise_private.key" | sort -u)" = 1234
  check "a key stays private" test "$(stat -c %a "$to/var/lib/headway/noise_private.key")" = 600
  rm -rf "$to"/etc/passwd "$to"/etc/group "${to:?}"/var "${to:?}"/run
else
  skip_case "the directories are made" "systemd-tmpfiles is not there, or this is not root"
fi

echo "server_url: http://192.168.1.10:8080" >"$to/etc/headway/config.yaml"
check "installing again" put install
check "keeps the configuration" grep -q 192.168.1.10 "$to/etc/headway/config.yaml"

# The command headscale, for who wants it.
install -D -m 0755 /bin/true "$to/usr/bin/headscale"
check_not "a real headscale is not overwritten" put install-headscale
check "it is as it was" cmp -s /bin/true "$to/usr/bin/headscale"
rm "$to/usr/bin/headscale"
check "headscale is installed as another name" put install-headscale
check "of headway" eval '"$to/usr/bin/headscale" version | grep -q "^headscale version v"'
check "and its unit of headwayd's" test "$to/usr/lib/systemd/system/headscale.service" -ef "$to/usr/lib/systemd/system/headwayd.service"
check "completion for headscale is a script" bash -n "$to/usr/share/bash-completion/completions/headscale"
check "uninstalling" put uninstall
check "leaves nothing but the configuration" test "$(cd "$to" && find . -type f)" = ./etc/headway/config.yaml
