# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# A Debian tree to install packages in: the one in DEBIAN_TREE, else a bare one (apt brings what packages need) where one can
# be made, else a copy of this system. Nothing is written back to any of them. Sourced after lib.sh:
#   debian_steps NAME STEPS FILE...
# runs the shell script STEPS in a mount namespace. There,
#   there COMMANDS     runs them in the tree, where the files are in /tmp
#   install_deb FILE   installs the package /tmp/FILE there
#   reached STEP       says that all before went well
# $WORK/said is what was printed; the steps that were reached are checked by  debian_reached NAME STEP...
tree_cache=${XDG_CACHE_HOME:-$HOME/.cache}/headway-test

# Debian's name of the release that the image is made of.
tree_suite() { sed -n 's/^FROM debian:\([a-z]*\)-slim AS .*/\1/p' "$ROOT/server/dist/Dockerfile"; }

# Prints the folder of a bare tree of that release, made once and kept; fails, with the reason on stderr, where none can be
# made. It comes from where this system's packages come from.
bare_tree() {
  local suite where mirror
  suite=$(tree_suite) where=$tree_cache/debian-$suite
  mkdir -p "$tree_cache"
  (
    flock 9
    [ ! -d "$where" ] || exit 0
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
      echo "root and debootstrap are needed to make a bare Debian tree" >&2
      exit 1
    fi
    # shellcheck disable=SC2016 # apt's own names
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
      awk -v suite="$suite" '$1 == "Debian" && $2 == suite { print $3; exit }')
    # shellcheck disable=SC2086 # none: debootstrap's own
    debootstrap --variant=minbase "$suite" "$where.part" $mirror >"$where.log" 2>&1 || {
      rm -rf "$where.part"
      echo "debootstrap failed: $(tail -n 1 "$where.log")" >&2
      exit 1
    }
    mv "$where.part" "$where"
  ) 9>"$tree_cache/debian.lock" && echo "$where"
}

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
  [ -n "${DEBIAN_TREE:-}" ] || DEBIAN_TREE=$(bare_tree 2>"$WORK/bare") || sed 's/^/# a copy of this system is used: /' "$WORK/bare"
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
