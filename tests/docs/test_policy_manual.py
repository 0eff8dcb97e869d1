#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""Each example of headway-policy(5) is taken by a daemon whose tailnet is the one that the page supposes."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway"))
RUN_NODE = os.environ.get("RUN_NODE", os.path.join(os.path.dirname(shared.HEADWAYD), "tests/docs/run_node"))
PAGE = os.path.join(shared.ROOT, "man/headway-policy.5")


def examples():
    """(section, text), as a reader sees them."""
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    found = []
    for section, text in re.findall(r"^\.S[hs] ([^\n]*)\n((?:(?!^\.S[hs] ).*\n)*)", page, re.M):
        found += [(section, e.replace("\\&", "").replace("\\e", "\\")) for e in re.findall(r"^\.Bd -literal.*\n([^.][^\0]*?)^\.Ed", text, re.M)]
    return found


def headway(d, *words, text=None):
    return subprocess.run([HEADWAY, "-c", d.config, *words], input=text, capture_output=True, text=True, check=False)


def node(d, name, body):
    """A node that stays, registered with a key; the process that plays it."""
    key = d.call("POST", "/api/v1/preauthkey", body)[1]["preAuthKey"]["key"]
    player = subprocess.Popen([RUN_NODE, f"127.0.0.1:{d.port}", key, name, ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    shared.check(f"{name} joins", player.stdout.readline() == "connected\n")
    return player


def take(d, places):
    for section, text in places:
        said = headway(d, "policy", "set", "--file", "-", text=text)
        shared.check(f"an example of {section} is taken", said.returncode == 0, said.stdout + said.stderr)


if not os.access(RUN_NODE, os.X_OK):
    shared.skip_all(f"{RUN_NODE} is not built: make build-tests")
found = examples()
shared.check("the examples are found", len(found) >= 11 and {"ssh", "tests and sshTests"} <= {section for section, _ in found}, found)
with shared.Daemon() as daemon:
    users = [daemon.call("POST", "/api/v1/user", {"name": name, "email": f"{name}@example.com"})[1]["user"]["id"] for name in ("alice", "bob")]
    take(daemon, [e for e in found if e[0] != "tests and sshTests"])
    daemon.call("PUT", "/api/v1/policy", {"policy": ""})
    players = [node(daemon, "laptop", {"user": users[0]}), node(daemon, "server", {"aclTags": ["tag:server"]})]
    take(daemon, [e for e in found if e[0] == "tests and sshTests"])
    for player in players:
        player.stdin.close()
        player.wait()
shared.finish()
