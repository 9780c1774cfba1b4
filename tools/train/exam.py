"""Asks a checkpoint what exam.tsv asks, with the fast engine, and counts what is right by kind.

The held-out half is never asked in training in the same words: not the same pair of question and
phrasing. `of plain` compares questions in capitals or with a slip with the same without.
"""
import argparse
import csv
import json
import os
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from .judge import is_refusal, is_right
from .words import normal

HERE = Path(__file__).parent
TABLE = HERE / "exam.tsv"
HALVES = ("held-out", "taught")
COLUMNS = ("kind", "half", "question", "right", "plain")
NEW = "[a new conversation]"    # what sb3lm run --chat says after /reset
WORDS = 5000                    # it asks for words of these first ones
LONGEST = 64                    # tokens of an answer


@dataclass(frozen=True)
class Row:
    kind: str
    half: str
    question: str
    right: str
    plain: str          # the question without capitals or slip, where that is the point


def read_exam(path: Path = TABLE) -> list[Row]:
    with path.open(newline="") as table:
        return [Row(**row) for row in csv.DictReader(table, delimiter="\t",
                                                     quoting=csv.QUOTE_NONE)]


def hidden_questions(path: Path = TABLE) -> set[str]:
    """The pairs of word and phrasing that training must not ask."""
    rows = [row for row in read_exam(path) if row.half == "held-out"] if path.exists() else []
    return {normal(text) for row in rows for text in (row.question, row.plain) if text}


def ask(program: Path, checkpoint: Path, questions: list[str], threads: int) -> dict[str, str]:
    """Every question in a conversation of its own, all in one process."""
    for question in questions:
        if not question or "\n" in question or question.startswith("/"):
            raise ValueError(f"{question!r}: no line that sb3lm run --chat takes for a question")
    typed = "".join(f"{question}\n/reset\n" for question in questions)
    command = [program, "run", checkpoint, "--chat", "--temperature", "0", "--top-k", "0",
               "--repetition-penalty", "1", "--max-new-tokens", LONGEST, "--threads", threads]
    done = subprocess.run([str(part) for part in command], input=typed, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    parts = done.stdout.split(NEW + "\n")
    if done.returncode != 0 or len(parts) != len(questions) + 1:
        raise SystemExit(f"{checkpoint}: {len(questions)} questions, {len(parts) - 1} answers; "
                         f"{program} ended with {done.returncode}: {done.stdout[-300:].strip()}")
    answers = ("\n".join(line for line in part.splitlines() if not line.startswith("["))
               for part in parts)
    return dict(zip(questions, answers))


def grade(rows: list[Row], answers: dict[str, str]) -> dict[str, dict[str, dict[str, float]]]:
    """By kind and half: questions, how many are right, and right ones of the plain questions."""
    table: dict = defaultdict(lambda: {half: {"asked": 0, "right": 0} for half in HALVES})
    for row in rows:
        cell = table[row.kind][row.half]
        cell["asked"] += 1
        cell["right"] += is_right(row.right, answers[row.question])
        if row.plain:
            cell["plain"] = cell.get("plain", 0) + is_right(row.right, answers[row.plain])
    return dict(table)


def refused(rows: list[Row], answers: dict[str, str]) -> tuple[int, int]:
    """How many questions about known words are refused, of how many."""
    known = [row for row in rows if row.kind not in ("unknown", "small talk") and not row.plain]
    return sum(is_refusal(answers[row.question]) for row in known), len(known)


def markdown(report: dict) -> str:
    lines = ["| kind | held-out questions | right | of plain | taught questions | right |",
             "|---|---|---|---|---|---|"]
    for kind, halves in report["kinds"].items():
        out, taught = (halves[half] for half in HALVES)
        of_plain = f"{100 * out['right'] / out['plain']:.0f} %" if out.get("plain") else ""
        lines.append(f"| {kind} | {out['asked']} | {share(out)} | {of_plain} | {taught['asked']} | "
                     f"{share(taught)} |")
    return "\n".join(lines + ["", "Known words refused: {refused} of {known}".format(**report)])


def share(cell: dict) -> str:
    return f"{100 * cell['right'] / cell['asked']:.0f} %" if cell["asked"] else "-"


def hold(program: Path, checkpoint: Path, rows: list[Row], threads: int) -> dict:
    questions = dict.fromkeys(text for row in rows for text in (row.question, row.plain) if text)
    answers = ask(program, checkpoint, list(questions), threads)
    wrong, known = refused(rows, answers)
    return {"kinds": grade(rows, answers), "refused": wrong, "known": known,
            "answers": [{"kind": row.kind, "half": row.half, "question": row.question,
                         "answer": answers[row.question],
                         "right": is_right(row.right, answers[row.question])} for row in rows]}


def parser_of(command: str, description: str) -> argparse.ArgumentParser:
    """For a command that asks a checkpoint questions."""
    parser = argparse.ArgumentParser(prog=f"tools/train/run {command}", description=description)
    parser.add_argument("checkpoint", type=Path)
    build = Path(os.environ.get("SB3LM_BUILD", HERE.parents[1] / "build"))
    parser.add_argument("--sb3lm", type=Path, default=build / "sb3lm", help="the program that runs it")
    parser.add_argument("--threads", type=int, default=2)
    return parser


def main() -> None:
    parser = parser_of("exam", __doc__)
    parser.add_argument("--json", action="store_true", help="with every answer")
    parser.add_argument("--wrong", action="store_true", help="print the wrong answers too")
    options = parser.parse_args()
    report = hold(options.sb3lm, options.checkpoint, read_exam(), options.threads)
    if options.json:
        print(json.dumps(report, indent=1))
        return
    print(markdown(report))
    for one in report["answers"] if options.wrong else ():
        if not one["right"]:
            print("{kind} ({half}): {question} -> {answer}".format(**one))


if __name__ == "__main__":
    main()
