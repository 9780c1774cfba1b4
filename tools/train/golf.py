"""The forward pass of parameter-golf's models in PyTorch, in the precision that the weights have.

Written from the formulas, apart from runtime_ref's engine: all positions of a batch at once. Weights
are a dict with the names of the programs' own state dicts; what a model computes beyond them stands in
`Golf`. Differentiable, so that the same code scores and learns.
"""
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
SMALL = 1.1920928955078125e-07      # float32's epsilon
FIRST_CONTEXT, LATER_CONTEXT = 1024, 2048


def stretched_base(context: int, dims: int, base: float = 10000.0) -> float:
    """RoPE's base of a model that learns longer sequences than 1,024; the same for every position."""
    if context <= FIRST_CONTEXT:
        return base
    return base * (context / FIRST_CONTEXT) ** (dims / (dims - 2))


@dataclass(frozen=True)
class Golf:
    """What the tensors do not say, and a switch for each part that they do."""

    layers: int
    heads: int
    kv_heads: int
    context: int = FIRST_CONTEXT
    rope_dims: int = 0              # of each head; 0: all
    rope_base: float = 10000.0
    rope_sign: int = -1             # the first of a pair turns towards the second for +1
    exclusive: tuple[int, ...] = ()     # layers
    value_layers: tuple[int, ...] = ()  # layers, in the order of ve_layer_scales
    norm_scale: bool = False        # layer i divides what norms give by sqrt(i + 1)
    activation: str = "relu2"       # or "leaky2"
    cap: float = 30.0               # 0: none
    eps: float = SMALL
    start_norm: bool = True
    head_norm: bool = True
    bigram: bool = True
    smear: bool = True
    skips: bool = True
    mix: bool = True
    scales: bool = True
    gain: bool = True

    @staticmethod
    def of(weights: Weights) -> "Golf":
        """What the records' programs assume: with value embeddings, those from 2026-03-22 on."""
        layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
        width = weights["tok_emb.weight"].shape[1]
        heads = weights["blocks.0.attn.q_gain"].shape[0]
        size = width // heads
        kv_heads = weights["blocks.0.attn.c_k.weight"].shape[0] // size
        known = {"layers": layers, "heads": heads, "kv_heads": kv_heads}
        if "ve_shared.embed.weight" not in weights:
            later = "bigram.embed.weight" in weights
            return Golf(**known, context=LATER_CONTEXT if later else FIRST_CONTEXT)
        values = sum(name.startswith("ve_layer_scales.") for name in weights)
        dims = min(16, size)
        return Golf(**known, context=LATER_CONTEXT, rope_dims=dims,
                    rope_base=stretched_base(LATER_CONTEXT, dims), norm_scale=True,
                    exclusive=tuple(range(0 if kv_heads == heads else layers - 4, layers)),
                    value_layers=tuple(range(layers - values, layers)))

    def skip_of(self, layer: int) -> int:
        """The layer whose result joins before this one, -1: none. The last one left is the first."""
        half = self.layers // 2
        return 2 * half - 1 - layer if half <= layer < 2 * half else -1


def rms(x: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def bigram_rows(tokens: Tensor, buckets: int) -> Tensor:
    """The row of each token and the one before; a sequence's first token has the last row."""
    rows = torch.full_like(tokens, buckets - 1)
    rows[:, 1:] = (36313 * tokens[:, 1:] ^ 27191 * tokens[:, :-1]) % (buckets - 1)
    return rows


def looked_up(weights: Weights, part: str, rows: Tensor) -> Tensor:
    """Rows of the table of `part`, brought to the width where they are used, times its scale."""
    found = weights[part + ".embed.weight"][rows]
    if part + ".proj.weight" in weights:
        found = found @ weights[part + ".proj.weight"].T
    return weights[part + ".scale"] * found


def smeared(x: Tensor, gate: Tensor) -> Tensor:
    g = torch.sigmoid(gate)
    before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
    return (1 - g) * x + g * before


def turned(x: Tensor, golf: Golf) -> Tensor:
    """RoPE of [batch, heads, positions, head size]: pairs (j, j + dims / 2), by float64 angles."""
    dims = golf.rope_dims or x.shape[-1]
    pairs = torch.arange(dims // 2, dtype=torch.float64, device=x.device)
    places = torch.arange(x.shape[-2], dtype=torch.float64, device=x.device)
    angles = golf.rope_sign * torch.outer(places, golf.rope_base ** (-2 * pairs / dims))
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b, rest = x.split([dims // 2, dims // 2, x.shape[-1] - dims], -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], -1)


def excluded(y: Tensor, v: Tensor) -> Tensor:
    """Without what lies along each position's own value."""
    n = v / v.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return y - (y * n).sum(-1, keepdim=True) * n


def attend(x: Tensor, weights: Weights, golf: Golf, layer: int, value: Tensor | None) -> Tensor:
    at = f"blocks.{layer}.attn."
    batch, count, _ = x.shape

    def heads_of(flat: Tensor, heads: int) -> Tensor:
        return flat.view(batch, count, heads, -1).transpose(1, 2)

    v = x @ weights[at + "c_v.weight"].T
    if layer in golf.value_layers:
        v = v + weights[f"ve_layer_scales.{golf.value_layers.index(layer)}"] * value
    q = heads_of(x @ weights[at + "c_q.weight"].T, golf.heads)
    k = heads_of(x @ weights[at + "c_k.weight"].T, golf.kv_heads)
    v = heads_of(v, golf.kv_heads)
    if golf.head_norm:
        q, k = rms(q, golf.eps), rms(k, golf.eps)
    q, k = turned(q, golf), turned(k, golf)
    if golf.gain:
        q = q * weights[at + "q_gain"][:, None, None]
    k, v = (part.repeat_interleave(golf.heads // golf.kv_heads, 1) for part in (k, v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    later = torch.ones(count, count, dtype=torch.bool, device=x.device).triu(1)
    y = scores.masked_fill(later, -torch.inf).softmax(-1) @ v
    if layer in golf.exclusive:
        y = excluded(y, v)
    return y.transpose(1, 2).reshape(batch, count, -1) @ weights[at + "proj.weight"].T


def feed_forward(x: Tensor, weights: Weights, golf: Golf, layer: int) -> Tensor:
    inner = x @ weights[f"blocks.{layer}.mlp.fc.weight"].T
    slope = 0.5 if golf.activation == "leaky2" else 0.0
    inner = torch.where(inner > 0, inner, slope * inner).square()
    return inner @ weights[f"blocks.{layer}.mlp.proj.weight"].T


def block(x: Tensor, start: Tensor, weights: Weights, golf: Golf, layer: int,
          value: Tensor | None) -> Tensor:
    at = f"blocks.{layer}."
    if golf.mix:
        stay, back = weights[at + "resid_mix"]
        x = stay * x + back * start
    factor = 1 / math.sqrt(layer + 1) if golf.norm_scale else 1.0
    one = torch.ones((), dtype=x.dtype, device=x.device)
    scale = {part: weights[f"{at}{part}_scale"] if golf.scales else one for part in ("attn", "mlp")}
    x = x + scale["attn"] * attend(factor * rms(x, golf.eps), weights, golf, layer, value)
    return x + scale["mlp"] * feed_forward(factor * rms(x, golf.eps), weights, golf, layer)


def hidden(weights: Weights, golf: Golf, tokens: Tensor) -> Tensor:
    """[batch, positions] ids to [batch, positions, width]: what the head multiplies."""
    x = weights["tok_emb.weight"][tokens]
    if golf.bigram and "bigram.embed.weight" in weights:
        rows = bigram_rows(tokens, weights["bigram.embed.weight"].shape[0])
        x = x + looked_up(weights, "bigram", rows)
    if golf.start_norm:
        x = rms(x, golf.eps)
    if golf.smear and "smear.gate" in weights:
        x = smeared(x, weights["smear.gate"])
    value = looked_up(weights, "ve_shared", tokens) if golf.value_layers else None
    start, left = x, []
    for layer in range(golf.layers):
        joining = golf.skip_of(layer)
        if golf.skips and joining >= 0:
            x = x + weights["skip_weights"][layer - golf.layers // 2] * left[joining]
        x = block(x, start, weights, golf, layer, value)
        left.append(x)
    return rms(x, golf.eps)


def logits_of(weights: Weights, golf: Golf, states: Tensor) -> Tensor:
    z = states @ weights.get("lm_head.weight", weights["tok_emb.weight"]).T
    return golf.cap * torch.tanh(z / golf.cap) if golf.cap else z


def logits(weights: Weights, golf: Golf, tokens: Tensor) -> Tensor:
    """[batch, positions] ids to [batch, positions, vocabulary]."""
    return logits_of(weights, golf, hidden(weights, golf, tokens))
