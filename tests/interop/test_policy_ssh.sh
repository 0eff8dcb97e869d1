#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Tailscale SSH between official clients: who gets in by a rule, who is asked for, and what an administrator's word does.
# limit: 240
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=lab.sh
. "$(dirname "$0")/lab.sh"
need_commands ssh
AUTH_ID=none

# ssh_from NAME USER@HOST COMMAND...
ssh_from() {
  local name=$1
  shift
  on "$name" timeout 60 ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=INFO -o ConnectTimeout=5 "$@" </dev/null
}
gets_in() { [ "$(ssh_from "$1" "$2" id -un)" = "${2%@*}" ]; }
# session NAME USER@HOST: one in the background, which waits for somebody's decision; sets AUTH_ID
session() {
  rm -f "$LAB/session.status" "$LAB/session.err"
  (
    ssh_from "$1" "$2" id -un >"$LAB/session" 2>"$LAB/session.err"
    echo $? >"$LAB/session.status"
  ) &
  disown
  wait_for 15 grep -qE '/auth/hskey-authreq-[0-9A-Za-z_-]+' "$LAB/session.err" || return 1
  AUTH_ID=$(grep -oE 'hskey-authreq-[0-9A-Za-z_-]+' "$LAB/session.err" | head -n 1)
}
went_through() { [ "$(cat "$LAB/session.status")" = 0 ]; }
failed() { [ "$(cat "$LAB/session.status")" -gt 0 ]; }
waiting() { hw auth list -o json | jq -r '.[] | .authId // .auth_id'; }
nobody_waits() { [ -z "$(waiting)" ]; }

lab_up
lab_host a
lab_host b "$CLIENT_USED"
lab_host s
hw users create bob >/dev/null
new_key bob --reusable
lab_join b
user_and_key alice
lab_join a
with() { # SSH-RULES...: everything is open but for SSH
  policy <<END
{
  "tagOwners": {"tag:server": ["alice@"]},
  "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
  "ssh": [$*],
}
END
}
to_server='"src": ["alice@"], "dst": ["tag:server"], "users": ["root"]'
with "{\"action\": \"accept\", $to_server}"
lab_join s --ssh --advertise-tags=tag:server
S=$(address s)
check "the server answers" wait_for 20 reaches a "$S"

check "accept: alice gets in" wait_for 10 gets_in a "root@$S"
check_not "as another user she does not" ssh_from a "nobody@$S" id -un
check_not "nor does bob" ssh_from b "root@$S" id -un
check "tailscale ssh knows the server's key from its name" eval '[ "$(ts a ssh root@s id -un </dev/null)" = root ]'
with
check_not "without a rule she does not" ssh_from a "root@$S" id -un
policy <<<'{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}'
check_not "nor without the section" ssh_from a "root@$S" id -un

with "{\"action\": \"check\", \"checkPeriod\": \"1h\", $to_server}"
check "check: her session waits, with an address to visit" session a "root@$S"
check "the page there names the command" eval \
  'on ctl curl -fsS "$(grep -oE "http://[^ ]+/auth/[^ ]+" "$LAB/session.err")" | grep -F "headway auth approve --auth-id $AUTH_ID"'
check "auth list shows it" eval '[ "$(waiting)" = "$AUTH_ID" ]'
check "as the session that it is" eval 'hw auth list | grep -F "a to s as root"'
check_not "it has not gone on" test -s "$LAB/session"
check "approved" hw auth approve --auth-id "$AUTH_ID"
check "it goes on" wait_for 10 went_through
check "as the user that was wanted" grep -qx root "$LAB/session"
check "nobody waits any more" wait_for 5 nobody_waits
check "for the period she gets in without being asked for" gets_in a "root@$S"
check_not "bob is refused, not asked for" ssh_from b "root@$S" id -un
check "and nobody waits" nobody_waits

with "{\"action\": \"check\", \"checkPeriod\": \"always\", $to_server}"
check "another policy: she is asked for again" session a "root@$S"
refused=$AUTH_ID
check "rejected" hw auth reject --auth-id "$AUTH_ID"
check "it ends" wait_for 10 failed
check_not "a reject is final" hw auth approve --auth-id "$refused"
check_not "nothing was run" test -s "$LAB/session"
check "the next one waits again" session a "root@$S"
check "under another id" not test "$AUTH_ID" = "$refused"
check "and is let in" eval 'hw auth approve --auth-id "$AUTH_ID" && wait_for 10 went_through'
check "one waits while the daemon is killed" session a "root@$S"
daemon_kill9
daemon_start
check "its question is there after the start" eval '[ "$(waiting)" = "$AUTH_ID" ]'
check "approved, it goes on" eval 'hw auth approve --auth-id "$AUTH_ID" && wait_for 40 went_through'
check "always: each one waits" session a "root@$S"
with "{\"action\": \"check\", \"checkPeriod\": \"always\", ${to_server//alice/bob}}"
hw auth approve --auth-id "$AUTH_ID" >/dev/null 2>&1
check "whose rule has gone does not go on" wait_for 10 failed
check_not "nothing was run then either" test -s "$LAB/session"
