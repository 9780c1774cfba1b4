"""Score first, then learn: test-time training as parameter-golf's records do it.

  tools/train/run ttt --checkpoint MODEL.ptz --tokenizer VOCABULARY.model --chunk 1024 TEXT

A text is taken in chunks. Each chunk is scored with the weights as they are, then they learn from it.
No token's loss is computed after a gradient that saw it: a ledger of what happened refuses that.
"""
import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .golf import Golf, logits
from .golf_file import read
from .scoring import Pieces, Score, Window, add_options, ids_of, nats, scored_bytes, windows

CLIP = 1.0
LAST_BLOCKS = 2


@dataclass(frozen=True)
class Variant:
    """How the weights learn, and which."""

    rate: float
    epochs: int
    adam: bool      # else SGD with momentum
    last_only: bool     # the last blocks and the scales; else everything

    def optimiser(self, tensors: list[Tensor]) -> torch.optim.Optimizer:
        if self.adam:
            return torch.optim.AdamW(tensors, self.rate, (0.9, 0.999), 1e-8, weight_decay=0.0)
        return torch.optim.SGD(tensors, self.rate, momentum=0.9)

    def learns(self, name: str, layers: int) -> bool:
        if not self.last_only:
            return True
        if name.startswith("blocks.") and int(name.split(".")[1]) >= layers - LAST_BLOCKS:
            return True
        return name.endswith(("attn_scale", "mlp_scale")) or \
            name in ("bigram.scale", "ve_shared.scale") or name.startswith("ve_layer_scales.")


VARIANTS = {"sgd": Variant(0.002, 3, adam=False, last_only=False),
            "adamw": Variant(1e-4, 3, adam=True, last_only=True)}


@dataclass
class Ledger:
    """What happened, in order: ("score" or "learn", first token, end). Refuses what is not legal."""

    events: list[tuple[str, int, int]] = field(default_factory=list)
    seen: int = 0       # tokens before this one have been in a gradient

    def score(self, first: int, end: int) -> None:
        if first < self.seen:
            raise ValueError(f"tokens {first} to {self.seen - 1} would be scored after they were "
                             "learned from")
        self.events.append(("score", first, end))

    def learn(self, first: int, end: int) -> None:
        self.seen = max(self.seen, end)
        self.events.append(("learn", first, end))


@dataclass(frozen=True)
class Chunk:
    first: int      # position
    end: int
    windows: tuple[Window, ...]     # that are scored before it is learned from

    def sequences(self, context: int) -> list[int]:
        """Where whole sequences begin."""
        return [self.first + i * context for i in range((self.end - self.first) // context)]


def chunks(positions: int, size: int, chosen: list[Window]) -> list[Chunk]:
    """A window goes to the chunk that its first scored position stands in."""
    count = max(math.ceil(positions / size), 1)
    mine: list[list[Window]] = [[] for _ in range(count)]
    for window in chosen:
        mine[min((window.first + window.count - window.scored) // size, count - 1)].append(window)
    return [Chunk(i * size, min((i + 1) * size, positions), tuple(mine[i])) for i in range(count)]


def rate_of(variant: Variant, chunk: int, count: int) -> float:
    return variant.rate * 0.5 * (1 + math.cos(math.pi * chunk / (count - 1)))


class Learner:
    """A model's weights, float32, and how they learn from sequences of a text."""

    def __init__(self, weights: dict[str, Tensor], golf: Golf, variant: Variant, batch: int):
        self.golf, self.variant, self.batch = golf, variant, batch
        self.weights = {name: w.clone().requires_grad_(variant.learns(name, golf.layers))
                        for name, w in weights.items()}
        self.learning = [w for w in self.weights.values() if w.requires_grad]
        self.optimiser = variant.optimiser(self.learning)

    def learn(self, tokens: Tensor, starts: list[int], context: int, rate: float) -> Iterator[list[int]]:
        """Yields the starts of each step's sequences before it takes the step."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        for _ in range(self.variant.epochs):
            for at in range(0, len(starts), self.batch):
                chosen = starts[at:at + self.batch]
                yield chosen
                self.step(torch.stack([tokens[i:i + context + 1] for i in chosen]))

    def step(self, sequences: Tensor) -> None:
        found = logits(self.weights, self.golf, sequences[:, :-1])
        loss = torch.nn.functional.cross_entropy(found.flatten(0, 1), sequences[:, 1:].flatten())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learning, CLIP)
        self.optimiser.step()


def run(learner: Learner, pieces: Pieces, ids: list[int], divided: list[Chunk], context: int,
        ledger: Ledger) -> Score:
    tokens, total = torch.tensor(ids), Score()
    for i, chunk in enumerate(divided):
        for window in chunk.windows:
            end = window.first + window.count
            ledger.score(end - window.scored + 1, end + 1)
            with torch.no_grad():
                total.add(nats(learner.weights, learner.golf, tokens, window))
            total.bytes += scored_bytes(pieces, ids, window)
        if i + 1 == len(divided):
            break
        rate = rate_of(learner.variant, i, len(divided))
        for starts in learner.learn(tokens, chunk.sequences(context), context, rate):
            for start in starts:
                ledger.learn(start, start + context + 1)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/train/run ttt", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--chunk", type=int, default=32768, help="positions")
    parser.add_argument("--batch", type=int, default=32, help="sequences of a step")
    parser.add_argument("--variant", choices=(*VARIANTS, "none"), action="append")
    options = parser.parse_args()
    weights = read(options.checkpoint, getattr(torch, options.precision), options.rounded)
    golf, pieces = Golf.of(weights), Pieces(options.tokenizer)
    context = options.context or golf.context
    ids = ids_of(pieces, options.text, context, options.prefix)
    if options.prefix:
        ids = ids[:options.prefix + 1]
    positions = len(ids) - 1
    chosen = windows(positions, context, options.stride)
    divided = chunks(positions, options.chunk, chosen)
    reports = []
    for name in options.variant or ("none", *VARIANTS):
        began, ledger = time.monotonic(), Ledger()
        learner = Learner(weights, golf, VARIANTS.get(name, VARIANTS["sgd"]), options.batch)
        mine = divided if name in VARIANTS else chunks(positions, positions, chosen)
        found = run(learner, pieces, ids, mine, context, ledger)
        reports.append({"variant": name, "bits_per_byte": found.bits_per_byte, "nats": found.nats,
                        "scorings": found.scorings, "bytes": found.bytes, "chunks": len(mine),
                        "learned_sequences": sum(event[0] == "learn" for event in ledger.events),
                        "learning": sum(w.numel() for w in learner.learning)
                        if name in VARIANTS else 0,
                        "seconds": round(time.monotonic() - began, 1)})
        print(json.dumps(reports[-1]) if options.json else
              "  ".join(f"{key} {value}" for key, value in reports[-1].items()), flush=True)


if __name__ == "__main__":
    main()
