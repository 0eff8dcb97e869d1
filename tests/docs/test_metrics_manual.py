#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# limit: 120
"""headway-metrics(7) names each figure that a daemon has, and no other; the same for the codes of the report of health.
Prometheus' own tool takes the alerts, and each figure in them is one of the page."""
import http.client
import os
import re
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shared"))
import daemon as shared  # noqa: E402
import promtool  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
with open(os.path.join(TOP, "man/headway-metrics.7"), encoding="utf-8") as f:
    PAGE = f.read()
with open(os.path.join(TOP, "server/api/view/health_reasons.c"), encoding="utf-8") as f:
    REASONS = f.read()


def section(name):
    return PAGE.split(f".Sh {name}\n", 1)[1].split("\n.Sh ", 1)[0]


def items(text, macro):
    return re.findall(rf"^\.It {macro} (\S+)$", text, re.M)


def figures():
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("GET", "/metrics")
    return re.findall(r"^# TYPE (\S+) ", c.getresponse().read().decode(), re.M)


port = shared.free_port()
daemon = shared.Daemon(metrics=port, extra=f"tls_letsencrypt_hostname: hw.example.com\ntls_letsencrypt_listen: 127.0.0.1:{shared.free_port()}\n"
                       "acme_url: https://127.0.0.1:9/\n")
daemon.env = {**os.environ, "HEADWAY_TLS_LETSENCRYPT_CACHE_DIR": os.path.join(daemon.dir, "cache")}
daemon.tls = ssl.create_default_context()
daemon.tls.check_hostname = False
daemon.tls.verify_mode = ssl.CERT_NONE
with daemon:
    real = figures()
named = items(section("FIGURES"), "Cm")
shared.check("the daemon has figures", len(real) > 50, real)
shared.check("no figure is there twice", len(set(real)) == len(real) and len(set(named)) == len(named), real + named)
shared.check("the page names each figure", not set(real) - set(named), sorted(set(real) - set(named)))
shared.check("and no other", not set(named) - set(real), sorted(set(named) - set(real)))

codes = re.findall(r'\[REASON_\w+\] = \{"([a-z-]+)"', REASONS)
listed = items(section("HEALTH"), "Li")
shared.check("there are codes", len(codes) > 8, codes)
shared.check("the page names each code of the report of health, and no other", sorted(codes) == sorted(listed),
             sorted(set(codes) ^ set(listed)))

rules = section("ALERTS").split(".Bd -literal\n", 1)[1].split("\n.Ed", 1)[0]
used = set(re.findall(r"\b(?:headway|headscale)_[a-z_]+", rules))
unknown = {u for u in used if u not in named and re.sub(r"_(bucket|sum|count)$", "", u) not in named}
shared.check("alerts ask for figures that there are", used and not unknown, unknown)
tool = promtool.find()
if tool:
    said = subprocess.run([tool, "check", "rules", "/dev/stdin"], input=rules, capture_output=True, text=True, check=False)
    shared.check("promtool takes the alerts", said.returncode == 0, said.stdout + said.stderr)
else:
    print(f"ok - promtool takes the alerts # skip {promtool.MISSING}")
shared.finish()
