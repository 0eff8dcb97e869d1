#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""The figures of a daemon with users, nodes, a policy and a relay: Prometheus' own tool has nothing to say against them,
and who is online is the same in the figures, the API and the overview."""
import http.client
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

metrics_port = shared.free_port()
RUN_NODE = os.path.join(os.path.dirname(shared.HEADWAYD), "tests/docs/run_node")
POLICY = '{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}], "autoApprovers": {"routes": {"10.0.0.0/8": ["alice@"]}}}'


def page(path):
    c = http.client.HTTPConnection("127.0.0.1", metrics_port, timeout=10)
    c.request("GET", path)
    return c.getresponse().read().decode()


def figure(name):
    return next((int(line.split()[1]) for line in page("/metrics").splitlines() if line.startswith(name + " ")), None)


def online(d):
    """By the list, by the console's snapshot, by the figures, by the overview."""
    nodes = d.call("GET", "/api/v1/node")[1]["nodes"]
    snapshot = d.call("GET", "/api/headway/snapshot")[1]
    overview = page("/debug/overview").replace(" ", "")
    counts = [sum(n["online"] for n in nodes), snapshot["counts"]["online"], sum(n["online"] for n in snapshot["nodes"]),
              figure("headway_nodes_online")]
    return counts[0] if len(set(counts)) == 1 and f'"online":{counts[0]}' in overview else (counts, overview)


def join(d, key, name, route):
    node = subprocess.Popen([RUN_NODE, f"127.0.0.1:{d.port}", key, name, route], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    shared.check(f"{name} joins", node.stdout.readline() == "connected\n")
    return node


def promtool(when):
    tool = shutil.which("promtool")
    if not tool:
        print(f"ok - promtool has nothing to say {when} # skip promtool is not there (Debian's package prometheus)")
        return
    said = subprocess.run([tool, "check", "metrics"], input=page("/metrics"), capture_output=True, text=True, check=False)
    shared.check(f"promtool has nothing to say {when}", said.returncode == 0 and not said.stdout + said.stderr, (said.stdout + said.stderr)[:400])


def routers(d, key, nodes):
    moves = 'headway_prefix_moves_total{prefix="10.1.0.0/16"}'
    shared.check("no prefix has moved", figure(moves) is None and figure('headway_prefix_moves_total{prefix="other"}') == 0)
    nodes.append(join(d, key, "spare", "10.1.0.0/16"))
    shared.check("a second router is on standby", shared.wait_for(10, lambda: figure("headway_routes_standby") == 1))
    d.call("POST", "/api/headway/nodes/1/drain", {})
    shared.check("the move off a drained router is counted", shared.wait_for(10, lambda: figure(moves) == 1), page("/metrics"))
    shared.check("and the drained router", figure("headway_nodes_draining") == 1 and figure("headway_routes_standby") == 0)


def presence(d, nodes):
    shared.check("both are online everywhere", shared.wait_for(10, lambda: online(d) == 2), online(d))
    d.call("POST", "/api/v1/node/1/expire")
    shared.check("one whose key expired is not, anywhere, although its stream is open", shared.wait_for(10, lambda: online(d) == 1), online(d))
    d.call("POST", "/api/v1/node/1/expire", {"disableExpiry": True})
    shared.check("and is again when its key is valid again", shared.wait_for(10, lambda: online(d) == 2), online(d))
    nodes[1].stdin.close()
    shared.check("one that went away is not", shared.wait_for(30, lambda: online(d) == 1), online(d))


if not os.access(RUN_NODE, os.X_OK):
    shared.skip_all(f"{RUN_NODE} is not built: make build-tests")
daemon = shared.Daemon(metrics=metrics_port)
with daemon:
    daemon.call("POST", "/api/v1/user", {"name": "alice"})
    daemon.call("PUT", "/api/v1/policy", {"policy": POLICY})
    key = daemon.call("POST", "/api/v1/preauthkey", {"user": "1", "reusable": True})[1]["preAuthKey"]["key"]
    members = [join(daemon, key, "router", "10.1.0.0/16"), join(daemon, key, "laptop", "")]
    shared.check("the figures count routes that are served", shared.wait_for(10, lambda: figure("headway_routes_serving") == 1))
    promtool("with nodes")
    presence(daemon, members)
    routers(daemon, key, members)
    promtool("after changes")
    for member in members:
        member.stdin.close() if not member.stdin.closed else None
        member.wait(10)
shared.finish()
