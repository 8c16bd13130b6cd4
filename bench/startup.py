#!/usr/bin/env python3
"""Start-up: `flowrun validate` of a chain of 10 and of 1,000 nodes, and `flowrun list`, from fork to exit, the whole process.

The commands are measured in turn, so that a slow moment hits all of them. `startup.true` is /bin/true: what a process costs here anyway.

    bench/startup.py [REPEATS]
"""

import os
import pathlib
import sys
import tempfile
import time

from common import FLOWRUN, emit


def chain(nodes):
    """A reader, filters one after another, and a writer."""
    lines = ['[node.n0]\nplugin = "readers/text"\npaths = ["*.txt"]\ndomain = "books"\n']
    lines += [f'[node.n{i}]\nplugin = "filters/gopher_quality"\nin = "n{i - 1}"\nwords = "whitespace"\nmin_doc_words = {i % 50}\n' for i in range(1, nodes - 1)]
    lines.append(f'[node.n{nodes - 1}]\nplugin = "writers/jsonl"\nin = "n{nodes - 2}"\npath = "out.jsonl"\n')
    return "\n".join(lines)


def seconds(command, null):
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    elapsed = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(command)} exited with {status}")
    return elapsed


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 41
    null = os.open(os.devnull, os.O_WRONLY)
    with tempfile.TemporaryDirectory() as folder:
        commands = {"true": ["/bin/true"], "list": [str(FLOWRUN), "list"]}
        for nodes in (10, 1000):
            graph = pathlib.Path(folder) / f"chain_{nodes}.toml"
            graph.write_text(chain(nodes), encoding="utf-8")
            commands[f"validate_{nodes}_nodes"] = [str(FLOWRUN), "validate", str(graph)]
        found = {name: [] for name in commands}
        for repeat in range(-2, repeats):
            for name, command in commands.items():
                elapsed = seconds(command, null) * 1e3
                if repeat >= 0:
                    found[name].append(elapsed)
    for name, values in found.items():
        emit(f"startup.{name}", "ms", values)


if __name__ == "__main__":
    main()
