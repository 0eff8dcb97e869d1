#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""An OAuth client of headscale 0.30 gets its tokens from headway after the import, by the secret that it has."""
import ctypes
import ctypes.util
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

CLIENT, SECRET = "c0ffee012345", "5ec4e7" * 10 + "0123"


def argon2id(secret):
    """As headscale stores it."""
    name = ctypes.util.find_library("sodium")
    if not name:
        shared.skip_all("libsodium is not there")
    sodium, out = ctypes.CDLL(name), ctypes.create_string_buffer(128)
    made = sodium.sodium_init() >= 0 and sodium.crypto_pwhash_str_alg(
        out, secret.encode(), ctypes.c_ulonglong(len(secret)), ctypes.c_ulonglong(2), ctypes.c_size_t(19456 * 1024), 2)
    assert made == 0
    return out.value


def headscale(path):
    db = sqlite3.connect(path)
    db.executescript("""
CREATE TABLE migrations(id text PRIMARY KEY);
INSERT INTO migrations VALUES('202606201200-pre-auth-key-revoked');
CREATE TABLE users(id integer PRIMARY KEY AUTOINCREMENT, name text, created_at datetime, deleted_at datetime);
INSERT INTO users(id, name) VALUES(1, 'alice');
CREATE TABLE nodes(id integer PRIMARY KEY AUTOINCREMENT, machine_key text, node_key text, ipv4 text, tags text, approved_routes text);
CREATE TABLE oauth_clients(id integer PRIMARY KEY AUTOINCREMENT, client_id text, secret_hash blob, scopes text, tags text,
  description text, user_id integer, created_at datetime, revoked datetime);
""")
    db.execute("INSERT INTO oauth_clients(id, client_id, secret_hash, scopes, tags, description) VALUES(5, ?, ?, ?, ?, 'terraform')",
               (CLIENT, argon2id(SECRET), '["auth_keys"]', '["tag:ci"]'))
    db.commit()
    db.close()


def token(d, secret):
    c = d.public()
    c.request("POST", "/api/v2/oauth/token", urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": secret}),
              {"Content-Type": "application/x-www-form-urlencoded"})
    answer = c.getresponse()
    return answer.status, json.loads(answer.read() or b"{}")


def keys(d, bearer):
    c = http.client.HTTPConnection("127.0.0.1", d.port, timeout=10)
    c.request("GET", "/api/v2/tailnet/-/keys", headers={"Authorization": f"Bearer {bearer}"})
    answer = c.getresponse()
    return answer.status, answer.read().decode()


d = shared.Daemon()
old, key = os.path.join(d.dir, "hs.sqlite"), os.path.join(d.dir, "hs.key")
headscale(old)
with open(key, "w", encoding="ascii") as f:
    f.write("privkey:" + "7" * 64)
os.chmod(key, 0o600)
done = subprocess.run([shared.HEADWAYD, "import", "--database", old, "--noise-key", key, "--state", d.dir, "--to", os.path.join(d.dir, "none.yaml")],
                      capture_output=True, text=True, check=False)
shared.check("the client is taken", done.returncode == 0 and "1 OAuth client" in done.stdout, done.stdout + done.stderr)
shutil.copy(os.path.join(d.dir, "noise_private.key"), os.path.join(d.dir, "noise.key"))
with d:
    status, answer = token(d, f"hskey-client-{CLIENT}-{SECRET}")
    shared.check("its secret gets a token", status == 200 and answer.get("access_token"), answer)
    shared.check("by which its keys can be listed", keys(d, answer.get("access_token"))[0] == 200, keys(d, answer.get("access_token")))
    status, answer = token(d, f"hskey-client-{CLIENT}-{SECRET[:-1]}4")
    shared.check("another secret gets none", status == 401 and "access_token" not in answer, answer)
shared.finish()
