"""Muon for matrices, AdamW for the embedding, norms and routers."""
import torch
from torch import Tensor


def orthogonal(update: Tensor) -> Tensor:
    """Nearest orthogonal matrices of [M, rows, cols] by five Newton-Schulz steps (K. Jordan)."""
    tall = update.shape[-2] > update.shape[-1]
    x = update.bfloat16()
    x = x.transpose(-1, -2) if tall else x
    x = x / (x.float().norm(dim=(-2, -1), keepdim=True) + 1e-7).bfloat16()
    for _ in range(5):
        square = x @ x.transpose(-1, -2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.transpose(-1, -2) if tall else x).float()


class Optimiser:
    """Holds the masters' momenta by name; matrices of equal shape are updated together."""

    def __init__(self, masters: dict[str, Tensor], muon_lr: float, adam_lr: float):
        self.masters, self.muon_lr, self.adam_lr = masters, muon_lr, adam_lr
        self.steps = 0
        self.first = {name: torch.zeros_like(w) for name, w in masters.items()}
        self.second = {name: torch.zeros_like(w) for name, w in masters.items()
                       if not self._is_matrix(name, w)}
        self.groups: dict[torch.Size, list[str]] = {}
        for name, w in masters.items():
            if self._is_matrix(name, w):
                self.groups.setdefault(w.shape[-2:], []).append(name)

    @staticmethod
    def _is_matrix(name: str, w: Tensor) -> bool:
        return w.dim() > 1 and name != "embed" and not name.endswith("router")

    def step(self, grads: dict[str, Tensor], factor: float) -> None:
        self.steps += 1
        for name in self.second:
            self._adam(name, grads[name], factor * self.adam_lr)
        for shape, names in self.groups.items():
            self._muon(shape, names, grads, factor * self.muon_lr)

    def _adam(self, name: str, grad: Tensor, lr: float) -> None:
        w, first, second = self.masters[name], self.first[name], self.second[name]
        first.lerp_(grad, 0.1)
        second.lerp_(grad.square(), 0.05)
        scale = (second / (1 - 0.95 ** self.steps)).sqrt_().add_(1e-10)
        w.addcdiv_(first, scale, value=-lr / (1 - 0.9 ** self.steps))

    def _muon(self, shape: torch.Size, names: list[str], grads: dict[str, Tensor],
              lr: float) -> None:
        updates = []
        for name in names:
            self.first[name].mul_(0.95).add_(grads[name])
            updates.append(grads[name].add(self.first[name], alpha=0.95).view(-1, *shape))
        sizes = [len(update) for update in updates]
        stacked = orthogonal(torch.cat(updates))
        reach = lr * max(1, shape[0] / shape[1]) ** 0.5
        for name, update in zip(names, stacked.split(sizes)):
            w = self.masters[name]
            w.mul_(1 - lr * 0.02).sub_(update.view_as(w), alpha=reach)

    def state(self) -> dict:
        return {"steps": self.steps, "first": self.first, "second": self.second}

    def load(self, state: dict) -> None:
        self.steps = state["steps"]
        for mine, theirs in ((self.first, state["first"]), (self.second, state["second"])):
            for name, tensor in mine.items():
                tensor.copy_(theirs[name])
