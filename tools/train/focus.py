"""Asks more about what the model of the moment does not know yet.

Every few hundred steps one question about each word is answered by the packed weights; how often a
word is asked about from then on follows the loss of its answer.
"""
import random

import torch
from torch.nn.functional import cross_entropy

from .config import BOS, Config
from .data import Data, encode, turn_of
from .model import Model
from .packing import rows_of
from .tokenizer import Tokenizer
from .words import normal

LEAST, MOST = 0.3, 3.0      # of the usual weight
ROWS = 128                  # answers at a time


@torch.no_grad()
def answer_losses(model: Model, documents: list[tuple[list[int], list[float]]],
                  device: str = "cpu") -> list[float]:
    """Mean cross-entropy per weighted token of each document."""
    order = sorted(range(len(documents)), key=lambda at: len(documents[at][0]))
    losses = [0.0] * len(documents)
    for first in range(0, len(order), ROWS):
        some = order[first:first + ROWS]
        batch = rows_of([documents[at] for at in some]).to(device)
        hidden = model.hidden(batch.tokens, batch.positions, batch.documents)
        each = cross_entropy(model.logits(hidden).float(), batch.targets.flatten(), reduction="none")
        weighted = each.view_as(batch.weights) * batch.weights
        means = weighted.sum(1) / batch.weights.sum(1)
        for at, mean in zip(some, means.tolist()):
            losses[at] = mean
    return losses


def attend(config: Config, model: Model, data: Data, tokenizer: Tokenizer,
           device: str = "cpu") -> None:
    """Weighs the words of every task anew."""
    factors = {}
    for task, (entries, _) in data.asked.items():
        rng = random.Random(f"{config.seed} {task}")
        documents = []
        for entry in entries:
            question, answer = data.about(task, entry, rng)
            while normal(question) in data.hidden:
                question, answer = data.about(task, entry, rng)
            documents.append(encode([BOS, *turn_of(question, answer)], tokenizer, 0.0))
        losses = answer_losses(model, documents, device)
        usual = sum(losses) / len(losses)
        factors[task] = [min(max(loss / usual, LEAST), MOST) for loss in losses]
    data.weigh(factors)
