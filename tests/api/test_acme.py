#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
"""A certificate that is ordered by uacme from a real authority (pebble): both challenges, renewal beneath an open stream, an
authority that is away, failures that last over a restart, headscale's cache, a uacme that is missing or hangs."""
import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

HOST = "vpn.example.com"
# uacme of Debian trusts the system's authorities only: in a mount namespace those are the test's.
TRUSTING = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"']


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def new_key(path):
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", path)


class Authority:
    """pebble, and a name server for which every name is this machine. Its own certificate is of an authority in trust/."""

    def __init__(self, where):
        self.dir = where
        self.trust = os.path.join(where, "trust")
        os.mkdir(self.trust)
        self.port, self.management, self.dns = shared.free_port(), shared.free_port(), shared.free_port(socket.SOCK_DGRAM)
        self.url = f"https://localhost:{self.port}/dir"
        self.pebble = self.names = None
        root, key = os.path.join(self.trust, "root.pem"), os.path.join(where, "root.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", "/CN=test",
                "-keyout", key, "-out", root)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                "-keyout", os.path.join(where, "ca.key"), "-out", os.path.join(where, "ca.csr"))
        with open(os.path.join(where, "names"), "w", encoding="ascii") as f:
            f.write("subjectAltName=DNS:localhost\n")
        openssl("x509", "-req", "-in", os.path.join(where, "ca.csr"), "-CA", root, "-CAkey", key, "-days", "9",
                "-extfile", os.path.join(where, "names"), "-out", os.path.join(where, "ca.pem"))
        with open(os.path.join(where, "log"), "ab") as log:
            self.names = subprocess.Popen(
                ["pebble-challtestsrv", "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-http01", "", "-https01", "", "-tlsalpn01", "",
                 "-dns01", f"127.0.0.1:{self.dns}", "-management", f"127.0.0.1:{shared.free_port()}"], stdout=log, stderr=log)

    def start(self, http_port, tls_port, seconds):
        """It asks at these ports, and issues certificates for so long. It forgets all accounts."""
        config = os.path.join(self.dir, "pebble.json")
        with open(config, "w", encoding="ascii") as f:
            json.dump({"pebble": {
                "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
                "certificate": os.path.join(self.dir, "ca.pem"), "privateKey": os.path.join(self.dir, "ca.key"),
                "httpPort": http_port, "tlsPort": tls_port, "ocspResponderURL": "", "externalAccountBindingRequired": False,
                "certificateValidityPeriod": seconds}}, f)
        # uacme gives up at the third nonce that is refused, and is run again four times: of 15 % that is enough.
        env = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "15"}
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.pebble = subprocess.Popen(["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{self.dns}"], stdout=log, stderr=log, env=env)
        if not shared.wait_for(20, self.answers):
            shared.check("pebble starts", False)
            shared.finish()
        # Its chain begins with the intermediate one; what it is anchored in is another at each start.
        self.root = os.path.join(self.dir, "issued.pem")
        with open(self.root, "wb") as f:
            f.write(self.ask("/roots/0"))

    def ask(self, path):
        context = ssl.create_default_context(cafile=os.path.join(self.trust, "root.pem"))
        with urllib.request.urlopen(f"https://localhost:{self.management}{path}", context=context, timeout=5) as answer:
            return answer.read()

    def answers(self):
        try:
            return bool(self.ask("/roots/0"))
        except OSError:
            return False

    def end(self):
        for process in self.pebble, self.names:
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def stop(self):
        self.pebble.kill()
        self.pebble.wait()


class Server(shared.Daemon):
    """A daemon that orders a certificate."""

    def __init__(self, authority, challenge="HTTP-01", path=None):
        self.challenge_port = shared.free_port()
        super().__init__(metrics=shared.free_port(),
                         extra=f"tls_letsencrypt_hostname: {HOST}\ntls_letsencrypt_challenge_type: {challenge}\n"
                               f"tls_letsencrypt_listen: 127.0.0.1:{self.challenge_port}\nacme_url: {authority.url}\n"
                               "acme_email: admin@example.com\nlog: {level: debug}\n")
        self.cache = os.path.join(self.dir, "cache")
        os.mkdir(self.cache, 0o700)
        self.prefix = [*TRUSTING, authority.trust]
        self.env = {**os.environ, "HEADWAY_SERVER_URL": f"https://{HOST}:{self.port}", "HEADWAY_TLS_LETSENCRYPT_CACHE_DIR": self.cache,
                    **({"PATH": path} if path else {})}
        self.authority = authority
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    def served(self, trusted=None):
        """(end in seconds, serial number) of the certificate that a new connection gets; trusted: whose root vouches for it."""
        context = ssl.create_default_context(cafile=trusted) if trusted else self.tls
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s, context.wrap_socket(s, server_hostname=HOST) as t:
            der = t.getpeercert(binary_form=True)
        text = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-serial", "-enddate"], input=der, check=True,
                              capture_output=True).stdout.decode()
        fields = dict(line.split("=", 1) for line in text.splitlines())
        return ssl.cert_time_to_seconds(fields["notAfter"]), fields["serial"]

    def trusted(self):
        try:
            self.served(self.authority.root)
            return True
        except ssl.SSLError:
            return False

    def health(self):
        return self.call("GET", "/api/headway/health")[1]

    def reason(self, code):
        return next((r for r in self.health()["reasons"] if r["code"] == code), None)

    def orders(self):
        return self.log().count("is ordered from")

    def plain(self, method, target, host="evil.example"):
        """(status, Location, body) at the port of challenges."""
        c = http.client.HTTPConnection("127.0.0.1", self.challenge_port, timeout=10)
        c.putrequest(method, target, skip_host=True)
        c.putheader("Host", host)
        c.endheaders()
        answer = c.getresponse()
        return answer.status, answer.getheader("Location"), answer.read()

    def said(self):
        return "\n# ".join(line for line in self.log().splitlines() if " acme: " in line)[-4000:]

    def record(self):
        try:
            with open(os.path.join(self.cache, "+headway.json"), encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return {}

    def change_record(self, **what):
        with open(os.path.join(self.cache, "+headway.json"), "r+", encoding="utf-8") as f:
            record = {**json.load(f), **what}
            f.seek(0)
            f.truncate()
            json.dump(record, f)


class Stream:
    """Events as they come, over the public listener."""

    def __init__(self, server):
        _, key = server.call("POST", "/api/v1/apikey", {"expiration": "2030-01-01T00:00:00Z"})
        self.connection = server.public(timeout=30)
        self.connection.request("GET", "/api/headway/events?follow=1", headers={"Authorization": "Bearer " + key["apiKey"], "Accept": "text/event-stream"})
        self.answer = self.connection.getresponse()

    def hears(self, text):
        while True:
            line = self.answer.readline()
            if not line or text in line.decode():
                return bool(line)


def first_by_http(authority):
    """The authority is away at the first start, and the failure lasts; then it is there."""
    with Server(authority) as d:
        shared.check("without an authority the daemon serves, with a certificate of its own making", d.healthy() and not d.log().count("new certificate"))
        shared.check("a failed order is recorded", shared.wait_for(25, lambda: "localhost" in d.record().get("error", "")) and d.record()["failures"] == 1, d.said())
        reason = d.reason("certificate-not-issued")
        shared.check("and is an alarm of health, with what went wrong",
                     reason and reason["severity"] == "alarm" and "localhost" in reason["text"] and reason["objectName"] == HOST, reason)
        shared.check("metrics tell of it", "headway_acme_failures 1\n" in metrics(d) and "headway_certificate_expiry_timestamp_seconds 0\n" in metrics(d))
        orders = d.orders()
        d.stop()
        d.start()
        shared.check("a restart does not cut the wait short",
                     d.reason("certificate-not-issued") is not None and d.orders() == orders and d.record()["failures"] == 1)
        d.stop()
        authority.start(d.challenge_port, shared.free_port(), 10)
        d.change_record(last="2020-01-01T00:00:00Z")
        d.start()
        shared.check("after it a certificate comes by HTTP-01", shared.wait_for(25, d.trusted), d.said())
        shared.check("the failures are forgotten", shared.wait_for(20, lambda: d.record().get("failures") == 0), d.record())
        stream = Stream(d)
        serial = d.served()[1]
        shown = d.health()["certificate"]
        shared.check("health shows when it ends and is renewed",
                     shown["name"] == HOST and shown["automatic"] and shown["ends"] > shown["renews"] and shown["trouble"] is None, shown)
        port_of_challenges(d)
        shared.check("it is renewed", shared.wait_for(25, lambda: d.trusted() and d.served()[1] != serial), d.said())
        d.call("POST", "/api/v1/user", {"name": "later"})
        shared.check("a stream that was open lives on", stream.hears("later"))
        shared.check("files are the owner's alone", all(os.stat(os.path.join(d.cache, name)).st_mode & 0o77 == 0 for name in (HOST, "+uacme/private/key.pem")))
        shared.check("uacme keeps no pile of old certificates", len(os.listdir(os.path.join(d.cache, "+uacme", HOST))) == 1)
        shared.check("metrics count the orders", 'headway_acme_orders_total{result="issued"} 2\n' in metrics(d), metrics(d))
        away_at_renewal(authority, d)


def metrics(d):
    c = http.client.HTTPConnection("127.0.0.1", d.metrics, timeout=10)
    c.request("GET", "/metrics")
    return c.getresponse().read().decode()


def port_of_challenges(d):
    shared.check("a token that is none is not found", d.plain("GET", "/.well-known/acme-challenge/abc")[0] == 404)
    status, where, _ = d.plain("GET", "/admin?x=1")
    shared.check("everything else goes to server_url, whatever host was asked for", (status, where) == (302, f"https://{HOST}:{d.port}/admin?x=1"), where)
    shared.check("nothing but GET and HEAD", d.plain("POST", "/ts2021")[0] == 405)


def away_at_renewal(authority, d):
    serial = d.served()[1]
    authority.stop()
    shared.check("an authority that is away at the renewal is a warning",
                 shared.wait_for(25, lambda: "was not renewed" in (d.reason("certificate-not-issued") or {"text": ""})["text"]), d.said())
    shared.check("and the old certificate serves", d.served()[1] == serial)


def first_by_tls(authority):
    with Server(authority, "TLS-ALPN-01") as d:
        shared.check("without an order under way nobody is answered as an authority", asks_as_authority(d) is None)
        d.stop()
        authority.start(shared.free_port(), d.port, 3600)
        if d.record():
            d.change_record(failures=0)
        d.start()
        shared.check("a certificate comes by TLS-ALPN-01", shared.wait_for(25, d.trusted), d.said())
        with contextlib.closing(socket.socket()) as s:
            shared.check("no port is opened for HTTP-01", s.connect_ex(("127.0.0.1", d.challenge_port)) != 0)
        orders = d.orders()
        d.stop(kill=True)
        d.start()
        shared.check("after kill -9 it is there at once, and none is ordered", d.trusted() and d.orders() == orders)
        shared.check("nothing of an order is left", asks_as_authority(d) is None)
        d.stop()
        d.env["HEADWAY_ACME_URL"] = authority.url + "?other"
        d.start()
        shared.check("another authority's certificate is ordered at once", shared.wait_for(25, lambda: d.orders() > orders), d.said())


def asks_as_authority(d):
    """The protocol that a handshake of TLS-ALPN-01 ends with."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["acme-tls/1"])
    with socket.create_connection(("127.0.0.1", d.port), timeout=10) as s, context.wrap_socket(s, server_hostname=HOST) as t:
        return t.selected_alpn_protocol()


def from_headscale(authority):
    """The cache of Go's autocert: a certificate that is good serves, one that ends is renewed by the same account."""
    with Server(authority) as d:
        d.stop()
        shutil.rmtree(d.cache)
        os.mkdir(d.cache, 0o700)
        account, key, cert = (os.path.join(d.cache, name) for name in ("acme_account+key", "key", "cert"))
        new_key(account)

        def put(days):
            new_key(key)
            names, request = os.path.join(d.cache, "names"), os.path.join(d.cache, "request")
            with open(names, "w", encoding="ascii") as f:
                f.write(f"subjectAltName=DNS:{HOST}\n")
            openssl("req", "-new", "-key", key, "-subj", f"/CN={HOST}", "-out", request)
            openssl("x509", "-req", "-in", request, "-signkey", key, "-days", str(days), "-extfile", names, "-out", cert)
            with open(os.path.join(d.cache, HOST), "wb") as out:
                for name in key, cert:
                    with open(name, "rb") as f:
                        out.write(f.read())
            return subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-serial"], check=True, capture_output=True, text=True).stdout.strip()

        serial, orders = put(60), d.orders()
        d.start()
        shared.check("headscale's certificate serves, and none is ordered", f"serial={d.served()[1]}" == serial and d.orders() == orders)
        d.stop()
        put(-1)
        authority.start(d.challenge_port, shared.free_port(), 3600)
        d.start()
        shared.check("one that ended is renewed", shared.wait_for(25, d.trusted), d.said())
        public = [subprocess.run(["openssl", "pkey", "-in", path, "-pubout"], check=True, capture_output=True).stdout
                  for path in (account, os.path.join(d.cache, "+uacme/private/key.pem"))]
        shared.check("with headscale's account", public[0] == public[1])


def that_hangs(authority):
    """A uacme that does not end, and whose order is cut off: it is ended with the daemon, and a fall counts as a failure."""
    with tempfile.TemporaryDirectory() as tools:
        path, pids = os.path.join(tools, "uacme"), os.path.join(tools, "pids")
        with open(path, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\necho $$ >>{pids}\nls /proc/self/fd >{tools}/files\nexec sleep 600\n")
        os.chmod(path, 0o755)

        def hanging():
            with contextlib.suppress(OSError), open(pids, encoding="ascii") as f:
                return [int(pid) for pid in f.read().split()]
            return []

        with Server(authority, path=tools + ":" + os.environ["PATH"]) as d:
            shared.check("uacme runs", shared.wait_for(20, hanging), d.said())
            with open(os.path.join(tools, "files"), encoding="ascii") as f:
                # The last one is the folder that ls reads.
                shared.check("with no files but its own", f.read().split() == ["0", "1", "2", "3", "4", "5"])
            d.stop()
            shared.check("it ends with the daemon", not os.path.exists(f"/proc/{hanging()[0]}"))
            shared.check("a daemon that is stopped has failed in nothing", d.record()["failures"] == 0, d.record())
            d.start()
            shared.check("and orders at the next start", shared.wait_for(20, lambda: len(hanging()) == 2), d.said())
            d.stop(kill=True)
            os.kill(hanging()[1], 9)
            orders = d.orders()
            d.start()
            reason = d.reason("certificate-not-issued")
            shared.check("one that falls waits before the next order", reason and "interrupted" in reason["text"] and d.orders() == orders, reason)


def without_uacme(authority):
    with tempfile.TemporaryDirectory() as tools:
        for name in "sh", "mount", "unshare":
            os.symlink(shutil.which(name), os.path.join(tools, name))
        with Server(authority, path=tools) as d:
            shared.check("without uacme the daemon serves all the same", d.healthy())
            shared.check("and says what is missing", shared.wait_for(20, lambda: "package uacme" in (d.reason("certificate-not-issued") or {"text": ""})["text"]), d.health())


def main():
    for name in "pebble", "pebble-challtestsrv", "uacme", "openssl", "unshare":
        if not shutil.which(name):
            shared.skip_all(f"{name} is not installed")
    if subprocess.run([*TRUSTING, "/tmp", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        shared.skip_all("no mount namespace can be made here")
    with tempfile.TemporaryDirectory() as where:
        authority = Authority(where)
        try:
            for scene in without_uacme, that_hangs, first_by_http, first_by_tls, from_headscale:
                scene(authority)
                if authority.pebble and authority.pebble.poll() is None:
                    authority.stop()
        finally:
            authority.end()
    shared.finish()


main()
