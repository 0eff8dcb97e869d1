#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
"""Requests whose end two readers could see in different places: behind a proxy that keeps connections for many users, the
second request in them would be somebody else's. Each is refused, alone and behind another one, in the clear and behind TLS,
and nothing that follows it is read."""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
from daemon import Daemon, check, finish  # noqa: E402

HEALTH = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
SMUGGLED = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
UPGRADE = "GET /derp HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: DERP\r\n\r\n"
POST = "POST /verify HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"

REFUSED = {
    "a length and chunks": (POST + f"Content-Length: {len(SMUGGLED) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and a length": (POST + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (POST + "Content-Length: 0\r\nContent-Length: 90\r\n\r\n", 400),
    "one length twice": (POST + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a list of lengths": (POST + "Content-Length: 2, 2\r\n\r\n{}", 400),
    "a length with a sign": (POST + "Content-Length: +2\r\n\r\n{}", 400),
    "a negative length": (POST + "Content-Length: -1\r\n\r\n{}", 400),
    "a hexadecimal length": (POST + "Content-Length: 0x2\r\n\r\n{}", 400),
    "a length beyond 64 bits": (POST + "Content-Length: 18446744073709551618\r\n\r\n{}", 400),
    "an empty length": (POST + "Content-Length: \r\n\r\n", 400),
    "a coding of another name": (POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "several codings": (POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "no coding at all": (POST + "Transfer-Encoding: identity\r\n\r\n", 501),
    "chunks said twice": (POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a blank before the colon": (POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "a folded field": (POST + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks in HTTP/1.0": (POST.replace("1.1", "1.0") + "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks in bare lines": (CHUNKED + "2\n{}\n0\n\n", 400),
    "an extension with a bare line": (CHUNKED + "2;\nxx\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk's size with 0x": (CHUNKED + "0x2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk's size behind a blank": (CHUNKED + " 2\r\n{}\r\n0\r\n\r\n", 400),
    "a negative chunk": (CHUNKED + "-2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk of more than 64 bits": (CHUNKED + "10000000000000002\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk without an end": (CHUNKED + "2\r\n{}XX0\r\n\r\n", 400),
    "a chunk with a bare end": (CHUNKED + "2\r\n{}\n0\r\n\r\n", 400),
    "a trailer with a bare line": (CHUNKED + "0\r\nA: b\n\n", 400),
    "a trailer with a bare return": (CHUNKED + "0\r\nA: b\r\r\n\r\n", 400),
    "a head with a folded line": ("GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    "a head of bare lines": ("GET /health HTTP/1.1\nHost: x\n\n", 400),
    "a head with a bare return": ("GET /health HTTP/1.1\r\nHost: x\r\nA: b\rContent-Length: 5\r\n\r\n", 400),
    "a NUL": ("GET /health HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 400),
    "two hosts": ("GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "another version": ("GET /health HTTP/1.2\r\nHost: x\r\n\r\n", 400),
    "empty lines in front": ("\r\n\r\n" + HEALTH, 400),
    "9,000 bytes of head": ("GET /health HTTP/1.1\r\nHost: x\r\nA: " + "a" * 9000 + "\r\n\r\n", 431),
}
# What looks like another request is a body, an extension or a trailer, and the one behind it is answered.
TAKEN = {
    "a body with a length": POST + f"Content-Length: {len(UPGRADE)}\r\n\r\n" + UPGRADE,
    "a body of a GET": f"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: {len(UPGRADE)}\r\n\r\n" + UPGRADE,
    "a body in chunks": CHUNKED + f"{len(UPGRADE):x}\r\n{UPGRADE}\r\n0\r\n\r\n",
    "capitals, an extension, a trailer": POST + 'transfer-encoding: CHUNKED\r\n\r\n2;a="GET /derp HTTP/1.1"\r\n{}\r\n00\r\nContent-Length: 50\r\n\r\n',
}


def answers(d, text, seconds=20):
    """The statuses of all answers until the connection is closed; "open" behind them when it is not."""
    got = b""
    with d.connect(seconds) as s:
        try:
            s.sendall(text.encode())
            while piece := s.recv(65536):
                got += piece
        except socket.timeout:
            got += b"HTTP/1.1 open"
        except OSError:
            pass
    return [w.decode() for w in re.findall(rb"HTTP/1\.1 (\w+)", got)]


for tls in (False, True):
    with Daemon(tls=tls) as daemon:
        where = "behind TLS, " if tls else ""
        for name, (text, status) in REFUSED.items():
            got = answers(daemon, text + SMUGGLED)
            check(f"{where}{name}: refused", got == [str(status)], got)
            got = answers(daemon, HEALTH + text + SMUGGLED)
            check(f"{where}{name}, behind another request: refused too", got == ["200", str(status)], got)
        for name, text in TAKEN.items():
            got = answers(daemon, text + SMUGGLED)
            check(f"{where}{name}: one request", len(got) == 2 and got[0] in ("200", "400") and got[1] == "200", got)
        check(f"{where}the daemon lives", daemon.alive() and daemon.healthy())
        daemon.stop()
        check(f"{where}and ends in order", daemon.process.returncode == 0, daemon.process.returncode)
finish()
