#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
"""Connections of the public listener are kept, as web interfaces and proxies want it; a request of a Tailscale client that
comes on a kept one, after anything, gets where it belongs. In the clear and behind the daemon's own TLS."""
import os
import re
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

UPGRADE = "POST /ts2021 HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: tailscale-control-protocol\r\nX-Tailscale-Handshake: AAAA\r\n\r\n"
RELAY = "GET /derp HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: DERP\r\n\r\n"
HEALTH = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Connection:
    """Bytes, and answers cut at their Content-Length."""

    def __init__(self, d):
        self.socket = d.connect()
        self.got = b""

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def until(self, true):
        while not true():
            more = self.socket.recv(65536)
            if not more:
                return False
            self.got += more
        return True

    def answer(self):
        """(status line, body); ("", "") at the end."""
        if not self.until(lambda: b"\r\n\r\n" in self.got):
            return "", ""
        head, self.got = self.got.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        length = next((int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")), 0)
        self.until(lambda: len(self.got) >= length)
        body, self.got = self.got[:length], self.got[length:]
        return lines[0], body.decode(errors="replace")

    def close(self):
        self.socket.close()


def alone(d, text):
    c = Connection(d)
    c.send(text)
    line = c.answer()[0]
    c.close()
    return line


def kept(d, key):
    c = d.public()
    c.connect()
    first = c.sock
    statuses = []
    for i in range(20):
        c.request("POST" if i % 2 else "GET", "/api/v1/user", f'{{"name":"u{i}"}}' if i % 2 else None,
                  {"Authorization": f"Bearer {key}"})
        answer = c.getresponse()
        answer.read()
        statuses.append(answer.status)
    shared.check("twenty calls pass on one connection", statuses == [200] * 20 and c.sock is first, statuses)
    c.request("GET", "/api/v1/user")
    answer = c.getresponse()
    answer.read()
    shared.check("each brings its own key: without one it is refused there too", answer.status == 401, answer.status)
    c.request("POST", "/api/v1/user", iter([b'{"na', b'me":"chunked"}']), {"Authorization": f"Bearer {key}"}, encode_chunked=True)
    answer = c.getresponse()
    shared.check("after a body in chunks", answer.status == 200 and b"chunked" in answer.read(), answer.status)
    c.request("GET", "/health")
    shared.check("the next request is understood", c.getresponse().status == 200)


def upgrades(d, key):
    for name, text in (("a client's", UPGRADE), ("a relay's", RELAY)):
        expected = alone(d, text)
        c = Connection(d)
        for _ in range(3):
            c.send(HEALTH)
            shared.check("a request is answered", " 200 " in c.answer()[0])
        c.send(text)
        line = c.answer()[0]
        shared.check(f"{name} upgrade on a kept connection is answered as on its own", line == expected and line, f"{line!r}, not {expected!r}")
        c.close()
        c = Connection(d)
        c.send(HEALTH + HEALTH + text)
        lines = [c.answer()[0] for _ in range(3)]
        shared.check("sent at once, all are answered in order", " 200 " in lines[0] and " 200 " in lines[1] and lines[2] == expected, lines)
        c.close()
        c = Connection(d)
        for byte in (HEALTH + text).encode():
            c.send(bytes([byte]))
        lines = [c.answer()[0] for _ in range(2)]
        shared.check("and byte by byte", " 200 " in lines[0] and lines[1] == expected, lines)
        c.close()
        body = text * 3
        c = Connection(d)
        c.send(f"POST /api/v1/user HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        line = c.answer()[0]
        shared.check("what looks like one in a body is a body", " 400 " in line, line)
        c.send(HEALTH)
        shared.check("after which the next request is read", " 200 " in c.answer()[0])
        c.send(f"POST /api/v1/user HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
               f"{len(body):x};a=b\r\n{body}\r\n0\r\nTrailer: x\r\n\r\n" + HEALTH)
        lines = [c.answer()[0] for _ in range(2)]
        shared.check("also in chunks", " 400 " in lines[0] and " 200 " in lines[1], lines)
        c.close()


def refused(d, key):
    """Who is refused before the body has sent it all the same, or is about to: the answer must not be lost with it."""
    auth = f"Authorization: Bearer {key}\r\n"
    for target, method, header, status in (("/api/v1/nothing", "POST", auth, 404), ("/api/v1/user/1/", "PUT", auth, 404),
                                           ("/api/v1/health", "POST", auth, 405), ("/api/v1/user", "POST", "", 401),
                                           ("/api/v1/node/1%00/rename/x", "POST", auth, 400)):
        c = Connection(d)
        c.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{header}Content-Length: 2\r\n\r\n")
        c.send("{}" + HEALTH)
        lines = [c.answer()[0] for _ in range(2)]
        shared.check(f"{method} {target} is refused after its body, and the connection kept", f" {status} " in lines[0] and " 200 " in lines[1], lines)
        c.close()


def ends(d):
    c = Connection(d)
    c.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    shared.check("who wants it closed gets it closed", " 200 " in c.answer()[0] and not c.until(lambda: False))
    if not d.tls:
        c = Connection(d)
        c.send(HEALTH)
        c.socket.shutdown(1)
        shared.check("who says no more is answered all the same", " 200 " in c.answer()[0])
        c = Connection(d)
        c.send(HEALTH * 5)
        c.socket.shutdown(1)
        lines = [c.answer()[0] for _ in range(5)]
        shared.check("also who has asked several things", all(" 200 " in line for line in lines), lines)
    c = Connection(d)
    c.send(HEALTH + "nonsense\r\n\r\n" + UPGRADE)
    lines = [c.answer()[0] for _ in range(2)]
    shared.check("behind a head that is none nothing is looked at", " 200 " in lines[0] and " 101 " not in lines[1] and not c.until(lambda: False), lines)


def pipelined(d):
    c = Connection(d)
    c.send((HEALTH + HEALTH.replace("GET", "HEAD") + "GET /version HTTP/1.1\r\nHost: x\r\n\r\n") * 40)
    bodies = []
    for i in range(120):
        if i % 3 == 1:  # a length, and no body
            c.until(lambda: b"\r\n\r\n" in c.got)
            head, c.got = c.got.split(b"\r\n\r\n", 1)
            bodies.append(head[:12].decode())
        else:
            bodies.append(c.answer()[1][:12])
    shared.check("120 requests at once are answered in order", bodies == bodies[:3] * 40 and bodies[1] == "HTTP/1.1 200" and "" not in bodies,
                 bodies[:6])
    c.close()


def idle(d, *connections):
    """Whoever has nothing to ask is closed in the end, said half of a request or none."""
    for c, name in connections:
        c.socket.settimeout(60)
        shared.check(f"{name} is closed", not c.until(lambda: False))
    shared.check("others are served", d.healthy())


def begun(d, text):
    c = Connection(d)
    c.send(HEALTH)
    shared.check("a request is answered", " 200 " in c.answer()[0])
    c.send(text)
    return c


def slow(d):
    """A connection that takes little at a time."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(20)
    raw.connect(("127.0.0.1", d.port))
    return d.tls.wrap_socket(raw, server_hostname="127.0.0.1") if d.tls else raw


def stopped(d, key):
    """The daemon ends while an answer is on its way: it arrives whole."""
    policy = "// " + "x" * 3000000 + "\n{}"
    shared.check("a long policy is set", d.call("PUT", "/api/v1/policy", {"policy": policy})[0] == 200)
    s = slow(d)
    s.sendall(f"GET /api/v1/policy HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    got = b""
    while b"\r\n\r\n" not in got:
        got += s.recv(512)
    head, got = got.split(b"\r\n\r\n", 1)
    said = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
    d.process.send_signal(signal.SIGTERM)
    try:
        while piece := s.recv(65536):
            got += piece
    except OSError as e:
        print(f"# {e}")
    shared.check("an answer on its way arrives whole although the daemon ends", len(got) == said > 3000000, f"{len(got)} of {said}")
    shared.check("and it ends", d.process.wait(20) == 0)


for with_tls in (False, True):
    with shared.Daemon(tls=with_tls) as daemon:
        print("# behind TLS" if with_tls else "# in the clear")
        api_key = daemon.call("POST", "/api/v1/apikey", {})[1]["apiKey"]
        # While others are idle, libmicrohttpd looks at a connection less often.
        waiting = [(begun(daemon, ""), "a kept connection without a request"), (begun(daemon, UPGRADE[:40]), "one with half of a head")]
        kept(daemon, api_key)
        upgrades(daemon, api_key)
        refused(daemon, api_key)
        pipelined(daemon)
        ends(daemon)
        idle(daemon, *waiting)
        shared.check("the daemon runs on", daemon.alive() and daemon.healthy())
        stopped(daemon, api_key)
shared.finish()
