#!/usr/bin/env python3
"""Writes case_tables.inc: which code points Python counts as letters with case and which it looks past when it makes a capital sigma small at the end of a word.

    plugins/common/text/make_case_tables.py > plugins/common/text/case_tables.inc

Both are properties of Unicode (Cased, Case_Ignorable) that Python does not name, so they are asked of str.lower() itself. Written with Python 3.11 (Unicode 14, PSF licence).
"""

import sys
import unicodedata

FINAL = "\u03c2"


def ends_with_final(text):
    return text.lower().endswith(FINAL)


def is_ignored(c):
    return ends_with_final("A" + c + "\u03a3") and not ends_with_final("1" + c + "\u03a3")


def is_cased(c):
    return ends_with_final("1" + c + "\u03a3")


def ranges(holds):
    found = []
    for code in range(sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000 or not holds(chr(code)):
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def show(name, found):
    print(f"constexpr Range {name}[] = {{")
    line = "   "
    for first, last in found:
        item = f" {{0x{first:X}, 0x{last:X}}},"
        if len(line) + len(item) > 150:
            print(line)
            line = "   "
        line += item
    print(line)
    print("};")


print(f"// Made by make_case_tables.py with Unicode {unicodedata.unidata_version}: do not edit.")
show("kCasedRanges", ranges(is_cased))
show("kCaseIgnorableRanges", ranges(is_ignored))
