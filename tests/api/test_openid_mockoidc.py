#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 200
"""Login with the provider that headscale's own tests use (mockoidc). Skipped where there is no Go, or no module proxy to
get it from."""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../shared"))
import daemon as shared  # noqa: E402
from go_program import built  # noqa: E402
from openid_browser import Browser, nodes, user_of, waiting  # noqa: E402

check = shared.check


def log_in(d, name):
    """Through the links that a browser follows."""
    auth_id, b = waiting(d, name), Browser(d)
    status, page, _ = b.login(auth_id)
    check(f"{name}: the way back leads to a question", status == 200 and "Add this machine" in page and name in page, page)
    check(f"{name}: a yes lets the machine in", b.confirm(auth_id, page)[0] == 200 and name in nodes(d), str(nodes(d)))


def main():
    folder = built(os.path.join(HERE, "mockoidc"), "provider", "mockoidc")
    provider = subprocess.Popen([os.path.join(folder, "provider")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        where = json.loads(provider.stdout.readline())
        keys = {"issuer": where["issuer"], "client_id": where["id"], "client_secret": where["secret"], "scope": ["openid", "profile", "email", "groups"]}
        with shared.Daemon("oidc: " + json.dumps(keys) + "\n") as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            log_in(d, "first")
            mock = user_of(d, "mock")
            check("the user is as the provider says", mock["email"] == "mock@example.com" and mock["providerGroups"] == ["eng@default"], str(mock))
            log_in(d, "second")
            check("a second login is the same user's", nodes(d)["second"]["user"]["id"] == nodes(d)["first"]["user"]["id"] == mock["id"], str(nodes(d)))
            check("no secret is in the log", where["secret"] not in d.log())
    finally:
        provider.stdin.close()
        provider.wait(20)
        shutil.rmtree(folder)
    shared.finish()


main()
