# SPDX-License-Identifier: BSD-3-Clause
"""Shared by tests in Python: cases as TAP, and a daemon of one's own on loopback with free ports."""
import http.client
import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADWAYD = os.environ.get("HEADWAYD", os.path.join(ROOT, "build/release/headwayd"))
SOAK = os.environ.get("SOAK") == "1"
SANITIZED = os.environ.get("VARIANT_RUN", "release") in ("asan", "tsan")

_count = 0
_failed = 0


def check(name, good, detail=""):
    global _count, _failed
    _count += 1
    if not good:
        _failed += 1
    print(f"{'ok' if good else 'not ok'} {_count} - {name}", flush=True)
    if not good and detail:
        print(f"# {detail}", flush=True)
    return good


def skip_all(reason):
    print(reason)
    sys.exit(77)


def finish():
    print(f"1..{_count}")
    sys.exit(1 if _failed else 0)


def wait_for(seconds, true):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


GIVEN = set()  # ports: a daemon with several needs different ones, and none of them is bound yet


def free_port(kind=socket.SOCK_STREAM):
    """Below the ports that the kernel gives to connections: one of those could be taken before the daemon binds it."""
    while True:
        port = random.randint(10000, 32000)
        if port in GIVEN:
            continue
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
                GIVEN.add(port)
                return port
            except OSError:
                pass


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("headway", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """headwayd in a directory of its own. Use it in a with statement; extra is appended to its configuration, derp to
    its derp.server; listen is the address of its listener ("": all of both families), files how many it may open; tls: it
    has a certificate of its own; metrics: the port of its metrics listener. prefix is what it is started by, env its
    environment."""
    prefix, env = [], None

    def __init__(self, extra="", derp="", listen="127.0.0.1", files=None, tls=False, metrics=None):
        if not os.access(HEADWAYD, os.X_OK):
            skip_all("headwayd is not built")
        self.dir = tempfile.mkdtemp(prefix="hw")
        self.port = free_port()
        self.socket = os.path.join(self.dir, "headway.sock")
        self.log_path = os.path.join(self.dir, "log")
        self.config = os.path.join(self.dir, "config.yaml")
        self.process = None
        self.files = files
        self.metrics = metrics
        self.tls = None
        if tls:
            extra += self.make_certificate()
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(
                f"server_url: http{'s' if tls else ''}://127.0.0.1:{self.port}\n"
                f'listen_addr: "{listen}:{self.port}"\n'
                f'metrics_listen_addr: "{f"127.0.0.1:{metrics}" if metrics else ""}"\n'
                f"unix_socket: {self.socket}\n"
                f"noise:\n  private_key_path: {self.dir}/noise.key\n"
                f"database:\n  type: sqlite\n  sqlite:\n    path: {self.dir}/db.sqlite\n"
                "prefixes:\n  v4: 100.64.0.0/10\n  v6: fd7a:115c:a1e0::/48\n"
                f"derp:\n  server:\n    stun_listen_addr: 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\n"
                f"    listen_addr: 127.0.0.1:{free_port()}\n    private_key_path: {self.dir}/derp.key\n{derp}  urls: []\n"
                "dns:\n  base_domain: tail.example.com\n  override_local_dns: false\n" + extra
            )

    def make_certificate(self):
        cert, key = os.path.join(self.dir, "cert.pem"), os.path.join(self.dir, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout", key],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(key, 0o600)
        self.tls = ssl.create_default_context(cafile=cert)
        return f"tls_cert_path: {cert}\ntls_key_path: {key}\n"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if os.environ.get("KEEP"):
            print(f"# kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        limit = ["prlimit", f"--nofile={self.files}:{self.files}"] if self.files else []
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.prefix, *limit, HEADWAYD, "-c", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.env)
        if not wait_for(20, lambda: self.process.poll() is not None or self.healthy()) or self.process.poll() is not None:
            print("# " + self.log()[-2000:].replace("\n", "\n# "))
            check("the daemon starts", False)
            self.stop()
            finish()

    def stop(self, kill=False):
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def alive(self):
        return self.process.poll() is None

    def healthy(self, timeout=2):
        try:
            c = self.public(timeout)
            c.request("GET", "/health")
            return c.getresponse().status == 200
        except OSError:
            return False

    def connect(self, timeout=10):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        return self.tls.wrap_socket(s, server_hostname="127.0.0.1") if self.tls else s

    def public(self, timeout=10):
        """A connection for requests to the public listener."""
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method, path, body=None, socket_path=True):
        """The API: (status, object)."""
        c = UnixConnection(self.socket) if socket_path else self.public()
        data = None if body is None else body if isinstance(body, (bytes, str)) else json.dumps(body)
        c.request(method, path, data, {"Content-Type": "application/json"} if data is not None else {})
        answer = c.getresponse()
        text = answer.read()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def rss(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def processor(self):
        """Seconds of processor time so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
