"""Sentences that use a word, and what counts as one."""
import re

from .lexicon import PAIRS, Entry, lines_of
from .words import UNFIT, forms, sentence, share_of, with_article

SHORTEST, LONGEST = 4, 15       # words
# Sentences for a word of which WordNet has none, by what it is.
TEMPLATES = {
    "animal": ("We saw {a} at the zoo.", "There is {a} in this picture.", "I read a book about {a}."),
    "plant": ("There is {a} in the garden.", "We saw {a} in the park."),
    "food": ("We had {w} for dinner.", "My brother likes {w} very much."),
    "person": ("The {w} talked to my sister.", "I met {a} on the train.",
               "Her uncle wants to be {a}."),
    "body": ("He hurt his {w} while he played.", "The doctor looked at my {w}."),
    "artifact": ("I saw {a} in the museum.", "My father bought {a} yesterday.",
                 "We found {a} in the attic."),
    "object": ("We could see the {w} from the window.", "He took a picture of the {w}."),
    "location": ("They traveled to the {w} last summer.", "We looked for the {w} on the map."),
    "substance": ("There is some {w} on the table.", "She showed us a bit of {w}."),
    "feeling": ("She felt {w} when she heard the news.", "His eyes were full of {w}."),
    "time": ("We waited for the {w} to come.", "The {w} was over too soon."),
    "": ("The teacher told us about the {w}.", "They talked about the {w} all day.",
         "We learned about the {w} at school."),
    "whole": ("The teacher told us about {w}.", "They talked about {w} all day.",
              "We learned about {w} at school."),
    "a": ("My uncle says that it is {w}.", "The story was {w}.", "I think that it looks {w}."),
    "r": ("She answered {w}.", "They did it {w}."),
    "v": ("I want to {w}.", "They {w} every day."),
    "v something": ("We will {w} it tomorrow.", "They wanted to {w} it.", "Please {w} it for me."),
    "v somebody": ("She tried to {w} him.", "We did not want to {w} them."),
}
HELPING = {"is", "are", "was", "were", "am", "be", "been", "has", "have", "had", "do", "does", "did",
           "can", "could", "will", "would", "shall", "should", "may", "might", "must"}
_verbs: set[str] = set()


def verbs() -> set[str]:
    """Words that are verbs more often than not, in all their forms."""
    if not _verbs:
        _verbs.update(HELPING)
        for line in lines_of("verbs.txt"):
            for word in line.split():
                _verbs.update(forms(word))
    return _verbs


def is_sentence(text: str, allowed: set[str], is_verb: bool) -> bool:
    """Whether it uses one of the forms and a verb, in 4 to 15 words, without stuttering."""
    words = re.findall(r"[a-z][a-z'-]*", text.lower())
    if not SHORTEST <= len(words) <= LONGEST or not allowed & set(words):
        return False
    if any(a == b for a, b in zip(words, words[1:])):
        return False
    long = [word for word in words if len(word) > 3]
    if len(long) != len(set(long)):
        return False
    return is_verb or any(word in verbs() and word not in allowed for word in words)


def is_whole(text: str) -> bool:
    """Whether a text of WordNet is surely a sentence: many are only parts of one."""
    if re.match(r"(he|she|they|we|i|you|it|there) (?!who|that)", text.lower()):
        return True
    start = re.split(r"\b(?:that|which|who|when|where|whose|to|because|if)\b", text.lower())[0]
    return bool(HELPING & set(re.findall(r"[a-z]+", start)))


def of_wordnet(entry: Entry) -> list[str]:
    """WordNet's own sentences that have the word as it is."""
    found = []
    for text in entry.synset.examples:
        if not text.isascii() or re.search(r"[-(){}\[\]`\";:]|\.\.", text) or UNFIT.search(text):
            continue
        text = sentence(text)
        if (re.search(rf"\b{re.escape(entry.word)}\b", text) and len(text.split()) <= 11
                and is_whole(text) and is_sentence(text, {entry.word}, entry.part == "v")):
            found.append(text)
    return found


def from_template(entry: Entry) -> str:
    """A sentence by what the word is; each word has its own out of the few."""
    kind = {"n": entry.synset.kind, "v": frame_of(entry)}.get(entry.part, entry.part)
    if entry.part == "n" and (entry.name == entry.word or kind not in TEMPLATES):
        mass = kind in ("food", "substance", "feeling", "time") and entry.word not in PAIRS
        kind = kind if mass else "whole" if entry.name == entry.word else ""
    texts = TEMPLATES[kind]
    chosen = next((text for at, text in enumerate(texts[1:]) if share_of(f"text {at}", entry.word,
                                                                         len(texts) - at)), texts[0])
    return chosen.format(a=with_article(entry.word), w=entry.word)


def frame_of(entry: Entry) -> str:
    frames = entry.synset.frames
    return "v" if frames & {1, 2} else "v somebody" if frames & {9, 10} and 8 not in frames \
        else "v something"


def sentences(entry: Entry) -> list[str]:
    return of_wordnet(entry)[:2] or [from_template(entry)]
