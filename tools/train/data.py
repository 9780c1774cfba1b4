"""Questions and answers about words, small talk and running text, all seeded.

A document is a list of pieces, texts and special ids, that `encode` turns into tokens and loss
weights. What the exam asks in its held-out half is never asked here in the same words.
"""
import random
import re
from itertools import accumulate
from pathlib import Path

from .config import ASSISTANT, BOS, EOS, EOT, USER, Config
from .exam import hidden_questions
from .kinds import Kinds
from .lexicon import Entry, Lexicon, fit, lines_of, make_entry
from .phrasing import phrasings, typed
from .relations import Relations
from .sentences import sentences
from .smalltalk import SmallTalk
from .wordnet import Synset
from .words import UNFIT, Babbler, Near, held_out, normal, reserved, sentence

UNKNOWN = "I do not know that word."
JUDGED = re.compile(r"(.*, so)( yes| no)(\.)")
JUDGEMENT = 5.0         # what that one word weighs, which is harder to learn than all others
BEGINNING = 3.0         # what an answer's first word weighs: it tells known words from unknown ones
COMMON = 50             # running text is about words up to this band
USUAL, RARE = (10, 34), (35, 70)    # bands of words that are not in the cat's list
SLIPS = 0.4             # share of questions with a slip of the finger
Piece = tuple[str, float]   # text between special tokens, and how much it counts as an answer
Document = list[Piece | int]


class Data:
    """Everything that documents are drawn from."""

    def __init__(self, config: Config, wordnet: Path | None = None):
        self.lexicon = Lexicon(config.headwords, wordnet)
        self.entries, self.unseen = self.lexicon.entries, self.lexicon.unseen
        self.relations, self.kinds = Relations(self.lexicon), Kinds(self.lexicon)
        self.talk = SmallTalk()
        self.hidden = hidden_questions()
        self.texts = self._running_texts()
        self.rare, self.usual = (self._strangers(*bands) for bands in (RARE, USUAL))
        self.near = Near([entry.word.lower() for entry in self.entries])
        self.babbler = Babbler([word for word, band in self.lexicon.bands.items()
                                if band <= COMMON and word.isalpha() and word.islower()])
        asked = {"definitions": self.entries, "sentences": self.entries,
                 "synonyms": self._entries_of(self.relations.synonyms),
                 "opposites": self._entries_of(self.relations.opposites),
                 "kinds": self._entries_of(self.kinds.of),
                 "yes/no": self._entries_of(self.kinds.asked())}
        self.asked: dict[str, tuple[list[Entry], list[float]]] = {
            task: (entries, []) for task, entries in asked.items() if entries}
        self.weigh({task: [1.0] * len(entries) for task, (entries, _) in self.asked.items()})
        tasks = [(task, weight) for task, weight in config.tasks
                 if task in self.asked or task in ("unknown", "small talk")]
        self.tasks = [task for task, _ in tasks]
        self.shares = list(accumulate(weight for _, weight in tasks))

    def weigh(self, factors: dict[str, list[float]]) -> None:
        """How often each word is asked about, by task, as multiples of its usual weight."""
        self.factors = factors
        for task, some in factors.items():
            entries, _ = self.asked[task]
            self.asked[task] = entries, list(accumulate(
                entry.weight * factor for entry, factor in zip(entries, some, strict=True)))

    def _entries_of(self, words) -> list[Entry]:
        known = {entry.word: entry for entry in self.entries}
        return [known[word] for word in words if word in known]

    def _running_texts(self) -> list[str]:
        """Definitions and sentences of common words that no held-out word is asked for."""
        hidden = {id(entry.synset) for entry in self.unseen}
        texts = []
        for synset in self.lexicon.net.synsets.values():
            word = synset.words[0]
            if self.lexicon.band(word.lower()) > COMMON or id(synset) in hidden or not fit(synset):
                continue
            if word.isascii() and not held_out(word):
                texts.append(make_entry(word, synset, 1).answer)
            texts += [sentence(text.replace("--", " - ")) for text in synset.examples
                      if text.isascii() and len(text.split()) > 3]
        return texts

    def _strangers(self, least: int, most: int) -> list[str]:
        """Real words that the cat does not know, and that the exam does not ask."""
        return [word for word in real_strangers(self.lexicon, least, most) if not reserved(word)]

    def definition(self, entry: Entry, rng: random.Random) -> tuple[str, str]:
        """One of the ways to ask for a word's meaning, with the answer."""
        return rng.choice(phrasings("definitions", entry)), entry.answer

    def question(self, rng: random.Random) -> tuple[str, str]:
        """A question as it is typed, and its answer."""
        while True:
            task, word = rng.choices(self.tasks, cum_weights=self.shares)[0], ""
            if task == "small talk":
                plain, answer = self.talk.draw(rng)
            elif task == "unknown":
                plain, answer = self._unknown(rng)
            else:
                entries, cumulative = self.asked[task]
                entry = rng.choices(entries, cum_weights=cumulative)[0]
                word = entry.word
                plain, answer = self.about(task, entry, rng)
            if normal(plain) not in self.hidden:
                break
        question = typed(plain, self.lexicon.is_word, rng, SLIPS, word=word)
        if answer == UNKNOWN and shows_reserved(question, plain):
            question = plain
        return (plain if normal(question) in self.hidden else question), answer

    def about(self, task: str, entry: Entry, rng: random.Random) -> tuple[str, str]:
        """One of the ways to ask for that of a word, and the answer."""
        word, kind = entry.word, ""
        if task == "definitions":
            answer = entry.answer
        elif task == "sentences":
            answer = rng.choice(sentences(entry))
        elif task == "synonyms":
            answer = f"Another word for {word} is {self.relations.synonyms[word].answer}."
        elif task == "opposites":
            answer = f"The opposite of {word} is {self.relations.opposites[word].answer}."
        elif task == "kinds":
            answer = sentence(f"{entry.name} is {self.kinds.of[word][0]}")
        else:
            kind, answer = self._yes_or_no(entry, rng)
        return rng.choice(phrasings(task, entry, kind)), answer

    def _yes_or_no(self, entry: Entry, rng: random.Random) -> tuple[str, str]:
        """A kind to ask about and the answer, as often yes as no. The answer begins with what the
        word is: a small model has to say that before it can tell whether it was asked for."""
        said = f"{entry.name} is {self.kinds.of[entry.word][0]}, so"
        if rng.random() < 0.5:
            return rng.choice(self.kinds.true(entry.word)), sentence(f"{said} yes")
        return rng.choice(self.kinds.false(entry.word)), sentence(f"{said} no")

    def _unknown(self, rng: random.Random) -> tuple[str, str]:
        """A question about a word that is made up, or real and not in the list."""
        roll = rng.random()
        words = self.usual if roll < 0.15 else self.rare if roll < 0.5 else []
        word = rng.choice(words) if words else ""
        make = self.babbler.word if roll < 0.75 else self.babbler.spliced
        while not word or reserved(word) or not words and word in self.near:
            word = make(rng, self.lexicon.is_word)
        task = rng.choice(("definitions",) * 6 + ("synonyms", "opposites", "kinds", "sentences"))
        return rng.choice(phrasings(task, stranger(word, rng))), UNKNOWN

    def chat(self, rng: random.Random, turns: int) -> Document:
        document: Document = [BOS]
        for _ in range(turns):
            document += turn_of(*self.question(rng))
        return document

    def text(self, rng: random.Random) -> Document:
        picked = [rng.choice(self.texts) for _ in range(rng.randint(1, 4))]
        return [BOS, (" ".join(picked), 1.0), EOS]


def turn_of(question: str, answer: str) -> Document:
    """<|user|> {question in small letters}<|assistant|>{answer}<|eot|>: see export.CHAT. The space
    makes a question's first word the token that it is inside of a text."""
    word, space, rest = answer.partition(" ")
    pieces: Document = [(word, BEGINNING), (space + rest, 1.0)]
    if judged := JUDGED.fullmatch(space + rest):
        pieces[1:] = [(judged[1], 1.0), (judged[2], JUDGEMENT), (judged[3], 1.0)]
    return [USER, (" " + question.lower(), 0.0), ASSISTANT, *pieces, EOT]


def shows_reserved(question: str, plain: str) -> bool:
    """Whether typing has made an unknown word of the exam's of another one."""
    made = set(normal(question).split()) - set(normal(plain).split())
    return any(reserved(word) for word in made)


def real_strangers(lexicon: Lexicon, least: int = RARE[0], most: int = RARE[1]) -> list[str]:
    """Words of these word lists that are no word of the cat's, nor a form of one."""
    known = {entry.word.lower() for entry in lexicon.entries + lexicon.unseen}
    return sorted(word for word, band in lexicon.bands.items()
                  if least <= band <= most and word.isalpha() and word.islower() and word.isascii()
                  and 4 <= len(word) <= 12 and word not in known and not UNFIT.search(word)
                  and not word.endswith("s") and not lexicon.is_form(word))


def stranger(word: str, rng: random.Random) -> Entry:
    """A word that is not in the dictionary, as a noun or as a word of any kind."""
    synset = Synset("n" if rng.random() < 0.6 else "a", "object", [word], "a thing", [])
    return make_entry(word, synset, 1.0)


def encode(document: Document, tokenizer, asking: float) -> tuple[list[int], list[float]]:
    """Tokens and the weight of predicting each: in answers their own, 1 at their ends, `asking`
    elsewhere."""
    ids: list[int] = []
    weights: list[float] = []
    answered = False
    for piece in document:
        if isinstance(piece, int):
            ids.append(piece)
            weights.append(1.0 if answered and piece in (EOT, EOS) else asking)
            answered = False
            continue
        text, weight = piece
        new = tokenizer.encode(text)
        ids += new
        weights += [weight or asking] * len(new)
        answered = weight > 0
    return ids, weights
