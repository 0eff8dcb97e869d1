#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 300
"""What arrives at the relay's door from anybody: handshakes that are never finished, rubbish behind an upgrade, strangers;
and what it says about itself: its pages on both doors, its certificates and how they change while it runs.

SOAK=1 opens 10,000 handshakes instead of 400."""
import hashlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
from daemon import Daemon, SANITIZED, SOAK, check, finish, wait_for  # noqa: E402

HEAD_SECONDS = 10
# The door lets in half as many as files may be open, and the rest is for whoever else comes.
HALF_OPEN = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] * 2 // 5) if SOAK else 400
UPGRADE = b"GET /derp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n"
MAGIC = bytes.fromhex("44455250f09f9491")


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


def tls(port, name=None, source=None):
    raw = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0) if source else None)
    return context().wrap_socket(raw, server_hostname=name)


def ask(port, path, method="GET", headers=None):
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context())
    c.request(method, path, headers=headers or {})
    answer = c.getresponse()
    return answer, answer.read()


def exactly(s, n):
    got = b""
    while len(got) < n:
        piece = s.recv(n - len(got))
        if not piece:
            return got
        got += piece
    return got


def frame(s):
    head = exactly(s, 5)
    if len(head) < 5:
        return None, b""
    kind, length = struct.unpack(">BI", head)
    return kind, exactly(s, length)


def head(s):
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        piece = s.recv(1)
        if not piece:
            break
        got += piece
    return got


def closes(s):
    try:
        while s.recv(65536):
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    except socket.timeout:
        return False
    return True


def status(d):
    return d.call("GET", "/api/headway/relay/status")[1]


def lines(d, pattern):
    return [line for line in d.log().splitlines() if re.search(pattern, line)]


# ---- What is hostile ----


def hello():
    """The beginning of a handshake as the library writes it."""
    out = ssl.MemoryBIO()
    try:
        context().wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def connections(d, port):
    """How many connections to the port the daemon has accepted and not closed."""
    held = set()
    for fd in os.listdir(f"/proc/{d.process.pid}/fd"):
        try:
            held.add(os.readlink(f"/proc/{d.process.pid}/fd/{fd}"))
        except FileNotFoundError:
            pass  # closed since it was listed
    count = 0
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{d.process.pid}/net/{table}", encoding="ascii") as rows:
            for row in list(rows)[1:]:
                field = row.split()
                listens = field[3] == "0A"
                if int(field[1].rsplit(":", 1)[1], 16) == port and not listens and f"socket:[{field[9]}]" in held:
                    count += 1
    return count


def half_open(d, port):
    first = hello()
    check("no connection is left of what came before", wait_for(20, lambda: connections(d, port) == 0))
    before = d.rss()
    sockets = []
    for i in range(HALF_OPEN):
        s = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=("127.0.0.%d" % (3 + i % 2), 0))
        sockets.append(s)
        # silent; half of a first message; all of it, and then nothing
        if i % 3:
            s.sendall(first if i % 3 == 2 else first[: len(first) // 2])
    check("all of them are let in", wait_for(20, lambda: connections(d, port) == HALF_OPEN), f"{connections(d, port)}")
    grown = d.rss() - before
    print(f"# {HALF_OPEN} handshakes: {grown / HALF_OPEN:.1f} KiB each")
    if not SANITIZED:
        check("a handshake that is not finished holds less than 48 KiB", grown < 48 * HALF_OPEN, f"{grown} KiB for {HALF_OPEN}")
    start = time.monotonic()
    answer, _ = ask(port, "/derp/probe")
    check("meanwhile others are answered", answer.status == 200 and time.monotonic() - start < 5, f"{time.monotonic() - start:.2f} s")
    check("they are closed after 10 seconds", wait_for(HEAD_SECONDS + 20, lambda: connections(d, port) == 0),
          f"{connections(d, port)} are left")
    for s in sockets:
        s.close()
    said = lines(d, r"127\.0\.0\.[34]:\d+ closed: no request")
    check("each address is named once", len(said) == 2, "\n# ".join(said))


def upgrade(port, source=None, more=b""):
    s = tls(port, source=source)
    s.sendall(UPGRADE + more + b"\r\n")
    return s


def rubbish(d, port):
    for data in (b"\x02\x00\x10\x00\x00" + b"x" * 100, b"\x02\x00\x00\x00\x68" + b"\0" * 104, b"\xff" * 64, b"\x12\x00\x00\x00\x08" + b"x" * 8,
                 b"\x0a\x00\x00\x00\x40" + b"x" * 64, b"\x10\x00\x00\x00\x00", b"\x77\x7f\xff\xff\xff" + b"x" * 1000):
        with upgrade(port, "127.0.0.5") as s:
            s.sendall(data)
            check(f"rubbish in place of a login is closed: {data[:5].hex()}", closes(s))
    said = lines(d, r"127\.0\.0\.5:\d+ closed")
    check("who sends it is named once", len(said) == 1, "\n# ".join(said))
    refused = status(d)["refused"]
    for _ in range(5):
        with upgrade(port, "127.0.0.6") as s:
            s.sendall(b"\x02" + struct.pack(">I", 104) + os.urandom(104))
            check("a key of no node is refused", closes(s))
    check("that is counted", status(d)["refused"] - refused == 5, json.dumps(status(d)))
    check("and said once", len(lines(d, r"127\.0\.0\.6:\d+ closed: not a node")) == 1)


# ---- What is served ----


def pages(name, port):
    with upgrade(port) as s:
        answer = head(s)
        kind, payload = frame(s)
        check(f"{name}: an upgrade is answered and the server's key follows",
              answer.startswith(b"HTTP/1.1 101 ") and b"Upgrade: DERP" in answer and kind == 1 and payload[:8] == MAGIC and len(payload) == 40,
              repr(answer))
    with upgrade(port, more=b"Derp-Fast-Start: 1\r\n") as s:
        kind, fast = frame(s)
        check(f"{name}: after a fast start the first byte is a frame's", kind == 1 and fast == payload)
    with tls(port) as s:
        s.sendall(b"GET /derp HTTP/1.1\r\nHost: x\r\n\r\n")
        check(f"{name}: without an upgrade it is 426", head(s).startswith(b"HTTP/1.1 426 "))
    for path in ("/derp/probe", "/derp/latency-check"):
        for method in ("GET", "HEAD"):
            answer, body = ask(port, path, method)
            check(f"{name}: {method} {path}", answer.status == 200 and not body and answer.headers["Access-Control-Allow-Origin"] == "*")
        check(f"{name}: POST {path} is 405", ask(port, path, "POST")[0].status == 405)
    answer, _ = ask(port, "/generate_204", headers={"X-Tailscale-Challenge": "ts_192.0.2.1"})
    check(f"{name}: /generate_204 answers the challenge",
          answer.status == 204 and answer.headers["X-Tailscale-Response"] == "response ts_192.0.2.1" and "no-store" in answer.headers["Cache-Control"])
    answer, _ = ask(port, "/generate_204", headers={"X-Tailscale-Challenge": "a b"})
    check(f"{name}: but no challenge that is none", answer.status == 204 and not answer.headers["X-Tailscale-Response"])
    answer, body = ask(port, "/bootstrap-dns?q=derp.example.com")
    check(f"{name}: /bootstrap-dns is an object", answer.status == 200 and isinstance(json.loads(body), dict), body)


# ---- Certificates ----


def websocket(door, port):
    """As browsers do: DERP in binary messages."""
    for connection in (b"keep-alive, Upgrade", b"keep-alive"):  # some proxies say so, and pass on the answer
        with tls(port) as s:
            s.sendall(b"GET /derp HTTP/1.1\r\nHost: x\r\nConnection: " + connection + b"\r\nUpgrade: websocket\r\n"
                      b"Origin: https://elsewhere.test\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: derp\r\n"
                      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            answer = head(s)
            check(f"{door} accepts a WebSocket by {connection.decode()}", answer.startswith(b"HTTP/1.1 101 ") and
                  b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer and
                  b"\r\nSec-WebSocket-Protocol: derp\r\n" in answer, answer)
            message = exactly(s, 2 + 5 + 40)
            check("and begins with its key in a message", message[:2] == b"\x82\x2d" and
                  message[2:15] == b"\x01\x00\x00\x00\x28" + MAGIC, message)
            s.sendall(b"\x81\x81\0\0\0\0x")
            check("text ends it, with the reason", exactly(s, 4) == b"\x88\x02\x03\xeb" and closes(s))
    for wrong, status_line in (("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", 400),
                               ("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short", 400),
                               ("Sec-WebSocket-Version: 13", 400)):
        with tls(port) as s:
            s.sendall(b"GET /derp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                      b"Sec-WebSocket-Protocol: derp\r\n" + wrong.encode() + b"\r\n\r\n")
            check(f"{door} refuses a WebSocket with {wrong.splitlines()[-1]}",
                  head(s).startswith(b"HTTP/1.1 %d " % status_line))


def make_certificate(directory, base, name, days):
    path = {part: os.path.join(directory, f"{base}.{part}") for part in ("crt", "key")}
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days),
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1", "-keyout", path["key"], "-out", path["crt"]],
                   check=True, stderr=subprocess.DEVNULL)
    return path


def shown(port, name=None):
    """The hash of the certificate that is answered with."""
    with tls(port, name) as s:
        return hashlib.sha256(s.getpeercert(True)).hexdigest()


def hash_of(path):
    with open(path, encoding="ascii") as f:
        text = f.read()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE"):])).hexdigest()


def renewal(d, port):
    """One that ends soon is put into its place: the daemon, told to look, makes a new one while it runs."""
    before, own = status(d), os.path.join(d.dir, "relay.pem")
    made = shown(port)
    check("the own certificate is the one in its file, for nobody else to read", made == hash_of(own) and os.stat(own).st_mode & 0o777 == 0o600)
    soon = make_certificate(d.dir, "soon", "r-00000001.relay.invalid", 30)
    with open(own, "w", encoding="ascii") as out:
        for part in ("key", "crt"):
            with open(soon[part], encoding="ascii") as f:
                out.write(f.read())
    with upgrade(port) as s:
        head(s)
        frame(s)
        d.process.send_signal(signal.SIGHUP)
        check("a certificate that ends within a year is renewed", wait_for(20, lambda: status(d)["certificate"] != before["certificate"]))
        after = status(d)
        check("the new one is answered with, and kept", shown(port) not in (made, hash_of(soon["crt"])) and shown(port) == hash_of(own))
        check("it has years before it", int(after["certificateEnds"][:4]) >= time.gmtime().tm_year + 4, after["certificateEnds"])
        check("whoever knows the one before by its name still gets it", shown(port, before["certificate"]) == made)
        check("and the one in the file", shown(port, "r-00000001.relay.invalid") == hash_of(soon["crt"]))
        s.settimeout(0.2)
        try:
            gone = s.recv(1) == b""
        except socket.timeout:
            gone = False
        check("who was connected stays connected", not gone)


class TlsDaemon(Daemon):
    """Its public door speaks TLS."""

    def __init__(self):
        super().__init__("")
        self.certificate = make_certificate(self.dir, "public", "derp.example.com", 90)
        with open(self.config, "a", encoding="utf-8") as f:
            f.write(f"tls_cert_path: {self.certificate['crt']}\ntls_key_path: {self.certificate['key']}\n")

    def healthy(self, timeout=2):
        try:
            return ask(self.port, "/health")[0].status == 200
        except OSError:
            return False


def read_slowly(port, path):
    """(length said, bytes that came) over a connection that takes little at a time, and late."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(30)
    raw.connect(("127.0.0.1", port))
    with context().wrap_socket(raw) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        said = int(re.search(rb"(?i)content-length: (\d+)", head(s)).group(1))
        got = 0
        while True:
            piece = s.recv(2048)
            if not piece:
                return said, got
            got += len(piece)


def configured(d):
    port = status(d)["port"]
    pages("the public door", d.port)
    websocket("the public door", d.port)
    said, got = read_slowly(d.port, "/swagger/v1/openapiv2.json")
    check("a slow reader gets the whole of a long answer", said == got > 10000, f"{got} of {said}")
    old = hash_of(d.certificate["crt"])
    check("the relay has the configured certificate", shown(port) == shown(d.port) == old)
    make_certificate(d.dir, "public", "derp.example.com", 60)
    new = hash_of(d.certificate["crt"])
    check("a changed file is noticed by both doors", new != old and wait_for(30, lambda: shown(port) == shown(d.port) == new))


def main():
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    with Daemon() as d:
        port = status(d)["port"]
        pages("the relay's door", port)
        websocket("the relay's door", port)
        rubbish(d, port)
        renewal(d, port)
        half_open(d, port)
        check("the daemon lives", d.alive() and d.healthy())
    with TlsDaemon() as d:
        configured(d)
    finish()


main()
