#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""Plans of the console as commands: what is copied from a plan, run by a shell on another daemon with the same tailnet, makes
the same changes as the plan does on its own."""
import difflib
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402
from daemon import check  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway"))
ENV = {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

# Keys up to the plan, which P shows instead of carrying it out; then those that carry it out.
CASES = [
    ("approve routes", "1/r1<Enter>Pa", "<Enter>"),
    ("revoke a route", "2/10.1.0.0<Enter>Gx", "y"),
    ("set a prefix's settings", "2/10.2.0.0<Enter>GPi<Space><Tab><Tab>45s<Enter>", "<Enter>"),
    ("a priority", "1/r1<Enter>Pb<Ctrl-U>700<Enter>", "<Enter>"),
    ("drain a router", "1/r1<Enter>o", "y"),
    ("put it back", "1/r1<Enter>o", "y"),
    ("tags of a node", "1/r2<Enter>t<Ctrl-U>web db<Enter>", "y"),
    ("a node's name", "1/r2<Enter>Pn<Ctrl-U>other<Enter>", "<Enter>"),
    ("expire a node", "1/r1<Enter>x", "y"),
    ("delete a node", "1/other<Enter>d", "other<Enter>"),
    ("delete several", "1:mark-by laptop<Enter>d", "2<Enter>"),
    ("a new user, with signs that a shell knows", "6PNcarol<Tab>It's \"C\" $HOME `id` \\ *<Tab>c@example.com<Tab>a<Enter>", "<Enter>"),
    ("a user's name", "6/bob<Enter>Pn<Ctrl-U>robert<Enter>", "<Enter>"),
    ("delete a user", "6/robert<Enter>d", "robert<Enter>"),
    ("a new pre-auth key", "7PN<Tab>web iot<Tab>y<Tab>y<Tab><Tab>2d<Enter>", "<Enter>"),
    ("expire a pre-auth key", "7x", "y"),
    ("a new API key", "7<Tab>PNfor 'them'<Tab>r<Tab>30d<Enter>", "<Enter>"),
    ("delete an API key", "7<Tab>d", "1<Enter>"),
    ("a new OAuth client", "7<Tab><Tab>PNfor 'it'<Tab>devices:core dns<Tab>web<Enter>", "<Enter>"),
    ("delete an OAuth client", "7<Tab><Tab>d", None),
    ("a new webhook", ":webhooks<Enter>PNhttps://hooks.example.com/x?a=1&b='2'<Tab>s<Enter>", "<Enter>"),
    ("events of a webhook", ":webhooks<Enter>Pe<Ctrl-U>nodeCreated routeFailover<Enter>", "<Enter>"),
    ("a test of a webhook", ":webhooks<Enter>Pt", "<Enter>"),
    ("delete a webhook", ":webhooks<Enter>d", "hooks.example.com<Enter>"),
    ("MagicDNS off", ":dns<Enter>ge<Space><Enter>", "y"),
    ("name servers", ":dns<Enter>gjje<Ctrl-U>9.9.9.9 1.1.1.1<Enter>", "y"),
    ("search domains", ":dns<Enter>gjjje<Ctrl-U>a.example b.example<Enter>", "y"),
    ("name servers of a domain", ":dns<Enter>Ncorp.example<Tab>10.0.0.53, 10.0.0.54<Enter>", "y"),
    ("a domain without", ":dns<Enter>gjjjjjd", "y"),
    ("DNS as configured", ":dns<Enter>gx", "y"),
    ("a user who may not log in", "6gx", "y"),
    ("and may again", "6ga", "y"),
    ("approve a registration", "8/waits<Enter>Pa<Enter>", "<Enter>"),
    ("reject a registration", "8x", "y"),
]


def console(d, script):
    done = subprocess.run([HEADWAY, "-c", d.config, "--size", "120x40", "--run", "-"], env=ENV, input=script, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def made_up(d, name, key, user, routes=()):
    d.call("POST", "/api/v1/debug/node", {"user": user, "key": key, "name": name, "routes": list(routes)})


def tailnet(d):
    d.call("PUT", "/api/v1/policy", {"policy": json.dumps({"tagOwners": {f"tag:{tag}": ["alice@"] for tag in ("web", "db", "iot")}})})
    for name in ("alice", "bob"):
        d.call("POST", "/api/v1/user", {"name": name})
    nodes = (("r1", ["10.1.0.0/16", "10.2.0.0/16"]), ("r2", []), ("laptop1", []), ("laptop2", []))
    for i, (name, routes) in enumerate(nodes):
        key = f"hskey-authreq-{i:024d}"
        made_up(d, name, key, "alice", routes)
        status, answer = d.call("POST", f"/api/v1/node/register?user=alice&key={key}")
        assert status == 200, answer
    for i, name in ((90, "waits"), (91, "unwanted")):
        made_up(d, name, f"hskey-authreq-{i:024d}", "alice")


STRANGE = {"createdAt", "since", "lastSeen", "expiry", "version", "machineKey", "nodeKey", "discoKey", "key", "prefix_", "time", "event", "updatedAt",
           "waitsSince", "expiresAt", "suspendedAt", "source", "approvedAt", "expiration"}


def same(value):
    """Without what is another on each daemon; times become whether there is one."""
    if isinstance(value, dict):
        return {k: bool(v) if k in STRANGE else same(v) for k, v in value.items()}
    if isinstance(value, list):
        return [same(v) for v in value]
    return value


def listed(d, path, name):
    return d.call("GET", f"/api/headway/{path}")[1][name]


def state(d):
    status, snapshot = d.call("GET", "/api/headway/snapshot")
    assert status == 200, snapshot
    for key in snapshot["apiKeys"]:
        key["prefix"] = ""
    for node in snapshot["nodes"]:
        node["id"], node["ipAddresses"] = "", []  # a dry run may have taken one
    others = {"clients": [{k: c[k] for k in ("description", "scopes", "tags")} for c in listed(d, "oauth-clients", "oauthClients")],
              "webhooks": [{k: w[k] for k in ("endpointUrl", "providerType", "subscriptions")} for w in listed(d, "webhooks", "webhooks")],
              "dns": d.call("GET", "/api/headway/dns")[1]}
    return json.dumps(same(others | {k: snapshot[k] for k in ("nodes", "users", "preAuthKeys", "apiKeys", "pending", "prefixes")}), indent=1, sort_keys=True)


def shell(d, work, lines):
    """The lines as a shell reads them, with a headway that knows its daemon."""
    path = os.path.join(work, "headway")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\nexec "{HEADWAY}" -c "{d.config}" "$@"\n')
    os.chmod(path, 0o755)
    done = subprocess.run(["sh", "-e"], env={**ENV, "PATH": work + ":" + ENV["PATH"]}, input=lines, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def run(work):
    with shared.Daemon() as one, shared.Daemon() as two:
        tailnet(one)
        tailnet(two)
        check("both daemons begin alike", state(one) == state(two), state(one) + state(two))
        for name, to_plan, confirm in CASES:
            if confirm is None:  # the id of the only client is another one on each daemon
                confirm = listed(one, "oauth-clients", "oauthClients")[0]["clientId"] + "<Enter>"
            script = f"keys {to_plan}\nexpect copy as commands\nkeys <Ctrl-Y>\ncopied\nkeys {confirm}\n"
            status, lines, err = console(one, script)
            if not check(f"{name}: the plan is copied", status == 0 and lines.startswith("headway "), err):
                continue
            status, out = shell(two, work, lines)
            check(f"{name}: {lines.splitlines()[0]}", status == 0, lines + out)
            a, b = state(one), state(two)
            check(f"{name}: both are alike then", a == b, lines + "\n# ".join(difference(a, b)))


def difference(a, b):
    return list(difflib.unified_diff(a.split("\n"), b.split("\n"), lineterm="", n=2))[:40]


with tempfile.TemporaryDirectory() as directory:
    run(directory)
shared.finish()
