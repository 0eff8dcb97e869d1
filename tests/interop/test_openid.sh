#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# People log in on official clients with an OpenID provider: in after the yes, out when suspended or expired, and back in.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

ISSUER=http://$CTL:9000/realm
LAB_CONFIG="oidc: {issuer: '$ISSUER', client_id: headway, client_secret: 'a secret: with=signs&more', only_start_if_oidc_is_available: false}"
lab_up
on ctl python3 "$ROOT/tests/shared/openid_provider.py" 9000 "$CTL" >"$LAB/provider.log" 2>&1 &
PROVIDER=$!
at_exit end_process "$PROVIDER"
check "the provider answers" wait_for 60 on ctl curl -fsS -o "$LAB/discovery" "$ISSUER/.well-known/openid-configuration"
lab_host a
lab_host b

provider() { on ctl curl -fsS -o "$LAB/control" -d "$1" "$ISSUER/control"; }

# wait_login NAME: starts tailscale up; sets URL and AUTH_ID once it asks for a visit
wait_login() {
  ts "$1" up --login-server "$LOGIN" --hostname "$1" --timeout 90s "${@:2}" >"$LAB/$1/up" 2>&1 &
  UP=$!
  wait_for 15 grep -q "$LOGIN/" "$LAB/$1/up" || return 1
  URL=$(grep -o "$LOGIN/[^ ]*" "$LAB/$1/up" | tail -n 1) AUTH_ID=${URL##*/}
}

# visit NAME URL: the browser of that host goes to the provider and back; its page is in PAGE
visit() {
  rm -f "$LAB/$1/jar"
  PAGE=$(on "$1" curl -sS -L --max-redirs 3 -c "$LAB/$1/jar" -b "$LAB/$1/jar" "$2")
}

# say_yes NAME: to the question in PAGE
say_yes() {
  local token
  token=$(grep -o 'name="token" value="[0-9a-f]*"' <<<"$PAGE" | cut -d'"' -f4)
  on "$1" curl -fsS -o "$LAB/$1/answer" -c "$LAB/$1/jar" -b "$LAB/$1/jar" -d "token=$token" "$LOGIN/register/confirm/$AUTH_ID"
}

check "a asks for a visit" wait_login a
visit a "$URL"
check "which ends in a question" grep -q "Add this machine" <<<"$PAGE"
check_not "nobody is in yet" node a .id
check "a yes" say_yes a
began=$(now_ms)
check "tailscale up returns" wait "$UP"
figure "from the yes to tailscale up" "$(($(now_ms) - began))" 1000 ms
check "the client runs" wait_for 5 backend_is a Running
check "as the provider's user" node_is a .user.name alice
check "whom the client shows" eval '[ "$(ts a status --json | jq -r "[.User[].LoginName] | index(\"alice@example.com\") != null")" = true ]'

provider '{"claims": {"sub": "8", "preferred_username": "bob", "email": "bob@example.com"}}'
check "b asks for a visit" wait_login b
visit b "$URL"
check "a yes" say_yes b
check "tailscale up returns" wait "$UP"
check "it is another user's" node_is b .user.name bob
check "they see each other" wait_for 5 eval 'knows a b && knows b a'
id=$(node a .id)

check "alice is suspended" hw users suspend alice
check "her client must log in" wait_for 10 backend_is a NeedsLogin
check "and is offline for b" wait_for 10 eval '[ "$(peer b a .Online)" != true ]'
provider '{"claims": {"sub": "7", "preferred_username": "alice", "email": "alice@example.com"}}'
check "she is back" hw users suspend alice --off
check "a asks for a visit again" wait_login a --force-reauth
visit a "$URL"
check "a yes" say_yes a
check "tailscale up returns" wait "$UP"
check "it is the same node" node_is a .id "$id"
check "which runs" wait_for 5 backend_is a Running

check "its key expires" hw nodes expire -i "$id" --force
check "it must log in" wait_for 10 backend_is a NeedsLogin
check "it asks for a visit" wait_login a --force-reauth
visit a "$URL"
check "a yes" say_yes a
check "tailscale up returns" wait "$UP"
check "it runs again" wait_for 5 backend_is a Running
check "as the same node" node_is a .id "$id"
