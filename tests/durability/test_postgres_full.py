#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""The disk under PostgreSQL, a small one, fills up: changes are refused with a clear error, what was known is served, what
was answered is kept, also where the server ends over it; and when there is room again changes are taken."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared/postgres"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pg_server  # noqa: E402
from daemon import Daemon, check, finish, skip_all, wait_for  # noqa: E402
from small_disk import SmallDisk  # noqa: E402

ENOUGH = 4000  # changes that a full disk cannot hold, whatever room its pages have


def create(d, name):
    return d.call("POST", "/api/headway/users", {"name": name, "displayName": "x" * 200})


def names(d):
    status, snapshot = d.call("GET", "/api/headway/snapshot")
    return {u["name"] for u in snapshot["users"]} if status == 200 else set()


def health(d):
    return d.call("GET", "/health", socket_path=False)[1].get("status")


def fill_up(d, disk, kept, what):
    """Until a change is refused: its status and answer."""
    disk.fill()
    for i in range(ENOUGH):
        status, answer = create(d, f"{what}-{i}")
        if status != 200:
            return status, answer
        kept.add(f"{what}-{i}")
    return None


def story(d, disk, server):
    kept = {f"early-{i}" for i in range(5)}
    for name in sorted(kept):
        create(d, name)
    check("changes are kept while there is room", names(d) == kept, str(names(d)))

    refused = fill_up(d, disk, kept, "late")
    check("what does not fit is refused", refused is not None and refused[0] == 503, str(refused))
    error = refused[1].get("error", {}) if refused else {}
    check("with a clear error that names the disk", error.get("code") == "unavailable" and "disk is full" in error.get("message", ""), str(refused))
    check("and is not there, what was answered is", names(d) == kept, str(names(d) ^ kept))
    check("/health warns", wait_for(10, lambda: health(d) == "warn"), health(d))

    server.crash()
    disk.empty()
    server.start()
    check("after the server's end and with room again changes are taken",
          wait_for(30, lambda: create(d, "after")[0] in (200, 409)), d.log()[-500:])
    check("/health is well again", wait_for(30, lambda: health(d) == "pass"), health(d))
    d.stop(kill=True)
    d.start()
    check("what was answered is kept, and nothing else", names(d) == kept | {"after"}, str(names(d) ^ (kept | {"after"})))

    refused = fill_up(d, disk, kept, "later")
    check("a second time it is refused as well", refused is not None and refused[0] == 503, str(refused))
    disk.empty()
    check("without a restart of anything it goes on", wait_for(30, lambda: create(d, "again")[0] in (200, 409)), d.log()[-500:])
    check("with all that was answered", names(d) == kept | {"after", "again"}, str(names(d) ^ (kept | {"after", "again"})))


def main():
    if not pg_server.programs():
        skip_all("no PostgreSQL server is installed")
    if os.geteuid() != 0:
        skip_all("a mount namespace of its own needs root")
    d = Daemon()
    place = os.path.join(d.dir, "small")
    os.mkdir(place)
    os.chmod(d.dir, 0o711)
    disk = SmallDisk(place, "size=64m,mode=0777")
    try:
        with pg_server.Server(data=os.path.join(place, "data"), inside=disk.enter()) as server:
            server.configure(d.config)
            with d:
                story(d, disk, server)
    finally:
        disk.end()
        shutil.rmtree(d.dir, ignore_errors=True)
    finish()


main()
