#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Prints the directory with the official client of one version, built once into the user's cache.
#   tests/interop/clients.sh VERSION      for example 1.102.3
# Exit status 77 and a reason on stdout when it cannot be had on this machine.
set -euo pipefail
version=${1:?usage: clients.sh VERSION}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/headway-test
dir=$cache/tailscale-$version

if [ -x "$dir/tailscale" ] && [ -x "$dir/tailscaled" ]; then
  echo "$dir"
  exit 0
fi

unavailable() {
  echo "tailscale $version: $*"
  exit 77
}

command -v go >/dev/null || unavailable "there is no Go to build it with"
have=$(GOTOOLCHAIN=local go env GOVERSION)
oldest=$(printf '%s\n' "${have#go}" 1.26 | sort -V | head -n 1)
[ "$oldest" = 1.26 ] || unavailable "Go 1.26 or newer is needed, this is $have"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -x "$dir/tailscaled" ]; then
  rm -rf "$dir.part"
  GOBIN=$dir.part GOTOOLCHAIN=local nice go install -p 2 "tailscale.com/cmd/tailscale@v$version" \
    "tailscale.com/cmd/tailscaled@v$version" >"$cache/build-$version.log" 2>&1 ||
    unavailable "it does not build here ($(tail -n 1 "$cache/build-$version.log"))"
  rm -rf "$dir"
  mv "$dir.part" "$dir"
fi
echo "$dir"
