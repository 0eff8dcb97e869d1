# SPDX-License-Identifier: BSD-3-Clause
"""A browser as far as logins need one, and what tests of logins ask the daemon."""
import http.cookiejar
import json
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request

import openid_provider as openid


def settings(p, **more):
    keys = {"issuer": p.issuer, "client_id": openid.CLIENT, "client_secret": openid.SECRET, "only_start_if_oidc_is_available": False, **more}
    return "oidc: " + json.dumps(keys) + "\n"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self, d):
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), NoRedirect)
        self.base = f"http://127.0.0.1:{d.port}"

    def get(self, url, form=None):
        """(status, text, where to)"""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with self.opener.open(urllib.request.Request(urllib.parse.urljoin(self.base, url), data), timeout=40) as r:
                return r.status, r.read().decode(), r.headers.get("Location")
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode(), e.headers.get("Location")

    def begin(self, auth_id):
        """The link to the provider, and where the provider sends the browser back to."""
        to_provider = self.get(f"/register/{auth_id}")[2]
        return to_provider, self.get(to_provider)[2] if to_provider else None

    def login(self, auth_id):
        """The page that asks, or the one that refuses."""
        return self.get(self.begin(auth_id)[1])

    def confirm(self, auth_id, page):
        token = re.search(r'name="token" value="([0-9a-f]+)"', page)
        return self.get(f"/register/confirm/{auth_id}", {"token": token.group(1) if token else ""})


def waiting(d, name="laptop"):
    auth_id = "hskey-authreq-" + secrets.token_hex(12)
    status, said = d.call("POST", "/api/v1/debug/node", {"user": "local", "key": auth_id, "name": name, "routes": []})
    assert status == 200, said
    return auth_id


def nodes(d):
    return {n["name"]: n for n in d.call("GET", "/api/v1/node")[1]["nodes"]}


def users(d):
    return {u["name"]: u for u in d.call("GET", "/api/v1/user")[1]["users"]}


def user_of(d, name):
    return next(u for u in d.call("GET", "/api/headway/users")[1]["users"] if u["name"] == name)
