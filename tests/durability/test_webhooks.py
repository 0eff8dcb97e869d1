#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 240
"""Webhooks: receivers verify what they get, and fail, hang, answer 500, redirect; the daemon is killed between an event and
its delivery. Nothing of it loses an event, or holds up another receiver."""
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
from daemon import Daemon, check, finish, free_port, wait_for  # noqa: E402

WAIT = 60


class Receiver:
    """A receiver at a port that stays the same over its ends. answer is a status, "hang", or a function of the handler."""

    def __init__(self, answer=200):
        self.port, self.answer, self.secret = free_port(), answer, None
        self.got, self.bad, self.tries = [], [], 0
        self.release = threading.Event()
        self.server = None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.tries += 1
                if outer.answer == "hang":
                    outer.release.wait(120)
                    self.close_connection = True
                    return
                if callable(outer.answer):
                    outer.answer(self)
                    return
                if outer.answer == 200:
                    outer.take(self.headers, body)
                self.send_response(outer.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body):
        parts = dict(p.split("=", 1) for p in headers.get("Tailscale-Webhook-Signature", "t=0,v1=").split(","))
        good = hmac.new((self.secret or "").encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        if self.secret and not (hmac.compare_digest(good, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300):
            self.bad.append(parts)
        self.got.extend(json.loads(body) if body.startswith(b"[") else [json.loads(body)])

    def types(self):
        return [e.get("type") for e in self.got]

    def users(self):
        return [e["data"]["user"] for e in self.got if e.get("type") == "userCreated"]

    def stop(self):
        self.release.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def create(d, receiver, *subscriptions, provider=""):
    status, answer = d.call("POST", "/api/v2/tailnet/-/webhooks",
                            {"endpointUrl": receiver.url, "providerType": provider, "subscriptions": list(subscriptions)})
    if status != 200:
        check("a webhook is made", False, f"{status} {answer}")
        finish()
    receiver.secret = answer["secret"]
    return answer["endpointId"]


def shown(d, number):
    return next((w for w in d.call("GET", "/api/headway/webhooks")[1]["webhooks"] if w["id"] == number), None)


def make_user(d, name):
    status, answer = d.call("POST", "/api/headway/users", {"name": name})
    if status != 200:
        check(f"user {name} is made", False, answer)


def test_delivery(d):
    good, slack = Receiver(), Receiver()
    number = create(d, good, "categoryTailnetManagement")
    create(d, slack, "userCreated", provider="slack")
    make_user(d, "anna")
    check("an event is delivered", wait_for(WAIT, lambda: good.users() == ["anna"]), good.got)
    event = good.got[0]
    check("in Tailscale's form", event["version"] == 1 and event["tailnet"] == "tail.example.com" and event["message"] == "User anna was created" and
          all(isinstance(v, str) for v in event["data"].values()), event)
    check("to a chat service in its form", wait_for(WAIT, lambda: slack.got == [{"text": "userCreated: User anna was created"}]), slack.got)
    check("with a signature", not good.bad and not slack.bad, good.bad)
    d.call("POST", f"/api/v2/webhooks/{number}/test")
    check("a test event is sent", wait_for(WAIT, lambda: good.types()[-1] == "test" and "data" not in good.got[-1]), good.got)
    old = good.secret
    good.secret = None
    good.secret = d.call("POST", f"/api/v2/webhooks/{number}/rotate")[1]["secret"]
    make_user(d, "bert")
    check("after a rotation the new secret signs", wait_for(WAIT, lambda: good.users() == ["anna", "bert"]) and not good.bad and good.secret != old, good.got)
    check("and the receiver was told", "webhookUpdated" in good.types(), good.types())
    d.call("PATCH", f"/api/v2/webhooks/{number}", {"subscriptions": ["userDeleted"]})
    make_user(d, "carl")
    check("other subscriptions are told", wait_for(WAIT, lambda: good.types()[-1] == "webhookUpdated"), good.types())
    d.call("DELETE", f"/api/v2/webhooks/{number}")
    check("its end is told, last", wait_for(WAIT, lambda: good.types()[-1] == "webhookDeleted"), good.types())
    check("what it did not subscribe to is not", good.users() == ["anna", "bert"], good.users())
    check("and it is gone", d.call("GET", f"/api/v2/webhooks/{number}")[0] == 404)
    log = d.log() + json.dumps(d.call("GET", "/api/headway/events?limit=1000")[1])
    check("neither log nor journal hold a secret, or the URL's", good.secret not in log and old not in log and "hidden" not in log)
    with open(os.path.join(d.dir, "db.sqlite"), "rb") as f, open(os.path.join(d.dir, "db.sqlite-wal"), "rb") as wal:
        data = f.read() + wal.read()
    check("nor the database", old.encode() not in data and slack.secret.encode() not in data)
    good.stop()
    slack.stop()


def test_trouble(d):
    """Others get what they are to get while receivers hang, fail and redirect."""
    hang, error, well = Receiver("hang"), Receiver(500), Receiver()
    target = Receiver()

    def redirect(handler):
        handler.send_response(307)
        handler.send_header("Location", target.url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    away = Receiver(redirect)
    numbers = [create(d, r, "userCreated") for r in (hang, error, away)]
    create(d, well, "userCreated")
    make_user(d, "dora")
    check("one is delivered while others hang and fail", wait_for(WAIT, lambda: well.users() == ["dora"]), well.got)
    make_user(d, "emil")
    check("and so is the next", wait_for(WAIT, lambda: well.users() == ["dora", "emil"]), well.got)
    check("a failure is shown", wait_for(WAIT, lambda: shown(d, numbers[1])["failing"] and "status 500" in shown(d, numbers[1])["lastError"] and
                                         shown(d, numbers[1])["lastStatus"] == 500 and shown(d, numbers[1])["nextTry"]), shown(d, numbers[1]))
    check("a receiver that hangs fails", wait_for(WAIT, lambda: shown(d, numbers[0])["failures"] > 0), shown(d, numbers[0]))
    check("redirects are not followed", wait_for(WAIT, lambda: "redirects" in shown(d, numbers[2])["lastError"]) and target.tries == 0, shown(d, numbers[2]))
    check("it is tried again", wait_for(WAIT, lambda: error.tries >= 3), error.tries)
    error.answer = hang.answer = 200
    hang.release.set()
    check("until it succeeds, with everything in order", wait_for(WAIT, lambda: error.users() == ["dora", "emil"]) and not error.bad, error.got)
    check("also where it hung", wait_for(WAIT, lambda: hang.users() == ["dora", "emil"]), hang.got)
    check("and nothing is wrong any more", wait_for(WAIT, lambda: not shown(d, numbers[1])["failing"] and not shown(d, numbers[1])["nextTry"]), shown(d, numbers[1]))
    for r in (hang, error, well, away, target):
        r.stop()
    for number in numbers:
        d.call("DELETE", f"/api/v2/webhooks/{number}")


def test_kill(d):
    """Between an event and its delivery: the receiver is away, the daemon is killed, both come back."""
    r = Receiver()
    number = create(d, r, "userCreated")
    r.stop()
    for name in ("fred", "gina"):
        make_user(d, name)
    check("a receiver that is away fails", wait_for(WAIT, lambda: shown(d, number)["failures"] > 0), shown(d, number))
    d.stop(kill=True)
    r.start()
    r.release.clear()
    d.start()
    check("a daemon that was killed delivers what waited", wait_for(WAIT, lambda: set(r.users()) >= {"fred", "gina"}), r.got)
    check("in the order in which it happened", r.users()[:2] == ["fred", "gina"] and not r.bad, r.got)
    make_user(d, "hugo")
    d.stop(kill=True)
    d.start()
    check("nothing is lost when it is killed at once", wait_for(WAIT, lambda: "hugo" in r.users()), r.users())
    before = len(r.got)
    wait_for(WAIT, lambda: shown(d, number)["delivered"] >= 3)
    d.stop()
    d.start()
    make_user(d, "ida")
    check("after an orderly end nothing comes twice", wait_for(WAIT, lambda: "ida" in r.users()) and len(r.got) == before + 1, r.users())
    r.stop()


def test_bounds():
    """What waits is bounded, and what is dropped is said."""
    r = Receiver()
    with Daemon("webhooks:\n  allow_private: [127.0.0.0/8]\n  max_events: 3\n") as d:
        number = create(d, r, "userCreated")
        r.answer = 503
        for i in range(8):
            make_user(d, f"user{i}")
        check("what is too much is dropped", wait_for(WAIT, lambda: shown(d, number)["dropped"] == 5), shown(d, number))
        r.answer = 200
        check("the rest is delivered", wait_for(WAIT, lambda: r.users() == ["user5", "user6", "user7"]), r.got)
        check("and the receiver is told first", r.types()[0] == "eventsDropped" and r.got[0]["data"]["count"] == "5", r.got)
        journal = json.dumps(d.call("GET", "/api/headway/events?limit=100")[1])
        check("as the journal is", "is not told of" in journal and "webhooks.max_events" in journal)
        metrics = shown(d, number)
        check("it is told once", metrics["delivered"] == 3 and r.types().count("eventsDropped") == 1, r.types())
    r.stop()


def test_refused():
    """Without permission nothing leaves for this machine, by whatever name."""
    r = Receiver()
    with Daemon() as d:
        for url in (r.url, f"http://localhost:{r.port}/", f"http://[::ffff:127.0.0.1]:{r.port}/"):
            number = d.call("POST", "/api/v2/tailnet/-/webhooks", {"endpointUrl": url, "subscriptions": ["userCreated"]})[1]["endpointId"]
            d.call("POST", f"/api/v2/webhooks/{number}/test")
            check(f"loopback is refused: {url.split('/')[2].split(':')[0]}",
                  wait_for(WAIT, lambda: "webhooks.allow_private" in shown(d, number)["lastError"]), shown(d, number))
        check("and never connected to", r.tries == 0)
        for body, word in (({"endpointUrl": "ftp://x/", "subscriptions": ["userCreated"]}, "https://"),
                           ({"endpointUrl": "https://u:p@x/", "subscriptions": ["userCreated"]}, "user name"),
                           ({"endpointUrl": "https://x/", "subscriptions": ["nodeExploded"]}, "nodeExploded"),
                           ({"endpointUrl": "https://x/", "subscriptions": ["userNeedsApproval"]}, "userNeedsApproval"),
                           ({"endpointUrl": "https://x/", "subscriptions": []}, "subscription"),
                           ({"endpointUrl": "https://x/", "providerType": "irc", "subscriptions": ["userCreated"]}, "irc")):
            status, answer = d.call("POST", "/api/v2/tailnet/-/webhooks", body)
            check(f"refused with its name: {word}", status == 400 and word in answer["message"], f"{status} {answer}")
    r.stop()


with Daemon("webhooks:\n  allow_private: [127.0.0.0/8]\n  timeout: 2s\n") as one:
    test_delivery(one)
    test_trouble(one)
    test_kill(one)
test_bounds()
test_refused()
finish()
