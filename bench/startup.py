#!/usr/bin/env python3
"""Start-up and stop, the whole process each time.

- `startup.*`: `flowrun validate` of a chain of 10 and of 1,000 nodes, `flowrun list`, and `flowrun` on a finished run, from fork to exit, in turn, so that a
  slow moment hits all of them. `startup.true` is /bin/true: what a process costs here anyway.
- `stop.sigint_in_a_data_stage`: from SIGINT to exit while a chain of filters reads data/books again and again.

    bench/startup.py [REPEATS]
"""

import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from common import FLOWRUN, ROOT, emit


def chain(nodes):
    """A reader, filters one after another, and a writer."""
    lines = ['[node.n0]\nplugin = "readers/text"\npaths = ["*.txt"]\ndomain = "books"\n']
    lines += [f'[node.n{i}]\nplugin = "filters/gopher_quality"\nin = "n{i - 1}"\nwords = "whitespace"\nmin_doc_words = {i % 50}\n' for i in range(1, nodes - 1)]
    lines.append(f'[node.n{nodes - 1}]\nplugin = "writers/jsonl"\nin = "n{nodes - 2}"\npath = "out.jsonl"\n')
    return "\n".join(lines)


def finished_run(folder):
    """Runs a small graph once; returns the command that finds it finished."""
    (folder / "in.txt").write_text("one text\n\nanother\n", encoding="utf-8")
    graph = folder / "finished.toml"
    graph.write_text('[node.in]\nplugin = "readers/text"\npaths = ["in.txt"]\nsplit = "blank_lines"\n'
                     '[node.out]\nplugin = "writers/jsonl"\nin = "in"\npath = "out.jsonl"\n', encoding="utf-8")
    command = [str(FLOWRUN), "run", str(graph), "-q", "--output", str(folder / "run"), "--artifacts", str(folder / "artifacts")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return command


def stop_seconds(folder, generator):
    """Interrupts a data stage at a random moment after it has begun; returns the seconds until it has exited."""
    names = sorted((ROOT / "data/books").glob("*.txt"))
    if not names:
        return None
    paths = ", ".join(f'"{name}"' for name in names)
    graph = folder / "stop.toml"
    readers = [f'[node.r{i}]\nplugin = "readers/text"\npaths = [{paths}]\nsplit = "bytes"\n' for i in range(40)]
    inputs = ", ".join(f'"r{i}"' for i in range(40))
    graph.write_text("\n".join(readers) + f'[node.good]\nplugin = "filters/gopher_quality"\nin = [{inputs}]\nwords = "whitespace"\n'
                     '[node.out]\nplugin = "writers/jsonl"\nin = "good"\npath = "out.jsonl.zst"\n', encoding="utf-8")
    command = [str(FLOWRUN), "run", str(graph), "-q", "--fresh", "--no-cache", "--output", str(folder / "stop")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3 + generator.random())
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    code = process.wait()
    elapsed = time.perf_counter() - start
    if code != 130:
        sys.exit(f"the interrupted run exited with {code}, expected 130")
    return elapsed


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
        commands = {"true": ["/bin/true"], "list": [str(FLOWRUN), "list"], "finished_run": finished_run(pathlib.Path(folder))}
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
        generator = random.Random(1)
        stops = [elapsed for elapsed in (stop_seconds(pathlib.Path(folder), generator) for _ in range(9)) if elapsed is not None]
    for name, values in found.items():
        emit(f"startup.{name}", "ms", values)
    emit("stop.sigint_in_a_data_stage", "ms", [elapsed * 1e3 for elapsed in stops], **({} if stops else {"failed": "no text in data/books"}))


if __name__ == "__main__":
    main()
