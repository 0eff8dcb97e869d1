#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Keys can be bound otherwise: no text of the console names the key of a command by itself. Texts say {COMMAND}, and the
key in force is put in. What dialogs and prompts take themselves (Enter, Esc, Tab, letters of a question) cannot be
bound: they, and what opens a dialog with its line of keys, may name them."""
import re
import sys
from pathlib import Path

CONSOLE = Path(__file__).resolve().parent.parent.parent / "tui/console"
KEY = re.compile(r"(?<![\w-])(?:Ctrl-\S|Alt-\S|Shift-Tab|F\d+|Esc|Enter|Tab|Space|PgUp|PgDn)(?![\w-])")
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')
# Files whose texts are about keys that no command has, and a call that is given a dialog's line of keys.
OWN_KEYS = ("dialogs/", "screen/", "script/", "settings/", "text/")
DIALOG = re.compile(r"\bdialog_(?:input|choice|form|open)\(|mem_replace\(&app->dialog->note,|\{CK_ESC, ")
failed = 0


def named(path):
    """Literals with the name of a key that may not be there."""
    source = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), path.read_text(), flags=re.S)
    statement = ""
    for number, line in enumerate(source.split("\n"), 1):
        if line.strip().startswith("#include"):
            continue
        allowed = DIALOG.search(statement + line) or ".keys =" in line
        for literal in LITERAL.findall(line):
            if KEY.search(literal) and not allowed and not KEY.fullmatch(literal[1:-1]):
                yield f"{path.relative_to(CONSOLE)}:{number}: {literal}"
        statement = "" if re.search(r"[;{}]\s*$", line) else statement + line


files = [p for p in sorted(CONSOLE.rglob("*.c")) if not str(p.relative_to(CONSOLE)).startswith(OWN_KEYS)]
found = [text for path in files for text in named(path)]
for text in found:
    print("# " + text)
print(("not ok" if found else "ok") + " 1 - no text names a key that can be bound otherwise")
print(("ok" if len(files) > 60 else "not ok") + " 2 - the files of the console are read")
print("1..2")
sys.exit(bool(found) or len(files) <= 60)
