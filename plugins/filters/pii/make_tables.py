#!/usr/bin/env python3
"""Makes tables.inc: the lengths of IBANs by country, and of national phone numbers by country calling code.

    pip install schwifty==2026.10.1 phonenumbers==9.0.43
    plugins/filters/pii/make_tables.py > plugins/filters/pii/tables.inc

Sources: the ISO 13616 registry as schwifty (MIT licence) has it, with the countries that use IBANs without standing in the registry; the possible lengths of
libphonenumber's metadata (Apache-2.0), of all regions that share a calling code.
"""

import json
import pathlib

import phonenumbers
import schwifty


def iban_lengths():
    folder = pathlib.Path(schwifty.__file__).parent / "iban_registry"
    registry, additions = (json.loads((folder / name).read_text()) for name in ("generated.json", "overwrite.json"))
    return {country: (registry.get(country, {}) | additions.get(country, {}))["iban_length"] for country in sorted(registry.keys() | additions.keys())}


def phone_lengths():
    lengths = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        metadata = phonenumbers.PhoneMetadata
        found = [metadata.metadata_for_nongeo_region(code) if region == "001" else metadata.metadata_for_region(region) for region in regions]
        lengths[code] = sum(1 << n for n in {n for m in found for n in m.general_desc.possible_length})
    return lengths


def lines(items, width=150):
    line = ""
    for item in items:
        if len(line) + len(item) > width:
            yield line.rstrip()
            line = ""
        line += item + ", "
    yield line.rstrip()


def main():
    print("// Made by make_tables.py, which names the sources and their licences: do not edit.\n")
    print("constexpr IbanLength kIbanLengths[] = {")
    print("\n".join("    " + line for line in lines(f'{{"{country}", {length}}}' for country, length in iban_lengths().items())))
    print("};\n\n/// Bit n: national numbers of n digits are possible.\nconstexpr CallingCode kCallingCodes[] = {")
    print("\n".join("    " + line for line in lines(f"{{{code}, 0x{mask:X}}}" for code, mask in sorted(phone_lengths().items()))))
    print("};")


if __name__ == "__main__":
    main()
