#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Five minutes of random keys, clicks, sizes, events, answers and lost servers, under AddressSanitizer.
# limit: 180
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
cd "$ROOT" || exit 1

test=build/asan/tests/unit/tui/test_console_random
check "the test is built with AddressSanitizer" make -s VARIANT=asan "$test"
seed=$RANDOM
echo "# SEED=$seed"
check "nothing breaks the console" env SEED="$seed" SECONDS_LONG="${SOAK_SECONDS:-300}" "$test"
