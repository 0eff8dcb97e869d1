#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The daemon tells its service manager that it goes on, and stops telling when its core hangs while all else runs."""
import ctypes
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
from daemon import Daemon, check, finish, wait_for  # noqa: E402

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
INTERVAL = 0.4  # seconds within which the manager wants to hear of it

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Manager:
    """The socket that sd_notify(3) writes to."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0headway-watchdog-%d" % os.getpid())
        os.environ["NOTIFY_SOCKET"] = "@" + self.socket.getsockname()[1:].decode()
        os.environ["WATCHDOG_USEC"] = str(int(INTERVAL * 1e6))

    def hears(self, word, seconds):
        """Whether it comes within so many seconds."""
        self.socket.settimeout(seconds)
        try:
            while word not in self.socket.recv(4096).decode().split("\n"):
                pass
        except TimeoutError:
            return False
        return True

    def drop(self):
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            pass


def thread_called(pid, name):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as f:
            if f.read().strip() == name:
                return int(task)
    return 0


def is_traced(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/stat", encoding="utf-8") as f:
        return f.read().rsplit(") ", 1)[1][0] == "t"


def main():
    manager = Manager()
    with Daemon() as d:
        check("it says that it is ready", manager.hears("READY=1", 10))
        check("and that it goes on", all(manager.hears("WATCHDOG=1", 10) for _ in range(3)))
        pid, core = d.process.pid, thread_called(d.process.pid, "core")
        check("the core has a thread", core > 0)
        if libc.ptrace(PTRACE_SEIZE, core, None, None) < 0:
            print("# a thread cannot be stopped here: " + os.strerror(ctypes.get_errno()))
        else:
            libc.ptrace(PTRACE_INTERRUPT, core, None, None)
            check("it is stopped", wait_for(10, lambda: is_traced(pid, core)))
            manager.drop()
            check("nobody else says that it goes on", not manager.hears("WATCHDOG=1", 4 * INTERVAL))
            check("while the rest runs", d.call("GET", "/health")[0] in (200, 503))
            os.waitpid(core, WALL)
            libc.ptrace(PTRACE_DETACH, core, None, None)
            check("when it goes on, it says so", manager.hears("WATCHDOG=1", 10))
        d.stop()
        check("its end may take longer", manager.hears("WATCHDOG_USEC=60000000", 10))
    finish()


main()
