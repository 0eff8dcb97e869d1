#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 240
"""The daemon is killed with -9 again and again while clients register and wait, and started again.

Who waits at a link keeps it, whatever happens to the daemon; who registers with a single-use key becomes a node, and one
only, whether it heard the answer or not; an SSH session that waits is answered when it is approved; a change of an
administrator that is repeated with the same Idempotency-Key, as headway(1) does by itself, is made once."""
import http.client
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
import daemon  # noqa: E402
from daemon import Daemon, SANITIZED, SOAK, UnixConnection, check, finish, wait_for  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(os.path.dirname(daemon.HEADWAYD), "headway"))
RUN_CLIENTS = os.path.join(daemon.ROOT, "build", os.environ.get("VARIANT_RUN", "release"), "tests/durability/run_clients")
ROUNDS = 100 if SOAK else 3 if SANITIZED else 8
WAITING = 12
KEYS = 16
CHECK = '{"ssh":[{"action":"check","src":["alice@"],"dst":["autogroup:self"],"users":["root"]}]}'


class Clients:
    def __init__(self, port):
        self.process = subprocess.Popen([RUN_CLIENTS, f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.heard = {}
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.split())

    def drain(self):
        try:
            while True:
                name, *what = self.lines.get_nowait()
                self.heard.setdefault(name, []).append(what)
        except queue.Empty:
            pass

    def begin(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def of(self, name, what):
        """What a client heard of that kind."""
        self.drain()
        return [words[1:] for words in self.heard.get(name, []) if words[0] == what]

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def ok(answer):
    status, value = answer
    if status != 200:
        raise RuntimeError(f"{status}: {value}")
    return value["result"]


def keys(d, count):
    return [ok(d.call("POST", "/api/headway/preauthkeys", {"user": "alice", "expiration": "2099-01-01T00:00:00Z"}))["key"] for _ in range(count)]


def one_round(d, clients, number, rng):
    """Machines with keys come while the daemon dies and comes back several times; all of them become nodes."""
    names = [f"k{number}-{i}" for i in range(KEYS)]
    waiting = dict(zip(names, keys(d, KEYS)))
    for name, key in waiting.items():
        clients.begin(name, "key", key)
    for _ in range(3):
        time.sleep(rng.random() * 0.05)
        d.stop(kill=True)
        d.start()
    all_done = wait_for(30, lambda: all(clients.of(n, "done") for n in names))
    told = {n: clients.heard.get(n) for n in names if not clients.of(n, "done")}
    check(f"round {number}: each machine with a single-use key is in", all_done, str(told)[:500])
    nodes = [n["name"] for n in d.call("GET", "/api/headway/snapshot")[1]["nodes"] if n["name"] in waiting]
    check(f"round {number}: each is one node", sorted(nodes) == sorted(names), str(sorted(nodes)))
    errors = [clients.of(n, "error") for n in names if clients.of(n, "error")]
    check(f"round {number}: none heard an error", not errors, str(errors)[:500])


def one_link(clients, names):
    return [n for n in names if len(clients.of(n, "url")) != 1]


def waiting_for_approval(d, clients, names):
    ids = {n: clients.of(n, "url")[0][0].rsplit("/", 1)[1] for n in names}
    listed = {p["authId"]: p["hostname"] for p in d.call("GET", "/api/headway/pending")[1]["pending"]}
    check("all of them are listed", listed == {i: n for n, i in ids.items()}, str(listed)[:500])
    half = len(names) // 2
    for name in names[:half]:
        ok(d.call("POST", "/api/headway/pending/" + ids[name] + "/approve", {"user": "alice"}))
    d.stop(kill=True)  # some have their answer by now, the others get it later
    d.start()
    for name in names[half:]:
        ok(d.call("POST", "/api/headway/pending/" + ids[name] + "/approve", {"user": "alice"}))
    check("each is let in", wait_for(20, lambda: all(clients.of(n, "done") for n in names)), str([n for n in names if not clients.of(n, "done")]))
    check("by its first link", not one_link(clients, names), str(one_link(clients, names)))


def ssh_sessions(d, clients):
    ok(d.call("PUT", "/api/headway/policy", {"policy": CHECK}))
    first, second, third = keys(d, 3)
    for name, key in (("from", first), ("to", second), ("other", third)):
        clients.begin(name, "key", key)
    wait_for(20, lambda: all(clients.of(n, "done") for n in ("from", "to", "other")))
    ids = {n["name"]: n["id"] for n in d.call("GET", "/api/headway/snapshot")[1]["nodes"]}
    for name in ("to", "other"):
        clients.begin(name, "ssh", f"{ids['from']}/to/{ids[name]}", "root")
    held = wait_for(20, lambda: clients.of("to", "hold") and clients.of("other", "hold"))
    check("two SSH sessions wait", held, str(clients.heard))
    auth = {n: clients.of(n, "hold")[0][0].rsplit("auth_id=", 1)[1] for n in ("to", "other")}
    d.stop(kill=True)
    d.start()
    check("and still do", {p["authId"] for p in d.call("GET", "/api/headway/pending")[1]["pending"]} == set(auth.values()))
    ok(d.call("POST", "/api/headway/pending/" + auth["to"] + "/approve"))
    ok(d.call("POST", "/api/headway/pending/" + auth["other"] + "/reject"))
    d.stop(kill=True)
    d.start()
    wait_for(20, lambda: clients.of("to", "accept") and clients.of("other", "reject"))
    check("the approved one goes on", clients.of("to", "accept") == [[]] and len(clients.of("to", "hold")) == 1, str(clients.heard["to"]))
    check("the rejected one ends", clients.of("other", "reject") == [[]] and len(clients.of("other", "hold")) == 1, str(clients.heard["other"]))
    check("no question was refused", not clients.of("to", "status") and not clients.of("other", "status"))


class Changes(threading.Thread):
    """Makes keys one after the other, and repeats what was not answered until it is."""

    def __init__(self, socket_path, number):
        super().__init__(daemon=True)
        self.socket = socket_path
        self.random = random.Random(number)
        self.keys = []
        self.repeated = 0
        self.wrong = []
        self.stopping = False

    def ask(self, token, body):
        c = UnixConnection(self.socket)
        try:
            c.request("POST", "/api/headway/preauthkeys", body, {"Content-Type": "application/json", "Idempotency-Key": token})
            answer = c.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException):
            return 0, None
        finally:
            c.close()

    def run(self):
        while not self.stopping:
            token = f'"{self.random.getrandbits(128):032x}"'
            body = json.dumps({"user": "alice", "expiration": "2099-01-01T00:00:00Z"})
            status, value = self.ask(token, body)
            if status == 0:
                self.repeated += 1
            while status == 0:
                time.sleep(0.01)
                status, value = self.ask(token, body)
            if status != 200 or not value["result"]["key"].startswith("hskey-auth-") or not value["event"]:
                self.wrong.append((status, value))
                return
            self.keys.append(value["result"]["id"])


def repeated_changes(d, rng):
    before = len(d.call("GET", "/api/headway/preauthkeys")[1]["preAuthKeys"])
    workers = [Changes(d.socket, i) for i in range(6)]
    for w in workers:
        w.start()
    for _ in range(2 * ROUNDS):
        wanted = sum(len(w.keys) for w in workers) + rng.randrange(1, 60)
        wait_for(10, lambda n=wanted: sum(len(w.keys) for w in workers) >= n)
        d.stop(kill=True)
        d.start()
    for w in workers:
        w.stopping = True
    for w in workers:
        w.join(30)
    made = [k for w in workers for k in w.keys]
    wrong = [x for w in workers for x in w.wrong]
    now = len(d.call("GET", "/api/headway/preauthkeys")[1]["preAuthKeys"])
    print(f"# {len(made)} changes, {sum(w.repeated for w in workers)} of them repeated")
    check("each change is answered", not wrong, str(wrong)[:500])
    check("and made once", len(made) == len(set(made)) == now - before, f"{len(made)} answered, {now - before} made")


def commands(d):
    """headway(1) while the daemon is killed: its user notices nothing."""
    for i in range(6):
        command = subprocess.Popen([HEADWAY, "-c", d.config, "users", "create", f"cli{i}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if i % 2:
            d.stop(kill=True)
            d.start()
        out, _ = command.communicate(timeout=30)
        # One that begins while nobody is there says so at once.
        check(f"command {i} ends well", command.returncode == 0 or (i % 2 and "nobody answers" in out), out)
    names = [u["name"] for u in d.call("GET", "/api/headway/snapshot")[1]["users"]]
    check("each name is there once at most", len(names) == len(set(names)), str(names))


def main():
    rng = random.Random(int(os.environ.get("SEED", "1")))
    if not os.access(RUN_CLIENTS, os.X_OK):
        daemon.skip_all("run_clients is not built")
    with Daemon() as d:
        ok(d.call("POST", "/api/headway/users", {"name": "alice"}))
        clients = Clients(d.port)
        names = [f"w{i}" for i in range(WAITING)]
        for name in names:
            clients.begin(name, "wait")
        check("machines get links", wait_for(20, lambda: all(clients.of(n, "url") for n in names)), str(clients.heard)[:500])
        for number in range(1, ROUNDS + 1):
            one_round(d, clients, number, rng)
        status, page = d.call("GET", "/api/headway/events?limit=1000")
        print(f"# {sum(e['kind'] == 'node.reauthenticated' for e in page['events'])} logins were stored and not answered")
        check("who waits kept its link", not one_link(clients, names), str(one_link(clients, names)))
        waiting_for_approval(d, clients, names)
        ssh_sessions(d, clients)
        clients.end()
        repeated_changes(d, rng)
        commands(d)
    finish()


main()
