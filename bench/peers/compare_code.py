#!/usr/bin/env python3
"""Compares what readers/code says of real files with independent software: languages with Pygments' lexers, licences with the copyright files of Debian's packages.

    compare_code.py FOLDER... [--files N] [--licenses FOLDER]

Languages: for each text file below the folders, Pygments' get_lexer_for_filename with the text (its file-name patterns and analyse_text), by the names that the two
give, where both know the file; names that mean one language are made one (ALIASES), and pairs whose difference is one of naming or of taste are counted apart
(EXPLAINED, each with its reason). Licences: stanzas of machine-readable /usr/share/doc/*/copyright with a full text, by the short name that stands there; and
/usr/share/common-licenses. Prints JSON lines with confusions and speeds; exits with 1 where more than 2% of the files differ without a known reason, or more
than 10% of the licence texts: Debian's short names are looser than the texts ("GPL-2" for "version 2 or any later version", "Expat" for any grant like it).
"""

import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import pygments
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from common import FLOWRUN  # noqa: E402

# Pygments' name: linguist's.
ALIASES = {"Bash": "Shell", "Text only": "Text", "HTML": "HTML", "reStructuredText": "reStructuredText", "Groff": "Roff", "Transact-SQL": "TSQL", "GAS": "Unix Assembly", "NASM": "Assembly", "Perl6": "Raku", "Lex": "Lex",
           "Debian Control file": "Debian Package Control File", "Vim": "Vim Script", "VimL": "Vim Script", "Tcsh": "Tcsh", "LLVM": "LLVM", "Gettext Catalog": "Gettext Catalog", "Makefile": "Makefile", "DTD": "XML",
           "Docker": "Dockerfile", "EmacsLisp": "Emacs Lisp", "Common Lisp": "Common Lisp", "Scheme": "Scheme", "MIME": "", "INI": "INI", "TOML": "TOML", "Properties": "Java Properties", "Cython": "Cython", "JSON": "JSON",
           "Fortran": "Fortran", "FortranFixed": "Fortran", "Matlab": "MATLAB", "S": "R", "ANTLR": "ANTLR", "Objective-C": "Objective-C", "verilog": "Verilog", "vhdl": "VHDL", "systemverilog": "SystemVerilog", "Mako": "Mako",
           "Diff": "Diff", "Jinja": "Jinja", "Standard ML": "Standard ML", "TeX": "TeX", "CSS": "CSS", "SCSS": "SCSS", "C": "C", "C++": "C++", "Batchfile": "Batchfile", "Awk": "Awk", "Markdown": "Markdown", "Coq": "Coq",
           "Hxml": "HXML", "Ada": "Ada", "D": "D", "Modula-2": "Modula-2", "SWIG": "SWIG", "PHP": "PHP", "Embedded Ragel": "Ragel", "GLSL": "GLSL", "Go": "Go", "Kconfig": "Kconfig", "TableGen": "LLVM TableGen", "Device Tree": "Device Tree", "Devicetree": "Device Tree"}
EXPLAINED = {
    ("C", "C++"): "the rule for a header: Pygments takes .h as C but for a few words; flowrun looks for what C has not",
    ("C++", "C"): "Pygments takes a header that is used by both as C++ for its name or for 'extern \"C\"' words",
    ("Roff", "Roff Manpage"): "linguist has a language of its own for manual pages",
    ("XML", "SVG"): "linguist has a language of its own for SVG",
    ("C", "Linker Script"): "the file names its language in its first line",
    ("Unix Assembly", "Assembly"): "one language, two dialects",
    ("Assembly", "Unix Assembly"): "one language, two dialects",
    ("Python", "Cython"): "Pygments knows .pyx as Cython, a header of Python's as Python",
    ("JSON", "Jupyter Notebook"): "a notebook is JSON",
    ("Text", "Vim Help File"): "the modeline of Vim's help",
    ("INI", "TOML"): "Pygments' pattern *.cfg, *.toml by name",
    ("Perl", "Raku"): "the text says use v6",
    ("Prolog", "Perl"): "Perl's own tables (unicore), which Pygments takes for Prolog",
    ("Objective-C", "C"): "Pygments takes a header for Objective-C because of an @ in a comment",
    ("Objective-C", "C++"): "Pygments takes a header for Objective-C because of an @ in a comment",
    ("R", "Unix Assembly"): "Pygments knows *.S as a language of statistics alone",
    ("Logos", "RPC"): "protocols of Sun RPC; Pygments knows *.x as Logos alone",
    ("Singularity", "C++"): "lists of macros; Pygments knows *.def as Singularity alone",
    ("XML", "Maven POM"): "linguist has a language of its own for pom.xml",
    ("Text", "CMake"): "CMakeLists.txt",
    ("Unix Assembly", "Motorola 68K Assembly"): "linguist has a language of its own for the processor",
}


def normal(name):
    return ALIASES.get(name, name)


def text_files(folders, count):
    found = [path for folder in folders for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file() and not path.is_symlink() and 0 < path.stat().st_size < 200_000]
    random.Random(1).shuffle(found)
    texts = []
    for path in found:
        data = path.read_bytes()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if "\0" not in text[:8000]:
            texts.append((path, text))
        if len(texts) == count:
            break
    return texts


def run_flowrun(named_texts, plugins, **parameters):
    """Gives files to flowrun in a tar archive, by numbered folders and their own names; returns the columns by number, and the seconds of the stage."""
    import io
    import tarfile
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(f"{folder}/files.tar", "w") as archive:
            for index, (name, text) in enumerate(named_texts):
                data = text.encode()
                member = tarfile.TarInfo(f"{index}/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        settings = "".join(f"{key} = {json.dumps(value)}\n" for key, value in parameters.items())
        pathlib.Path(folder, "graph.toml").write_text(f'[run]\nthreads = 1\n[node.code]\nplugin = "readers/code"\npaths = ["files.tar"]\non_error = "skip"\n{settings}[node.out]\nplugin = "writers/jsonl"\nin = "code"\npath = "out.jsonl"\n')
        command = [str(FLOWRUN), f"{folder}/graph.toml", "--output", f"{folder}/run", "--artifacts", f"{folder}/artifacts", "--set", "run.max_error_fraction=1.0", "--json"]
        for plugin_folder in plugins:
            command += ["--plugins", plugin_folder]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{command}: {result.stderr}")
        rows = {}
        for line in pathlib.Path(folder, "run/out.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            rows[int(row["path"].split("/", 1)[0])] = row
        return rows, sum(stage["seconds"] for stage in json.loads(result.stdout)["stages"])


def compare_languages(folders, count, plugins):
    files = text_files(folders, count)
    megabytes = sum(len(text.encode()) for _, text in files) / 1e6
    rows, seconds = run_flowrun([(path.name, text) for path, text in files], plugins, license="header")
    started, theirs = time.process_time(), []
    for path, text in files:
        try:
            theirs.append(normal(get_lexer_for_filename(path.name, text).name))
        except ClassNotFound:
            theirs.append("")
    peer_seconds = time.process_time() - started
    pairs, examples = collections.Counter(), {}
    counts = collections.Counter()
    for index, (path, _) in enumerate(files):
        ours, peer = rows[index]["language"] if index in rows else None, theirs[index]
        if ours is None:
            counts["not_given"] += 1
        elif not ours or not peer:
            counts["both_unknown" if not ours and not peer else "known_to_flowrun_alone" if ours else "known_to_pygments_alone"] += 1
            if peer:
                examples.setdefault(f"only pygments: {peer}", path.name)
        elif ours == peer:
            counts["equal"] += 1
        else:
            counts["explained" if (peer, ours) in EXPLAINED else "different"] += 1
            pairs[peer, ours] += 1
            examples.setdefault(f"{peer} -> {ours}", path.name)
    confusion = [{"pygments": peer, "flowrun": ours, "files": n, "example": examples[f"{peer} -> {ours}"], "reason": EXPLAINED.get((peer, ours))} for (peer, ours), n in pairs.most_common(25)]
    print(json.dumps({"name": "code.languages", "files": len(files), "megabytes": round(megabytes, 1), **counts, "languages": len({row["language"] for row in rows.values()}), "pygments": pygments.__version__,
                      "flowrun_mb_per_second": round(megabytes / seconds, 1), "pygments_mb_per_second": round(megabytes / peer_seconds, 1), "confusion": confusion,
                      "only_pygments": {key[15:]: value for key, value in examples.items() if key.startswith("only")}}), flush=True)
    known = counts["equal"] + counts["explained"] + counts["different"]
    return counts["not_given"] == 0 and counts["different"] <= 0.02 * known


# Debian's short names: SPDX's, as flowrun has them.
SHORT = {"expat": "MIT", "mit": "MIT", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause", "bsd-4-clause": "BSD-4-Clause", "apache-2.0": "Apache-2.0", "isc": "ISC", "zlib": "Zlib", "bsl-1.0": "BSL-1.0", "boost-1.0": "BSL-1.0",
         "unlicense": "Unlicense", "cc0-1.0": "CC0-1.0", "cc0": "CC0-1.0", "x11": "X11", "ncsa": "NCSA", "gpl-2": "GPL-2.0-only", "gpl-2+": "GPL-2.0-or-later", "gpl-3": "GPL-3.0-only", "gpl-3+": "GPL-3.0-or-later",
         "lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+": "LGPL-2.1-or-later", "lgpl-2": "LGPL-2.0-only", "lgpl-2+": "LGPL-2.0-or-later", "lgpl-2.0+": "LGPL-2.0-or-later", "lgpl-3": "LGPL-3.0-only", "lgpl-3+": "LGPL-3.0-or-later", "bsd-3": "BSD-3-Clause",
         "mpl-2.0": "MPL-2.0", "mpl-1.1": "MPL-1.1", "agpl-3+": "AGPL-3.0-or-later", "bsd-2": "BSD-2-Clause", "0bsd": "0BSD", "psf-2": "PSF-2.0", "psf-2.0": "PSF-2.0", "ofl-1.1": "OFL-1.1", "wtfpl": "WTFPL", "wtfpl-2": "WTFPL"}
COMMON = {"Apache-2.0": "Apache-2.0", "Artistic": "Artistic-1.0", "BSD": "BSD-3-Clause", "CC0-1.0": "CC0-1.0", "GFDL-1.2": "GFDL-1.2", "GFDL-1.3": "GFDL-1.3", "GPL-1": "GPL-1.0", "GPL-2": "GPL-2.0", "GPL-3": "GPL-3.0", "LGPL-2": "LGPL-2.0",
          "LGPL-2.1": "LGPL-2.1", "LGPL-3": "LGPL-3.0", "MPL-1.1": "MPL-1.1", "MPL-2.0": "MPL-2.0"}


def license_stanzas(folder):
    """Yields (short name, text) of the stanzas that have a text, without the dots of empty lines."""
    for path in sorted(pathlib.Path(folder).glob("*/copyright")):
        text = path.read_text(encoding="utf-8", errors="ignore") if path.is_file() else ""
        if not text.startswith("Format:"):
            continue
        for short, body in re.findall(r"^License:[ \t]*([^\n]+)\n((?:[ \t][^\n]*\n)+)", text, re.M):
            lines = [line.strip() for line in body.splitlines()]
            yield short.strip().lower(), "\n".join("" if line == "." else line for line in lines) + "\n", str(path)


def compare_licenses(folder, plugins):
    cases, seen = [], set()
    for short, text, path in license_stanzas(folder):
        if short in SHORT and len(text) > 200 and (short, text) not in seen:
            seen.add((short, text))
            cases.append((SHORT[short], text, path))
    common = pathlib.Path("/usr/share/common-licenses")
    cases += [(spdx, common.joinpath(name).read_text(encoding="utf-8"), name) for name, spdx in COMMON.items() if common.joinpath(name).exists()]
    rows, seconds = run_flowrun([("notice.txt", text) for _, text, _ in cases], plugins, license="header")
    equal, different = 0, collections.Counter()
    examples = {}
    for index, (expected, _, path) in enumerate(cases):
        found = rows[index]["license"]
        if found == expected:
            equal += 1
        else:
            different[expected, found] += 1
            examples.setdefault((expected, found), path)
    print(json.dumps({"name": "code.licenses", "texts": len(cases), "equal": equal, "different": [{"debian": e, "flowrun": f, "texts": n, "example": examples[e, f]} for (e, f), n in different.most_common(30)], "seconds": seconds}), flush=True)
    return len(cases) - equal <= 0.1 * len(cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", default=["/usr/include", "/usr/lib/python3", "/usr/share/perl"])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--licenses", default="/usr/share/doc")
    parser.add_argument("--plugins", action="append", default=[])
    arguments = parser.parse_args()
    languages = compare_languages(arguments.folders, arguments.files, arguments.plugins)
    licenses = compare_licenses(arguments.licenses, arguments.plugins)
    sys.exit(0 if languages and licenses else 1)


if __name__ == "__main__":
    main()
