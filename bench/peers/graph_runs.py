"""Runs graphs whole, for comparisons and speeds of readers and writers."""

import json
import pathlib
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import FLOWRUN  # noqa: E402


def _write(folder, graph):
    (folder / "graph.toml").write_text(graph, encoding="utf-8")
    shutil.rmtree(folder / "run", ignore_errors=True)


def run(folder, graph, threads=1):
    """Runs a graph in `folder` into `run` there, without the cache; returns its summary."""
    _write(folder, graph)
    command = [FLOWRUN, "run", "graph.toml", "--output", "run", "--no-cache", "--threads", str(threads), "--json"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if finished.returncode != 0:
        raise SystemExit(f"flowrun ended with {finished.returncode}: {finished.stderr}")
    return json.loads(finished.stdout)


def peak_megabytes(folder, graph):
    """Peak memory of one run with one thread, by a process of its own that has no other child."""
    _write(folder, graph)
    code = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],check=True,capture_output=True);print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024)"
    command = [sys.executable, "-c", code, FLOWRUN, "run", "graph.toml", "--output", "run", "--no-cache", "--threads", "1"]
    return float(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout)


def cpu_seconds():
    """Of this process and its children: what others do on the machine does not count."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
