# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: BSD-3-Clause
# A terminal for programs under test: one tmux server of its own for each test, never the user's. Sourced after
# ../shared/lib.sh. A test waits for a text on the screen, never for a time.
#   screen_start COLS ROWS COMMAND...   the command on a terminal of that size
#   screen_keys KEY...                  keys by tmux's names: a Enter Escape C-c Up F5; -l TEXT types literally
#   screen                              the text of the screen (screen_styled: with its attributes)
#   screen_wait SECONDS PATTERN         until a line matches (extended regular expression); screen_wait_not the opposite
#   screen_resize COLS ROWS
#   screen_ended                        has the program ended? its status is then in $SCREEN_STATUS
SCREEN_SOCKET=$WORK/tmux
screen_count=0
SCREEN_TERM=${SCREEN_TERM:-tmux-256color}

screen_tmux() { tmux -S "$SCREEN_SOCKET" -f /dev/null "$@"; }

screen_down() { [ ! -S "$SCREEN_SOCKET" ] || screen_tmux kill-server 2>/dev/null; }

screen_start() {
  local cols=$1 rows=$2
  shift 2
  command -v tmux >/dev/null || skip_all "tmux is not there"
  screen_down
  # A server that is asked to end takes a moment, in which it must not be mistaken for a new one.
  screen_count=$((screen_count + 1))
  SCREEN_SOCKET=$WORK/tmux$screen_count
  rm -f "$WORK/screen-status"
  # The status is written by a shell around the program, because the pane is gone when the program is.
  printf '%q ' "$@" >"$WORK/screen-command"
  printf '\necho $? >%q\n' "$WORK/screen-status" >>"$WORK/screen-command"
  at_exit screen_down
  # What stays on the terminal after the program is part of the test: cat keeps the pane.
  screen_tmux -u new-session -d -x "$cols" -y "$rows" "sh $WORK/screen-command; stty sane; cat" \; \
    set -g default-terminal "$SCREEN_TERM" \; set -g status off \; set -g remain-on-exit on \; set -g escape-time 0
}
screen_keys() { screen_tmux send-keys "$@"; }
screen() { screen_tmux capture-pane -p; }
screen_styled() { screen_tmux capture-pane -p -e; }
screen_has() { screen | grep -cE -- "$1" || { screen; return 1; }; }
screen_has_not() { ! screen | grep -cE -- "$1" || { screen; return 1; }; }
screen_wait() { wait_for "$1" screen_has "$2"; }
screen_wait_not() { wait_for "$1" screen_has_not "$2"; }
screen_resize() { screen_tmux resize-window -x "$1" -y "$2"; }
screen_ended() {
  [ -s "$WORK/screen-status" ] || return 1
  SCREEN_STATUS=$(cat "$WORK/screen-status")
}
