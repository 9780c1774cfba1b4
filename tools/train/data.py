"""Questions and answers about words, small talk and running text, all seeded.

A document is a list of pieces (text, special id or None, answer?) that `encode` turns into tokens
and loss weights. Words whose hash falls into the held-out share are never asked about and their
definitions are never shown; they measure how well the model defines a word that it has not met.
"""
import math
import random
import re
import zlib
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from .config import ASSISTANT, BOS, EOS, EOT, USER, Config
from .wordnet import ROOT, Synset, WordNet

SCOWL = Path("/usr/share/dict/scowl")
BANDS = (10, 20, 35, 40, 50, 55, 60)
OWN_WEIGHT = 5.0        # words of definitions.txt among the others
HELD_OUT = 50           # one word of so many
CONCRETE = {"animal": "an animal", "plant": "a plant", "food": "food", "person": "a person",
            "body": "a part of the body"}
THINGS = {"animal", "artifact", "body", "food", "object", "plant", "substance"}
COUNTED = {"animal", "artifact", "body", "group", "location", "object", "person", "plant", "shape"}
PAIRS = {"scissors", "pants", "trousers", "glasses", "jeans", "shorts", "pliers", "binoculars",
         "tweezers", "tongs", "pajamas", "goggles", "sunglasses", "tights", "clothes"}
# Not for a young audience, or defined in WordNet in words that may hurt: what is asked about and
# shown stays clear of these.
UNFIT = re.compile(
    r"\b(sex\w*|slur|obscene|offensive|disparag\w*|vulgar|derogatory|genital\w*|penis|vagina\w*|"
    r"vulva\w*|testic\w*|scrot\w*|anus|anal|rectum|prostitut\w*|brothel|coit\w*|copulat\w*|"
    r"intercourse|rap(e|es|ed|ing|ist)|nud(e|ity)|naked\w*|porn\w*|erotic\w*|orgasm\w*|"
    r"masturbat\w*|whore|slut|bitch|bastard|fuck\w*|shit\w*|piss\w*|urin\w*|feces|fecal|excre\w*|"
    r"defecat\w*|suicid\w*|murder\w*|genocid\w*|tortur\w*|lynch\w*|heroin|cocaine|marijuana|"
    r"narcotic\w*|opium|condom\w*|contracept\w*|abort\w*|homosexual\w*|lesbian\w*|incest\w*|semen|"
    r"sperm\w*|breasts?|nipples?|buttocks?|crotch|negro\w*|nigger\w*|jew|jews|jewish|nazi\w*|"
    r"hitler|lust\w*|lewd\w*|concubin\w*|harlot\w*|castrat\w*|circumcis\w*|erection|seduc\w*|"
    r"fornicat\w*|adulter\w*)\b", re.I)

Piece = tuple[str, bool]    # text between special tokens, and whether it is an answer
Document = list[Piece | int]


def held_out(word: str) -> bool:
    return zlib.crc32(b"dictionary cat 1 " + word.lower().encode()) % HELD_OUT == 0


def article(phrase: str) -> str:
    """a or an, by the first letters' usual sound."""
    word = phrase.lower()
    if re.match(r"(uni([^nm]|$)|us[aeiu]|eu|ewe|one\b|once|u[rt][aei]|ub|uk)", word):
        return "a"
    return "an" if re.match(r"([aeiou]|hour|honest|honou?r|heir)", word) else "a"


def with_article(phrase: str) -> str:
    return f"{article(phrase)} {phrase}"


def plural(word: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    return word[:-1] + "ies" if re.search(r"[^aeiou]y$", word) else word + "s"


def sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text[-1:] in ".!?" else text + "."


@dataclass
class Entry:
    """A word in one meaning. `name` is how a sentence calls it: "a dog", "honesty", "to run"."""

    word: str
    name: str
    synset: Synset
    weight: float
    answer: str


def noun_entry(word: str, synset: Synset, weight: float) -> Entry:
    gloss = synset.definition
    first = gloss.split()[0]
    proper = word[0].isupper()
    single = word not in PAIRS and not re.search(r"([^sui]s|ics)$", word)
    abstract = synset.kind in ("attribute", "feeling", "substance") or re.search(
        r"(ness|ity|ism|kind)$", word)
    counted = single and not proper and not abstract and (
        first in ("a", "an", "any", "someone", "one") or synset.kind in COUNTED)
    plain = re.fullmatch(r"[a-z-]+(?<!s)", first) and first not in (
        "a", "an", "another", "the", "any", "someone", "somebody", "something", "one",
        "anything", "everything", "either", "in", "of", "used", "people", "each", "all", "what",
        "that", "when", "where", "at", "two", "three", "four", "some", "having", "not", "on",
        "being", "usually", "to", "food")
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
        return Entry(word, f"to {word}", synset, weight, sentence(f"to {word} means to {gloss}"))
    return Entry(word, word, synset, weight, sentence(f"{word} means {gloss}"))


def fit(synset: Synset) -> bool:
    words = synset.definition.split()
    text = " ".join([synset.definition, *synset.examples, *synset.words])
    return 2 <= len(words) <= 28 and synset.definition.isascii() and not UNFIT.search(text)


class Data:
    """Everything that documents are drawn from."""

    def __init__(self, config: Config, wordnet: Path | None = None):
        self.net = WordNet(wordnet or ROOT)
        mine = (wordnet or ROOT) / "scowl"
        self.bands = self._read_bands(mine if mine.is_dir() else SCOWL)
        self.own = self._read_own()
        self.entries: list[Entry] = []      # asked about in training
        self.unseen: list[Entry] = []       # held out
        self._choose(config.headwords)
        self.cumulative = list(accumulate(entry.weight for entry in self.entries))
        self.talk = self._read_talk()
        self.texts = self._running_texts()
        self.by_kind = {kind: [e for e in self.entries if e.synset.kind == kind and
                               e.synset.part == "n"] for kind in CONCRETE}

    def _read_bands(self, lists: Path) -> dict[str, int]:
        """How rare a word is: the size of SCOWL's smallest list that has it."""
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
        used = {word: sum(sense.count for sense in senses)
                for word, senses in self.net.senses.items()}
        return {word: next(band for band, least in zip(BANDS, (150, 30, 6, 4, 2, 1, 1))
                           if count >= least) for word, count in used.items() if count}

    def _best(self, lower: str, part: str) -> tuple[str, Synset, int] | None:
        """The most used fit meaning of a word as one part of speech, and how it is written."""
        for sense in self.net.senses[lower]:
            if sense.synset.part != part:
                continue
            for word in sense.synset.words:
                if word.lower() == lower and word.isascii():
                    return (word, sense.synset, sense.count) if fit(sense.synset) else None
        return None

    def _choose(self, count: int) -> None:
        """The commonest words by SCOWL's bands, then by the uses that WordNet counted."""
        ranked = []
        for lower, senses in self.net.senses.items():
            uses = sum(sense.count for sense in senses)
            band = self.bands.get(lower, self.bands.get(lower.capitalize(), 70))
            common = band <= 60 or uses >= (1 if " " in lower else 2)
            if not common or not re.fullmatch(r"[a-z][a-z '-]{2,}", lower) or UNFIT.search(lower):
                continue
            found = [best for part in "nvar" if (best := self._best(lower, part))]
            if not found:
                continue
            most = max(best[2] for best in found)
            word, synset, _ = next(best for best in found  # nouns first
                                   if best[2] * (3 if best[1].part == "n" else 1) >= most
                                   or best[1].kind in THINGS and most < 4)
            entry = self._own_entry(lower) or make_entry(word, synset, 1.0)
            kind, rank = entry.synset.kind, min(band, 45) if " " in lower else band
            rank -= 20 if kind in ("animal", "food", "plant") else 12 if kind in THINGS else 0
            rank += {"a": 12, "r": 28}.get(entry.synset.part, 0)
            rank -= 20 if kind == "location" and uses > 1 else 0
            rank += 12 if re.search(r"(ness|ing)$", lower) else 0
            entry.weight = (1.7 if kind in THINGS else 1.0) * (1 + math.log1p(uses) / 6)
            entry.weight *= OWN_WEIGHT if lower in self.own else (90 - band) / 40
            ranked.append((-100 if lower in self.own else rank, -uses, lower, entry))
        for _, _, lower, entry in sorted(ranked, key=lambda row: row[:3])[:count]:
            unseen = held_out(lower) and lower not in self.own
            (self.unseen if unseen else self.entries).append(entry)

    def _own_entry(self, word: str) -> Entry | None:
        """A definition of ours, in the meaning of the kind that it names."""
        if word not in self.own:
            return None
        kind, answer = self.own[word]
        synset = next(sense.synset for sense in self.net.senses[word]
                      if sense.synset.kind == kind)
        name = re.split(r" (?:is|was) ", answer)[0]
        return Entry(word, name[0].lower() + name[1:], synset, 1.0, answer)

    @staticmethod
    def _read_own() -> dict[str, tuple[str, str]]:
        own = {}
        for line in (Path(__file__).parent / "definitions.txt").read_text().splitlines():
            if not line.startswith("#"):
                head, answer = line.split(": ", 1)
                word, kind = head.split()
                own[word] = (kind, answer)
        return own

    @staticmethod
    def _read_talk() -> list[tuple[list[str], str]]:
        talk = []
        for line in (Path(__file__).parent / "smalltalk.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                questions, answer = line.split(" => ")
                talk.append((questions.split(" | "), answer))
        return talk

    def _running_texts(self) -> list[str]:
        """Definitions and sentences of every fit meaning that no held-out word is asked for."""
        hidden = {id(entry.synset) for entry in self.unseen}
        texts = []
        for synset in self.net.synsets.values():
            if id(synset) in hidden or not fit(synset):
                continue
            word = synset.words[0]
            if word.isascii() and not held_out(word):
                texts.append(make_entry(word, synset, 1).answer)
            texts += [sentence(text.replace("--", " - ")) for text in synset.examples
                      if text.isascii() and len(text.split()) > 3]
        return texts

    def definition(self, entry: Entry, rng: random.Random) -> tuple[str, str]:
        """One of the ways to ask for a word's meaning, with the answer."""
        word, name = entry.word, entry.name
        asks = [f"What does {word} mean?", f"Define {word}.", word, f"What is {word}?",
                f"Explain {word}.", f"What is the meaning of {word}?"]
        if entry.synset.part == "n":
            be = "are" if word in PAIRS else "is"
            asks = [f"What {be} {name}?"] * 6 + [f"What's {name}?", f"Explain what {name} {be}.",
                                                 f"Tell me what {name} {be}."] + asks
            if name != word:
                asks += [f"What are {plural(word)}?"]
        elif entry.synset.part == "v":
            asks += [f"What does it mean to {word}?", f"What is to {word}?",
                     f"What does to {word} mean?"]
        return rng.choice(asks), entry.answer

    def question(self, rng: random.Random) -> tuple[str, str]:
        """A question and its answer; three of four ask for a definition."""
        roll = rng.random()
        if roll < 0.06:
            questions, answer = rng.choice(self.talk)
            return self._vary(rng.choice(questions), rng), answer
        entry = self._draw(rng)
        made = None
        if roll < 0.09:
            made = self._kind_question(rng)
        elif roll < 0.24:
            made = self._relation(entry, rng)
        question, answer = made or self.definition(entry, rng)
        return self._vary(question, rng), answer

    def _draw(self, rng: random.Random) -> Entry:
        return rng.choices(self.entries, cum_weights=self.cumulative)[0]

    def _relation(self, entry: Entry, rng: random.Random) -> tuple[str, str] | None:
        """Synonym, antonym, broader word or example sentence, where WordNet has one."""
        word, synset, made = entry.word, entry.synset, []
        opposite = synset.antonyms.get(word)
        if opposite and not held_out(opposite):
            made += [(f"What is the opposite of {word}?",
                      f"The opposite of {word} is {opposite}.")] * 2
        others = [w for w in synset.words if w != word and w in self.bands and not held_out(w)]
        if others:
            made.append((rng.choice([f"What is another word for {word}?",
                                     f"Tell me a synonym of {word}."]),
                         f"Another word for {word} is {others[0]}."))
        if synset.part == "n" and synset.hypernyms:
            broader = self.net.synsets[synset.hypernyms[0]].words[0]
            if broader in self.bands and word not in PAIRS:
                made.append((f"What kind of thing is {entry.name}?",
                             sentence(f"{entry.name} is a kind of {broader}")))
        example = next((text for text in synset.examples if text.isascii() and
                        re.search(rf"\b{re.escape(word)}\b", text, re.I)
                        and 3 < len(text.split()) < 16), None)
        if example:
            made.append((f"Use {word} in a sentence.", sentence(example.replace("--", " - "))))
        return rng.choice(made) if made else None

    def _kind_question(self, rng: random.Random) -> tuple[str, str]:
        """Is a dog an animal?"""
        kind = rng.choice(list(CONCRETE))
        entry = rng.choice(self.by_kind[kind] or self.entries)
        asked = kind if rng.random() < 0.5 else rng.choice(list(CONCRETE))
        what = CONCRETE[asked]
        verb = "Yes, {} is {}." if asked == entry.synset.kind else "No, {} is not {}."
        return f"Is {entry.name} {what}?", verb.format(entry.name, what)

    @staticmethod
    def _vary(question: str, rng: random.Random) -> str:
        """As people type: sometimes in lower case, sometimes without the mark at the end."""
        if rng.random() < 0.35:
            question = question[:1].lower() + question[1:]
        elif rng.random() < 0.5:
            question = question[:1].upper() + question[1:]
        return question.rstrip("?.") if rng.random() < 0.25 else question

    def chat(self, rng: random.Random, turns: int) -> Document:
        """<bos><|user|>\\n{question}<|eot|>\\n<|assistant|>\\n{answer}<|eot|> ... <eos>."""
        document: Document = [BOS]
        for turn in range(turns):
            question, answer = self.question(rng)
            document += [("\n", False)] if turn else []
            document += [USER, ("\n" + question, False), EOT, ("\n", False), ASSISTANT,
                         ("\n" + answer, True), EOT]
        return document + [EOS]

    def text(self, rng: random.Random) -> Document:
        picked = [rng.choice(self.texts) for _ in range(rng.randint(1, 4))]
        return [BOS, (" ".join(picked), True), EOS]


def encode(document: Document, tokenizer, everything: bool) -> tuple[list[int], list[float]]:
    """Tokens and the weight of predicting each. Not `everything`: answers and their ends only."""
    ids: list[int] = []
    weights: list[float] = []
    answered = False
    for piece in document:
        if isinstance(piece, int):
            ids.append(piece)
            weights.append(float(everything or (answered and piece in (EOT, EOS))))
            answered = False
            continue
        text, answer = piece
        new = tokenizer.encode(text)
        ids += new
        # The line feed in front of an answer belongs to the template.
        weights += [float(everything or (answer and i > 0)) for i in range(len(new))]
        answered = answer
    return ids, weights
