#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Prints the path of the reference implementation of a DERP server, built once into the user's cache.
#   tests/bench/derper.sh VERSION      for example 1.98.9
# Exit status 77 and a reason on stdout when it cannot be had on this machine.
set -euo pipefail
version=${1:?usage: derper.sh VERSION}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/headway-test
dir=$cache/derper-$version

unavailable() {
  echo "derper $version: $*"
  exit 77
}

if [ ! -x "$dir/derper" ]; then
  command -v go >/dev/null || unavailable "there is no Go to build it with"
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
  GOBIN=$dir GOTOOLCHAIN=local nice go install -p 2 "tailscale.com/cmd/derper@v$version" >"$cache/build-derper-$version.log" 2>&1 ||
    unavailable "it does not build here ($(tail -n 1 "$cache/build-derper-$version.log"))"
fi
echo "$dir/derper"
