#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""The database's disk, a small one, fills up under the daemon: changes are refused with a clear error, the rest is served,
a restart works, and when there is room again so do changes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import daemon  # noqa: E402
from daemon import Daemon, check, finish, skip_all, wait_for  # noqa: E402
from small_disk import SmallDisk  # noqa: E402

ENOUGH = 2000  # changes that a disk of that size cannot hold


def create(d, name):
    return d.call("POST", "/api/headway/users", {"name": name, "displayName": "x" * 200})


def user_names(d):
    status, snapshot = d.call("GET", "/api/headway/snapshot")
    return {u["name"]: u["id"] for u in snapshot["users"]} if status == 200 else {}


def story(d, disk):
    kept = {f"early-{i}" for i in range(5)}
    for name in sorted(kept):
        create(d, name)
    check("changes are kept while there is room", set(user_names(d)) >= kept, str(user_names(d)))

    disk.fill()
    status, answer = d.call("DELETE", f"/api/headway/users/{user_names(d)['early-0']}")
    check("a deletion finds room on a full disk", status == 200, str(answer))
    kept.discard("early-0")
    refused = None
    for i in range(ENOUGH):
        status, answer = create(d, f"late-{i}")
        if status != 200:
            refused = status, answer
            break
        kept.add(f"late-{i}")
    check("what does not fit is refused", refused is not None and refused[0] == 503, str(refused))
    error = refused[1].get("error", {}) if refused else {}
    check("with a clear error", error.get("code") == "unavailable" and "disk is full" in error.get("message", ""), str(refused))
    check("and is not there", set(user_names(d)) == kept, str(set(user_names(d)) ^ kept))
    check("the daemon does not call itself well", wait_for(5, lambda: not d.healthy()))

    d.stop(kill=True)
    d.start_unwell()
    check("a start on a full disk has all that was answered", set(user_names(d)) == kept, str(set(user_names(d)) ^ kept))

    disk.empty()
    check("it is well again by itself", wait_for(30, d.healthy), d.log()[-500:])
    status, answer = create(d, "after")
    check("and takes changes", status == 200, str(answer))
    d.stop()
    d.start()
    check("which are kept", set(user_names(d)) == kept | {"after"}, str(set(user_names(d)) ^ kept))


class DaemonOnSmallDisk(Daemon):
    def start_unwell(self):
        """Does not wait for health, which a full disk spoils, but for the socket."""
        healthy, self.healthy = self.healthy, lambda timeout=2: bool(self.answers())
        self.start()
        self.healthy = healthy

    def answers(self):
        try:
            return self.call("GET", "/api/headway/snapshot")[0] == 200
        except OSError:
            return False


def main():
    if os.geteuid() != 0:
        skip_all("a mount namespace of its own needs root")
    d = DaemonOnSmallDisk()
    place = os.path.join(d.dir, "small")
    os.mkdir(place)
    with open(d.config, "r+", encoding="utf-8") as f:
        text = f.read().replace(f"{d.dir}/db.sqlite", f"{place}/db.sqlite")
        f.seek(0)
        f.write(text)
    disk = SmallDisk(place, "size=3m")
    daemon.HEADWAYD = disk.wrap(os.path.join(d.dir, "headwayd"))
    try:
        with d:
            story(d, disk)
    finally:
        disk.end()
    finish()


main()
