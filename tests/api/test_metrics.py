#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""The figures of a daemon with users, nodes, a policy and a relay: Prometheus' own tool has nothing to say against them,
and who is online is the same in the figures, the API and the overview."""
import http.client
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402
import promtool  # noqa: E402

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


def check_form(when):
    tool = promtool.find()
    if not tool:
        print(f"ok - promtool has nothing to say {when} # skip {promtool.MISSING}")
        return
    said = subprocess.run([tool, "check", "metrics"], input=page("/metrics"), capture_output=True, text=True, check=False)
    shared.check(f"promtool has nothing to say {when}", said.returncode == 0 and not said.stdout + said.stderr, (said.stdout + said.stderr)[:400])


def sample(text, of=None):
    """Of a sample with labels, or of a name whose samples are added up; of: the page, if figures of one moment are compared."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in (of or page("/metrics")).splitlines() if line.startswith(text))


def headscale_figures(d):
    """What dashboards that were made for headscale ask for."""
    shared.check("nodes are counted as they are stored", figure("headscale_nodestore_nodes") == 2 and
                 sample('headscale_nodestore_operations_total{operation="put"}') == 2)
    shared.check("and how long each took", sample('headscale_nodestore_operation_duration_seconds_count{operation="put"}') == 2)
    before = sample('headscale_nodestore_operations_total{operation="update"}')
    d.call("POST", "/api/v1/node/2/rename/notebook")
    shared.check("a change of a node is one", shared.wait_for(10, lambda: sample('headscale_nodestore_operations_total{operation="update"}') == before + 1))
    now = page("/metrics")
    groups = sample("headscale_nodestore_batch_size_count", now)
    shared.check("groups have a size and a time", sample("headscale_nodestore_batch_duration_seconds_count", now) == groups > 0
                 and sample("headscale_nodestore_batch_size_sum", now) >= groups)
    shared.check("news are timed", shared.wait_for(10, lambda: sample("headway_control_push_seconds_count") > 0))
    shared.check("the log of the database has a size", sample("headway_database_log_bytes") > 0)
    sent = 'headscale_mapresponse_sent_total{status="ok",type="full"}'
    shared.check("each stream got a full map", sample(sent) == 2, page("/metrics"))
    shared.check("and news", shared.wait_for(10, lambda: sample('headscale_mapresponse_sent_total{status="ok",type="change"}') > 0))
    shared.check("full maps were made", sample('headscale_mapresponse_generated_total{response_type="full"}') >= 2)
    answers = 'http_request_duration_seconds_count{method="POST",endpoint="/api/v1/user",status="200"}'
    shared.check("answers are timed", sample(answers) == 1 and sample('http_request_duration_seconds_bucket{method="POST",endpoint="/api/v1/user",status="200",le="+Inf"}') == 1)


def debug_pages(d):
    shared.check("a stream that was left is counted", shared.wait_for(10, lambda: sample('headscale_mapresponse_ended_total{reason="cancelled"}') >= 1), page("/metrics"))
    config = json.loads(page("/debug/config"))
    shared.check("the configuration in force is shown, and no secret", config["server_url"].startswith("http") and
                 config["cli"]["api_key"] == "(hidden)" and "swordfish" not in page("/debug/config"), config["cli"])
    nodes = json.loads(page("/debug/nodestore"))["nodes"]
    shared.check("nodes are shown", [n["id"] for n in nodes] == ["1", "2", "3"])
    streams = json.loads(page("/debug/batcher"))
    shared.check("and which are connected", streams["total_nodes"] == 3 and streams["connected_nodes"]["3"] == {"connected": True, "active_connections": 1} and
                 not streams["connected_nodes"]["2"]["connected"], streams)
    filters = json.loads(page("/debug/filter"))
    shared.check("packet filters are shown by node", set(filters) == {"1 router", "2 notebook", "3 spare"} and all("SrcIPs" in r for f in filters.values() for r in f), filters)
    shared.check("or of one node", list(json.loads(page("/debug/filter?node=2"))) == ["2 notebook"])
    shared.check("SSH rules too", json.loads(page("/debug/ssh?node=2")) == {"2 notebook": {"rules": []}})
    d.call("POST", "/api/v1/debug/node", {"user": "alice", "key": "hskey-authreq-0123456789abcdef01234567", "name": "late"})
    shared.check("registrations that wait are shown", [p["hostname"] for p in json.loads(page("/debug/registration-cache"))["pending"]] == ["late"])
    shared.check("and what the policy is applied to", json.loads(page("/debug/policy-manager"))["nodes"] == 3)
    listed = [line.split()[0] for line in page("/debug/").splitlines() if line.startswith("/debug/")]
    for path in listed:
        c = http.client.HTTPConnection("127.0.0.1", metrics_port, timeout=10)
        c.request("GET", path, headers={"X-Forwarded-For": "192.0.2.1"})
        shared.check(f"{path} is refused to who comes from elsewhere", c.getresponse().status == 403)


def updates(d, nodes):
    """Map requests without a stream, by which clients say their endpoints: those that are taken, and those that are not."""
    taken = 'headscale_mapresponse_endpoint_updates_total{status="ok"}'
    before, refused = sample(taken), sample('headscale_mapresponse_endpoint_updates_total{status="error"}')
    for count in 1, 2:
        nodes[0].stdin.write("10.1.0.0/16\n")
        nodes[0].stdin.flush()
        shared.check("each update of a client is counted", shared.wait_for(10, lambda count=count: sample(taken) == before + count), page("/metrics"))
    shared.check("and none was refused", sample('headscale_mapresponse_endpoint_updates_total{status="error"}') == refused)
    shared.check("the endpoint is the one that it said", "192.0.2.1:41641" in str(d.call("GET", "/api/headway/nodes/1")[1]))


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
daemon = shared.Daemon(metrics=metrics_port, extra="cli: {api_key: swordfish}\n")
with daemon:
    daemon.call("POST", "/api/v1/user", {"name": "alice"})
    daemon.call("PUT", "/api/v1/policy", {"policy": POLICY})
    key = daemon.call("POST", "/api/v1/preauthkey", {"user": "1", "reusable": True})[1]["preAuthKey"]["key"]
    members = [join(daemon, key, "router", "10.1.0.0/16"), join(daemon, key, "laptop", "")]
    shared.check("the figures count routes that are served", shared.wait_for(10, lambda: figure("headway_routes_serving") == 1))
    check_form("with nodes")
    headscale_figures(daemon)
    updates(daemon, members)
    presence(daemon, members)
    routers(daemon, key, members)
    check_form("after changes")
    debug_pages(daemon)
    for member in members:
        member.stdin.close() if not member.stdin.closed else None
        member.wait(10)
shared.finish()
