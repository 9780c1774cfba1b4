#!/usr/bin/env python3
"""Writes packer/model/unicode_classes.def: the ranges that GPT-2's pattern needs.

Run it from the repository root when a newer Unicode is wanted:
    python3 tools/unicode_table.py > packer/model/unicode_classes.def
"""
import sys
import unicodedata

# What \s means in the regular expressions of tokenizers: the White_Space property.
SPACES = [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028,
          0x2029, 0x202F, 0x205F, 0x3000]


def class_of(code_point):
    if code_point in SPACES:
        return "space"
    category = unicodedata.category(chr(code_point))
    return {"L": "letter", "N": "number"}.get(category[0])


def ranges():
    start, kind = 0, class_of(0)
    for code_point in range(1, 0x110001):
        now = class_of(code_point) if code_point < 0x110000 else None
        if now == kind:
            continue
        if kind:
            yield kind, start, code_point - 1
        start, kind = code_point, now


def main():
    print(f"// Made by tools/unicode_table.py from Unicode {unicodedata.unidata_version}, ascending.")
    print("// RANGE(class, first, last): \\p{L}, \\p{N} and white space; all else is neither.")
    rows = [f"RANGE({kind}, 0x{first:X}, 0x{last:X})" for kind, first, last in ranges()]
    for at in range(0, len(rows), 3):
        print(" ".join(rows[at:at + 3]))


if __name__ == "__main__":
    sys.exit(main())
