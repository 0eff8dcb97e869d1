#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""What programs made for headscale send to /api/v1: bodies with members left out, booleans and ids in any spelling, errors
that they show."""
import datetime
import http.client
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

POLICY_MAX = 4 << 20


def expect(d, name, status, method, path, body=None, holds=""):
    got, answer = d.call(method, "/api/v1" + path, body)
    text = answer if isinstance(answer, str) else json.dumps(answer)
    shared.check(name, got == status and holds in text, f"{method} {path} {str(body)[:80]}: {got} {text[:300]}")
    return answer


def seconds_until(text):
    end = datetime.datetime.fromisoformat(text[:19]).replace(tzinfo=datetime.timezone.utc)
    return (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def policies(d):
    text = '{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}'
    expect(d, "without a policy GET answers 404 in headscale's words", 404, "GET", "/policy", holds="acl policy not found")
    for body in ({}, {"policy": None}, {"policy": ""}):
        expect(d, f"a policy is set before it is cleared with {body}", 200, "PUT", "/policy", {"policy": text})
        expect(d, f"{json.dumps(body)} clears the policy", 200, "PUT", "/policy", body)
        answer = expect(d, "a cleared policy is there, and empty", 200, "GET", "/policy")
        shared.check("with the time at which it was cleared", answer["policy"] == "" and seconds_until(answer["updatedAt"]) > -60, answer)
    expect(d, "no body at all clears nothing", 400, "PUT", "/policy")
    expect(d, "an error of the policy's text begins as headscale's", 400, "PUT", "/policy", {"policy": '{"acls": 1}'},
           "parsing policy from bytes: ")
    answer = expect(d, "a syntax error names its place", 400, "PUT", "/policy", {"policy": '{\n  "acls": [}'}, "line 2")
    shared.check("and names it once", answer["message"].count("line 2") == 1, answer["message"])

    whole = '{"acls": [] /*' + "\n" * (POLICY_MAX - 17) + "*/}"
    shared.check("the policy is as large as it may be", len(whole) == POLICY_MAX, len(whole))
    expect(d, "a policy of 4 MiB is taken", 200, "PUT", "/policy", {"policy": whole})
    expect(d, "a larger one is refused, and the limit named", 413, "PUT", "/policy", {"policy": whole + " "}, "4")
    expect(d, "other calls take no such bodies", 413, "POST", "/user", {"name": "x" * (1 << 20)})
    expect(d, "the policy is cleared again", 200, "PUT", "/policy", {})


def expirations(d):
    for body in ({}, {"expiration": None}, {"expiration": ""}, {"expiration": "0001-01-01T00:00:00Z"}):
        answer = expect(d, f"an API key of {json.dumps(body)} is made", 200, "POST", "/apikey", body)
        key = d.call("GET", "/api/v1/apikey")[1]["apiKeys"][-1]
        left = seconds_until(key["expiration"]) if key["expiration"] else 0
        shared.check("it lives 90 days", 89.9 * 86400 < left <= 90 * 86400, key)
        shared.check("and the answer says so", answer.get("expiration") == key["expiration"], answer)
        answer = expect(d, f"a pre-auth key of {json.dumps(body)} is made", 200, "POST", "/preauthkey", {"user": "1", **body})
        left = seconds_until(answer["preAuthKey"]["expiration"]) if answer["preAuthKey"]["expiration"] else 0
        shared.check("it lives an hour", 3590 < left <= 3600, answer)
    expect(d, "never has to be said", 200, "POST", "/apikey", {"expiration": "never"})
    shared.check("and is shown as such", d.call("GET", "/api/v1/apikey")[1]["apiKeys"][-1]["expiration"] is None)
    answer = expect(d, "a pre-auth key without an end is made", 200, "POST", "/preauthkey", {"user": "1", "expiration": "never"})
    shared.check("and is shown as such", answer["preAuthKey"]["expiration"] is None, answer)
    expect(d, "a time that is none is refused", 400, "POST", "/apikey", {"expiration": "soon"}, "expiration")


def spellings(d):
    for text in ("1", "t", "T", "TRUE", "true", "True"):
        expect(d, f"confirmed={text} is true", 200, "POST", f"/node/backfillips?confirmed={text}")
    for text in ("0", "f", "F", "FALSE", "false", "False", ""):
        expect(d, f"confirmed={text} is false", 400, "POST", f"/node/backfillips?confirmed={text}", holds="not confirmed")
    expect(d, "confirmed=yes is neither", 400, "POST", "/node/backfillips?confirmed=yes", holds="confirmed")
    for method, path, body, status in (
        ("POST", "/preauthkey", {"user": "abc"}, 400),
        ("POST", "/preauthkey", {"user": "999"}, 404),
        ("GET", "/node/0", None, 404),
        ("GET", "/node/99", None, 404),
        ("GET", "/node/abc", None, 400),
        ("GET", "/node/-1", None, 400),
        ("DELETE", "/node/0", None, 404),
        ("POST", "/node/0/expire", None, 404),
        ("POST", "/node/0/rename/x", None, 404),
        ("POST", "/node/0/tags", {"tags": ["tag:a"]}, 404),
        ("POST", "/node/0/approve_routes", {"routes": []}, 404),
        ("DELETE", "/user/0", None, 404),
        ("DELETE", "/user/abc", None, 400),
        ("POST", "/user/0/rename/x", None, 404),
        ("GET", "/user?id=abc", None, 400),
        ("GET", "/node?user=nobody", None, 404),
        ("POST", "/preauthkey/expire", {"id": "77"}, 404),
        ("DELETE", "/preauthkey?id=abc", None, 400),
        ("POST", "/apikey/expire", {"id": "77"}, 404),
        ("POST", "/apikey/expire", {}, 400),
    ):
        expect(d, f"{method} {path} {json.dumps(body)} answers {status}", status, method, path, body)


def slips(d):
    """Bodies that a slip of the pen made: what they do not say is not done."""
    auth_id = "hskey-authreq-" + "0" * 23 + "1"
    answer = expect(d, "a node is made up", 200, "POST", "/debug/node", {"user": "alice", "key": auth_id, "name": "n", "routes": ["10.0.0.0/8"]})
    shared.check("that has no id yet, as headscale writes it", answer["node"]["id"] == "0", answer)
    expect(d, "and is admitted", 200, "POST", "/auth/register", {"user": "alice", "authId": auth_id})
    expect(d, "its route is approved", 200, "POST", "/node/1/approve_routes", {"routes": ["10.0.0.0/8"]}, "10.0.0.0/8")
    expect(d, "a member that is misspelt revokes nothing", 400, "POST", "/node/1/approve_routes", {"route": []}, "'route' is not known here, only: routes")
    expect(d, "no body at all neither", 400, "POST", "/node/1/approve_routes", None, "routes")
    expect(d, "so it stays approved", 200, "GET", "/node/1", holds='"approvedRoutes": ["10.0.0.0/8"]')
    expect(d, "an empty object revokes it", 200, "POST", "/node/1/approve_routes", {}, '"approvedRoutes": []')
    expect(d, "a policy is set", 200, "PUT", "/policy", {"policy": '{"acls": []}'})
    expect(d, "a member that is misspelt does not clear it", 400, "PUT", "/policy", {"polcy": '{"acls": []}'}, "'polcy' is not known here, only: policy")
    expect(d, "so it stays", 200, "GET", "/policy", holds="acls")
    expect(d, "what else headscale's clients send beside it is ignored", 200, "PUT", "/policy", {"policy": "", "updated_at": 1})
    for tag, why in (("tag:A", "tag should be lowercase"), ("tag: a", "tags must not contain spaces"), ("a", "tag must start with the string 'tag:'")):
        for body in ({"user": "1", "aclTags": [tag]}, {"aclTags": [tag]}):
            expect(d, f"a key for {tag!r} is refused", 400, "POST", "/preauthkey", body, why)
    for path, body in (("/auth/register", {}), ("/auth/register", {"user": "nobody", "authId": "x"}), ("/node/register?user=&key=", None)):
        expect(d, "an id that none can be is refused first", 400, "POST", path, body, "auth ID has invalid prefix: expected prefix")
    expect(d, "a prefix that no key can have is not found", 404, "POST", "/apikey/expire", {"prefix": "x"})
    expect(d, "nor behind a path", 404, "DELETE", "/apikey/x")


def content_types(d):
    for accept, kind in ((None, "application/problem+json"), ("*/*", "application/problem+json"),
                         ("application/json, application/problem+json", "application/problem+json"),
                         ("application/json", "application/json")):
        c = shared.UnixConnection(d.socket)
        c.request("GET", "/api/v1/node/99", headers={"Accept": accept} if accept else {})
        answer = c.getresponse()
        shared.check(f"an error for Accept: {accept} is {kind}", answer.getheader("Content-Type") == kind,
                     answer.getheader("Content-Type"))
    c = http.client.HTTPConnection("127.0.0.1", d.port, timeout=10)
    c.request("GET", "/api/v1/node")
    shared.check("a stranger reads the one word", c.getresponse().read() == b"Unauthorized")


with shared.Daemon() as daemon:
    daemon.call("POST", "/api/v1/user", {"name": "alice"})
    policies(daemon)
    expirations(daemon)
    spellings(daemon)
    slips(daemon)
    content_types(daemon)
    shared.check("the daemon runs on", daemon.alive())
shared.finish()
