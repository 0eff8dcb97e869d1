# SPDX-License-Identifier: BSD-3-Clause
"""A PostgreSQL server of a test's own: from the distribution's package, in a temporary folder, on a Unix socket only, as an
unprivileged user."""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

USER = "headway"


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return os.path.dirname(found[-1]) if found else None


class Server:
    """Use it in a with statement; its socket's directory is the name of its host."""

    def __init__(self, data=None, inside=()):
        """data: where its files are made, by default in its own directory; inside: what brings a command to where they are."""
        self.bin = programs()
        self.inside = list(inside)
        self.dir = tempfile.mkdtemp(prefix="pg")
        self.data = data or os.path.join(self.dir, "data")
        if os.geteuid() == 0:
            shutil.chown(self.dir, "nobody")
        self.run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "--no-sync")
        self.start()

    def command(self, program, *args):
        user = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        return [*self.inside, "setpriv", "--pdeathsig", "SIGQUIT", *user, os.path.join(self.bin, program), *args]

    def run(self, program, *args, check=True):
        return subprocess.run(self.command(program, *args), cwd=self.dir, check=check, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        """It ends with this program, however that ends."""
        with open(os.path.join(self.dir, "server.log"), "ab") as log:
            self.process = subprocess.Popen(self.command("postgres", "-D", self.data, "-k", self.dir, "-h", ""),
                                            cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while self.run("pg_isready", "-q", "-h", self.dir, check=False).returncode:
            if self.process.poll() is not None:
                raise RuntimeError("the server does not start: " + self.log()[-500:])
            threading.Event().wait(0.01)

    def log(self):
        with open(os.path.join(self.dir, "server.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def crash(self):
        """Its processes end at once, as with the power. The main one is stopped first: it starts no child meanwhile."""
        main = self.process.pid
        os.kill(main, signal.SIGSTOP)
        os.waitid(os.P_PID, main, os.WSTOPPED | os.WNOWAIT)
        with open(f"/proc/{main}/task/{main}/children", encoding="ascii") as f:
            children = f.read().split()
        for pid in [*map(int, children), main]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(os.path.exists(f"/proc/{pid}") for pid in children):
            threading.Event().wait(0.01)

    def sql(self, text):
        """The first column of the first row, as a text."""
        done = subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U", USER, "-d", "postgres", "-c", text],
                              check=True, capture_output=True, text=True)
        return done.stdout.split("\n")[0]

    def configure(self, config, host=None):
        """Makes a daemon's configuration name it, and nothing else."""
        with open(config, encoding="utf-8") as f:
            lines = f.read().split("\n")
        at = lines.index("database:")
        lines[at:at + 4] = ["database:", "  type: postgres", f"  postgres: {{host: {host or self.dir}, port: 5432, name: postgres, user: {USER}}}"]
        with open(config, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))

    def end(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.dir, ignore_errors=True)


class Standby(Server):
    """A second server that has each commit of the first one before it is answered."""

    def __init__(self, primary):  # pylint: disable=super-init-not-called
        self.bin, self.inside = primary.bin, []
        self.dir = tempfile.mkdtemp(prefix="pg")
        self.data = os.path.join(self.dir, "data")
        if os.geteuid() == 0:
            shutil.chown(self.dir, "nobody")
        self.run("pg_basebackup", "-h", primary.dir, "-U", USER, "-D", self.data, "-R", "-X", "stream", "-c", "fast")
        self.start()
        primary.sql("ALTER SYSTEM SET synchronous_standby_names='*'")
        primary.sql("SELECT pg_reload_conf()")
        while primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state='sync'") != "1":
            threading.Event().wait(0.01)

    def promote(self):
        self.run("pg_ctl", "-D", self.data, "-w", "promote")


class Pooler:
    """PgBouncer before a server, with a socket directory of its own."""

    def __init__(self, server, mode):
        self.dir = tempfile.mkdtemp(prefix="pb")
        config = os.path.join(self.dir, "pgbouncer.ini")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"[databases]\npostgres = host={server.dir} dbname=postgres user={USER}\n[pgbouncer]\nunix_socket_dir = {self.dir}\n"
                    f"listen_port = 5432\nauth_type = any\npool_mode = {mode}\n")
        if os.geteuid() == 0:
            shutil.chown(self.dir, "nobody")
            os.chmod(config, 0o644)
        as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen([*as_user, shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin"), config],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(os.path.join(self.dir, ".s.PGSQL.5432")) and self.process.poll() is None:
            threading.Event().wait(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Proxy:
    """Stands before a server, with a socket directory of its own. swallow: bytes; the answer of the COMMIT after they were
    sent is kept back and the connection cut, then nobody gets through until refuse is False again."""

    def __init__(self, server):
        self.server = server
        self.dir = tempfile.mkdtemp(prefix="px")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(os.path.join(self.dir, ".s.PGSQL.5432"))
        self.listener.listen(16)
        self.swallow = None
        self.old = None  # a major version that the server pretends to have, of as many digits
        self.swallowed = threading.Event()
        self.refuse = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refuse:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(os.path.join(self.server.dir, ".s.PGSQL.5432"))
            except OSError:
                client.close()
                server.close()
                continue
            armed = threading.Event()
            threading.Thread(target=self.forward, args=(client, server, armed, False), daemon=True).start()
            threading.Thread(target=self.forward, args=(server, client, armed, True), daemon=True).start()

    def forward(self, source, target, armed, answers):
        try:
            while data := source.recv(65536):
                if answers and self.old:
                    data = re.sub(rb"(server_version\0)\d\d", rb"\g<1>" + self.old, data)
                if not answers and self.swallow and self.swallow in data:
                    armed.set()
                if answers and armed.is_set() and b"COMMIT\0" in data:
                    self.swallow = None
                    self.refuse = True
                    self.swallowed.set()
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.dir, ignore_errors=True)
