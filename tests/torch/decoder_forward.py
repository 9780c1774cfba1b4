"""A Llama-like forward pass in PyTorch (float64), with what Shard and SlimMoE have beside: windows
and RoPE layer by layer, a cap on the logits, KV heads that differ, experts of two or three matrices.

A model is a dict of settings and of layers, each a dict of settings and weights. All positions of one
sequence at once; shares no code with the C++ side.
"""
import math

import torch
from torch import Tensor


def norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * weight


def turned(x: Tensor, base: float) -> Tensor:
    """RoPE of [positions, heads, head size], pairs (j, j + half), counter-clockwise."""
    half = x.shape[2] // 2
    angles = torch.outer(torch.arange(len(x)).double(), base ** (-torch.arange(half).double() / half))
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def seen(count: int, window: int) -> Tensor:
    """[position, position]: whether the first sees the second. Window 0: all before, and itself."""
    back = torch.arange(count)[:, None] - torch.arange(count)
    return (back >= 0) & ((back < window) if window else True)


def attention(x: Tensor, layer: dict, model: dict) -> Tensor:
    count, heads, kv_heads = len(x), model["heads"], layer["kv_heads"]
    q = (x @ layer["q"].T).view(count, heads, -1)
    k = (x @ layer["k"].T).view(count, kv_heads, -1)
    v = (x @ layer["v"].T).view(count, kv_heads, -1)
    if layer["rope"]:
        q, k = turned(q, model["rope_base"]), turned(k, model["rope_base"])
    mixed = []
    for head in range(heads):
        group = head * kv_heads // heads
        scores = q[:, head] @ k[:, group].T / math.sqrt(q.shape[2])
        scores = scores.masked_fill(~seen(count, layer["window"]), -torch.inf)
        mixed.append(scores.softmax(-1) @ v[:, group])
    return torch.cat(mixed, -1) @ layer["o"].T


def bent(kind: str, x: Tensor) -> Tensor:
    return {"silu": lambda: x * torch.sigmoid(x), "relu2": lambda: x.clamp_min(0).square()}[kind]()


def expert(x: Tensor, parts: dict, kind: str) -> Tensor:
    if "gate" in parts:
        return (bent(kind, x @ parts["gate"].T) * (x @ parts["up"].T)) @ parts["down"].T
    return bent(kind, x @ parts["up"].T) @ parts["down"].T


def feed_forward(x: Tensor, layer: dict, model: dict) -> Tensor:
    if "router" not in layer:
        return expert(x, layer["experts"][0], model["activation"])
    scores = x @ layer["router"].T
    best = scores.topk(model["top_k"], -1)
    if model["router_norm"] == "chosen":
        shares = best.values.softmax(-1)
    else:
        shares = scores.softmax(-1).gather(-1, best.indices)
    y = torch.zeros_like(x)
    for at, row in enumerate(x):
        for share, chosen in zip(shares[at], best.indices[at].tolist()):
            y[at] += share * expert(row, layer["experts"][chosen], model["activation"])
    return y


def logits(model: dict, tokens: list[int]) -> Tensor:
    """[positions, vocabulary]."""
    eps = model["eps"]
    x = model["embedding"][tokens]
    for layer in model["layers"]:
        x = x + attention(norm(x, layer["attention_norm"], eps), layer, model)
        x = x + feed_forward(norm(x, layer["ffn_norm"], eps), layer, model)
    z = norm(x, model["final_norm"], eps) @ model.get("head", model["embedding"]).T
    return model["cap"] * torch.tanh(z / model["cap"]) if model["cap"] else z
