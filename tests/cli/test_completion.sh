#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The completion scripts are read by their shells, and offer what the table of commands holds.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
headway=${HEADWAY:-build/release/headway}
failed=0 number=0
echo 1..25

check() { # NAME WANTED GOT
  number=$((number + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    printf '# wanted: %s\n# is:     %s\n' "$2" "$3"
    failed=1
  fi
}
skip() {
  number=$((number + 1))
  echo "ok $number - $1 # SKIP $2 is not installed"
}

# What bash would offer for the words, of which the last is being typed.
offered() {
  bash -c 'source <("$1" completion bash); shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _headway; [ "${#COMPREPLY[@]}" = 0 ] || printf "%s " "${COMPREPLY[@]}"' \
    _ "$headway" "$@"
}

check "bash: a command" "nodes " "$(offered headway nod)"
check "bash: a command below an alias" "list list-routes " "$(offered headway machine li)"
check "bash: flags of a command, global ones too" "--identifier --insecure " "$(offered headway nodes approve-routes --i)"
check "bash: values of a flag" "json json-line " "$(offered headway nodes list -o js)"
check "bash: nothing hidden" "" "$(offered headway nodes list --nam)"
check "bash: values of a flag in the same word" "--output=json --output=json-line " "$(offered headway nodes list --output=js)"
check "bash: values of a flag as readline splits them" "json json-line " "$(offered headway nodes list --output = js)"
check "bash: all values of a flag as readline splits them" "json json-line yaml " "$(offered headway nodes list --output =)"
check "bash: values of the console's flags" "dark " "$(offered headway --theme da)"
check "bash: the value of a flag is no command" "list list-routes " "$(offered headway -c nodes nodes li)"
check "bash: its own argument" "bash " "$(offered headway completion b)"
check "bash: another command's argument" "owner " "$(offered headway users set-role o)"
check "bash: a command to be helped with" "list list-routes " "$(offered headway help nodes li)"
here=tests/cli/cases
check "bash: a flag's file" "$here/good.hujson " "$(offered headway policy set -f $here/goo)"
check "bash: a flag's file in the same word" "--file=$here/good.hujson " "$(offered headway policy set --file=$here/goo)"
check "bash: an argument's file" "$here/good.hujson " "$(offered headway policy preview $here/goo)"
check "bash: a letter that means something else elsewhere" "--follow --force " "$(offered headway events -f --fo)"
if command -v zsh >/dev/null; then
  check "zsh reads its script" "0" "$("$headway" completion zsh | zsh -n 2>&1; echo $?)"
else
  skip "zsh reads its script" zsh
fi
if command -v fish >/dev/null; then
  check "fish reads its script" "0" "$("$headway" completion fish | fish -n 2>&1; echo $?)"
  check "fish: a command below an alias" "list list-routes " \
    "$(HOME=/proc/nowhere fish --no-config -c "source ($headway completion fish | psub); complete -C 'headway machine li' | cut -f1" 2>/dev/null | sort | tr '\n' ' ')"
  fish_offers() {
    HOME=/proc/nowhere fish --no-config -c "source ($headway completion fish | psub); complete -C '$1' | cut -f1" 2>/dev/null | sort | tr '\n' ' '
  }
  check "fish: values of a flag in the same word" "--output=json --output=json-line " "$(fish_offers 'headway nodes list --output=js')"
  check "fish: its own argument" "bash " "$(fish_offers 'headway completion b')"
  check "fish: a flag's file" "$here/good.hujson " "$(fish_offers "headway policy set -f $here/goo")"
  check "fish: an argument's file" "$here/good.hujson " "$(fish_offers "headway policy preview $here/goo")"
  check "fish: the value of a flag is no command" "nodes " "$(fish_offers 'headway -c nodes nod')"
else
  skip "fish reads its script" fish
  for case in "a command below an alias" "values of a flag in the same word" "its own argument" "a flag's file" \
    "an argument's file" "the value of a flag is no command"; do
    skip "fish: $case" fish
  done
fi
exit $failed
