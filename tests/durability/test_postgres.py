#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 400
"""The daemon, the session that writes, its backend and the whole server of PostgreSQL are killed at random moments while
several administrators change things; a standby takes over; the answer of a COMMIT is lost.

Everything that was answered is there; of what was asked and not answered, all or nothing; the journal knows each change once."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared/postgres"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pg_server  # noqa: E402
from changes import TAGS, WORKERS, Worker, compare, found, halves, journal, node_rows  # noqa: E402
from daemon import HEADWAYD, SOAK, Daemon, check, finish, skip_all, wait_for  # noqa: E402

KINDS = ["daemon", "session", "backend", "server"]
ROUNDS = 100 if SOAK else 1  # of each kind


def literal(value):
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def seed(server):
    booleans = {"ephemeral", "logged_out"}
    for row in node_rows():
        values = ["false" if name in booleans else literal(value) for name, value in row.items()]
        server.sql(f"INSERT INTO headway.node({','.join(row)}) VALUES({','.join(values)})")


def answers(workers):
    return sum(w.answers for w in workers)


def wait_for_answers(workers, wanted):
    wait_for(60, lambda: answers(workers) >= wanted or any(w.failure for w in workers) or not any(w.is_alive() for w in workers))


def strike(kind, d, server):
    if kind == "daemon":
        d.stop(kill=True)
    elif kind == "session":
        server.sql("SELECT pg_terminate_backend(pid) FROM headway.server")
    elif kind == "backend":
        os.kill(int(server.sql("SELECT pid FROM headway.server")), signal.SIGKILL)
    else:
        server.crash()
        server.start()


def one_round(kind, d, server, workers, rng):
    for w in workers:
        w.again(d.socket)
    for w in workers:
        w.start()
    wait_for_answers(workers, rng.randrange(1, 300))
    time.sleep(rng.random() * 0.003)
    strike(kind, d, server)
    if kind != "daemon":
        wait_for_answers(workers, answers(workers) + 50)
        for w in workers:
            w.stopping = True
    for w in workers:
        w.join(30)
    if kind == "daemon":
        d.start()


def judge(name, d, workers):
    status, snapshot = d.call("GET", "/api/headway/snapshot")
    failures = [w.failure for w in workers if w.failure]
    if not check(f"{name}: each call is answered", status == 200 and not failures, "; ".join(failures)[:1000] or str(snapshot)[:500]):
        return
    wrong = compare(workers, found(snapshot))
    check(f"{name}: what was answered is there", not wrong, "; ".join(wrong)[:1500])
    status, entries = journal(d)
    told = [e for w in workers for e in w.events]
    kept = [e["id"] for e in entries]
    missing = set(told) - set(kept)
    check(f"{name}: the journal holds each answered change, once", status == 200 and not missing and len(kept) == len(set(kept)),
          f"status {status}, missing {sorted(missing)[:5]}")
    wrong = halves(entries, snapshot)
    check(f"{name}: nothing is there by half", not wrong, "; ".join(wrong)[:1500])


def killed(server):
    rng = random.Random(int(os.environ.get("SEED", "1")))
    d = Daemon()
    server.configure(d.config)
    with d:
        d.stop()
        seed(server)
        d.start()
        status, answer = d.call("PUT", "/api/headway/policy", {"policy": json.dumps({"tagOwners": {tag: [] for tag in TAGS}})})
        check("a policy names the tags", status == 200, answer)
        workers = [Worker(i) for i in range(WORKERS)]
        for number in range(1, ROUNDS * len(KINDS) + 1):
            kind = KINDS[number % len(KINDS)]
            one_round(kind, d, server, workers, rng)
            judge(f"round {number}, {kind}", d, workers)
            if any(w.failure for w in workers):
                break


def promoted():
    rng = random.Random(int(os.environ.get("SEED", "1")))
    with pg_server.Server() as server, pg_server.Standby(server) as standby:
        d = Daemon()
        server.configure(d.config, host=f"'{server.dir},{standby.dir}'")
        with d:
            d.call("PUT", "/api/headway/policy", {"policy": json.dumps({"tagOwners": {tag: [] for tag in TAGS}})})
            workers = [w for w in (Worker(i) for i in range(WORKERS))]
            for w in workers:
                w.facts.clear()
                w.set_routes = w.edit_routes = w.rename_node = w.set_tags = w.create_user
                w.again(d.socket)
            for w in workers:
                w.start()
            wait_for_answers(workers, rng.randrange(100, 300))
            server.crash()
            standby.promote()
            wait_for_answers(workers, answers(workers) + 50)
            for w in workers:
                w.stopping = True
            for w in workers:
                w.join(30)
            judge("a standby is promoted", d, workers)


def users(d):
    status, snapshot = d.call("GET", "/api/headway/snapshot")
    return [u["name"] for u in snapshot["users"]] if status == 200 else []


def create(d, name, out):
    out.append(d.call("POST", "/api/headway/users", {"name": name}))


def swallowed(server):
    """The COMMIT is done, and its answer is lost: with a short absence nobody notices, after a long one it shows up."""
    with pg_server.Proxy(server) as proxy:
        d = Daemon()
        server.sql("DROP SCHEMA IF EXISTS headway CASCADE")
        server.configure(d.config, host=proxy.dir)
        with d:
            for name, long_absence in (("short", False), ("long", True)):
                out = []
                proxy.swallow = f"user-{name}".encode()
                asking = threading.Thread(target=create, args=(d, f"user-{name}", out))
                asking.start()
                check(f"{name}: the answer of a COMMIT is lost", proxy.swallowed.wait(10))
                proxy.swallowed.clear()
                if long_absence:
                    asking.join(20)
                    check("after ten seconds nobody knows", out and out[0][0] == 504 and "not known" in str(out[0][1]), str(out))
                    check("and it is not shown", f"user-{name}" not in users(d))
                    status, answer = d.call("POST", "/api/headway/users", {"name": "meanwhile"})
                    check("other changes are refused", status == 503, f"{status} {answer}")
                proxy.refuse = False
                asking.join(20)
                if not long_absence:
                    check("after a short absence it is answered", out and out[0][0] == 200, str(out))
                check(f"{name}: it is there, once", wait_for(10, lambda: users(d).count(f"user-{name}") == 1), str(users(d)))
                status, answer = d.call("POST", "/api/headway/users", {"name": f"user-{name}"})
                check(f"{name}: its name is taken", status == 409, f"{status} {answer}")
                check(f"{name}: changes work", wait_for(10, lambda: d.call("POST", "/api/headway/users", {"name": f"after-{name}"})[0] in (200, 409)))
                _, entries = journal(d)
                check(f"{name}: the journal tells it", sum(e["kind"] == "user.created" and e["objectName"] == f"user-{name}" for e in entries) == 1, str(entries)[-500:])


def refused(host, name, words):
    """A start that ends at once, with these words."""
    d = Daemon()
    try:
        host.server.configure(d.config, host=host.dir)
        done = subprocess.run([HEADWAYD, "-c", d.config], capture_output=True, text=True, timeout=60, check=False)
        check(name, done.returncode == 1 and words in done.stderr, done.stderr[-500:])
    finally:
        shutil.rmtree(d.dir, ignore_errors=True)


def wrong_servers(server):
    with pg_server.Proxy(server) as proxy:
        proxy.old = b"13"
        refused(proxy, "a server before version 14 is refused", "the server is PostgreSQL 13; headway needs at least 14")
    if not shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin"):
        print("# no pgbouncer is installed: that it is refused is not tested")
        return
    with pg_server.Pooler(server, "transaction") as pooler:
        pooler.server = server
        refused(pooler, "a pooler in transaction mode is refused", "a connection pooler in transaction mode")


def main():
    if not pg_server.programs() or not shutil.which("psql"):
        skip_all("no PostgreSQL server is installed")
    if subprocess.run(["which", "setpriv"], stdout=subprocess.DEVNULL, check=False).returncode and os.geteuid() == 0:
        skip_all("a server does not run as root, and setpriv is not there")
    with pg_server.Server() as server:
        killed(server)
        swallowed(server)
        wrong_servers(server)
    promoted()
    finish()


main()
