"""Measures a model on words that training never showed, and lets it answer."""
import math
import random

import torch

from .config import ASSISTANT, BOS, EOS, EOT, USER, Config
from .data import Data, encode
from .model import Model
from .packing import pack
from .tokenizer import Tokenizer


@torch.no_grad()
def perplexity(config: Config, model: Model, data: Data, tokenizer: Tokenizer,
               entries: str = "unseen", device: str = "cpu") -> float:
    """Per token of the answer, over one question about each of up to 300 words."""
    rng = random.Random(0)
    chosen = list(getattr(data, entries))
    rng.shuffle(chosen)
    documents = []
    for entry in chosen[:300]:
        question, answer = data.definition(entry, rng)
        documents.append(encode([BOS, USER, ("\n" + question, False), EOT, ("\n", False),
                                 ASSISTANT, ("\n" + answer, True), EOT, EOS], tokenizer, False))
    batch = pack(documents, len(documents), config.window).to(device)
    total = 0.0
    for first in range(0, len(documents), 64):
        rows = slice(first, first + 64)
        hidden = model.hidden(batch.tokens[rows], batch.positions[rows], batch.documents[rows])
        total += float(model.loss(hidden, batch.targets[rows].flatten(),
                                  batch.weights[rows].flatten()))
    return math.exp(total / float(batch.weights.sum()))


@torch.no_grad()
def answer(model: Model, tokenizer: Tokenizer, question: str, limit: int = 48,
           device: str = "cpu") -> str:
    """Greedy, from an empty conversation."""
    ids = [BOS, USER, *tokenizer.encode("\n" + question), EOT, *tokenizer.encode("\n"), ASSISTANT,
           *tokenizer.encode("\n")]
    start = len(ids)
    while len(ids) < start + limit:
        tokens = torch.tensor([ids], device=device)
        positions = torch.arange(len(ids), device=device).unsqueeze(0)
        hidden = model.hidden(tokens, positions, torch.zeros_like(tokens))
        best = int(model.logits(hidden[-1:]).argmax())
        if best in (EOS, EOT):
            break
        ids.append(best)
    return tokenizer.decode(ids[start:])
