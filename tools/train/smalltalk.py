"""The cat's manners: small talk by list, and what is made up: sums, rude words, other languages."""
import random
import re

from .lexicon import lines_of

SUMS = "Numbers are hard for me. I am better with words."
RUDE = "That is not a kind word. Ask me a nicer one."
ENGLISH = "I only know English words."
NOTHING = "Ask me about a word, like \"What is a castle?\""
INSULTS = ("stupid", "dumb", "silly", "ugly", "an idiot", "a fool", "bad", "useless", "boring",
           "annoying", "a loser", "mean", "an idiot cat", "trash", "lame", "the worst")
RUDELY = ("you are {}", "you're {}", "{} cat", "this cat is {}", "youre {}", "what {} cat", "u r {}",
          "this is {}", "cat you are {}", "i think you are {}", "you {} cat", "the cat is {}")
HARDLY = ("", "", "so ", "very ", "really ", "too ", "just ")
COMMANDS = ("i hate you", "go away", "you suck", "damn", "damn you", "i hate this", "get lost",
            "poop", "fart", "butt", "you stink", "go away cat", "hell no", "what the hell", "crap",
            "your mother", "i do not like you", "leave me alone")
ASKED_ABROAD = (
    (("was ist", "was heisst", "was bedeutet", "erklaere mir", "kennst du", "ist das"),
     ("ein hund", "ein haus", "eine blume", "ein baum", "eine katze", "ein auto", "das wetter",
      "die sonne", "ein buch", "der mond")),
    (("que es", "que significa", "conoces", "explica", "dime que es", "donde esta"),
     ("un gato", "una casa", "un libro", "un perro", "el sol", "una flor", "la luna", "un coche")),
    (("qu'est-ce que", "c'est quoi", "que veut dire", "explique", "tu connais", "ou est"),
     ("un chat", "une maison", "le soleil", "un chien", "la lune", "une fleur", "un livre")),
    (("cosa significa", "che cosa e", "dimmi cosa e", "conosci", "dove e"),
     ("una casa", "un gatto", "il sole", "un cane", "la luna", "un libro")),
    (("o que e", "voce conhece", "me diga o que e"), ("um gato", "uma casa", "o sol", "um livro")),
    (("wat is", "wat betekent", "ken je"), ("een hond", "een huis", "de zon", "een boom")))
GREETINGS = ("hola", "bonjour", "hallo", "guten tag", "guten abend", "guten morgen", "ciao", "salut",
             "buenos dias", "buenas noches", "bonsoir", "buongiorno", "gute nacht")
CALLED = ("", "", "amigo", "katze", "chat", "gatto", "mein freund", "kleine katze", "mi amigo",
          "mon ami", "gatito", "leute")
FOREIGN = ("ola", "merci", "gracias", "danke", "danke schoen", "muchas gracias", "wie geht es dir",
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
ADDED = ("can you add {} and {}", "add {} and {}", "what do {} and {} make?", "subtract {} from {}",
         "multiply {} by {}", "can you multiply {} and {}", "divide {} by {}", "is {} more than {}?")
SUM = ("what is {}?", "{}", "whats {}", "how much is {}?", "{}=", "{} = ?", "calculate {}",
       "can you tell me what {} is?", "what's {}?", "how many is {}", "do you know {}")
PREFIXES = ("hey ", "ok ", "hi cat, ", "cat, ", "so ", "please ", "um ", "well ", "and ", "oh ")
SUFFIXES = (" cat", " please", " now", " little cat", " my friend", ", cat", " kitty")


SHORTER = (("you", "u"), ("are", "r"), ("your", "ur"), ("please", "pls"), ("what is", "whats"),
           ("i am", "im"))


class SmallTalk:
    def __init__(self):
        self.listed: list[tuple[list[str], str]] = []
        for line in lines_of("smalltalk.txt"):
            questions, answer = line.split(" => ")
            self.listed.append((questions.split(" | "), answer))

    def draw(self, rng: random.Random) -> tuple[str, str]:
        roll = rng.random()
        if roll < 0.12:
            return self._sum(rng), SUMS
        if roll < 0.2:
            return self._rude(rng), RUDE
        if roll < 0.3:
            return self._foreign(rng), ENGLISH
        if roll < 0.32:
            return rng.choice(EMPTY), NOTHING
        questions, answer = rng.choice(self.listed)
        question = rng.choice(questions)
        if rng.random() < 0.12:
            question = rng.choice(PREFIXES) + question
        if rng.random() < 0.12:
            question = question.rstrip("?!.") + rng.choice(SUFFIXES)
        if rng.random() < 0.1:
            for word, short in SHORTER:
                question = re.sub(rf"\b{word}\b", short, question)
        return question, answer

    @staticmethod
    def _rude(rng: random.Random) -> str:
        if rng.random() < 0.3:
            return rng.choice(COMMANDS)
        return rng.choice(RUDELY).format(rng.choice(HARDLY) + rng.choice(INSULTS))

    @staticmethod
    def _foreign(rng: random.Random) -> str:
        roll = rng.random()
        if roll < 0.25:
            return rng.choice(FOREIGN)
        if roll < 0.55:
            return f"{rng.choice(GREETINGS)} {rng.choice(CALLED)}".strip()
        asks, things = rng.choice(ASKED_ABROAD)
        return f"{rng.choice(asks)} {rng.choice(things)}" + rng.choice(("", "?"))

    @staticmethod
    def _sum(rng: random.Random) -> str:
        sign, word = rng.choice(SIGNS)
        most = rng.choice((10, 20, 100, 1000))
        a, b = rng.randrange(most), rng.randrange(most)
        roll = rng.random()
        if roll < 0.15:
            return rng.choice(ADDED).format(a, b)
        if roll < 0.35:
            a, b, sign = rng.choice(NUMBERS), rng.choice(NUMBERS), word
        elif roll < 0.6:
            sign = word
        space = " " if sign == word else rng.choice(("", " "))
        return rng.choice(SUM).format(f"{a}{space}{sign}{space}{b}")
