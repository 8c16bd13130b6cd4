#!/usr/bin/env python3
"""Writes html_entities.inc, the named character references of HTML (https://html.spec.whatwg.org/#named-character-references), sorted by name.

The list is that of Python's html.entities; references without a semicolon are left out.
"""
import html.entities
import pathlib


def literal(text):
    return '"' + "".join(c if " " < c <= "~" and c not in '"\\' else "".join(f"\\{b:03o}" for b in c.encode()) for c in text) + '"'


def main():
    rows = sorted((name[:-1], value) for name, value in html.entities.html5.items() if name.endswith(";"))
    lines = [""]
    for name, value in rows:
        cell = "{%s, %s}, " % (literal(name), literal(value))
        if len(lines[-1]) + len(cell) > 160:
            lines.append("")
        lines[-1] += cell
    out = pathlib.Path(__file__).with_name("html_entities.inc")
    out.write_text("// Made by make_html_entities.py: do not edit.\n" + "".join(line.rstrip() + "\n" for line in lines))


if __name__ == "__main__":
    main()
