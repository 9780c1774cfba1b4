"""An independent reading of a packed checkpoint: its own reader and a plain forward pass.

It shares no code with model.py and export.py, follows the file alone (metadata and shapes) and is
written for plainness: one sequence, no cache, no batches, in float64 or float32. Its logits are the
fixture that other implementations are held against.
"""
import argparse
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import torch

NUMPY = {"F16": "<f2", "F32": "<f4", "U8": "u1", "I32": "<i4"}
TOP = 32        # logits listed for each position
PRECISIONS = ("float64", "float32")


class Checkpoint:
    """Every tensor of the file in float64, dequantised where it is packed, and the metadata."""

    def __init__(self, content: bytes):
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8:8 + length])
        self.metadata = header.pop("__metadata__")
        raw = {}
        for name, entry in header.items():
            first, end = (8 + length + offset for offset in entry["data_offsets"])
            raw[name] = np.frombuffer(content[first:end], NUMPY[entry["dtype"]])
            raw[name] = raw[name].reshape(entry["shape"])
        self.tensors = {}
        for name in raw:
            stem, _, suffix = name.partition("__")
            if suffix in ("", "scale"):
                values = self._unpack(raw, stem) if suffix else raw[name].astype(np.float64)
                self.tensors[stem] = torch.from_numpy(values)

    @staticmethod
    def _unpack(raw: dict[str, np.ndarray], stem: str) -> np.ndarray:
        """Code times scale of each weight, row by row."""
        rows, cols = (int(extent) for extent in raw[stem + "__shape"])
        codes = np.empty((rows, cols))
        if stem + "__bin" in raw:
            packed = raw[stem + "__bin"]
            for col in range(cols):     # the highest bit comes first, and 1 stands for +1
                codes[:, col] = 2.0 * (packed[:, col // 8] >> (7 - col % 8) & 1) - 1.0
        else:
            packed = raw[stem + "__int4"]
            for col in range(cols):     # the low nibble comes first, and 8 stands for 0
                codes[:, col] = (packed[:, col // 2] >> (col % 2 * 4) & 15) - 8.0
        return codes * raw[stem + "__scale"].astype(np.float64)[:, None]

    def number(self, key: str) -> float:
        return float(self.metadata[key])


def logits(checkpoint: Checkpoint, tokens: list[int], precision: str) -> torch.Tensor:
    """[T, vocabulary]: what follows each token."""
    dtype = getattr(torch, precision)
    w = {name: tensor.to(dtype) for name, tensor in checkpoint.tensors.items()}
    eps, head = checkpoint.number("norm_eps"), int(checkpoint.number("head_dim"))
    heads, kv_heads = (int(checkpoint.number(key)) for key in ("n_heads", "n_kv_heads"))
    experts = sum("layers.0.mlp.experts." in name and "gate_proj" in name for name in w)
    rope = rotations(len(tokens), head, checkpoint.number("rope_theta"), dtype)

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * w[name + ".weight"]

    def expert(x: torch.Tensor, at: str) -> torch.Tensor:
        gate = x @ w[at + "gate_proj.weight"].T
        up = x @ w[at + "up_proj.weight"].T
        return (gate / (1 + torch.exp(-gate)) * up) @ w[at + "down_proj.weight"].T

    x = w["model.embed_tokens.weight"][tokens]
    for layer in json.loads(checkpoint.metadata["pass_order"]):
        at = f"model.layers.{layer}."
        y = norm(x, at + "input_layernorm")
        q, k, v = (y @ w[f"{at}self_attn.{part}_proj.weight"].T for part in "qkv")
        mixed = []
        for i in range(heads):
            mine = slice(i * head, (i + 1) * head)
            group = i * kv_heads // heads
            theirs = slice(group * head, (group + 1) * head)
            scores = rotate(q[:, mine], rope) @ rotate(k[:, theirs], rope).T / head ** 0.5
            later = torch.ones_like(scores, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -torch.inf)
            mixed.append(torch.softmax(scores, -1) @ v[:, theirs])
        x = x + torch.cat(mixed, -1) @ w[at + "self_attn.o_proj.weight"].T
        y = norm(x, at + "post_attention_layernorm")
        scores = y @ w[at + "mlp.router.weight"].T
        best = scores.argsort(-1, descending=True)[:, :int(checkpoint.number("top_k"))]
        share = torch.softmax(scores.gather(-1, best), -1)
        sums = expert(y, at + "mlp.shared_expert.")
        for e in range(experts):
            part = (share * (best == e)).sum(-1)
            rows = part.nonzero().squeeze(-1)
            if len(rows):
                sums[rows] += part[rows, None] * expert(y[rows], f"{at}mlp.experts.{e}.")
        x = x + sums
    return norm(x, "model.norm") @ w["model.embed_tokens.weight"].T


def rotations(count: int, head: int, base: float, dtype: torch.dtype) -> torch.Tensor:
    """cos and sin [2, T, head/2] of the half-split rotary embedding."""
    speed = base ** (-2.0 * torch.arange(head // 2, dtype=dtype) / head)
    angle = torch.arange(count, dtype=dtype)[:, None] * speed
    return torch.stack([angle.cos(), angle.sin()])


def rotate(x: torch.Tensor, rope: torch.Tensor) -> torch.Tensor:
    a, b = x[:, :x.shape[1] // 2], x[:, x.shape[1] // 2:]
    cos, sin = rope
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def numbers(values: torch.Tensor) -> list[float]:
    """The shortest decimals that give the same floats of their precision."""
    return [float(str(value)) for value in values.numpy()]


def fixture(path: Path, tokens: list[int]) -> dict:
    content = path.read_bytes()
    checkpoint = Checkpoint(content)
    made: dict = {"checkpoint": path.name, "sha256": hashlib.sha256(content).hexdigest(),
                  "tokens": tokens}
    for precision in PRECISIONS:
        rows = []
        for position, row in enumerate(logits(checkpoint, tokens, precision)):
            top = row.argsort(descending=True)[:TOP]
            sums = numbers(torch.stack([row.sum(), (row * row).sum(), row.abs().max()]))
            rows.append({"position": position, "sum": sums[0], "sum_of_squares": sums[1],
                         "max_abs": sums[2], "ids": top.tolist(), "logits": numbers(row[top])})
        made[precision] = {"positions": rows}
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/train/run oracle", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokens", required=True, help="ids, 0,4,35")
    parser.add_argument("--out", type=Path, required=True, help="the fixture, JSON")
    options = parser.parse_args()
    made = fixture(options.checkpoint, [int(token) for token in options.tokens.split(",")])
    text = json.dumps(made, separators=(",", ":")).replace('{"position"', '\n{"position"') + "\n"
    options.out.write_text(text)


if __name__ == "__main__":
    main()
