"""What the dictionary's words have to do with each other: synonyms and opposites.

`answer` of a relation is taught; `right` is all that a teacher would accept.
"""
import re
from dataclasses import dataclass, field

from .lexicon import Entry, Lexicon, lines_of
from .wordnet import Synset
from .words import held_out, stem

COMMON = 50             # SCOWL's band of a word that may be an answer
CLOSE = 0.3             # how close a synonym must be
MAIN = 0.2              # share of a word's uses that makes a meaning one of its main ones


@dataclass
class Relation:
    """The answer that is taught for a word, and every answer that is right."""

    answer: str
    right: set[str] = field(default_factory=set)


class Relations:
    def __init__(self, lexicon: Lexicon):
        self.lexicon, self.net = lexicon, lexicon.net
        self.synonyms: dict[str, Relation] = {}
        self.opposites: dict[str, Relation] = {}
        self._read_opposites()
        self._read_synonyms()
        for entry in lexicon.entries:
            self._opposite(entry)
            self._synonym(entry)

    def _common(self, word: str) -> bool:
        return (self.lexicon.band(word) <= COMMON and re.fullmatch(r"[a-z]{2,}", word) is not None
                and not held_out(word))

    def main(self, word: str, part: str = "") -> list[Synset]:
        """The main meanings of a word, the most used first."""
        senses = [sense for sense in self.net.senses.get(word, ())
                  if not part or sense.synset.part == part]
        total = sum(sense.count for sense in senses)
        return [sense.synset for i, sense in enumerate(senses)
                if i == 0 or sense.count > max(MAIN * total, 2)]

    # Synonyms

    def _read_synonyms(self) -> None:
        """The lists by hand: the first of the line is the answer for the others."""
        for line in lines_of("synonyms.txt"):
            words = line.split()
            for word in words:
                others = [other for other in words if other != word]
                if word in self.lexicon.by_word:
                    self.synonyms.setdefault(word, Relation(others[0])).right.update(others)

    def _synonym(self, entry: Entry) -> None:
        word = entry.word
        found = [(self._closeness(other, synset), other) for synset in [entry.synset]
                 for other in synset.words if self._answers(word, other)]
        found = sorted((pair for pair in found if pair[0] >= CLOSE),
                       key=lambda pair: (-pair[0], pair[1]))
        if found:
            self.synonyms.setdefault(word, Relation(found[0][1]))
        if word in self.synonyms:
            self.synonyms[word].right |= self.alike(word)

    def _answers(self, word: str, other: str) -> bool:
        """Whether one is another word rather than a form or another spelling."""
        return (other != word and self._common(other) and stem(other)[:5] != stem(word)[:5]
                and not other.endswith(word) and not word.endswith(other))

    def _closeness(self, other: str, synset: Synset) -> float:
        """How much of the other word's use is this meaning, less for rare words."""
        senses = [sense for sense in self.net.senses.get(other, ())
                  if sense.synset.part == synset.part]
        mine = sum(sense.count + 0.5 for sense in senses if sense.synset is synset)
        first = 0.3 if senses and senses[0].synset is synset else 0.0
        share = mine / sum(sense.count + 0.5 for sense in senses) if senses else 0.0
        return share + first - self.lexicon.band(other) / 200

    def alike(self, word: str) -> set[str]:
        """All words that share one of its first or main meanings, or are near it as adjectives."""
        near: set[str] = set()
        for synset in self.meanings(word):
            near.update(synset.words)
            for key in synset.similar:
                near.update(self.net.synsets[key].words)
        return {other.lower() for other in near} - {word}

    def meanings(self, word: str) -> list[Synset]:
        """The first two meanings of the word as each part of speech, and its main ones."""
        senses = [sense.synset for sense in self.net.senses.get(word, ())]
        first = [synset for part in "nvar"
                 for synset in [one for one in senses if one.part == part][:2]]
        return first + [synset for synset in self.main(word)
                        if not any(synset is one for one in first)]

    # Opposites

    def _read_opposites(self) -> None:
        """The pairs by hand; with < or > the first or second word has a better opposite."""
        for line in lines_of("opposites.txt"):
            first, second, *sign = line.split()
            for word, other, mark in ((first, second, "<"), (second, first, ">")):
                if word not in self.lexicon.by_word and word not in self.lexicon.first:
                    continue
                if word in self.opposites or mark not in sign:
                    self.opposites.setdefault(word, Relation(other)).right.add(other)

    def _opposite(self, entry: Entry) -> None:
        word = entry.word
        for synset in [entry.synset, *self.main(word)]:
            other = synset.antonyms.get(word, "").lower()
            if other and self._common(other):
                self.opposites.setdefault(word, Relation(other))
        if word in self.opposites:
            self.opposites[word].right |= self.against(word) | {self.opposites[word].answer}

    def against(self, word: str) -> set[str]:
        """Its antonyms, as an adjective those of what it is near to, and what means the same."""
        found: set[str] = set()
        for sense in self.net.senses.get(word, ()):
            if word in sense.synset.antonyms:
                found.add(sense.synset.antonyms[word])
        for synset in self.meanings(word):
            for key in synset.similar:
                found.update(self.net.synsets[key].antonyms.values())
        for other in list(found):
            for synset in self.main(other.lower()):
                found.update(synset.words)
        return {other.lower() for other in found} - {word}
