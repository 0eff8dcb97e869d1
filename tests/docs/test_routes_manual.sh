#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The story of headway-routes(7) happens as it is told: each headway command runs in its order, and prints what stands
# below it. Nodes that speak the protocol but route nothing play the machines of the other prompts.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
need_commands mandoc jq
need_programs
RUN_NODE=${RUN_NODE:-$(dirname "$HEADWAYD")/tests/docs/run_node}
[ -x "$RUN_NODE" ] || skip_all "$RUN_NODE is not built: make build-tests"
PAGE=$ROOT/man/headway-routes.7
check "the page is well formed" mandoc -Tlint -Wwarning "$PAGE"

# A port that nobody listens on, and that the system gives to nobody by itself.
port=$((20000 + $$ % 10000))
while (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
export HEADWAY_CONFIG=$WORK/config.yaml
cat >"$HEADWAY_CONFIG" <<END
server_url: http://127.0.0.1:$port
listen_addr: 127.0.0.1:$port
metrics_listen_addr: ""
unix_socket: $WORK/headway.sock
noise: {private_key_path: $WORK/noise.key}
database: {type: sqlite, sqlite: {path: $WORK/db.sqlite}}
prefixes: {v4: 100.64.0.0/10, v6: "fd7a:115c:a1e0::/48"}
derp: {urls: [], paths: [$WORK/derp.yaml], server: {enabled: false}}
dns: {base_domain: tail.example.com, override_local_dns: false}
policy: {mode: database}
END
echo 'regions: {1: {regionid: 1, regioncode: one, nodes: [{name: a, regionid: 1, hostname: derp.example.com}]}}' >"$WORK/derp.yaml"
"$HEADWAYD" -c "$HEADWAY_CONFIG" 2>"$WORK/log" &
at_exit end_process $!
if ! check "the daemon starts" wait_for 20 "$HEADWAY" health; then
  sed 's/^/# /' "$WORK/log"
  exit 1
fi
cd "$WORK" || exit 1

# What stands in the displays of the page, as the reader sees it, with an empty line after each display.
displays() { awk '/^\.Bd -literal/ { inside = 1; next } /^\.Ed/ { inside = 0; print ""; next } inside' "$PAGE"; }

key=none policy_refused=
node() { # NAME WORDS...: what a machine's tailscale command means for the node that plays it
  local name=$1 word routes='' tell=$3
  shift 3
  for word in "$@"; do
    case $word in
    --advertise-routes=*) routes=${word#*=} ;;
    --advertise-exit-node) routes=0.0.0.0/0,::/0 ;;
    esac
  done
  [ ! -p "$name.in" ] || {
    if [ -n "$routes" ]; then tell=$routes; fi
    : >"$name.out"
    echo "$tell" >"$name.in"
    [ "$tell" != up ] || wait_for 10 test -s "$name.out"
    return
  }
  mkfifo "$name.in"
  "$RUN_NODE" "127.0.0.1:$port" "$key" "$name" "$routes" <>"$name.in" >"$name.out" 2>&1 &
  at_exit end_process $!
  wait_for 10 grep -qx connected "$name.out"
}

# prints COMMAND EXPECTED: the same lines; spaces at their ends do not count
prints() {
  bash -c "$1" 2>&1 | sed 's/ *$//' >said
  diff <(printf '%s\n' "$2" | sed 's/ *$//') said
}

# Runs a command with the lines below it.
step() {
  local line=$1 expected=$2
  case $line in
  '') ;;
  *"# tailscale set --accept-routes" | *"# tailscale set --exit-node "*) ;; # what a client does by itself
  *"# tailscale "*)
    # shellcheck disable=SC2086
    check "$line" node "${line%%#*}" ${line#*# }
    ;;
  "$ headway "*)
    line=${line#$ headway }
    if [ -n "$expected" ]; then
      # A change by a node, unlike one by a command, takes its time.
      check "headway $line" wait_for 10 prints "\"$HEADWAY\" $line" "$expected"
    else
      check "headway $line" eval "\"$HEADWAY\" $line >said"
      case $line in "preauthkeys create"*) key=$(cat said) ;; esac
    fi
    commands=$((commands + 1))
    ;;
  *"# "*) ;; # its kernel
  *) fail "what is this: $line" ;;
  esac
}

commands=0 policies=0 line='' below='' text=''
echo '{"users": [{"id": 1, "name": "alice"}, {"id": 2, "name": "bob"}]}' >tailnet.json
while IFS= read -r next; do
  if [ -n "$policy_refused" ]; then continue; fi
  case $next in
  '{') text=$next ;;
  '}')
    printf '%s\n}\n' "$text" >policy.hujson
    text='' policies=$((policies + 1))
    check "policy $policies is one" "$HEADWAY" policy compile --policy policy.hujson --tailnet tailnet.json
    ;;
  *)
    if [ -n "$text" ]; then
      text+=$'\n'$next
    elif [[ $next =~ ^([a-z0-9]+#|\$)\  || -z $next ]]; then
      step "$line" "$below"
      line=$next below=
      if [[ $next == "$ headway policy set "* ]] && "$HEADWAY" policy set --file policy.hujson 2>&1 | grep -q "enforces no policy"; then
        skip_case "what follows $next" "this build enforces no policy" && policy_refused=1
      fi
    else
      below+=${below:+$'\n'}$next
    fi
    ;;
  esac
done < <(displays)
check "the whole story was found" test "$commands" -ge 15 -a "$policies" = 3
