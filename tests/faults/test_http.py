#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 220
"""What strangers and holders of a read-only key may take of the HTTP server: no memory, no places, no time of others."""
import json
import os
import select
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402


def ask(d, text, seconds=10):
    """Sends bytes to the public listener; what comes back until it closes or says a whole head."""
    c = d.connect(timeout=seconds)
    c.sendall(text)
    got = b""
    try:
        while b"\r\n\r\n" not in got:
            more = c.recv(4096)
            if not more:
                break
            got += more
    except OSError:
        pass
    return c, got.decode(errors="replace")


def key_of(d, **more):
    return d.call("POST", "/api/headway/apikeys", {"description": "reader", **more})[1]["result"]["key"]


def bodies(d):
    """The answer to a stranger comes before a byte of the body is there."""
    for target in ("/api/v1/user", "/api/headway/users", "/api/v1/nothing", "/api/headway/policy/preview"):
        c, answer = ask(d, f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n".encode())
        shared.check(f"a stranger's body for {target} is not waited for", " 401 " in answer.split("\r\n")[0], answer[:80])
        c.close()
        c, answer = ask(d, f"POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        shared.check("nor one of unknown length", " 401 " in answer.split("\r\n")[0], answer[:80])
        c.close()
    c, answer = ask(d, b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    shared.check("what is open to strangers says how little it takes", " 413 " in answer.split("\r\n")[0] and "4096" in answer + c.recv(4096).decode(), answer)
    c.close()
    reader = key_of(d, readOnly=True)
    head = f"Host: x\r\nAuthorization: Bearer {reader}\r\nContent-Length: 100000\r\n\r\n"
    c, answer = ask(d, f"POST /api/v1/user HTTP/1.1\r\n{head}".encode())
    shared.check("a read-only key is told so before it sends a body", " 403 " in answer.split("\r\n")[0], answer[:80])
    c.close()
    before = d.rss()
    ones = b'{"name":[' + b"1," * 120000 + b"1]}"
    held = []
    for _ in range(16):
        c = shared.UnixConnection(d.socket)
        c.request("POST", "/api/v1/user", ones)
        held.append(c)
    statuses = {c.getresponse().status for c in held}
    shared.check("a body of many values is refused", statuses == {413}, statuses)
    shared.check("and costs little more than its bytes", d.rss() - before < 32768 * (4 if shared.SANITIZED else 1), d.rss() - before)


class Stream(threading.Thread):
    def __init__(self, connect, head):
        super().__init__(daemon=True)
        self.connection = connect()
        self.connection.sendall(f"GET /api/headway/events?follow=1 HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        self.answer = self.connection.recv(512).decode(errors="replace")

    def open(self):
        return " 200 " in self.answer.split("\r\n")[0]


def unix(d):
    c = shared.UnixConnection(d.socket)
    c.connect()
    return c.sock


def streams(d):
    reader, other = key_of(d, readOnly=True), key_of(d)
    head = f"Authorization: Bearer {reader}\r\n"
    held = [Stream(d.connect, head) for _ in range(64)]
    shared.check("one key follows the events a few times", 2 <= sum(s.open() for s in held) <= 16, sum(s.open() for s in held))
    shared.check("more often it is told that this is too much", " 429 " in held[-1].answer, held[-1].answer[:60])
    shared.check("another key follows them too", Stream(d.connect, f"Authorization: Bearer {other}\r\n").open())
    for _ in range(10):
        head = f"Authorization: Bearer {key_of(d)}\r\n"
        held += [Stream(d.connect, head) for _ in range(8)]
    local = Stream(lambda: unix(d), "")
    shared.check("whatever keys hold, the console on the machine follows", local.open(), local.answer[:60])
    for s in held:
        s.connection.close()


def checks(d):
    """A policy whose check takes long, asked for by one key again and again."""
    users = [f"u{i}" for i in range(200)]
    for name in users:
        d.call("POST", "/api/v1/user", {"name": name})
    acls = [{"action": "accept", "src": [f"{a}@"], "dst": [f"{b}@:{p}" for b in users[:40] for p in (22, 80)]} for a in users]
    tests = [{"src": f"{a}@", "deny": [f"100.64.0.{i}:{22}" for i in range(1, 40)]} for a in users]
    slow = json.dumps({"policy": json.dumps({"acls": acls, "tests": tests})}).encode()
    reader = key_of(d, readOnly=True)
    request = (f"POST /api/headway/policy/check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {reader}\r\n"
               f"Content-Length: {len(slow)}\r\n\r\n").encode() + slow
    held = []
    for _ in range(12):
        c = d.connect(timeout=60)
        c.sendall(request)
        held.append(c)
    asked = []
    for _ in range(4):
        asked.append(d.connect(timeout=60))
        asked[-1].sendall(f"GET /api/headway/explain?src=u1&dst=u2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {reader}\r\n\r\n".encode())
    status, answer = d.call("PUT", "/api/v1/policy", {"policy": '{"acls": []}'})
    shared.check("a change of the policy is not held up by checks", status == 200, answer)
    lines = [c.recv(4096).decode().split("\r\n")[0] for c in held]
    shared.check("a key has one check at a time", any(" 200 " in line for line in lines) and any(" 429 " in line for line in lines), lines)
    lines = [c.recv(4096).decode().split("\r\n")[0] for c in asked]
    shared.check("an explanation is computed like a check", any(" 429 " in line for line in lines), lines)
    held = []
    for _ in range(4):
        c = shared.UnixConnection(d.socket, timeout=60)
        c.request("POST", "/api/headway/policy/check", slow)
        held.append(c)
    select.select([c.sock for c in held], [], [], 60)
    d.stop()
    answers = [(a.status, a.read()) for a in (c.getresponse() for c in held)]
    statuses = sorted(status for status, _ in answers)
    shared.check("the end of the daemon waits for no long computation", statuses[0] == 200 and statuses[-1] == 503, statuses)
    shared.check("and says so to who asked for it", b"the server is stopping" in max(answers)[1], max(answers)[1][:100])
    shared.check("and ends in order", d.process.returncode == 0, d.process.returncode)
    d.start()


def trickle(c, ends, name):
    """A byte a second, as long as they are taken."""
    c.settimeout(1)
    try:
        while True:
            c.sendall(b" ")
            try:
                if not c.recv(1000):
                    break
            except TimeoutError:
                pass
    except OSError:
        pass
    ends.add(name)


def trickles(d):
    """Nobody else comes, and all the same the time of a request ends. Returns who has been closed, which grows."""
    ends = set()
    for name, text in (("a head", "GET /key?v=130 HTTP/1.1\r\nHost: x\r\nX-Long: "),
                       ("a body", "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")):
        c = d.connect(timeout=10)
        c.sendall(text.encode())
        threading.Thread(target=trickle, args=(c, ends, name), daemon=True).start()
    return ends


with shared.Daemon() as daemon:
    closed = trickles(daemon)
    shared.wait_for(100, lambda: len(closed) == 2)
    shared.check("a request that trickles ends when its time is over", len(closed) == 2, closed)
    bodies(daemon)
    streams(daemon)
    checks(daemon)
    shared.check("the daemon runs on", daemon.alive() and daemon.healthy())
shared.finish()
