"""Bits per byte as parameter-golf counts them: windows of the context, each a sequence of its own.

  tools/train/run scoring --checkpoint MODEL.ptz --tokenizer VOCABULARY.model TEXT

Windows start at 0, stride, 2 stride, ... before the last position. The first scores all of its
positions, each later one its last `stride` ones; so the windows that reach the end of the text all
score its last positions once more. A token has as many bytes as its piece, and one more for the
space that it begins with, unless the token before it is no text.
"""
import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .golf import Golf, Weights, hidden, logits_of
from .golf_file import read

MAGIC, VERSION, HEADER = 20240520, 1, 256
SPACE = "\u2581"


@dataclass(frozen=True)
class Window:
    first: int      # position
    count: int
    scored: int     # of its last positions


def windows(positions: int, context: int, stride: int, prefix: int = 0) -> list[Window]:
    """`prefix`: without what scores positions beyond the first ones, 0 for all."""
    end = min(prefix, positions) if prefix else positions
    made = []
    for first in range(0, positions, stride):
        count = min(first + context, positions) - first
        scored = count if first == 0 else min(stride, count)
        beyond = max(first + count - end, 0)
        if scored > beyond:
            made.append(Window(first, count - beyond, scored - beyond))
    return made


def read_shard(path: Path) -> list[int]:
    """A file of token ids: 256 numbers of 32 bits, of which the third counts the ids of 16 bits."""
    raw = Path(path).read_bytes()
    header = torch.frombuffer(bytearray(raw[:4 * HEADER]), dtype=torch.int32)
    if len(header) != HEADER or header[:2].tolist() != [MAGIC, VERSION]:
        raise ValueError(f"{path}: no token shard")
    count = int(header[2])
    if len(raw) != 4 * HEADER + 2 * count:
        raise ValueError(f"{path}: {count} ids do not fit its {len(raw)} bytes")
    ids = torch.frombuffer(bytearray(raw[4 * HEADER:]), dtype=torch.int16)
    return (ids.int() & 0xffff).tolist()


def whole_windows(ids: list[int], context: int) -> list[int]:
    """Without what is left after the last whole window and the token that it predicts."""
    return ids[:(len(ids) - 1) // context * context + 1] if len(ids) > context else ids


class Pieces:
    """Bytes of every token, from a SentencePiece vocabulary."""

    def __init__(self, path: Path):
        import sentencepiece
        self.model = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.bytes, self.spaced, self.silent = [], [], []
        for token in range(self.model.vocab_size()):
            silent = (self.model.is_control(token) or self.model.is_unknown(token)
                      or self.model.is_unused(token))
            piece = self.model.id_to_piece(token)
            spaced = not silent and not self.model.is_byte(token) and piece.startswith(SPACE)
            size = 1 if self.model.is_byte(token) else len(piece[len(SPACE) * spaced:].encode())
            self.bytes.append(0 if silent else size)
            self.spaced.append(spaced)
            self.silent.append(silent)

    def encode(self, text: str) -> list[int]:
        return [self.model.bos_id(), *self.model.encode(text)]

    def size(self, before: int, token: int) -> int:
        return self.bytes[token] + (self.spaced[token] and not self.silent[before])


def nats(weights: Weights, golf: Golf, tokens: Tensor, window: Window) -> Tensor:
    """-log p of what the window's scored positions predict."""
    inside = tokens[window.first:window.first + window.count]
    states = hidden(weights, golf, inside.unsqueeze(0))[0, -window.scored:]
    targets = tokens[window.first + 1:window.first + window.count + 1][-window.scored:]
    return torch.nn.functional.cross_entropy(logits_of(weights, golf, states), targets,
                                             reduction="none")


@dataclass
class Score:
    nats: float = 0.0
    scorings: int = 0
    bytes: int = 0

    def add(self, found: Tensor) -> None:
        self.nats += float(found.double().sum())
        self.scorings += len(found)

    @property
    def bits_per_byte(self) -> float:
        return self.nats / math.log(2) / self.bytes


def scored_bytes(pieces: Pieces, ids: list[int], window: Window) -> int:
    end = window.first + window.count
    return sum(pieces.size(ids[at], ids[at + 1]) for at in range(end - window.scored, end))


@torch.no_grad()
def score(weights: Weights, golf: Golf, pieces: Pieces, ids: list[int],
          chosen: list[Window]) -> Score:
    tokens, total = torch.tensor(ids), Score()
    for window in progress(chosen):
        total.add(nats(weights, golf, tokens, window))
        total.bytes += scored_bytes(pieces, ids, window)
    return total


def progress(chosen: list[Window]) -> Iterator[Window]:
    began = time.monotonic()
    for i, window in enumerate(chosen):
        yield window
        if sys.stderr.isatty():
            print(f"\r{i + 1} of {len(chosen)} windows, {time.monotonic() - began:.0f} s", end="",
                  file=sys.stderr)


def ids_of(pieces: Pieces, text: Path, context: int, prefix: int) -> list[int]:
    with text.open("rb") as file:
        is_shard = file.read(4) == MAGIC.to_bytes(4, "little")
    if not is_shard:
        return pieces.encode(text.read_text())
    return read_shard(text) if prefix else whole_windows(read_shard(text), context)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", type=Path, help="UTF-8, or a shard of token ids (.bin)")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="SentencePiece's .model")
    parser.add_argument("--context", type=int, default=0, help="default: the model's")
    parser.add_argument("--stride", type=int, default=64)
    parser.add_argument("--prefix", type=int, default=0, help="score the first positions only")
    parser.add_argument("--precision", choices=("float32", "float64"), default="float32")
    parser.add_argument("--rounded", action="store_true", help="tables to bfloat16")
    parser.add_argument("--json", action="store_true")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/train/run scoring", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    options = parser.parse_args()
    weights = read(options.checkpoint, getattr(torch, options.precision), options.rounded)
    golf, pieces = Golf.of(weights), Pieces(options.tokenizer)
    context = options.context or golf.context
    ids = ids_of(pieces, options.text, context, options.prefix)
    chosen = windows(len(ids) - 1, context, options.stride, options.prefix)
    found = score(weights, golf, pieces, ids, chosen)
    report = {"tokens": len(ids), "context": context, "stride": options.stride,
              "windows": len(chosen), "scorings": found.scorings, "bytes": found.bytes,
              "nats": found.nats, "bits_per_byte": found.bits_per_byte}
    print(json.dumps(report) if options.json else
          "\n".join(f"{key:14} {value}" for key, value in report.items()))


if __name__ == "__main__":
    main()
