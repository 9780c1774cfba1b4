"""The cat's manners: small talk by list, and what is made up: sums, rude words, other languages."""
import random

from .lexicon import lines_of

SUMS = "Numbers are hard for me. I am better with words."
RUDE = "That is not a kind word. Ask me a nicer one."
ENGLISH = "I only know English words."
NOTHING = "Ask me about a word, like \"What is a castle?\""
INSULTS = ("stupid", "dumb", "silly", "ugly", "an idiot", "a fool", "bad", "useless", "boring",
           "annoying", "a loser", "mean", "an idiot cat", "trash", "lame", "the worst")
RUDELY = ("you are {}", "you're {}", "{} cat", "this cat is {}", "you are so {}", "youre {}",
          "what a {} cat", "u r {}", "you are really {}", "this is {}")
COMMANDS = ("shut up", "i hate you", "go away", "you suck", "damn", "damn you", "shut up cat",
            "i hate this", "get lost", "poop", "fart", "butt", "you stink", "go away cat", "hell no",
            "what the hell", "crap", "your mother", "i do not like you", "leave me alone")
FOREIGN = ("hola", "bonjour", "hallo", "guten tag", "ciao", "ola", "salut", "buenos dias", "merci",
           "gracias", "danke", "was ist ein hund", "was ist ein haus", "wie geht es dir",
           "wie alt bist du", "was bedeutet baum", "ich bin ein kind", "kannst du deutsch",
           "que es un gato", "que es una casa", "como te llamas", "como estas", "hablas espanol",
           "donde vives", "quien eres", "qu'est-ce qu'un chat", "comment ca va", "je m'appelle anna",
           "tu parles francais", "qui es tu", "cosa significa casa", "come stai", "chi sei",
           "parli italiano", "o que e um gato", "voce fala portugues", "hoe heet je",
           "wat is een hond", "vad heter du", "vad betyder hus", "jak se mas", "co to jest kot",
           "kak dela", "konnichiwa", "ni hao", "merhaba", "habari", "namaste", "was heisst haus",
           "ich mag katzen", "me gusta el gato", "j'aime les chats", "mi piace il gatto")
EMPTY = (" ", "?", ".", "??", "...", "-", "!", "  ", "? ?", "????", "??!")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
           "eleven", "twelve", "twenty", "hundred")
SIGNS = (("+", "plus"), ("-", "minus"), ("*", "times"), ("/", "divided by"), ("x", "times"))
SUM = ("what is {}?", "{}", "whats {}", "how much is {}?", "{}=", "{} = ?", "calculate {}",
       "can you tell me what {} is?", "what's {}?", "how many is {}", "do you know {}")
PREFIXES = ("hey ", "ok ", "hi cat, ", "cat, ", "so ", "please ", "um ", "well ", "and ", "oh ")
SUFFIXES = (" cat", " please", " now", " little cat", " my friend", ", cat", " kitty")


class SmallTalk:
    def __init__(self):
        self.listed: list[tuple[list[str], str]] = []
        for line in lines_of("smalltalk.txt"):
            questions, answer = line.split(" => ")
            self.listed.append((questions.split(" | "), answer))

    def draw(self, rng: random.Random) -> tuple[str, str]:
        roll = rng.random()
        if roll < 0.12:
            return rng.choice(SUM).format(self._sum(rng)), SUMS
        if roll < 0.2:
            said = rng.choice(COMMANDS) if rng.random() < 0.5 else \
                rng.choice(RUDELY).format(rng.choice(INSULTS))
            return said, RUDE
        if roll < 0.28:
            return rng.choice(FOREIGN), ENGLISH
        if roll < 0.3:
            return rng.choice(EMPTY), NOTHING
        questions, answer = rng.choice(self.listed)
        question = rng.choice(questions)
        if rng.random() < 0.12:
            question = rng.choice(PREFIXES) + question
        if rng.random() < 0.12:
            question = question.rstrip("?!.") + rng.choice(SUFFIXES)
        return question, answer

    @staticmethod
    def _sum(rng: random.Random) -> str:
        sign, word = rng.choice(SIGNS)
        if rng.random() < 0.25:
            return f"{rng.choice(NUMBERS)} {word} {rng.choice(NUMBERS)}"
        most = rng.choice((10, 20, 100, 1000))
        a, b = rng.randrange(most), rng.randrange(most)
        space = rng.choice(("", " "))
        return f"{a} {word} {b}" if rng.random() < 0.3 else f"{a}{space}{sign}{space}{b}"
