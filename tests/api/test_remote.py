#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""The command line against a daemon elsewhere, over HTTPS with a certificate of one's own, as headscale's users set it up."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway"))


def certificate(d):
    """A certificate for 127.0.0.1 and its key, which the configuration of the daemon names from now on."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", d.dir + "/tls.key",
                    "-out", d.dir + "/tls.pem"], check=True, capture_output=True)
    with open(d.config, "a", encoding="utf-8") as f:
        f.write(f"tls_cert_path: {d.dir}/tls.pem\ntls_key_path: {d.dir}/tls.key\n")
    with open(d.config, encoding="utf-8") as f:
        text = f.read().replace("server_url: http:", "server_url: https:")
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(text)


def run(words, **env):
    done = subprocess.run([HEADWAY] + words.split(), env={"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", **env},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


def remote(d):
    url = f"https://127.0.0.1:{d.port}"
    ca = {"SSL_CERT_FILE": d.dir + "/tls.pem"}
    key = {"HEADSCALE_CLI_API_KEY": d.call("POST", "/api/v1/apikey", {"expiration": "2099-01-01T00:00:00Z"})[1]["apiKey"]}
    status, _, err = run("users list", HEADSCALE_CLI_ADDRESS=url, **key)
    shared.check("an unknown authority is refused, with what to do", status == 1 and "SSL_CERT_FILE" in err and "--insecure" in err, err)
    status, out, err = run("users create alice", HEADSCALE_CLI_ADDRESS=url, **key, **ca)
    shared.check("SSL_CERT_FILE names it, as for headscale", (status, out) == (0, "User created\n"), err)
    status, out, err = run("users list -o json", HEADSCALE_CLI_ADDRESS=f"127.0.0.1:{d.port}", **key, **ca)
    shared.check("an address without https:// is one", status == 0 and json.loads(out)[0]["name"] == "alice", err)
    status, out, err = run(f"--address {url} --insecure health -o json-line", **key)
    shared.check("--insecure asks for none", status == 0 and json.loads(out)["databaseConnectivity"] is True, out + err)
    status, out, err = run("nodes list", HEADSCALE_CLI_ADDRESS=url, HEADSCALE_CLI_INSECURE="true", **key)
    shared.check("so does headscale's variable", status == 0 and out.startswith("ID | Hostname"), err)
    _, out, err = run("version -o json")
    version = json.loads(out)
    shared.check("the version has headscale's members", {"version", "commit", "buildTime", "go", "dirty"} <= set(version) and set(version["go"]) == {"version", "os", "arch"}, out)
    status, out, err = run("nodes list", HEADSCALE_CLI_ADDRESS=url, **ca)
    shared.check("without a key: which variable holds it", status == 1 and "CLI_API_KEY" in err, err)
    status, out, err = run(f"--address {url} --api-key hskey-api-none nodes list", **ca)
    shared.check("a wrong key is refused", status == 1 and "does not accept the API key" in err, err)


def main():
    if not shutil.which("openssl"):
        shared.skip_all("openssl is not installed")
    d = shared.Daemon()
    certificate(d)
    d.healthy = lambda timeout=2: os.path.exists(d.socket) and d.call("GET", "/health")[0] == 200
    with d:
        remote(d)
    shared.finish()


main()
