#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs the tests and ends with one line: N passed, N failed, N skipped. The exit status is 1 when one failed.
#   tests/run.sh                  everything that `make check` runs
#   tests/run.sh KIND...          build, unit, messages, fuzz, vectors, or a folder of tests/ that holds test_*.sh or test_*.py
#   tests/run.sh KIND/NAME...     one file of that kind: unit/prefix is tests/unit/common/test_prefix.c
#   tests/run.sh soak             the folders' tests in their long form, and soak_*.sh
# VARIANT=release|debug|asan|tsan in the environment runs everything in that variant only.
#
# A test is a program that prints TAP (cmocka does, tests/shared/lib.sh does). One that prints none is one case by its
# exit status: 0 passed, 77 skipped (the last line says why). In its first 15 lines "limit: SECONDS" is its time limit, and
# "alone: WHY" says that no other test may run beside it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
shopt -s nullglob
export LC_ALL=C.UTF-8 TZ=UTC
logs=build/check
passed=0 failed=0 skipped=0
failures=()

mkdir -p "$logs"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/headway-check.XXXXXX")
chmod 0711 "$scratch" # a test that plays another user has its home in here

# What a test started lives in one process group, whose number timeout(1) leads.
finish() {
  local f
  for f in "$scratch"/group.*; do kill -TERM -- "-$(cat "$f")" 2>/dev/null; done
  wait
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# count LOG STATUS: reads TAP; prints "PASSED FAILED SKIPPED" and then one line for each case that failed or was skipped.
count() {
  awk -v status="$2" '
    function name(s) { sub(/^(not )?ok *[0-9]* *-? */, "", s); return s }
    /^1\.\.[0-9]+/ { plan += substr($1, 4) + 0; tap = 1 }
    /^(not )?ok( .*)?# *[Ss][Kk][Ii][Pp]/ { s++; n++; t = $0; r = $0
      sub(/ *# *[Ss][Kk][Ii][Pp].*/, "", t); sub(/.*# *[Ss][Kk][Ii][Pp] */, "", r); t = name(t)
      lines = lines "skip " (t == "" ? r : t ": " r) "\n"; next }
    /^ok( |$)/ { p++; n++; next }
    /^not ok( |$)/ { f++; n++; lines = lines "fail " name($0) "\n"; next }
    NF { last = $0 }
    END {
      if (n == 0 && !tap) {
        if (status == 0) p = 1
        else if (status == 77) { s = 1; lines = "skip " last "\n" }
      } else if (status == 77) { s++; lines = lines "skip the rest: " last "\n"
      } else if (n < plan) { f++; lines = lines "fail ended after " n + 0 " of " plan " cases\n" }
      if (status != 0 && status != 77 && !f) {
        f = 1
        lines = lines "fail " (status == 124 || status == 137 ? "time limit" : "exit status " status) "\n"
      }
      printf "%d %d %d\n%s", p, f, s, lines
    }' "$1"
}

# report LABEL LOG STATUS SECONDS
report() {
  local label=$1 log=$2 out p f s what
  out=$(count "$log" "$3")
  read -r p f s <<<"$out"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  what="$p passed"
  [ "$f" = 0 ] || what+=", $f failed"
  [ "$s" = 0 ] || what+=", $s skipped"
  printf '%-34s %s (%s s)\n' "$label" "$what" "$4"
  sed -n "2,\$s|^skip |  skipped $label: |p" <<<"$out"
  [ "$f" = 0 ] && return
  while read -r what; do
    failures+=("$label: $what")
    echo "  FAILED $label: $what"
  done < <(sed -n '2,$s/^fail //p' <<<"$out")
  echo "  --- the end of $log"
  tail -n 25 "$log" | sed 's/^/  | /'
}

skip() { # LABEL REASON
  skipped=$((skipped + 1))
  echo "  skipped $1: $2"
}

# case_run NUMBER LABEL LIMIT COMMAND...: its output goes to its log, "STATUS SECONDS" to $scratch/status.NUMBER
case_run() {
  local number=$1 log=$logs/${2//[\/ ]/-}.log limit=$3 began=$SECONDS status=0 group
  shift 3
  mkdir -p "$scratch/t$number"
  TMPDIR=$scratch/t$number timeout -k 20 "$limit" "$@" >"$log" 2>&1 </dev/null &
  group=$!
  echo "$group" >"$scratch/group.$number"
  wait "$group" || status=$?
  # What is ending by itself was not left behind.
  for _ in $(seq 30); do
    kill -0 -- "-$group" 2>/dev/null || break
    sleep 0.1
  done
  if kill -TERM -- "-$group" 2>/dev/null; then
    echo "it left processes behind" >>"$log"
    [ "$status" != 0 ] || status=1
  fi
  rm -rf "$scratch/group.$number" "$scratch/t$number"
  echo "$status $((SECONDS - began))" >"$scratch/status.$number"
}

# case_report NUMBER LABEL
case_report() {
  local status seconds
  read -r status seconds <"$scratch/status.$1"
  rm -f "$scratch/status.$1"
  report "$2" "$logs/${2//[\/ ]/-}.log" "$status" "$seconds"
}

# run LABEL LIMIT COMMAND...
run() {
  case_run 0 "$@"
  case_report 0 "$1"
}

# Cases that may run beside each other: put one in, as for run, and report all of them, in this order.
beside=() shown=0
run_beside() {
  while [ "$(jobs -rp | wc -l)" -gt "$(nproc)" ]; do wait -n || true; done
  case_run "${#beside[@]}" "$@" &
  beside+=("$1")
  show_beside
}
# show_beside: those that have ended, as far as none before them still runs
show_beside() {
  while [ "$shown" -lt "${#beside[@]}" ] && [ -s "$scratch/status.$shown" ]; do
    case_report "$shown" "${beside[$shown]}"
    shown=$((shown + 1))
  done
}
# A status that could not be written, as on a full disk, is a failure, and none is left for the next kind.
end_beside() {
  local i
  wait
  for ((i = shown; i < ${#beside[@]}; i++)); do
    [ -s "$scratch/status.$i" ] || echo "125 0" >"$scratch/status.$i"
  done
  show_beside
  while [ "$shown" -lt "${#beside[@]}" ]; do
    failed=$((failed + 1))
    failures+=("${beside[$shown]}: its status is lost")
    echo "  FAILED ${beside[$shown]}: its status is lost"
    shown=$((shown + 1))
  done
  rm -f "$scratch"/status.*
  beside=() shown=0
}

# wanted KIND NAME: is that file among what was asked for?
only=() whole=' '
wanted() {
  local o
  [[ $whole != *" $1 "* ]] || return 0
  for o in "${only[@]}"; do [ "$o" != "$1/$2" ] || return 0; done
  return 1
}

declare -A built=()
# build VARIANT TARGET...: once in a run; a failure is a failed case
build() {
  local v=$1 log=$logs/make-$1.log
  shift
  if [ -z "${built[$v]:-}" ]; then
    local began=$SECONDS status=0
    make -k -j2 "VARIANT=$v" WERROR=1 all build-tests >"$log" 2>&1 || status=$?
    built[$v]=$((status + 1))
    [ "$status" = 0 ] || report "build/gcc-without-a-warning $v" "$log" "$status" $((SECONDS - began))
  fi
  [ "${built[$v]}" = 1 ]
}

limit_of() { # FILE DEFAULT, tenfold in a soak
  local l
  l=$(sed -n '1,15s/^[^a-z]*limit: \([0-9]\+\).*/\1/p' "$1" | head -n 1)
  l=${l:-$2}
  echo $((l * (soak ? 10 : 1)))
}

kind_build() {
  local v
  for v in ${VARIANT:-release}; do
    if build "$v"; then report "build/gcc-without-a-warning $v" "$logs/make-$v.log" 0 "$SECONDS"; fi
  done
  run build/clang-without-a-warning 900 make -k -j2 check-clang
  run build/each-header-alone 300 make -k -j2 check-each-header
  run build/common-stands-alone 60 make "VARIANT=${VARIANT:-release}" WERROR=1 check-common-alone
}

kind_unit() {
  local v src name
  for v in ${VARIANT:-asan release tsan}; do
    build "$v"
    for src in tests/unit/*/test_*.c; do
      name=$(basename "$src" .c) name=${name#test_}
      wanted unit "$name" || continue
      # A program that did not link is named here; why stands in make-VARIANT.log.
      CMOCKA_MESSAGE_OUTPUT=TAP run_beside "unit/$name $v" "$(limit_of "$src" 120)" "build/$v/${src%.c}"
    done
    end_beside
  done
}

# The tests that go by the core, with one whose calls and publications pass through bytes; then a whole daemon with it.
kind_messages() {
  local v=${VARIANT:-release} src name dir
  build "$v" && make -k -j2 "VARIANT=$v" WERROR=1 build-messages >"$logs/make-messages.log" 2>&1
  dir=$PWD/build/$v/messages
  for src in $(make -s "VARIANT=$v" print-message-tests); do
    name=$(basename "$src" .c) name=${name#test_}
    wanted messages "$name" || continue
    CMOCKA_MESSAGE_OUTPUT=TAP run_beside "messages/$name" "$(limit_of "$src" 120)" "$dir/${src%.c}"
  done
  for src in tests/durability/test_restart.py tests/api/test_api.py; do
    name=$(basename "$src" .py) name=${name#test_}
    wanted messages "$name" || continue
    HEADWAYD=$dir/headwayd HEADWAY=$PWD/build/$v/headway VARIANT_RUN=$v run_beside "messages/$name" "$(limit_of "$src" 300)" python3 "$src"
  done
  end_beside
}

kind_fuzz() {
  local src name v=${VARIANT:-asan} corpus
  build "$v"
  for src in tests/fuzz/fuzz_*.c; do
    name=${src#tests/fuzz/fuzz_} name=${name%.c}
    corpus=tests/fuzz/corpus/$name
    wanted fuzz "$name" || continue
    if [ -z "$(find "$corpus" -type f -print -quit 2>/dev/null)" ]; then
      run_beside "fuzz/$name $v" 5 sh -c "echo 'no corpus: $corpus'; exit 1"
    else
      run_beside "fuzz/$name $v" "$(limit_of "$src" 300)" "build/$v/tests/fuzz/fuzz_${name}_replay" "$corpus"
    fi
  done
  end_beside
}

kind_vectors() {
  local src name v=${VARIANT:-release} dir=${DIR:-../shared/vectors/policy}
  for src in tests/vectors/run_*.c; do
    name=${src#tests/vectors/run_} name=${name%.c}
    wanted vectors "$name" || continue
    if [ ! -d "$dir" ]; then
      skip "vectors/$name" "$dir is not there"
      continue
    fi
    build "$v"
    run "vectors/$name $v" 600 "build/$v/tests/vectors/run_$name" "$dir"
  done
}

kind_folder() {
  local kind=$1 file name v=${VARIANT:-release} files
  files=(tests/"$kind"/test_*.sh tests/"$kind"/test_*.py)
  if ((soak)); then files+=(tests/"$kind"/soak_*.sh); fi
  [ "${#files[@]}" -gt 0 ] || return 0
  build "$v"
  if [ -x "tests/$kind/prepare.sh" ]; then
    echo "$kind: preparing (log: $logs/$kind-prepare.log)"
    "tests/$kind/prepare.sh" >"$logs/$kind-prepare.log" 2>&1
  fi
  export HEADWAYD=$PWD/build/$v/headwayd HEADWAY=$PWD/build/$v/headway VARIANT_RUN=$v
  for file in "${files[@]}"; do
    if ! is_alone "$file"; then folder_file run_beside "$kind" "$file"; fi
  done
  end_beside
  for file in "${files[@]}"; do
    if is_alone "$file"; then folder_file run "$kind" "$file"; fi
  done
}

is_alone() { sed -n 1,15p "$1" | grep -q '^# alone: '; }

folder_file() { # run|run_beside KIND FILE
  local name interpreter=bash
  name=$(basename "$3") name=${name#test_} name=${name%.*}
  wanted "$2" "$name" || return 0
  [[ $3 != *.py ]] || interpreter=python3
  "$1" "$2/$name" "$(limit_of "$3" 300)" "$interpreter" "$3"
}

folders() {
  local f
  for f in tests/*/test_*.sh tests/*/test_*.py tests/*/soak_*.sh; do
    basename "$(dirname "$f")"
  done | sort -u
}

soak=0
kinds=()
for arg in "$@"; do
  case $arg in
  soak) soak=1 ;;
  */*) only+=("$arg") kinds+=("${arg%%/*}") ;;
  *) kinds+=("$arg") whole+="$arg " ;;
  esac
done
export SOAK=$soak
if [ "${#kinds[@]}" = 0 ]; then
  ((soak)) || kinds=(build unit messages fuzz vectors)
  mapfile -t -O "${#kinds[@]}" kinds < <(folders)
  whole=" ${kinds[*]} "
fi

ran=' '
for kind in "${kinds[@]}"; do
  [[ $ran != *" $kind "* ]] || continue
  ran+="$kind "
  case $kind in
  build | unit | messages | fuzz | vectors) "kind_$kind" ;;
  *)
    if [ ! -d "tests/$kind" ]; then
      echo "tests/run.sh: no kind of tests is called $kind; there are: build unit messages fuzz vectors $(folders | tr '\n' ' ')soak" >&2
      exit 2
    fi
    kind_folder "$kind"
    ;;
  esac
done
if [ $((passed + failed + skipped)) = 0 ]; then
  echo "tests/run.sh: nothing by that name: $*" >&2
  exit 2
fi

if [ "$failed" -gt 0 ]; then
  echo
  printf 'failed  %s\n' "${failures[@]}"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
