#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes the packages headway and headway-headscale out of what `make install` installs, with dpkg's own tools and nothing
# else. The second has the command headscale and takes the place of the package headscale, for who asks for that.
#   server/dist/debian/build.sh VERSION BUILD_DIRECTORY     prints the paths of the packages, headway last
set -euo pipefail
[ $# = 2 ] || {
  sed -n '3,5s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
for tool in dpkg-deb dpkg-shlibdeps strip; do
  command -v "$tool" >/dev/null || {
    echo "deb: $tool is missing: have root run: apt-get install dpkg-dev" >&2
    exit 1
  }
done
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
build=$2
# Debian compares versions that begin with a digit and have no "-" of their own.
version=${1#v} version=${version//-/.}
[[ $version =~ ^[0-9]+\.[0-9] ]] || version=0.1.0+git.$version
arch=$(dpkg --print-architecture)
stage=$(mktemp -d "${TMPDIR:-/tmp}/headway-deb.XXXXXX")
trap 'rm -rf "$stage"' EXIT
tree=$stage/tree other=$stage/headscale
umask 022

make -C "$top" --no-print-directory "VARIANT=$(basename "$build")" "DESTDIR=$tree" PREFIX=/usr SYSCONFDIR=/etc install >&2
strip --strip-unneeded "$tree/usr/sbin/headwayd" "$tree/usr/bin/headway"
doc=$tree/usr/share/doc/headway
install -D -m 0644 "$top/LICENSE" "$doc/copyright"
install -m 0644 "$top/README.md" "$doc/README.md"
gzip -9nc "$top/.github/CHANGELOG.md" >"$doc/changelog.gz"
make -C "$top" --no-print-directory "VARIANT=$(basename "$build")" "DESTDIR=$other" PREFIX=/usr install-headscale >&2
install -D -m 0644 "$top/LICENSE" "$other/usr/share/doc/headway-headscale/copyright"

# dpkg-shlibdeps reads which packages hold the libraries; it wants a source package's control beside it.
mkdir -p "$stage/debian"
printf 'Source: headway\n\nPackage: headway\nArchitecture: any\nDescription: headway\n' >"$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O -e"$tree/usr/sbin/headwayd" -e"$tree/usr/bin/headway" 2>"$stage/log" | sed -n 's/^shlibs:Depends=//p') || depends=
[ -n "$depends" ] || {
  cat "$stage/log" >&2
  exit 1
}

# pack TREE NAME ARCHITECTURE: with the scripts NAME.postinst and so on; prints the path.
pack() {
  local tree=$1 name=$2 arch=$3 size script out
  find "$tree/usr/share/man" -type f -exec gzip -9n {} +
  size=$(du -sk "$tree" | cut -f1)
  mkdir "$tree/DEBIAN"
  sed -e "s|@VERSION@|$version|" -e "s|@ARCH@|$arch|" -e "s|@DEPENDS@|$depends|" -e "s|@SIZE@|$size|" "$here/$name.control" >"$tree/DEBIAN/control"
  for script in postinst prerm postrm; do
    if [ -e "$here/$name.$script" ]; then install -m 0755 "$here/$name.$script" "$tree/DEBIAN/$script"; fi
  done
  if [ -e "$tree/etc/headway/config.yaml" ]; then echo /etc/headway/config.yaml >"$tree/DEBIAN/conffiles"; fi
  (cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
  out=$top/build/${name}_${version}_$arch.deb
  dpkg-deb --root-owner-group --build "$tree" "$out" >&2
  echo "$out"
}
pack "$other" headway-headscale all
pack "$tree" headway "$arch"
