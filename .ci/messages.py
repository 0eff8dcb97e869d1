# SPDX-License-Identifier: BSD-3-Clause
"""What travels between daemons, or lies in the database, is described by tables of members. A member that no table names is
lost on the way: this finds them by reading the structs."""
import re
from pathlib import Path

from csource import strip_comments

TABLES = ["server/core/message/calls.c", "server/core/message/publication_tables.c", "server/core/message/codec.c",
          "server/core/message/publication.c", "server/store/tables/tables.c"]
HEADERS = ["common/model/record.h", "common/model/warning.h", "common/net/addr.h", "common/base/err.h", "common/policy/policy.h",
           "server/core/call.h", "server/core/core.h", "server/core/client.h", "server/core/admin.h", "server/core/message/calls.h",
           "server/core/message/publication.h", "server/tailnet/tailnet.h"]
# A struct whose members are carried as those of another one.
CARRIED_AS = {"tailnet_node": "publication_change", "change": "publication_change", "tailnet_snapshot": "publication"}
# Structs inside others: their members have rows there, "info.hostname".
INNER = {"client_info", "prefix_rule", "core_token", "core_reach", "core_webhook", "dns_values", "node_live", "err", "record"}
# What has no row, and why.
WITHOUT = {
    "the sender's or the core's own": ["*.call", "core_call.*", "*.refs"],
    "the length of an array, which goes with it": ["core_map.endpoint_count", "*.live.endpoint_count", "tailnet_settings.probe_count",
                                                   "tailnet_snapshot.*_count"],
    "its kind, id and version go with each record": ["*.r.refs", "*.r.kind", "*.r.id", "*.r.version", "record.kind", "record.id"],
    "it is the text": ["core_notice.reach.evidence", "core_notice.webhook.trouble"],
    "of this daemon alone": ["tailnet_node.slot", "tailnet_node.version", "change.seq", "change.slot", "tailnet_snapshot.seq",
                             "tailnet_snapshot.*_version", "tailnet_settings.*_version"],
    "made of the nodes again": ["tailnet_snapshot.blocks", "tailnet_snapshot.ranked_exits"],
    "the one that the record names": ["tailnet_node.user"],
}


def members_of(structs, name, prefix=""):
    for declaration in structs[name].split(";"):
        declaration = " ".join(declaration.split())
        if not declaration or "(*" in declaration:
            continue
        inner = re.match(r"(?:const )?struct (\w+) (\w+)$", declaration)
        if inner and inner.group(1) in INNER:
            yield from members_of(structs, inner.group(1), f"{prefix}{inner.group(2)}.")
            continue
        declaration = re.sub(r"VEC\([^)]*\)", "list", declaration)
        for part in declaration.split(","):
            yield prefix + re.search(r"(\w+)(\[\w+( \+ 1)?\])?( : \d+)?$", part.strip()).group(1)


def rows():
    """{struct: members that have a row}"""
    found = {}
    for path in filter(lambda p: Path(p).exists(), TABLES):
        text = re.sub(r"/\*.*?\*/", "", Path(path).read_text(encoding="utf-8").replace("\\\n", " "), flags=re.S)
        shared = re.findall(r"\b[A-Z_0-9]+\(type, ([\w.]+)", text)
        for kind, _, member in re.findall(r"\b[A-Z_0-9]+\((\w+), (\"\w+\", *)?([\w.]+)", text):
            found.setdefault(kind, set()).add(member)
        for kind in re.findall(r"CLIENT_INFO\((\w+)\)", text):
            found.setdefault(kind, set()).update(m for m in shared if m.startswith("info."))
        found.setdefault("publication", set()).update(re.findall(r"\bX\((\w+), \w+, RECORD_", text))
    return found


def missing():
    """(path, line, what) of each member that nothing carries."""
    text = {path: Path(path).read_text(encoding="utf-8") for path in HEADERS if Path(path).exists()}
    structs, places = {}, {}
    for path in text:
        bare = strip_comments(text[path])
        for m in re.finditer(r"^struct (\w+) \{(.*?)^\}", bare, flags=re.S | re.M):
            structs[m.group(1)], places[m.group(1)] = m.group(2), (path, bare[:m.start()].count("\n") + 1)
    excuses = [re.compile(re.escape(e).replace(r"\*", ".*") + "$") for names in WITHOUT.values() for e in names]
    tables = rows()
    for name in sorted(structs):
        carried = tables.get(CARRIED_AS.get(name, name))
        if not carried or name in INNER - {"record"}:
            continue
        for member in members_of(structs, name):
            if member not in carried and not any(e.match(f"{name}.{member}") for e in excuses):
                yield *places[name], f"struct {name}: {member} has no row in a table of members (see .ci/messages.py): it would be lost on the way"
