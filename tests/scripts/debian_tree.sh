# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# A Debian tree to install packages in: the one in DEBIAN_TREE, which may be bare (apt brings what packages need), else a
# copy of this system. Nothing is written back to either. Sourced after lib.sh:
#   debian_steps NAME STEPS FILE...
# runs the shell script STEPS in a mount namespace. There,
#   there COMMANDS     runs them in the tree, where the files are in /tmp
#   install_deb FILE   installs the package /tmp/FILE there
#   reached STEP       says that all before went well
# $WORK/said is what was printed; the steps that were reached are checked by  debian_reached NAME STEP...
need_tree() {
  if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
    skip_case "$1" "neither root nor a mount namespace is at hand"
    exit 0
  fi
}

debian_steps() {
  local name=$1 steps=$2 status=0
  shift 2
  cat >"$WORK/inside" <<'INSIDE'
set -eu
tree=$1 lower=$2 steps=$3
shift 3
mount -t tmpfs tmpfs "$tree"
mkdir "$tree/upper" "$tree/work" "$tree/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$tree/upper,workdir=$tree/work" "$tree/root" || exit 77
cp -r "$@" "$tree/root/tmp/"
mount -t tmpfs tmpfs "$tree/root/run"
mount -t proc proc "$tree/root/proc" 2>/dev/null || true
mount --rbind /dev "$tree/root/dev"
there() { chroot "$tree/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive sh -euc "$1"; }
reached() { echo "== $1"; }
install_deb() { # a copy of this system has what the package needs; of a bare tree apt brings it
  if [ "$lower" = / ]; then
    there "dpkg -i --force-confold /tmp/$1"
  else
    [ -e "$tree/updated" ] || there 'apt-get -qq update'
    : >"$tree/updated"
    there "apt-get -qq install -y --no-install-recommends /tmp/$1"
  fi
}
if [ "$lower" != / ]; then cp /etc/resolv.conf "$tree/root/etc/resolv.conf"; fi
there 'rm -rf /var/lib/headway /etc/headway /etc/headscale /var/lib/headscale'
. "$steps"
INSIDE
  mkdir -p "$WORK/tree"
  timeout 150 unshare -m bash "$WORK/inside" "$WORK/tree" "${DEBIAN_TREE:-/}" "$steps" "$@" >"$WORK/said" 2>&1 || status=$?
  if [ "$status" = 77 ]; then
    skip_case "$name" "no overlay can be mounted"
    exit 0
  fi
  [ "$status" = 0 ] || sed 's/^/# /' "$WORK/said"
}

debian_reached() {
  local name=$1 step
  shift
  for step; do check "$name: $step" grep -qx "== $step" "$WORK/said"; done
}
