"""Makes exam.tsv: what is asked, and what counts as right, from WordNet and lists written by hand.

The same lists give the same file. Run it only when the questions are to change: figures that were
measured with another file cannot be compared.
"""
import argparse
import csv
import random
import re
from functools import lru_cache
from pathlib import Path

from .data import real_strangers, stranger
from .exam import COLUMNS, HALVES, TABLE, WORDS, Row
from .judge import is_right
from .kinds import Kinds
from .lexicon import Entry, Lexicon, lines_of
from .phrasing import phrasings, typed
from .relations import Relations
from .sentences import sentences
from .words import (Babbler, forms, normal, plural, reserved, sentence, slip, slipped,
                    stem)

SEED = 17
FIRST = 1500        # half of the questions are about these
EACH = 100          # questions of a kind and half
NARROW = 80         # narrower meanings of a kind whose name alone is a definition
STOP = set("""a an the of or and in on to that which who whom whose is are was be been being by with
for from as at it its into than not no any some one ones you your their his her they them this these
those such other another used having has have had made make makes can usually especially often
something someone somebody thing things person people way act state quality kind type form part more
most very up out off over about when where while if so do does what all each both between mean
means time period group etc able""".split())
TASKS = ("definitions", "synonyms", "opposites", "kinds", "yes/no", "sentences")


class Maker:
    def __init__(self, wordnet: Path | None = None):
        self.lexicon = Lexicon(WORDS, wordnet)
        self.relations, self.kinds = Relations(self.lexicon), Kinds(self.lexicon)
        self.rng = random.Random(SEED)
        self.rank = {entry.word: at for at, entry in enumerate(self.lexicon.entries)}
        self.irregular = self._irregular(wordnet)
        self.rows: list[Row] = []
        self.answers: dict[str, str] = {}   # WordNet's own, by question
        self.taken: set[str] = set()

    def _irregular(self, wordnet: Path | None) -> dict[str, set[str]]:
        """Irregular forms by word: WordNet's lists of exceptions."""
        found: dict[str, set[str]] = {}
        for part in ("noun", "verb"):
            path = self.lexicon.net.root / f"{part}.exc"
            for line in path.read_text().splitlines():
                form, *words = line.split()
                for word in words:
                    found.setdefault(word, set()).add(form)
        return found

    def make(self) -> list[Row]:
        for task in TASKS:
            for half in HALVES:
                self._about_words(task, half, EACH, self._plain)
        for kind, change in (("capitals", self._in_capitals), ("slips", self._with_slip)):
            for half in HALVES:
                for task in TASKS:
                    count = EACH // 2 if task == "definitions" else EACH // 10
                    self._about_words(task, half, count, change, kind)
        for half in HALVES:
            self._unknown(half)
        for line in lines_of("exam_talk.txt"):
            half, question, pattern = line.split("|", 2)
            self.rows.append(Row("small talk", half, question, f"talk: {pattern}", ""))
        return self.rows

    def _about_words(self, task: str, half: str, count: int, change, kind: str = "") -> None:
        """So many questions, half of them about the first words of the list."""
        words = self._words(task)
        first = [word for word in words if self.rank[word] < FIRST]
        later = [word for word in words if self.rank[word] >= FIRST]
        self.rng.shuffle(first)
        self.rng.shuffle(later)
        half_of = max(count // 2, count - len(later))
        made = 0
        for at, word in enumerate(first[:half_of] + later + first[half_of:]):
            if made == count:
                return
            if made == count // 2 and at < len(first[:half_of]):
                continue
            yes = made % 2 == 0
            made += self._add(task, half, self.lexicon.by_word[word.lower()], change, kind or task,
                              yes)
        raise ValueError(f"{task}: only {made} of {count} questions")

    def _words(self, task: str) -> list[str]:
        known = {"definitions": self.rank, "sentences": self.rank,
                 "synonyms": self.relations.synonyms, "opposites": self.relations.opposites,
                 "kinds": self.kinds.of, "yes/no": self.kinds.asked()}[task]
        return [word for word in known if word in self.rank]

    def _add(self, task: str, half: str, entry: Entry, change, kind: str, yes: bool) -> bool:
        named = ""
        if task == "yes/no":
            choice = self.kinds.true(entry.word) if yes else self.kinds.false(entry.word)
            named = self.rng.choice(choice)
        asks = [ask for ask in phrasings(task, entry, named) if normal(ask) not in self.taken]
        if not asks:
            return False
        plain = self.rng.choice(asks)
        question = change(plain, entry)
        if not question:
            return False
        right = ("yes" if yes else "no") if task == "yes/no" else self._right(task, entry)
        answer = self._answer(task, entry, right)
        if not is_right(right, answer):     # "To stand means to be standing."
            return False
        self.answers[question] = answer
        self.taken |= {normal(plain), normal(question)}
        self.rows.append(Row(kind, half, question, right, "" if change == self._plain else plain))
        return True

    def _answer(self, task: str, entry: Entry, right: str) -> str:
        word = entry.word
        if task == "definitions":
            return entry.answer
        if task == "sentences":
            return sentences(entry)[0]
        if task == "kinds":
            return sentence(f"{entry.name} is {self.kinds.of[word][0]}")
        if task == "yes/no":
            return sentence(f"{right}, {entry.name} is something")
        return f"The other word is {getattr(self.relations, task)[word].answer}."

    # How a question is typed

    def _plain(self, question: str, _: Entry) -> str:
        return typed(question, self.lexicon.is_word, self.rng, slips=0.0, capitals=0.0)

    @staticmethod
    def _in_capitals(question: str, _: Entry) -> str:
        return question.upper()

    def _with_slip(self, question: str, entry: Entry) -> str:
        """In the word itself for half of the long words, else somewhere in the question."""
        if len(entry.word) >= 5 and self.rng.random() < 0.5:
            wrong = slip(entry.word, self.rng)
            known = self.lexicon.is_word(wrong) or wrong == entry.word
            return "" if known else question.replace(entry.word, wrong)
        frame = question.replace(entry.word, "#")
        made = slipped(frame, self.lexicon.is_word, self.rng)
        return made.replace("#", entry.word) if made != frame else ""

    # What is right

    def _right(self, task: str, entry: Entry) -> str:
        word = entry.word.lower()
        if task == "definitions":
            return "meaning " + " | ".join(self._meanings(entry))
        if task == "sentences":
            rule = "sentence+verb" if entry.part == "v" else "sentence"
            return f"{rule}: " + " ".join(sorted(self._forms(word)))
        if task == "kinds":
            return "says: " + "|".join(sorted(self.kinds.right(entry.word)))
        relation = getattr(self.relations, task)[entry.word]
        return "says: " + "|".join(sorted({relation.answer, *relation.right} - {word}))

    def _forms(self, word: str) -> set[str]:
        """The word's forms as those parts of speech that it is."""
        parts = {sense.synset.part for sense in self.lexicon.net.senses[word]}
        found = {word}
        if "v" in parts:
            found |= {*forms(word), *self.irregular.get(word, ())}
        if "n" in parts:
            found |= {plural(word), *self.irregular.get(word, ())}
        return found

    def _meanings(self, entry: Entry) -> list[str]:
        """Parts of the pattern: two words and a third of those of a gloss, or a narrow kind."""
        word = entry.word.lower()
        glosses, genera = [entry.answer], []
        for part in "nvar":
            senses = [sense.synset for sense in self.lexicon.net.senses[word]
                      if sense.synset.part == part][:2]
            for synset in senses:
                glosses.append(synset.definition)
            if part == "n" and senses:
                genera += [name for key in senses[0].hypernyms if self._narrower(key) < NARROW
                           for name in self.lexicon.net.synsets[key].words]
        parts = []
        for gloss in glosses:
            words = [stem(one) for one in re.findall(r"[a-z]+", gloss.lower())
                     if one not in STOP and len(one) > 1 and stem(one) != stem(word)]
            words = list(dict.fromkeys(words))
            least = min(max(2, -(-len(words) // 3)), 3, len(words))
            parts += [f"{least}: {' '.join(words)}"] if words else []
        names = {stem(name.split()[-1].lower()) for name in genera}
        names -= {stem(one) for one in {word} | STOP}
        parts += [f"1: {' '.join(sorted(names))}"] if entry.part == "n" and names else []
        return list(dict.fromkeys(parts))

    @lru_cache(maxsize=None)
    def _narrower(self, key: str) -> int:
        """How many meanings are narrower than this one."""
        return sum(1 + self._narrower(below) for below in self._below().get(key, ()))

    @lru_cache(maxsize=None)
    def _below(self) -> dict[str, list[str]]:
        below: dict[str, list[str]] = {}
        for key, synset in self.lexicon.net.synsets.items():
            for above in synset.hypernyms:
                below.setdefault(above, []).append(key)
        return below

    # Unknown words

    def _unknown(self, half: str) -> None:
        """Made-up words, real ones that the cat does not know, and held-out ones of its list."""
        out = half == HALVES[0]
        lexicon, rng = self.lexicon, self.rng
        common = [word for word, band in lexicon.bands.items()
                  if band <= 50 and word.isalpha() and word.islower()]
        babbler = Babbler(common)
        full = Lexicon(2 * WORDS)   # no word that a longer list may have
        real = [word for word in real_strangers(full) if reserved(word) == out]
        words = rng.sample(real, EACH // 2 - (15 if out else 0))
        words += rng.sample([entry.word for entry in lexicon.unseen], 15) if out else []
        while len(words) < EACH:
            made = babbler.word(rng, lexicon.is_word)
            if reserved(made) == out and made not in words:
                words.append(made)
        for word in words:
            task = rng.choice(("definitions",) * 7 + ("synonyms", "opposites", "sentences"))
            entry = stranger(word, rng)
            plain = rng.choice(phrasings(task, entry))
            self.rows.append(Row("unknown", half, self._plain(plain, entry), "unknown", ""))


def write_exam(rows: list[Row], path: Path) -> None:
    with path.open("w", newline="") as table:
        out = csv.writer(table, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE,
                         quotechar=None)
        out.writerow(COLUMNS)
        out.writerows([getattr(row, column) for column in COLUMNS] for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/train/run exam_make", description=__doc__)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--wordnet", type=Path, help="folder of WordNet's dictionary files")
    options = parser.parse_args()
    rows = Maker(options.wordnet).make()
    write_exam(rows, options.out)
    print(f"{options.out}: {len(rows)} questions")


if __name__ == "__main__":
    main()
