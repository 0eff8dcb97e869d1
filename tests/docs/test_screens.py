#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The screens of README.md are what the console draws. Above each stands, in a comment, the command that makes it:

    <!-- screen: headway --snapshot routes --replay tests/docs/console.recording -->

UPDATE=1 writes them anew; read the difference before you keep it."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
HEADWAY = os.path.abspath(os.environ.get("HEADWAY", str(TOP / "build/release/headway")))
PAGE = TOP / "README.md"
SCREEN = re.compile(r"(<!-- screen: headway ([^\n]*) -->\n```text\n)(.*?)(```\n)", re.S)
ENV = {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
failed = 0


def say(good, name):
    global failed
    say.count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {say.count} - {name}")


say.count = 0


def draw(match):
    command = match.group(2)
    done = subprocess.run([HEADWAY, *shlex.split(command)], cwd=TOP, env=ENV, text=True, capture_output=True, timeout=60)
    say(done.returncode == 0 and done.stdout == match.group(3), f"headway {command}")
    if done.returncode or done.stdout != match.group(3):
        print("".join("# " + line + "\n" for line in (done.stderr + done.stdout).split("\n")))
    return match.group(1) + (match.group(3) if done.returncode else done.stdout) + match.group(4)


text = PAGE.read_text()
now = SCREEN.sub(draw, text)
say(say.count > 0, "README.md has screens")
drawn = [block for block in re.findall(r"(<!-- screen: [^\n]* -->\n)?```text\n(.*?)```\n", text, re.S) if "LIVE" in block[1]]
say(all(block[0] for block in drawn), "each screen says what makes it")
if os.environ.get("UPDATE") == "1":
    PAGE.write_text(now)
print(f"1..{say.count}")
sys.exit(failed > 0)
