#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""Sockets that the service manager keeps: nobody is refused while the daemon is away, and none is kept for nothing."""
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
from daemon import HEADWAYD, ROOT, Daemon, check, finish, free_port, wait_for  # noqa: E402


class Managed(Daemon):
    """Run by manager.py; its process here is the manager's."""

    def __init__(self):
        super().__init__()
        self.pipe, self.pidfile = os.path.join(self.dir, "orders"), os.path.join(self.dir, "pid")
        os.mkfifo(self.pipe)

    def __enter__(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(ROOT, "tests/shared/manager.py"), self.pipe, self.pidfile, HEADWAYD, "-c", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.begin()
        return self

    def __exit__(self, *rest):
        if os.path.exists(self.pidfile):
            self.finish(signal.SIGTERM)
        super().__exit__(*rest)

    def order(self, word):
        with open(self.pipe, "w", encoding="ascii") as f:
            f.write(word + "\n")

    def begin(self, ready=True):
        self.order("start")
        return not ready or wait_for(20, lambda: os.path.exists(self.pidfile))

    def number(self):
        with open(self.pidfile, encoding="ascii") as f:
            return int(f.read())

    def finish(self, how):
        pid = self.number()
        os.kill(pid, how)
        os.unlink(self.pidfile)

        def gone():
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                    return f.read().rsplit(") ", 1)[1][0] == "Z"
            except FileNotFoundError:
                return True

        return wait_for(20, gone)

    def move(self, host, port):
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        old = next(line for line in text.split("\n") if line.startswith("listen_addr:"))
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text.replace(old, f'listen_addr: "{host}:{port}"'))


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return False
    except ConnectionRefusedError:
        return True


def asked(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return s


def answer(s):
    with s:
        return s.recv(64).startswith(b"HTTP/1.1 200")


with Managed() as d:
    for name, how in (("SIGTERM", signal.SIGTERM), ("kill -9", signal.SIGKILL)):
        check(f"it ends on {name}", d.finish(how))
        check("who dials meanwhile is not refused", not refused(d.port))
        waiting = asked(d.port)
        check("it starts again", d.begin())
        check("and answers who waited", answer(waiting))
        check("and who comes now", answer(asked(d.port)))

    old, d.port = d.port, free_port()
    d.move("127.0.0.1", d.port)
    d.finish(signal.SIGTERM)
    check("with another port it starts", d.begin())
    check("and answers there", answer(asked(d.port)))
    check("the one before is closed", wait_for(5, lambda: refused(old)))

    d.move("0.0.0.0", d.port)
    d.finish(signal.SIGTERM)
    check("with another address of the same port it starts", d.begin())
    check("and answers", answer(asked(d.port)))
    d.finish(signal.SIGKILL)
    waiting = asked(d.port)
    check("and is kept from then on", d.begin() and answer(waiting))

    d.move("", d.port)
    d.finish(signal.SIGKILL)
    check("with both families it starts", d.begin())
    d.finish(signal.SIGKILL)
    waiting = asked(d.port)
    check("and is kept too", d.begin() and answer(waiting))

finish()
