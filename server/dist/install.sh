#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The part of `make install` beyond programs and manual: unit, user, directories, example configuration, completion.
#   server/dist/install.sh install|uninstall DESTDIR PREFIX SYSCONFDIR BUILD_DIRECTORY
# The configuration is never overwritten and never removed.
set -euo pipefail
[ $# = 5 ] || {
  sed -n '3,5s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
what=$1 destdir=$2 prefix=$3 sysconfdir=$4 build=$5
here=$(dirname "$0")
lib=$destdir$prefix/lib share=$destdir$prefix/share
unit=$lib/systemd/system/headwayd.service
users=$lib/sysusers.d/headway.conf
dirs=$lib/tmpfiles.d/headway.conf
config=$destdir$sysconfdir/headway/config.yaml
completions=(
  "bash $share/bash-completion/completions/headway"
  "zsh $share/zsh/site-functions/_headway"
  "fish $share/fish/vendor_completions.d/headway.fish"
)

# Into the running system only, not into a package's directory.
live() { [ -z "$destdir" ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; }

install_all() {
  install -d "$(dirname "$unit")" "$(dirname "$users")" "$(dirname "$dirs")"
  sed "s|@SBINDIR@|$prefix/sbin|" "$here/headwayd.service" >"$unit"
  install -m 0644 "$here/headway.sysusers" "$users"
  install -m 0644 "$here/headway.tmpfiles" "$dirs"
  chmod 0644 "$unit"
  if [ -e "$config" ]; then
    echo "$config is kept as it is; the new example is $share/doc/headway/config.yaml"
  else
    install -D -m 0644 "$here/config.yaml" "$config"
  fi
  install -D -m 0644 "$here/config.yaml" "$share/doc/headway/config.yaml"
  local entry shell file text
  for entry in "${completions[@]}"; do
    shell=${entry%% *} file=${entry#* }
    text=$("$build/headway" completion "$shell")
    install -d "$(dirname "$file")"
    printf '%s\n' "$text" >"$file"
    chmod 0644 "$file"
  done
  if live; then
    systemd-sysusers "$users"
    systemd-tmpfiles --create "$dirs"
    systemctl daemon-reload
    echo "Edit $config, then: systemctl enable --now headwayd"
  fi
}

uninstall_all() {
  if live; then systemctl disable --now headwayd 2>/dev/null || true; fi
  rm -f "$unit" "$users" "$dirs" "$share/doc/headway/config.yaml"
  rmdir "$share/doc/headway" 2>/dev/null || true
  local entry
  for entry in "${completions[@]}"; do rm -f "${entry#* }"; done
  if live; then systemctl daemon-reload; fi
  [ ! -e "$config" ] || echo "$config and the state of the daemon are kept"
}

case $what in
install | uninstall) "${what}_all" ;;
*)
  echo "install.sh: $what is neither install nor uninstall" >&2
  exit 2
  ;;
esac
