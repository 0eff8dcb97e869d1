#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 300
"""API v2 as Tailscale's own client for Go uses it, and the calls of its Terraform provider and its Kubernetes operator.
Skipped where there is no Go, or no module proxy to get the client from."""
import base64
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../shared"))
import daemon as shared  # noqa: E402
from go_program import built  # noqa: E402

POLICY = """{
\t// owners
\t"tagOwners": {"tag:a": [], "tag:k8s": []},
\t"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
}
"""
DNS = """  nameservers:
    global: [192.0.2.53]
    split:
      corp.example.com: [192.0.2.54]
  search_domains: [lab.example.com]
node:
  expiry: 180d
"""
AUTH_ID = "hskey-authreq-0123456789abcdef01234567"
KEY = {"capabilities": {"devices": {"create": {"reusable": False, "ephemeral": True, "preauthorized": True, "tags": ["tag:k8s"]}}}, "expirySeconds": 0}

# Who asks; what; the status. What is not offered is 404 here, on purpose: whoever adds it finds the row.
CALLS = [
    ("operator", "POST", "/api/v2/tailnet/-/keys", KEY, 200),
    ("operator", "GET", "/api/v2/device/{node}", None, 200),
    ("operator", "GET", "/api/v2/device/4711", None, 404),
    ("operator", "DELETE", "/api/v2/device/4711", None, 404),
    ("operator", "GET", "/api/v2/tailnet/-/vip-services/svc:web", None, 404),
    ("terraform: devices", "GET", "/api/v2/tailnet/-/devices?fields=default", None, 200),
    ("terraform: device_authorization", "POST", "/api/v2/device/{node}/authorized", {"authorized": True}, 200),
    ("terraform: device_key", "POST", "/api/v2/device/{node}/key", {"keyExpiryDisabled": True}, 200),
    ("terraform: device_key destroyed", "POST", "/api/v2/device/{node}/key", {"keyExpiryDisabled": False}, 200),
    ("terraform: device_tags", "POST", "/api/v2/device/{node}/tags", {"tags": ["tag:a"]}, 200),
    ("terraform: device_tags destroyed", "POST", "/api/v2/device/{node}/tags", {"tags": []}, 200),
    ("terraform: device_subnet_routes", "POST", "/api/v2/device/{node}/routes", {"routes": ["10.7.0.0/16", "0.0.0.0/0", "::/0"]}, 200),
    ("terraform: device_subnet_routes read", "GET", "/api/v2/device/{node}/routes", None, 200),
    ("terraform: device_subnet_routes destroyed", "POST", "/api/v2/device/{node}/routes", {"routes": []}, 200),
    ("terraform: tailnet_key", "POST", "/api/v2/tailnet/-/keys", KEY, 200),
    ("terraform: tailnet_key read", "GET", "/api/v2/tailnet/-/keys/1", None, 200),
    ("terraform: tailnet_key destroyed", "DELETE", "/api/v2/tailnet/-/keys/1", None, 200),
    ("terraform: oauth_client", "POST", "/api/v2/tailnet/-/keys", {"keyType": "client", "scopes": ["users:read"], "tags": None, "description": ""}, 200),
    ("terraform: oauth_client changed, not there", "PUT", "/api/v2/tailnet/-/keys/0123456789ab", {"keyType": "client", "scopes": ["users:read"]}, 404),
    ("terraform: acl", "GET", "/api/v2/tailnet/-/acl", None, 200),
    ("terraform: acl planned", "POST", "/api/v2/tailnet/-/acl/validate", POLICY, 200),
    ("acl preview", "POST", "/api/v2/tailnet/-/acl/preview?type=user&previewFor=alice", POLICY, 200),
    ("acl preview", "POST", "/api/v2/tailnet/-/acl/preview?type=ipport&previewFor=100.64.0.1:22", POLICY, 200),
    ("acl tests", "POST", "/api/v2/tailnet/-/acl/validate", [{"src": "alice@", "accept": ["100.64.0.1:22"]}], 200),
    ("terraform: acl", "POST", "/api/v2/tailnet/-/acl", POLICY, 200),
    ("terraform: users", "GET", "/api/v2/tailnet/-/users?type=member", None, 200),
    ("terraform: tailnet_settings read", "GET", "/api/v2/tailnet/-/settings", None, 200),
    ("terraform: tailnet_settings", "PATCH", "/api/v2/tailnet/-/settings", {"devicesApprovalOn": True}, 501),
    ("terraform: dns_nameservers read", "GET", "/api/v2/tailnet/-/dns/nameservers", None, 200),
    ("terraform: dns_nameservers", "POST", "/api/v2/tailnet/-/dns/nameservers", {"dns": ["1.1.1.1"]}, 200),
    ("terraform: dns_preferences read", "GET", "/api/v2/tailnet/-/dns/preferences", None, 200),
    ("terraform: dns_preferences", "POST", "/api/v2/tailnet/-/dns/preferences", {"magicDNS": True}, 200),
    ("terraform: dns_search_paths read", "GET", "/api/v2/tailnet/-/dns/searchpaths", None, 200),
    ("terraform: dns_search_paths", "POST", "/api/v2/tailnet/-/dns/searchpaths", {"searchPaths": []}, 200),
    ("terraform: dns_split_nameservers read", "GET", "/api/v2/tailnet/-/dns/split-dns", None, 200),
    ("terraform: dns_split_nameservers", "PATCH", "/api/v2/tailnet/-/dns/split-dns", {"a.example": ["1.1.1.1"]}, 200),
    ("terraform: dns_split_nameservers destroyed", "PATCH", "/api/v2/tailnet/-/dns/split-dns", {"a.example": []}, 200),
    ("terraform: dns_nameservers destroyed", "POST", "/api/v2/tailnet/-/dns/nameservers", {"dns": []}, 200),
    ("terraform: dns_configuration read", "GET", "/api/v2/tailnet/-/dns/configuration", None, 200),
    ("terraform: webhook", "POST", "/api/v2/tailnet/-/webhooks", {"endpointUrl": "https://hooks.example.com/x", "providerType": "slack",
                                                                  "subscriptions": ["nodeCreated", "categoryDeviceMisconfigurations"]}, 200),
    ("terraform: webhook read", "GET", "/api/v2/webhooks/1", None, 200),
    ("terraform: webhook changed", "PATCH", "/api/v2/webhooks/1", {"subscriptions": ["nodeDeleted"]}, 200),
    ("terraform: webhook with a type that has no source", "PATCH", "/api/v2/webhooks/1", {"subscriptions": ["userNeedsApproval"]}, 400),
    ("terraform: webhook destroyed", "DELETE", "/api/v2/webhooks/1", None, 200),
    ("terraform: webhook, not there", "GET", "/api/v2/webhooks/1", None, 404),
    ("terraform: contacts", "GET", "/api/v2/tailnet/-/contacts", None, 404),
    ("terraform: posture_integration", "GET", "/api/v2/tailnet/-/posture/integrations", None, 404),
    ("terraform: logstream_configuration", "GET", "/api/v2/tailnet/-/logging/network/stream", None, 404),
    ("another tailnet", "GET", "/api/v2/tailnet/example.com/devices", None, 404),
]


def make_node(d):
    d.call("POST", "/api/v1/debug/node", {"user": "alice", "key": AUTH_ID, "name": "laptop", "routes": ["10.7.0.0/16"]})
    status, answer = d.call("POST", "/api/v1/auth/register", {"user": "alice", "authId": AUTH_ID})
    return answer["node"]["id"]


def begin(d):
    d.call("POST", "/api/v1/user", {"name": "alice"})
    d.call("PUT", "/api/v1/policy", {"policy": POLICY})
    key = d.call("POST", "/api/headway/apikeys", {"user": "alice", "description": "go"})[1]["result"]["key"]
    return key, make_node(d)


def calls(d, key, node):
    basic = base64.b64encode(f"{key}:".encode()).decode()
    for who, method, path, body, want in CALLS:
        c = d.public()
        data = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        c.request(method, path.replace("{node}", node), data, {"Authorization": f"Basic {basic}", "Content-Type": "application/json"})
        answer = c.getresponse()
        text = answer.read().decode()
        shared.check(f"{who}: {method} {path} is answered {want}", answer.status == want, f"{answer.status} {text[:300]}")


def main():
    folder = built(os.path.join(HERE, "tailscale_client"), "ask", "the client for Go")
    try:
        with shared.Daemon(extra=DNS) as d:
            calls(d, *begin(d))
        with shared.Daemon(extra=DNS) as d:
            key, node = begin(d)
            done = subprocess.run([os.path.join(folder, "ask")], env={**os.environ, "BASE_URL": f"http://127.0.0.1:{d.port}", "API_KEY": key, "NODE": node},
                                  capture_output=True, text=True, timeout=120)
            for line in done.stdout.splitlines():
                word, _, rest = line.partition(" - ")
                if word.startswith(("ok ", "not ok ")):
                    shared.check("client for Go: " + rest, word.startswith("ok "))
                elif line.startswith("#"):
                    print(line)
            shared.check("the client for Go came to its end", done.returncode in (0, 1) and "1.." in done.stdout, done.stderr[-500:])
    finally:
        shutil.rmtree(folder)
    shared.finish()


main()
