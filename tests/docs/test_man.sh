#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The manual pages are well formed, each program and file has one, and no page names a command that there is not.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
need_commands mandoc
need_programs
cd "$ROOT" || exit 1

for page in man/*.[1-9]; do
  check "$page is well formed" mandoc -Tlint -Wwarning "$page"
done
for page in headway.1 headwayd.8 headway.yaml.5 headway-routes.7 headway-migrate.7 headway-database.7; do
  check "there is $page" test -s "man/$page"
done
while read -r page; do
  check "there is $page, which another page names" test -s "man/$page"
done < <(awk '$1 == ".Xr" { print $2 "." $3 }' man/*.[1-9] | sort -u)

# Commands stand in displays as lines that begin with the program's name.
lines() {
  awk '/^\.Bd -literal/ { inside = 1; next } /^\.Ed/ { inside = 0 } inside' man/*.[1-9] |
    grep -oE '^(\$ )?headway [a-z][a-z -]*' | sed 's/^\$ //' | sort -u
}
# known WORDS...: the program has help for the longest run of these words that can be a command
known() {
  local words=("$@")
  while [ "${#words[@]}" -gt 0 ]; do
    "$HEADWAY" "${words[@]}" --help >/dev/null 2>&1 && return 0
    unset 'words[-1]'
    [ "${#words[@]}" -gt 1 ] || break
  done
  "$HEADWAY" "$1" --help
}
while read -r _ words; do
  # shellcheck disable=SC2086
  check "headway $words is a command" known $words
done < <(lines)
