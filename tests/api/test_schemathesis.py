#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 300
"""Holds the answers of all dialects to their descriptions (OpenAPI), with schemathesis: status, type and members. Skipped
where schemathesis cannot be installed."""
import fcntl
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
import daemon as shared

VERSION = "4.32.5"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "headway-test")
HOME = os.path.join(CACHE, f"schemathesis-{VERSION}")
PROGRAM = os.path.join(HOME, "bin/schemathesis")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Pages; and what is refused with 501 on purpose.
LEFT_OUT = r"/docs|openapi"
REFUSED = ["setSettings"]


def install():
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "schemathesis.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.access(os.path.join(HOME, "complete"), os.R_OK):
            return
        for command in ([sys.executable, "-m", "venv", HOME], [f"{HOME}/bin/pip", "install", "-q", f"schemathesis=={VERSION}"]):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=200)
            except subprocess.TimeoutExpired:
                shared.skip_all(f"schemathesis {VERSION} cannot be installed here: it takes too long")
            if done.returncode:
                shared.skip_all(f"schemathesis {VERSION} cannot be installed here: " + ((done.stdout + done.stderr).strip().splitlines() or [""])[-1])
        with open(os.path.join(HOME, "complete"), "w", encoding="utf-8"):
            pass


def hold(d, key, document, refused, who=""):
    command = [PROGRAM, "run", f"http://127.0.0.1:{d.port}{document}", "-H", f"Authorization: Bearer {key}", "--max-examples=5", "--phases=fuzzing",
               f"--checks={CHECKS}", "--seed=1", "--request-timeout=20", "--exclude-path-regex", LEFT_OUT, "--no-color"]
    for name in refused:
        command += ["--exclude-operation-id", name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=d.dir, timeout=120)
    good = shared.check(f"answers{who} are as {document} describes them", done.returncode == 0)
    if not good:
        failures = done.stdout.partition("FAILURES ===")[2].partition("= WARNINGS =")[0]
        print("# " + (failures or done.stdout + done.stderr)[:4000].replace("\n", "\n# "))
    shared.check("and the daemon is there", d.alive())


def main():
    install()
    with shared.Daemon() as d:
        d.call("POST", "/api/v1/user", {"name": "alice"})
        # Keys and users of small numbers are deleted on the way: this is the last of many, and no user's.
        key = [d.call("POST", "/api/headway/apikeys", {})[1]["result"]["key"] for _ in range(100)][-1]
        auth_id = "hskey-authreq-0123456789abcdef01234567"
        d.call("POST", "/api/v1/debug/node", {"user": "alice", "key": auth_id, "name": "laptop", "routes": ["10.7.0.0/16"]})
        d.call("POST", "/api/v1/auth/register", {"user": "alice", "authId": auth_id})
        hold(d, key, "/api/v2/openapi.json", REFUSED)
        hold(d, key, "/api/v1/openapi.json", [])
        for document in ("/api/v2/openapi.json", "/api/v1/openapi.json"):
            hold(d, "unknown", document, [], " to a stranger")
    shared.finish()


main()
