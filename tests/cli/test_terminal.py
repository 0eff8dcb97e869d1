#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""On a terminal nothing that the server says steers it, and no line is wider than it is. In a pipe a policy is exact."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios

import fake

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

HEADWAY = os.path.abspath(os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway")))
EVIL = "a\x1b[2Jb\u009b1mc\u202ed\x07e\x7ff"
POLICY = "{\n\t// " + EVIL + "\r\n}\n"
STEERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
COLOURS = re.compile("\x1b\\[[0-9;]*m")  # the program's own


def spoil(value):
    """Each text of an answer that may hold anything, made evil."""
    if isinstance(value, dict):
        return {k: EVIL if isinstance(v, str) and k in SPOILT else spoil(v) for k, v in value.items()}
    return [spoil(v) for v in value] if isinstance(value, list) else value


SPOILT = {"name", "givenName", "displayName", "email", "text", "actor", "reason", "primaryName", "hostname", "source",
          "description", "message", "detail", "router", "src", "dst", "sshUser", "objectName", "url", "version", "path"}


class Evil(fake.Handler):
    def answer(self):
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        body = fake.json.loads(self.rfile.read(length).decode() or "null")
        pairs = dict(p.split("=", 1) for p in query.split("&") if p)
        handle = fake.v1 if path.startswith("/api/v1/") else fake.ours
        status, value = handle(self.command, path, pairs, body)
        if path == "/api/v1/policy":
            value = {"policy": POLICY, "updatedAt": None}
        elif path.endswith("/relay/status"):
            value = {"enabled": True, "name": EVIL, EVIL: "x", "connections": [{"name": EVIL}]}
        data = fake.json.dumps(spoil(value)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = answer


def on_terminal(columns, socket, words):
    """What a command writes to a terminal of so many columns, standard error included."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    mode = termios.tcgetattr(slave)
    mode[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    env = {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", "LC_ALL": "C.UTF-8"}
    child = subprocess.Popen([HEADWAY, "--socket", socket, *words], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                             env=env, cwd=os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases"))
    os.close(slave)
    out = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            piece = b""
        if not piece:
            break
        out += piece
    os.close(master)
    child.wait(30)
    return COLOURS.sub("", out.decode())


COMMANDS = ["nodes list", "nodes list-routes", "nodes list -o json", "nodes list -o yaml", "nodes expire -i 1",
            "nodes expire -i 9", "nodes rename -i 1 x -o json-line", "users list", "users list -o yaml", "users create alice",
            "preauthkeys list", "preauthkeys create -u 1", "apikeys list", "apikeys list -o json", "auth list",
            "auth list -o json-line", "auth approve --auth-id ffff", "routes list", "routes list -o json", "events",
            "events --since 1.6 -o yaml", "undo --dry-run", "undo 1.6", "undo", "policy get", "policy explain a b",
            "policy explain a b -o json", "policy preview good.hujson", "policy preview good.hujson -o json",
            "policy check -f good.hujson", "policy check -f bad.hujson", "relay status", "relay status -o json",
            "backup /tmp/x", "backup /tmp/x -o yaml", "users destroy -i 1", "nodes delete -i 1", "nodes register -u 1 -k x"]


def main():
    with tempfile.TemporaryDirectory() as where:
        socket = where + "/headway.sock"
        server = fake.start(socket)
        server.RequestHandlerClass = Evil
        for words in COMMANDS:
            out = on_terminal(80, socket, words.split())
            found = STEERS.search(out)
            shared.check(f"nothing steers the terminal: {words}", out and not found, repr(out[:300]))
        for words in ("nodes list", "nodes list-routes", "routes list", "auth list", "events", "preauthkeys list", "users list"):
            for columns in (40, 80, 120, 200):
                widest = max(len(line) for line in on_terminal(columns, socket, words.split()).split("\n"))
                shared.check(f"{words} fits {columns} columns", widest <= columns, f"a line of {widest}")
        plain = subprocess.run([HEADWAY, "--socket", socket, "policy", "get"], capture_output=True, check=False).stdout
        shared.check("a policy in a pipe is as it is", plain == POLICY.encode() + b"\n", repr(plain))
    shared.finish()


main()
