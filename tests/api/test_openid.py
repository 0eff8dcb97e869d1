#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 400
"""Login by people: the code flow with a provider that errs, and who is kept out."""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402
import openid_provider as openid  # noqa: E402
from openid_browser import Browser, nodes, settings, user_of, users, waiting  # noqa: E402

check = shared.check


def progress(d, auth_id):
    waits = next(w for w in d.call("GET", "/api/headway/pending")[1]["pending"] if w["authId"] == auth_id)
    return waits["loginProvider"], waits["loginUser"]


def way_in(d, p):
    b, auth_id = Browser(d), waiting(d, "first")
    to_provider, back = b.begin(auth_id)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(to_provider).query))
    check("the link of the client leads to the provider", to_provider.startswith(p.issuer + "/auth?x=1&") and asked["redirect_uri"] == b.base + "/oidc/callback"
          and asked["code_challenge_method"] == "S256" and len(asked["nonce"]) == 64 and asked["scope"] == "openid profile email", to_provider)
    check("what waits tells that a login began", progress(d, auth_id) == ("default", None), str(progress(d, auth_id)))
    cookie = next(iter(b.jar))
    check("a cookie of this browser alone goes with it", cookie.has_nonstandard_attr("HttpOnly") and cookie.get_nonstandard_attr("SameSite") == "Lax"
          and cookie.path == "/oidc/callback" and cookie.expires, str(cookie))
    status, page, _ = b.get(back)
    check("the way back leads to a question", status == 200 and "alice@example.com" in page and "first" in page and "Add this machine" in page, page)
    check("which nobody has answered yet", "first" not in nodes(d))
    check("who waits is told as what waits", progress(d, auth_id) == ("default", "alice"), str(progress(d, auth_id)))
    status, said, _ = b.confirm(auth_id, page)
    check("a yes lets the machine in", status == 200 and "first" in nodes(d), said)
    node, user = nodes(d)["first"], users(d)["alice"]
    check("as the user's, by OpenID", node["user"]["name"] == "alice" and node["registerMethod"] == "REGISTER_METHOD_OIDC", str(node))
    check("who has headscale's fields", (user["provider"], user["providerId"], user["email"], user["displayName"]) == ("oidc", p.issuer + "/7", "alice@example.com", "Alice A."), str(user))
    check("the way back leads there once", b.get(back)[0] in (403, 410))
    check("and so does the yes", b.confirm(auth_id, page)[0] in (403, 410))
    check("the link is used up", b.get(f"/register/{auth_id}")[0] == 410)
    check("no secret is in the log", openid.SECRET not in d.log() and "alice@example.com" not in d.log(), d.log())


def again(d, p):
    p.claims.update(name="Alice <b>B.</b>", email="alice@new.example.com")
    auth_id, b = waiting(d, "second"), Browser(d)
    page = b.login(auth_id)[1]
    check("names are shown as text", "<b>" not in page)
    b.confirm(auth_id, page)
    user = users(d)["alice"]
    check("a second login is the same user, as the provider shows it now", user["displayName"] == "Alice <b>B.</b>" and user["email"] == "alice@new.example.com"
          and nodes(d)["second"]["user"]["id"] == user["id"], str(user))
    p.claims.update(name="Alice A.", email="alice@example.com")


def faults(d, p):
    said_of = {"issuer": "another issuer", "audience": "another client", "party": "another client", "expired": "has expired", "old": "issued at another time",
               "nonce": "another login", "hash": "access token", "no subject": "no subject", "not yet": "not valid yet", "exp text": "when it expires",
               "none": "signed with &#39;none&#39;", "HS256": "signed with &#39;HS256&#39;", "EdDSA": "signed with EdDSA", "encrypted": "encrypted",
               "signature": "signature is wrong", "changed": "signature is wrong", "crit": "not known here", "unlisted": "does not list",
               "refuse": "access_denied", "mixed up": "another provider", "no token": "no ID token", "huge token": "too long",
               "broken token": "status 500", "elsewhere token": "status 302", "replay": "used before"}
    before = set(users(d))
    for fault, words in said_of.items():
        auth_id, b = waiting(d, "stranger"), Browser(d)
        if fault == "replay":
            b.login(auth_id)
        p.fault = fault
        status, page, _ = b.login(auth_id)
        p.fault = ""
        check(f"{fault}: refused, and the page says why", status >= 400 and words in page, f"{status} {page}")
        check(f"{fault}: nobody is in", "stranger" not in nodes(d) and set(users(d)) == before)


def no_faults(d, p):
    for fault in "rolled", "no kid", "many groups", "other userinfo", "huge userinfo", "left out":
        p.fault = fault
        auth_id, b = waiting(d, "stranger"), Browser(d)
        status, page, _ = b.login(auth_id)
        p.fault = ""
        check(f"{fault}: no reason to refuse", status == 200 and "Add this machine" in page, page)


def browsers(d):
    auth_id, victim, other = waiting(d, "race"), Browser(d), Browser(d)
    _, back = victim.begin(auth_id)
    status, page, _ = other.get(back)
    check("another browser is refused", status == 403 and "did not begin" in page, page)
    other.begin(auth_id)
    check("with a cookie of a login of its own too", other.get(back)[0] == 403)
    state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
    changed = back.replace(state["state"], state["state"][:-1] + ("0" if state["state"][-1] != "0" else "1"))
    check("a changed state is refused", victim.get(changed)[0] in (403, 410))
    answers, together = [], threading.Barrier(2)

    def come_back():
        together.wait()
        answers.append(victim.get(back))

    threads = [threading.Thread(target=come_back) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("of two ways back at once one leads to the question", sorted(a[0] for a in answers) in ([200, 403], [200, 410]), str([a[0] for a in answers]))
    page = next(a[1] for a in answers if a[0] == 200)
    check("another browser cannot say yes", other.confirm(auth_id, page)[0] in (403, 410) and "race" not in nodes(d))
    check("nor can the token of another login", victim.confirm(waiting(d, "elsewhere"), page)[0] == 403 and "elsewhere" not in nodes(d))
    check("and so the machine stays out", "race" not in nodes(d))
    for bad in "/oidc/callback", "/oidc/callback?code=a", "/oidc/callback?code=a&state=b", "/oidc/callback?error=x&state=" + "0" * 64:
        check(f"{bad} is refused", Browser(d).get(bad)[0] in (400, 403))
    check("an id that nobody has leads nowhere", Browser(d).get("/register/hskey-authreq-" + "0" * 24)[0] == 410)


def hostile(p):
    with shared.Daemon(settings(p)) as d:
        d.call("POST", "/api/v1/user", {"name": "local", "email": "boss@example.com"})
        for claims, name in (({"sub": "a", "preferred_username": "local"}, "mallory@example.com"),
                             ({"sub": "b", "preferred_username": "boss@example.com"}, "boss"),
                             ({"sub": "c", "preferred_username": "a\r\nSet-Cookie: x=1"}, "c@example.com"),
                             ({"sub": "d", "preferred_username": "x" * 5000}, "d@example.com")):
            p.claims.update(claims, email="mallory@example.com" if claims["sub"] == "a" else f"{claims['sub']}@example.com", name="<script>\u0007")
            auth_id, b = waiting(d, "m-" + claims["sub"]), Browser(d)
            page = b.login(auth_id)[1]
            b.confirm(auth_id, page)
            check(f"{claims['preferred_username'][:20]!r} becomes {name}", nodes(d)["m-" + claims["sub"]]["user"]["name"] == name and "<script>" not in page,
                  str(nodes(d)["m-" + claims["sub"]]["user"]))
        p.claims.update(sub="e", preferred_username="e", email="boss@example.com")
        auth_id, b = waiting(d, "m-e"), Browser(d)
        b.confirm(auth_id, b.login(auth_id)[1])
        check("an address that another user has stays that user's", users(d)["e"]["email"] == "" and users(d)["local"]["email"] == "boss@example.com", str(users(d)))
        p.claims.update(sub="7", preferred_username="alice", email="alice@example.com", name="Alice A.")


def lists(p):
    cases = (({"allowed_domains": ["example.com"]}, {}, None), ({"allowed_domains": ["other.com"]}, {}, "domain"), ({"allowed_users": ["bob@example.com"]}, {}, "mail address"),
             ({"allowed_groups": ["eng"]}, {}, "none of the groups"), ({"allowed_groups": ["eng"]}, {"groups": ["eng"]}, None),
             ({"allowed_groups": ["eng"], "groups_claim": "roles.headway"}, {"roles": {"headway": {"eng": {"1": "2"}}}}, None),
             ({"allowed_domains": ["example.com"]}, {"email_verified": False}, "verified"),
             ({"allowed_domains": ["example.com"], "email_verified_required": False}, {"email_verified": False}, None),
             ({"allowed_domains": ["example.com"], "email_verified_required": "if-present"}, {"email_verified": None}, None),
             ({"allowed_domains": ["example.com"], "email_verified_required": "if-present"}, {"email_verified": False}, "verified"))
    for keys, claims, words in cases:
        kept = dict(p.claims)
        p.claims.update(claims)
        with shared.Daemon(settings(p, **keys)) as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            status, page, _ = Browser(d).login(waiting(d))
            check(f"{keys} and {claims}: {words or 'in'}", (status == 200) == (words is None) and (words or "Add this machine") in page, page)
            check("who is refused becomes no user", ("alice" in users(d)) == (words is None))
        p.claims = kept


def enter(d, p, name, **claims):
    """Logs in with these claims, as a machine of that name; the page that came last."""
    p.claims.update(claims)
    auth_id, b = waiting(d, name), Browser(d)
    status, page, _ = b.login(auth_id)
    return b.confirm(auth_id, page) if status == 200 else (status, page, None)


def reaches(d, source, target):
    return d.call("GET", f"/api/headway/explain?src={source}&dst={target}&port=80")[1]["allowed"]


def groups(d, p):
    enter(d, p, "desk", groups=["group:eng", "oidc:eng"])
    enter(d, p, "server", sub="8", preferred_username="bob", email="bob@example.com", groups=[])
    p.claims.update(sub="7", preferred_username="alice", email="alice@example.com")
    policy = {"groups": {"group:eng": ["oidc:eng"], "group:ops": ["oidc:ops@other"]},
              "acls": [{"action": "accept", "src": ["group:eng"], "dst": ["bob@example.com:80"]}]}
    status, said = d.call("PUT", "/api/v1/policy", {"policy": json.dumps(policy)})
    check("a policy names groups of a provider", status == 200, str(said))
    check("which no other claim makes anybody a member of", not reaches(d, "desk", "server"))
    enter(d, p, "desk", groups=["eng", "ops"])
    check("a login that brings the group opens what it opens, at once", reaches(d, "desk", "server"))
    check("the user shows it", user_of(d, "alice")["providerGroups"] == ["eng@default", "ops@default"], str(user_of(d, "alice")))
    enter(d, p, "desk", groups=["sales"])
    check("and one that does not closes it", not reaches(d, "desk", "server"))
    status, said = d.call("PUT", "/api/v1/policy", {"policy": '{"groups": {"group:x": ["oidc:"]}}'})
    check("a group without a name is an error", status == 400 and "names no group of a provider" in str(said), str(said))


def is_expired(d, name):
    return next(n for n in d.call("GET", "/api/headway/nodes")[1]["nodes"] if n["name"] == name)["expired"]


def suspension(d, p):
    alice = user_of(d, "alice")
    status, said = d.call("POST", f"/api/headway/users/{alice['id']}/suspended", {"suspended": True})
    check("an administrator suspends a user", status == 200 and user_of(d, "alice")["suspendedAt"], str(said))
    check("whose nodes are logged out", is_expired(d, "desk") and not is_expired(d, "server"))
    status, page, _ = enter(d, p, "again")
    check("and who cannot log in", status == 403 and "suspended" in page and "again" not in nodes(d), page)
    d.call("POST", f"/api/headway/undo/{said['event']}")
    check("the undo lets it back in", not is_expired(d, "desk") and not user_of(d, "alice")["suspendedAt"])
    d.call("POST", f"/api/headway/users/{alice['id']}/suspended", {"suspended": True})
    d.stop(kill=True)
    d.start()
    check("a suspension outlives kill -9", is_expired(d, "desk") and enter(d, p, "again")[0] == 403)
    d.call("POST", f"/api/headway/users/{alice['id']}/suspended", {"suspended": False})
    check("and ends when it is ended", not is_expired(d, "desk") and enter(d, p, "again")[0] == 200 and nodes(d)["again"]["user"]["id"] == alice["id"])


def links(d, p):
    d.call("POST", "/api/v1/user", {"name": "carol", "email": "carol@example.com"})
    carol = user_of(d, "carol")
    link = {"provider": "default", "subject": "99"}
    status, said = d.call("POST", f"/api/headway/users/{carol['id']}/link", link)
    check("an administrator links a user", status == 200, str(said))
    status, refused = d.call("POST", f"/api/headway/users/{user_of(d, 'bob')['id']}/link", link)
    check("an identity is one user's", status == 409 and "carol" in str(refused), str(refused))
    status, refused = d.call("POST", f"/api/headway/users/{carol['id']}/link", {**link, "provider": "nobody"})
    check("of a provider that there is", status == 400 and "nobody" in str(refused), str(refused))
    enter(d, p, "carols", sub="99", preferred_username="somebody", email="somebody@example.com")
    check("a login there is a login as this user", nodes(d)["carols"]["user"]["name"] == "carol" and user_of(d, "carol")["email"] == "carol@example.com", str(nodes(d)["carols"]))
    d.call("POST", f"/api/headway/undo/{said['event']}")
    enter(d, p, "others", sub="99", preferred_username="somebody", email="somebody@example.com")
    check("until the link ends", nodes(d)["others"]["user"]["name"] == "somebody", str(nodes(d)["others"]["user"]))
    p.claims.update(sub="7", preferred_username="alice", email="alice@example.com")


def refreshes(p):
    with shared.Daemon(settings(p, refresh_interval="10s")) as d:
        d.call("POST", "/api/v1/user", {"name": "local"})
        enter(d, p, "desk", groups=["eng"])
        asked = next(args for name, args, _ in reversed(p.seen) if name == "auth")
        check("a refresh token is asked for", asked["scope"] == "openid profile email offline_access", str(asked))
        token = list(p.refresh)[-1]
        kept = b"".join(open(os.path.join(d.dir, name), "rb").read() for name in os.listdir(d.dir) if name.startswith(("db", "log", "login")))
        check("and is kept encrypted", token.encode() not in kept)
        p.claims["groups"] = ["sales"]
        p.userinfo = {"sub": "7", "groups": ["sales"]}
        check("the provider is asked again, and says the groups of now", shared.wait_for(40, lambda: user_of(d, "alice")["providerGroups"] == ["sales@default"]), str(user_of(d, "alice")))
        check("with a new refresh token each time", token not in p.refresh)
        p.fault = "broken token"
        check("a provider that does not say keeps everybody in", shared.wait_for(40, lambda: d.call("GET", "/api/headway/identities")[1]["identities"][0]["trouble"])
              and not user_of(d, "alice")["suspendedAt"], str(d.call("GET", "/api/headway/identities")))
        p.fault = "gone"
        check("one that knows the user no longer suspends it", shared.wait_for(40, lambda: user_of(d, "alice")["suspendedAt"]) and is_expired(d, "desk")
              and user_of(d, "alice")["suspendedBy"] == "provider default", str(user_of(d, "alice")))
        p.fault, p.userinfo = "", None
        check("a login at the provider is the way back", enter(d, p, "desk")[0] == 200 and not user_of(d, "alice")["suspendedAt"] and not is_expired(d, "desk"))
    with shared.Daemon(settings(p, refresh_interval="10s", allowed_groups=["eng"])) as d:
        d.call("POST", "/api/v1/user", {"name": "local"})
        p.claims["groups"] = ["eng"]
        enter(d, p, "desk")
        p.claims["groups"] = ["sales"]
        check("who is in no group allowed any more is suspended", shared.wait_for(40, lambda: user_of(d, "alice")["suspendedAt"]) and is_expired(d, "desk"), str(user_of(d, "alice")))
    p.claims.pop("groups")


def reconfigure(d, old, new):
    d.stop()
    with open(d.config, encoding="utf-8") as f:
        text = f.read()
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    d.start()


def several(p):
    with openid.Provider() as other:
        more = {"providers": [{"name": "corp", "issuer": other.issuer, "client_id": openid.CLIENT, "client_secret": openid.SECRET}]}
        with shared.Daemon(settings(p, **more)) as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            auth_id, b = waiting(d), Browser(d)
            status, page, _ = b.get(f"/register/{auth_id}")
            check("of several providers people choose one", status == 200 and "?provider=default" in page and "?provider=corp" in page, page)
            check("that there is", b.get(f"/register/{auth_id}?provider=x")[0] == 404)
            to_corp = b.get(f"/register/{auth_id}?provider=corp")[2]
            asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(to_corp).query))
            check("and are sent there, and back to a place of its own", to_corp.startswith(other.issuer) and asked["redirect_uri"] == b.base + "/oidc/callback/corp", to_corp)
            for name, path in (("corp", "/oidc/callback"), ("corp", "/oidc/callback/default"), ("corp", "/oidc/callback/nobody"), ("default", "/oidc/callback/corp")):
                mixed = Browser(d)
                back = urllib.parse.urlsplit(mixed.get(mixed.get(f"/register/{auth_id}?provider={name}")[2])[2])
                query = {k: v for k, v in urllib.parse.parse_qsl(back.query) if k != "iss"}
                status, page, _ = mixed.get(back._replace(path=path, query=urllib.parse.urlencode(query)).geturl())
                check(f"an answer for {name} at {path} is refused", status == 403 and "another provider" in page, page)
            page = b.get(b.get(to_corp)[2])[1]
            b.confirm(auth_id, page)
            first = nodes(d)["laptop"]["user"]
            auth_id, b = waiting(d, "second"), Browser(d)
            b.confirm(auth_id, b.get(b.get(b.get(f"/register/{auth_id}?provider=default")[2])[2])[1])
            second = nodes(d)["second"]["user"]
            check("the same subject of two providers is two users", first["id"] != second["id"] and first["name"] == "alice" and second["name"] == f"user-{second['id']}"
                  and second["email"] == "", f"{first} {second}")
            other.claims["groups"] = ["eng"]
            auth_id, b = waiting(d, "third"), Browser(d)
            b.confirm(auth_id, b.get(b.get(b.get(f"/register/{auth_id}?provider=corp")[2])[2])[1])
            check("a provider says groups", user_of(d, "alice")["providerGroups"] == ["eng@corp"], str(user_of(d, "alice")))
            reconfigure(d, settings(p, **more), settings(p))
            check("which end when it leaves the configuration", not user_of(d, "alice")["providerGroups"], str(user_of(d, "alice")))
            p.claims.update(sub="8", preferred_username="erin", email="erin@example.com")
            enter(d, p, "fourth", groups=["eng"])
            check("those of another provider are as they were", user_of(d, "erin")["providerGroups"] == ["eng@default"], str(user_of(d, "erin")))
            reconfigure(d, settings(p), "")
            check("and end when there is no provider at all", not user_of(d, "erin")["providerGroups"], str(user_of(d, "erin")))
            p.claims.pop("groups")
            p.claims.update(sub="7", preferred_username="alice", email="alice@example.com")


def provider_slow(p):
    with openid.Provider() as other:
        more = {"providers": [{"name": "corp", "issuer": other.issuer, "client_id": openid.CLIENT, "client_secret": openid.SECRET}]}
        with shared.Daemon(settings(p, **more)) as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            asked, answers = waiting(d, "asked"), []
            known = Browser(d)
            page = known.get(known.get(known.get(f"/register/{asked}?provider=default")[2])[2])[1]
            p.fault = "slow token"
            before, begun = len([s for s in p.seen if s[0] == "token"]), len([s for s in p.seen if s[0] == "auth"])

            def come(auth_id):
                b = Browser(d)
                answers.append(b.get(b.get(b.get(f"/register/{auth_id}?provider=default")[2])[2]))

            for auth_id in [waiting(d) for _ in range(8)]:
                threading.Thread(target=come, args=(auth_id,), daemon=True).start()
            check("of a provider that does not answer two are asked at a time", shared.wait_for(20, lambda: len([s for s in p.seen if s[0] == "token"]) >= before + 2)
                  and len([s for s in p.seen if s[0] == "token"]) == before + 2 and len([s for s in p.seen if s[0] == "auth"]) >= begun + 2)
            auth_id, b = waiting(d, "other"), Browser(d)
            b.confirm(auth_id, b.get(b.get(b.get(f"/register/{auth_id}?provider=corp")[2])[2])[1])
            known.confirm(asked, page)
            check("others log in meanwhile, and a yes is heard", {"other", "asked"} <= set(nodes(d)) and not answers, str(answers))
    p.fault = ""


def many_hang(p):
    """More providers that do not answer than there were ever threads for."""
    with openid.Provider() as hanging:
        names = [f"hang{i}" for i in range(20)]
        more = {"providers": [{"name": name, "issuer": f"{hanging.issuer}/{name}", "client_id": openid.CLIENT, "client_secret": openid.SECRET} for name in names]}
        hanging.fault = "slow openid-configuration"
        with shared.Daemon(settings(p, **more)) as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            auth_id, answers = waiting(d, "stuck"), []
            for name in names * 2:
                threading.Thread(target=lambda n: answers.append(Browser(d).get(f"/register/{auth_id}?provider={n}")), args=(name,), daemon=True).start()
            check("all of them are asked", shared.wait_for(20, lambda: len(set(hanging.paths)) >= len(names)), str(hanging.paths))
            mine, b = waiting(d, "free"), Browser(d)
            b.confirm(mine, b.get(b.get(b.get(f"/register/{mine}?provider=default")[2])[2])[1])
            check("and keep nobody from another one", "free" in nodes(d) and not answers, str(answers))


def ssh_check(p):
    """A check of Tailscale SSH, which a client would begin: a registration that waits is made one in the database."""
    with shared.Daemon(settings(p)) as d:
        d.call("POST", "/api/v1/user", {"name": "local"})
        enter(d, p, "desk")
        auth_id = waiting(d, "server")
        plain = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(Browser(d).get(f"/register/{auth_id}")[2]).query))
        check("a registration asks for no new login", "prompt" not in plain and "max_age" not in plain, str(plain))
        d.stop()
        with sqlite3.connect(os.path.join(d.dir, "db.sqlite")) as db:
            db.execute("UPDATE pending SET ssh=1, ssh_source_id=1, ssh_target_id=1, ssh_user='root' WHERE auth_id=?", (auth_id,))
        db.close()
        d.start()
        b = Browser(d)
        to_provider, back = b.begin(auth_id)
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(to_provider).query))
        check("an SSH session does", asked.get("prompt") == "login" and asked.get("max_age") == "0", to_provider)
        p.claims["auth_time"] = int(time.time()) - 3600
        status, page, _ = b.get(back)
        check("and takes no old one", status == 403, f"{status} {page}")
        p.claims["auth_time"] = int(time.time()) + 1
        b = Browser(d)
        status, page, _ = b.login(auth_id)
        check("but one of now", status == 200, f"{status} {page}")
        p.claims.pop("auth_time")


def unstored():
    """The database takes nothing while a provider gives a new refresh token for the old one, which is worth nothing then."""
    with openid.Provider() as p, shared.Daemon(settings(p, refresh_interval="10s")) as d:
        d.call("POST", "/api/v1/user", {"name": "local"})
        enter(d, p, "desk")
        kept = dict(p.claims)
        enter(d, p, "other", sub="8", preferred_username="bob", email="bob@example.com")
        p.claims.update(kept)
        before = identity(d)["lastRefresh"]
        held = sqlite3.connect(os.path.join(d.dir, "db.sqlite"), isolation_level=None, timeout=30)
        held.execute("BEGIN IMMEDIATE")
        seen = len([s for s in p.seen if s[0] == "token"])
        check("what was not stored is said", shared.wait_for(60, lambda: "was not stored" in d.log()), d.log()[-500:])
        check("and said again", shared.wait_for(60, lambda: d.log().count("was not stored") > 1), d.log()[-500:])
        check("meanwhile the provider is asked neither with the old token nor about others", len([s for s in p.seen if s[0] == "token"]) == seen + 1, str(p.seen))
        held.close()
        check("it is stored later", shared.wait_for(40, lambda: identity(d)["lastRefresh"] != before and not identity(d)["trouble"]), str(identity(d)))
        check("so the next refresh is by the new token", shared.wait_for(40, lambda: len([s for s in p.seen if s[0] == "token"]) >= seen + 4), str(identity(d)))
        check("and suspends nobody", not shared.wait_for(3, lambda: user_of(d, "alice")["suspendedAt"]) and identity(d)["refreshes"], str(identity(d)))


def identity(d):
    return d.call("GET", "/api/headway/identities")[1]["identities"][0]


def mistaken():
    """A provider that lists a way to say who asks, and does not take it."""
    with openid.Provider() as p:
        p.fault = "post only"
        with shared.Daemon(settings(p)) as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            check("a provider that is mistaken about how it is asked is asked the other way", enter(d, p, "desk")[0] == 200 and "desk" in nodes(d))
            before = len([s for s in p.seen if s[0] == "token"])
            enter(d, p, "again")
            check("from then on at once", len([s for s in p.seen if s[0] == "token"]) == before + 1, str(p.seen))


def provider_gone():
    with openid.Provider() as p, shared.Daemon(settings(p, refresh_interval="10s")) as d:
        d.call("POST", "/api/v1/user", {"name": "local"})
        enter(d, p, "desk")
        auth_id, b = waiting(d), Browser(d)
        _, back = b.begin(auth_id)
        p.server.shutdown()
        p.server.server_close()
        status, page, _ = b.get(back)
        check("a provider that is gone is said to be", status == 503 and "not reached" in page and "a secret" not in page, page)
        check("by health too", shared.wait_for(10, lambda: "not reached" in json.dumps(d.call("GET", "/api/headway/health")[1])))
        check("and by the user's refresh", shared.wait_for(60, lambda: d.call("GET", "/api/headway/identities")[1]["identities"][0]["trouble"]))
        check("the daemon goes on, and nobody is thrown out", d.alive() and not user_of(d, "alice")["suspendedAt"])


def provider_away(p):
    p.fault = "broken openid-configuration"
    with shared.Daemon(settings(p)) as d:
        d.call("POST", "/api/v1/user", {"name": "local"})
        auth_id, b = waiting(d), Browser(d)
        status, page, _ = b.get(f"/register/{auth_id}")
        check("without its provider the daemon runs, and says so", status == 503 and "status 500" in page, page)
        check("health says it", shared.wait_for(10, lambda: "log in" in json.dumps(d.call("GET", "/api/headway/health")[1])), str(d.call("GET", "/api/headway/health")[1]))
        before = len(p.seen)
        check("who comes next is told so without another question", b.get(f"/register/{auth_id}")[:2] == (status, page) and len(p.seen) == before, str(p.seen))
        p.fault = ""
        check("and once the provider is back people can log in", shared.wait_for(60, lambda: b.login(auth_id)[0] == 200))
    p.fault = "broken openid-configuration"
    with shared.Daemon(settings(p, groups_max_age="1s")) as d:
        before = len(p.seen)
        check("a provider that stays away is asked again and again", shared.wait_for(60, lambda: len(p.seen) >= before + 4 or not d.alive()) and d.alive(), d.log())
        p.fault = ""
        check("until it is back", shared.wait_for(60, lambda: "log in" not in json.dumps(d.call("GET", "/api/headway/health")[1])), str(d.call("GET", "/api/headway/health")[1]))
    for fault, words in (("broken openid-configuration", "status 500"), ("discovery", "calls itself"), ("only EdDSA", "EdDSA"), ("huge openid-configuration", "too long"),
                         ("elsewhere openid-configuration", "status 302")):
        p.fault = fault
        d = shared.Daemon(settings(p, only_start_if_oidc_is_available=True))
        done = subprocess.run([shared.HEADWAYD, "-c", d.config], capture_output=True, text=True, timeout=60, check=False)
        check(f"only_start_if_oidc_is_available and {fault}: no start", done.returncode == 1 and words in done.stderr, done.stderr)
        done = subprocess.run([shared.HEADWAYD, "-c", d.config, "configtest"], capture_output=True, text=True, timeout=60, check=False)
        check("configtest says the same", done.returncode == 1 and words in done.stderr and "oidc.issuer" in done.stderr, done.stderr)
        p.fault = ""
        done = subprocess.run([shared.HEADWAYD, "-c", d.config, "configtest"], capture_output=True, text=True, timeout=60, check=False)
        check("and, when it is well, what to register at the provider", done.returncode == 0 and "/oidc/callback" in done.stdout + done.stderr, done.stdout + done.stderr)
        shutil.rmtree(d.dir)


def main():
    with openid.Provider() as p:
        with shared.Daemon(settings(p)) as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            way_in(d, p)
            again(d, p)
            no_faults(d, p)
            faults(d, p)
            browsers(d)
            groups(d, p)
            suspension(d, p)
            links(d, p)
        hostile(p)
        refreshes(p)
        several(p)
        provider_slow(p)
        many_hang(p)
        ssh_check(p)
        lists(p)
    provider_gone()
    unstored()
    mistaken()
    for algorithm in "ES256", "ES384", "PS256":
        with openid.Provider(algorithm=algorithm) as p, shared.Daemon(settings(p)) as d:
            d.call("POST", "/api/v1/user", {"name": "local"})
            check(f"{algorithm} is taken", Browser(d).login(waiting(d))[0] == 200)
    with openid.Provider() as p:
        provider_away(p)
    shared.finish()


main()
