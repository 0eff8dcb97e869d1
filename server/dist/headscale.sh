#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The command headscale, as another name of headway's, and the unit headscale.service, as another name of headwayd's: for
# scripts and tools that were made for headscale. What is there under these names and is not headway's stays.
#   server/dist/headscale.sh install|uninstall DESTDIR PREFIX BUILD_DIRECTORY
set -euo pipefail
[ $# = 4 ] || {
  sed -n '5s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
what=$1 destdir=$2 prefix=$3 build=$4
command=$destdir$prefix/bin/headscale
units=$destdir$prefix/lib/systemd/system
alias=$units/headscale.service dropin=$units/headwayd.service.d/headscale.conf
page=$destdir$prefix/share/man/man1/headscale.1
completion=$destdir$prefix/share/bash-completion/completions/headscale

# Into the running system only, not into a package's directory.
live() { [ -z "$destdir" ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; }
mine() { [ "$(readlink "$1")" = "$2" ]; }

install_all() {
  local entry
  for entry in "$command headway" "$alias headwayd.service"; do
    # shellcheck disable=SC2086 # two words
    set -- $entry
    if { [ -e "$1" ] || [ -L "$1" ]; } && ! mine "$1" "$2"; then
      echo "$1 is not headway's and is kept: remove headscale first" >&2
      exit 1
    fi
  done
  install -d "$(dirname "$command")" "$(dirname "$dropin")" "$(dirname "$page")" "$(dirname "$completion")"
  ln -sf headway "$command"
  ln -sf headwayd.service "$alias"
  # Tools find the server as the process "headscale serve".
  printf '[Service]\nExecStart=\nExecStart=%s/bin/headscale serve\n' "$prefix" >"$dropin"
  echo '.so man1/headway.1' >"$page"
  (exec -a headscale "$build/headway" completion bash) >"$completion"
  chmod 0644 "$dropin" "$page" "$completion"
  if live; then systemctl daemon-reload; fi
}

uninstall_all() {
  mine "$command" headway || return 0
  rm -f "$command" "$dropin" "$page" "$completion"
  if mine "$alias" headwayd.service; then rm -f "$alias"; fi
  rmdir "$(dirname "$dropin")" 2>/dev/null || true
  if live; then systemctl daemon-reload; fi
}

case $what in
install | uninstall) "${what}_all" ;;
*)
  echo "headscale.sh: $what is neither install nor uninstall" >&2
  exit 2
  ;;
esac
