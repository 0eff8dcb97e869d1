#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""Behind real proxies on loopback, as headway-proxy(7) configures them and as other configurations have it: clients in
browsers register through them by WebSocket, and who asks is known by whichever header the proxy sets."""
import http.client
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../shared"))
import daemon  # noqa: E402
from daemon import Daemon, check, finish, free_port, wait_for  # noqa: E402

RUN_CLIENTS = os.path.join(os.path.dirname(daemon.HEADWAYD), "tests/durability/run_clients")


def page(proxy):
    """Its configuration in the manual."""
    with open(os.path.join(daemon.ROOT, "man/headway-proxy.7"), encoding="utf-8") as f:
        text = f.read()
    part = re.search(rf'^\.\\" {proxy}: begin$(.*?)^\.\\" {proxy}: end$', text, re.S | re.M).group(1)
    return "".join(line + "\n" for line in part.splitlines() if not line.startswith("."))


def without(text, *headers):
    for header in headers:
        text = re.sub(rf"^.*{header}.*\n", "", text, flags=re.M)
    return text


def nginx(d, port, change=lambda text: text):
    text = change(page("nginx")).replace("127.0.0.1:8080", f"127.0.0.1:{d.port}")
    server = text[text.index("  listen 443"):]
    text = text[:text.index("server {\n  listen 80")] + "server {\n" + re.sub(r"^  (listen|ssl_\w+) .*\n", "", server, flags=re.M)
    text = text.replace("server {\n  server_name", f"server {{\n  listen 127.0.0.1:{port};\n  server_name")
    paths = "".join(f"{name}_temp_path {d.dir}/nginx-{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.geteuid() == 0 else ""
    path = os.path.join(d.dir, "nginx.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{user}daemon off;\npid {d.dir}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{text}}}\n")
    return ["nginx", "-e", os.path.join(d.dir, "nginx.log"), "-p", d.dir, "-c", path]


def haproxy(d, port):
    path = os.path.join(d.dir, "haproxy.cfg")
    with open(path, "w", encoding="utf-8") as f:
        f.write(re.sub(r"bind :443.*", f"bind 127.0.0.1:{port}", page("haproxy")).replace("127.0.0.1:8080", f"127.0.0.1:{d.port}"))
    return ["haproxy", "-db", "-f", path]


def caddy(d, port):
    path = os.path.join(d.dir, "Caddyfile")
    with open(path, "w", encoding="utf-8") as f:
        f.write("{\nadmin off\n}\n" + page("caddy").replace("hw.example.com {", f"http://:{port} {{").replace("127.0.0.1:8080", f"127.0.0.1:{d.port}"))
    return ["env", f"XDG_DATA_HOME={d.dir}", f"XDG_CONFIG_HOME={d.dir}", "caddy", "run", "--adapter", "caddyfile", "--config", path]


def keep_alive(text):
    """Many say so for whatever upgrades."""
    return text.replace("default upgrade;", "default keep-alive;").replace('""      "";', '""      close;')


def headscale_manual(text):
    """What headscale's manual has."""
    return text.replace("default upgrade;", "default keep-alive;\n  'websocket' upgrade;").replace('""      "";', "''      close;")


CASES = (
    ("nginx", "nginx", nginx),
    ("HAProxy", "haproxy", haproxy),
    ("Caddy", "caddy", caddy),
    ("nginx as in headscale's manual", "nginx", lambda d, port: nginx(d, port, headscale_manual)),
    ("nginx that says keep-alive", "nginx", lambda d, port: nginx(d, port, keep_alive)),
    ("nginx with X-Real-IP alone", "nginx", lambda d, port: nginx(d, port, lambda t: without(t, "X-Forwarded-For", "True-Client-IP"))),
    ("nginx with True-Client-IP alone", "nginx", lambda d, port: nginx(d, port, lambda t: without(t, "X-Forwarded-For", "X-Real-IP"))),
)


def answers(port):
    try:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        c.request("GET", "/health")
        return c.getresponse().status == 200
    except OSError:
        return False


def from_address(port, source):
    """A wrong key, which the log answers with the address of who came with it."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=5, source_address=(source, 0))
    c.request("GET", "/api/v1/node", headers={"Authorization": f"Bearer hskey-api-{source}"})
    return c.getresponse().status


def register(port, name, key):
    """What a client hears that registers by WebSocket."""
    with subprocess.Popen([RUN_CLIENTS, f"127.0.0.1:{port}", "--websocket"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        client.stdin.write(f"{name} key {key}\n")
        client.stdin.flush()
        said = client.stdout.readline().strip()
        client.stdin.close()
        return said


def through(d, name, command):
    port = free_port()
    process = subprocess.Popen(command(d, port), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not check(f"{name} starts", wait_for(20, lambda: answers(port))):
            return
        _, user = d.call("POST", "/api/v1/user", {"name": "alice"})
        _, made = d.call("POST", "/api/v1/preauthkey", {"user": user["user"]["id"], "expiration": "2100-01-01T00:00:00Z"})
        said = register(port, "browser", made["preAuthKey"]["key"])
        check(f"{name}: a client registers by WebSocket", said == "browser done", said)
        check(f"{name}: a wrong key is refused", from_address(port, "127.0.0.9") == 401)
        check(f"{name}: its address is known", wait_for(5, lambda: "127.0.0.9 came with an API key" in d.log()), d.log()[-400:])
        check(f"{name}: nothing was closed for abuse", "closed for abuse" not in d.log())
    finally:
        process.terminate()
        process.wait(20)


def main():
    if not os.access(RUN_CLIENTS, os.X_OK):
        daemon.skip_all("run_clients is not built")
    for name, program, command in CASES:
        if shutil.which(program):
            with Daemon("trusted_proxies: [127.0.0.1/32]\n") as d:
                through(d, name, command)
        else:
            print(f"ok - {name} # SKIP {program} is not there")
    finish()


if __name__ == "__main__":
    main()
