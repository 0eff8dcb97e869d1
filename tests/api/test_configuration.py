#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""What 'configtest' says to a configuration that was written for headscale, and that the start says the same."""
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

HEADWAY = os.environ.get("HEADWAY", os.path.join(shared.ROOT, "build/release/headway"))
RELAY, STUN = shared.free_port(), shared.free_port(socket.SOCK_DGRAM)
GOOD = (f"server_url: http://127.0.0.1:8080\nlisten_addr: 127.0.0.1:{shared.free_port()}\n"
        "dns: {base_domain: tail.example.com, override_local_dns: false}\n")
PORTS = f"derp: {{server: {{listen_addr: '127.0.0.1:{RELAY}', stun_listen_addr: '127.0.0.1:{STUN}'}}}}\n"


def test(where, program, text, **env):
    path = os.path.join(where, "config.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    done = subprocess.run([program, "-c", path, "configtest"], env={"PATH": os.environ["PATH"], "HOME": where, "STATE_DIRECTORY": where, **env},
                          capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


def run(program, path, *words):
    env = {"PATH": os.environ["PATH"], "HOME": os.path.dirname(path)}
    done = subprocess.run([program, "-c", path, *words], env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def problems(said):
    return [line.split(": ", 1)[1] for line in said.splitlines() if line.startswith("headwayd: ")]


def same_words(name, d, *wanted):
    """configtest refuses with exactly these words, one a line, and the start logs each of them."""
    for program in HEADWAY, shared.HEADWAYD:
        status, said = run(program, d.config, "configtest")
        shared.check(f"{name}: {os.path.basename(program)} configtest names it",
                     status == 1 and len(problems(said)) == len(wanted)
                     and all(w in p for p, w in zip(problems(said), wanted)), said)
    status, log = run(shared.HEADWAYD, d.config)
    shared.check(f"{name}: the start says the same", status == 1 and all(p in log for p in problems(said)), log)


def trouble(where):
    """What a start would stumble over."""
    d = shared.Daemon()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", d.port))
        taken.listen()
        same_words("a port that somebody else has", d, f"listen_addr: cannot listen on TCP port {d.port}")
    write(os.path.join(d.dir, "noise.key"), "privkey:" + "11" * 32 + "\n", 0o644)
    os.chmod(d.dir, 0o755)
    same_words("a key that others can read", d, f"{d.dir}/noise.key can be read by others")
    os.unlink(os.path.join(d.dir, "noise.key"))
    db = sqlite3.connect(os.path.join(d.dir, "db.sqlite"))
    for table in ("migrations", "users", "nodes"):
        db.execute(f"CREATE TABLE {table} (id text)")
    db.commit()
    db.close()
    same_words("headscale's database", d, f"'headwayd import --config {d.config}' takes it over")
    os.unlink(os.path.join(d.dir, "db.sqlite"))
    foreign = '{"acls": [{"action": "accept", "src": ["user:*@other.example"], "dst": ["*:*"]}]}'
    with open(d.config, encoding="utf-8") as f:
        before = f.read()
    for name, text, wanted in (("a policy that this tailnet cannot use", foreign, "other.example is not associated"),
                               ("a policy with a zero byte", '{"acls": []}\0', "holds a zero byte")):
        write(os.path.join(d.dir, "policy"), text)
        write(d.config, before + f"policy: {{mode: file, path: {d.dir}/policy}}\n")
        same_words(name, d, f"policy.path: {d.dir}/policy")
        shared.check(f"{name}: why", wanted in run(shared.HEADWAYD, d.config, "configtest")[1])
    stored_policy(d, before, foreign)
    damaged(d, before)
    collisions(d, before)
    own_daemon(d, before)
    certificates(d, before)
    write(d.config, before)
    write(os.path.join(d.dir, "policy"), "{ nonsense")
    with open(d.config, "a", encoding="utf-8") as f:
        f.write(f"policy: {{path: {d.dir}/policy}}\ntls_cert_path: {d.dir}/none.pem\ntls_key_path: {d.dir}/none.key\n")
    same_words("several at once", d, f"tls_cert_path: cannot read {d.dir}/none.pem", f"tls_key_path: cannot read {d.dir}/none.key",
               f"policy.path: {d.dir}/policy: ")
    d.process = subprocess.Popen(["true"])
    d.process.wait()
    d.__exit__()


def shielded_keys():
    """A key that its own mode lets others read is taken where its folder keeps them out, and where nothing can be written;
    a warning says so."""
    d = shared.Daemon()
    key = os.path.join(d.dir, "noise.key")
    write(key, "privkey:" + "11" * 32 + "\n", 0o444)
    note = f"noise.private_key_path: {key} can be read by others by its own mode"
    for what, folder, mode, good in ("a folder for all", 0o755, 0o444, False), ("a folder of one", 0o700, 0o444, True), \
            ("a group that could write", 0o700, 0o464, False):
        os.chmod(d.dir, folder)
        os.chmod(key, mode)
        status, said = run(shared.HEADWAYD, d.config, "configtest")
        shared.check(f"{what}: configtest", (status == 0 and note in said) if good else (status == 1 and f"{key} can be read by others (mode" in said), said)
    os.chmod(key, 0o444)
    d.start()
    shared.check("the start takes it too, and warns", note in d.log() and d.healthy(), d.log()[-400:])
    d.stop()
    secret(d, key)
    d.__exit__()


def secret(d, key):
    """As Kubernetes mounts it: a folder that all can read, on a file system in memory that cannot be written, with symbolic
    links to the files."""
    where = os.path.join(d.dir, "secret")
    os.mkdir(where)
    os.chmod(d.dir, 0o755)
    with open(d.config, encoding="utf-8") as f:
        text = f.read()
    write(d.config, text.replace(key, f"{where}/noise.key"))
    script = ('mount -t tmpfs -o mode=755 tmpfs "$1" && mkdir -m 755 "$1/..data_1" && install -m 444 "$2" "$1/..data_1/noise.key" && '
              'ln -s ..data_1 "$1/..data" && ln -s ..data/noise.key "$1/noise.key" && ')
    inside = ["unshare", "-m", "sh", "-c", script + '{ [ -z "$5" ] || mount -o "remount,$5" "$1"; } && exec "$3" -c "$4" configtest', "sh", where, key, shared.HEADWAYD, d.config]
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        print("ok - a secret of Kubernetes # SKIP mounts need root")
        return
    for options, good in ("ro", True), ("", False):
        done = subprocess.run([*inside, options], env={"PATH": os.environ["PATH"], "HOME": d.dir}, capture_output=True, text=True, timeout=60, check=False)
        said = done.stdout + done.stderr
        shared.check(f"a secret of Kubernetes, mounted {options or 'rw'}", (done.returncode == 0 and "can be read by others by its own mode" in said) if good
                     else (done.returncode == 1 and "can be read by others (mode 444)" in said), said)


def certificates(d, before):
    """Which of the two files is wrong, in words without OpenSSL's numbers."""
    d.make_certificate()
    cert, key, other = (os.path.join(d.dir, name) for name in ("cert.pem", "key.pem", "other.pem"))
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", other], check=True)
    for name, one, two, wanted in (
            ("the key of another certificate", cert, other, f"tls_key_path: {other} is not the private key of the certificate in {cert}"),
            ("the two the wrong way round", key, cert, f"tls_cert_path: {key}: no certificate in PEM form can be read from it"),
            ("a certificate for a key", cert, cert, f"tls_key_path: {cert}: no private key in PEM form can be read from it")):
        write(d.config, before + f"tls_cert_path: {one}\ntls_key_path: {two}\n")
        same_words(name, d, wanted)
        shared.check(f"{name}: in plain words", "routines" not in run(shared.HEADWAYD, d.config, "configtest")[1])


def stored_policy(d, before, bad):
    """With a policy in the database a bad file is a note, to both; an empty one is none to go on with."""
    write(os.path.join(d.dir, "policy"), '{"acls": []}')
    write(d.config, before + f"policy: {{mode: file, path: {d.dir}/policy}}\n")
    d.start()
    d.stop()
    write(os.path.join(d.dir, "policy"), bad)
    status, said = run(shared.HEADWAYD, d.config, "configtest")
    note = next((line.split(": ", 1)[1] for line in said.splitlines() if "policy.path" in line), None)
    shared.check("a bad file beside a stored policy is a note", status == 0 and note and "other.example" in note, said)
    d.start()
    shared.check("and the start says the same and goes on", note and note in d.log() and d.healthy(), d.log()[-400:])
    d.stop()
    db = sqlite3.connect(os.path.join(d.dir, "db.sqlite"))
    db.execute("UPDATE policy SET text=''")
    db.commit()
    db.close()
    same_words("a bad file beside an empty policy", d, f"policy.path: {d.dir}/policy")


def damaged(d, before):
    write(d.config, before)
    path = os.path.join(d.dir, "db.sqlite")
    with open(path, "r+b") as f:
        f.seek(4096)
        f.write(b"\xff" * 8192)
    same_words("a damaged database", d, "the database is damaged")
    for name in "db.sqlite", "db.sqlite-wal", "db.sqlite-shm":
        if os.path.exists(os.path.join(d.dir, name)):
            os.unlink(os.path.join(d.dir, name))


def collisions(d, before):
    """What has a place of its own may not be given that of another."""
    listen = f"listen_addr: \"127.0.0.1:{d.port}\""
    assert listen in before
    for what, old, new, wanted in (
            ("one port twice", 'metrics_listen_addr: ""', f"metrics_listen_addr: 0.0.0.0:{d.port}", "metrics_listen_addr must differ from listen_addr"),
            ("the relay's port is the listener's", "    listen_addr: 127.0.0.1:", f"    listen_addr: 0.0.0.0:{d.port} #", "derp.server.listen_addr must differ from listen_addr"),
            ("the socket is the database", f"unix_socket: {d.socket}", f"unix_socket: {d.dir}/db.sqlite", "unix_socket must differ from database.sqlite.path"),
            ("a key is the database", f"{d.dir}/derp.key", f"{d.dir}/db.sqlite", "database.sqlite.path must differ from derp.server.private_key_path")):
        assert old in before, old
        write(d.config, before.replace(old, new, 1))
        for program in HEADWAY, shared.HEADWAYD:
            status, said = run(program, d.config, "configtest")
            shared.check(f"{what}: {os.path.basename(program)} configtest names it", status == 1 and wanted in said, said)
        status, log = run(shared.HEADWAYD, d.config)
        shared.check(f"{what}: the start refuses it", status == 1 and wanted in log, log)


def odd_values():
    """One value at a time: what the start refuses configtest refuses, with key and line; what it leaves out both note."""
    refused = {
        "unix_socket": [("/dev/null", "unix_socket: /dev/null exists and is no socket"), ("/", "unix_socket: / names a directory")],
        "noise.private_key_path": [('""', "noise.private_key_path must name a file"), ("/tmp", "noise.private_key_path: cannot read /tmp: it is a directory"),
                                   ("a/", "/a/ names a directory, a file is needed")],
        "derp.server.private_key_path": [('""', "derp.server.private_key_path must name a file"), ("/tmp", "derp.server.private_key_path: ")],
        "database.sqlite.path": [('""', "database.sqlite.path must name a file"), ("/dev/null", "/dev/null: this is no regular file"),
                                 ("/tmp", "database.sqlite.path: /tmp: this is no regular file")],
        "policy.path": [("none.hujson", "none.hujson: No such file or directory"), ("/tmp", "policy.path: cannot read /tmp: it is a directory")],
        "server_url": [("'http://[::1'", "server_url: 'http://[::1' is not a URL"), ("http://a:99999", "is not a URL"), ("http://me@a", "is not a URL"),
                       ('"\\e[31mx"', "server_url must start with https:// or http:// and name a host, not '\\x1b[31mx'")],
        "tls_cert_path": [("x.pem", "tls_cert_path and tls_key_path must be set together")],
        "log.level": [("'\x1b'", "control characters are not allowed")],
    }
    noted = {
        "derp.urls": [("[ftp://x, 'https://']", "derp.urls[0]: 'ftp://x' is not an http or https URL: it is left out")],
        "derp.paths": [("/tmp", "derp.paths: cannot read /tmp: it is a directory"), ("/dev/null", "derp.paths: /dev/null: there are no Regions")],
        "dns.extra_records_path": [("/tmp", "dns.extra_records_path: cannot read /tmp: it is a directory"),
                                   ("records.json", "records.json:1: {\"Name\":\"a.b\",\"Type\":\"CNAME\",\"Value\":\"c\"} is left out: clients know A and AAAA only")],
        "policy.domains": [("[a b]", "policy.domains[0]: 'a b' is not a domain name: it is left out")],
    }
    for key, value, words, fine in [(k, *c, False) for k, cases in refused.items() for c in cases] + [(k, *c, True) for k, cases in noted.items() for c in cases]:
        d = shared.Daemon()
        write(os.path.join(d.dir, "records.json"), '[{"name":"a.b","type":"CNAME","value":"c"},{"name":"d.e","type":"A","value":"100.64.0.9"}]')
        group, last = key.rpartition(".")[::2]
        with open(d.config, encoding="utf-8") as f:
            lines = [line for line in f.read().split("\n") if not (line.strip().startswith(f"{last}:") and (group == "" or last != "path" or "sqlite" in group))]
        at = next((i for i, line in enumerate(lines) if line.strip() == f"{group.split('.')[-1]}:"), None)
        indent = "  " * key.count(".")
        if at is None:
            at = len(lines) - 1
            lines[at:at] = [f"{group}:"] if group else []
            at -= not group
        lines.insert(at + 1, f"{indent}{last}: {value}")
        write(d.config, "\n".join(lines))
        status, said = run(shared.HEADWAYD, d.config, "configtest")
        place = f"{d.config}:{at + 2}: "
        named = [line for line in said.splitlines() if words in line]
        name = f"{key}: {value!r}"
        shared.check(f"{name}: configtest names key and line", status == (0 if fine else 1) and len(named) == 1 and place in named[0], f"{place} {said}")
        shared.check(f"{name}: and writes nothing that steers a terminal", "\x1b" not in said, repr(said))
        if fine:
            d.start()
            log = d.log()
        else:
            status, log = run(shared.HEADWAYD, d.config)
            shared.check(f"{name}: the start refuses it too", status == 1, log)
        shared.check(f"{name}: and says the same", named and named[0].split(": ", 1)[1] in log, log)
        if not fine:
            d.process = subprocess.Popen(["true"])
        d.__exit__()


def closed_streams():
    """A database or socket that got the number of a closed standard stream would be written to by whoever prints."""
    d = shared.Daemon()
    d.process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", shared.HEADWAYD, "-c", d.config])
    shared.check("it starts with all standard streams closed", shared.wait_for(20, d.healthy))
    streams = [os.readlink(f"/proc/{d.process.pid}/fd/{n}") for n in range(3)]
    shared.check("which nothing else takes the place of", streams == ["/dev/null"] * 3, streams)
    d.__exit__()


def live(where):
    records = "dns:\n  base_domain: tail.example.com\n  override_local_dns: false\n"
    with shared.Daemon() as d:
        for program in HEADWAY, shared.HEADWAYD:
            status, said = run(program, d.config, "configtest")
            shared.check(f"{os.path.basename(program)}: the ports of the daemon that runs are its own", status == 0, said)
        with open(d.config, encoding="utf-8") as f:
            text = f.read()
        assert records in text
        write(d.config, text.replace(records, records.replace("tail.", "other.")
                                     + "  nameservers: {global: [nowhere, 9.9.9.9]}\n"))
        d.process.send_signal(signal.SIGHUP)
        left_out = "dns.nameservers.global[0]: 'nowhere' is not an address or an https URL: it is left out"
        shared.check("a reload names what it leaves out", shared.wait_for(10, lambda: left_out in d.log()), d.log())
        shared.check("a reload says that the domain waits for a restart",
                     shared.wait_for(10, lambda: "dns.base_domain changed: it takes effect after a restart" in d.log()), d.log())
        _, user = d.call("POST", "/api/v1/user", {"name": "alice"})
        status, snapshot = d.call("GET", "/api/headway/snapshot")
        shared.check("until then all of it is the old one", "tail.example.com" in str(snapshot) and "other.example.com" not in str(snapshot), str(snapshot)[:400])
        d.stop()
        d.start()
        status, snapshot = d.call("GET", "/api/headway/snapshot")
        shared.check("afterwards all of it is the new one", "other.example.com" in str(snapshot) and "tail.example.com" not in str(snapshot), str(snapshot)[:400])


def ordered_certificates(where):
    """A certificate that is ordered: what the machine lacks, and what clients would not accept."""
    acme = f"tls_letsencrypt_hostname: vpn.example.com\ntls_letsencrypt_listen: 127.0.0.1:{shared.free_port()}\n"
    tools = os.path.join(where, "tools")
    os.mkdir(tools)
    status, said = test(where, shared.HEADWAYD, GOOD + PORTS + acme, PATH=tools)
    shared.check("a missing uacme is named, with its package",
                 status == 1 and "tls_letsencrypt_hostname: the program uacme" in said and "package uacme" in said, said)
    with open(os.path.join(tools, "uacme"), "w", encoding="ascii") as f:
        f.write("#!/bin/sh\n")
    os.chmod(os.path.join(tools, "uacme"), 0o755)
    status, said = test(where, shared.HEADWAYD, GOOD + PORTS + acme, PATH=tools)
    shared.check("a certificate that is ordered needs no more", status == 0 and "port 80 of vpn.example.com" in said, said)
    shared.check("one for another host than server_url's is said",
                 "tls_letsencrypt_hostname is not the host of server_url" in said and "does not start with https" in said, said)
    status, said = test(where, shared.HEADWAYD, GOOD + PORTS + acme + "tls_letsencrypt_challenge_type: TLS-ALPN-01\n", PATH=tools)
    shared.check("by TLS-ALPN-01 the other port is named", status == 0 and "listen_addr: the authority connects to port 443" in said, said)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        acme = f"tls_letsencrypt_hostname: vpn.example.com\ntls_letsencrypt_listen: 127.0.0.1:{taken.getsockname()[1]}\n"
        status, said = test(where, shared.HEADWAYD, GOOD + PORTS + acme, PATH=tools)
        shared.check("a port for challenges that is taken is an error", status == 1 and "tls_letsencrypt_listen: cannot listen" in said, said)


def own_daemon(d, before):
    """The ports of the daemon that runs are its own; those that others have are not, and neither is another program."""
    write(d.config, before)
    d.start()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        write(d.config, before.replace('metrics_listen_addr: ""', f"metrics_listen_addr: 127.0.0.1:{port}"))
        status, said = run(shared.HEADWAYD, d.config, "configtest")
        shared.check("a port that it does not have and another has is named", status == 1 and f"metrics_listen_addr: cannot listen on TCP port {port}" in said, said)
    write(d.config, before)
    d.stop()
    for answer in b"", b"HTTP/1.1 200 OK\r\n\r\n{}", b"HTTP/1.0 404 Not Found\r\n\r\nno", b"x" * 100000:
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(d.socket)
            other.listen()
            threading.Thread(target=answer_once, args=(other, answer), daemon=True).start()
            status, said = run(shared.HEADWAYD, d.config, "configtest")
            shared.check(f"another program at the socket is named ({answer[:12]})", status == 1 and
                         f"unix_socket: a program that does not answer as headwayd does listens at {d.socket}" in said, said)
        os.unlink(d.socket)


def answer_once(listener, answer):
    with listener.accept()[0] as s:
        s.recv(4096)
        try:
            s.sendall(answer)
        except OSError:
            pass


def main():
    if not os.access(HEADWAY, os.X_OK) or not os.access(shared.HEADWAYD, os.X_OK):
        shared.skip_all("headway is not built")
    with tempfile.TemporaryDirectory() as where:
        for program in HEADWAY, shared.HEADWAYD:
            name = os.path.basename(program)
            status, said = test(where, program, GOOD + PORTS)
            shared.check(f"{name}: a good one is accepted, and what must be open is said",
                         status == 0 and all(line.startswith("Note: clients ") for line in said.splitlines())
                         and f"TCP port {RELAY}:" in said and f"UDP port {STUN} " in said, said)
            status, said = test(where, program, GOOD.replace("http://127.0.0.1:8080", "https://hw.example.com") + PORTS)
            shared.check(f"{name}: behind a proxy, what it must pass on", status == 0 and "TCP port 443" in said and "/derp" in said, said)
            status, said = test(where, program, GOOD + "derp: {server: {enabled: false}}\n")
            shared.check(f"{name}: without a relay not a word", (status, said) == (0, ""), said)
            status, said = test(where, program, GOOD + PORTS + "disable_check_updates: false\n")
            shared.check(f"{name}: what has no effect yet is said", status == 0 and "without effect here, and may stay: disable_check_updates" in said, said)
            status, said = test(where, program, GOOD, HEADSCALE_LOG_LEVEL="loud")
            shared.check(f"{name}: a bad variable is named", status == 1 and "HEADSCALE_LOG_LEVEL" in said and "'loud'" in said, said)
        ordered_certificates(where)
    trouble(where)
    shielded_keys()
    odd_values()
    closed_streams()
    live(where)
    shared.finish()


main()
