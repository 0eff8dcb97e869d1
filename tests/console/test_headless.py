#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""The console without a terminal: screens and scripts, from a daemon and from a recording, and what goes wrong with them."""
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402
from daemon import check  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway"))
RECORDING = os.path.join(shared.ROOT, "tests/docs/console.recording")
ENV = {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def run(*words, script=None, **env):
    done = subprocess.run([HEADWAY, *words], env={**ENV, **env}, input=script or "", capture_output=True, text=True, timeout=50, check=False)
    return done.returncode, done.stdout, done.stderr


def sees(name, result, *texts, status=0, where=1):
    good = result[0] == status and all(text in result[where] for text in texts)
    check(name, good, "\n# ".join(str(part) for part in result))


def from_daemon():
    with shared.Daemon() as d:
        def hw(*words, **more):
            return run("-c", d.config, *words, **more)

        sees("an empty server has a screen", hw("--snapshot", "nodes"), "no nodes yet", "LIVE", "[1 Nodes]")
        sees("a script makes a user", hw("--run", "-", script=":users\n:new alice\nkeys <Enter>\nwait user alice created\nexpect alice\nkeys /ali<Enter>\nexpect 1 of 1\n"))
        status, body = d.call("GET", "/api/headway/users")
        check("it is there", status == 200 and "alice" in str(body), body)
        shown = hw("--snapshot", "users", "--size", "100x20")
        sees("its screen has the size that was asked for", shown, "alice")
        check("in rows and columns", shown[1].count("\n") == 20 and max(map(len, shown[1].split("\n"))) in range(90, 101), shown[1])
        sees("the policy is fetched before the screen is taken", hw("--snapshot", "policy"), "no policy")
        socket = d.socket
    sees("without a daemon there is an error in words", run("--socket", socket, "--snapshot", "nodes"), "headway: ", status=1, where=2)
    check("and nothing else", run("--socket", socket, "--snapshot", "nodes")[1] == "")


def from_recording(work):
    def hw(*words, **more):
        return run("--replay", RECORDING, *words, **more)

    sees("a recording has screens", hw("--snapshot", "routes ha", "--size", "100x24"), "[ha]", "2 of 3", "14:03")
    check("which are the same each time", hw("--snapshot", "nodes") == hw("--snapshot", "nodes"))
    sees("what it has an answer to can be looked at", hw("--snapshot", "policy"), '"grants"')
    check("plain text has no sequences", "\033" not in hw("--snapshot", "nodes")[1])
    sees("colours are there for who asks", hw("--snapshot", "nodes", "--color", "true"), "\033[0;38;2;")
    sees("and are those of the theme", hw("--snapshot", "nodes", "--color", "16", "--theme", "light"), "\033[0;32m")
    check("ASCII is ASCII", hw("--snapshot", "routes", "--ascii")[1].isascii())
    check("where the locale is not UTF-8, too", hw("--snapshot", "routes", LC_ALL="C")[1].isascii())
    sees("a view that there is not is refused", hw("--snapshot", "rutes"), "no command 'rutes'", status=1, where=2)
    sees("so is a size", hw("--snapshot", "nodes", "--size", "80"), "--size: a size is COLSxROWS", status=1, where=2)
    sees("and a theme", hw("--snapshot", "nodes", "--theme", "pink"), "--theme: there is no theme 'pink'; there are default, light, ", status=1, where=2)
    os.makedirs(f"{work}/config/headway", exist_ok=True)
    with open(f"{work}/config/headway/console.yaml", "w", encoding="utf-8") as f:
        f.write("themes:\n  mine:\n    base: light\n    ok: \"#123456\"\n")
    sees("but not one of the user's own", hw("--snapshot", "nodes", "--color", "true", "--theme", "mine", XDG_CONFIG_HOME=f"{work}/config"), "\033[0;38;2;18;52;86m")
    failed = hw("--run", "-", script=":nodes\nexpect nothing such\n")
    sees("what a script does not find is its failure", failed, "-, line 2: 'nothing such' is not on the screen", status=1, where=2)
    sees("with the screen as it was", failed, "gw-ber-1", status=1, where=2)
    sees("a refused command is one, too", hw("--run", "-", script=":sort colour\n"), "-, line 1: sort: there is no column 'colour'; there are state, name, ", status=1, where=2)
    sees("unless it may be refused", hw("--run", "-", script="try :sort colour\nexpect no column\n"))
    sees("a bad script is refused before anything is done", hw("--run", "-", script=f":save-display {work}/x\nsee\n"), "-: line 2: a step is", status=1, where=2)
    check("and nothing was", not os.path.exists(work + "/x"))
    sees("a screen can be kept", hw("--run", "-", script=f":users\n:save-display {work}/screen\nexpect the screen is in\n"))
    with open(work + "/screen", encoding="utf-8") as f:
        check("as it was", "Alice Example" in f.read())
    check("for its owner alone", stat.S_IMODE(os.stat(work + "/screen").st_mode) == 0o600)
    sees("and not over another one", hw("--run", "-", script=f":save-display {work}/screen\n"), "exists", status=1, where=2)
    sees("after a script its screen", hw("--run", "-", "--snapshot", "users", script=":nodes gw\n"), "Alice Example")
    sees("a recording that is not there", run("--replay", work + "/none", "--snapshot", "nodes"), "none", status=1, where=2)


def without_terminal():
    sees("without a terminal the console says so", run("--theme", "light"), "the console needs a terminal: 'headway --snapshot nodes'", status=1, where=2)
    sees("a recording alone opens nothing", run("--replay", RECORDING), "--replay needs --snapshot or --run", status=1, where=2)
    sees("no command and no flag is a wish for help", run(), "Usage:")


def events(work):
    node = '{"node":{"id":"%d","givenName":"%s","online":true,"tags":[],"routes":[]}}\n'
    with open(RECORDING, encoding="utf-8") as f, open(work + "/day", "w", encoding="utf-8") as out:
        out.write(f.read() + node % (20, "first-new") + node % (21, "second-new") + node % (22, "third-new"))
    sees("events are played by themselves", run("--replay", work + "/day", "--snapshot", "nodes"), "first-new", "third-new")
    sees("or by the script", run("--replay", work + "/day", "--run", "-", script="refuse first-new\nplay 1\nexpect first-new\n"
                                 "refuse second-new\nplay\nexpect third-new\npass 65s\nsize 100x24\nexpect 14:04\n"))
    sees("no more than there are", run("--replay", work + "/day", "--run", "-", script="play 4\n"), "3 events left, not 4", status=1, where=2)


with shared.tempfile.TemporaryDirectory() as directory:
    from_recording(directory)
    events(directory)
    without_terminal()
    from_daemon()
shared.finish()
