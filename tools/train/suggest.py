"""Writes a few questions that the checkpoint answers rightly into its metadata, as suggestions.

They are questions of the exam that it passes, one of a kind, about children's words, in full. A
program that shows the model can offer them: `sb3lm.suggestions` is a JSON list of texts.
"""
import json
from dataclasses import replace
from pathlib import Path

from .exam import WORDS, Row, ask, parser_of, read_exam
from .export import write_atomically
from .judge import is_right, words_of
from .lexicon import Lexicon
from .phrasing import phrasings

KEY = "sb3lm.suggestions"
# The kinds that are suggested, and whether long words come first.
KINDS = {"definitions": True, "opposites": False, "synonyms": False, "sentences": True}
LONGEST = 10        # letters of a word


def candidates(rows: list[Row], lexicon: Lexicon) -> list[Row]:
    """The exam's questions about children's words, asked in full."""
    found = []
    for row in rows:
        words = [word for word in words_of(row.question)
                 if word in lexicon.first and word in lexicon.by_word and len(word) <= LONGEST
                 and word not in ("sentence", "word")]
        if row.kind not in KINDS or not words:
            continue
        entry = lexicon.by_word[words[-1]]
        if row.kind != "definitions" or entry.part == "n":
            asked = phrasings(row.kind, entry)[0]
            order = -len(entry.word) if KINDS[row.kind] else len(entry.word)
            found.append((order, asked, replace(row, question=asked)))
    return [row for _, _, row in sorted(found, key=lambda one: one[:2])]


def choose(rows: list[Row], answers: dict[str, str]) -> list[str]:
    """The first of each kind that is answered rightly; kinds without any have none."""
    chosen = {}
    for row in rows:
        if is_right(row.right, answers[row.question]):
            chosen.setdefault(row.kind, row.question)
    return [chosen[kind] for kind in KINDS if kind in chosen]


def with_suggestions(content: bytes, questions: list[str]) -> bytes:
    """The safetensors file with these suggestions in place of any."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + size])
    header.setdefault("__metadata__", {})[KEY] = json.dumps(questions)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + size:]


def main() -> None:
    options = parser_of("suggest", __doc__).parse_args()
    rows = candidates(read_exam(), Lexicon(WORDS))
    answers = ask(options.sb3lm, options.checkpoint, [row.question for row in rows], options.threads)
    questions = choose(rows, answers)
    if not questions:
        raise SystemExit(f"{options.checkpoint}: no question of the exam is answered rightly")
    write_atomically(options.checkpoint,
                     with_suggestions(options.checkpoint.read_bytes(), questions))
    print("\n".join(questions))


if __name__ == "__main__":
    main()
