#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# alone: the strangers take every processor
# limit: 480
"""A stranger with thousands of IPv6 /64s takes every place there is: what a tailnet cannot do without is served.

Daemon and strangers live in two network namespaces, joined by a cable; the strangers own 2001:db8::/32."""
import collections
import concurrent.futures
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
from daemon import SOAK, Daemon, check, finish, skip_all, wait_for  # noqa: E402

SERVER, GATEWAY = "2001:db9::1", "2001:db9::2"
CLONE_NEWNET = 0x40000000
IPV6_FREEBIND = 78
TRIES = 40

ATTACKS = {
    "silent connections": b"",
    "heads without an end": b"GET /health HTTP/1.1\r\nHost: x\r\n",
    "bodies without an end": b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    "kept connections": b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n",
    "bodies of what has a reserve": b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    "upgrades to DERP without a login": b"GET /derp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n",
}


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def stranger(port, number, timeout=None):
    """A connection from a /64 of its own; without a timeout it is only begun."""
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    s.bind((f"2001:db8:{number >> 16:x}:{number & 0xffff:x}::1", 0))
    s.settimeout(timeout or 0)
    try:
        s.connect((SERVER, port))
    except BlockingIOError:
        pass
    return s


def attack(port, payload, places):
    """Takes places, and each that it loses again, from another /64, until it is killed."""
    held, number, poll = collections.OrderedDict(), os.getpid() << 12, select.epoll()
    while True:
        for _ in range(200):
            if len(held) >= places:
                break
            number += 1
            try:
                s = stranger(port, number & 0x7FFFFFFF)
            except OSError:
                break
            held[s.fileno()] = s
            poll.register(s, select.EPOLLOUT | select.EPOLLRDHUP)
        for fd, events in poll.poll(0.01):
            s = held[fd]
            if events & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
                del held[fd]
                s.close()
            else:
                s.send(payload)
                poll.modify(s, select.EPOLLRDHUP)


def ask(port, number, path):
    """What somebody unknown is answered; None: nothing."""
    try:
        with stranger(port, number, 10) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := s.recv(4096):
                answer += piece
            return answer
    except OSError as e:
        return str(e).encode()


def questions(port):
    """Run among the strangers: one line for each path, how many of TRIES were answered and what the others got."""
    for path in ("/key?v=131", "/health"):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda i, path=path: ask(port, 0x70000000 + i, path), range(TRIES)))
        bad = [a for a in answers if not a.startswith(b"HTTP/1.1 200")]
        print(path, len(answers) - len(bad), collections.Counter(a[:60] for a in bad), flush=True)


def among_strangers(function, *arguments):
    """Starts a process in the strangers' namespace; what it prints can be read from the file."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.dup2(writer, 1)
        namespace = os.open(f"/proc/{STRANGERS}/ns/net", os.O_RDONLY)
        if LIBC.setns(namespace, CLONE_NEWNET):
            os._exit(1)
        try:
            function(*arguments)
        except KeyboardInterrupt:
            pass
        finally:
            os._exit(0)
    os.close(writer)
    return pid, os.fdopen(reader)


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def served_during(d, name, payload, places):
    """Under one attack, once it has all that it can get."""
    attackers = [among_strangers(attack, d.port, payload, places)[0] for _ in range(2)]
    most, since = 0, time.monotonic()

    def settled():  # They get no more, though who holds the places changes all the time.
        nonlocal most, since
        now = d.descriptors()
        if now > most + 8:
            most, since = now, time.monotonic()
        return now > 100 and time.monotonic() - since > 1

    wait_for(15, settled)
    print(f"# {name}: {d.descriptors()} descriptors")
    pid, out = among_strangers(questions, d.port)
    administration = [None]

    def administrate():
        try:
            administration[0] = [d.call("GET", "/api/v1/user")[0] for _ in range(5)]
        except OSError as e:
            administration[0] = e

    thread = threading.Thread(target=administrate)
    thread.start()
    for line in out:
        path, count, rest = line.split(" ", 2)
        check(f"{name}: {path} is answered to everybody", int(count) == TRIES, f"{count} of {TRIES}; {rest}")
    os.waitpid(pid, 0)
    thread.join()
    check(f"{name}: the socket is served", administration[0] == [200] * 5, administration[0])
    for a in attackers:
        end(a)
    # A reset that is lost in the crowd leaves a connection that ends by its time limit.
    check(f"{name}: afterwards all is given back", wait_for(90, lambda: d.descriptors() < 100), d.descriptors())


def namespaces():
    """This process moves into one of its own; returns a process that holds the strangers'."""
    if LIBC.unshare(CLONE_NEWNET):
        skip_all("network namespaces cannot be made here")
    run("ip", "link", "set", "lo", "up")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        LIBC.unshare(CLONE_NEWNET)
        os.write(writer, b"x")
        os.close(writer)
        signal.pause()
    os.read(reader, 1)
    run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", str(pid))
    inside = ("nsenter", "-t", str(pid), "-n")
    run("ip", "link", "set", "v0", "up")
    run("ip", "-6", "addr", "add", SERVER + "/64", "dev", "v0", "nodad")
    for words in ("link set lo up", "link set v1 up", f"-6 addr add {GATEWAY}/64 dev v1 nodad",
                  "-6 route add local 2001:db8::/32 dev lo"):
        run(*inside, "ip", *words.split())
    run("ip", "-6", "route", "add", "2001:db8::/32", "via", GATEWAY)
    return pid


LIBC = ctypes.CDLL(None, use_errno=True)
if os.geteuid() != 0:
    skip_all("network namespaces need root")
STRANGERS = namespaces()
try:
    for files, places in ((1024, 1500), (None, 4000 if SOAK else 2000)):
        with Daemon(listen="", files=files) as daemon:
            for words, bytes_ in ATTACKS.items():
                served_during(daemon, f"{files or 'all'} files, {words}", bytes_, places)
            check("the daemon lives", daemon.alive() and daemon.healthy())
            daemon.stop()
            check("it ends in order", daemon.process.returncode == 0, daemon.process.returncode)
finally:
    end(STRANGERS)
finish()
