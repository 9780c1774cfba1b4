"""Reads WordNet's dictionary files (Debian: wordnet-base; the formats are in wndb(5WN))."""
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path("/usr/share/wordnet")
FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
# Numbers of lexicographer files (lexnames(5WN)) of nouns.
NOUN_KINDS = {3: "tops", 4: "act", 5: "animal", 6: "artifact", 7: "attribute", 8: "body",
              9: "cognition", 10: "communication", 11: "event", 12: "feeling", 13: "food",
              14: "group", 15: "location", 16: "motive", 17: "object", 18: "person",
              19: "phenomenon", 20: "plant", 21: "possession", 22: "process", 23: "quantity",
              24: "relation", 25: "shape", 26: "state", 27: "substance", 28: "time"}


@dataclass
class Synset:
    """One meaning: its words, its definition and its sentences."""

    part: str                   # n, v, a or r
    kind: str                   # of a noun, its lexicographer file
    words: list[str]
    definition: str
    examples: list[str]
    hypernyms: list[str] = field(default_factory=list)          # keys of WordNet.synsets
    antonyms: dict[str, str] = field(default_factory=dict)      # word -> its antonym
    frames: set[int] = field(default_factory=set)               # of verbs, as in wninput(5WN)
    similar: list[str] = field(default_factory=list)            # of adjectives, keys


@dataclass
class Sense:
    synset: Synset
    count: int                  # how often the tagged texts use the word so


class WordNet:
    """`synsets` by part and offset, `senses` by lower-case word, the most used first."""

    def __init__(self, root: Path = ROOT):
        self.root = root
        self.synsets: dict[str, Synset] = {}
        self._antonyms: list[tuple[Synset, int, str, int]] = []
        for part, name in FILES.items():
            for line in (root / f"data.{name}").read_text("latin-1").splitlines():
                if not line.startswith("  "):
                    self._read_synset(part, line)
        for synset, source, key, target in self._antonyms:
            synset.antonyms[synset.words[source - 1]] = self.synsets[key].words[target - 1]
        counts = self._read_counts(root / "cntlist.rev")
        self.senses: dict[str, list[Sense]] = {}
        for part, name in FILES.items():
            for line in (root / f"index.{name}").read_text("latin-1").splitlines():
                if not line.startswith("  "):
                    self._read_index(part, line, counts)
        for senses in self.senses.values():
            senses.sort(key=lambda sense: -sense.count)  # stable: WordNet's order among equals

    def _read_synset(self, part: str, line: str) -> None:
        data, _, gloss = line.partition(" | ")
        cells = data.split()
        count = int(cells[3], 16)
        words = [re.sub(r"\(.*\)$", "", word).replace("_", " ")
                 for word in cells[4:4 + 2 * count:2]]
        examples = [text.strip() for text in re.findall(r'"([^"]+)"', gloss)]
        definition = re.sub(r'"[^"]*"?', "", gloss)
        definition = re.sub(r"\([^)]*\)", "", definition)           # remarks
        definition = re.sub(r"[;:,\s]+$", "", re.split(r"[;:]", definition.strip())[0])
        definition = re.sub(r"\s+", " ", definition).replace(" ,", ",").replace("`", "'")
        kind = NOUN_KINDS.get(int(cells[1]), "")
        synset = Synset(part, kind, words, definition, examples)
        at = 4 + 2 * count
        for i in range(int(cells[at])):
            symbol, offset, target_part, ends = cells[at + 1 + 4 * i:at + 5 + 4 * i]
            key = target_part.replace("s", "a") + offset
            if symbol == "&":
                synset.similar.append(key)
            elif symbol in ("@", "@i"):
                synset.hypernyms.append(key)
            elif symbol == "!":
                self._antonyms.append((synset, int(ends[:2], 16), key, int(ends[2:], 16)))
        if part == "v":
            numbers = cells[at + 1 + 4 * int(cells[at]) + 1:]
            synset.frames = {int(number) for number in numbers[1::3]}
        self.synsets[part + cells[0]] = synset

    @staticmethod
    def _read_counts(path: Path) -> dict[tuple[str, str, int], int]:
        """Uses in the tagged texts by word, part and sense number."""
        counts = {}
        for line in path.read_text("latin-1").splitlines():
            key, number, count = line.split()
            word, _, rest = key.partition("%")
            counts[word, "nvara"[int(rest[0]) - 1], int(number)] = int(count)
        return counts

    def _read_index(self, part: str, line: str, counts: dict) -> None:
        cells = line.split()
        offsets = cells[-int(cells[2]):]
        senses = self.senses.setdefault(cells[0].replace("_", " "), [])
        for number, offset in enumerate(offsets, 1):
            count = counts.get((cells[0], part, number), 0)
            senses.append(Sense(self.synsets[part + offset], count))
