#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
"""What the daemon says of itself: the description of its API, held against real answers, its metrics and its version."""
import http.client
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402

metrics_port = shared.free_port()
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


def text_of(d, path):
    c = shared.UnixConnection(d.socket)
    c.request("GET", path)
    answer = c.getresponse()
    return answer.getheader("Content-Type"), answer.read().decode()


def faults(document, schema, value, where):
    """What of value does not fit the schema."""
    if "$ref" in schema:
        node = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        return faults(document, node, value, where)
    if "allOf" in schema:
        if value is None and schema.get("nullable"):
            return []
        properties = {}
        for one in schema["allOf"]:
            while "$ref" in one:
                node = document
                for part in one["$ref"].removeprefix("#/").split("/"):
                    node = node[part]
                one = node
            properties.update(one.get("properties", {}))
        return faults(document, {"type": "object", "properties": properties}, value, where)
    if value is None:
        return [] if schema.get("nullable") else [f"{where} is null"]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{where} is no {kind}: {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} is none of {schema['enum']}: {value!r}"]
    found = []
    if kind == "array":
        for i, item in enumerate(value):
            found += faults(document, schema["items"], item, f"{where}[{i}]")
    if kind == "object" and schema.get("properties"):
        for name, item in value.items():
            if name not in schema["properties"]:
                found.append(f"{where}.{name} is not described")
            else:
                found += faults(document, schema["properties"][name], item, f"{where}.{name}")
    return found


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def openapi(d):
    kind, text = text_of(d, "/api/v1/openapi.json")
    document = json.loads(text)
    shared.check("the description is JSON", kind == "application/json")
    missing = [r for r in references(document) if r.split("/")[-1] not in document["components"]["schemas"]]
    shared.check("each reference leads somewhere", not missing, missing)
    vague = [f"{method} {path}" for path, methods in document["paths"].items() for method, o in methods.items()
             if not list(o["responses"]["200"]["content"].values())[0]["schema"]]
    shared.check("each call says what it answers", not vague, vague)
    headers = {(method, path): [p["name"] for p in o["parameters"] if p["in"] == "header"]
               for path, methods in document["paths"].items() for method, o in methods.items()}
    shared.check("each change takes If-Match and Idempotency-Key",
                 all(headers[call] == ["If-Match", "Idempotency-Key"] for call in (
                     ("post", "/api/headway/nodes/{id}/rename"), ("delete", "/api/v1/node/{nodeId}"), ("post", "/api/headway/users"))))
    shared.check("a question takes neither", not headers["get", "/api/v1/node"] and not headers["post", "/api/headway/policy/check"])
    for method, path, where, body in (
        ("POST", "/api/v1/user", "/api/v1/user", {"name": "alice"}),
        ("POST", "/api/headway/users", "/api/headway/users", {"name": "bob"}),
        ("POST", "/api/v1/preauthkey", "/api/v1/preauthkey", {"user": "1"}),
        ("POST", "/api/headway/preauthkeys", "/api/headway/preauthkeys", {"user": "bob"}),
        ("POST", "/api/v1/apikey", "/api/v1/apikey", {}),
        ("POST", "/api/v1/debug/node", "/api/v1/debug/node",
         {"user": "alice", "key": "hskey-authreq-0123456789abcdef01234567", "name": "t", "routes": ["10.0.0.0/8"]}),
        ("GET", "/api/headway/pending", "/api/headway/pending", None),
        ("POST", "/api/v1/auth/register", "/api/v1/auth/register",
         {"user": "alice", "authId": "hskey-authreq-0123456789abcdef01234567"}),
        ("GET", "/api/v1/user", "/api/v1/user", None),
        ("GET", "/api/v1/node", "/api/v1/node", None),
        ("GET", "/api/v1/node/1", "/api/v1/node/{nodeId}", None),
        ("GET", "/api/v1/preauthkey", "/api/v1/preauthkey", None),
        ("GET", "/api/v1/apikey", "/api/v1/apikey", None),
        ("GET", "/api/v1/health", "/api/v1/health", None),
        ("PUT", "/api/v1/policy", "/api/v1/policy", {"policy": "{}"}),
        ("GET", "/api/v1/policy", "/api/v1/policy", None),
        ("GET", "/api/headway/nodes", "/api/headway/nodes", None),
        ("GET", "/api/headway/users", "/api/headway/users", None),
        ("GET", "/api/headway/routes", "/api/headway/routes", None),
        ("GET", "/api/headway/prefixes", "/api/headway/prefixes", None),
        ("GET", "/api/headway/snapshot", "/api/headway/snapshot", None),
        ("GET", "/api/headway/whoami", "/api/headway/whoami", None),
        ("GET", "/api/headway/events", "/api/headway/events", None),
        ("POST", "/api/headway/nodes/1/rename", "/api/headway/nodes/{id}/rename", {"name": "other"}),
        ("POST", "/api/headway/policy/check", "/api/headway/policy/check", {"policy": "{}"}),
        ("POST", "/api/headway/policy/preview", "/api/headway/policy/preview", {"policy": "{}"}),
        ("GET", "/api/headway/explain?src=other&dst=other&port=22", "/api/headway/explain", None),
    ):
        status, value = d.call(method, path, body)
        schema = document["paths"][where][method.lower()]["responses"]["200"]["content"]["application/json"]["schema"]
        wrong = faults(document, schema, value, "")
        shared.check(f"{method} {path} answers as described", status == 200 and not wrong, f"{status} {wrong[:5]} {str(value)[:200]}")
    for path, status in (("/api/v1/node/99", 404), ("/api/headway/nodes/99", 404)):
        got, value = d.call("GET", path)
        name = "HeadwayError" if "headway" in path else "Error"
        wrong = faults(document, {"$ref": f"#/components/schemas/{name}"}, value, "")
        shared.check(f"the error of {path} is as described", got == status and not wrong, wrong)
    kind, text = text_of(d, "/api/v1/openapi.yaml")
    shared.check("the YAML is no JSON", kind == "application/yaml" and text.startswith("openapi: \"3.0.3\"\n"), text[:100])
    lines = text.splitlines()
    bad = [line for line in lines if not re.fullmatch(r'( {2})*(-|[A-Za-z_]{4,}:|"(\\.|[^"\\])*":)( ("(\\.|[^"\\])*"|\[\]|\{\}|true|false|-?\d+))?', line)]
    shared.check("each line of it is a key, a dash, a value", not bad, bad[:3])
    shared.check("it holds all paths", all(f'  "{path}":' in lines for path in document["paths"]))


def metrics():
    c = http.client.HTTPConnection("127.0.0.1", metrics_port, timeout=10)
    c.request("GET", "/metrics")
    helped, typed, bare, names = set(), {}, [], set()
    for line in c.getresponse().read().decode().splitlines():
        if line.startswith("# HELP "):
            name, text = line[7:].split(" ", 1)
            bare += [name] if name in helped or not text.strip() else []
            helped.add(name)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            typed[name] = kind
        else:
            name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line).group(0)
            names.add(name)
    parts = {f"{n}_{part}" for n, kind in typed.items() if kind == "histogram" for part in ("bucket", "sum", "count")}
    bare += [n for n in names - parts if n not in helped or n not in typed]
    shared.check("each series of the metrics has one HELP and a TYPE", names and not bare, bare)
    odd = [n for n, kind in typed.items() if (kind == "counter") != n.endswith("_total") and not n.startswith("process_")]
    shared.check("counters, and only they, end in _total", not odd, odd)


def version(d):
    told = json.loads(text_of(d, "/version")[1])
    headway = os.path.join(os.path.dirname(shared.HEADWAYD), "headway")
    printed = json.loads(subprocess.run([headway, "version", "-o", "json"], capture_output=True, check=True).stdout)
    shared.check("GET /version and 'headway version -o json' tell the same", told == printed, f"{told} {printed}")
    text = subprocess.run([headway, "version"], capture_output=True, text=True, check=True).stdout
    shared.check("and so does the plain text", told["headway"] in text and told["version"] in text, text)


daemon = shared.Daemon(metrics=metrics_port)
with daemon:
    openapi(daemon)
    metrics()
    version(daemon)
shared.finish()
