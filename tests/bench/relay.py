#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a packet costs the built-in relay, and a client, beside the reference implementation under the same load.

    tests/bench/relay.py [--only headway|derper] [--seconds N]

The relay runs on processor 0, its clients (bench_relay) on processor 1. Packets have 1,280 bytes."""
import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from shared import daemon  # noqa: E402

LOAD = os.path.join(daemon.ROOT, "build/release/tests/bench/bench_relay")
DERPER = "1.98.9"


class On:
    """Within it, what is started runs on one processor."""

    def __init__(self, processor):
        self.wanted = {processor} & os.sched_getaffinity(0)

    def __enter__(self):
        self.before = os.sched_getaffinity(0)
        if self.wanted:
            os.sched_setaffinity(0, self.wanted)

    def __exit__(self, *_):
        os.sched_setaffinity(0, self.before)


class Headway:
    name = "headway"

    def __enter__(self):
        self.daemon = daemon.Daemon("tuning:\n  batcher_workers: 1\n", derp="    verify_clients: false\n")
        with On(0):
            self.daemon.start()
        _, status = self.daemon.call("GET", "/api/headway/relay/status")
        return f"127.0.0.1:{status['port']}", self.daemon.process.pid

    def __exit__(self, *_):
        self.daemon.stop()


class Derper:
    name = f"derper {DERPER}"

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="hw")
        port = daemon.free_port()
        command = [self.program, "-hostname", "127.0.0.1", "-certmode", "manual", "-certdir", self.dir.name, "-a", f"127.0.0.1:{port}",
                   "-http-port", "-1", "-stun=false", "-verify-clients=false", "-c", os.path.join(self.dir.name, "key")]
        with On(0), open(os.path.join(self.dir.name, "log"), "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not daemon.wait_for(20, lambda: self.process.poll() is None and self.listens(port)):
            with open(os.path.join(self.dir.name, "log"), encoding="utf-8", errors="replace") as log:
                sys.exit(f"derper does not start: {log.read()[-500:]}")
        return f"127.0.0.1:{port}", self.process.pid

    @staticmethod
    def listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.dir.cleanup()


def run(relay, *words):
    with relay as (address, pid), On(1):
        time.sleep(0.5)
        done = subprocess.run([LOAD, address, str(pid), *map(str, words)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def measure(make, seconds):
    pair = run(make(), 8, 1, seconds)
    crowd = run(make(), 1000, 100, seconds)
    stalled = run(make(), "stalled", seconds)
    return {
        "one pair: packets a core-second": f"{pair['per_core_second']:,}",
        "one pair: packets a second, lost": f"{pair['packets'] / pair['seconds']:,.0f}, {pair['lost']}",
        "100 pairs of 1,000: packets a core-second": f"{crowd['per_core_second']:,}",
        "100 pairs of 1,000: packets a second, lost": f"{crowd['packets'] / crowd['seconds']:,.0f}, {crowd['lost']}",
        "memory a client, idle": f"{crowd['idle_kib']:.1f} KiB",
        "memory a client, 100 pairs of 1,000 talking": f"{crowd['busy_kib']:.1f} KiB",
        "processor time of a connection and login": f"{crowd['login_ms']:.2f} ms",
        "a packet's way: p50, p99": f"{stalled['alone_p50_us']}, {stalled['alone_p99_us']} us",
        "the same beside one who reads nothing, lost": f"{stalled['beside_p50_us']}, {stalled['beside_p99_us']} us, {stalled['lost']}",
    }


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", choices=["headway", "derper"])
    options.add_argument("--seconds", type=int, default=5)
    o = options.parse_args()
    if not os.access(LOAD, os.X_OK):
        sys.exit(f"{LOAD} is not built")
    tables, names = [], []
    if o.only != "derper":
        tables.append(measure(Headway, o.seconds))
        names.append("headway")
    if o.only != "headway":
        script = os.path.join(daemon.ROOT, "tests/bench/derper.sh")
        got = subprocess.run([script, DERPER], stdout=subprocess.PIPE, text=True, check=False)
        if got.returncode == 0:
            tables.append(measure(lambda: Derper(got.stdout.strip()), o.seconds))
            names.append(Derper.name)
        else:
            print(f"# without the reference: {got.stdout.strip()}")
    print(f"{'what':<48}" + "".join(f"{name:<24}" for name in names))
    for what in tables[0] if tables else []:
        print(f"{what:<48}" + "".join(f"{table[what]:<24}" for table in tables), flush=True)


main()
