#!/usr/bin/env python3
"""Compares filters/pii with datatrove's PIIFormatter, and each of its scanners with the regular expression and the checks that it stands for.

    pip install -r bench/peers/requirements.txt
    cmake --build build --target flowrun_filter_tool flowrun_pii_tool plugin_filters_pii
    bench/peers/compare_pii.py check [--limit 10000] [--planted 20000]
    bench/peers/compare_pii.py golden      # rewrites plugins/filters/pii/testdata/golden.jsonl

`datatrove`: spans and kinds of every document, and its text where both sides have one replacement for a kind (datatrove's choice among several depends on the documents
before). The other lines compare one kind each with Python's re, ipaddress, stdnum (IBAN, Luhn) and libphonenumber's lengths. Documents are those of filter_documents.py and
seeded ones with planted addresses and numbers, right ones and nearly right ones. One JSON line for each; exits with 1 where anything differs. Speeds are of processor time on one
core, both sides in turn, three times.
"""

import argparse
import collections
import ipaddress
import itertools
import json
import pathlib
import random
import re
import subprocess
import sys
import time

import phonenumbers
from datatrove.pipeline.formatters.pii import PIIFormatter
from filter_documents import documents
from stdnum import iban, luhn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import BUILD, ROOT, cpu  # noqa: E402

REPEATS = 3
SPEED_BYTES = 8_000_000
EMAIL_REPLACEMENT, IP_REPLACEMENT = "email@example.com", "22.214.171.124"

# ------------------------------------------------------------------------------------------------------------------------ what is expected

EMAIL = re.compile(
    r"(?<![A-Za-z0-9_])([A-Za-z0-9_](?:[A-Za-z0-9_.%+'-]*[A-Za-z0-9_+-])?)@((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+(?:[Xx][Nn]--[A-Za-z0-9-]*[A-Za-z0-9]|[A-Za-z]{2,}))"
    r"(?![A-Za-z0-9]|-[A-Za-z0-9])")
NOBODYS = re.compile(r"(?:^|\.)example\.(?:com|net|org)$|\.(?:example|test|invalid|localhost|png|jpe?g|gif|svg|webp|ico|bmp|css|js|json|html?|xml|pdf)$", re.IGNORECASE)
OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = re.compile(rf"(?<![0-9A-Za-z_.]){OCTET}(?:\.{OCTET}){{3}}(?![0-9A-Za-z_]|\.[0-9])")
IPV6_RUN = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}")
CARDS = [re.compile(r"(?<![0-9A-Za-z_+])(?<![0-9][ .-])" + form + r"(?![0-9A-Za-z_]|[ .-][0-9])") for form in (
    "[0-9]{13,19}", r"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}\1[0-9]{3}", r"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}",
    r"[0-9]{4}([ -])[0-9]{6}\1[0-9]{5}", r"[0-9]{4}([ -])[0-9]{6}\1[0-9]{4}")]
ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|(?:30[0-5]|3095|36|38|39)\d+|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[123])\d{9,15}|(?:6011|64[4-9]|65)\d+|62\d+|8(?:10|1[1-6]\d|17[01])\d+")
ISSUER_LENGTHS = {"30": (14, 19), "36": (14, 19), "38": (14, 19), "39": (14, 19), "6011": (16, 19), "64": (16, 19), "65": (16, 19), "62": (16, 19), "81": (16, 19)}
SEPARATOR = r"(?:[ .\-/]?\(|\)[ .\-/]?|[ .\-/])"
INTERNATIONAL = re.compile(rf"(?<![0-9A-Za-z_+])\+[0-9]+(?:{SEPARATOR}[0-9]+)*")
GROUP_END = re.compile(r"(?<=[0-9])(?![0-9])")
NPA = r"(?:[2-9](?!11)[0-9]{2})"
LINE_END = r"(?![0-9A-Za-z_]|[.-][0-9])"
MAY_BEGIN = r"(?<![0-9A-Za-z_+])(?<![0-9][.-])"
AMERICAN = [re.compile(MAY_BEGIN + form + LINE_END) for form in (
    rf"1[ .-]?\({NPA}\)[ -]?({NPA})[ .-]([0-9]{{4}})", rf"\({NPA}\)[ -]?({NPA})[ .-]([0-9]{{4}})", rf"1([.-]){NPA}\1({NPA})\1([0-9]{{4}})", rf"{NPA}([.-])({NPA})\1([0-9]{{4}})")]


def spans(expressions, text, valid):
    """Matches from left to right; one that is not valid makes the search go on behind its first character."""
    found, at = [], 0
    while True:
        matches = [m for m in (expression.search(text, at) for expression in expressions) if m]
        if not matches:
            return found
        begin = min(m.start() for m in matches)
        ends = [end for m in matches if m.start() == begin and (end := valid(m))]
        if ends:
            found.append((begin, ends[0]))
        at = ends[0] if ends else begin + 1


def valid_email(m):
    local, domain = m.groups()
    return len(local) <= 64 and len(domain) <= 253 and max(map(len, domain.split("."))) <= 63 and not NOBODYS.search(domain) and m.end()


def public(address):
    address = ipaddress.ip_address(address)
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped:
        return mapped.is_global
    return address.is_global and (address.version == 4 or address in ipaddress.ip_network("2000::/3"))


def find_ipv6(text):
    for m in IPV6_RUN.finditer(text):
        run, begin = m.group(), m.start()
        front = len(run) - len(run.lstrip("."))
        if re.match(r":[^:]", run[front:]):
            front += 1
        address = run[front:].rstrip(".")
        if re.search(r"[^:]:$", address):
            address = address[:-1]
        if (front == 0 and re.match(r"[0-9A-Za-z_]", text[begin - 1:begin])) or re.match(r"[0-9A-Za-z_]", text[m.end():m.end() + 1]):
            continue
        try:
            if public(str(ipaddress.IPv6Address(address))):
                yield begin + front, begin + front + len(address)
        except ValueError:
            pass


def valid_iban(m):
    text, begin = m.string, m.start()
    for form in (lambda n: f"[0-9A-Z]{{{n}}}", lambda n: "[0-9A-Z]{4}" + "(?: [0-9A-Z]{4})" * (n // 4 - 1) + (f" [0-9A-Z]{{{n % 4}}}" if n % 4 else "")):
        length = IBAN_LENGTHS.get(m.group()[:2])
        found = length and re.compile(form(length) + "(?![A-Za-z0-9])").match(text, begin)
        if found and iban_remainder(found.group().replace(" ", "")) == 1:
            return found.end()
    return None


def iban_remainder(number):
    return int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97


def valid_card(m):
    number = re.sub("[ -]", "", m.group())
    low, high = next((bounds for prefix, bounds in ISSUER_LENGTHS.items() if number.startswith(prefix)), (13, 19))
    return low <= len(number) <= high and ISSUERS.fullmatch(number) and luhn.is_valid(number) and m.end()


def national_lengths(code):
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    of = phonenumbers.PhoneMetadata
    return {n for region in regions for n in (of.metadata_for_nongeo_region(code) if region == "001" else of.metadata_for_region(region)).general_desc.possible_length}


def valid_international(m):
    best = None
    for end in (e.end() for e in GROUP_END.finditer(m.string, m.start(), m.end())):
        part = m.string[m.start():end]
        depths = list(itertools.accumulate({"(": 1, ")": -1}.get(c, 0) for c in part))
        digits = re.sub("[^0-9]", "", re.sub(r"(?<=[0-9 .\-/])\(0\)", "", part))
        if min(depths) < 0 or max(depths) > 1 or depths[-1] or len(digits) > 15 or digits.startswith("0"):
            continue
        code = next((int(digits[:n]) for n in (1, 2, 3) if int(digits[:n] or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)
        national = digits[len(str(code)):]
        if code and len(national) >= 6 and len(national) in national_lengths(code) and not (code == 1 and re.fullmatch(r"\d{3}55501\d\d", national)):
            best = end
    return best


def valid_phone(m):
    if m.re is INTERNATIONAL:
        return valid_international(m)
    exchange, line = m.groups()[-2:]
    return not (exchange == "555" and line.startswith("01")) and m.end()


def find_datatrove(text, formatter=PIIFormatter()):
    """What PIIFormatter replaces: IP addresses are looked for where e-mail addresses have been replaced, here by as many characters that belong to none."""
    emails = [m.span() for m in formatter.emails_replacer.regex.finditer(text)]
    rest = formatter.emails_replacer.regex.sub(lambda m: "x" * len(m.group()), text)
    ips = [m.span() for m in formatter.ip_replacer.regex.finditer(rest) if formatter.ip_replacer.validator(m.group())]
    return sorted([("email", *span) for span in emails] + [("ipv4", *span) for span in ips], key=lambda found: found[1])


KINDS = {
    "email": lambda text: spans([EMAIL], text, valid_email),
    "ipv4": lambda text: spans([IPV4], text, lambda m: public(m.group()) and m.end()),
    "ipv6": lambda text: list(find_ipv6(text)),
    "iban": lambda text: spans([IBAN], text, valid_iban),
    "card": lambda text: spans(CARDS, text, valid_card),
    "phone": lambda text: spans([INTERNATIONAL, *AMERICAN], text, valid_phone),
}

# ------------------------------------------------------------------------------------------------------------------------ what is planted


def load_iban_lengths():
    """Read from the table, which schwifty made; stdnum, another source, must agree wherever it has a country."""
    table = (ROOT / "plugins/filters/pii/tables.inc").read_text()
    return {country: int(length) for country, length in re.findall(r'\{"([A-Z]{2})", (\d+)\}', table)}


IBAN_LENGTHS = load_iban_lengths()


def plant_iban(draw):
    country = draw.choice(sorted(IBAN_LENGTHS))
    body = "".join(draw.choice("0123456789" if draw.random() < 0.7 else "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(IBAN_LENGTHS[country] - 4))
    number = f"{country}{98 - iban_remainder(country + '00' + body):02}{body}"
    return number if draw.random() < 0.5 else iban.format(number)


def plant_card(draw):
    prefix, length = draw.choice([("4", 16), ("4", 13), ("51", 16), ("2720", 16), ("2221", 16), ("37", 15), ("36", 14), ("3528", 16), ("6011", 16), ("62", 19), ("6759", 16), ("8171", 17),
                                  ("9", 16), ("309", 14)])
    body = prefix + "".join(draw.choice("0123456789") for _ in range(length - len(prefix) - 1))
    number = body + luhn.calc_check_digit(body)
    mark = draw.choice(["", "", " ", "-"])
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4), 19: (4, 4, 4, 4, 3)}.get(length, (length,))
    cut = iter(number)
    return mark.join("".join(itertools.islice(cut, size)) for size in sizes)


def example_numbers():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            if number := phonenumbers.example_number_for_type(region, kind):
                yield number


EXAMPLES = list(example_numbers())


def plant_phone(draw):
    if draw.random() < 0.5:
        form = draw.choice([phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.RFC3966])
        return phonenumbers.format_number(draw.choice(EXAMPLES), form).replace("tel:", "")
    area, exchange, line = draw.randrange(190, 999), draw.choice([555, draw.randrange(200, 999)]), draw.choice([100, draw.randrange(10000)])
    one, mark = draw.choice(["", "", "1-", "1.", "1 ", "+1 ", "1"]), draw.choice("-. ")
    return one + (f"({area}){draw.choice([' ', '', '-'])}{exchange:03}{mark}{line:04}" if draw.random() < 0.5 else f"{area}{mark}{exchange:03}{mark}{line:04}")


def plant_ipv6(draw):
    network = draw.choice([0x2001 << 112, 0x2A00 << 112, 0x20010DB8 << 96, 0x20010003 << 96, 0xFFFF << 32, draw.randrange(1 << 16) << 112])
    address = ipaddress.IPv6Address(network | draw.choice([1, draw.getrandbits(32), draw.getrandbits(100) & draw.getrandbits(100)]))
    return draw.choice([str(address), address.exploded, str(address).upper(), str(address)[:-1], f"{address}:", f"::ffff:{plant_ipv4(draw)}", f"2001:470::{plant_ipv4(draw)}"])


def plant_ipv4(draw):
    first = draw.choice([10, 127, 192, 172, 100, 169, 198, 203, 224, 255, draw.randrange(300)])
    octets = (first, draw.choice([0, 168, 64, 51, 2, draw.randrange(260)]), draw.choice([0, 100, 113, draw.randrange(260)]), draw.randrange(260))
    return ".".join(("0" if draw.random() < 0.15 else "") + str(n) for n in octets)


def plant_email(draw):
    part = lambda alphabet, n: "".join(draw.choice(alphabet) for _ in range(draw.randrange(1, n)))
    local = draw.choice([part("abz_09", 9), part("ab.+-'_%", 12), part("a!#$%&'*+/=?^_`{|}~-.", 12), "x" * draw.choice([63, 64, 65])])
    domain = draw.choice([f"{part('abc-', 9)}.{draw.choice(['com', 'org', 'c1m', 'png', 'xn--p1ai', 'xn--', 'co.uk', 'museum', 'c'])}", "example.com", f"[{plant_ipv4(draw)}]",
                          f"[1.2.3.{part('ab-', 5)}:]",
                          ".".join(part("ab-", 5) for _ in range(4)), "a" * draw.choice([63, 64]) + ".de", "b.c." * 64 + "de"])
    return f"{local}@{domain}"


def plant_noise(draw):
    return "".join(draw.choice("0129afAF::..@@-_+()/ []%xé²") for _ in range(draw.randrange(3, 40)))


def mutate(text, draw):
    at = draw.randrange(len(text))
    return draw.choice([text[:at] + text[at + 1:], text[:at] + draw.choice("0189ab.:-@( )+é_Z\n") + text[at:], text[:at] + draw.choice("0189ab.:-@()+_") + text[at + 1:]])


PLANTS = (plant_email, plant_ipv4, plant_ipv6, plant_iban, plant_card, plant_phone, plant_noise)
JOINTS = (" ", " ", " ", "\n", ",", ".", ". ", ":", ": ", "(", ") ", "-", "", "<", ">", "é", "\u00a0", "²", "_", "/", "+", "1 ", "#", "'", "mailto:")


def planted(count, seed=3):
    """Texts full of addresses and numbers, right ones and changed ones, between all kinds of characters."""
    draw = random.Random(seed)
    for _ in range(count):
        pieces = []
        for _ in range(draw.randrange(1, 8)):
            piece = draw.choice(PLANTS)(draw)
            pieces += [draw.choice(JOINTS), mutate(piece, draw) if draw.random() < 0.3 else piece]
        yield "".join(pieces) + draw.choice(JOINTS)


# ------------------------------------------------------------------------------------------------------------------------ comparison


def run_tool(*command, texts):
    stdin = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    return [json.loads(line) for line in subprocess.run(list(map(str, command)), input=stdin, capture_output=True, check=True, encoding="utf-8").stdout.split("\n")[:-1]]


def find(what, texts):
    return [[tuple(match) for match in matches] for matches in run_tool(BUILD / "bin/flowrun_pii_tool", what, texts=texts)]


def rewrite(parameters, texts):
    """The plugin's texts, and the seconds that it took."""
    *rows, last = run_tool(BUILD / "bin/flowrun_filter_tool", BUILD / "plugins/filters/pii.so", json.dumps(parameters), texts=texts)
    return [row["text"] for row in rows], last["seconds"]


def in_bytes(text, found):
    if text.isascii():
        return found
    offsets = list(itertools.accumulate((len(c.encode()) for c in text), initial=0))
    return [(*match[:-2], offsets[match[-2]], offsets[match[-1]]) for match in found]


def compare(name, texts, expected, found, **figures):
    wrong = [i for i, (e, f) in enumerate(zip(expected, found, strict=True)) if e != f]
    for i in wrong[:5]:
        print(json.dumps({"name": name, "expected": expected[i], "found": found[i], "text": texts[i]}, ensure_ascii=False)[:2000], file=sys.stderr)
    figures = {"documents": len(texts), "text_mb": round(sum(len(t.encode()) for t in texts) / 1e6, 2), "different": len(wrong), **figures}
    print(json.dumps({"name": name, "unit": "documents", "value": len(texts) - len(wrong), "cpu": cpu(), **figures}), flush=True)
    return not wrong and bool(texts)


def check_datatrove(texts, speed, real):
    expected = [in_bytes(text, find_datatrove(text)) for text in texts]
    kinds = collections.Counter(kind for found in expected for kind, _, _ in found)
    equal = compare("filters.pii.datatrove.spans", texts, expected, find("datatrove", texts), matches=kinds)
    formatter = PIIFormatter(email_replacement=EMAIL_REPLACEMENT, ip_replacement=IP_REPLACEMENT)
    parameters = {"dialect": "datatrove", "email_replacement": [EMAIL_REPLACEMENT], "ipv4_replacement": [IP_REPLACEMENT]}
    expected = [formatter.format(text) for text in texts]
    figures = measure(real) if speed else {}
    return compare("filters.pii.datatrove.texts", texts, expected, rewrite(parameters, texts)[0], changed=sum(e != t for e, t in zip(expected, texts)), **figures) and equal


def measure(real):
    """MB/s of datatrove, of its dialect here, and of all kinds, in turn."""
    sizes = list(itertools.accumulate(len(text.encode()) for text in real))
    texts = real[:sum(size <= SPEED_BYTES for size in sizes) or 1]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    theirs, ours, all_kinds = [], [], []
    for _ in range(REPEATS):
        formatter, start = PIIFormatter(), time.process_time()
        for text in texts:
            formatter.format(text)
        theirs.append(megabytes / (time.process_time() - start))
        ours.append(megabytes / rewrite({"dialect": "datatrove"}, texts)[1])
        all_kinds.append(megabytes / rewrite({}, texts)[1])
    theirs, ours, all_kinds = sorted(theirs), sorted(ours), sorted(all_kinds)
    middle = REPEATS // 2
    return {"speed_mb": round(megabytes, 2), "flowrun_mb_per_s": [round(x, 1) for x in ours], "flowrun_all_kinds_mb_per_s": [round(x, 1) for x in all_kinds],
            "datatrove_mb_per_s": [round(x, 2) for x in theirs], "ratio": round(ours[middle] / theirs[middle], 1), "ratio_all_kinds": round(all_kinds[middle] / theirs[middle], 1)}


def check_kinds(texts):
    equal = []
    for kind, expect in KINDS.items():
        expected = [in_bytes(text, [(kind, *span) for span in expect(text)]) for text in texts]
        equal.append(compare(f"filters.pii.{kind}", texts, expected, find(kind, texts), matches=sum(map(len, expected))))
    return all(equal)


def check_recall():
    """How many of libphonenumber's example numbers are found whole, and whether stdnum agrees with the table of IBANs."""
    texts = [f"Call {phonenumbers.format_number(number, form)}." for number in EXAMPLES for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL)]
    found = find("phone", texts)
    whole = sum(matches == [("phone", 5, len(text) - 1)] for text, matches in zip(texts, found))
    print(json.dumps({"name": "filters.pii.phone.recall", "unit": "numbers", "value": whole, "cpu": cpu(), "documents": len(texts), "regions": len(phonenumbers.SUPPORTED_REGIONS)}))
    draw = random.Random(5)
    made = [plant_iban(draw) for _ in range(20000)]
    valid = [number for number in made if iban.is_valid(number, check_country=False)]
    missed = sum(matches != [("iban", 0, len(number))] for number, matches in zip(valid, find("iban", valid)))
    print(json.dumps({"name": "filters.pii.iban.stdnum", "unit": "numbers", "value": len(valid) - missed, "cpu": cpu(), "valid_by_stdnum": len(valid), "missed": missed}), flush=True)
    return missed == 0 and bool(valid)


def check_second_pass(texts):
    """What replaces personal data is none: a second pass over real texts changes nothing."""
    once, _ = rewrite({}, texts)
    return compare("filters.pii.second_pass", texts, once, rewrite({}, once)[0])


def golden():
    """Texts with what is found in them, by the dialect's own oracle."""
    lines, wanted = [], collections.Counter()
    for text in planted(3000, seed=9):
        found = {"datatrove": find_datatrove(text)} | {kind: [(kind, *span) for span in expect(text)] for kind, expect in KINDS.items()}
        kinds = [name for name, matches in found.items() if matches and wanted[name] < 8]
        if len(text) < 300 and kinds:
            wanted.update(kinds)
            lines.append(json.dumps({"text": text, **{name: in_bytes(text, matches) for name, matches in found.items()}}, ensure_ascii=False) + "\n")
    folder = ROOT / "plugins/filters/pii/testdata"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "golden.jsonl").write_text("".join(lines), encoding="utf-8", newline="")
    print(json.dumps({"name": "filters.pii.golden", "documents": len(lines), "kinds": wanted}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["check", "golden"])
    parser.add_argument("--limit", type=int, default=10_000, help="real documents")
    parser.add_argument("--planted", type=int, default=20_000, help="made ones")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="do not measure speeds")
    args = parser.parse_args()
    if args.command == "golden":
        return golden()
    real = list(documents(args.limit))
    texts = real + list(planted(args.planted))
    equal = [check_datatrove(texts, args.speed, real), check_kinds(texts), check_recall(), check_second_pass(real)]
    sys.exit(0 if all(equal) else 1)


if __name__ == "__main__":
    main()
