"""Tests of the exam and of the data that teach for it: python3 -m unittest train.test_exam"""
import json
import os
import random
import re
import sys
import tempfile
import unittest
from collections import Counter
from dataclasses import replace
from pathlib import Path
from unittest import mock

from .exam import HALVES, NEW, Row, ask, grade, hidden_questions, markdown, read_exam, refused
from .judge import is_right
from .smalltalk import ENGLISH, NOTHING, RUDE, SUMS
from .words import Babbler, Near, normal, reserved, slipped
from .wordnet import ROOT

GOALS = ("definitions", "synonyms", "opposites", "kinds", "yes/no", "sentences", "capitals", "slips",
         "unknown")
BY_MEANING = ("definitions", "synonyms", "opposites", "kinds", "sentences")


def needs_wordnet(test):
    there = (ROOT / "data.noun").exists()
    if not there:
        print("test_exam: SKIPPED what needs WordNet (wordnet-base)", file=sys.stderr)
    return unittest.skipUnless(there, "missing: WordNet (wordnet-base)")(test)


class JudgeTest(unittest.TestCase):
    RIGHT = (("meaning 2: tow light warn ship", "A lighthouse is a tower with a light."),
             ("meaning 3: a b c | 1: whal", "An orca is a small whale."),
             ("says: large|very big", "Another word for big is large."),
             ("says: large|very big", "It is very big"),
             ("yes", "Yes, a frog is an animal."), ("no", "No, it is not."),
             ("no", "A shark is a fish, so no."), ("yes", "A frog is an animal, so yes."),
             ("sentence: garden gardens", "There is a tree in the garden."),
             ("sentence: run runs ran", "He ran home and went to bed."),
             ("sentence+verb: run runs ran", "They run every day."),
             ("unknown", "I do not know that word."), ("unknown", "I don't know this word, sorry."),
             ("talk: hello|hi\\b", "Hello! I am the dictionary cat."))
    WRONG = (("meaning 2: tow light warn ship", "A lighthouse is a tower."),
             ("meaning 2: tow light warn ship", ""),
             ("says: large|very big", "Another word for big is enlarge."),
             ("says: large", "Another word is one of small, little, tiny, wee, petite, minute, mini, "
                             "slight, puny, teeny, large"),
             ("yes", "No, a frog is a plant."), ("yes", "Yesterday."), ("no", "Not a frog."),
             ("no", "No, a shark is a fish, so yes."), ("yes", "12"), ("yes", "A frog is an animal."),
             ("sentence: garden gardens", "The garden garden is green."),
             ("sentence: garden gardens", "The tree is in the park."),
             ("sentence: garden gardens", "The big green garden."),
             ("sentence: garden gardens", "Garden is here."),
             ("sentence: runner running", "The running was a runner to the runner."),
             ("unknown", "A blorf is a small animal."), ("says: know", "I do not know that word."),
             ("talk: welcome", "I explain words."))

    def test_right_and_wrong(self):
        for right, answer in self.RIGHT:
            self.assertTrue(is_right(right, answer), (right, answer))
        for right, answer in self.WRONG:
            self.assertFalse(is_right(right, answer), (right, answer))
        with self.assertRaisesRegex(ValueError, "no rule"):
            is_right("maybe: x", "x")


class TableTest(unittest.TestCase):
    def setUp(self):
        self.rows = read_exam()

    def test_size(self):
        count = Counter((row.kind, row.half) for row in self.rows)
        self.assertGreaterEqual(len(self.rows), 1200)
        self.assertEqual({kind for kind, _ in count}, {*GOALS, "small talk"})
        for half in HALVES:
            for kind in GOALS:
                self.assertGreaterEqual(count[kind, half], 100, (kind, half))
            self.assertGreaterEqual(count["small talk", half], 30)
        self.assertEqual(len({row.question for row in self.rows}), len(self.rows))

    def test_yes_as_often_as_no(self):
        count = Counter(row.right for row in self.rows if row.kind == "yes/no")
        self.assertEqual(count["yes"], count["no"])

    def test_plain_questions(self):
        for row in self.rows:
            self.assertEqual(bool(row.plain), row.kind in ("capitals", "slips"), row)
            if row.kind == "capitals":
                self.assertEqual(row.question, row.plain.upper())
        slips = [row for row in self.rows if row.kind == "slips"]
        self.assertTrue(all(normal(row.question) != normal(row.plain) for row in slips))

    def test_halves_share_no_pair(self):
        hidden = hidden_questions()
        taught = [normal(row.question) for row in self.rows
                  if row.half == "taught" and row.kind != "small talk"]
        self.assertEqual([text for text in taught if text in hidden], [])


class AskTest(unittest.TestCase):
    """The program is played by a script that answers as sb3lm run --chat does."""

    PROGRAM = """#!/usr/bin/env python3
import sys
for line in sys.stdin.read().splitlines():
    if line == "/reset":
        print("[a new conversation]")
    else:
        print("You said " + line.upper())
        if line == "long":
            print("[max new tokens]")
print("[3 tokens said at 1 a second]")
"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.program = Path(folder.name) / "sb3lm"
        self.program.write_text(self.PROGRAM)
        os.chmod(self.program, 0o755)

    def test_asks_in_one_process(self):
        questions = ["a", " ", "long"]
        self.assertEqual(ask(self.program, Path("x"), questions, 1),
                         {"a": "You said A", " ": "You said  ", "long": "You said LONG"})

    def test_a_program_that_fails_is_quoted(self):
        self.program.write_text("#!/bin/sh\necho no such model >&2\nexit 3\n")
        with self.assertRaisesRegex(SystemExit, "0 answers.* ended with 3: no such model"):
            ask(self.program, Path("x"), ["a"], 1)

    def test_refuses_what_is_no_question(self):
        for question in ("", "/quit", "a\nb"):
            with self.assertRaisesRegex(ValueError, "no line"):
                ask(self.program, Path("x"), [question], 1)

    def test_grades(self):
        rows = [Row("yes/no", "held-out", "q1", "yes", ""), Row("yes/no", "taught", "q2", "no", ""),
                Row("slips", "held-out", "q3", "yes", "q1")]
        answers = {"q1": "Yes.", "q2": "I do not know that word.", "q3": "No."}
        table = grade(rows, answers)
        self.assertEqual(table["yes/no"], {"held-out": {"asked": 1, "right": 1},
                                           "taught": {"asked": 1, "right": 0}})
        self.assertEqual(table["slips"]["held-out"], {"asked": 1, "right": 0, "plain": 1})
        self.assertEqual(refused(rows, answers), (1, 2))
        said = markdown({"kinds": table, "refused": 1, "known": 2})
        self.assertIn("| yes/no | 1 | 100 % |  | 1 | 0 % |", said)
        self.assertIn("| slips | 1 | 0 % | 0 % | 0 | - |", said)

    def test_notes_are_no_answers(self):
        self.assertNotIn(NEW, "".join(ask(self.program, Path("x"), ["long"], 1).values()))


class SuggestTest(unittest.TestCase):
    """suggest.py imports export.py, which needs torch."""

    def setUp(self):
        try:
            from . import suggest
        except ImportError as missing:
            self.skipTest(f"missing: {missing.name}")
        self.suggest = suggest

    def test_chooses_what_is_right(self):
        rows = [Row("synonyms", "taught", "Other word for a?", "says: b", ""),
                Row("definitions", "taught", "What is a?", "meaning 1: x", ""),
                Row("definitions", "taught", "What is c?", "meaning 1: y", ""),
                Row("definitions", "taught", "What is d?", "meaning 1: y", "")]
        answers = {"Other word for a?": "It is b.", "What is a?": "It is y.",
                   "What is c?": "It is y.", "What is d?": "It is y."}
        self.assertEqual(self.suggest.choose(rows, answers), ["What is c?", "Other word for a?"])
        self.assertEqual(self.suggest.choose(rows, dict.fromkeys(answers, "no")), [])

    def test_only_the_metadata_changes(self):
        header = b'{"__metadata__":{"format":"x"},"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'
        content = len(header).to_bytes(8, "little") + header + b"ab"
        once = self.suggest.with_suggestions(content, ["What is a cat?"])
        again = self.suggest.with_suggestions(once, ["What is a dog?"])
        size = int.from_bytes(again[:8], "little")
        self.assertEqual(size % 8, 0)
        self.assertEqual(again[8 + size:], b"ab")
        read = json.loads(again[8:8 + size])
        self.assertEqual(json.loads(read["__metadata__"]["sb3lm.suggestions"]), ["What is a dog?"])
        self.assertEqual(read["__metadata__"]["format"], "x")
        self.assertEqual(read["w"], json.loads(header)["w"])


@needs_wordnet
class MakerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from .exam_make import Maker
        cls.maker = Maker()
        cls.rows = cls.maker.make()

    def test_makes_the_file_that_is_here(self):
        self.assertEqual(self.rows, read_exam())

    def asked(self, kind: str) -> list[Row]:
        return [row for row in self.rows if row.kind == kind]

    def test_own_answers_are_right(self):
        for kind in (*BY_MEANING, "yes/no", "capitals", "slips"):
            wrong = [(row.question, row.right, self.maker.answers[row.question])
                     for row in self.asked(kind)
                     if not is_right(row.right, self.maker.answers[row.question])]
            self.assertEqual(wrong, [], kind)

    def test_answers_to_other_questions_are_wrong(self):
        """Kinds aside: of what kind a thing is, many things share."""
        for kind, most in zip(BY_MEANING, (0.02, 0.02, 0.02, 0.2, 0.02)):
            rows = self.asked(kind)
            answers = [self.maker.answers[row.question] for row in rows]
            hits = sum(is_right(row.right, answers[(at + step) % len(rows)])
                       for step in (1, 7, 31) for at, row in enumerate(rows))
            self.assertLess(hits / (3 * len(rows)), most, kind)


@needs_wordnet
class TaughtTest(unittest.TestCase):
    """What training asks, and what the exam keeps from it."""

    @classmethod
    def setUpClass(cls):
        from .config import PRESETS
        from .data import UNKNOWN, Data
        cls.unknown = UNKNOWN
        cls.data = Data(replace(PRESETS["cpu"], headwords=5000))
        rng = random.Random(5)
        cls.shown = [cls.data.question(rng) for _ in range(30000)]

    def test_hidden_questions_are_never_asked(self):
        hidden = hidden_questions()
        self.assertGreater(len(hidden), 900)
        self.assertEqual([q for q, _ in self.shown if normal(q) in hidden], [])

    def test_the_filter_is_what_hides_them(self):
        rng = random.Random(6)
        with mock.patch.object(self.data, "hidden", set()):
            shown = [normal(self.data.question(rng)[0]) for _ in range(30000)]
        hidden = hidden_questions()
        self.assertGreater(sum(text in hidden for text in shown), 20)

    def test_texts_are_no_questions(self):
        hidden = hidden_questions()
        self.assertEqual([text for text in self.data.texts if normal(text) in hidden], [])

    def test_words_of_the_exam_are_taught(self):
        """All but the unknown ones: the cat learns to say that it does not know those."""
        rows = [row for row in read_exam() if row.kind in BY_MEANING and row.half == "held-out"]
        words = self.data.lexicon.by_word
        for row in rows:
            self.assertTrue(any(word in words for word in normal(row.question).split()), row)

    def test_strangers(self):
        refusals = [q for q, answer in self.shown if answer == self.unknown]
        self.assertGreater(len(refusals), 1000)
        kept = [row.question for row in read_exam()
                if row.kind == "unknown" and row.half == "held-out"]
        said = {word for question in refusals for word in normal(question).split()}
        for question in kept:
            strange = [word for word in normal(question).split()
                       if word not in self.data.lexicon.bands and word != "dont"]
            self.assertFalse(said & set(strange), question)
        strangers = {*self.data.rare, *self.data.usual}
        self.assertFalse(any(reserved(word) for word in strangers))
        self.assertFalse({entry.word for entry in self.data.entries} & strangers)

    def test_made_up_words_are_no_slips_of_known_ones(self):
        rng = random.Random(8)
        plain = [normal(self.data._unknown(rng)[0]) for _ in range(2000)]
        made = {word for text in plain if not text.startswith("what are ")
                for word in text.split() if not self.data.lexicon.is_word(word)} - {"dont"}
        self.assertGreater(len(made), 500)
        self.assertEqual([word for word in made if word in self.data.near], [])

    def test_small_talk_names_known_words(self):
        talk = self.data.talk
        said = " ".join(answer for _, answer in talk.listed)
        named = re.findall(r'"What is (?:an? )?(\w+)\?"', said)
        named += re.findall(r'"(?:Define|What does|What is the opposite of) (\w+)', said)
        self.assertGreater(len(named), 6)
        self.assertEqual([word for word in named if word not in self.data.lexicon.by_word], [])

    def test_small_talk_has_all_of_its_kinds(self):
        answers = Counter(answer for _, answer in self.shown)
        for answer in (ENGLISH, NOTHING, RUDE, SUMS):
            self.assertGreater(answers[answer], 5, answer)

    def test_yes_as_often_as_no(self):
        count = Counter(answer.rsplit(" ", 1)[1] for _, answer in self.shown
                        if answer.endswith((", so yes.", ", so no.")))
        self.assertGreater(sum(count.values()), 1000)
        self.assertLess(abs(count["yes."] - count["no."]), 0.1 * sum(count.values()))

    def test_ways_of_typing(self):
        asked = [q for q, _ in self.shown]
        self.assertGreater(sum(q.isupper() for q in asked), 1500)
        self.assertGreater(sum(q.islower() for q in asked), 5000)
        self.assertGreater(sum(not q.endswith("?") for q in asked), 5000)

    def test_suggestions_are_questions_of_the_exam(self):
        try:
            from .suggest import KINDS, candidates
        except ImportError as missing:
            self.skipTest(f"missing: {missing.name}")
        rows = read_exam()
        found = candidates(rows, self.data.lexicon)
        self.assertEqual({row.kind for row in found}, set(KINDS))
        self.assertLessEqual({row.right for row in found}, {row.right for row in rows})

    def test_slips_make_no_other_words(self):
        rng = random.Random(1)
        for _ in range(200):
            made = slipped("What is a cat in a cart", {"car", "what"}.__contains__, rng)
            self.assertFalse({"car"} & set(made.split()), made)

    def test_slips_in_a_word(self):
        rng = random.Random(2)
        for _ in range(200):
            made = slipped("Explain what volcano means", {"what"}.__contains__, rng, "volcano")
            self.assertRegex(made, "^Explain what .+ means$")
            self.assertIn(made.split()[2], Near(["volcano"]))
            self.assertNotEqual(made.split()[2], "volcano")
        made = slipped("Explain what a cat is", set().__contains__, rng, "cat")
        self.assertIn(" cat ", made)    # too short: elsewhere

    def test_near_words_are_one_slip_apart(self):
        near = Near(["house", "cat"])
        for word in ("house", "hose", "houuse", "hosue", "hoise", "housed", "ca", "cut"):
            self.assertIn(word, near, word)
        for word in ("mouser", "horses", "hoe", "dog", "c", "catch"):
            self.assertNotIn(word, near, word)

    def test_spliced_words(self):
        words = ["volcano", "lighthouse", "radiator"]
        babbler, rng = Babbler(words), random.Random(1)
        made = {babbler.spliced(rng, words.__contains__) for _ in range(200)}
        self.assertGreater(len(made), 30)
        self.assertFalse(made & set(words))
        for one in made:
            self.assertTrue(any(one.startswith(word[:3]) for word in words), one)
            self.assertTrue(any(one.endswith(word[-2:]) for word in words), one)


if __name__ == "__main__":
    unittest.main()
