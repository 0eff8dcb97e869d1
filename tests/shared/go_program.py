# SPDX-License-Identifier: BSD-3-Clause
"""Programs in Go that tests build: peers of which no line is ours."""
import os
import shutil
import subprocess
import tempfile

from daemon import skip_all


def built(source, name, what):
    """The folder of the program; without Go, or where its modules cannot be had, the test is skipped with what is not tested."""
    if not shutil.which("go"):
        skip_all(f"{what} is not tested: there is no Go here")
    folder = tempfile.mkdtemp(prefix="hwgo")
    done = subprocess.run(["go", "build", "-p", "2", "-o", os.path.join(folder, name), "."], cwd=source,
                          env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(folder)
        skip_all(f"{what} cannot be built here: " + (done.stderr.strip().splitlines() or [""])[-1])
    return folder
