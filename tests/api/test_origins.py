#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""What pages of other origins may read: http.cors_origins."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

UI = "https://ui.example.com:8443"


def ask(d, method, path, headers):
    c = d.public()
    c.request(method, path, headers=headers)
    answer = c.getresponse()
    answer.read()
    c.close()
    return answer


def allowed(answer):
    return answer.getheader("Access-Control-Allow-Origin")


def preflight(d, path, origin, method="PUT"):
    return ask(d, "OPTIONS", path, {"Origin": origin, "Access-Control-Request-Method": method,
                                    "Access-Control-Request-Headers": "authorization"})


def listed(d):
    for path, status in (("/key?v=131", 200), ("/health", 200), ("/api/v1/node", 401), ("/nowhere", 404)):
        answer = ask(d, "GET", path, {"Origin": UI})
        shared.check(f"{path} may be read by the origin", answer.status == status and allowed(answer) == UI,
                     answer.getheaders())
        shared.check(f"{path} varies by it", answer.getheader("Vary") == "Origin")
    answer = ask(d, "GET", "/key?v=131", {"Origin": UI.upper()})
    shared.check("capitals do not matter", allowed(answer) == UI)
    for other in ("https://ui.example.com", "http://ui.example.com:8443", UI + ".evil.test", "null", ""):
        answer = ask(d, "GET", "/key?v=131", {"Origin": other})
        shared.check(f"but not by {other!r}", answer.status == 200 and allowed(answer) is None)
    answer = preflight(d, "/api/v1/policy", UI)
    shared.check("it may ask with a key", answer.status == 204 and allowed(answer) == UI and
                 "PUT" in answer.getheader("Access-Control-Allow-Methods") and
                 "Authorization" in answer.getheader("Access-Control-Allow-Headers"), answer.getheaders())
    answer = preflight(d, "/api/v1/policy", "https://elsewhere.test")
    shared.check("others may not", answer.status == 401 and allowed(answer) is None, answer.status)
    answer = preflight(d, "/nowhere", UI)
    shared.check("nor is there more than there is", answer.status == 404, answer.status)
    answer = ask(d, "OPTIONS", "/api/v1/policy", {"Origin": UI})
    shared.check("OPTIONS alone asks nothing", answer.status == 401, answer.status)


def main():
    with shared.Daemon(f"http:\n  cors_origins:\n    - {UI}\n    - ui.example.com\n    - https://ui.example.com/path\n") as d:
        listed(d)
        shared.check("what is no origin is named with its line",
                     all(f"http.cors_origins[{i}]" in d.log() for i in (1, 2)), d.log())
    with shared.Daemon("http: {cors_origins: ['*']}\n") as d:
        answer = ask(d, "GET", "/key?v=131", {"Origin": "https://anywhere.test"})
        shared.check("an asterisk means every origin", allowed(answer) == "*")
    with shared.Daemon() as d:
        answer = ask(d, "GET", "/key?v=131", {"Origin": UI})
        shared.check("none is the default", allowed(answer) is None and answer.getheader("Vary") is None)
        shared.check("for questions too", preflight(d, "/api/v1/policy", UI).status == 401)
    shared.finish()


main()
