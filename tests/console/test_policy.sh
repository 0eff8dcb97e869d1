#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The policy at the console, with the real daemon: read, break, repair, review, save; somebody else is faster;
# names completed and mended, a merge with a note; the user's own editor; text that outlives a crash; a policy that is a file's.
# limit: 120
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
# shellcheck source=screen.sh
. "$(dirname "$0")/screen.sh"
# shellcheck source=../shared/daemon.sh
. "$(dirname "$0")/../shared/daemon.sh"
need_commands tmux

type_keys() { screen_keys -l "$1"; }
policy_has() { hw policy get | grep -cF -- "$1" || { hw policy get; return 1; }; }
policy_has_not() { ! policy_has "$1"; }

console() {
  screen_start 100 30 env LC_ALL=C.UTF-8 XDG_STATE_HOME="$WORK/user" STATE_DIRECTORY="$WORK/state" VISUAL= EDITOR="${1:-false}" \
    TMPDIR="$WORK/tmp" XDG_RUNTIME_DIR= sh -c "echo \$\$ >'$WORK/pid'; exec '$HEADWAY' -c '$WORK/config.yaml'"
  screen_wait 5 LIVE >/dev/null
}

mkdir -p "$WORK/tmp"
daemon_configure "  mode: database"
daemon_up
cat >"$WORK/policy" <<'EOF'
{
  // who may do what
  "groups": {"group:ops": ["alice@"]},
  "acls": [
    {"action": "accept", "src": ["group:ops"], "dst": ["*:22"]},
  ],
}
EOF
hw users create alice >/dev/null
hw policy set -f "$WORK/policy" >/dev/null

# --- read, break, repair, review, save
console
screen_keys 4
check "the policy is shown with its line numbers" screen_wait 3 '^ +5 +\{"action": "accept"'
check "and its version" screen_wait 3 'version [0-9]+'
screen_keys j j j j e End
check "the editor is there" screen_wait 3 EDIT
screen_keys BSpace BSpace
check "a mistake is named while it is typed" screen_wait 3 '1 error'
check "with its place" screen_wait 3 '^ E [0-9]+:[0-9]+ '
type_keys '},'
check "repaired, it is forgotten" screen_wait_not 3 '1 error'
screen_keys End Enter
type_keys '{"action": "accept", "src": ["alice@"], "dst": ["*:443"]}, // added here'
check "the text is marked as changed" screen_wait 3 MODIFIED
check "and the line that is new" screen_wait 3 '^\+ +6'
check "and kept beside the screen" wait_for 3 eval 'ls "$WORK"/user/headway/policy-*.draft'
check "for its owner only" eval '[ "$(stat -c %a "$WORK"/user/headway/policy-*.draft)" = 600 ]'
check "the daemon has the old one" policy_has_not 'added here'
screen_keys C-s
check "a review comes before it is saved" screen_wait 5 'review'
check "with who gains and loses" screen_wait 3 'access: [0-9]+ pair'
screen_keys Tab
check "and the text's changes" screen_wait 3 '^ \+ .*added here'
screen_keys Enter
check "it is saved" screen_wait 5 'policy saved as version'
check "the daemon has it" wait_for 3 policy_has 'added here'
check "no draft is left" wait_for 3 eval '! ls "$WORK"/user/headway/policy-*.draft'
screen_keys u
check "taking it back is asked" screen_wait 3 'y undo'
screen_keys y
check "and done" wait_for 3 policy_has_not 'added here'
check "also on the screen" screen_wait_not 3 'added here'

# --- what was the policy, and who reaches what
screen_keys L
check "the texts that were the policy are listed" screen_wait 5 'in force'
screen_keys Down # letters would look in the times too
screen_keys Enter
check "one is compared or restored" screen_wait 3 'restore it: reviewed'
screen_keys Down Enter
check "restoring is reviewed" screen_wait 5 'Enter saves it'
screen_keys Tab
check "with what comes back" screen_wait 3 '^ \+ .*added here'
screen_keys Escape D y
check "and is given up like any edit" screen_wait_not 3 'added here'
screen_keys 3 Tab
check "who reaches what is a matrix" screen_wait 5 '^. group:ops +- +-'
check "which says what is under the cursor" screen_wait 3 'group:ops: no rule opens it'
screen_keys w
check "a group without a device is nobody to explain" screen_wait 5 'no node, user, tag or address with a device'
screen_keys 4
screen_wait 3 'who may' >/dev/null

# --- what a selector means; undoing what somebody changed again
screen_wait_not 9 'Ctrl-Z in the editor' >/dev/null
screen_keys g j j e End Left Left Left Left
check "the nodes that a user has are counted" screen_wait 3 'alice@ matches 0 nodes'
screen_keys Escape
screen_keys 6 g n C-u
type_keys alicia
screen_keys Enter
screen_wait 3 'alice renamed to alicia' >/dev/null
hw users rename --name alicia --new-name ann >/dev/null
screen_wait 3 '^. +ann ' >/dev/null
screen_keys u
check "undoing says what somebody changed since then" screen_wait 3 'changed since then by .*: User alicia is now called ann'
screen_keys y
check "and is done when told to" screen_wait 3 '^. +alice '
screen_keys 4
screen_wait 3 'who may' >/dev/null

# --- somebody else is faster
screen_keys g j e
screen_keys End
type_keys ' mine'
sed 's|// who|// THEIRS: who|' "$WORK/policy" | hw policy set -f - >/dev/null
check "another's change is told while one types" screen_wait 5 'OUTDATED'
screen_keys C-s
screen_wait 5 'Enter saves it' >/dev/null
screen_keys Enter
check "saving over it asks" screen_wait 5 'somebody else has saved'
check "nothing was written over" policy_has THEIRS
screen_keys t
check "theirs can be seen" screen_wait 3 '^ \+ .*THEIRS'
screen_keys Escape
check "the question stays" screen_wait 3 'somebody else has saved'
screen_keys k
check "mine over theirs is shown first" screen_wait 5 'Enter saves it'
screen_keys Tab
check "with what theirs loses" screen_wait 3 '^ - .*THEIRS'
screen_keys Enter
check "and saved by the user's word" wait_for 5 policy_has ' mine'
check "over theirs" policy_has_not THEIRS

# --- help with typing; a note; what two people changed apart
screen_keys g j j j j e End Enter
type_keys '{"action": "accept", "src": ["group:opz"], "dst": ["*:22"]},'
check "a name that is wrong says what was meant" screen_wait 3 'did you mean "group:ops"'
screen_keys M-Enter
check "and is mended by a key" screen_wait 3 'group:ops instead of group:opz'
check "a rule that opens nothing more is named by its line" screen_wait 3 '^ W 6:[0-9]+ +acl 2 opens nothing more: line 5'
screen_keys M-w
check "and explained with that line" screen_wait 3 'line 5 +\{"action": "accept", "src": \["group:ops"\]'
screen_keys Escape
check "without leaving the editor" screen_has 'EDIT'
check "checks of files tell of it too" eval 'sed "s|^  \],|{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": []},],|" "$WORK/policy" >"$WORK/empty"
  hw policy check -f "$WORK/empty" 2>&1 | grep -c "opens nothing: it has no destinations"'
screen_keys End Enter
type_keys '{"action": "accept", "src": ["group:o'
screen_keys C-Space
check "a name is completed" screen_wait 3 '^. +7.*"src": \["group:ops"'
type_keys '], "dst": ["*:4'
screen_keys C-Space
check "also its ports" screen_wait 3 '^. +7.*"\*:443"'
type_keys ']},'
screen_keys C-s
check "the review has panes" screen_wait 5 'tests  routes  cost'
screen_keys Tab Tab
check "of tests" screen_wait 3 'tests: 0 passed, 0 failed'
screen_keys Tab Tab
check "and of what it costs" screen_wait 3 'of [0-9]+ nodes are told something else'
screen_keys n
type_keys 'ticket 12'
screen_keys Enter
check "a note is taken" screen_wait 3 'note: ticket 12'
hw policy get | sed 's|^  "groups"|  // THEIRS\n&|' | hw policy set -f - --note elsewhere >/dev/null
screen_keys Enter
check "somebody was faster" screen_wait 5 '1 theirs, 1 yours, 0 by both'
screen_keys m
check "both are merged and reviewed" screen_wait 5 'Enter saves it'
screen_keys Enter
check "the merged text is saved" wait_for 5 policy_has ':443'
check "with what the other one wrote" policy_has THEIRS
check "and the note" eval 'hw policy log | grep -c "in force | ticket 12"'
check "which the journal shows" eval 'hw events | grep -c "changed (+2 rules): ticket 12"'

# --- the user's own editor
screen_keys C-c
wait_for 5 screen_ended >/dev/null || { screen_keys C-c; wait_for 5 screen_ended >/dev/null; }
cat >"$WORK/editor" <<EOF
#!/bin/sh
stat -c '%a %n' "\$1" "\$(dirname "\$1")" >"$WORK/seen"
sed -i 's|mine|from the editor|' "\$1"
EOF
chmod +x "$WORK/editor"
console "$WORK/editor"
screen_keys 4
screen_wait 3 ' mine' >/dev/null
screen_keys C-e
check "the editor's text comes back" screen_wait 5 'from the editor'
check "as a change that is not saved" screen_wait 3 MODIFIED
check "its file was the user's alone" grep -q '^600 .*policy.hujson' "$WORK/seen"
check "and so was its folder" grep -q "^700 $WORK/tmp/headway-" "$WORK/seen"
check "nothing of it is left" eval '[ -z "$(ls -A "$WORK/tmp")" ]'
screen_keys e C-z
check "it is one step to take back" screen_wait_not 3 'from the editor'
screen_keys Escape
screen_keys C-c
wait_for 5 screen_ended >/dev/null
console "sh -c 'exit 3'"
screen_keys 4
screen_wait 3 ' mine' >/dev/null
screen_keys C-e
check "an editor that fails is named" screen_wait 5 'ended with status 3'
check "and changes nothing" screen_has_not MODIFIED

# --- what is pasted is text, and one step
printf '  // pasted one\n  // d1 two\n' >"$WORK/paste"
screen_tmux load-buffer "$WORK/paste"
screen_tmux paste-buffer -p
check "a paste is no command where nothing is typed" screen_wait 3 'not pasted'
screen_keys g e Down
screen_tmux paste-buffer -p
check "it comes in as it is" screen_wait 3 '^ +3 +// d1 two'
screen_keys C-z
check "and goes at once" screen_wait_not 3 'pasted one'
screen_keys Escape

# --- a crash
screen_keys g e
type_keys '// outlives '
check "what is typed is kept" wait_for 3 eval 'grep -q outlives "$WORK"/user/headway/policy-*.draft'
kill -KILL "$(cat "$WORK/pid")"
wait_for 5 screen_ended >/dev/null
console
screen_keys 4
check "the next console offers it" screen_wait 5 'unsaved text found'
screen_keys r
check "and takes it up" screen_wait 3 '// outlives \{'
kill -SEGV "$(cat "$WORK/pid")"
wait_for 5 screen_ended >/dev/null
console
screen_keys 4
check "a second time, too" screen_wait 5 'unsaved text found'
screen_keys r
screen_wait 3 '// outlives \{' >/dev/null
kill -TERM "$(cat "$WORK/pid")"
wait_for 5 screen_ended >/dev/null
check "the end says that it is kept" screen_wait 3 'unsaved policy is kept'
console
screen_keys 4
check "and so it is" screen_wait 5 'unsaved text found'
screen_keys D
check "until it is dropped" wait_for 3 eval '! ls "$WORK"/user/headway/policy-*.draft'
screen_keys C-c
wait_for 5 screen_ended >/dev/null

# --- Ctrl-Z in the user's editor, which the terminal sends to both
cat >"$WORK/editor" <<EOF
#!/bin/sh
kill -TSTP 0
sed -i 's|who may|who now may|' "\$1"
EOF
screen_start 100 30 env LC_ALL=C.UTF-8 XDG_STATE_HOME="$WORK/user" STATE_DIRECTORY="$WORK/state" VISUAL="$WORK/editor" PS1='prompt> ' bash --norc -i
screen_wait 3 'prompt>' >/dev/null
type_keys "'$HEADWAY' -c '$WORK/config.yaml'"
screen_keys Enter
screen_wait 5 LIVE >/dev/null
screen_keys 4
screen_wait 3 'who may' >/dev/null
screen_keys C-e
check "stopping the editor gives the shell back" screen_wait 5 'Stopped'
type_keys fg
screen_keys Enter
check "going on brings its text, and the console" screen_wait 5 'who now may'
screen_keys D y
check "what it changed can be dropped" screen_wait_not 3 'who now may'
screen_keys C-c
screen_wait 3 'prompt> *$' >/dev/null

# --- a file's policy
daemon_down
daemon_configure "  mode: file
  path: $WORK/policy"
daemon_up
console
screen_keys 4
check "a file's policy says that it is only read" screen_wait 5 'read-only: from a file'
screen_keys e
check "and why" screen_wait 3 'policy.mode'
screen_keys a
check "adopting it is offered" screen_wait 3 'copy the policy from its file'
screen_keys y
check "and done" screen_wait 3 'was copied from its file'
screen_keys Escape
type_keys ':keys'
screen_keys Enter
screen_wait 3 'pre-auth key' >/dev/null
screen_keys C-c
check "the console ends" wait_for 5 screen_ended
check "what was typed is kept with the user's state" grep -qx ':keys' "$WORK/user/headway/console.history"
check "by server" grep -q '^%.*/' "$WORK/user/headway/console.history"
check "for its owner only, too" eval '[ "$(stat -c %a "$WORK/user/headway/console.history")" = 600 ]'
check "nothing of the console is in the daemon's folder" eval \
  '! find "$WORK" -path "$WORK/user" -prune -o \( -name "console.history*" -o -name "policy-*.draft" \) -print | grep .'
