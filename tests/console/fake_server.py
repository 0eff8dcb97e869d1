#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A daemon for the console's tests: /api/headway on a Unix socket, with a tailnet that is made up and a journal.

usage: fake_server.py SOCKET [NODES]
What the tests steer it with: POST /test/event {"node": "ID", "name": ...} changes a node, POST /test/churn {"count": N}
makes N changes at once, POST /test/node adds a node, GET /test/calls lists the changes that were asked for.
"""
import http.server
import json
import os
import queue
import socketserver
import sys
import threading
import time
from urllib.parse import unquote, urlparse

LOCK = threading.RLock()
DAY = 86400


def stamp(seconds_ago=0.0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))


class Tailnet:
    def __init__(self, count):
        self.sequence = 100
        self.followers = []
        self.journal = []
        self.calls = []
        self.users = [
            {"id": str(i), "name": name, "createdAt": stamp(90 * DAY), "displayName": display, "email": f"{name}@example.com",
             "role": role, "version": 1, "nodeCount": 2, "provider": ""}
            for i, (name, display, role) in enumerate(
                [("alice", "Alice Example", "owner"), ("bob", "Bob Example", "admin"), ("carol", "", "member")], 1)]
        self.nodes = {}
        self.pending = []
        base = [
            ("build-01", None, ["tag:ci"], True, []), ("build-02", None, ["tag:ci"], True, []),
            ("cam-garage", None, ["tag:iot"], False, []), ("db-01", None, ["tag:db"], True, []),
            ("gw-ber-1", None, ["tag:router"], True, [("10.20.0.0/16", "ok"), ("10.21.0.0/16", "ok")]),
            ("gw-ber-2", None, ["tag:router"], True, [("10.20.0.0/16", "ok"), ("10.21.0.0/16", "ok"), ("192.168.7.0/24", "ok")]),
            ("gw-fra-1", None, ["tag:router"], True, [("172.16.0.0/12", "new"), ("192.168.7.0/24", "ok")]),
            ("laptop-alice", 0, [], True, []), ("laptop-bob", 1, [], False, []), ("nas", 0, [], True, [("192.168.1.0/24", "new")]),
            ("office-exit", 1, [], True, [("0.0.0.0/0", "ok"), ("::/0", "ok")]),
            ("old-router", None, ["tag:router"], False, [("192.168.50.0/24", "ghost")]),
            ("phone-alice", 0, [], True, []), ("東京-ノード", 2, [], True, []), ("evil-\u001b[31mred\u202e", 2, [], True, []),
        ]
        for i in range(max(count, len(base))):
            name, user, tags, online, routes = base[i] if i < len(base) else (
                f"node-{i:05d}", i % 3, [], i % 4 != 0, [(f"10.{i // 256 % 200}.{i % 256}.0/24", "ok")] if i % 100 == 0 else [])
            self.add_node(str(i + 1), name, user, tags, online, routes)
        self.pending.append({
            "authId": "hskey-authreq-0123456789abcdef01234567", "kind": "register", "hostname": "kiosk-lobby", "os": "linux",
            "clientVersion": "1.82.0", "source": "198.51.100.23:40112", "requestTags": ["tag:iot"], "routes": [],
            "createdAt": stamp(12), "expiresAt": stamp(-900), "machineKey": "mkey:0", "nodeKey": "nodekey:0",
            "command": "headway auth register --auth-id hskey-authreq-0123456789abcdef01234567 --user NAME"})
        self.keys = [{"user": self.users[0], "id": "9", "key": "hskey-auth-0123456789ab-***", "reusable": True, "ephemeral": False,
                      "used": True, "expiration": stamp(-30 * DAY), "createdAt": stamp(19 * DAY), "aclTags": ["tag:router"]}]
        self.api_keys = [{"id": "1", "prefix": "hskey-api-0123456789ab-***", "expiration": stamp(-80 * DAY),
                          "createdAt": stamp(10 * DAY), "lastSeen": stamp(30), "description": "terraform", "readOnly": False}]
        self.elect()
        self.write("server.started", "server", "server", None, "headwayd", "headwayd started")
        self.write("node.online", "server", "node", "6", "gw-ber-2", "gw-ber-2 is online", "info")

    def add_node(self, nid, name, user, tags, online, routes):
        i = int(nid)
        self.nodes[nid] = {
            "id": nid, "machineKey": f"mkey:{i:064x}", "nodeKey": f"nodekey:{i:064x}", "discoKey": "",
            "ipAddresses": [f"100.64.{i // 256}.{i % 256}", f"fd7a:115c:a1e0::{i:x}"], "name": name,
            "user": None if user is None else self.users[user], "lastSeen": stamp(0 if online else 3600 * (i % 50 + 1)),
            "expiry": None if tags else stamp(-DAY * (i % 90 + 2)), "preAuthKey": None, "createdAt": stamp(DAY * 19),
            "registerMethod": "REGISTER_METHOD_AUTH_KEY", "givenName": name, "online": online, "approvedRoutes": [],
            "availableRoutes": [], "subnetRoutes": [], "tags": tags, "fqdn": name + ".tail.example.com", "version": 1,
            "expired": False, "loggedOut": False, "ephemeral": False, "healthy": True, "since": stamp(7200), "os": "linux",
            "osVersion": "12", "clientVersion": "1.82.0", "capVersion": 113, "endpoints": [f"203.0.113.{i % 250}:41641"],
            "relay": 1, "relayName": "ber", "source": f"203.0.113.{i % 250}:51000", "exitNode": False, "removedRoutes": [],
            "routes": [], "_approved": {p for p, s in routes if s != "new"}, "_available": {p for p, s in routes if s != "ghost"}}

    def elect(self):
        self.prefixes = {}
        for node in self.nodes.values():
            for p in sorted(node["_approved"] | node["_available"]):
                self.prefixes.setdefault(p, []).append(node)
        self.prefix_objects = {}
        forced = getattr(self, "forced", {})
        for p, nodes in self.prefixes.items():
            able = [n for n in nodes if p in n["_approved"] and p in n["_available"] and n["online"]]
            exit_route = p in ("0.0.0.0/0", "::/0")
            primary = None if exit_route or not able else next((n for n in able if n["id"] == forced.get(p)), able[0])
            routers = []
            for n in nodes:
                state = self.state(n, p, primary, exit_route)
                routers.append({"node": n["id"], "name": n["givenName"], "state": state, "reason": self.reason(state, primary)})
                n["routes"] = [r for r in n["routes"] if r["prefix"] != p]
                n["routes"].append({"prefix": p, "state": state, "exit": exit_route, "primary": primary and primary["id"],
                                    "primaryName": primary and primary["givenName"], "reason": self.reason(state, primary),
                                    "approvedBy": "alice" if p in n["_approved"] else None})
            self.prefix_objects[p] = {"prefix": p, "exit": exit_route, "primary": primary and primary["id"],
                                      "primaryName": primary and primary["givenName"], "since": stamp(7200), "routers": routers}
        for node in self.nodes.values():
            known = node["_approved"] | node["_available"]
            node["routes"] = [r for r in node["routes"] if r["prefix"] in known]
            node["exitNode"] = {"0.0.0.0/0", "::/0"} <= node["_approved"] & node["_available"]

    @staticmethod
    def state(node, prefix, primary, exit_route):
        if prefix not in node["_available"]:
            return "approved"
        if prefix not in node["_approved"]:
            return "available"
        if not node["online"]:
            return "offline"
        return "serving" if exit_route or node is primary else "standby"

    @staticmethod
    def reason(state, primary):
        return {"approved": "approved, but the node does not advertise it", "available": "waits for an administrator's approval",
                "offline": "the node is offline", "serving": "the first healthy router",
                "standby": f"{primary['givenName'] if primary else 'another'} serves it and is healthy"}[state]

    def public(self, node):
        return {k: v for k, v in node.items() if not k.startswith("_")}

    def snapshot(self):
        return {"event": f"1.{self.sequence}", "time": stamp(),
                "server": {"url": "http://127.0.0.1:8080", "version": "0.1.0", "baseDomain": "tail.example.com",
                           "startedAt": stamp(DAY), "policyMode": "database", "policyPath": ""},
                "nodes": [self.public(n) for n in self.nodes.values()], "users": self.users, "preAuthKeys": self.keys,
                "apiKeys": self.api_keys, "pending": self.pending, "prefixes": list(self.prefix_objects.values()),
                "relays": [], "policy": {"present": False}, "counts": {}}

    def write(self, kind, actor, obj, oid, name, text, weight="change", changed=None, removed=None, inverse=None):
        self.sequence += 1
        event = {"id": f"1.{self.sequence}", "time": stamp(), "kind": kind, "weight": weight, "actor": actor, "object": obj,
                 "objectId": oid, "objectName": name, "text": text, "detail": None, "inverse": inverse, "undoneBy": None}
        self.journal.append(event)
        message = dict(event, changed=changed or {}, removed=removed or {})
        self.send("journal", event["id"], message)
        return event["id"]

    def send(self, name, eid, data):
        text = (f"id: {eid}\n" if eid else "") + f"event: {name}\ndata: {json.dumps(data)}\n\n"
        for follower in list(self.followers):
            follower.put(text)

    def all_routed(self):
        return {"nodes": [self.public(n) for n in self.nodes.values() if n["routes"]],
                "prefixes": list(self.prefix_objects.values())}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    net = None

    def log_message(self, *args):
        pass

    def address_string(self):
        return "unix"

    def reply(self, status, data):
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def fail(self, status, code, message, **more):
        self.reply(status, dict({"error": {"code": code, "message": message, "field": ""}}, **more))

    def do_GET(self):
        path = urlparse(self.path).path
        net = self.net
        with LOCK:
            if path == "/api/headway/whoami":
                return self.reply(200, {"actor": "alice", "scope": "admin", "version": "0.1.0", "readOnly": False})
            if path == "/api/headway/snapshot":
                return self.reply(200, net.snapshot())
            if path == "/test/calls":
                return self.reply(200, net.calls)
            if path == "/api/headway/events" and "follow" not in self.path:
                return self.reply(200, {"events": net.journal, "event": f"1.{net.sequence}"})
        if path == "/api/headway/events":
            return self.follow()
        return self.fail(404, "missing", f"there is nothing at {path}")

    def follow(self):
        mine = queue.Queue()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with LOCK:
            self.net.followers.append(mine)
        mine.put(":\n\n")
        try:
            while True:
                try:
                    text = mine.get(timeout=15)
                except queue.Empty:
                    text = ": alive\n\n"
                if text is None:
                    break
                self.wfile.write(text.encode())
                self.wfile.flush()
        except OSError:
            pass
        with LOCK:
            self.net.followers.remove(mine)
        self.close_connection = True

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        return json.loads(text) if text else {}

    def do_POST(self):
        self.change("POST")

    def do_DELETE(self):
        self.change("DELETE")

    def change(self, method):
        body = self.body()
        path = urlparse(self.path).path
        with LOCK:
            if path.startswith("/test/"):
                return self.steer(path[6:], body)
            parts = [unquote(p) for p in path.split("/")[3:]]
            dry = "dry_run=true" in self.path
            if not dry:
                self.net.calls.append({"method": method, "path": path, "body": body, "ifMatch": self.headers.get("If-Match")})
            actions = {"nodes": self.change_node, "prefixes": self.change_prefix, "pending": self.change_pending, "undo": self.undo}
            action = actions.get(parts[0])
            return action(method, parts, body, dry) if action else self.fail(404, "missing", f"there is nothing at {path}")

    def change_node(self, method, parts, body, dry):
        net = self.net
        node = net.nodes.get(parts[1])
        if not node:
            return self.fail(404, "missing", f"there is no node {parts[1]}")
        match = self.headers.get("If-Match")
        if match and match.strip('"') != str(node["version"]):
            return self.fail(412, "precondition", "the node was changed", current=net.public(node))
        if dry:
            return self.reply(200, {"event": None, "version": node["version"], "result": net.public(node), "inverse": {}})
        node["version"] += 1
        if method == "DELETE":
            del net.nodes[parts[1]]
            net.elect()
            eid = net.write("node.deleted", "alice", "node", parts[1], node["givenName"], f"{node['givenName']} was deleted",
                            "warn", removed={"nodes": [parts[1]]})
            return self.reply(200, {"event": eid, "version": 0, "result": None, "inverse": None})
        inverse = {"method": "POST", "path": self.path, "body": {}}
        if parts[2] == "routes":
            node["_approved"] |= set(body.get("approve", []))
            node["_approved"] -= set(body.get("revoke", []))
            net.elect()
            what = ", ".join(body.get("approve", []) + body.get("revoke", []))
            kind = "approved" if body.get("approve") else "revoked"
            inverse["body"] = {"revoke": body.get("approve", []), "approve": body.get("revoke", [])}
            eid = net.write("route." + kind, "alice", "node", node["id"], node["givenName"],
                            f"{what} {kind} on {node['givenName']}", changed=net.all_routed(), inverse=inverse)
        else:
            if parts[2] == "rename":
                inverse["body"] = {"name": node["givenName"]}
                node["givenName"] = body["name"]
            elif parts[2] == "expire":
                node["expired"], node["expiry"] = True, stamp()
            eid = net.write("node." + parts[2], "alice", "node", node["id"], node["givenName"],
                            f"{node['givenName']}: {parts[2]}", changed={"nodes": [net.public(node)]}, inverse=inverse)
        return self.reply(200, {"event": eid, "version": node["version"], "result": net.public(node), "inverse": inverse})

    def change_prefix(self, method, parts, body, dry):
        net = self.net
        prefix = net.prefix_objects.get(parts[1])
        if not prefix:
            return self.fail(404, "missing", f"no node advertises {parts[1]}")
        if dry:
            return self.reply(200, {"event": None, "version": 1, "result": prefix, "inverse": {}})
        net.forced = dict(getattr(net, "forced", {}), **{parts[1]: body["node"]})
        inverse = {"method": method, "path": self.path, "body": {"node": prefix["primary"]}}
        net.elect()
        prefix = net.prefix_objects[parts[1]]
        eid = net.write("route.primary", "alice", "prefix", None, parts[1], f"{prefix['primaryName']} serves {parts[1]}",
                        changed=net.all_routed(), inverse=inverse)
        return self.reply(200, {"event": eid, "version": 1, "result": prefix, "inverse": inverse})

    def change_pending(self, method, parts, body, dry):
        net = self.net
        waiting = next((p for p in net.pending if p["authId"] == parts[1]), None)
        if not waiting:
            return self.fail(404, "missing", "that registration is gone")
        if dry:
            return self.reply(200, {"event": None, "version": 1, "result": None, "inverse": None})
        net.pending.remove(waiting)
        changed = {}
        result = None
        if parts[2] == "approve":
            nid = str(max(int(i) for i in net.nodes) + 1)
            net.add_node(nid, waiting["hostname"], int(body["user"]) - 1, [], True, [])
            net.elect()
            result = net.public(net.nodes[nid])
            changed = {"nodes": [result]}
        eid = net.write(f"registration.{parts[2]}", "alice", "pending", None, waiting["hostname"],
                        f"{waiting['hostname']}: {parts[2]}", changed=changed, removed={"pending": [parts[1]]})
        return self.reply(200, {"event": eid, "version": 1, "result": result, "inverse": None})

    def undo(self, method, parts, body, dry):
        net = self.net
        event = next((e for e in net.journal if e["id"] == parts[1]), None)
        if not event or not event["inverse"] or event["undoneBy"]:
            return self.fail(409, "conflict", "this cannot be undone")
        if dry:
            return self.reply(200, {"event": None, "version": 1, "result": None, "inverse": None})
        node = net.nodes.get(event["objectId"] or "")
        inverse = event["inverse"]["body"]
        if node and event["kind"].startswith("route."):
            node["_approved"] |= set(inverse.get("approve", []))
            node["_approved"] -= set(inverse.get("revoke", []))
            node["version"] += 1
        elif node and "name" in inverse:
            node["givenName"] = inverse["name"]
        net.elect()
        eid = net.write("undone", "alice", event["object"], event["objectId"], event["objectName"], f"undone: {event['text']}",
                        changed=dict(net.all_routed(), events=[dict(event, undoneBy="1.0")]))
        event["undoneBy"] = eid
        return self.reply(200, {"event": eid, "version": 1, "result": None, "inverse": None})

    def steer(self, what, body):
        net = self.net
        if what == "event":
            node = net.nodes[body["node"]]
            node.update({k: v for k, v in body.items() if k != "node"})
            node["version"] += "givenName" in body
            net.elect()
            net.write("node.renamed", "bob", "node", node["id"], node["givenName"], f"{node['givenName']} changed",
                      changed={"nodes": [net.public(node)]})
        elif what == "node":
            nid = str(max(int(i) for i in net.nodes) + 1)
            net.add_node(nid, body["name"], 0, [], True, [(r, "new") for r in body.get("routes", [])])
            net.elect()
            changed = net.all_routed()
            changed["nodes"] = [net.public(net.nodes[nid])]
            net.write("node.registered", "alice", "node", nid, body["name"], f"{body['name']} joined", changed=changed)
        elif what == "churn":
            for i in range(body["count"]):
                node = net.nodes[str(i % len(net.nodes) + 1)]
                node["online"] = not node["online"]
                net.send("volatile", None, {"node": net.public(node)})
        elif what == "drop":
            for follower in net.followers:
                follower.put(None)
        return self.reply(200, {})


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a console that was killed hangs up in the middle

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("unix", 0)


def main():
    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    Handler.net = Tailnet(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    Server(path, Handler).serve_forever()


if __name__ == "__main__":
    main()
