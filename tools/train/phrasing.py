"""The ways to ask, and the ways in which people type what they ask."""
import random
import re

from .lexicon import PAIRS, Entry
from .words import plural, slipped

NOUN = ("What {be} {name}?", "What {be} {name}?", "What's {name}?", "Explain what {name} {be}.",
        "Tell me what {name} {be}.", "Do you know what {name} {be}?", "What {be} {name}?")
VERB = ("What does it mean to {word}?", "What is to {word}?", "What does to {word} mean?")
MEANING = ("What does {word} mean?", "Define {word}.", "{word}", "What is {word}?",
           "Explain {word}.", "What is the meaning of {word}?", "Meaning of {word}",
           "What's the meaning of {word}?", "Definition of {word}", "Tell me what {word} means.",
           "I don't know what {word} means.", "What does the word {word} mean?",
           "Can you explain {word}?")
SYNONYM = ("What is another word for {word}?", "Another word for {word}",
           "Tell me a synonym of {word}.", "What is a synonym for {word}?", "Synonym of {word}",
           "Give me another word for {word}.", "What word means the same as {word}?",
           "Which word is like {word}?", "What's another word for {word}?",
           "How else can I say {word}?", "What is a different word for {word}?")
OPPOSITE = ("What is the opposite of {word}?", "Opposite of {word}", "What's the opposite of {word}?",
            "Tell me the opposite of {word}.", "Which word is the opposite of {word}?",
            "What is the antonym of {word}?", "Give me the opposite of {word}.",
            "What is the contrary of {word}?", "{word} opposite")
KIND = ("What kind of thing is {name}?", "What sort of thing is {name}?",
        "What type of thing is {name}?", "Tell me what kind of thing {name} is.",
        "What kind of a thing is {name}?", "{name} is what kind of thing?")
YES_NO = ("Is {name} {kind}?", "Is {name} a kind of {bare}?", "Is {name} a type of {bare}?",
          "{name} is {kind}, right?", "Tell me if {name} is {kind}.", "Would you call {name} {kind}?")
SENTENCE = ("Use {word} in a sentence.", "Make a sentence with {word}.",
            "Give me a sentence with {word}.", "Write a sentence with the word {word}.",
            "Can you use {word} in a sentence?", "Sentence with {word}",
            "Put {word} in a sentence.", "Show me how to use {word}.",
            "Can you make a sentence with {word}?", "Say a sentence with {word}.")
IN_WORD = 0.75      # share of slips that are in the word asked about
ASKS = {"synonyms": SYNONYM, "opposites": OPPOSITE, "kinds": KIND, "yes/no": YES_NO,
        "sentences": SENTENCE}


def phrasings(task: str, entry: Entry, kind: str = "") -> list[str]:
    """All ways to ask for that of a word; `kind` is what yes or no is about."""
    asks = ASKS.get(task)
    if task == "definitions":
        asks = MEANING
        if entry.part == "n":
            asks = NOUN + MEANING + (("What are {many}?",) if entry.name != entry.word else ())
        elif entry.part == "v":
            asks = VERB + MEANING
    words = {"word": entry.word, "name": entry.name, "be": "are" if entry.word in PAIRS else "is",
             "many": plural(entry.word), "kind": kind,
             "bare": re.sub(r"^an? (kind of )?", "", kind)}
    return [ask.format(**words) for ask in asks]


def typed(question: str, is_word, rng: random.Random, slips: float = 0.08,
          capitals: float = 0.12, word: str = "") -> str:
    """As people type: without capitals, marks or apostrophes, in capitals, with a slip, which is
    mostly in `word`."""
    if rng.random() < slips:
        question = slipped(question, is_word, rng, word if rng.random() < IN_WORD else "")
    roll = rng.random()
    if roll < 0.4:
        question = question[:1].upper() + question[1:]
    elif roll < 1 - capitals:
        question = question[:1].lower() + question[1:]
        question = question.lower() if rng.random() < 0.5 else question
    else:
        question = question.upper()
    if rng.random() < 0.5:
        question = question.replace("'", "")
    roll = rng.random()
    if roll < 0.4:
        question = question.rstrip("?.")
    elif roll < 0.44:
        question = question.rstrip("?.") + rng.choice(("??", "!", " ?", "?!", "...", " please"))
    return question
