#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# make deb makes a package that installs, upgrades, removes and purges cleanly in a Debian tree: the one in DEBIAN_TREE,
# which may be bare (apt brings what the package needs), else a copy of this system. Nothing is written back to either.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
need_commands dpkg-deb dpkg-shlibdeps unshare
need_programs
cd "$ROOT" || exit 1
deb() { server/dist/debian/build.sh "$1" "build/${VARIANT_RUN:-release}" | tail -n 1; }

mkdir "$WORK/fewer"
ln -s /usr/bin/* /bin/* "$WORK/fewer/" 2>/dev/null
rm -f "$WORK/fewer/dpkg-shlibdeps"
check "without a tool it says what to install" eval '! PATH=$WORK/fewer deb 0.1.0 2>"$WORK/missing" && grep -q "apt-get install dpkg-dev" "$WORK/missing"'

first=$(deb 0.1.0) second=$(deb v0.2.0-3-gabcdef)
check "a package is made" test -s "$first"
check "its version is Debian's kind" test "$(dpkg-deb --field "$second" Version)" = 0.2.0.3.gabcdef
check "it names the libraries it needs" eval 'dpkg-deb --field "$first" Depends | grep -q libsqlite3'
dpkg-deb --contents "$first" >"$WORK/contents"
for f in ./usr/sbin/headwayd ./usr/bin/headway ./usr/lib/systemd/system/headwayd.service ./etc/headway/config.yaml \
  ./usr/share/man/man8/headwayd.8.gz ./usr/share/bash-completion/completions/headway ./usr/share/doc/headway/copyright; do
  check "$f is in it" grep -q " $f\$" "$WORK/contents"
done
check "all of it belongs to root" eval '! grep -v root/root "$WORK/contents"'
check "the configuration is the administrator's" eval 'dpkg-deb --ctrl-tarfile "$first" | tar xO ./conffiles | grep -qx /etc/headway/config.yaml'

if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
  skip_case "the package in a Debian tree" "neither root nor a mount namespace is at hand"
  exit 0
fi
# In a mount namespace: the tree below, everything that is written in memory.
cat >"$WORK/inside" <<'INSIDE'
set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root" || exit 77
cp "$3" "$1/root/tmp/first.deb"
cp "$4" "$1/root/tmp/second.deb"
mount -t tmpfs tmpfs "$1/root/run"
mount -t proc proc "$1/root/proc" 2>/dev/null || true
there() { chroot "$1/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -euc "$2"; }
reached() { echo "== $1"; }
there "$1" 'rm -rf /var/lib/headway; mkdir /var/lib/headway; echo key >/var/lib/headway/noise_private.key' # as make run by root
if [ "$2" = / ]; then
  there "$1" 'dpkg -i /tmp/first.deb'
else
  cp /etc/resolv.conf "$1/root/etc/resolv.conf"
  there "$1" 'apt-get -qq update; apt-get -qq install -y --no-install-recommends /tmp/first.deb'
fi
reached installed
there "$1" 'getent passwd headway; test -d /var/lib/headway; test "$(stat -c %U /var/lib/headway /var/lib/headway/noise_private.key | uniq)" = headway; headwayd --version; headway version'
reached runs
there "$1" 'echo "server_url: http://192.168.1.10:8080" >/etc/headway/config.yaml; echo state >/var/lib/headway/db.sqlite'
there "$1" 'dpkg -i --force-confold /tmp/second.deb'
there "$1" 'grep -q 192.168.1.10 /etc/headway/config.yaml; grep -q state /var/lib/headway/db.sqlite; dpkg -s headway | grep -q "Version: 0.2.0"'
reached upgraded
there "$1" 'dpkg -r headway; ! test -e /usr/sbin/headwayd; grep -q 192.168.1.10 /etc/headway/config.yaml; grep -q state /var/lib/headway/db.sqlite'
reached removed
there "$1" 'dpkg -P headway; ! test -e /var/lib/headway; ! test -e /etc/headway; ! getent passwd headway; ! getent group headway'
there "$1" '! find /etc /usr /var/lib -xdev -name "*headway*" ! -path "/var/lib/dpkg/*" ! -path "/usr/local/*" ! -path "/usr/src/*" | grep .'
reached purged
INSIDE
mkdir "$WORK/tree"
status=0
timeout 120 unshare -m bash "$WORK/inside" "$WORK/tree" "${DEBIAN_TREE:-/}" "$first" "$second" >"$WORK/said" 2>&1 || status=$?
if [ "$status" = 77 ]; then
  skip_case "the package in a Debian tree" "no overlay can be mounted"
  exit 0
fi
[ "$status" = 0 ] || sed 's/^/# /' "$WORK/said"
for step in installed runs upgraded removed purged; do
  check "the package in a Debian tree: $step" grep -qx "== $step" "$WORK/said"
done
