"""Batches: documents side by side in windows, positions counted from 0 in each document."""
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from .config import PAD, Config
from .data import Data, Document, encode
from .tokenizer import Tokenizer

Encoded = tuple[list[int], list[float]]


@dataclass
class Batch:
    """[B, T] each; targets and weights are those of the next token."""

    tokens: Tensor
    positions: Tensor
    documents: Tensor
    targets: Tensor
    weights: Tensor

    def to(self, device: str) -> "Batch":
        return Batch(*(part.to(device) for part in vars(self).values()))


def pack(documents: list[Encoded], count: int, window: int) -> Batch:
    """First fit, the longest first; what finds no place is dropped."""
    rows: list[list[Encoded]] = [[] for _ in range(count)]
    room = [window] * count
    for ids, weights in sorted(documents, key=lambda document: -len(document[0])):
        size = min(len(ids) - 1, window)
        at = next((i for i in range(count) if room[i] >= size), None)
        if at is not None:
            rows[at].append((ids[:size + 1], weights[:size + 1]))
            room[at] -= size
    return batch_of(rows, room)


def rows_of(documents: list[Encoded]) -> Batch:
    """One document a row."""
    sizes = [len(ids) - 1 for ids, _ in documents]
    return batch_of([[document] for document in documents], [max(sizes) - size for size in sizes])


def batch_of(rows: list[list[Encoded]], room: list[int]) -> Batch:
    """Documents by row, and how many tokens of padding each row ends with."""
    tokens, positions, owners, targets, losses = [], [], [], [], []
    for row, free in zip(rows, room):
        sizes = [len(ids) - 1 for ids, _ in row] + [free]
        tokens.append([i for ids, _ in row for i in ids[:-1]] + [PAD] * free)
        targets.append([i for ids, _ in row for i in ids[1:]] + [PAD] * free)
        losses.append([w for _, weights in row for w in weights[1:]] + [0.0] * free)
        positions.append([i for size in sizes for i in range(size)])
        owners.append([owner for owner, size in enumerate(sizes) for _ in range(size)])
    return Batch(*(torch.tensor(part) for part in (tokens, positions, owners, targets, losses)))


def draw(config: Config, data: Data, rng: random.Random, progress: float,
         chat: bool) -> Document:
    """Running text gives way to questions; conversations of several turns come last."""
    if rng.random() < (0.02 if chat else config.texts * (1 - progress)):
        return data.text(rng)
    return data.chat(rng, rng.choice((1, 1, 1, 2, 3)) if chat else 1)


def batches(config: Config, data: Data, tokenizer: Tokenizer, step: int,
            progress: float) -> list[Batch]:
    """The batches of one optimiser step, drawn from a generator seeded by the step."""
    rng = random.Random(f"{config.seed} {step}")
    chat = progress >= 1 - config.chat_share
    window = config.chat_window if chat else config.window
    asking = 0.0 if chat else config.asking
    made = []
    for _ in range(config.step_tokens // config.micro_tokens):
        documents: list[Encoded] = []
        size = 0
        while size < 0.97 * config.micro_tokens:
            documents.append(encode(draw(config, data, rng, progress, chat), tokenizer, asking))
            size += len(documents[-1][0]) - 1
        made.append(pack(documents, config.micro_tokens // window, window))
    return made
