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
for f in common/base/err.h common/net/prefix.h server/core/core.h server/core/state.h server/http/http.h tui/cli/cli.h; do
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
breach server/http/a.c '#include "core/state.h"' 'is private to its room'
breach tui/cli/a.c '#include "core/core.h"' 'does not see server/'
breach server/core/a.c '#include <sqlite3.h>' 'is included in server/store and server/import only'
breach server/http/a.c 'void f(char *a) { strcpy(a, "x"); }' 'strcpy() has no bound'
breach server/http/a.c "/* TO""DO: later */" 'unfinished?'
breach server/core/a.c "int f(void);\nint f(void)\n{\n$(printf '    ;\\n%.0s' {1..61})}" 'f() has 62 lines'
breach server/core/a.c 'int unused(void);\nint unused(void)\n{\n    return 0;\n}' 'unused(): no program calls it'
breach tui/cli/a.c 'struct deed {\n    int x;\n};' '"deed": deed'
printf '%s\n' '/* SPDX-License-Identifier: BSD-3-Clause */' 'struct same {' '    int x;' '};' >server/http/tag.c
breach tui/cli/a.c 'struct same {\n    int x;\n};' 'struct same is defined in server/http/tag.c too'
rm -f server/http/tag.c
printf '%s\n' '/* SPDX-License-Identifier: BSD-3-Clause */' '#include "core/core.h"' >server/core/state.h
breach server/core/core.h '#include "core/state.h"' 'include each other in a circle: core state'
echo '/* SPDX-License-Identifier: BSD-3-Clause */' | tee server/core/state.h >server/core/core.h
mkdir server/core/message
printf '%s\n' '/* SPDX-License-Identifier: BSD-3-Clause */' '    U64(core_admin, id),' >server/core/message/calls.c
breach server/core/admin.h 'struct core_admin {\n    uint64_t id, lost;\n};' 'struct core_admin: lost has no row in a table of members'
rm -r server/core/message
mkdir common/net/many && for n in {1..31}; do cp common/net/prefix.h "common/net/many/f$n.h"; done
check "a full folder" eval "! python3 '$ROOT/.ci/rules' >found && grep -qF 'common/net/many: 31 source files' found"
rm -r common/net/many
breach notes.c 'int x;' 'the top level holds'
printf 'int x;\n' >server/core/b.c
check "a file without the licence's line" eval "! python3 '$ROOT/.ci/rules' >found && grep -qF 'first line is not' found"
