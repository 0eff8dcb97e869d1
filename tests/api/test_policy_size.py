#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 300
"""A policy of 4 MiB goes through the command line and back, whatever its text costs in JSON; a byte more is refused."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway"))
MOST = 4 << 20
PATIENT = {"HEADWAY_CLI_TIMEOUT": "90s"} if shared.SANITIZED else {}


def run(d, *words, text=None):
    done = subprocess.run([HEADWAY, "--socket", d.socket, *words], env={"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", **PATIENT},
                          input=text, capture_output=True, timeout=100, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def policy(size, filler):
    begin = b'{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}\n'
    lines = (b"// " + filler * 100 + b"\n") * (size // (100 * len(filler)) + 1)
    return (begin + lines)[: size - 1] + b"\n"


def main():
    with shared.Daemon() as d:
        for name, filler in (("plain letters", b"x"), ("quotes, two bytes each in JSON", b'"\\'), ("UTF-8", "\u00e9\u6771".encode())):
            whole = policy(MOST, filler)
            if name == "UTF-8":  # not cut in a character
                whole = whole[: -64].rsplit(b"\n", 1)[0].ljust(MOST, b"\n")
            status, _, err = run(d, "policy", "set", "-f", "-", text=whole)
            shared.check(f"a policy of 4 MiB is set: {name}", status == 0, err[:300])
            status, out, err = run(d, "policy", "get")
            shared.check(f"it comes back as it was: {name}", status == 0 and out == whole + b"\n", err[:300])
            status, _, err = run(d, "policy", "check", "-f", "-", text=whole)
            shared.check(f"it can be checked: {name}", status == 0, err[:300])
        for words in (("policy", "set", "-f", "-"), ("policy", "check", "-f", "-"), ("policy", "preview", "-")):
            status, _, err = run(d, *words, text=whole + b"\n")
            shared.check(f"{' '.join(words)} refuses a byte more, naming the limit", status == 1 and "4 MiB" in err, err[:300])
        status, out, _ = run(d, "policy", "get")
        shared.check("the policy is the one before", status == 0 and out == whole + b"\n")
    shared.finish()


main()
