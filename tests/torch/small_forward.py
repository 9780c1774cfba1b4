#!/usr/bin/python3
"""The small Hugging Face families in numpy (float64), the judge of their import and of the engine.

Each family is written out from its own program's point of view: the names of its files, the fields of
its config.json, all positions at once. It shares nothing with the C++ side, not even the idea of roles.

  small_forward.py make DIR                    write the tiny checkpoints and their logits (tests/fixtures)
  small_forward.py logits CKPT --tokens 1,2,3  print the logits after the last token, one per line; a
      config lies beside CKPT as config.json or NAME.config.json

Needs numpy; `make` needs torch, too, for the checkpoint that is a PyTorch file.
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np

from forward import read_safetensors, softmax

erf = np.vectorize(math.erf)
ACTIVATIONS = {
    "silu": lambda x: x / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: x * 0.5 * (1 + erf(x / math.sqrt(2))),
    "gelu_new": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))),
}
ACTIVATIONS["gelu_pytorch_tanh"] = ACTIVATIONS["gelu_new"]


# --- Parts ----------------------------------------------------------------------------------------

class Weights:
    """The tensors of a file under a prefix."""

    def __init__(self, arrays, prefix=""):
        self.arrays, self.prefix = arrays, prefix

    def under(self, prefix):
        return Weights(self.arrays, self.prefix + prefix)

    def get(self, name):
        return self.arrays.get(self.prefix + name)

    def linear(self, x, name):
        bias = self.get(name + ".bias")
        return x @ self.get(name + ".weight").T + (0 if bias is None else bias)

    def conv1d(self, x, name):
        return x @ self.get(name + ".weight") + self.get(name + ".bias")

    def layer_norm(self, x, name, eps):
        away = x - x.mean(axis=-1, keepdims=True)
        variance = (away * away).mean(axis=-1, keepdims=True)
        return away / np.sqrt(variance + eps) * self.get(name + ".weight") + self.get(name + ".bias")

    def rms_norm(self, x, name, eps, offset=0.0):
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps) * (
            offset + self.get(name + ".weight"))


def frequencies(dims, base, scaling):
    f = base ** (-np.arange(0, dims, 2) / dims)
    if not scaling or scaling.get("rope_type", scaling.get("type")) == "default":
        return f
    if scaling.get("rope_type", scaling.get("type")) == "linear":
        return f / scaling["factor"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = scaling["original_max_position_embeddings"] * f / (2 * math.pi)
    share = np.clip((turns - low) / (high - low), 0, 1)
    return f * (share + (1 - share) / scaling["factor"])


def rotate(x, f):
    """[positions, heads, size]: the first 2 len(f) items of each head turn in pairs (j, j + len(f))."""
    n = len(f)
    angles = np.arange(len(x))[:, None, None] * f
    a, b, rest = x[..., :n], x[..., n:2 * n], x[..., 2 * n:]
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles),
                           b * np.cos(angles) + a * np.sin(angles), rest], axis=-1)


def attend(q, k, v, scale, window=None, cap=None):
    """Each [positions, heads, size]; fewer heads of k and v serve several of q."""
    count, share = len(q), q.shape[1] // k.shape[1]
    k, v = np.repeat(k, share, axis=1), np.repeat(v, share, axis=1)
    scores = np.einsum("ihd,jhd->hij", q, k) * scale
    if cap:
        scores = cap * np.tanh(scores / cap)
    i, j = np.indices((count, count))
    hidden = (j > i) | (False if window is None else i - j >= window)
    return np.einsum("hij,jhd->ihd", softmax(np.where(hidden, -np.inf, scores)), v).reshape(count, -1)


def heads(x, count):
    return x.reshape(len(x), count, -1)


# --- Families -------------------------------------------------------------------------------------

def gpt2(arrays, c, tokens):
    w = Weights(arrays, "transformer." if "transformer.wte.weight" in arrays else "")
    eps, act = c["layer_norm_epsilon"], ACTIVATIONS[c["activation_function"]]
    x = w.get("wte.weight")[tokens] + w.get("wpe.weight")[:len(tokens)]
    for n in range(c["n_layer"]):
        layer = w.under(f"h.{n}.")
        q, k, v = (heads(part, c["n_head"]) for part in np.split(
            layer.conv1d(layer.layer_norm(x, "ln_1", eps), "attn.c_attn"), 3, axis=1))
        x = x + layer.conv1d(attend(q, k, v, 1 / math.sqrt(q.shape[2])), "attn.c_proj")
        x = x + layer.conv1d(act(layer.conv1d(layer.layer_norm(x, "ln_2", eps), "mlp.c_fc")),
                             "mlp.c_proj")
    return w.layer_norm(x, "ln_f", eps) @ w.get("wte.weight").T


def gpt_neo(arrays, c, tokens):
    w = Weights(arrays, "transformer.")
    eps, act = c["layer_norm_epsilon"], ACTIVATIONS[c["activation_function"]]
    x = w.get("wte.weight")[tokens] + w.get("wpe.weight")[:len(tokens)]
    for n, kind in enumerate(c["attention_layers"]):
        layer = w.under(f"h.{n}.")
        normed = layer.layer_norm(x, "ln_1", eps)
        q, k, v = (heads(layer.linear(normed, f"attn.attention.{name}_proj"), c["num_heads"])
                   for name in "qkv")
        mixed = attend(q, k, v, 1.0, c["window_size"] if kind == "local" else None)
        x = x + layer.linear(mixed, "attn.attention.out_proj")
        x = x + layer.linear(act(layer.linear(layer.layer_norm(x, "ln_2", eps), "mlp.c_fc")),
                             "mlp.c_proj")
    return w.layer_norm(x, "ln_f", eps) @ w.get("wte.weight").T


def gpt_neox(arrays, c, tokens):
    w = Weights(arrays, "gpt_neox.")
    count, eps = c["num_attention_heads"], c["layer_norm_eps"]
    size = c["hidden_size"] // count
    f = frequencies(int(size * c["rotary_pct"]), c["rotary_emb_base"], None)
    act = ACTIVATIONS[c["hidden_act"]]

    def attention(layer, x):
        qkv = layer.linear(x, "attention.query_key_value").reshape(len(x), count, 3, size)
        q, k, v = (qkv[:, :, part] for part in range(3))
        return layer.linear(attend(rotate(q, f), rotate(k, f), v, 1 / math.sqrt(size)),
                            "attention.dense")

    mlp = lambda layer, x: layer.linear(act(layer.linear(x, "mlp.dense_h_to_4h")),
                                        "mlp.dense_4h_to_h")
    x = w.get("embed_in.weight")[tokens]
    for n in range(c["num_hidden_layers"]):
        layer = w.under(f"layers.{n}.")
        after = x + attention(layer, layer.layer_norm(x, "input_layernorm", eps))
        seen = x if c["use_parallel_residual"] else after
        x = after + mlp(layer, layer.layer_norm(seen, "post_attention_layernorm", eps))
    return w.layer_norm(x, "final_layer_norm", eps) @ arrays["embed_out.weight"].T


def opt(arrays, c, tokens):
    w, eps, act = Weights(arrays, "model.decoder."), 1e-5, ACTIVATIONS[c["activation_function"]]
    x = w.get("embed_tokens.weight")[tokens] + w.get("embed_positions.weight")[2:][:len(tokens)]
    for n in range(c["num_hidden_layers"]):
        layer = w.under(f"layers.{n}.")
        normed = layer.layer_norm(x, "self_attn_layer_norm", eps)
        q, k, v = (heads(layer.linear(normed, f"self_attn.{name}_proj"), c["num_attention_heads"])
                   for name in "qkv")
        x = x + layer.linear(attend(q / math.sqrt(q.shape[2]), k, v, 1.0), "self_attn.out_proj")
        x = x + layer.linear(act(layer.linear(layer.layer_norm(x, "final_layer_norm", eps), "fc1")),
                             "fc2")
    return w.layer_norm(x, "final_layer_norm", eps) @ w.get("embed_tokens.weight").T


def head_of(arrays):
    head = arrays.get("lm_head.weight")
    return arrays["model.embed_tokens.weight"] if head is None else head


def phi(arrays, c, tokens):
    w = Weights(arrays, "model.")
    count, kv, eps = c["num_attention_heads"], c["num_key_value_heads"], c["layer_norm_eps"]
    size = c["hidden_size"] // count
    f = frequencies(int(size * c["partial_rotary_factor"]), c["rope_theta"], None)
    act = ACTIVATIONS[c["hidden_act"]]
    x = w.get("embed_tokens.weight")[tokens]
    for n in range(c["num_hidden_layers"]):
        layer = w.under(f"layers.{n}.")
        h = layer.layer_norm(x, "input_layernorm", eps)
        q = rotate(heads(layer.linear(h, "self_attn.q_proj"), count), f)
        k = rotate(heads(layer.linear(h, "self_attn.k_proj"), kv), f)
        v = heads(layer.linear(h, "self_attn.v_proj"), kv)
        x = (x + layer.linear(attend(q, k, v, 1 / math.sqrt(size)), "self_attn.dense")
             + layer.linear(act(layer.linear(h, "mlp.fc1")), "mlp.fc2"))
    return w.layer_norm(x, "final_layernorm", eps) @ head_of(arrays).T + arrays["lm_head.bias"]


def qkv_of(layer, x, c):
    count, kv = c["num_attention_heads"], c["num_key_value_heads"]
    return [heads(layer.linear(x, f"self_attn.{name}_proj"), number)
            for name, number in (("q", count), ("k", kv), ("v", kv))]


def gated(layer, x, act):
    return layer.linear(act(layer.linear(x, "mlp.gate_proj")) * layer.linear(x, "mlp.up_proj"),
                        "mlp.down_proj")


def llama(arrays, c, tokens):
    """Llama, Mistral, Qwen2, Qwen3 and SmolLM3."""
    w, eps = Weights(arrays, "model."), c["rms_norm_eps"]
    size = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    scaling = c.get("rope_parameters") or c.get("rope_scaling") or {}
    f = frequencies(size, scaling.get("rope_theta") or c["rope_theta"], scaling)
    window = c.get("sliding_window") if c["model_type"] == "mistral" else None
    x = w.get("embed_tokens.weight")[tokens]
    for n in range(c["num_hidden_layers"]):
        layer = w.under(f"layers.{n}.")
        q, k, v = qkv_of(layer, layer.rms_norm(x, "input_layernorm", eps), c)
        if c["model_type"] == "qwen3":
            q = layer.rms_norm(q, "self_attn.q_norm", eps)
            k = layer.rms_norm(k, "self_attn.k_norm", eps)
        if c.get("no_rope_layers", [1] * (n + 1))[n]:
            q, k = rotate(q, f), rotate(k, f)
        x = x + layer.linear(attend(q, k, v, 1 / math.sqrt(size), window), "self_attn.o_proj")
        x = x + gated(layer, layer.rms_norm(x, "post_attention_layernorm", eps),
                      ACTIVATIONS[c["hidden_act"]])
    return w.rms_norm(x, "norm", eps) @ head_of(arrays).T


def gemma(arrays, c, tokens):
    """Gemma, Gemma 2 and Gemma 3; kinds says which layers slide."""
    w, eps, size, kind = Weights(arrays, "model."), c["rms_norm_eps"], c["head_dim"], c["model_type"]
    later, third = kind != "gemma", kind == "gemma3_text"
    act = ACTIVATIONS[c.get("hidden_activation") or c["hidden_act"]]
    scale = 1 / math.sqrt(c["query_pre_attn_scalar"] if later else size)
    norm = lambda weights, x, name: weights.rms_norm(x, name, eps, 1.0)
    x = w.get("embed_tokens.weight")[tokens] * math.sqrt(c["hidden_size"])
    for n in range(c["num_hidden_layers"]):
        layer = w.under(f"layers.{n}.")
        slides = (n + 1) % c["sliding_window_pattern"] != 0 if third else later and n % 2 == 0
        f = frequencies(size, c["rope_local_base_freq"] if third and slides else c["rope_theta"], None)
        q, k, v = qkv_of(layer, norm(layer, x, "input_layernorm"), c)
        if third:
            q, k = norm(layer, q, "self_attn.q_norm"), norm(layer, k, "self_attn.k_norm")
        mixed = layer.linear(attend(rotate(q, f), rotate(k, f), v, scale,
                                    c["sliding_window"] if slides else None,
                                    c.get("attn_logit_softcapping")), "self_attn.o_proj")
        if not later:
            x = x + mixed
            x = x + gated(layer, norm(layer, x, "post_attention_layernorm"), act)
            continue
        x = x + norm(layer, mixed, "post_attention_layernorm")
        out = gated(layer, norm(layer, x, "pre_feedforward_layernorm"), act)
        x = x + norm(layer, out, "post_feedforward_layernorm")
    logits = norm(w, x, "norm") @ w.get("embed_tokens.weight").T
    cap = c.get("final_logit_softcapping")
    return cap * np.tanh(logits / cap) if cap else logits


FAMILIES = {"gpt2": gpt2, "gpt_neo": gpt_neo, "gpt_neox": gpt_neox, "phi": phi, "llama": llama,
            "mistral": llama, "qwen2": llama, "qwen3": llama, "smollm3": llama, "gemma": gemma,
            "gemma2": gemma, "gemma3_text": gemma, "opt": opt}


def forward(arrays, config, tokens):
    """Logits after every token: [positions, vocabulary]."""
    wide = {name: array.astype(np.float64) for name, array in arrays.items()}
    return FAMILIES[config["model_type"]](wide, config, tokens)


def read(path):
    path = Path(path)
    if path.suffix == ".safetensors":
        arrays = read_safetensors(path)[0]
    else:
        import torch
        arrays = {name: tensor.float().numpy()
                  for name, tensor in torch.load(path, map_location="cpu").items()}
    config = path.with_suffix(".config.json")
    config = config if config.exists() else path.with_name("config.json")
    return arrays, json.loads(config.read_text())


def main():
    parser = argparse.ArgumentParser(description="Reference logits of small families in numpy.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("folder", type=Path)
    logits = commands.add_parser("logits")
    logits.add_argument("checkpoint", type=Path)
    logits.add_argument("--tokens", required=True)
    ask = parser.parse_args()
    if ask.command == "make":
        from make_small import make
        make(ask.folder)
        return
    for value in forward(*read(ask.checkpoint), [int(t) for t in ask.tokens.split(",")])[-1]:
        print(repr(float(value)))


if __name__ == "__main__":
    main()
