"""The masters in a run's state.pt: as they are, or in 8 bits where they are many.

A small state also leaves out the optimiser, which starts afresh when the run goes on.
"""
import torch
from torch import Tensor

from .config import Config

Kept = Tensor | tuple[Tensor, Tensor]    # or codes and a scale of each row


def shrink(config: Config, masters: dict[str, Tensor]) -> dict[str, Kept]:
    """Matrices as int8, less than half a step of their row's largest weight / 127 off."""
    kept: dict[str, Kept] = {}
    for name, master in masters.items():
        if config.bits(name) == 16:
            kept[name] = master
            continue
        scale = master.abs().amax(-1, keepdim=True).clamp_min(1e-20) / 127
        kept[name] = ((master / scale).round().to(torch.int8), scale)
    return kept


def masters_of(state: dict) -> dict[str, Tensor]:
    """The masters of a state of either kind."""
    return {name: kept[0] * kept[1] if isinstance(kept, tuple) else kept
            for name, kept in state["masters"].items()}
