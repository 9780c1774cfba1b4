"""Texts that tokenizers find hard, as lines of a file: one JSON string each.

    python3 tests/tokenizer/lines.py write    writes tests/tokenizer/lines.txt anew
"""

import json
import pathlib
import sys

kFile = pathlib.Path(__file__).with_name("lines.txt")
kCount = 2000

kWords = """the of and to in is was for on that with he she it a cat dog story little girl boy once upon
time there model token merge letter space banana running quickly Hello World don't can't we'll I'm
you've HELLO aaaa abab thethe <sep> <sep> <mask> café naïve Straße über jalapeño coöperate""".split()
kScripts = [
    (0x21, 0x7E), (0x21, 0x7E), (0x61, 0x7A), (0x61, 0x7A), (0xA1, 0xFF), (0x100, 0x24F), (0x250, 0x2AF),
    (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58F), (0x591, 0x5F4), (0x600, 0x6FF), (0x900, 0x97F),
    (0xE01, 0xE5B), (0x1100, 0x11FF), (0x1100, 0x1112), (0x1E00, 0x1EFF), (0x1F00, 0x1FFE),
    (0x2010, 0x205E), (0x2070, 0x209C), (0x20A0, 0x20BF), (0x2100, 0x214F), (0x2150, 0x218B),
    (0x2190, 0x22FF), (0x2460, 0x24FF), (0x2580, 0x259F), (0x2E80, 0x2FD5), (0x3041, 0x30FF),
    (0x3131, 0x318E), (0x3200, 0x33FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAD9),
    (0xFB00, 0xFB4F), (0xFB50, 0xFDFB), (0xFE30, 0xFE6B), (0xFF01, 0xFFEE), (0x10400, 0x1044F),
    (0x1D400, 0x1D7FF), (0x1F100, 0x1F1FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6FF), (0x20000, 0x200FF),
    (0x2F800, 0x2FA1D), (0xE000, 0xE01F), (0x10FF00, 0x10FFFD),
]
kSpaces = [0x20, 0x20, 0x20, 0x09, 0x0A, 0x0D, 0x0B, 0x0C, 0x85, 0xA0, 0x1680, *range(0x2000, 0x2010),
           0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0x2581, 0xFEFF, 0x200D, 0x00AD, 0x180E]
kMarks = [*range(0x300, 0x315), 0x31B, 0x323, 0x327, 0x328, 0x331, 0x338, 0x340, 0x341, 0x342, 0x345,
          0x3099, 0x309A, 0x5B4, 0x64B, 0x93C, 0xFF9E, 0xFF9F]
kControls = [*range(0x01, 0x20), 0x7F, *range(0x80, 0xA0), 0xFFFD, 0xFFFE, 0xFDD0]
kEmoji = ["🙂", "👨‍👩‍👧", "🇩🇪", "❤️", "👍🏽", "☺", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]


class Dice:
    """A generator of our own, so that the lines stay the same with any Python."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = self.state * 16807 % 2147483647
        return self.state // 7 % n

    def among(self, items):
        return items[self.below(len(items))]


def spaces(dice):
    kinds = [0x20] if dice.below(3) else kSpaces
    return "".join(chr(dice.among(kinds)) for _ in range(1 + dice.below(3)))


def marked(dice):
    base = chr(dice.among([*range(0x41, 0x5B), *range(0x61, 0x7B), 0xC5, 0xD5, 0xFC, 0x1AF, 0x3B1, 0x3C9,
                           0x415, 0x438, 0x304B, 0x30CF, 0xFF21, 0xFF55, 0xFF76, 0x1D41A, 0x24B6]))
    return base + "".join(chr(dice.among(kMarks)) for _ in range(1 + dice.below(3)))


def jamo(dice):
    leading = chr(dice.among([0x1100 + dice.below(20), 0x3131 + dice.below(30), 0xFFA1 + dice.below(30)]))
    vowel = chr(dice.among([0x1161 + dice.below(22), 0x314F + dice.below(21), 0xFFC2 + dice.below(6)]))
    trailing = chr(dice.among([0x11A7 + dice.below(29), 0x3131, 0xFFA1, 0x61]))
    return leading + vowel + trailing + (chr(0xAC00 + dice.below(400)) + trailing if dice.below(3) == 0 else "")


def script(dice):
    first, last = dice.among(kScripts)
    return "".join(chr(first + dice.below(last - first + 1)) for _ in range(1 + dice.below(6)))


def part(dice):
    kind = dice.below(16)
    if kind < 5:
        return dice.among(kWords)
    if kind == 5:
        return str(dice.below(100000)) if dice.below(2) else str(dice.below(1000) / 100)
    if kind < 9:
        return script(dice)
    if kind == 9:
        return marked(dice)
    if kind == 10:
        return jamo(dice) if dice.below(2) else dice.among(kEmoji)
    if kind == 11:
        return chr(dice.among(kControls))
    if kind == 12:
        return dice.among(kWords).upper()
    return spaces(dice)


def make():
    dice = Dice(20)
    texts = ["", " ", "  ", "a", " a ", "\n", "\u2581", "a\u2581", "\u0001", "\u0001 a", "\ufffd", "  a  b  ",
             "\u00a8 \u00a8", "a\u0308\u0304 U\u0308\u0304 \u00dc\u0304", "x" * 200, "ab" * 100]
    for chunk in range(0x20, 0x3000, 0x40):  # letters in order: each neighbour is a chance to join
        texts.append("".join(chr(c) for c in range(chunk, chunk + 0x40)))
    while len(texts) < kCount:
        glue = "" if dice.below(3) == 0 else " "
        texts.append(glue.join(part(dice) for _ in range(1 + dice.below(8))))
    return texts


def read():
    return [json.loads(line) for line in kFile.read_text(encoding="utf-8").split("\n") if line]


if __name__ == "__main__" and sys.argv[1:] == ["write"]:
    shown = [json.dumps(text, ensure_ascii=False) for text in make()]
    # Line ends of other kinds are written as numbers, so that a line of the file is a line.
    for end in ("\x7f", "\x85", "\u2028", "\u2029"):
        shown = [line.replace(end, f"\\u{ord(end):04x}") for line in shown]
    kFile.write_text("\n".join(shown) + "\n", encoding="utf-8")
