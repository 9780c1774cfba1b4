"""SSMoELM's forward pass: grouped-query attention and mixtures of experts.

Weights come as a dictionary of tensors, so that the same code runs float masters, quantised
weights and weights read back. Matrix products run in `dtype`, the residual stream in float32.
N = tokens of the batch, D = width, H = heads, T = window, E = experts, K = top_k.
"""
import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import linear

from .config import Config
from .quantise import quantise

Weights = dict[str, Tensor]


def initial_weights(config: Config) -> Weights:
    """Float masters: normal with deviation 1/sqrt(columns), less where a branch joins."""
    make = torch.Generator().manual_seed(config.seed)
    weights: Weights = {}
    for name, shape in config.shapes().items():
        part = name.split(".")[-1]
        if "norm" in part:
            weights[name] = torch.ones(shape)
            continue
        deviation = 0.03 if part == "embed" else shape[-1] ** -0.5
        if part in ("o", "down"):
            deviation /= (2 * len(config.pass_order)) ** 0.5
        weights[name] = torch.randn(shape, generator=make) * deviation
    return weights


def quantised_leaves(config: Config, masters: Weights) -> Weights:
    """Quantised copies that collect gradients: the straight-through estimator hands them on."""
    return {name: quantise(master.detach(), config.bits(name)).requires_grad_()
            for name, master in masters.items()}


class RmsNorm(Function):
    """x / sqrt(mean(x^2) + eps) * w over rows of [N, D], result in `dtype`."""

    @staticmethod
    def forward(ctx, x, w, eps, dtype):
        r = (x.square().mean(-1, keepdim=True) + eps).rsqrt_()
        ctx.save_for_backward(x, w, r)
        return (x * r).mul_(w).to(dtype)

    @staticmethod
    def backward(ctx, grad):
        x, w, r = ctx.saved_tensors
        grad = grad.float()
        unit = x * r
        grad_w = (grad * unit).sum(0)
        grad = grad * w
        grad -= unit.mul_((grad * unit).mean(-1, keepdim=True))
        return grad.mul_(r), grad_w, None, None


class SwiGlu(Function):
    """silu(g) * u of [N, 2h] = [g, u]."""

    @staticmethod
    def forward(ctx, both):
        ctx.save_for_backward(both)
        gate, up = both.float().chunk(2, -1)
        return (gate.sigmoid().mul_(gate).mul_(up)).to(both.dtype)

    @staticmethod
    def backward(ctx, grad):
        (both,) = ctx.saved_tensors
        gate, up = both.float().chunk(2, -1)
        s = gate.sigmoid()
        silu = gate * s
        grad = grad.float()
        # d silu / d gate = s (1 + gate (1 - s)) = s + silu (1 - s)
        slope = s.add_(silu.sub(silu * s))
        return torch.cat([slope.mul_(up).mul_(grad), silu.mul_(grad)], -1).to(both.dtype)


class GroupedLinear(Function):
    """Rows of x, sorted by expert, times their expert's matrix: [R, in] x [E, out, in]."""

    @staticmethod
    def forward(ctx, x, w, ends):
        ctx.save_for_backward(x, w)
        ctx.ends = ends
        y = x.new_empty(x.shape[0], w.shape[1])
        for expert, (first, last) in enumerate(ends):
            torch.mm(x[first:last], w[expert].t(), out=y[first:last])
        return y

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        grad_x, grad_w = torch.empty_like(x), torch.empty_like(w)
        for expert, (first, last) in enumerate(ctx.ends):
            torch.mm(grad[first:last], w[expert], out=grad_x[first:last])
            torch.mm(grad[first:last].t(), x[first:last], out=grad_w[expert])
        return grad_x, grad_w, None


class Dispatch(Function):
    """Row `token[i]` of x [N, D] for every i of the N K choices sorted by expert."""

    @staticmethod
    def forward(ctx, x, token, back, top_k):
        ctx.save_for_backward(back)
        ctx.top_k = top_k
        return x.index_select(0, token)

    @staticmethod
    def backward(ctx, grad):
        (back,) = ctx.saved_tensors
        parts = grad.index_select(0, back).view(-1, ctx.top_k, grad.shape[-1])
        return parts.sum(1), None, None, None


class Combine(Function):
    """Sum over a token's K experts of share [N, K] times result, y [N K, D] sorted by expert."""

    @staticmethod
    def forward(ctx, y, share, token, order, back):
        ctx.save_for_backward(y, share, token, order, back)
        weighted = y * share.flatten().index_select(0, order).unsqueeze(-1).to(y.dtype)
        return weighted.index_select(0, back).view(*share.shape, -1).sum(1)

    @staticmethod
    def backward(ctx, grad):
        y, share, token, order, back = ctx.saved_tensors
        spread = grad.index_select(0, token)
        grad_share = (spread * y).sum(-1, dtype=torch.float32).index_select(0, back)
        scale = share.flatten().index_select(0, order).unsqueeze(-1).to(y.dtype)
        return spread.mul_(scale), grad_share.view_as(share), None, None, None


class Attention(Function):
    """softmax(q k^T / sqrt(head) + mask) v; q [B G, g T, head], k and v [B G, T, head]."""

    @staticmethod
    def forward(ctx, q, k, v, mask, scale):
        scores = torch.bmm(q, k.transpose(1, 2)).float()
        t = k.shape[1]
        scores.view(mask.shape[0], -1, t, t).mul_(scale).add_(mask)
        p = torch.softmax(scores, -1).to(q.dtype)
        ctx.save_for_backward(q, k, v, p)
        ctx.scale = scale
        return torch.bmm(p, v)

    @staticmethod
    def backward(ctx, grad):
        q, k, v, p = ctx.saved_tensors
        grad_v = torch.bmm(p.transpose(1, 2), grad)
        grad_p = torch.bmm(grad, v.transpose(1, 2)).float()
        weighted = grad_p.mul_(p)
        weighted = weighted.sub_(p * weighted.sum(-1, keepdim=True)).mul_(ctx.scale).to(q.dtype)
        return torch.bmm(weighted, k), torch.bmm(weighted.transpose(1, 2), q), grad_v, None, None


class HeadLoss(Function):
    """Weighted cross-entropy of x E^T, [N, D] x [V, D], a chunk of rows at a time.

    The gradients are formed in the forward pass, so that the logits never exist all at once.
    """

    CHUNK = 1024

    @staticmethod
    def forward(ctx, x, embed, targets, weight):
        total = x.new_zeros((), dtype=torch.float32)
        grad_x = torch.empty_like(x)
        grad_embed = torch.zeros(embed.shape, dtype=torch.float32, device=x.device)
        for first in range(0, x.shape[0], HeadLoss.CHUNK):
            rows = slice(first, first + HeadLoss.CHUNK)
            logits = torch.mm(x[rows], embed.t()).float()
            target, w = targets[rows].unsqueeze(-1), weight[rows].unsqueeze(-1)
            logs = torch.log_softmax(logits, -1)
            total -= (logs.gather(1, target) * w).sum()
            p = logs.exp_()
            p.scatter_add_(1, target, torch.full_like(w, -1.0))
            p = p.mul_(w).to(x.dtype)
            grad_x[rows] = torch.mm(p, embed)
            grad_embed += torch.mm(p.t(), x[rows])
        ctx.save_for_backward(grad_x, grad_embed)
        return total

    @staticmethod
    def backward(ctx, grad):
        grad_x, grad_embed = ctx.saved_tensors
        return grad_x * grad, (grad_embed * grad).to(grad_x.dtype), None, None


class Model:
    """The forward pass of one set of weights. `balance` collects the load-balancing loss."""

    def __init__(self, config: Config, weights: Weights, dtype: torch.dtype = torch.float32):
        self.config, self.dtype = config, dtype
        self.balance: Tensor | float = 0.0
        self.w = {name: weight if weight.dim() == 1 or name.endswith("router")
                  else weight.to(dtype) for name, weight in weights.items()}
        for layer in config.layer_ids:
            at = f"layers.{layer}."
            self.w[at + "qkv"] = torch.cat([self.w[at + part] for part in "qkv"])
            for kind in ("experts", "shared"):
                pair = [self.w[f"{at}{kind}.{part}"] for part in ("gate", "up")]
                self.w[f"{at}{kind}.both"] = torch.cat(pair, -2)

    def hidden(self, tokens: Tensor, positions: Tensor, documents: Tensor) -> Tensor:
        """[N, D] after the final norm, of [B, T] tokens; attention stays inside a document."""
        config = self.config
        rope = self._rope(positions)
        mask = self._mask(documents)
        x = self.w["embed"].index_select(0, tokens.flatten()).float()
        for layer in config.pass_order:
            at = f"layers.{layer}."
            x = x + self._attention(at, self._norm(at + "attn_norm", x), tokens.shape, rope, mask)
            x = x + self._mixture(at, self._norm(at + "ffn_norm", x))
        return self._norm("final_norm", x)

    def loss(self, hidden: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
        """Sum over rows of weight times cross-entropy; rows of weight 0 cost nothing."""
        rows = weight.nonzero().squeeze(-1)
        return HeadLoss.apply(hidden.index_select(0, rows), self.w["embed"], targets[rows],
                              weight[rows])

    def logits(self, hidden: Tensor) -> Tensor:
        return linear(hidden, self.w["embed"]).float()

    def _norm(self, name: str, x: Tensor) -> Tensor:
        return RmsNorm.apply(x, self.w[name], self.config.norm_eps, self.dtype)

    def _rope(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin [B, T, 1, head/2] of the half-split rotation."""
        half = self.config.head_size // 2
        steps = torch.arange(half, device=positions.device, dtype=torch.float32) / half
        angles = positions[..., None, None] * self.config.rope_base ** -steps
        return angles.cos(), angles.sin()

    @staticmethod
    def _mask(documents: Tensor) -> Tensor:
        """0 where a query row may see a key column of its document, else very low; [B, 1, T, T]."""
        t = documents.shape[1]
        causal = torch.ones(t, t, dtype=torch.bool, device=documents.device).tril()
        seen = (documents[:, :, None] == documents[:, None, :]) & causal
        return torch.where(seen, 0.0, -1e9).unsqueeze(1)

    def _attention(self, at: str, x: Tensor, shape: torch.Size, rope: tuple[Tensor, Tensor],
                   mask: Tensor) -> Tensor:
        c = self.config
        b, t = shape
        heads = linear(x, self.w[at + "qkv"]).view(b, t, -1, c.head_size)
        turned, v = heads.split([c.heads + c.kv_heads, c.kv_heads], 2)
        first, second = turned.float().chunk(2, -1)
        cos, sin = rope
        turned = torch.cat([first * cos - second * sin, first * sin + second * cos], -1)
        q, k = turned.to(self.dtype).split([c.heads, c.kv_heads], 2)
        out = Attention.apply(
            q.transpose(1, 2).reshape(b * c.kv_heads, -1, c.head_size),
            k.transpose(1, 2).reshape(b * c.kv_heads, t, c.head_size),
            v.transpose(1, 2).reshape(b * c.kv_heads, t, c.head_size),
            mask, c.head_size ** -0.5)
        out = out.view(b, c.heads, t, c.head_size).transpose(1, 2).reshape(b * t, -1)
        return linear(out, self.w[at + "o"])

    def _mixture(self, at: str, x: Tensor) -> Tensor:
        """Shared expert plus the top K routed ones, weighted by a softmax over the chosen."""
        c = self.config
        scores = linear(x.float(), self.w[at + "router"])
        top, chosen = scores.topk(c.top_k, -1)
        share = torch.softmax(top, -1)
        order = chosen.flatten().argsort(stable=True)
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order), device=order.device)
        token = order.div(c.top_k, rounding_mode="floor")
        counts = torch.bincount(chosen.flatten(), minlength=c.experts)
        last = counts.cumsum(0).tolist()
        ends = list(zip([0] + last[:-1], last))
        if torch.is_grad_enabled():
            # Switch transformer: E sum_e (share of choices) (mean probability), 1 when even.
            mean = torch.softmax(scores, -1).mean(0)
            self.balance = self.balance + c.experts * (counts / len(order) * mean).sum()
        rows = Dispatch.apply(x, token, back, c.top_k)
        rows = SwiGlu.apply(GroupedLinear.apply(rows, self.w[at + "experts.both"], ends))
        rows = GroupedLinear.apply(rows, self.w[at + "experts.down"], ends)
        routed = Combine.apply(rows, share, token, order, back)
        shared = SwiGlu.apply(linear(x, self.w[at + "shared.both"]))
        return routed + linear(shared, self.w[at + "shared.down"])
