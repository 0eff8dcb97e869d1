#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes the package headway out of what `make install` installs, with dpkg's own tools and nothing else.
#   server/dist/debian/build.sh VERSION BUILD_DIRECTORY     prints the path of the package
set -euo pipefail
[ $# = 2 ] || {
  sed -n '3,4s/^# \{0,1\}//p' "$0" >&2
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
[[ $version == [0-9]*.* ]] || version=0.1.0+git.$version
arch=$(dpkg --print-architecture)
stage=$(mktemp -d "${TMPDIR:-/tmp}/headway-deb.XXXXXX")
trap 'rm -rf "$stage"' EXIT
tree=$stage/tree
umask 022

make -C "$top" --no-print-directory "VARIANT=$(basename "$build")" "DESTDIR=$tree" PREFIX=/usr SYSCONFDIR=/etc install >&2
strip --strip-unneeded "$tree/usr/sbin/headwayd" "$tree/usr/bin/headway"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
doc=$tree/usr/share/doc/headway
install -D -m 0644 "$top/LICENSE" "$doc/copyright"
install -m 0644 "$top/README.md" "$doc/README.md"
gzip -9nc "$top/.github/CHANGELOG.md" >"$doc/changelog.gz"

# dpkg-shlibdeps reads which packages hold the libraries; it wants a source package's control beside it.
mkdir -p "$stage/debian" "$tree/DEBIAN"
printf 'Source: headway\n\nPackage: headway\nArchitecture: any\nDescription: headway\n' >"$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O -e"$tree/usr/sbin/headwayd" -e"$tree/usr/bin/headway" 2>"$stage/log" | sed -n 's/^shlibs:Depends=//p') || depends=
[ -n "$depends" ] || {
  cat "$stage/log" >&2
  exit 1
}
size=$(du -sk --exclude=DEBIAN "$tree" | cut -f1)
sed -e "s|@VERSION@|$version|" -e "s|@ARCH@|$arch|" -e "s|@DEPENDS@|$depends|" -e "s|@SIZE@|$size|" "$here/control" >"$tree/DEBIAN/control"
for script in postinst prerm postrm; do install -m 0755 "$here/$script" "$tree/DEBIAN/$script"; done
echo /etc/headway/config.yaml >"$tree/DEBIAN/conffiles"
(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"

out=$top/build/headway_${version}_$arch.deb
dpkg-deb --root-owner-group --build "$tree" "$out" >&2
echo "$out"
