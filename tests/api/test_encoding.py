#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""Long answers go compressed over the network to who can read that, and come out as they are."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

POLICY = "// " + "words and words again, " * 20000 + "\n{}\n"


def curl(d, key, path, *more):
    """(head, body as it came): by curl, which decodes with --compressed."""
    head = os.path.join(d.dir, "head")
    body = subprocess.run(["curl", "-sk", "-D", head, "-H", f"Authorization: Bearer {key}", *more, f"https://127.0.0.1:{d.port}{path}"],
                          stdout=subprocess.PIPE, check=True, timeout=30).stdout
    with open(head, encoding="ascii", newline="") as f:
        return f.read().lower(), body


def accept(value):
    return ["-H", f"Accept-Encoding: {value}"]


def answers(d, key):
    path = "/api/v1/policy"
    head, plain = curl(d, key, path)
    shared.check("without a word nothing is compressed", "content-encoding" not in head and json.loads(plain)["policy"] == POLICY)
    shared.check("a cache is told that others get it compressed", "vary: accept-encoding\r\n" in head, head)
    for value in ("zstd", "gzip, deflate, br, zstd", "br , ZSTD;q=0.5", "zstd;q=1.0"):
        head, body = curl(d, key, path, *accept(value))
        shared.check(f"{value}: it is", "content-encoding: zstd\r\n" in head and "vary: accept-encoding\r\n" in head and len(body) * 20 < len(plain), head)
    for value in ("gzip", "zstd;q=0", "zstd; q=0.000", "zstdx", "identity", "*"):
        head, body = curl(d, key, path, *accept(value))
        shared.check(f"{value}: it is not", "content-encoding" not in head and body == plain, head)
    head, body = curl(d, key, path, "--compressed")
    shared.check("what comes out is the same", "content-encoding: zstd" in head and body == plain)
    head, body = curl(d, key, path, "--compressed", "-I")
    shared.check("a HEAD says nothing of it", "content-encoding" not in head, head)
    head, body = curl(d, key, "/version", *accept("zstd"))
    shared.check("what is short stays as it is", "content-encoding" not in head and json.loads(body))
    head, body = curl(d, "wrong", path, *accept("zstd"))
    shared.check("so do errors", "content-encoding" not in head and b"zstd" not in body, head)


def command_line(d, key):
    environment = dict(os.environ, HEADWAY_CLI_ADDRESS=f"127.0.0.1:{d.port}", HEADWAY_CLI_API_KEY=key, HEADWAY_CLI_INSECURE="1")
    command = os.path.join(shared.ROOT, "build/release/headway")
    out = subprocess.run([os.environ.get("HEADWAY", command), "-c", d.config, "policy", "get"], env=environment,
                         capture_output=True, timeout=30, check=False)
    shared.check("the command line reads it", out.returncode == 0 and out.stdout.decode().strip() == POLICY.strip(), out.stderr or out.stdout[-200:])


def main():
    with shared.Daemon(tls=True) as d:
        key = d.call("POST", "/api/v1/apikey", {})[1]["apiKey"]
        shared.check("a long policy is set", d.call("PUT", "/api/v1/policy", {"policy": POLICY})[0] == 200)
        answers(d, key)
        command_line(d, key)
    shared.finish()


main()
