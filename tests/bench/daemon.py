#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What N nodes cost a daemon: registration, a mass connect, an approval, endpoint updates, PINGs, memory.

    tests/bench/daemon.py [N...]      100 and 1000 by default
    tests/bench/daemon.py engines     registrations, approval and memory over SQLite and PostgreSQL, side by side

The daemon runs on processor 0, the generator (bench_load) on processor 1. Every fiftieth node decodes its maps."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared/postgres"))
import pg_server  # noqa: E402
from shared import daemon  # noqa: E402

LOAD = os.path.join(daemon.ROOT, "build/release/tests/bench/bench_load")


class Generator:
    def __init__(self, server, count, routes=False, every=None):
        env = dict(os.environ, ROUTES="1") if routes else os.environ
        args = ["taskset", "-c", "1", LOAD, f"127.0.0.1:{server.port}", str(count)] + ([str(every)] if every else [])
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def row(count, what, value, budget=""):
    print(f"{count:>6}  {what:<52} {value:<34} {budget}", flush=True)


def make_key(server):
    status, user = server.call("POST", "/api/v1/user", {"name": "bench"})
    assert status == 200, user
    status, key = server.call(
        "POST",
        "/api/v1/preauthkey",
        {"user": user["user"]["id"], "reusable": True, "ephemeral": False, "expiration": "2099-01-01T00:00:00Z"},
    )
    assert status == 200, key
    return key["preAuthKey"]["key"]


def share(server, seconds):
    """Processor time in percent of a core over some seconds in which nothing else happens."""
    before = server.processor()
    time.sleep(seconds)
    return (server.processor() - before) * 100 / seconds


def approve(server, node, routes):
    start = time.monotonic()
    status, answer = server.call("POST", f"/api/v1/node/{node}/approve_routes", {"routes": routes})
    assert status == 200, answer
    return start * 1e6, time.monotonic() * 1e6


def measure(count):
    with daemon.Daemon() as server:
        subprocess.run(["taskset", "-acp", "0", str(server.process.pid)], check=True, stdout=subprocess.DEVNULL)
        load = Generator(server, count)
        key = make_key(server)
        empty = server.rss()

        cpu = server.processor()
        result = load("register", key)
        cpu = server.processor() - cpu
        if result["failed"]:
            print(f"# {result['failed']} registrations failed: {result['error']}")
        row(count, "processor time of one registration", f"{cpu / count * 1000:.2f} ms", "1 ms")

        cpu = server.processor()
        result = load("connect", 120)
        limit = {1000: "1.5 s", 10000: "60 s"}.get(count, "")
        held = server.processor() - cpu
        complete = result["nodes_min"] == count and result["mapped"] == count
        row(count, "all connect, until each holds a complete map",
            f"{result['seconds']:.2f} s, {held:.2f} s of processor" + ("" if complete else f" INCOMPLETE {result}"), limit)
        start = result["start_us"]
        result = load("quiet", 2500, 120)
        cpu = server.processor() - cpu
        row(count, "processor time after it until quiet", f"{cpu - held:.2f} s", "0.5 s" if count == 1000 else "")
        row(count, "messages a client: mean, most",
            f"{result['messages'] / count:.1f}, {result['most']}", "6" if count == 1000 else "")
        row(count, "last message after", f"{(result['last_us'] - start) / 1e6:.1f} s")
        if result["lost"]:
            print(f"# {result['lost']} streams were lost: {result['error']}")

        row(count, "memory a client", f"{(server.rss() - empty) / count:.1f} KiB", "32 KiB")
        row(count, "idle", f"{share(server, 5):.2f} % of a core")

        _, nodes = server.call("GET", "/api/v1/node")
        router = next(n["id"] for n in nodes["nodes"] if n["name"] == "node-0" or n["givenName"] == "node-0")
        latencies, sent = [], []
        cpu = server.processor()
        for i in range(5):
            load("mark")
            called, returned = approve(server, router, ["10.64.0.0/24"] if i % 2 == 0 else [])
            result = load("arrived", count, 20)
            latencies.append((result["p50_us"] - called, result["p99_us"] - called, result["last_us"] - called))
            sent.append(result["bytes"])
            load("quiet", 1200, 10)
        cpu = server.processor() - cpu
        latencies.sort(key=lambda l: l[1])
        p50, p99, last = latencies[2]
        row(count, "approval -> the clients: p50, p99, last",
            f"{p50 / 1000:.1f}, {p99 / 1000:.1f}, {last / 1000:.1f} ms",
            {1000: "50 ms p99", 10000: "500 ms p99"}.get(count, ""))
        row(count, "processor time of one approval, until quiet", f"{cpu / 5 * 1000:.0f} ms")
        row(count, "bytes sent for one approval", f"{sorted(sent)[2]:,}", "300 KB for 300" if count == 300 else "")

        cpu = server.processor()
        result = load("updates", 50, 10)
        cpu = server.processor() - cpu
        row(count, "50 endpoint updates a second", f"{cpu * 10:.1f} % of a core", "25 %" if count == 1000 else "")
        row(count, "an update -> the others: p50, p99",
            f"{result['p50_us'] / 1000:.0f}, {result['p99_us'] / 1000:.0f} ms ({result['told']} seen)",
            "200 ms p99" if count == 1000 else "")
        if result["lost"]:
            print(f"# {result['lost']} streams were lost: {result['error']}")
        load("close")
        load.end()


def approvals(server, load, count, times):
    """[p50, p99, last] of the approval of one route in ms, each the median of so many."""
    _, nodes = server.call("GET", "/api/v1/node")
    router = next(n["id"] for n in nodes["nodes"] if n["name"] == "node-0" or n["givenName"] == "node-0")
    found = []
    for i in range(times):
        load("mark")
        called, _ = approve(server, router, ["10.64.0.0/24"] if i % 2 == 0 else [])
        result = load("arrived", count, 20)
        found.append([(result[name] - called) / 1000 for name in ("p50_us", "p99_us", "last_us")])
        load("quiet", 1200, 10)
    return [sorted(f[i] for f in found)[times // 2] for i in range(3)]


def measure_engine(count, database):
    """{what: value} of a daemon over this server, None: over SQLite."""
    server = daemon.Daemon()
    if database:
        database.configure(server.config)
    with server:
        subprocess.run(["taskset", "-acp", "0", str(server.process.pid)], check=True, stdout=subprocess.DEVNULL)
        load = Generator(server, count)
        key = make_key(server)
        empty = server.rss()
        began = time.monotonic()
        result = load("register", key)
        took = time.monotonic() - began
        if result["failed"]:
            print(f"# {result['failed']} registrations failed: {result['error']}")
        load("connect", 120)
        load("quiet", 2500, 120)
        memory = (server.rss() - empty) / count
        _, p99, last = approvals(server, load, count, 9)
        load("close")
        load.end()
    return {"registrations a second, 32 at a time": f"{count / took:,.0f}", "approval -> the clients, p99": f"{p99:.1f} ms",
            "approval -> the last of them": f"{last:.1f} ms", "memory a client": f"{memory:.1f} KiB"}


def measure_engines(count):
    budgets = {"registrations a second, 32 at a time": "1,000", "approval -> the clients, p99": "50 ms", "memory a client": "32 KiB"}
    if not pg_server.programs():
        print("# no PostgreSQL server is installed: it is not measured")
        return
    sqlite = measure_engine(count, None)
    with pg_server.Server() as database:
        postgres = measure_engine(count, database)
    print(f"{'nodes':>6}  {'what':<40} {'SQLite':<14} {'PostgreSQL':<14} budget")
    for what, value in sqlite.items():
        print(f"{count:>6}  {what:<40} {value:<14} {postgres[what]:<14} {budgets.get(what, '')}", flush=True)


def measure_pings(count):
    """Every node is a router with an approved prefix, so that each is asked every second; the generator answers no probe."""
    with daemon.Daemon("node: {routes: {ha: {probe_interval: 0s}}}\n") as server:
        subprocess.run(["taskset", "-acp", "0", str(server.process.pid)], check=True, stdout=subprocess.DEVNULL)
        load = Generator(server, count, routes=True)
        load("register", make_key(server))
        load("connect", 120)
        load("quiet", 2500, 60)
        before = share(server, 10)
        _, nodes = server.call("GET", "/api/v1/node")
        for node in nodes["nodes"]:
            approve(server, node["id"], node["availableRoutes"])
        load("quiet", 2500, 60)
        time.sleep(3)
        row(count, "PINGs to as many probed routers, idle before", f"{share(server, 10):.2f} %, {before:.2f} % of a core", "2 %")
        load("close")
        load.end()


def main():
    if not os.access(LOAD, os.X_OK):
        sys.exit(f"{LOAD} is not built")
    if sys.argv[1:] == ["engines"]:
        measure_engines(1000)
        return
    counts = [int(a) for a in sys.argv[1:]] or [100, 1000]
    print(f"{'nodes':>6}  {'what':<52} {'measured':<34} budget")
    for count in counts:
        measure(count)
    if 1000 in counts:
        measure_pings(1000)


if __name__ == "__main__":
    main()
