# SPDX-License-Identifier: BSD-3-Clause
"""A small file system that fills up under a program of a test's."""
import os
import stat
import subprocess

from daemon import HEADWAYD, skip_all  # the caller has it in its path


class SmallDisk:
    """A mount namespace with a small file system at a place, kept by a process that sleeps in it."""

    def __init__(self, place, options):
        self.place = place
        self.keeper = subprocess.Popen(["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o "$1" none "$2" && echo ready && exec sleep 600', "sh", options, place],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.keeper.stdout.readline() != "ready\n":
            self.end()
            skip_all("a mount namespace of its own needs root")

    def enter(self):
        """What a command in there begins with."""
        return ["nsenter", "-t", str(self.keeper.pid), "-m"]

    def wrap(self, path):
        """A program that runs headwayd in there."""
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\nexec {" ".join(self.enter())} {HEADWAYD} "$@"\n')
        os.chmod(path, stat.S_IRWXU)
        return path

    def inside(self, name):
        return f"/proc/{self.keeper.pid}/root{self.place}/{name}"

    def fill(self):
        with open(self.inside("fill"), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass

    def empty(self):
        os.unlink(self.inside("fill"))

    def end(self):
        self.keeper.kill()
        self.keeper.wait()
