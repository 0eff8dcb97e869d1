#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How soon the console shows something with N nodes: on the socket, and over a link of 300 kB/s with 20 ms each way.

    tests/bench/console_start.py [N]      10000 by default
"""
import os
import pty
import select
import signal
import socket
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench.daemon import Generator, make_key, row  # noqa: E402
from shared import daemon  # noqa: E402

HEADWAY = os.path.join(daemon.ROOT, "build/release/headway")
RATE = 300_000
DELAY = 0.02


class SlowLink:
    """Connections to a port, slow towards whoever opened them."""

    def __init__(self, port):
        self.to = port
        self.bytes = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.pump, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, RATE), daemon=True).start()

    def pump(self, source, sink, rate):
        free = time.monotonic()
        try:
            while data := source.recv(4096):
                if rate:
                    free = max(free, time.monotonic()) + len(data) / rate
                    time.sleep(max(0, free - time.monotonic()))
                    self.bytes += len(data)
                time.sleep(DELAY if not rate else 0)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


class Console:
    """headway on a terminal; times count from its start."""

    def __init__(self, arguments):
        self.screen = b""
        self.began = time.monotonic()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.execv(HEADWAY, [HEADWAY, *arguments])
        termios.tcsetwinsize(self.fd, (40, 140))

    def until(self, word, seconds=60):
        while word not in self.screen:
            left = self.began + seconds - time.monotonic()
            if left < 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            self.screen += os.read(self.fd, 65536)
        return time.monotonic() - self.began

    def rss(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def ms(seconds):
    return "never" if seconds is None else f"{seconds * 1000:.0f} ms"


def measure(count, where, arguments, budget):
    console = Console(arguments)
    first, live = console.until(b"node-"), console.until(b"LIVE")
    row(count, f"{where}: first rows, all of them, memory", f"{ms(first)}, {ms(live)}, {console.rss() / 1024:.0f} MiB", budget)
    console.end()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    with daemon.Daemon() as server:
        load = Generator(server, count)
        load("register", make_key(server))
        load.end()
        status, answer = server.call("POST", "/api/v1/apikey", {"expiration": "2099-01-01T00:00:00Z"})
        assert status == 200, answer
        os.environ["HEADWAY_CLI_API_KEY"] = answer["apiKey"]
        print(f"{'nodes':>6}  {'what':<52} {'measured':<34} budget")
        measure(count, "the socket", ["-c", server.config], "300 ms, 64 MiB")
        link = SlowLink(server.port)
        measure(count, "300 kB/s", ["--address", f"http://127.0.0.1:{link.port}"], "3 s")
        row(count, "300 kB/s: bytes of it all", f"{link.bytes:,}")
        link.close()


if __name__ == "__main__":
    main()
