#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The installed program on a pseudo terminal, with a daemon that is made up: how fast keys are answered with 10,000
nodes, what changes of size, signals, crashes, colours and odd terminals do, and that the terminal is put back.
The program says on a descriptor when it has drawn and nothing is under way, so nothing here waits for a time."""
# limit: 120
import fcntl
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HEADWAY = os.environ.get("HEADWAY", os.path.join(ROOT, "build/release/headway"))
count = failed = 0


def check(name, good, why=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        print("\n".join("# " + line for line in str(why).splitlines()[:40]))


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


class Daemon:
    def __init__(self, work, nodes=0):
        self.path = os.path.join(work, "socket")
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "fake_server.py"), self.path, str(nodes)])
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                self.call("GET", "/api/headway/whoami")
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("the made-up daemon does not start")

    def call(self, method, path, body=None):
        connection = Unix("h")
        connection.host = self.path
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Console:
    def __init__(self, work, rows=24, cols=80, term="xterm-256color", args=(), env=None):
        config = os.path.join(work, "config.yaml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"server_url: http://127.0.0.1:1\nunix_socket: {work}/socket\n"
                    f"noise:\n  private_key_path: {work}/key\nprefixes:\n  v4: 100.64.0.0/10\n")
        self.idle, idle_write = os.pipe()
        self.master, slave = pty.openpty()
        self.open = [self.master, self.idle]
        self.slave = slave
        self.size(rows, cols, tell=False)
        self.before = termios.tcgetattr(slave)
        environment = dict(os.environ, TERM=term, LC_ALL="C.UTF-8", HEADWAY_IDLE_FD=str(idle_write), HOME=work,
                           TZ="UTC", ASAN_OPTIONS="handle_segv=0:handle_abort=0:allow_user_segv_handler=1")
        environment.pop("NO_COLOR", None)
        environment.update(env or {})
        self.process = subprocess.Popen([HEADWAY, "-c", config, *args], stdin=slave, stdout=slave, stderr=slave,
                                        env=environment, pass_fds=[idle_write], start_new_session=True)
        os.close(idle_write)
        self.output = b""
        self.told = b""  # by the program: "frame N keys N", a line for each screen it drew
        self.sent = 0

    def size(self, rows, cols, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        if tell:
            os.kill(self.process.pid, signal.SIGWINCH)

    def pump(self, until, seconds):
        """Reads until the condition holds; returns whether it came to hold."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            ready, _, _ = select.select(self.open, [], [], min(left, 0.2))
            for fd in ready:
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    data = b""
                if not data:
                    self.open.remove(fd)
                elif fd == self.idle:
                    self.told += data
                else:
                    self.output += data
        return True

    def answered(self):
        """How many keys had been read when the last screen was drawn that is known of."""
        lines = self.told.rsplit(b"\n", 2)
        return int(lines[-2].split()[-1]) if len(lines) > 1 else 0

    def busy(self):
        """Milliseconds of processor that the screen's thread has used."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e6

    def key(self, keys):
        """Types, and waits for the screen that was drawn after the last key was read. Returns the processor time that
        took, which is the same on a busy machine."""
        self.sent += len(keys)
        start = self.busy()
        os.write(self.master, keys.encode())
        good = self.pump(lambda: self.answered() >= self.sent, 20)
        return self.busy() - start if good else None

    def shows(self, text, seconds=20):
        return self.pump(lambda: text.encode() in self.output, seconds)

    def forget(self):
        self.output = b""

    def ended(self, seconds=20):
        self.pump(lambda: self.process.poll() is not None, seconds)
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def put_back(self):
        """Is the terminal as it was? The full screen was left, the cursor is shown, the modes are the old ones. What a
        process wrote is not readable the moment it ended: the kernel hands it over in its own time."""
        left = self.pump(lambda: b"\x1b[?1049l" in self.output[-4000:], 20)
        return left and termios.tcgetattr(self.slave)[:4] == self.before[:4]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self.slave, self.idle):
            os.close(fd)


def timed(console, keys):
    return sorted(ms for ms in map(console.key, keys) if ms is not None)


def latency(work):
    daemon = Daemon(work, 10000)
    c = Console(work, 60, 200)
    check("prefixes without a router open what needs somebody", c.shows("without a router", 40), c.output[-2000:])
    c.shows("LIVE")
    c.key("1")
    check("10,000 nodes are on the screen", c.shows("10000 nodes", 40), c.output[-2000:])
    times = timed(c, ["j"] * 60 + ["k"] * 20 + ["\x04"] * 20 + ["G", "g"] * 10)
    middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"# processor time from a key to its screen: p50 {middle:.1f} ms, p99 {late:.1f} ms, of {len(times)}")
    check("each key was answered", len(times) == 120, len(times))
    check("within 16 ms", middle < 16, middle)
    c.forget()
    daemon.call("POST", "/test/churn", {"count": 2000})
    times = timed(c, ["j", "k"] * 40)
    print(f"# while 2,000 nodes change: p50 {times[len(times) // 2]:.1f} ms, p99 {times[int(len(times) * 0.99)]:.1f} ms")
    check("and while 2,000 nodes change", times[len(times) // 2] < 16, times)
    began = time.perf_counter()
    c.key("g")
    c.forget()
    daemon.call("POST", "/test/event", {"node": "1", "givenName": "a-renamed-elsewhere"})
    check("a change made elsewhere is shown", c.shows("a-renamed-elsewhere"))
    print(f"# {(time.perf_counter() - began) * 1000:.0f} ms after it was made")
    with open(f"/proc/{c.process.pid}/status", encoding="ascii") as f:
        print("# memory:", re.search(r"VmRSS:\s*(.*)", f.read()).group(1))
    c.key("q")
    os.write(c.master, b"q")
    check("q leads back, and ends it", c.ended() == 0)
    check("the terminal is put back", c.put_back(), c.output[-300:])
    c.close()
    daemon.stop()


def signals(work):
    for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP"), (signal.SIGSEGV, "a crash"),
                         (signal.SIGABRT, "an abort")):
        c = Console(work)
        c.shows("LIVE")
        c.process.send_signal(number)
        c.ended()
        check(f"{name} ends it and puts the terminal back", c.put_back(), c.output[-300:])
        c.close()
    c = Console(work)
    c.shows("LIVE")
    os.write(c.master, b"\x1a")
    stopped = os.waitid(os.P_PID, c.process.pid, os.WSTOPPED | os.WNOWAIT)
    check("Ctrl-Z stops it", stopped is not None and stopped.si_status == signal.SIGSTOP, stopped)
    check("with the terminal put back", c.put_back(), c.output[-300:])
    c.forget()
    c.process.send_signal(signal.SIGCONT)
    check("it comes back and draws everything again", c.shows("Nodes") and c.shows("build-01"), c.output[-500:])
    c.key("q")
    check("and ends as always", c.ended() == 0)
    c.close()


def looks(work):
    c = Console(work, env={"NO_COLOR": "1"})
    c.shows("LIVE")
    check("NO_COLOR: no colour is set", not re.search(rb"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;|48;|4[0-7])[0-9;]*m", c.output))
    c.close()
    c = Console(work)
    c.shows("LIVE")
    check("256 colours: they are used", b"38;5;" in c.output)
    check("the palette is left alone", b"\x1b]4;" not in c.output)
    check("no name from a client reaches the terminal as a command", b"\x1b[31mred" not in c.output)
    c.close()
    for term, extra in (("xterm", {}), ("screen", {}), ("linux", {}), ("vt100", {}), ("xterm-256color", {"LC_ALL": "C"})):
        c = Console(work, term=term, env=extra)
        check(f"TERM={term} {extra.get('LC_ALL', '')}: it works", c.shows("LIVE") and c.shows("build-01"), c.output[-500:])
        c.key("q")
        check("and ends", c.ended() == 0)
        c.close()
    c = Console(work, term="no-such-terminal")
    check("an unknown terminal is an error in words", c.shows("is not known") and c.ended() == 1, c.output)
    c.close()
    c = Console(work, term="dumb")
    check("so is one that cannot place its cursor", c.shows("cannot place its cursor") and c.ended() == 1, c.output)
    c.close()
    c = Console(work, args=["--theme", "light", "--color", "16"])
    check("16 colours: no others are used", c.shows("LIVE") and b"38;5;" not in c.output, c.output[-500:])
    c.close()
    c = Console(work, args=["--theme", "pink"])
    check("so is an unknown theme", c.shows("there is no theme 'pink'; there are default, light, ") and c.ended() != 0, c.output)
    c.close()


def sizes(work):
    c = Console(work)
    c.shows("LIVE")
    seed = 1
    for i in range(300):
        seed = (seed * 1103515245 + 12345) % 2**31
        c.size(seed // 7 % 60 + 1, seed // 1000 % 200 + 1)
        if i % 5 == 0:
            c.key("jk2?"[i // 5 % 4])
        if i % 11 == 0:
            c.key("\x1b")
    c.size(24, 80)
    c.forget()
    c.key("\x1b")
    c.key("\x0c")
    check("300 changes of size later it still draws", c.shows("Nodes") and c.process.poll() is None, c.output[-300:])
    c.close()


def history_up(console):
    """What is drawn from the newest command of the history but one, which was :quit, until a letter is typed behind it."""
    console.key(":")
    console.forget()
    os.write(console.master, b"\x1bOA\x1bOA")
    console.sent += 2
    console.key("z")
    return console.output


def state(work):
    """What was typed belongs to the user, and to the server at which it was typed."""
    far = Daemon(os.makedirs(os.path.join(work, "elsewhere")) or os.path.join(work, "elsewhere"))
    env = {"XDG_STATE_HOME": os.path.join(work, "mine")}
    elsewhere = ["--socket", f"{work}/elsewhere/socket"]
    for args, word in (([], "one-only"), (elsewhere, "two-only")):
        c = Console(work, args=args, env=env)
        c.shows("LIVE")
        check(f"no history of another server: {word}", b"-only" not in history_up(c), c.output[-300:])
        c.key("\x15")
        c.key(f"filter {word}\r")
        os.write(c.master, b":quit\r")
        check("it ends", c.ended() == 0, c.output[-300:])
        c.close()
    for args, word in (([], "one-only"), (elsewhere, "two-only")):
        c = Console(work, args=args, env=env)
        c.shows("LIVE")
        check(f"the history of the server itself: {word}", word.encode() in history_up(c), c.output[-300:])
        c.close()
    kept = os.path.join(work, "mine/headway/console.history")
    check("it is in the user's folder, for the user alone", os.stat(kept).st_mode & 0o777 == 0o600, kept)
    far.stop()


def faults(work, daemon):
    c = Console(work)
    c.shows("LIVE")
    c.forget()
    daemon.stop()
    check("a daemon that goes away is said", c.shows("DOWN"), c.output[-500:])
    c.forget()
    c.key("a")
    check("nothing can be changed then", c.shows("not connected"), c.output[-500:])
    c.forget()
    daemon = Daemon(work)
    c.key("R")
    check("it is back by itself", c.shows("LIVE"), c.output[-500:])
    c.forget()
    daemon.call("POST", "/test/node", {"name": "fresh-router", "routes": ["10.99.0.0/16"]})
    check("and follows again", c.shows("fresh-router"), c.output[-500:])
    for key in ("/fresh\r", "a"):
        c.key(key)
    check("approving works", c.shows("10.99.0.0/16 approved on fresh-router"), c.output[-800:])
    calls = daemon.call("GET", "/test/calls")
    check("with the version that was on the screen", calls[-1]["ifMatch"] in ('"1"', "1"), calls)
    c.close()
    return daemon


def servers(work):
    other = os.path.join(work, "other")
    os.makedirs(os.path.join(other, "headway"))
    far = Daemon(other)
    far.call("POST", "/test/node", {"name": "far-away", "routes": []})
    with open(os.path.join(other, "headway/servers"), "w", encoding="utf-8") as f:
        f.write(f"# elsewhere\nfar {other}/socket\ndead {other}/nothing\n")
    c = Console(work, env={"XDG_CONFIG_HOME": other})
    check("the first server is shown", c.shows("LIVE") and b"far-away" not in c.output, c.output[-500:])
    c.key(":server far\r")
    check("another one is gone to", c.shows("far-away"), c.output[-500:])
    c.forget()
    c.key(":server dead\r")
    check("one that does not answer is said", c.shows("no connection"), c.output[-500:])
    c.forget()
    c.key(":server local\r")
    check("and left again", c.shows("LIVE") and c.shows("build-01"), c.output[-500:])
    c.forget()
    far.call("POST", "/test/node", {"name": "too-late", "routes": []})
    c.key("jk")
    check("what was left sends nothing more", b"too-late" not in c.output, c.output[-500:])
    c.key("q")
    check("and all ends", c.ended() == 0)
    c.close()
    c = Console(work, args=["--server", "far"], env={"XDG_CONFIG_HOME": other})
    check("a server can be named at the start", c.shows("far-away"), c.output[-500:])
    c.close()
    c = Console(work, args=["--server", "nowhere"], env={"XDG_CONFIG_HOME": other})
    check("one that is not in the list is an error in words", c.shows("'nowhere' is not in") and c.ended() == 1, c.output)
    c.close()
    c = Console(work, args=["--server", "\x1b]0;owned\x07"], env={"XDG_CONFIG_HOME": other})
    check("whose name cannot steer the terminal", c.shows("'\\x1b]0;owned\\x07' is not in") and b"\x1b]0;owned" not in c.output, c.output)
    c.close()
    far.stop()


def main():
    with tempfile.TemporaryDirectory(prefix="headway-console-") as work:
        latency(work)
        daemon = Daemon(work)
        signals(work)
        looks(work)
        sizes(work)
        servers(work)
        state(work)
        daemon = faults(work, daemon)
        daemon.stop()
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
