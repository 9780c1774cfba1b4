#!/usr/bin/env python3
"""Writes the tables of packer/model: classes, the ranges that tokenizers' patterns tell apart; case,
what JavaScript's toLowerCase makes of capitals; canonical and compatible, what normal forms are made from.

Run it from the repository root when a newer Unicode is wanted:
    python3 tools/unicode_table.py classes > packer/model/unicode_classes.def
    python3 tools/unicode_table.py case > packer/model/unicode_case.def
    python3 tools/unicode_table.py canonical > packer/model/unicode_canonical.def
    python3 tools/unicode_table.py compatible > packer/model/unicode_compatible.def
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
        return "Z"
    category = unicodedata.category(chr(code_point))
    if category[0] not in "LMNPS":
        return None
    return "D" if category == "Nd" else category[0]


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


def print_filled(rows):
    """As many of them in a line as fit."""
    line = rows[0]
    for row in rows[1:]:
        if len(line) + len(row) < 100:
            line += " " + row
        else:
            print(line)
            line = row
    print(line)


def print_classes():
    print("// RANGE(class, first, last): general categories, D for Nd, N for other numbers, but Z for")
    print("// the property White_Space.")
    print_filled([f"RANGE({kind}, 0x{first:X}, 0x{last:X})" for kind, first, last in ranges()])


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


def decompositions(canonical):
    """(letter, letters) of one step; Hangul's syllables follow from a rule."""
    for code_point in range(0x110000):
        parts = unicodedata.decomposition(chr(code_point)).split()
        if parts and parts[0].startswith("<") != canonical:
            yield code_point, [int(part, 16) for part in parts if not part.startswith("<")]


def is_composed(letter, letters):
    return len(letters) == 2 and unicodedata.normalize("NFC", chr(letter)) == chr(letter)


def print_texts(items):
    """Lines of C++ texts, with as many items as fit."""
    line = ""
    for item in items:
        if len(line) + len(item) > 95:
            print(f'"{line}",')
            line = ""
        line += ("" if not line else " ") + item
    print(f'"{line}",')


def print_canonical():
    print("// LETTER=LETTERS: what decomposes and composes again; LETTER>LETTERS: what only decomposes;")
    print("// FIRST-LAST:CLASS: combining classes other than 0. Numbers are hexadecimal.")
    print_texts(f"{letter:X}{'=' if is_composed(letter, letters) else '>'}"
                + "+".join(f"{each:X}" for each in letters)
                for letter, letters in decompositions(True))
    items, start, order = [], 0, 0
    for code_point in range(0x110001):
        now = unicodedata.combining(chr(code_point)) if code_point < 0x110000 else 0
        if now != order and order:
            items.append(f"{start:X}-{code_point - 1:X}:{order:X}")
        if now != order:
            start, order = code_point, now
    print_texts(items)


def print_compatible():
    print("// LETTER>LETTERS as in unicode_canonical.def, of compatibility; FIRST-LAST>LETTER: each next")
    print("// letter becomes the next one.")
    runs = []  # [first, last, letters of the first]
    for letter, letters in decompositions(False):
        if runs and letter == runs[-1][1] + 1 and len(letters) == len(runs[-1][2]) == 1 \
                and letters[0] - runs[-1][2][0] == letter - runs[-1][0]:
            runs[-1][1] = letter
        else:
            runs.append([letter, letter, letters])
    print_texts((f"{first:X}>" if first == last else f"{first:X}-{last:X}>")
                + "+".join(f"{each:X}" for each in letters) for first, last, letters in runs)


def main():
    tables = {"classes": print_classes, "case": print_case, "canonical": print_canonical,
              "compatible": print_compatible}
    if len(sys.argv) != 2 or sys.argv[1] not in tables:
        return f"usage: unicode_table.py {'|'.join(tables)}"
    print(f"// Made by tools/unicode_table.py from Unicode {unicodedata.unidata_version}, ascending.")
    tables[sys.argv[1]]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
