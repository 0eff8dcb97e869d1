#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A service manager in small: what systemd does with FileDescriptorStoreMax=, for tests.

  manager.py PIPE PIDFILE COMMAND...

For each line that is read from the named pipe COMMAND is started, with the sockets that earlier ones gave away
(FDSTORE of sd_notify(3)) as LISTEN_FDS, and its number written to PIDFILE once it says READY=1. It ends with the line
"end". Starting while the one before still runs is the caller's mistake.
"""
import array
import os
import select
import socket
import sys

pipe, pidfile, command = sys.argv[1], sys.argv[2], sys.argv[3:]
stored = {}  # name: descriptors, in the order they came
notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notices.bind("\0headway-manager-%d" % os.getpid())
orders = os.fdopen(os.open(pipe, os.O_RDWR), "r", buffering=1)


def same(a, b):
    one, other = os.fstat(a), os.fstat(b)
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def start():
    fds = [(fd, name) for name, held in stored.items() for fd in held]
    pid = os.fork()
    if pid:
        return pid
    env = dict(os.environ, NOTIFY_SOCKET="@" + notices.getsockname()[1:].decode())
    if fds:
        env.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=":".join(n for _, n in fds))
        # First out of the way, then to their places from 3 on.
        high = [os.dup2(fd, 100 + i, inheritable=False) for i, (fd, _) in enumerate(fds)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i, inheritable=True)
    os.execvpe(command[0], command, env)


def notice():
    data, ancillary, _, _ = notices.recvmsg(4096, socket.CMSG_SPACE(64), socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, part in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(part[: len(part) // 4 * 4])
    said = dict(line.split("=", 1) for line in data.decode().split("\n") if "=" in line)
    name = said.get("FDNAME", "stored")
    if "FDSTORE" in said:
        for fd in fds:
            held = stored.setdefault(name, [])
            if any(same(fd, other) for other in held):
                os.close(fd)
            else:
                held.append(fd)
    else:
        for fd in fds:  # of a barrier: closing it is the answer
            os.close(fd)
    if "FDSTOREREMOVE" in said:
        for fd in stored.pop(name, []):
            os.close(fd)
    if said.get("READY") == "1":
        with open(pidfile + ".new", "w") as out:
            out.write("%d\n" % pid_now)
        os.rename(pidfile + ".new", pidfile)


pid_now = 0
while True:
    for ready in select.select([orders, notices], [], [])[0]:
        if ready is notices:
            notice()
            continue
        if orders.readline().strip() == "end":
            sys.exit(0)
        if pid_now:
            os.waitpid(pid_now, 0)
        pid_now = start()
