#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 240
"""What arrives at the public door from anybody: rubbish, requests without end, half connections, floods.

Each costs what it is bounded to, ends in an answer or a closed connection, and disturbs nobody else."""
import base64
import os
import random
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
from daemon import Daemon, SANITIZED, SOAK, check, finish, wait_for  # noqa: E402

HEAD_SECONDS = 10
UPGRADE = "POST /ts2021 HTTP/1.1\r\nHost: x\r\nUpgrade: tailscale-control-protocol\r\nConnection: upgrade\r\n"


def ends(sock, seconds):
    """What the peer said until it closed; None when it did not close in time."""
    end, got = time.monotonic() + seconds, b""
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return None
        sock.settimeout(left)
        try:
            data = sock.recv(65536)
        except socket.timeout:
            return None
        except OSError:
            return got
        if not data:
            return got
        got += data


def say(d, data, seconds=HEAD_SECONDS + 5, shut=False):
    with d.connect() as s:
        try:
            s.sendall(data)
            if shut:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return ends(s, seconds)


def status(answer):
    return int(answer.split()[1]) if answer and answer.startswith(b"HTTP/1.") else None


def refused(answer):
    """Closed without a word, with a status of the 400s, or with the error record of the Noise handshake (type 3)."""
    return answer == b"" or 400 <= (status(answer) or 0) < 500 or b"\r\n\r\n\x03" in answer


def one_by_one(d):
    rng = random.Random(1)
    for name, data in {
        "random bytes": rng.randbytes(4096),
        "zeros": bytes(4096),
        "a TLS hello": bytes.fromhex("16030100f8010000f40303") + rng.randbytes(240),
        "HTTP/2 without a tunnel": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
        "a header of 64 KiB": b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 65536 + b"\r\n\r\n",
        "ten thousand headers": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
        "a NUL in a header": b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        "two lengths that differ": b"POST /key HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "an upgrade without a handshake": UPGRADE.encode() + b"\r\n",
        "an upgrade with a handshake that is no base64": (UPGRADE + "X-Tailscale-Handshake: %%%\r\n\r\n").encode(),
        "an upgrade with an empty handshake": (UPGRADE + "X-Tailscale-Handshake: \r\n\r\n").encode(),
        "an upgrade with 8 KiB of handshake": (
            UPGRADE + "X-Tailscale-Handshake: " + base64.b64encode(bytes(6000)).decode() + "\r\n\r\n"
        ).encode(),
    }.items():
        answer = say(d, data)
        check(f"{name}: refused", answer is not None and refused(answer), repr(answer)[:200])
    for version in (1, 142, 65535):
        first = version.to_bytes(2, "big") + b"\x01\x00\x60" + rng.randbytes(96)
        answer = say(d, (UPGRADE + "X-Tailscale-Handshake: " + base64.b64encode(first).decode() + "\r\n\r\n").encode())
        check(f"a handshake of random bytes, version {version}: no tunnel", answer is not None and status(answer) != 200,
              repr(answer)[:200])
    check("the daemon lives", d.alive() and d.healthy())


def head_without_end(d):
    began = time.monotonic()
    answer = say(d, b"GET /health HTTP/1.1\r\nHost: x\r\n", HEAD_SECONDS + 10)
    took = time.monotonic() - began
    check("a head that never ends is given up", answer is not None, "still open")
    check(f"after {HEAD_SECONDS} s", HEAD_SECONDS - 3 <= took <= HEAD_SECONDS + 5, f"after {took:.1f} s")


def half_connections(d):
    """Many that connect and say nothing: others are served meanwhile, and afterwards everything is given back."""
    count = 400
    before, memory = d.descriptors(), d.rss()
    held = []
    for _ in range(count):
        try:
            held.append(d.connect(2))
        except OSError:
            break
    began = time.monotonic()
    served = d.healthy(5)
    check(f"{len(held)} silent connections: another is served", served)
    check("at once", time.monotonic() - began < 1, f"after {time.monotonic() - began:.2f} s")
    if not SANITIZED:
        grown = d.rss() - memory
        check("at most 16 KiB each", grown < 16 * count + 4096, f"{grown} KiB")
    for s in held:
        s.close()
    check("their descriptors are given back", wait_for(HEAD_SECONDS + 5, lambda: d.descriptors() <= before + 8),
          f"{before} before, {d.descriptors()} after")


def slow_bodies(d):
    """Eight addresses, each with as many requests as one may have, whose bodies never end: others are served."""
    held = []
    for address in range(8):
        for _ in range(140):
            try:
                s = socket.create_connection(("127.0.0.1", d.port), timeout=5, source_address=(f"127.0.0.{address + 2}", 0))
                s.sendall(b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
                held.append(s)
            except OSError:
                pass
    check(f"{len(held)} bodies that never end: /health is answered", all(d.healthy(5) for _ in range(20)))
    check("and the key", say(d, b"GET /key?v=131 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200"))
    for s in held:
        s.close()


def silent_relay_clients(d):
    """Upgrades to DERP that no login follows: bounded, and their descriptors are given back."""
    before, held, refused = d.descriptors(), [], 0
    for _ in range(2100):
        try:
            s = d.connect(5)
            s.sendall(b"GET /derp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n")
            held.append(s)
        except OSError:
            break
    for s in held:
        s.settimeout(10)
        try:
            refused += s.recv(64).startswith(b"HTTP/1.1 503")
        except OSError:
            pass
    check(f"{len(held)} upgrades to DERP without a login: some are refused", refused > 0, f"{refused}")
    check("another is served", d.healthy(5))
    check("after 10 s their descriptors are given back", wait_for(HEAD_SECONDS + 10, lambda: d.descriptors() <= before + 8),
          f"{before} before, {d.descriptors()} after")
    for s in held:
        s.close()


def forwarded(d):
    """What a proxy says of its client counts for every line of the log, and only what a trusted one says."""
    for header, client in (("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.7", "198.51.100.7"),
                           ("X-Real-IP: 198.51.100.8", "198.51.100.8"), ("True-Client-IP: 198.51.100.9", "198.51.100.9")):
        say(d, f"GET /api/v1/node HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hskey-api-{client}\r\n{header}\r\n\r\n".encode())
        check(f"a wrong key by way of the proxy is logged with {client}",
              wait_for(5, lambda client=client: f"{client} came with an API key" in d.log()), d.log()[-300:])


def flood(d, seconds):
    """Handshakes of random bytes from several threads: the door answers others, and the log does not grow with it."""
    stop = time.monotonic() + seconds
    sent = [0] * 4

    def attack(n):
        rng = random.Random(n)
        while time.monotonic() < stop:
            first = (142).to_bytes(2, "big") + b"\x01\x00\x60" + rng.randbytes(96)
            try:
                with d.connect(2) as s:
                    s.sendall((UPGRADE + "X-Tailscale-Handshake: " + base64.b64encode(first).decode() + "\r\n\r\n").encode())
                    s.recv(4096)
                sent[n] += 1
            except OSError:
                pass

    size, memory = len(d.log()), d.rss()
    threads = [threading.Thread(target=attack, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    worst = 0.0
    while time.monotonic() < stop:
        began = time.monotonic()
        if not d.healthy(5):
            worst = 5.0
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.1)
    for t in threads:
        t.join()
    print(f"# {sum(sent) / seconds:.0f} false handshakes a second, the slowest answer to another took {worst * 1000:.0f} ms")
    check("a flood of false handshakes: another is answered within a second", worst < 1, f"{worst:.2f} s")
    check("the log names it and does not grow with it", len(d.log()) - size < 64 * 1024, f"{len(d.log()) - size} bytes")
    if not SANITIZED:
        check("memory stays", d.rss() - memory < 16 * 1024, f"{d.rss() - memory} KiB")
    check("the daemon lives", d.alive() and d.healthy())


def main():
    with Daemon() as d:
        one_by_one(d)
        head_without_end(d)
        half_connections(d)
        slow_bodies(d)
        silent_relay_clients(d)
        flood(d, 120 if SOAK else 5)
        check("no control characters in the log", not any(ord(c) < 32 and c not in "\n\t" for c in d.log()))
        d.stop()
        check("it ends in order", d.process.returncode == 0, f"status {d.process.returncode}")
    with Daemon("trusted_proxies: [127.0.0.0/8]\n") as d:
        forwarded(d)
    finish()


if __name__ == "__main__":
    main()
