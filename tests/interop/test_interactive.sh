#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Registration without a key: the client waits at a page, an administrator admits it by the command that stands there.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"

lab_up
lab_host a
lab_host b
check "a user" hw users create alice

# wait_login NAME: starts tailscale up; sets URL and AUTH_ID once it asks for a visit
wait_login() {
  ts "$1" up --login-server "$LOGIN" --hostname "$1" --timeout 60s >"$LAB/$1/up" 2>&1 &
  UP=$!
  wait_for 10 grep -q "$LOGIN/" "$LAB/$1/up" || return 1
  URL=$(grep -o "$LOGIN/[^ ]*" "$LAB/$1/up" | head -n 1) AUTH_ID=${URL##*/}
}

wait_login_done() { wait "$UP"; }

check "a asks for a visit" wait_login a && {
  page=$(on a curl -fsS "$URL")
  check "the page shows the command" grep -qF "headway auth register --auth-id $AUTH_ID" <<<"$page"
  check "the request is listed as pending" eval 'hw auth list -o json | grep -cF "$AUTH_ID"'
  check_not "an unknown user is refused" hw auth register --auth-id "$AUTH_ID" --user nobody
  check "admitting it" hw auth register --auth-id "$AUTH_ID" --user alice
  check "tailscale up returns" wait_login_done
  check "a runs" wait_for 5 backend_is a Running
  check "it is alice's" node_is a .user.name alice
  check_not "the same request twice is refused" hw auth register --auth-id "$AUTH_ID" --user alice
}
end_process "$UP"

check "b asks for a visit" wait_login b && {
  check "admitting it by the older command" hw nodes register --key "$AUTH_ID" --user alice
  check "tailscale up returns" wait_login_done
  check "a and b see each other" wait_for 5 eval 'knows a b && knows b a'
}
end_process "$UP"

lab_host c
check "c asks for a visit" wait_login c && {
  check "it is rejected" hw auth reject --auth-id "$AUTH_ID"
  check_not "and cannot be admitted any more" hw auth register --auth-id "$AUTH_ID" --user alice
  check_not "there is no such node" node c .id
}
end_process "$UP"

lab_host d
check "d asks for a visit" wait_login d && {
  daemon_kill9
  daemon_start
  check "it is listed after kill -9" eval 'hw auth list -o json | grep -cF "$AUTH_ID"'
  check "it is admitted by the link that it showed" hw auth register --auth-id "$AUTH_ID" --user alice
  check "tailscale up returns" wait_login_done
  check "d runs" wait_for 5 backend_is d Running
  check "it showed one link" test "$(grep -c "$LOGIN/" "$LAB/d/up")" = 1
}
end_process "$UP"
