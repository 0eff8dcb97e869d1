#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 240
"""The daemon is killed with -9 at random moments while several administrators change things, and started again.

Everything that was answered is there; of what was asked and not answered, all or nothing; the journal knows each change
once, and never uses an id twice."""
import json
import os
import random
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from changes import TAGS, WORKERS, Worker, compare, found, halves, journal, node_rows  # noqa: E402
from daemon import Daemon, SANITIZED, SOAK, check, finish  # noqa: E402

ROUNDS = 100 if SOAK else 4 if SANITIZED else 10


def seed(path):
    db = sqlite3.connect(path)
    for row in node_rows():
        db.execute(f"INSERT INTO node({','.join(row)}) VALUES({','.join('?' * len(row))})", list(row.values()))
    db.commit()
    db.close()


def one_round(d, workers, rng):
    for w in workers:
        w.again(d.socket)
    for w in workers:
        w.start()
    wanted = rng.randrange(1, 400)
    end = time.monotonic() + 20
    while sum(w.answers for w in workers) < wanted and time.monotonic() < end and any(w.is_alive() for w in workers):
        time.sleep(0.001)
    time.sleep(rng.random() * 0.003)
    d.stop(kill=True)
    for w in workers:
        w.join(10)
    d.start()


def main():
    rng = random.Random(int(os.environ.get("SEED", "1")))
    with Daemon() as d:
        d.stop()
        seed(os.path.join(d.dir, "db.sqlite"))
        d.start()
        status, answer = d.call("PUT", "/api/headway/policy", {"policy": json.dumps({"tagOwners": {tag: [] for tag in TAGS}})})
        check("a policy names the tags", status == 200, answer)
        workers = [Worker(i) for i in range(WORKERS)]
        ids, runs = set(), set()
        answered = 0
        for number in range(1, ROUNDS + 1):
            one_round(d, workers, rng)
            status, snapshot = d.call("GET", "/api/headway/snapshot")
            failures = [w.failure for w in workers if w.failure]
            check(f"round {number}: each call is answered or cut off", status == 200 and not failures, "; ".join(failures)[:1000] or str(snapshot)[:500])
            if status != 200 or failures:
                break
            answered += sum(w.answers for w in workers)
            wrong = compare(workers, found(snapshot))
            check(f"round {number}: what was answered is there", not wrong, "; ".join(wrong)[:1500])
            status, entries = journal(d)
            told = [e for w in workers for e in w.events]
            kept = [e["id"] for e in entries]
            missing = set(told) - set(kept)
            check(f"round {number}: the journal holds each answered change, once", status == 200 and not missing and len(kept) == len(set(kept)),
                  f"status {status}, missing {sorted(missing)[:5]}")
            wrong = halves(entries, snapshot)
            check(f"round {number}: nothing is there by half", not wrong, "; ".join(wrong)[:1500])
            again = ids & set(told)
            run = snapshot["event"].split(".")[0]
            check(f"round {number}: no id is used again", not again and run not in runs, f"{sorted(again)[:5]}, run {run}")
            ids |= set(told)
            runs.add(run)
        print(f"# {answered} changes answered, {len(ids)} of them in the journal")
        check("there was something to lose", answered > 50 * ROUNDS, str(answered))
    finish()


main()
