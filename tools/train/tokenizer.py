"""Byte-level BPE: learns merges, writes tokenizer.json, encodes and decodes.

Text is cut by GPT-2's pattern before merging. The pattern below is exact for ASCII, which is all
that the training texts hold; the reader of tokenizer.json knows the rest of Unicode.
"""
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from .config import BOS, SPECIAL_NAMES

CUT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_symbols() -> list[str]:
    """How byte-level vocabularies spell each byte: printable ones as themselves."""
    symbols, spare = [], 256
    for byte in range(256):
        printable = 33 <= byte <= 126 or (byte >= 161 and byte != 173)
        symbols.append(chr(byte) if printable else chr(spare))
        spare += not printable
    return symbols


class Tokenizer:
    """Ids: the special tokens, then the bytes, then one per merge in the order of learning."""

    def __init__(self, merges: list[tuple[int, int]]):
        first = len(SPECIAL_NAMES)
        self.merges = merges
        self.texts = [b""] * first + [bytes([byte]) for byte in range(256)]
        for left, right in merges:
            self.texts.append(self.texts[left] + self.texts[right])
        self.ranks = {pair: first + 256 + rank for rank, pair in enumerate(merges)}
        self._cache: dict[str, list[int]] = {}

    @staticmethod
    def learn(texts: list[str], vocabulary: int, least: int = 1) -> "Tokenizer":
        """Merges the most frequent pair, again and again; ties go to the lower ids. Pieces of text
        that occur less than `least` times count for nothing."""
        first = len(SPECIAL_NAMES)
        pieces = Counter(piece for text in texts for piece in CUT.findall(text))
        pieces = Counter({piece: count for piece, count in pieces.items() if count >= least})
        words = [[first + byte for byte in piece.encode()] for piece in pieces]
        counts = list(pieces.values())
        pairs: Counter[tuple[int, int]] = Counter()
        where: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        for at, word in enumerate(words):
            for pair in zip(word, word[1:]):
                pairs[pair] += counts[at]
                where[pair].add(at)
        merges: list[tuple[int, int]] = []
        while first + 256 + len(merges) < vocabulary:
            best = max(pairs, key=lambda pair: (pairs[pair], -pair[0], -pair[1]))
            new = first + 256 + len(merges)
            merges.append(best)
            for at in sorted(where[best]):
                word = words[at]
                for pair in zip(word, word[1:]):
                    pairs[pair] -= counts[at]
                word = words[at] = _merged(word, best, new)
                for pair in zip(word, word[1:]):
                    pairs[pair] += counts[at]
                    where[pair].add(at)
            del pairs[best], where[best]
        return Tokenizer(merges)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for piece in CUT.findall(text):
            known = self._cache.get(piece)
            if known is None:
                known = self._cache[piece] = self._encode_piece(piece)
            ids += known
        return ids

    def _encode_piece(self, piece: str) -> list[int]:
        word = [len(SPECIAL_NAMES) + byte for byte in piece.encode()]
        while len(word) > 1:
            pair = min(zip(word, word[1:]), key=lambda pair: self.ranks.get(pair, 1 << 30))
            if pair not in self.ranks:
                break
            word = _merged(word, pair, self.ranks[pair])
        return word

    def decode(self, ids: list[int]) -> str:
        return b"".join(self.texts[i] for i in ids).decode("utf-8", "replace")

    def to_json(self) -> str:
        """Hugging Face's tokenizer.json with a ByteLevel pre-tokenizer."""
        symbols = byte_symbols()
        names = ["".join(symbols[byte] for byte in text) for text in self.texts]
        names[:len(SPECIAL_NAMES)] = SPECIAL_NAMES
        added = [{"id": i, "content": name, "single_word": False, "lstrip": False,
                  "rstrip": False, "normalized": False, "special": True}
                 for i, name in enumerate(SPECIAL_NAMES)]
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                 "use_regex": True}
        start = SPECIAL_NAMES[BOS]
        post = {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": start, "type_id": 0}},
                           {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [], "special_tokens": {start: {"id": start, "ids": [BOS],
                                                       "tokens": [start]}}}
        model = {"type": "BPE", "dropout": None, "unk_token": None,
                 "continuing_subword_prefix": None, "end_of_word_suffix": None,
                 "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                 "vocab": {name: i for i, name in enumerate(names)},
                 "merges": [[names[left], names[right]] for left, right in self.merges]}
        return json.dumps({"version": "1.0", "truncation": None, "padding": None,
                           "added_tokens": added, "normalizer": None, "pre_tokenizer": level,
                           "post_processor": post, "decoder": level, "model": model},
                          ensure_ascii=False, indent=0)

    @staticmethod
    def read(path: Path) -> "Tokenizer":
        """Reads what `to_json` wrote."""
        model = json.loads(path.read_text())["model"]
        return Tokenizer([(model["vocab"][left], model["vocab"][right])
                          for left, right in model["merges"]])


def _merged(word: list[int], pair: tuple[int, int], new: int) -> list[int]:
    result: list[int] = []
    at = 0
    while at < len(word):
        if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
            result.append(new)
            at += 2
        else:
            result.append(word[at])
            at += 1
    return result
