#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# make deb makes a package that installs, upgrades, removes and purges cleanly in a Debian tree.
# limit: 360
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=debian_tree.sh
. "$(dirname "$0")/debian_tree.sh"
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

need_tree "the package in a Debian tree"
cp "$first" "$WORK/first.deb"
cp "$second" "$WORK/second.deb"
cat >"$WORK/steps" <<'STEPS'
there 'mkdir /var/lib/headway; echo key >/var/lib/headway/noise_private.key' # as make run by root
install_deb first.deb
reached installed
there 'getent passwd headway; test -d /var/lib/headway; test "$(stat -c %U /var/lib/headway /var/lib/headway/noise_private.key | uniq)" = headway; headwayd --version; headway version'
reached runs
there 'echo "server_url: http://192.168.1.10:8080" >/etc/headway/config.yaml; echo state >/var/lib/headway/db.sqlite'
there 'dpkg -i --force-confold /tmp/second.deb'
there 'grep -q 192.168.1.10 /etc/headway/config.yaml; grep -q state /var/lib/headway/db.sqlite; dpkg -s headway | grep -q "Version: 0.2.0"'
reached upgraded
there 'dpkg -r headway; ! test -e /usr/sbin/headwayd; grep -q 192.168.1.10 /etc/headway/config.yaml; grep -q state /var/lib/headway/db.sqlite'
reached removed
there 'dpkg -P headway; ! test -e /var/lib/headway; ! test -e /etc/headway; ! getent passwd headway; ! getent group headway'
there '! find /etc /usr /var/lib -xdev -name "*headway*" ! -path "/var/lib/dpkg/*" ! -path "/usr/local/*" ! -path "/usr/src/*" | grep .'
reached purged
STEPS
debian_steps "the package in a Debian tree" "$WORK/steps" "$WORK/first.deb" "$WORK/second.deb"
debian_reached "the package in a Debian tree" installed runs upgraded removed purged
