"""Runs flowrun_reader_tool for the comparisons of readers."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD  # noqa: E402

TOOL = BUILD / "bin/flowrun_reader_tool"


def _run(plugin, command, files, parameters):
    words = [f"{key}={value}" for key, values in parameters.items() for value in (values if isinstance(values, list) else [values])]
    words = [str(word).replace("=True", "=true").replace("=False", "=false") for word in words]
    result = subprocess.run([TOOL, BUILD / f"plugins/{plugin}.so", command, *words, "--", *files], capture_output=True)
    if result.returncode != 0:
        raise SystemExit(result.stderr.decode())
    return [json.loads(line) for line in result.stdout.split(b"\n")[:-1]]


def documents(plugin, files, **parameters):
    """Returns the documents and the errors that a reader gives."""
    lines = _run(plugin, "documents", files, parameters)
    return [line for line in lines if "error" not in line], [line for line in lines if "error" in line]


def speed(plugin, files, **parameters):
    """Returns the figures of one run: documents, bytes (of text), errors, cpu_seconds."""
    return _run(plugin, "speed", files, parameters)[0]


def record_number(document):
    """Returns the number of a document in its file, where its id is the reader's own."""
    return int(document["id"].rsplit("#", 1)[1])
