#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""What 'configtest' says to a configuration that was written for headscale, and to its variables."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway"))
GOOD = "server_url: http://127.0.0.1:8080\ndns: {base_domain: tail.example.com, override_local_dns: false}\n"


def test(where, program, text, **env):
    path = os.path.join(where, "config.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    done = subprocess.run([program, "-c", path, "configtest"], env={"PATH": os.environ["PATH"], "HOME": where, **env},
                          capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    if not os.access(HEADWAY, os.X_OK) or not os.access(shared.HEADWAYD, os.X_OK):
        shared.skip_all("headway is not built")
    with tempfile.TemporaryDirectory() as where:
        for program in HEADWAY, shared.HEADWAYD:
            name = os.path.basename(program)
            status, said = test(where, program, GOOD)
            shared.check(f"{name}: a good one is accepted without a word", (status, said) == (0, ""), said)
            status, said = test(where, program, GOOD + "tls_letsencrypt_hostname: vpn.example.com\noidc: {issuer: 'https://login.example.com', client_id: headway, client_secret: x}\n")
            shared.check(f"{name}: what has no effect yet is said", status == 0 and "Note: tls_letsencrypt_hostname is not used yet" in said and "Note: oidc.issuer is not used yet" in said, said)
            status, said = test(where, program, GOOD, HEADSCALE_LOG_LEVEL="loud")
            shared.check(f"{name}: a bad variable is named", status == 1 and "HEADSCALE_LOG_LEVEL" in said and "'loud'" in said, said)
    shared.finish()


main()
