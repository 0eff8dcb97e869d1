#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An OpenID provider that errs on demand. In a test's own process: with Provider() as p. Alone, for scripts of the shell:
openid_provider.py PORT [ADDRESS], which is changed by POST /control {"claims": {...}, "fault": "..."}."""
import base64
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLIENT, SECRET = "headway", "a secret: with=signs&more"


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


class Key:
    """Signs by openssl, so that nothing beside it is needed."""

    def __init__(self, kid, kind="RS256", bits=2048):
        self.kid, self.kind = kid, kind
        self.file = tempfile.NamedTemporaryFile(suffix=".pem")
        how = {"RS256": ["RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}"], "PS256": ["RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}"],
               "ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ES384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]}[kind]
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", *how, "-out", self.file.name], check=True, stderr=subprocess.DEVNULL)
        self.public = subprocess.run(["openssl", "pkey", "-in", self.file.name, "-pubout"], check=True, capture_output=True).stdout

    def jwk(self):
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=self.public, check=True, capture_output=True).stdout
        if self.kind[0] in "RP":
            text = subprocess.run(["openssl", "rsa", "-pubin", "-modulus", "-noout"], input=self.public, check=True, capture_output=True).stdout
            return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": b64(bytes.fromhex(text.decode().strip().split("=")[1])), "e": "AQAB"}
        size = 32 if self.kind == "ES256" else 48
        return {"kty": "EC", "kid": self.kid, "use": "sig", "crv": "P-256" if size == 32 else "P-384",
                "x": b64(der[-2 * size:-size]), "y": b64(der[-size:])}

    def sign(self, data):
        digest = "-sha384" if self.kind == "ES384" else "-sha256"
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if self.kind == "PS256" else []
        raw = subprocess.run(["openssl", "dgst", digest, *pss, "-sign", self.file.name], input=data, check=True, capture_output=True).stdout
        if self.kind[0] != "E":
            return raw
        size, at, out = (32 if self.kind == "ES256" else 48), 2, b""
        if raw[1] & 0x80:
            at += raw[1] & 0x7f
        for _ in range(2):
            length = raw[at + 1]
            out += raw[at + 2:at + 2 + length].lstrip(b"\0").rjust(size, b"\0")
            at += 2 + length
        return out


def half_hash(algorithm, access_token):
    digest = (hashlib.sha384 if algorithm == "ES384" else hashlib.sha256)(access_token.encode()).digest()
    return b64(digest[:len(digest) // 2])


class Provider:
    def __init__(self, port=0, address="127.0.0.1", algorithm="RS256"):
        self.keys = [Key("first", algorithm)]
        self.claims = {"sub": "7", "preferred_username": "alice", "email": "alice@example.com", "email_verified": True, "name": "Alice A."}
        self.fault, self.userinfo, self.seen, self.codes, self.refresh = "", None, [], {}, {}
        self.paths = []  # of each question
        self.last_token, self.metadata, self.lifetime = None, {}, 300
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                outer.answer(self, b"")

            def do_POST(self):  # noqa: N802
                outer.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((address, port), Handler)
        self.server.handle_error = lambda *_: None  # of connections that were broken off
        self.server.daemon_threads = True
        self.issuer = f"http://{address}:{self.server.server_address[1]}/realm"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    # ---- tokens ----

    def token(self, nonce, access_token):
        now = time.time()
        claims = {"iss": self.issuer + ("/" if self.fault == "slash" else ""), "aud": CLIENT, "iat": int(now), "exp": int(now + self.lifetime), **self.claims,
                  "at_hash": half_hash(self.keys[-1].kind, access_token)}
        if nonce:
            claims["nonce"] = nonce
        wrong = {"issuer": {"iss": "https://evil.example.com"}, "audience": {"aud": ["other"]}, "party": {"aud": [CLIENT, "other"], "azp": "other"},
                 "expired": {"exp": int(now - 3600), "iat": int(now)}, "old": {"iat": int(now - 7200)}, "nonce": {"nonce": "another"},
                 "hash": {"at_hash": "wrong"}, "no subject": {"sub": ""}, "not yet": {"nbf": int(now + 3600)}, "exp text": {"exp": "never"},
                 "many groups": {"groups": [f"group-{i}" for i in range(250)]}, "left out": {"_claim_names": {"groups": "src1"}}}
        claims.update(wrong.get(self.fault, {}))
        key = self.keys[-1]
        header = {"alg": key.kind, "typ": "JWT", "kid": key.kid}
        if self.fault == "rolled":
            self.fault = ""
            self.keys.append(Key("rolled " + secrets.token_hex(4), key.kind))
            key = self.keys[-1]
            header["kid"] = key.kid
        elif self.fault == "unlisted":
            header["kid"] = "nobody's"
        elif self.fault == "no kid":
            del header["kid"]
        elif self.fault == "crit":
            header["crit"] = ["exp"]
        elif self.fault in ("none", "EdDSA", "HS256"):
            header["alg"] = self.fault
        data = f"{b64(header)}.{b64(claims)}"
        signature = key.sign(data.encode())
        if self.fault == "none":
            signature = b""
        elif self.fault == "HS256":
            signature = hmac.new(key.public, data.encode(), hashlib.sha256).digest()
        elif self.fault == "signature":
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        elif self.fault == "encrypted":
            return f"{b64({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.a.b.c.d"
        elif self.fault == "changed":
            data = f"{b64(header)}.{b64({**claims, 'sub': 'admin'})}"
        token = f"{data}.{b64(signature)}"
        if self.fault == "replay" and self.last_token:
            return self.last_token
        self.last_token = token
        return token

    # ---- HTTP ----

    def discovery(self):
        base = self.issuer + ("/" if self.fault == "slash" else "")
        return {"issuer": "https://evil.example.com" if self.fault == "discovery" else base, "authorization_endpoint": f"{self.issuer}/auth?x=1",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys", "userinfo_endpoint": f"{self.issuer}/userinfo",
                **({"token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]} if self.fault == "post only" else {}),
                "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": ["EdDSA"] if self.fault == "only EdDSA" else [self.keys[-1].kind], **self.metadata}

    def answer(self, request, body):
        path, _, query = request.path.partition("?")
        args = dict(urllib.parse.parse_qsl(query))
        form = dict(urllib.parse.parse_qsl(body.decode(errors="replace")))
        name = path.rsplit("/", 1)[-1]
        self.seen.append((name, args or form, dict(request.headers)))
        self.paths.append(path)
        if self.fault == f"slow {name}":
            time.sleep(30)
        if self.fault == f"huge {name}":
            return send(request, 200, b"[" + b"1," * 2_000_000 + b"1]")
        if self.fault == f"elsewhere {name}":
            return send(request, 302, b"", Location="http://127.0.0.1:1/")
        if self.fault == f"broken {name}":
            return send(request, 500, b"<html>no</html>")
        if name == "control":
            asked = json.loads(body)
            self.claims.update(asked.get("claims", {}))
            self.fault = asked.get("fault", self.fault)
            return send(request, 200, {})
        handler = {"openid-configuration": self.discovery, "keys": lambda: {"keys": [k.jwk() for k in self.keys]}}.get(name)
        if handler:
            return send(request, 200, handler())
        if name == "auth":
            return self.authorize(request, args)
        if name == "token":
            return self.give_tokens(request, form)
        if name == "userinfo":
            info = self.userinfo if self.userinfo is not None else {"sub": self.claims["sub"]}
            return send(request, 200, {**info, "sub": "somebody else"} if self.fault == "other userinfo" else info)
        return send(request, 404, {})

    def authorize(self, request, args):
        back = urllib.parse.urlsplit(args["redirect_uri"])
        answer = {"state": args["state"], "iss": "https://evil.example.com" if self.fault == "mixed up" else self.discovery()["issuer"]}
        if self.fault == "refuse":
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = args
        return send(request, 302, b"", Location=urllib.parse.urlunsplit(back._replace(query=urllib.parse.urlencode(answer))))

    def give_tokens(self, request, form):
        expected = "Basic " + base64.b64encode(f"{urllib.parse.quote(CLIENT, safe='')}:{urllib.parse.quote(SECRET, safe='')}".encode()).decode()
        if self.fault == "post only" and "client_id" not in form:
            return send(request, 400, {"error": "invalid_request"})
        if request.headers.get("Authorization") != expected and (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return send(request, 401, {"error": "invalid_client", "error_description": "secret " + SECRET})
        if form.get("grant_type") == "refresh_token":
            if self.fault == "gone" or form.get("refresh_token") not in self.refresh:
                return send(request, 400, {"error": "invalid_grant"})
            nonce = None
        else:
            asked = self.codes.pop(form.get("code"), None)
            verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if not asked or b64(verifier) != asked.get("code_challenge") or form.get("redirect_uri") != asked["redirect_uri"]:
                return send(request, 400, {"error": "invalid_grant"})
            nonce = asked["nonce"]
        access, refresh = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self.refresh.pop(form.get("refresh_token"), None)
        self.refresh[refresh] = True
        answer = {"access_token": access, "token_type": "Bearer", "id_token": self.token(nonce, access), "refresh_token": refresh}
        if self.fault == "no token":
            del answer["id_token"]
        return send(request, 200, answer)


def send(request, status, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)
    except OSError:
        pass


def main():
    provider = Provider(int(sys.argv[1]), *sys.argv[2:3])
    if os.environ.get("REFRESH"):
        provider.metadata["scopes_supported"] = ["offline_access"]
    provider.server.serve_forever()


if __name__ == "__main__":
    main()
