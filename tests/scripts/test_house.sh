#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The rules of the house are kept by the tree, and .ci/rules sees each breach.
# limit: 60
# shellcheck source=../shared/lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../shared/lib.sh"
need_commands python3 git

if git -C "$ROOT" rev-parse 2>/dev/null; then
  check "the tree keeps the rules" eval 'cd "$ROOT" && .ci/rules'
else
  skip_case "the tree keeps the rules" "a tarball has no list of files"
fi

mkdir -p "$WORK/house/common/net" "$WORK/house/common/base" "$WORK/house/server/core" "$WORK/house/server/http" "$WORK/house/tui/cli"
cd "$WORK/house" || exit 1
git init -q .
for f in common/base/err.h common/net/prefix.h server/core/core.h server/core/inside.h server/http/http.h tui/cli/cli.h; do
  echo '/* SPDX-License-Identifier: BSD-3-Clause */' >"$f"
done
check "a clean house" python3 "$ROOT/.ci/rules"

# breach FILE TEXT MESSAGE: the file with this text is complained of
breach() {
  printf '%s\n%b\n' '/* SPDX-License-Identifier: BSD-3-Clause */' "$2" >"$1"
  check "$3" eval "! python3 '$ROOT/.ci/rules' >found && grep -qF '$3' found"
  rm -f "$1"
}
breach common/net/a.c '#include "core/core.h"' 'does not see server/'
breach common/base/a.c '#include "net/prefix.h"' 'arrows run one way'
breach server/core/a.c '#include "http/http.h"' 'arrows run one way'
breach server/http/a.c '#include "core/inside.h"' 'is private to its room'
breach tui/cli/a.c '#include "core/core.h"' 'does not see server/'
breach server/core/a.c '#include <sqlite3.h>' 'is included in server/store only'
breach server/http/a.c 'void f(char *a) { strcpy(a, "x"); }' 'strcpy() has no bound'
breach server/http/a.c "/* TO""DO: later */" 'unfinished?'
breach notes.c 'int x;' 'the top level holds'
printf 'int x;\n' >server/core/b.c
check "a file without the licence's line" eval "! python3 '$ROOT/.ci/rules' >found && grep -qF 'first line is not' found"
