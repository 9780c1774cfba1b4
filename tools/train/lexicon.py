"""The dictionary: which words it has, what they mean, and how common every English word is."""
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .words import UNFIT, held_out, sentence, with_article
from .wordnet import ROOT, Synset, WordNet

HERE = Path(__file__).parent
SCOWL = Path("/usr/share/dict/scowl")
BANDS = (10, 20, 35, 40, 50, 55, 60, 70)
OWN_WEIGHT = 3.0        # words of definitions.txt and children.txt among the others
LONGEST = 22            # words of a definition
# Nouns of these kinds come before others that are as common: children ask about things.
SOONER = {"animal": 30, "food": 28, "plant": 22, "body": 24, "artifact": 22, "object": 22,
          "person": 17, "substance": 12, "time": 8, "feeling": 8, "phenomenon": 8}
THINGS = {"animal", "artifact", "body", "food", "object", "plant", "substance"}
COUNTED = {"animal", "artifact", "body", "group", "location", "object", "person", "plant", "shape"}
PAIRS = {"scissors", "pants", "trousers", "glasses", "jeans", "shorts", "pliers", "binoculars",
         "tweezers", "tongs", "pajamas", "goggles", "sunglasses", "tights", "clothes", "stairs"}
# First words of a gloss that take no article.
BARE = {"a", "an", "another", "the", "any", "someone", "somebody", "something", "one", "anything",
        "everything", "either", "in", "of", "used", "people", "each", "all", "what", "that", "when",
        "where", "at", "two", "three", "four", "some", "having", "not", "on", "being", "usually",
        "to", "food"}


@lru_cache(maxsize=1)
def read_wordnet(root: Path) -> WordNet:
    """Read once: nobody changes it."""
    return WordNet(root)


def lines_of(name: str) -> list[str]:
    """The lines of a list beside this file, without remarks."""
    return [line for line in (HERE / name).read_text().splitlines()
            if line and not line.startswith("#")]


@dataclass
class Entry:
    """A word in one meaning. `name` is how a sentence calls it: "a dog", "honesty", "to run"."""

    word: str
    name: str
    synset: Synset
    weight: float
    answer: str

    @property
    def part(self) -> str:
        return self.synset.part


def noun_entry(word: str, synset: Synset, weight: float) -> Entry:
    gloss = synset.definition
    first = gloss.split()[0]
    proper = word[0].isupper()
    single = word not in PAIRS and not re.search(r"([^sui]s|ics)$", word)
    abstract = synset.kind in ("attribute", "feeling", "substance") or re.search(
        r"(ness|ity|ism|kind)$", word)
    counted = single and not proper and not abstract and (
        first in ("a", "an", "any", "someone", "one") or synset.kind in COUNTED)
    plain = re.fullmatch(r"[a-z-]+(?<!s)", first) and first not in BARE
    if plain and (counted and synset.kind in COUNTED or word in PAIRS):
        gloss = with_article(gloss)
    if word in PAIRS:
        return Entry(word, word, synset, weight, sentence(f"{word} are {gloss}"))
    name = with_article(word) if counted else word
    return Entry(word, name, synset, weight, sentence(f"{name} is {gloss}"))


def make_entry(word: str, synset: Synset, weight: float) -> Entry:
    gloss = synset.definition
    if synset.part == "n":
        return noun_entry(word, synset, weight)
    if synset.part == "v":
        gloss = re.sub(r"^to ", "", gloss)
        return Entry(word, f"to {word}", synset, weight, sentence(f"to {word} means to {gloss}"))
    return Entry(word, word, synset, weight, sentence(f"{word} means {gloss}"))


def fit(synset: Synset) -> bool:
    words = synset.definition.split()
    text = " ".join([synset.definition, *synset.examples, *synset.words])
    return 2 <= len(words) <= LONGEST and synset.definition.isascii() and not UNFIT.search(text)


class Lexicon:
    """`entries` by rank are what the cat knows; `unseen` are the held-out words among them."""

    def __init__(self, count: int, wordnet: Path | None = None):
        self.net = read_wordnet(wordnet or ROOT)
        mine = (wordnet or ROOT) / "scowl"
        self.bands = self._read_bands(mine if mine.is_dir() else SCOWL)
        self.own = self._read_own()
        self.first = {word for line in lines_of("children.txt") for word in line.split()}
        self.entries: list[Entry] = []      # asked about in training
        self.unseen: list[Entry] = []       # held out
        self._choose(count)
        self.by_word = {entry.word.lower(): entry for entry in self.entries}

    def is_word(self, word: str) -> bool:
        return word in self.bands or word in self.net.senses

    def band(self, word: str) -> int:
        """How rare a word is: the size of SCOWL's smallest list that has it."""
        return self.bands.get(word, self.bands.get(word.capitalize(), 99))

    def uses(self, word: str) -> int:
        return sum(sense.count for sense in self.net.senses.get(word, ()))

    def _read_bands(self, lists: Path) -> dict[str, int]:
        bands: dict[str, int] = {}
        for band in BANDS:
            for variant in ("english", "american"):
                for kind in ("words", "upper", "proper-names"):
                    path = lists / f"{variant}-{kind}.{band}"
                    if path.exists():
                        for word in path.read_text("latin-1").split():
                            bands.setdefault(word, band)
        return bands or self._bands_by_use()

    def _bands_by_use(self) -> dict[str, int]:
        """In place of SCOWL: coarse bands from the uses that WordNet counted."""
        print("data: no word lists of SCOWL; words are ranked by WordNet's counts alone")
        used = {word: self.uses(word) for word in self.net.senses}
        return {word: next(band for band, least in zip(BANDS, (150, 30, 6, 4, 2, 1, 1))
                           if count >= least) for word, count in used.items() if count}

    def _best(self, lower: str, part: str) -> tuple[str, Synset, int] | None:
        """The most used meaning of a word as one part of speech if it is fit, and its spelling."""
        senses = [sense for sense in self.net.senses[lower] if sense.synset.part == part]
        if not senses:
            return None
        best = senses[0]
        # Rather the animal than its meat or its skin, if hardly anybody counted.
        if best.synset.kind == "food" or lower in self.first and best.count < 6:
            best = next((sense for sense in senses[:4] if sense.synset.kind == "animal"
                         and sense.count >= best.count - 1), best)
        for word in best.synset.words:
            if word.lower() == lower and word.isascii() and fit(best.synset):
                return word, best.synset, best.count
        return None

    def _choose(self, count: int) -> None:
        """Children's words, then the others by how common they are and what they name."""
        ranked = []
        for lower, senses in self.net.senses.items():
            band = self.band(lower)
            early = lower in self.first or lower in self.own
            if not early and (band > 60 or not re.fullmatch(r"[a-z]{3,}", lower)):
                continue
            if UNFIT.search(lower) or not early and self.is_form(lower):
                continue
            found = [best for part in "nvar" if (best := self._best(lower, part))]
            if not found:
                continue
            most = max(best[2] for best in found)
            word, synset, _ = next(best for best in found  # nouns first
                                   if best[2] * (2 if best[1].part == "n" else 1) >= most
                                   or best[1].kind in THINGS and most < 4)
            entry = self._own_entry(lower) or make_entry(word, synset, 1.0)
            ranked.append(((-100 if early else self._rank(entry, band)), lower, entry))
        for rank, lower, entry in sorted(ranked, key=lambda row: row[:2])[:count]:
            entry.weight = OWN_WEIGHT if rank == -100 else 1 + math.log1p(self.uses(lower)) / 4
            unseen = held_out(lower) and rank > -100
            (self.unseen if unseen else self.entries).append(entry)

    def _rank(self, entry: Entry, band: int) -> float:
        word, uses = entry.word.lower(), self.uses(entry.word.lower())
        rank = band - 3.5 * math.log1p(uses) - SOONER.get(entry.synset.kind, 0)
        rank += {"r": 18, "a": 2}.get(entry.part, 0) + (25 if entry.word[0].isupper() else 0)
        return rank + (8 if re.search(r"(ness|ing|ity|ism|ment|tion)$", word) and uses < 9 else 0)

    def is_form(self, word: str) -> bool:
        """Whether it is a form of a word rather than a word: "opened", and not "sister"."""
        ends = (("ies", ("y",)), ("ied", ("y",)), ("es", ("",)), ("s", ("",)), ("ed", ("", "e")),
                ("ing", ("", "e")), ("er", ("", "e")), ("est", ("", "e")))
        bases = [word[:-len(end)] + more for end, mores in ends if word.endswith(end)
                 for more in mores]
        bases += [base[:-1] for base in bases if len(base) > 3 and base[-1] == base[-2]]
        uses = self.uses(word)
        return any(len(base) > 2 and base in self.net.senses and self.band(base) <= 50
                   and self.uses(base) >= uses for base in bases)

    def _own_entry(self, word: str) -> Entry | None:
        """A definition of ours, in the meaning of the kind or part of speech that it names."""
        if word not in self.own:
            return None
        kind, answer = self.own[word]
        synset = next((sense.synset for sense in self.net.senses[word]
                       if kind in (sense.synset.kind, sense.synset.part)), None)
        if synset is None:
            raise ValueError(f"definitions.txt: {word} {kind}: WordNet has no such meaning")
        name = word
        if synset.part != "a":
            name = re.split(r" (?:is|was|are|means) ", answer)[0]
        return Entry(word, name[0].lower() + name[1:], synset, 1.0, answer)

    @staticmethod
    def _read_own() -> dict[str, tuple[str, str]]:
        own = {}
        for line in lines_of("definitions.txt"):
            head, answer = line.split(": ", 1)
            word, kind = head.split()
            own[word] = (kind, answer)
        return own

    def ancestors(self, synset: Synset) -> list[Synset]:
        """The synset and all that are broader, the nearest first."""
        found = [synset]
        for one in found:
            for key in one.hypernyms:
                if not any(self.net.synsets[key] is seen for seen in found):
                    found.append(self.net.synsets[key])
        return found

