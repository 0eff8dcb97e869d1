#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 240
"""The API of a running daemon, as scripts and web interfaces use it: over the unix socket, and through the public door."""
import http.client
import json
import re
import os
import plistlib
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

metrics_port = shared.free_port()
AUTH_ID = "hskey-authreq-0123456789abcdef01234567"


def public(d, method, path, body=None, headers=None):
    """(status, headers, text) through the public door."""
    c = http.client.HTTPConnection("127.0.0.1", d.port, timeout=10)
    c.request(method, path, body, headers or {})
    answer = c.getresponse()
    return answer.status, answer.headers, answer.read().decode()


class Stream:
    """A stream of events over the unix socket, read by a thread."""

    def __init__(self, d, since, key=None):
        self.text = ""
        self.ended = False
        self.c = shared.UnixConnection(d.socket, timeout=30)
        self.c.request("GET", f"/api/headway/events?follow=1&since={since}")
        self.answer = self.c.getresponse()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            while True:
                line = self.answer.readline()
                if not line:
                    break
                self.text += line.decode()
        except (OSError, http.client.HTTPException):
            pass
        self.ended = True

    def has(self, text):
        return shared.wait_for(10, lambda: text in self.text)


def pages(d):
    status, headers, text = public(d, "GET", "/health")
    shared.check("health answers at the public door", status == 200 and json.loads(text) == {"status": "pass"}, text)
    shared.check("with headscale's type", headers["Content-Type"] == "application/health+json; charset=utf-8")
    shared.check("the public listener's connections are kept", headers["Connection"] != "close")
    status, _, text = public(d, "GET", "/key?v=142")
    key = json.loads(text)
    shared.check("the key is the server's", status == 200 and key["publicKey"].startswith("mkey:") and key["publicKey"] != key["legacyPublicKey"])
    status, headers, text = public(d, "GET", "/register/" + AUTH_ID)
    shared.check("the page shows the exact command", f"headway auth register --auth-id {AUTH_ID} --user USERNAME" in text)
    shared.check("and cannot be framed", headers["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in headers["Content-Security-Policy"])
    status, _, text = public(d, "GET", "/register/" + "%3Cscript%3Ealert(1)".ljust(24, "x"))
    shared.check("a made-up id is refused and not echoed", status == 400 and "<script>" not in text, text)
    status, answer = d.call("POST", "/api/headway/backup", {"path": d.config})
    shared.check("a backup that cannot be made says why", status == 409 and "exists" in answer["error"]["message"], f"{status} {answer}")
    for path in "/metrics", "/debug/overview", "/api/headway/backup", "/nothing", "/../etc/passwd", "/%2e%2e/etc/passwd":
        status, _, _ = public(d, "GET", path)
        shared.check(f"{path} is not at the public door", status in (401, 404), status)


def keys(d):
    status, _, text = public(d, "GET", "/api/v1/user")
    shared.check("without a key: the word that old interfaces compare with", (status, text) == (401, "Unauthorized"))
    status, _, text = public(d, "GET", "/api/v1/user", headers={"Accept": "application/json"})
    shared.check("as JSON for whoever asks for it", status == 401 and json.loads(text)["status"] == 401, text)
    _, answer = d.call("POST", "/api/v1/apikey", {"expiration": "2099-01-01T00:00:00Z"})
    bearer = {"Authorization": "Bearer " + answer["apiKey"], "Content-Type": "text/plain;charset=UTF-8"}
    status, _, text = public(d, "POST", "/api/v1/user", '{"name":"carol","unknown":[]}', bearer)
    shared.check("a key admits; content type and unknown members do not matter", status == 200, text)
    status, _, text = public(d, "GET", "/api/v1/health", headers=bearer)
    shared.check("v1 health", json.loads(text) == {"databaseConnectivity": True}, text)
    _, answer = d.call("GET", "/api/headway/events?limit=1")
    shared.check("the journal names the key", re.fullmatch("API key [0-9]+", answer["events"][0]["actor"]), answer)
    _, answer = d.call("GET", "/api/headway/events?limit=1000")
    texts = [e["text"] for e in answer["events"] if e["kind"].startswith(("apikey.", "preauthkey."))]
    shared.check("keys are named by their number", texts and all(re.match("(API|Pre-auth) key [0-9]+ was ", x) for x in texts), texts)
    status, _, _ = public(d, "DELETE", "/api/v1/user/9", headers=bearer)
    shared.check("what is not there is 404", status == 404)


def spellings(d):
    """What headscale's gateway took beside the names in its documentation."""
    d.call("POST", "/api/v1/debug/node", {"user": "carol", "key": AUTH_ID, "name": "laptop"})
    status, answer = d.call("POST", f"/api/v1/node/register?user=carol&key={AUTH_ID}")
    node = f"/api/v1/node/{answer['node']['id']}"
    status, answer = d.call("POST", node + "/expire?disable_expiry=true")
    shared.check("disable_expiry in the query does not end a login", (status, answer["node"]["expiry"]) == (200, None), answer)
    status, answer = d.call("POST", node + "/tags", {"tags": ["tag:x"]})
    shared.check("a tag that no policy names cannot be set", status == 400 and "requested tags [tag:x] are invalid or not permitted" in answer["message"], answer)
    d.call("PUT", "/api/v1/policy", {"policy": '{"tagOwners":{"tag:x":[]}}'})
    status, answer = d.call("POST", node + "/tags", {"tags": ["tag:x"]})
    shared.check("a tag that the policy names can", status == 200, answer)
    _, answer = d.call("GET", "/api/v1/node")
    owner = answer["nodes"][0]["user"]
    shared.check("the pseudo user of tagged nodes has a time, as a required one", owner["createdAt"] == "0001-01-01T00:00:00Z", owner)
    for name in "x", "7of9", "Bob B.", "bj\u00f6rk":
        status, answer = d.call("POST", "/api/v1/user", {"name": name})
        shared.check(f"'{name}' is a user's name, as since headscale 0.27", status == 200 and answer["user"]["name"] == name, answer)
    for name in "", "42", " a", "a ", "a\nb", "x" * 256:
        status, answer = d.call("POST", "/api/v1/user", {"name": name})
        shared.check(f"'{name[:8]!r}' is none", status == 400 and answer["errors"][0]["location"] == "name", answer)


def devices(d):
    url = f"http://127.0.0.1:{d.port}"
    for path, line in ("/windows", f"tailscale login --login-server {url}"), ("/apple", "/apple/macos-standalone"):
        status, headers, text = public(d, "GET", path)
        shared.check(f"{path} says how to join", status == 200 and headers["Content-Type"].startswith("text/html") and line in text and url in text, text)
    for platform, kind in ("ios", "ios"), ("macos-app-store", "macos"), ("macos-standalone", "macsys"):
        status, headers, text = public(d, "GET", "/apple/" + platform)
        profile = plistlib.loads(text.encode())
        content = profile["PayloadContent"][0]
        shared.check(f"the profile for {platform}", headers["Content-Type"] == "application/x-apple-aspen-config; charset=utf-8" and content["PayloadType"] == "io.tailscale.ipn." + kind and content["ControlURL"] == url and profile["PayloadUUID"] != content["PayloadUUID"], text)
    status, _, text = public(d, "GET", "/apple/watch")
    shared.check("no profile for another platform", (status, text) == (400, "platform must be ios, macos-app-store or macos-standalone\n"), text)
    _, _, text = public(d, "GET", "/api/v1/openapi.json")
    named = [o["operationId"] for where in json.loads(text)["paths"].values() for o in where.values() if "operationId" in o]
    shared.check("operations have headscale's names, each one", len(named) == len(set(named)) == 29 and {"listNodes", "setApprovedRoutes", "expireApiKey", "health"} <= set(named), named)
    for name in "openapi.yaml", "openapi-3.0.yaml":
        status, headers, text = public(d, "GET", "/api/v1/" + name)
        shared.check(f"{name} is there", status == 200 and headers["Content-Type"] == "application/yaml" and "/api/v1/node" in text)


def metrics(d):
    c = http.client.HTTPConnection("127.0.0.1", metrics_port, timeout=10)
    c.request("GET", "/metrics")
    text = c.getresponse().read().decode()
    for name in "headscale_nodestore_nodes", "headway_nodes_online", "http_requests_total{", "process_resident_memory_bytes", "headway_core_commits_total":
        shared.check(f"metrics have {name}", "\n" + name in text or text.startswith(name))
    c = http.client.HTTPConnection("127.0.0.1", metrics_port, timeout=10)
    c.request("GET", "/debug/overview")
    shared.check("debug answers this machine", c.getresponse().status == 200)
    c = http.client.HTTPConnection("127.0.0.1", metrics_port, timeout=10)
    c.request("GET", "/debug/overview", headers={"X-Forwarded-For": "192.0.2.1"})
    shared.check("but nobody behind a proxy", c.getresponse().status == 403)


def events(d):
    _, snapshot = d.call("GET", "/api/headway/snapshot")
    s = Stream(d, snapshot["event"])
    d.call("POST", "/api/headway/users", {"name": "dave"})
    shared.check("the stream tells of a change", s.has('"objectName":"dave"') and s.has('"changed":{"nodes":[],"users":[{'), s.text)
    _, answer = d.call("GET", "/api/headway/events?limit=1")
    status, undone = d.call("POST", "/api/headway/undo/" + answer["event"])
    shared.check("undo removes the user again", status == 200 and s.has('"kind":"user.deleted"'), undone)
    _, entry = d.call("GET", f"/api/headway/events?since={answer['event'].split('.')[0]}.{int(answer['event'].split('.')[1]) - 1}&limit=1")
    shared.check("the journal says by what it was undone", entry["events"][0]["undoneBy"] == undone["event"], entry)
    streams = [Stream(d, "") for _ in range(63)]
    status, refused = d.call("GET", "/api/headway/events?follow=1")
    shared.check("streams are bounded", status == 429 and refused["error"]["code"] == "busy", refused)
    for one in streams:
        one.c.sock.shutdown(socket.SHUT_RDWR)
    d.call("POST", "/api/headway/users", {"name": "erin"})
    shared.check("closed streams make room", shared.wait_for(40, lambda: Stream(d, "").answer.status == 200))
    return s, answer["event"]


def restart(d, stream, event):
    began = os.times().elapsed
    d.process.send_signal(signal.SIGTERM)
    shared.check("SIGTERM ends the daemon with open streams", shared.wait_for(10, lambda: d.process.poll() is not None))
    shared.check("with status 0", d.process.returncode == 0, d.process.returncode)
    shared.check("soon", os.times().elapsed - began < 6)
    shared.check("the stream ends properly", shared.wait_for(5, lambda: stream.ended))
    shared.check("the socket's file is gone", not os.path.exists(d.socket))
    d.start()
    status, _ = d.call("GET", f"/api/headway/events?follow=1&since={event}")
    shared.check("a stream cannot go on from another run", status == 410)
    status, answer = d.call("GET", f"/api/headway/events?since={event}")
    shared.check("the journal can", status == 200 and any(e["objectName"] == "erin" for e in answer["events"]), answer)
    erin = next(e for e in answer["events"] if e["objectName"] == "erin")
    status, undone = d.call("POST", "/api/headway/undo/" + erin["id"])
    shared.check("undo reaches back over a restart", status == 200 and undone["event"].split(".")[0] != erin["id"].split(".")[0], undone)
    d.call("POST", "/api/headway/users", {"name": "frank"})
    d.stop(kill=True)
    d.start()
    _, answer = d.call("GET", "/api/v1/user?name=frank")
    shared.check("what was answered outlives kill -9", len(answer["users"]) == 1, answer)


def sockets(d):
    other = subprocess.run([shared.HEADWAYD, "-c", d.config], capture_output=True, timeout=20, check=False)
    shared.check("a second daemon refuses the place of the first", other.returncode == 1 and b"another headwayd" in other.stderr, other.stderr[-500:])
    shared.check("and the first goes on", d.call("GET", "/api/v1/user")[0] == 200)


def main():
    d = shared.Daemon(metrics=metrics_port)
    with d:
        pages(d)
        keys(d)
        spellings(d)
        devices(d)
        metrics(d)
        stream, event = events(d)
        restart(d, stream, event)
        sockets(d)
    shared.finish()


main()
