#!/usr/bin/env python3
"""Writes encodings.inc and encodings_golden.inc from the tables of the Encoding Standard (https://encoding.spec.whatwg.org, its repository whatwg/encoding; copied at commit
a985b62a9b45c17da3e17a9f0a0b4e30c34c4a8a of 2026-05-21, licensed BSD-3-Clause for use in source code).

    make_encodings.py FOLDER      FOLDER: a checkout of whatwg/encoding, with encodings.json and index-*.txt

It has the labels, the tables of the encodings with a byte a character, the few pairs of bytes that glibc's iconv maps otherwise than the standard (so it needs a glibc),
and for each encoding with several bytes a checksum of what the standard gives for every pair, which text_decoder_test.cpp expects of the decoder.
"""

import ctypes
import json
import pathlib
import sys

# The standard's encodings of several bytes, and what glibc calls them. EUC-JP and ISO-2022-JP are brought to Shift_JIS first.
CONVERTERS = {"Shift_JIS": "CP932", "EUC-JP": "CP932", "ISO-2022-JP": "CP932", "EUC-KR": "CP949", "gb18030": "GB18030", "GBK": "GB18030", "Big5": "BIG5-HKSCS"}
BIG5_PAIRS = {1133: "\u00ca\u0304", 1135: "\u00ca\u030c", 1164: "\u00ea\u0304", 1166: "\u00ea\u030c"}


def read_index(folder, name):
    index = {}
    for line in (folder / f"index-{name}.txt").read_text(encoding="utf-8").split("\n"):
        if line.strip() and not line.startswith("#"):
            pointer, code = line.split()[:2]
            index[int(pointer)] = chr(int(code, 16))
    return index


def pairs(leads, trails, text_of):
    return {bytes([lead, trail]): text_of(lead, trail) for lead in leads for trail in trails}


def standard_pairs(folder):
    """Gives for each encoding what the standard's decoder makes of its pairs of bytes, None: an error."""
    jis, korean, chinese, big5 = (read_index(folder, name) for name in ("jis0208", "euc-kr", "gb18030", "big5"))
    to_trail = lambda trail, first: trail - (0x40 if trail < 0x7F else first)

    def shift_jis(lead, trail):
        pointer = (lead - (0x81 if lead < 0xA0 else 0xC1)) * 188 + to_trail(trail, 0x41)
        return chr(0xE000 - 8836 + pointer) if 8836 <= pointer <= 10715 else jis.get(pointer)

    low = [*range(0x40, 0x7F), *range(0x80, 0xFD)]
    yield "Shift_JIS", pairs([*range(0x81, 0xA0), *range(0xE0, 0xFD)], low, shift_jis)
    yield "EUC-JP", pairs(range(0xA1, 0xFF), range(0xA1, 0xFF), lambda lead, trail: jis.get((lead - 0xA1) * 94 + trail - 0xA1))
    yield "EUC-KR", pairs(range(0x81, 0xFF), range(0x41, 0xFF), lambda lead, trail: korean.get((lead - 0x81) * 190 + trail - 0x41))
    yield "gb18030", pairs(range(0x81, 0xFF), [*range(0x40, 0x7F), *range(0x80, 0xFF)], lambda lead, trail: chinese.get((lead - 0x81) * 190 + to_trail(trail, 0x41)))

    def big5_text(lead, trail):
        pointer = (lead - 0x81) * 157 + to_trail(trail, 0x62)
        return BIG5_PAIRS.get(pointer) or big5.get(pointer)

    yield "Big5", pairs(range(0x81, 0xFF), [*range(0x40, 0x7F), *range(0xA1, 0xFF)], big5_text)


class Iconv:
    def __init__(self, name):
        self.libc = ctypes.CDLL("libc.so.6")
        self.libc.iconv_open.restype = ctypes.c_void_p
        self.libc.iconv_open.argtypes = [ctypes.c_char_p] * 2
        self.libc.iconv.restype = ctypes.c_ssize_t
        self.libc.iconv.argtypes = [ctypes.c_void_p] * 5
        self.handle = self.libc.iconv_open(b"UTF-8", name.encode())

    def decode(self, data):
        self.libc.iconv(self.handle, None, None, None, None)
        source, target = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(64)
        at, left = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_size_t(len(data))
        to, room = ctypes.c_void_p(ctypes.addressof(target)), ctypes.c_size_t(64)
        result = self.libc.iconv(self.handle, *map(ctypes.byref, (at, left, to, room)))
        if result < 0 or left.value:
            return None
        self.libc.iconv(self.handle, None, None, ctypes.byref(to), ctypes.byref(room))
        return target.raw[: 64 - room.value].decode("utf-8", "surrogatepass")


def differences(name, expected):
    """What the decoder must not ask iconv for."""
    if name == "EUC-JP":  # decoded as Shift_JIS
        return {}
    converter = Iconv(CONVERTERS[name])
    return {pair: text for pair, text in expected.items() if converter.decode(pair) != text}


def checksum(expected):
    """FNV-1a, 64 bits, over the UTF-8 of all pairs in order, an error as U+FFFD, each with a newline behind it."""
    value = 0xCBF29CE484222325
    for pair in sorted(expected):
        for byte in ((expected[pair] or "\ufffd") + "\n").encode():
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def wrapped(cells, width=160):
    lines = [""]
    for cell in cells:
        if len(lines[-1]) + len(cell) > width:
            lines.append("")
        lines[-1] += cell + " "
    return "".join(f"  {line.rstrip()}\n" for line in lines)


def main():
    folder = pathlib.Path(sys.argv[1])
    encodings = [e for group in json.loads((folder / "encodings.json").read_text()) for e in group["encodings"]]
    single = [e["name"] for group in json.loads((folder / "encodings.json").read_text()) if "single-byte" in group["heading"] for e in group["encodings"]]
    out = ["// Made by make_encodings.py from the tables of https://encoding.spec.whatwg.org: do not edit.\n\n"]
    out.append("/// U+0080 and up of the encodings with a byte a character; 0: no character.\nconstexpr char16_t kSingleByte[][128] = {\n")
    for name in single:
        index = read_index(folder, {"ISO-8859-8-I": "iso-8859-8"}.get(name, name.lower()))
        out.append(f"  {{  // {name}\n" + wrapped([f"0x{ord(index.get(i, chr(0))):X}," for i in range(128)]) + "  },\n")
    out.append("};\n\nconstexpr Encoding kEncodings[] = {\n")
    for e in encodings:
        name = e["name"]
        kind = "kSingleByte" if name in single else {"UTF-8": "kUtf8", "UTF-16BE": "kUtf16Be", "UTF-16LE": "kUtf16Le", "replacement": "kReplacement", "x-user-defined": "kUserDefined", "EUC-JP": "kEucJp",
                                                     "ISO-2022-JP": "kIso2022Jp"}.get(name, "kMultiByte")
        out.append(f'  {{"{name}", Encoding::Kind::{kind}, {single.index(name) if name in single else -1}, "{CONVERTERS.get(name, "")}"}},\n')
    out.append("};\n\n/// Labels in order, and which of kEncodings they name.\nconstexpr std::pair<std::string_view, int> kLabels[] = {\n")
    labels = sorted((label, number) for number, e in enumerate(encodings) for label in e["labels"])
    out.append(wrapped([f'{{"{label}", {number}}},' for label, number in labels]) + "};\n\n")
    out.append("/// Pairs of bytes that iconv maps otherwise than the standard, in order by converter and pair.\nstruct Override {\n  std::string_view converter;\n  unsigned pair;\n  std::string_view text;  ///< UTF-8\n};\n"
               "constexpr Override kOverrides[] = {\n")
    cells, sums = [], []
    for name, expected in standard_pairs(folder):
        for pair, text in differences(name, expected).items():
            cells.append((CONVERTERS[name], int.from_bytes(pair, "big"), text))
        sums.append((name, checksum(expected)))
    out.append(wrapped(['{"%s", 0x%X, "%s"},' % (converter, pair, "".join(f"\\{byte:03o}" for byte in (text or "").encode())) for converter, pair, text in sorted(cells)]) + "};\n\n")
    pathlib.Path(__file__).with_name("encodings.inc").write_text("".join(out))
    golden = "// Made by make_encodings.py: do not edit. What the standard makes of all pairs of an encoding: FNV-1a of the UTF-8.\nconstexpr std::pair<std::string_view, std::uint64_t> kChecksums[] = {\n"
    pathlib.Path(__file__).with_name("encodings_golden.inc").write_text(golden + "".join(f'  {{"{name}", 0x{value:016X}}},\n' for name, value in sums) + "};\n")


if __name__ == "__main__":
    main()
