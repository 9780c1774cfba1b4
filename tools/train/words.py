"""English on the level of letters: articles, forms, slips, and what is not for young readers."""
import random
import re
import zlib

HELD_OUT = 50           # one word of so many is never asked about
RESERVED = 4            # one unknown word of so many is kept for the exam
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
    r"fornicat\w*|adulter\w*|racis[tm]\w*|terroris[tm]\w*|gonorrh\w*|syphilis|imbecile|moron|puke|"
    r"foreskin|damn)\b", re.I)
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
VOWELS = "aeiou"


def share_of(salt: str, word: str, parts: int) -> bool:
    """Whether the word falls into one of so many equal parts of all words."""
    return zlib.crc32(f"{salt} {word.lower()}".encode()) % parts == 0


def held_out(word: str) -> bool:
    return share_of("dictionary cat 1", word, HELD_OUT)


def reserved(word: str) -> bool:
    """Whether an unknown word is the exam's and never shown in training."""
    return share_of("unknown", word, RESERVED)


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


def past(word: str) -> str:
    """The regular past."""
    if word.endswith("e"):
        return word + "d"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ied"
    return (word + word[-1] if doubles(word) else word) + "ed"


def doubles(word: str) -> bool:
    return bool(re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", word))


def forms(word: str) -> list[str]:
    """The word and its regular forms, as noun and as verb."""
    bare = word[:-1] if re.search(r"[^e]e$", word) else word
    going = (word + word[-1] if doubles(word) else bare) + "ing"
    return list(dict.fromkeys([word, plural(word), past(word), going]))


def stem(word: str) -> str:
    """What forms of a word have in common, roughly."""
    word = re.sub(r"'s?$", "", word.lower())
    for end in ("ies", "ied", "ing", "est", "ed", "es", "er", "ly", "s", "e", "y"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            word = word[:len(word) - len(end)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word.rstrip("ei")


def normal(question: str) -> str:
    """What remains of a question without case, marks and articles: its pair of words and phrasing."""
    text = re.sub(r"[^a-z0-9 ]", "", question.lower().replace("-", " "))
    text = re.sub(r"\bwhats\b", "what is", text)
    kept = " ".join(word for word in text.split() if word not in ("a", "an", "the"))
    return kept or question.strip()


def slip(word: str, rng: random.Random) -> str:
    """The word with one slip of the finger behind its first letter."""
    at = rng.randrange(1, len(word))
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1:]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2:]
    row = next((keys for keys in KEYS if word[at].lower() in keys), "")
    if not row:
        return word[:at] + word[at + 1:]
    key = row.index(word[at].lower()) + rng.choice((-1, 1))
    return word[:at] + row[min(max(key, 0), len(row) - 1)] + word[at + 1:]


def slipped(question: str, is_word, rng: random.Random, word: str = "") -> str:
    """The question with one slip that makes no other word of it; unchanged if none is found.
    In `word` rather than elsewhere, if it is long enough."""
    places = [match for match in re.finditer(r"[A-Za-z]{4,}", question)]
    places = [place for place in places if place.group() in word.split()] or places
    for _ in range(8 if places else 0):
        place = rng.choice(places)
        made = slip(place.group(), rng)
        if made != place.group() and not is_word(made.lower()):
            return question[:place.start()] + made + question[place.end():]
    return question


class Near:
    """Tells whether a word is, or may be, one slip away from one of the words."""

    def __init__(self, words: list[str]):
        self.shortened = {short for word in words for short in self._shortened(word)}

    @staticmethod
    def _shortened(word: str) -> set[str]:
        """The word, and it without each of its letters: what words one slip apart share."""
        return {word} | {word[:at] + word[at + 1:] for at in range(len(word))}

    def __contains__(self, word: str) -> bool:
        return not self.shortened.isdisjoint(self._shortened(word))


class Babbler:
    """Makes up words that look like words, from what letters follow each other in real ones."""

    def __init__(self, words: list[str]):
        self.words = words
        self.next: dict[str, list[str]] = {}
        for word in words:
            letters = f"^^{word}$"
            for at in range(len(letters) - 2):
                self.next.setdefault(letters[at:at + 2], []).append(letters[at + 2])

    def word(self, rng: random.Random, is_word) -> str:
        """One of four to eleven letters that is not a word."""
        while True:
            made = "^^"
            while not made.endswith("$") and len(made) < 14:
                made += rng.choice(self.next[made[-2:]])
            made = made[2:].rstrip("$")
            if passes(made, is_word):
                return made

    def spliced(self, rng: random.Random, is_word) -> str:
        """One that begins as one of the words and ends as another."""
        while True:
            first, last = rng.choice(self.words), rng.choice(self.words)
            made = first[:rng.randint(3, 6)] + last[-rng.randint(2, 5):]
            if passes(made, is_word):
                return made


def passes(made: str, is_word) -> bool:
    """Whether a made-up word will do."""
    return 4 <= len(made) <= 11 and not is_word(made) and not UNFIT.search(made)
