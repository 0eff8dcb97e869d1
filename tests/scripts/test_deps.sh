#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What .ci/deps installs for the tests is not started on the machine, now or when the machine starts: in a bare Debian tree
# with systemd's systemctl, which writes down what it is told and only enables and disables.
# limit: 360
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=debian_tree.sh
. "$(dirname "$0")/debian_tree.sh"
cd "$ROOT" || exit 1
name="packages with services"
need_tree "$name"
DEBIAN_TREE=${DEBIAN_TREE:-$(bare_tree 2>"$WORK/bare")} || skip_all "$(cat "$WORK/bare")"

# Only those that have one, and none that the tests start themselves is forgotten.
services=(nginx-light haproxy postgresql)
awk -v few="${services[*]}" '/^check=\(/ { print "check=(" few ")"; skipping = 1 } !skipping { print } skipping && /^\)/ { skipping = 0 }' \
  .ci/deps >"$WORK/deps"
for package in "${services[@]}" caddy; do check "$package is asked for" eval '.ci/deps list check | grep -x "$package"'; done
cat >"$WORK/systemctl" <<'FAKE'
#!/bin/sh
echo "$*" >>/tmp/told
case $* in *preset* | *is-enabled* | *disable*) SYSTEMD_OFFLINE=1 exec systemctl.real "$@" ;; esac
FAKE
chmod 0755 "$WORK/deps" "$WORK/systemctl"

cat >"$WORK/steps" <<'STEPS'
there 'apt-get -qq update; apt-get -qq install -y --no-install-recommends systemd >/dev/null'
there 'mkdir -p /run/systemd/system; mv /usr/bin/systemctl /usr/bin/systemctl.real; cp /tmp/systemctl /usr/bin/systemctl; /tmp/deps check'
there 'dpkg -s nginx-light haproxy postgresql >/dev/null'
reached installed
there '! test -e /usr/sbin/policy-rc.d'
reached "the policy is taken away"
there 'grep -q "preset postgresql.service" /tmp/told; ! grep -E "(^| )(start|restart|try-restart|reload-or-restart) " /tmp/told'
reached "nothing is started"
there 'cd /etc/systemd/system; ! find . -name nginx.service -o -name haproxy.service -o -name postgresql.service | grep .'
reached "nothing is enabled"
there '/tmp/deps check 2>&1 | grep . && exit 1 || true'
reached "a second run does nothing"
there 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d; chmod 0755 /usr/sbin/policy-rc.d; apt-get -qq purge -y haproxy >/dev/null; /tmp/deps check; test -e /usr/sbin/policy-rc.d; rm /usr/sbin/policy-rc.d'
reached "a policy of the machine's own stays"
STEPS
debian_steps "$name" "$WORK/steps" "$WORK/deps" "$WORK/systemctl"
debian_reached "$name" installed "the policy is taken away" "nothing is started" "nothing is enabled" "a second run does nothing" \
  "a policy of the machine's own stays"
