"""What kind of thing a noun names, by short chains up to names that a child knows."""
import random

from .lexicon import PAIRS, Entry, Lexicon, lines_of

# What everything is: no answer to what kind of thing something is.
VAGUE = {"entity", "physical entity", "abstraction", "abstract entity", "object", "physical object",
         "whole", "unit", "thing", "matter", "artifact", "artefact", "instrumentality",
         "instrumentation", "causal agent", "cause", "causal agency", "psychological feature",
         "attribute", "relation", "group", "grouping", "event", "state", "part", "piece", "portion",
         "organism", "being", "living thing", "animate thing", "one", "something", "set"}
# Kinds that are easily taken for each other. A wrong kind comes from a line of the right one, or
# from the last line.
NEAR = (("a bird", "a fish", "an insect", "a reptile", "a mammal", "a rodent"),
        ("a tree", "a flower", "a grass", "an herb", "a shrub", "a vine"),
        ("a fruit", "a vegetable", "a meat", "a drink", "a spice", "a bread"),
        ("a tool", "a weapon", "a vehicle", "a building", "a room", "a piece of furniture",
         "a piece of clothing", "a musical instrument", "a container", "a machine", "a boat",
         "an aircraft", "a cloth", "a toy"),
        ("a relative", "a worker", "an artist", "a leader", "a scientist", "an athlete"),
        ("a city", "a country", "a mountain", "a river", "an island", "a planet",
         "a body of water"),
        ("a metal", "a gas", "a liquid", "a mineral"),
        ("a color", "a shape", "a number", "a unit", "a month", "a season"),
        ("an animal", "a plant", "a food", "a person", "a place", "a part of the body", "a vehicle",
         "a building", "a piece of furniture", "a feeling", "a color", "a musical instrument"))
# Pairs in which a wrong kind could be right after all.
OPEN = {frozenset(pair) for pair in (
    ("a plant", "a food"), ("an animal", "a food"), ("a fruit", "a plant"), ("a meat", "an animal"),
    ("a vegetable", "a plant"), ("a spice", "a plant"), ("a flower", "an herb"), ("a tree", "a fruit"),
    ("a vine", "a flower"), ("a shrub", "a flower"), ("a shrub", "a tree"), ("a vine", "a shrub"),
    ("a herb", "a vegetable"), ("a vegetable", "a fruit"), ("a metal", "a mineral"),
    ("a machine", "a tool"), ("a tool", "a weapon"), ("a machine", "a vehicle"),
    ("a boat", "a vehicle"), ("an aircraft", "a vehicle"), ("a place", "a building"),
    ("a room", "a place"), ("a building", "a place"), ("a worker", "a leader"),
    ("a worker", "a relative"), ("a worker", "an artist"), ("a worker", "a scientist"),
    ("a unit", "a number"), ("a leader", "a relative"), ("a leader", "an artist"),
    ("a container", "a piece of furniture"), ("a tool", "a container"), ("a machine", "a toy"),
    ("a mammal", "a rodent"), ("a liquid", "a mineral"), ("a city", "an island"))}


def common_kind(kind: str) -> bool:
    return any(kind in line for line in NEAR)


class Kinds:
    """`of` has for a noun the kinds that it is of, the nearest first; `right` all their names."""

    def __init__(self, lexicon: Lexicon):
        self.lexicon, self.net = lexicon, lexicon.net
        self._named: dict[int, str] = {}
        for line in lines_of("kinds.txt"):
            head, said = line.split(": ")
            word, kind = head.rsplit(" ", 1)
            senses = self.net.senses.get(word.replace("_", " "), ())
            first = next((sense.synset for sense in senses
                          if (sense.synset.part, sense.synset.kind) == ("n", kind)), None)
            if first is not None:
                self._named.setdefault(id(first), said)
        self.of: dict[str, list[str]] = {}
        for entry in lexicon.entries:
            if entry.part == "n" and entry.word not in PAIRS:
                if found := self._chain(entry):
                    self.of[entry.word] = found

    def _chain(self, entry: Entry) -> list[str]:
        found = [self._named.get(id(one), "") for one in
                 self.lexicon.ancestors(entry.synset)[1:]]
        own = {"a " + entry.word, "an " + entry.word, "a kind of " + entry.word}
        # For WordNet all that has wheels is a container.
        own |= {"a container"} if "a vehicle" in found else set()
        return [kind for kind in dict.fromkeys(found) if kind and kind not in own]

    def right(self, word: str) -> set[str]:
        """Every name of a kind of it that is not too vague, in its main meanings."""
        names: set[str] = set(self.of.get(word, ()))
        entry = self.lexicon.by_word[word.lower()]
        for synset in [entry.synset, *(sense.synset for sense in self.net.senses[word.lower()][:2])]:
            if synset.part == "n":
                for one in self.lexicon.ancestors(synset)[1:]:
                    names.update(name.lower() for name in one.words)
        bare = {name.removeprefix("a ").removeprefix("an ").removeprefix("kind of ")
                for name in names}
        return bare - VAGUE - {word}

    def true(self, word: str) -> list[str]:
        """The kinds that a question may ask for and is answered with yes."""
        return [kind for kind in self.of[word] if common_kind(kind)]

    def false(self, word: str) -> list[str]:
        """Near misses: what it is not, in any of its meanings, but could be taken for."""
        mine = self.true(word)
        every = {self._named.get(id(one)) for sense in self.net.senses[word.lower()]
                 if sense.synset.part == "n" for one in self.lexicon.ancestors(sense.synset)}
        near = [kind for line in NEAR for kind in line if set(mine) & set(line)]
        return [kind for kind in dict.fromkeys(near) if kind not in every
                and not any(frozenset((kind, one)) in OPEN for one in self.of[word])
                and kind.split()[-1] != word]

    def asked(self) -> list[str]:
        """Words of which both can be asked."""
        return [word for word in self.of if self.true(word) and self.false(word)]
