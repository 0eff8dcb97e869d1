#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Each command of README.md works as it stands there, in the order in which it stands there, on official clients.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=../interop/lab.sh
. "$(dirname "$0")/../interop/lab.sh"
cd "$ROOT" || exit 1

# The fenced lines of a language.
fenced() { awk -v lang="$1" '/^```/ { inside = ($0 == "```" lang) && !inside; next } inside' README.md; }

while read -r line; do
  check "$line is a target" make -n "${line#make }"
done < <(fenced make)
while read -r target; do
  check "make $target is a target" make -n ${target:+"$target"}
done < <(grep -oE '`make( [a-z-]+)?' README.md | sed 's/`make *//' | sort -u)
while read -r page; do
  check "there is a manual page $page" eval 'ls man/"$page".[1-9]'
done < <(grep -oE '`man [a-z.-]+' README.md | sed 's/`man //')
check "the commands of the README can be found" test "$(fenced sh | wc -l)" -gt 15

LAB_LISTEN=0.0.0.0 # for the command that goes to another machine in the README: here to loopback, as there is no TLS
lab_up
lab_host router
user_and_key me

# What the reader has: the two commands, root's rights, and what was printed to them.
mkdir -p "$WORK/bin"
cat >"$WORK/bin/headway" <<EOF
#!/bin/sh
export HEADWAY_CONFIG="$LAB/config.yaml"
[ "\$HEADWAY_CLI_ADDRESS" = "" ] || HEADWAY_CLI_ADDRESS=http://127.0.0.1:8080
exec ip netns exec "$(lab_ns ctl)" "$HEADWAY" "\$@"
EOF
cat >"$WORK/bin/tailscale" <<EOF
#!/bin/sh
exec nsenter -t "$(cat "$LAB/router/pid")" -m -n -- "$(cat "$LAB/router/bin")/tailscale" --socket="$LAB/router/sock" "\$@"
EOF
printf '#!/bin/sh\nexec "$@"\n' >"$WORK/bin/sudo"
chmod +x "$WORK/bin/"*
PATH=$WORK/bin:$PATH
api_key=$(hw apikeys create --expiration 1h)

while read -r line; do
  real=${line//http:\/\/192.168.1.10:8080/$LOGIN}
  real=${real//https:\/\/headway.example.com/$LOGIN}
  real=${real//APIKEY/$api_key}
  real=${real// KEY/ $KEY}
  real=${real//\/var\/backups/$WORK}
  real=${real//--at -2h/--at -0s} # the daemon of this test knows no more
  # The reader says yes to what asks; it must not read the lines of the README.
  check "$line" bash -c "$real" <<<y
done < <(fenced sh)

check "the router of the story serves what was approved" wait_for 10 eval 'nodes | jq -e ".[0].subnetRoutes | index(\"10.0.0.0/8\") != null"'
check "the copy of everything is a database" eval 'head -c 15 "$WORK/headway.db" | grep -qx "SQLite format 3"'
