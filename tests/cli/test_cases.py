#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the transcripts in cases/: what is typed, what the daemon is asked, what is printed, to the byte.

A transcript holds commands ("$ NAME=value headway ...", or headscale), and behind each what is typed at a question ("< "), the requests
that it makes ("> "), its standard output ("  "), its standard error ("! ") and its exit status ("? ", when not 0).
Behind ">/dev/full" nothing can be written, behind ">&-" standard output is closed.
UPDATE=1 writes the transcripts anew; read the difference before you keep it."""
import difflib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import fake

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
PROGRAMS = {}
HEADWAY = os.path.abspath(os.environ.get("HEADWAY", str(TOP / "build/release/headway")))


def run(line, typed, socket, server):
    words = shlex.split(line)
    env = {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", "LC_ALL": "C.UTF-8", "HEADWAY_UNIX_SOCKET": socket}
    while "=" in words[0]:
        name, value = words.pop(0).split("=", 1)
        env[name] = value
    program = PROGRAMS[words.pop(0)]
    full = words[-1:] == [">/dev/full"] and words.pop()
    closed = words[-1:] == [">&-"] and words.pop()
    argv = ["sh", "-c", 'exec "$@" >&-', "sh", program] if closed else [program]
    del server.seen[:]
    with open("/dev/full", "w") as nowhere:
        done = subprocess.run(argv + words, input=typed, env=env, cwd=HERE / "cases", text=True, timeout=60,
                              stdout=nowhere if full else subprocess.PIPE, stderr=subprocess.PIPE)
    done.stdout = done.stdout or ""
    hide = lambda text: text.replace(socket, "SOCKET").replace(str(HERE), "HERE")
    out = ["> " + s for s in server.seen if "/api/" in s]
    out += ["  " + s for s in hide(done.stdout).split("\n")[:-1]]
    out += ["! " + s for s in hide(done.stderr).split("\n") if s]
    if done.stdout and not done.stdout.endswith("\n"):
        out.append("! (no line end)")
    return out + (["? %d" % done.returncode] if done.returncode else [])


def replay(text, socket, server):
    """The transcript as it is now."""
    lines = text.split("\n")
    now, i = [], 0
    while i < len(lines):
        line = lines[i]
        i += 1
        if not line.startswith("$ "):
            if line[:2] not in ("> ", "  ", "! ", "? "):
                now.append(line)
            continue
        typed = "".join(l[2:] + "\n" for l in lines[i : i + 1] if l.startswith("< "))
        now.append(line)
        if typed:
            now.append(lines[i])
            i += 1
        now += run(line[2:], typed, socket, server)
    return "\n".join(now)


def main():
    failed = 0
    files = sorted((HERE / "cases").glob("*.txt"))
    print("1..%d" % len(files))
    with tempfile.TemporaryDirectory() as where:
        socket = where + "/headway.sock"
        # the same program called as headscale, as scripts that were made for that one do
        PROGRAMS.update(headway=HEADWAY, headscale=where + "/headscale")
        os.symlink(HEADWAY, PROGRAMS["headscale"])
        server = fake.start(socket)
        for number, file in enumerate(files, 1):
            wanted = file.read_text()
            now = replay(wanted, socket, server)
            if os.environ.get("UPDATE") == "1":
                file.write_text(now)
            elif now != wanted:
                failed += 1
                print("not ok %d - %s" % (number, file.stem))
                print("\n".join("# " + d for d in difflib.unified_diff(wanted.split("\n"), now.split("\n"), "wanted",
                                                                       "is", lineterm="", n=2)))
                continue
            print("ok %d - %s" % (number, file.stem))
    return 1 if failed else 0


sys.exit(main())
