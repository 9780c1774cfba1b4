"""Whether an answer of the cat is right, by the patterns that exam.tsv holds for each question.

meaning N: word ... | N: ...   at least N of the words of one of the parts (by their stems)
says: text|text                one of the texts, as whole words
yes / no                       the answer's first or last word, and not the other one
sentence: form ...             a sentence with one of the forms; sentence+verb: the form is a verb
unknown                        the cat says that it does not know the word
talk: pattern                  a regular expression
"""
import re

from .sentences import is_sentence
from .words import stem

LONGEST = 240           # letters of an answer that still is one
MANY = 14               # words of an answer that names a word rather than many
UNKNOWN = re.compile(r"\b(do not|don't|cannot|can't|never)\b.*\b(know|heard|find)\b|\bnot know\b")


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())


def is_refusal(answer: str) -> bool:
    return bool(UNKNOWN.search(answer.lower())) and "word" in answer.lower()


def means(parts: str, answer: str) -> bool:
    said = {stem(word) for word in words_of(answer)}
    for part in parts.split(" | "):
        least, words = part.split(": ")
        if len(said & set(words.split())) >= int(least):
            return True
    return False


def says(texts: str, answer: str) -> bool:
    flat = f" {' '.join(words_of(answer.replace('-', ' ')))} "
    return any(f" {' '.join(words_of(text.replace('-', ' ')))} " in flat
               for text in texts.split("|"))


def is_right(right: str, answer: str) -> bool:
    rule, _, what = right.partition(" ") if right.startswith("meaning") else right.partition(": ")
    if not answer.strip() or len(answer) > LONGEST:
        return False
    if rule == "unknown":
        return is_refusal(answer)
    if rule == "talk":
        return bool(re.search(what, answer.lower()))
    if is_refusal(answer):
        return False
    if rule in ("yes", "no"):
        said = words_of(answer) or [""]
        return rule in (said[0], said[-1]) and len({"yes", "no"} & {said[0], said[-1]}) == 1
    if rule == "meaning":
        return means(what, answer)
    if rule == "says":
        return len(words_of(answer)) <= MANY and says(what, answer)
    if rule in ("sentence", "sentence+verb"):
        return is_sentence(answer, set(what.split()), rule == "sentence+verb")
    raise ValueError(f"{right}: no rule of tools/train/judge.py")
