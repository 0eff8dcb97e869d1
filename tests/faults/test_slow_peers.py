#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 300
"""Whoever writes or reads slowly, at each listener and each route: nobody waits for them, and their time ends."""
import os
import select
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

LISTENERS = ("public", "socket", "metrics")
LARGE = {"public": "/api/v1/openapi.yaml", "socket": "/api/v1/openapi.yaml", "metrics": "/metrics"}


def connect(d, listener, window=None):
    unix = listener == "socket"
    s = socket.socket(socket.AF_UNIX if unix else socket.AF_INET, socket.SOCK_STREAM)
    if window and not unix:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    s.connect(d.socket if unix else ("127.0.0.1", d.port if listener == "public" else d.metrics))
    s.settimeout(10) # not before: where the kernel's queue is full, a unix socket would fail at once
    return s


def answers(d, listener, path="/version"):
    """Whether somebody who comes now is served."""
    try:
        with connect(d, listener) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return s.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def routes(d):
    """All of the API: (METHOD, path)."""
    paths = d.call("GET", "/api/v1/openapi.json")
    assert paths[0] == 200
    return [(method.upper(), path.replace("{", "").replace("}", "")) for path, methods in paths[1]["paths"].items() for method in methods]


def trickles(d, key):
    """Requests that never become whole, a byte a second: {socket: name}."""
    begun = {}

    def begin(listener, name, text):
        s = connect(d, listener)
        s.sendall(text.encode())
        begun[s] = f"{listener}: {name}"

    for listener in LISTENERS:
        begin(listener, "a head", "GET /version HTTP/1.1\r\nHost: x\r\nX-Long: ")
        begin(listener, "a body", "POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        begin(listener, "a body in chunks", "GET /version HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n")
        if listener != "metrics":
            for method, path in routes(d):
                head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
                begin(listener, f"{method} {path}", head + "Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n{")
    for method, path in (("POST", "/verify"), ("POST", "/register/confirm/x"), ("GET", "/key?v=131"), ("GET", "/health"), ("POST", "/machine/map")):
        begin("public", f"{method} {path}", f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n{{")
    return begun


def until_they_end(begun, seconds):
    """Feeds them; what is left when the time is over."""
    end = time.monotonic() + seconds
    while begun and time.monotonic() < end:
        turn = time.monotonic() + 1
        for s in list(begun):
            try:
                s.send(b" ")
            except OSError:
                del begun[s]
        while begun and (left := turn - time.monotonic()) > 0:
            for s in select.select(list(begun), [], [], left)[0]:
                try:
                    if s.recv(65536):
                        continue
                except OSError:
                    pass
                del begun[s]
    return sorted(begun.values())


def slow_writers(d):
    key = d.call("POST", "/api/headway/apikeys", {"description": "slow"})[1]["result"]["key"]
    begun = trickles(d, key)
    count = len(begun)
    for listener in LISTENERS:
        shared.check(f"{listener}: others are served meanwhile", answers(d, listener))
    left = until_they_end(begun, 100)
    shared.check(f"{count} requests that trickle, on every route: their time ends", count > 150 and not left, left)


def silent(d):
    held = []
    for listener, count in (("socket", 400), ("metrics", 150)):
        for _ in range(count):
            try:
                held.append(connect(d, listener))
            except OSError:
                break
        shared.check(f"{listener}: {count} connections that say nothing, and another is served", answers(d, listener))
    for s in held:
        s.close()


def slow_readers(d):
    """Their answers wait in their sockets: they go before anybody new is refused."""
    for listener, count in (("public", 1200), ("socket", 400), ("metrics", 150)):
        held = []
        for _ in range(count):
            try:
                s = connect(d, listener, window=2048)
                for _ in range(4): # what sockets hold is more than one answer
                    s.sendall(f"GET {LARGE[listener]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                held.append(s)
            except OSError:
                break
        shared.check(f"{listener}: {len(held)} who do not read, and others are served",
                     shared.wait_for(30, lambda: all(answers(d, listener) for _ in range(20))))
        for s in held:
            s.close()


with shared.Daemon(metrics=shared.free_port()) as daemon:
    silent(daemon)
    slow_readers(daemon)
    slow_writers(daemon)
    shared.check("the daemon runs on", daemon.alive() and daemon.healthy())
shared.finish()
