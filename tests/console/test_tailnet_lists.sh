#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# OAuth clients, webhooks, DNS and logins at the console, with the real daemon: made, changed, undone, deleted; what somebody
# else changes meanwhile; a receiver that takes deliveries, and one that does not.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"
# shellcheck source=../shared/daemon.sh
. "$(dirname "$0")/../shared/daemon.sh"
need_commands tmux jq

type_keys() { screen_keys -l "$1"; }
command_line() { type_keys ":$1"; screen_keys Enter; }
api() { curl -fsS --unix-socket "$WORK/headway.sock" "http://localhost/api/headway/$1"; }
api_is() { # PATH FILTER WANTED
  [ "$(api "$1" | jq -r "$2")" = "$3" ] || { api "$1"; return 1; }
}

daemon_configure "  mode: database"
cat >>"$WORK/config.yaml" <<END
oidc:
  only_start_if_oidc_is_available: false
  issuer: http://127.0.0.1:9/id
  client_id: headway
  client_secret: nobody
END
sed -i 's/^dns:/&\n  nameservers:\n    global: [192.0.2.53]/' "$WORK/config.yaml"
cat >>"$WORK/config.yaml" <<END
webhooks:
  allow_private: [127.0.0.0/8]
END
daemon_up

# A receiver: it notes the paths of what it takes.
python3 - "$WORK" >"$WORK/receiver" 2>&1 <<'END' &
import http.server
import sys

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1] + "/deliveries", "ab") as out:
            out.write(body + b"\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
with open(sys.argv[1] + "/port", "w") as out:
    out.write(str(server.server_port) + "\n")
server.serve_forever()
END
RECEIVER=$!
at_exit end_process "$RECEIVER"
check "the receiver is there" wait_for 10 test -s "$WORK/port"
PORT=$(cat "$WORK/port")

screen_start 120 30 env LC_ALL=C.UTF-8 XDG_STATE_HOME="$WORK/user" STATE_DIRECTORY="$WORK/state" "$HEADWAY" \
  -c "$WORK/config.yaml"
check "the console is connected" screen_wait 5 LIVE
screen_tmux set -s set-clipboard on

# --- OAuth clients
screen_keys 7 Tab Tab
check "there are no OAuth clients yet" screen_wait 5 'no OAuth clients: N creates one'
screen_keys N
type_keys backup
screen_keys Tab
type_keys 'devices:core auth_keys'
screen_keys Enter
check "the server's refusal is in the form" screen_wait 3 'tags are required when scopes include'
screen_keys Tab
type_keys backup
screen_keys Enter
check "the secret is shown" screen_wait 3 'hskey-client-'
screen_keys y
check "it can be pasted" wait_for 3 eval 'screen_tmux show-buffer 2>/dev/null | grep -c "^hskey-client-"'
SECRET=$(screen_tmux show-buffer)
screen_keys Escape
check "the client is in the list" screen_wait 3 '[0-9a-f]{12} backup +auth_keys devices:core +tag:backup'
check "the secret works" curl -fsS -o "$WORK/token" -d grant_type=client_credentials --data-urlencode "client_secret=$SECRET" \
  "http://127.0.0.1:$DAEMON_PORT/api/v2/oauth/token"
check "when it was used last is shown" screen_wait 8 'backup .* 0?[0-9]s$'
screen_keys e Tab C-u
type_keys 'dns'
screen_keys Enter
check "a change shows what was" screen_wait 3 'auth_keys devices:core .*dns'
check "and what it ends" screen_wait 3 'its access tokens end'
check "the daemon agrees" screen_wait 3 'y change'
screen_keys y
check "it is changed" wait_for 3 api_is oauth-clients '.oauthClients[0].scopes[0]' dns
screen_keys u
check "undoing it is asked" screen_wait 3 'y undo'
screen_keys y
check "the client may do what it might before" wait_for 3 api_is oauth-clients '.oauthClients[0].scopes | join(" ")' \
  'auth_keys devices:core'
check "which the list shows" screen_wait 3 'backup +auth_keys devices:core'
hw oauth-clients create -s all:read -d theirs >/dev/null
check "what somebody else makes appears" screen_wait 3 'theirs +all:read'
screen_keys d
ID=$(screen | grep -oE 'OAuth client [0-9a-f]{12}' | head -1 | cut -d' ' -f3)
check "deleting asks for its id" test -n "$ID"
check "the daemon has looked" screen_wait_not 3 'asking the server'
type_keys "$ID"
screen_keys Enter
check "it is deleted" wait_for 3 api_is oauth-clients '.oauthClients | length' 1

# --- webhooks
command_line webhooks
check "there are no webhooks yet" screen_wait 5 'no webhooks: N creates one'
screen_keys N
type_keys "http://127.0.0.1:$PORT/hook"
screen_keys Enter
check "the secret is shown once" screen_wait 3 'tskey-webhook-'
screen_keys Escape
check "the webhook is in the list" screen_wait 3 "http://127.0.0.1:$PORT/hook"
screen_keys t
check "a test event arrives" wait_for 10 grep -c '"type":"test"' "$WORK/deliveries"
check "and the list says so" screen_wait 10 "127.0.0.1:$PORT.* ok +[0-9]+s"
screen_keys e C-u
type_keys 'userCreated categoryRoutes'
screen_keys Enter
check "it is told of something else" wait_for 3 api_is webhooks '.webhooks[0].subscriptions | join(" ")' \
  'categoryRoutes userCreated'
check "which is undone" screen_wait 3 'changed'
screen_keys u
check "after a question" screen_wait 3 'y undo'
screen_keys y
check "and it is told of what it was told before" wait_for 3 api_is webhooks '.webhooks[0].subscriptions[0]' \
  categoryTailnetManagement
check "which the list shows" screen_wait 3 'events +categoryTailnetManagement'
screen_keys r
check "a new secret is asked for" screen_wait 3 'y rotate'
screen_keys y
check "and shown" screen_wait 3 'tskey-webhook-'
screen_keys Escape
end_process "$RECEIVER"
screen_keys t
check "a receiver that is not there is seen to fail" screen_wait 15 "127.0.0.1:$PORT.* failing"
check "with the reason below" screen_wait 3 'last try +[0-9]+s ago: .*127.0.0.1'
screen_keys d
check "the daemon looks at the deletion" screen_wait_not 3 'asking the server'
type_keys "127.0.0.1:$PORT"
screen_keys Enter
check "it is gone" screen_wait 10 'no webhooks'

# --- DNS
command_line dns
check "members of DNS are listed" screen_wait 5 'name servers +192.0.2.53 +configuration'
hw dns set --nameservers 9.9.9.9 >/dev/null
check "what somebody else sets appears while it is open" screen_wait 3 'name servers +9.9.9.9 +administrator +192.0.2.53'
hw dns reset >/dev/null
check "and goes" screen_wait 3 'name servers +192.0.2.53 +configuration'
screen_keys g j j e C-u
type_keys '1.1.1.1, 8.8.8.8'
screen_keys Enter
check "a change is a plan" screen_wait 3 '192.0.2.53 .* 1.1.1.1, 8.8.8.8'
check "that the daemon agrees to" screen_wait 3 'y change'
screen_keys y
check "it is set" wait_for 3 api_is dns '.nameservers | join(" ")' '1.1.1.1 8.8.8.8'
check "by an administrator" screen_wait 3 'name servers +1.1.1.1 8.8.8.8 +administrator'
screen_keys u
check "it can be undone" screen_wait 3 'y undo'
screen_keys y
check "and is as configured" wait_for 3 api_is dns '.set | length' 0
screen_keys N
type_keys corp.example
screen_keys Tab
type_keys 10.0.0.53
screen_keys Enter
check "a domain is added after a plan" screen_wait 3 'y add'
screen_keys y
check "with its name server" screen_wait 3 'corp.example +10.0.0.53 +administrator'
screen_keys x
check "what is as configured is not reset" screen_wait 3 'it is as configured'
screen_keys G k k x
check "split DNS can be" screen_wait 3 'y reset'
screen_keys y
check "it has no domain then" wait_for 3 api_is dns '.splitDNS | length' 0
check "on the screen, too" screen_wait 8 'split DNS +none +configuration'

# --- logins
hw users create alice >/dev/null
hw users link alice --provider default --subject 4711 >/dev/null
screen_keys 6 Tab
check "a login is listed with its user" screen_wait 5 'alice +default +4711'
screen_keys w
check "and where it comes from" screen_wait 3 'never: an administrator linked it'
screen_keys Escape d
check "ending it is asked" screen_wait 3 'y unlink'
screen_keys y
check "it is no longer linked" wait_for 3 api_is identities '.identities | length' 0
check "which the list shows" screen_wait 8 'no OpenID provider knows anybody'
screen_keys u
check "it can be undone" screen_wait 3 'y undo'
screen_keys y
check "and is linked again" screen_wait 3 'alice +default +4711'

# --- who may only read
hw apikeys create --read-only -d reader >"$WORK/reader"
screen_start 100 30 env LC_ALL=C.UTF-8 XDG_STATE_HOME="$WORK/user" STATE_DIRECTORY="$WORK/state" \
  HEADSCALE_CLI_ADDRESS="http://127.0.0.1:$DAEMON_PORT" HEADSCALE_CLI_API_KEY="$(cat "$WORK/reader")" "$HEADWAY"
check "a key that may only read shows them" screen_wait 5 READ-ONLY
command_line dns
check "all of DNS" screen_wait 5 'name servers +192.0.2.53'
screen_keys g e
check "and changes nothing" screen_wait 3 'your API key is read-only'
