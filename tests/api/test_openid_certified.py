#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
"""Login by people with a certified provider, oidc-provider of npm, of which no line is ours."""
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402
from openid_browser import Browser, nodes, settings, user_of, waiting  # noqa: E402

PACKAGE = "oidc-provider@9.13.3"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "headway-test", "oidc-provider-9.13.3")
PROGRAM = """
import { Provider } from 'oidc-provider';
const [port, back, secret] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'headway', client_secret: secret, redirect_uris: [back], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
  issueRefreshToken: async () => true,
  pkce: { required: () => true },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true,
    preferred_username: id, name: `${id} X`, groups: ['eng'] }) }),
});
provider.listen(port, '127.0.0.1', () => console.log('up'));
"""


def install():
    if not shutil.which("node") or not shutil.which("npm"):
        shared.skip_all("node and npm are not there")
    if not os.path.isdir(os.path.join(CACHE, "node_modules", "oidc-provider")):
        os.makedirs(CACHE, exist_ok=True)
        done = subprocess.run(["npm", "install", "--prefix", CACHE, "--no-audit", "--no-fund", PACKAGE], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            shared.skip_all(f"{PACKAGE} cannot be had")
    path = os.path.join(CACHE, "provider.mjs")
    with open(path, "w", encoding="utf-8") as f:
        f.write(PROGRAM)
    return path


def walk(b, url, issuer):
    """Follows redirections, and fills in the provider's forms; the page where that ends."""
    for _ in range(15):
        status, page, where = b.get(url)
        form = re.search(r'<form[^>]*action="([^"]+)"', page)
        if where:
            url = urllib.parse.urljoin(url, where)
        elif form and url.startswith(issuer):
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
            if fields.get("prompt") == "login":
                fields.update(login="dora", password="x")
            url = urllib.parse.urljoin(url, b.get(urllib.parse.urljoin(url, form.group(1)), fields)[2])
        else:
            return status, page
    return 0, "no end"


class Certified:
    issuer = f"http://127.0.0.1:{shared.free_port()}"


def main():
    program = install()
    scope = ["openid", "profile", "email", "groups"]
    with shared.Daemon(settings(Certified, scope=scope, refresh_interval="10s")) as d:
        port = Certified.issuer.rsplit(":", 1)[1]
        provider = subprocess.Popen(["node", program, port, f"http://127.0.0.1:{d.port}/oidc/callback", "a secret: with=signs&more"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            shared.check("the provider starts", provider.stdout.readline() == b"up\n")
            d.call("POST", "/api/v1/user", {"name": "local"})
            auth_id, b = waiting(d), Browser(d)
            pages = []

            def walked():
                pages[:] = walk(b, f"{b.base}/register/{auth_id}", Certified.issuer)
                return "cannot go on now" not in pages[1]

            # The daemon asked the provider before that was up, and that failure stands for a moment.
            shared.check("who comes too early gets in by trying again", shared.wait_for(15, walked), str(pages))
            status, page = pages
            shared.check("a login ends in the question", status == 200 and "dora@example.com" in page and "Add this machine" in page, page)
            status, page, _ = b.confirm(auth_id, page)
            shared.check("a yes lets the machine in", status == 200 and nodes(d)["laptop"]["user"]["name"] == "dora", page)
            shared.check("with the provider's groups", user_of(d, "dora")["providerGroups"] == ["eng@default"], str(user_of(d, "dora")))

            def identity():
                return d.call("GET", "/api/headway/identities")[1]["identities"][0]

            first = identity()["lastRefresh"]
            shared.check("it is asked again by a refresh token", shared.wait_for(60, lambda: identity()["lastRefresh"] != first) and not identity()["trouble"], str(identity()))
            provider.kill()
            provider.wait()
            shared.check("while it is away nobody is thrown out", shared.wait_for(60, lambda: identity()["trouble"]) and not user_of(d, "dora")["suspendedAt"], str(identity()))
        finally:
            provider.kill()
            provider.wait()
            provider.stdout.close()
    shared.finish()


main()
