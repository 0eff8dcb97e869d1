# SPDX-License-Identifier: BSD-3-Clause
"""Administrators that change things, one call at a time each, and know what a snapshot may say of them: for tests that kill
the daemon, or its database, under them."""
import http.client
import json
import os
import random
import threading

from daemon import UnixConnection  # the caller has it in its path

WORKERS = 6
ROUTES = ["10.%d.0.0/16" % i for i in range(6)] + ["fd00:%d::/48" % i for i in range(1, 3)]
TAGS = ["tag:a", "tag:b", "tag:c"]
NODE_COLUMNS = {"version": 1, "user_id": 0, "method": 1, "preauth_key_id": 0, "ephemeral": 0, "logged_out": 0, "created_ns": 1700000000 * 10**9,
                "expiry_ns": 0, "available": json.dumps(ROUTES), "approved": "[]", "removed": "[]", "request_tags": "[]",
                "tags": '["tag:a"]', "cap_version": 113, "os": "linux", "os_version": "", "client_version": "1.80.0",
                "hostinfo": "{}", "peer_hostinfo": "{}"}

lock = threading.Lock()
counter = 0


def unique(what):
    global counter
    with lock:
        counter += 1
        return f"{what}-{counter}"


class Died(Exception):
    pass


class Unexpected(Exception):
    pass


class Worker(threading.Thread):
    """Changes what is its own, one call at a time, until the daemon is gone. facts: what a snapshot may say of a thing,
    as a list of values: one when the last change was answered, two while nobody knows."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.random = random.Random(number * 1000 + int(os.environ.get("SEED", "1")))
        self.facts = {("node", str(number + 1), "approvedRoutes"): [()], ("node", str(number + 1), "givenName"): [f"node-{number + 1}"],
                      ("node", str(number + 1), "tags"): [("tag:a",)]}
        self.node = str(number + 1)
        self.events = []
        self.answers = 0
        self.failure = None
        self.connection = None
        self.stopping = False

    def again(self, socket_path):
        """Threads run once: a new one goes on with the same facts."""
        threading.Thread.__init__(self, daemon=True)
        self.connection = UnixConnection(socket_path)
        self.events = []
        self.answers = 0
        self.stopping = False

    def run(self):
        actions = [self.create_user, self.create_user, self.rename_user, self.delete_user, self.create_key, self.expire_key, self.delete_key,
                   self.create_api_key, self.delete_api_key, self.set_routes, self.set_routes, self.edit_routes, self.rename_node, self.set_tags]
        try:
            while not self.stopping:
                self.random.choice(actions)()
        except Died:
            pass
        except Exception as e:  # pylint: disable=broad-except
            self.failure = f"{type(e).__name__}: {e}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, "/api/headway" + path, data, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as e:
            raise Died from e
        if answer.status != 200:
            raise Unexpected(f"{method} {path} {data}: {answer.status} {text[:300]}")
        answer = json.loads(text)
        self.answers += 1
        if answer.get("event"):
            self.events.append(answer["event"])
        return answer["result"]

    def change(self, fact, value, *call):
        """The fact is in doubt until the answer is here."""
        self.facts[fact] = [self.facts[fact][0], value]
        self.call(*call)
        self.facts[fact] = [value]

    def pick(self, kind, field):
        mine = [k for k, v in self.facts.items() if k[0] == kind and k[2] == field and v[0] is not None]
        return self.random.choice(mine) if mine else None

    def create_user(self):
        name = unique("user")
        user = self.call("POST", "/users", {"name": name, "displayName": "Of " + name, "email": name + "@example.com"})
        self.facts["user", user["id"], "name"] = [name]

    def rename_user(self):
        fact = self.pick("user", "name")
        if fact:
            name = unique("renamed")
            self.change(fact, name, "POST", f"/users/{fact[1]}/rename", {"name": name})

    def delete_user(self):
        fact = self.pick("user", "name")
        if fact:
            self.change(fact, None, "DELETE", f"/users/{fact[1]}")

    def create_key(self):
        key = self.call("POST", "/preauthkeys", {"tags": ["tag:a"], "reusable": True, "expiration": "2099-01-01T00:00:00Z"})
        self.facts["key", key["id"], "valid"] = [True]

    def expire_key(self):
        fact = self.pick("key", "valid")
        if fact:
            self.change(fact, False, "POST", f"/preauthkeys/{fact[1]}/expire")

    def delete_key(self):
        fact = self.pick("key", "valid")
        if fact:
            self.change(fact, None, "DELETE", f"/preauthkeys/{fact[1]}")

    def create_api_key(self):
        key = self.call("POST", "/apikeys", {"description": unique("script"), "readOnly": True, "expiration": "2099-01-01T00:00:00Z"})
        self.facts["apikey", key["id"], "there"] = [True]

    def delete_api_key(self):
        fact = self.pick("apikey", "there")
        if fact:
            self.change(fact, None, "DELETE", f"/apikeys/{fact[1]}")

    def set_routes(self):
        """The set operation of headscale's API, which answers a node and no event."""
        fact = ("node", self.node, "approvedRoutes")
        value = tuple(sorted(self.random.sample(ROUTES, self.random.randrange(len(ROUTES)))))
        self.facts[fact] = [self.facts[fact][0], value]
        try:
            self.connection.request("POST", f"/api/v1/node/{self.node}/approve_routes", json.dumps({"routes": value}), {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as e:
            raise Died from e
        if answer.status != 200:
            raise Unexpected(f"approve_routes {value}: {answer.status} {text[:300]}")
        self.answers += 1
        self.facts[fact] = [value]

    def edit_routes(self):
        fact = ("node", self.node, "approvedRoutes")
        now = self.facts[fact][0]
        route = self.random.choice(ROUTES)
        value = tuple(sorted(set(now) ^ {route}))
        self.change(fact, value, "POST", f"/nodes/{self.node}/routes", {"revoke" if route in now else "approve": [route]})

    def rename_node(self):
        name = unique("host")
        self.change(("node", self.node, "givenName"), name, "POST", f"/nodes/{self.node}/rename", {"name": name})

    def set_tags(self):
        value = tuple(sorted(self.random.sample(TAGS, 1 + self.random.randrange(len(TAGS)))))
        self.change(("node", self.node, "tags"), value, "POST", f"/nodes/{self.node}/tags", {"tags": list(value)})


def node_rows():
    """Nodes as registrations leave them, one for each worker; keys as bytes."""
    for i in range(1, WORKERS + 1):
        yield dict(NODE_COLUMNS, id=i, hostname=f"node-{i}", given_name=f"node-{i}", machine_key=bytes([i] * 32),
                   node_key=bytes([i, 1] * 16), disco_key=bytes([i, 2] * 16), ipv4=f"100.64.0.{i}", ipv6=f"fd7a:115c:a1e0::{i}")


def found(snapshot):
    """What a snapshot says, in the form of facts."""
    facts = {}
    for node in snapshot["nodes"]:
        facts["node", node["id"], "approvedRoutes"] = tuple(sorted(node["approvedRoutes"]))
        facts["node", node["id"], "givenName"] = node["givenName"]
        facts["node", node["id"], "tags"] = tuple(sorted(node["tags"]))
    for user in snapshot["users"]:
        facts["user", user["id"], "name"] = user["name"]
    for key in snapshot["preAuthKeys"]:
        facts["key", key["id"], "valid"] = key["expiration"].startswith("2099")
    for key in snapshot["apiKeys"]:
        facts["apikey", key["id"], "there"] = True
    return facts


def compare(workers, facts):
    """Lines about what is not as it may be. What is in doubt becomes what is there."""
    wrong = []
    for w in workers:
        for fact, allowed in w.facts.items():
            value = facts.get(fact)
            if value not in allowed:
                wrong.append(f"{fact} is {value}, may be {allowed}")
            w.facts[fact] = [value]
    return wrong


def journal(d):
    """All of it, page by page from its end."""
    entries, before = [], ""
    while True:
        status, page = d.call("GET", f"/api/headway/events?limit=1000{before}")
        if status != 200:
            return status, entries
        if not page["events"]:
            return 200, entries
        entries = page["events"] + entries
        before = f"&before={entries[0]['id']}"


def halves(entries, snapshot):
    """Objects and journal entries that belong together and are not both there."""
    wrong = []
    for kind, members in (("user", "users"), ("preauthkey", "preAuthKeys"), ("apikey", "apiKeys")):
        told = set()
        for e in entries:
            if e["kind"] == kind + ".created":
                told.add(e["objectId"])
            elif e["kind"] == kind + ".deleted":
                told.discard(e["objectId"])
        there = {o["id"] for o in snapshot[members]}
        if told != there:
            wrong.append(f"{members}: only in the journal {sorted(told - there)[:5]}, only in the snapshot {sorted(there - told)[:5]}")
    return wrong
