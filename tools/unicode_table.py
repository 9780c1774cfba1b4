#!/usr/bin/env python3
"""Writes the tables of packer/model/unicode.cc: classes, the ranges that GPT-2's pattern needs; case,
what JavaScript's toLowerCase makes of capitals.

Run it from the repository root when a newer Unicode is wanted:
    python3 tools/unicode_table.py classes > packer/model/unicode_classes.def
    python3 tools/unicode_table.py case > packer/model/unicode_case.def
"""
import sys
import unicodedata

# What \s means in the regular expressions of tokenizers: the White_Space property.
SPACES = [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028,
          0x2029, 0x202F, 0x205F, 0x3000]

# Capitals of later versions of Unicode, which browsers may know.
LATER_CAPITALS = {0x1C89: 0x1C8A, 0xA7CB: 0x264, 0xA7CC: 0xA7CD, 0xA7CE: 0xA7CF, 0xA7D2: 0xA7D3,
                  0xA7D4: 0xA7D5, 0xA7DA: 0xA7DB, 0xA7DC: 0x19B}


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


def print_rows(rows):
    for at in range(0, len(rows), 3):
        print(" ".join(rows[at:at + 3]))


def print_classes():
    print("// RANGE(class, first, last): \\p{L}, \\p{N} and white space; all else is neither.")
    print_rows([f"RANGE({kind}, 0x{first:X}, 0x{last:X})" for kind, first, last in ranges()])


def small_letters():
    """Small letter by capital; of the dotted I's two code points the first."""
    small = {c: ord(chr(c).lower()[0]) for c in range(0x110000) if not 0xD800 <= c < 0xE000}
    small.update(LATER_CAPITALS)
    return {capital: letter for capital, letter in small.items() if letter != capital}


def case_runs():
    """[first capital, last, step, small letter of the first] where both go on alike."""
    run = None
    for capital, small in small_letters().items():
        step = capital - run[1] if run else 0
        goes_on = run and 1 <= step <= 2 and small - run[3] == capital - run[0]
        if goes_on and (run[2] == step or run[0] == run[1]):
            run[1], run[2] = capital, step
            continue
        if run:
            yield run
        run = [capital, capital, 1, small]
    yield run


def print_case():
    print("// CASE(first, last, step, small): of capitals from `first` on; small letters go on alike.")
    print_rows([f"CASE(0x{first:X}, 0x{last:X}, {step}, 0x{small:X})"
                for first, last, step, small in case_runs()])


def main():
    tables = {"classes": print_classes, "case": print_case}
    if len(sys.argv) != 2 or sys.argv[1] not in tables:
        return f"usage: unicode_table.py {'|'.join(tables)}"
    print(f"// Made by tools/unicode_table.py from Unicode {unicodedata.unidata_version}, ascending.")
    tables[sys.argv[1]]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
