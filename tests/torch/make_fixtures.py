#!/usr/bin/python3
"""Tiny checkpoints of the families that PyTorch's side judges, with their logits in float64.

  make_fixtures.py DIR        writes tests/fixtures' part of them anew

Weights of parameter-golf's kind go through the artifact that the logits are then computed from, by
tools/train/golf.py; Shard's and SlimMoE's through decoder_forward.py. Needs torch, numpy, zstandard.
"""
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

import decoder_forward
from forward import bfloat16, write_safetensors

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from train import golf, golf_file  # noqa: E402

VOCABULARY = 24
SHORT = [1, 17, 0, 9, 9, 23, 4, 12, 17, 0]


class Random:
    """Normal numbers that bfloat16 holds."""

    def __init__(self, seed: int):
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, *shape: int, size: float = 0.3, mean: float = 0.0) -> Tensor:
        return (mean + size * torch.randn(shape, generator=self.generator)).bfloat16().float()


def write_cases(folder: Path, name: str, cases: list[dict]) -> None:
    (folder / f"{name}.json").write_text(json.dumps(cases, indent=0) + "\n")


def case(tokens: list[int], logits: Tensor, last: int = 0, **conventions: str) -> dict:
    """`last`: of the last positions only."""
    return {"conventions": conventions, "tokens": tokens, "logits": logits[-last:].tolist()}


# --- parameter-golf -------------------------------------------------------------------------------

def golf_weights(random: Random, layers: int, heads: int, kv_heads: int, hidden: int, size: int = 8,
                 buckets: int = 0, bigram: int = 0, value: int = 0, values: int = 0) -> dict:
    width, kv_width = heads * size, kv_heads * size
    w = {"tok_emb.weight": random(VOCABULARY, width, size=0.6),
         "skip_weights": random(layers // 2, width, size=0.2, mean=0.8)}
    if buckets:
        w |= {"bigram.embed.weight": random(buckets, bigram, size=1.0),
              "bigram.scale": random(size=0.1, mean=0.5), "smear.gate": random(width, size=1.0)}
        if bigram != width:
            w["bigram.proj.weight"] = random(width, bigram)
    if values:
        w |= {"ve_shared.embed.weight": random(VOCABULARY, value, size=1.0),
              "ve_shared.scale": random(size=0.1, mean=0.6)}
        w |= {f"ve_layer_scales.{i}": random(1, size=0.2, mean=0.8) for i in range(values)}
        if value != kv_width:
            w["ve_shared.proj.weight"] = random(kv_width, value)
    for i in range(layers):
        at = f"blocks.{i}."
        w |= {at + "attn_scale": random(width, mean=1.0), at + "mlp_scale": random(width, mean=1.0),
              at + "resid_mix": torch.stack([random(width, size=0.1, mean=0.9), random(width)]),
              at + "attn.q_gain": random(heads, mean=1.5),
              at + "attn.c_q.weight": random(width, width),
              at + "attn.c_k.weight": random(kv_width, width),
              at + "attn.c_v.weight": random(kv_width, width),
              at + "attn.proj.weight": random(width, width),
              at + "mlp.fc.weight": random(hidden, width),
              at + "mlp.proj.weight": random(width, hidden, size=0.2)}
    return w


def golf_case(path: Path, changes: dict, last: int = 0, **conventions: str) -> dict:
    weights = golf_file.read(path, rounded="embedding_rounding" in conventions)
    model = replace(golf.Golf.of(weights), **changes)
    found = golf.logits(weights, model, torch.tensor([SHORT]))[0]
    return case(SHORT, found, last, **{name.replace("_", "-"): text for name, text in conventions.items()})


def make_golf(folder: Path) -> None:
    for seed, (name, compression, weights) in enumerate((
            ("nb", "zlib", lambda r: golf_weights(r, 5, 2, 1, 20)),
            ("ve", "zlib", lambda r: golf_weights(r, 5, 2, 1, 20, buckets=11, bigram=16, value=8,
                                                  values=2)),
            ("592", "zstd", lambda r: golf_weights(r, 12, 2, 1, 24, buckets=13, bigram=6, value=5,
                                                   values=2)),
            ("585", "xz", lambda r: golf_weights(r, 11, 2, 2, 28, buckets=10, bigram=6, value=5,
                                                 values=2)))):
        name = f"tiny-golf-{name}" if name in ("nb", "ve") else f"tiny-golf{name}"
        path = folder / f"{name}.ptz"
        golf_file.write(path, golf_file.quantised(weights(Random(seed)), small=32), compression,
                        clean=name.endswith("nb"))
        changes, said = {}, {}
        if name[-1].isdigit():  # a part of each head turns, at the base of the later context
            changes = {"rope_dims": 4, "rope_base": golf.stretched_base(golf.LATER_CONTEXT, 4)}
            said = {"rope_dims": "4"}
        cases = [golf_case(path, changes, **said),
                 golf_case(path, changes, 1, embedding_rounding="bf16", **said)]
        if name.endswith("ve"):
            # Nothing stands where the records have it.
            changes = {"exclusive": (0, 3), "value_layers": (1, 2), "activation": "leaky2",
                       "rope_base": 500.0, "rope_dims": 8, "norm_scale": False, "cap": 5.0}
            cases.append(golf_case(
                path, changes, exclusive="false/true@0,3", value_embedding="false/true@1,2",
                activation="leaky-relu2", rope_base="500", rope_dims="8", norm_factor="1",
                logit_cap="5"))
        write_cases(folder, name, cases)


# --- Shard ----------------------------------------------------------------------------------------

def plain_layer(random: Random, width: int, size: int, kv_heads: int, heads: int) -> dict:
    return {"attention_norm": random(width, size=0.1, mean=1.0), "q": random(heads * size, width),
            "k": random(kv_heads * size, width), "v": random(kv_heads * size, width),
            "o": random(width, heads * size), "ffn_norm": random(width, size=0.1, mean=1.0),
            "kv_heads": kv_heads, "window": 0, "rope": True}


def experts(random: Random, width: int, hidden: int, count: int, gated: bool) -> list[dict]:
    return [({"gate": random(hidden, width)} if gated else {}) |
            {"up": random(hidden, width), "down": random(width, hidden)} for _ in range(count)]


def shard_model(random: Random, layers: int, window: int) -> dict:
    width, heads, hidden = 16, 2, 20
    model = {"heads": heads, "eps": 1e-5, "rope_base": 10000.0, "cap": 3.0, "activation": "silu",
             "embedding": random(VOCABULARY, width, size=1.0),
             "final_norm": random(width, size=0.1, mean=1.0), "layers": []}
    for i in range(layers):
        layer = plain_layer(random, width, width // heads, heads, heads)
        # In turn, and the last one sees everything.
        layer["window"] = window if i % 2 == 0 and i + 1 < layers else 0
        model["layers"].append(layer | {"experts": experts(random, width, hidden, 1, True)})
    return model


def first_spelling(i: int, layer: dict) -> dict:
    one, at = layer["experts"][0], f"blocks.{i}."
    return {at + "attn_norm.weight": layer["attention_norm"], at + "mlp_norm.weight": layer["ffn_norm"],
            **{f"{at}attn.w{part}.weight": layer[part] for part in "qkvo"},
            at + "mlp.w1.weight": one["gate"], at + "mlp.w3.weight": one["up"],
            at + "mlp.w2.weight": one["down"]}


def third_spelling(i: int, layer: dict) -> dict:
    one, at = layer["experts"][0], f"blocks.{i}."
    return {at + "ln1.weight": layer["attention_norm"], at + "ln2.weight": layer["ffn_norm"],
            at + "attn.qkv.weight": torch.cat([layer[part] for part in "qkv"]),
            at + "attn.proj.weight": layer["o"],
            at + "mlp.gate_up.weight": torch.cat([one["gate"], one["up"]]),
            at + "mlp.down.weight": one["down"]}


def as_double(model: dict) -> dict:
    return {key: value.double() if isinstance(value, Tensor) else
            [as_double(one) for one in value] if isinstance(value, list) else value
            for key, value in model.items()}


def make_shard(folder: Path) -> None:
    for name, seed, layers, window, spelling, ends in (
            ("tiny-shard", 7, 4, 4, first_spelling, ("tok_emb", "norm")),
            ("tiny-shard-fused", 8, 3, 5, third_spelling, ("tok_emb", "ln_f"))):
        model = shard_model(Random(seed), layers, window)
        state = {ends[0] + ".weight": model["embedding"], ends[1] + ".weight": model["final_norm"]}
        for i, layer in enumerate(model["layers"]):
            state |= spelling(i, layer)
        config = {"vocab_size": VOCABULARY, "dim": 16, "n_layers": layers, "n_heads": 2, "head_dim": 8,
                  "mlp_hidden": 20, "max_seq_len": 64, "norm_eps": 1e-5, "rope_theta": 10000.0,
                  "lm_head_logit_cap": 3.0, "attention_pattern": "gemma4", "sliding_window": window}
        state = {key: w.bfloat16() for key, w in state.items()}
        torch.save({"model": state, "config": config}, folder / f"{name}.pt")
        exact = as_double(model)
        long = [(7 * i * i + 3 * i) % VOCABULARY for i in range(60)]
        write_cases(folder, name, [case(SHORT, decoder_forward.logits(exact, SHORT)),
                                   case(long, decoder_forward.logits(exact, long), 3)])


# --- SlimMoE --------------------------------------------------------------------------------------

def make_slimmoe(folder: Path) -> None:
    """Two matrices and one expert a token; then three, two, KV heads and RoPE layer by layer."""
    for name, seed, gated, top_k, kv_heads, roped in (
            ("tiny-slimmoe", 9, False, 1, (2, 2), (1, 1)),
            ("tiny-slimmoe-swiglu", 10, True, 2, (2, 1, 4), (1, 0, 1))):
        width, heads, hidden, count = 16, 4, 12, 4
        random = Random(seed)
        model = {"heads": heads, "eps": 1e-5, "rope_base": 10000.0, "cap": 0.0, "top_k": top_k,
                 "router_norm": "chosen" if top_k > 1 else "all",
                 "activation": "silu" if gated else "relu2",
                 "embedding": random(VOCABULARY, width, size=1.0),
                 "final_norm": random(width, size=0.1, mean=1.0), "layers": []}
        for kv, rope in zip(kv_heads, roped):
            layer = plain_layer(random, width, width // heads, kv, heads)
            model["layers"].append(layer | {"rope": bool(rope), "router": random(count, width),
                                            "experts": experts(random, width, hidden, count, gated)})
        state = {"model.embed_tokens.weight": model["embedding"],
                 "model.norm.weight": model["final_norm"]}
        for i, layer in enumerate(model["layers"]):
            at = f"model.layers.{i}."
            state |= {at + "input_layernorm.weight": layer["attention_norm"],
                      at + "post_attention_layernorm.weight": layer["ffn_norm"],
                      at + "mlp.gate.weight": layer["router"]}
            state |= {f"{at}self_attn.{part}_proj.weight": layer[part] for part in "qkvo"}
            state |= {f"{at}mlp.experts.{e}.{part}_proj.weight": w
                      for e, one in enumerate(layer["experts"]) for part, w in one.items()}
        config = {"model_type": "slimmoe", "hidden_size": width, "num_hidden_layers": len(kv_heads),
                  "num_attention_heads": heads, "vocab_size": VOCABULARY,
                  "num_key_value_heads": kv_heads[0] if len(set(kv_heads)) == 1 else list(kv_heads),
                  "moe_intermediate_size": hidden, "num_experts": count,
                  "num_experts_per_tok": top_k, "norm_topk_prob": top_k > 1,
                  "hidden_act": model["activation"], "max_position_embeddings": 64,
                  "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True}
        if not all(roped):
            config["no_rope_layers"] = list(roped)
        write_safetensors(folder / f"{name}.safetensors",
                          {key: bfloat16(w.numpy()) for key, w in state.items()}, {"format": "pt"})
        (folder / f"{name}.config.json").write_text(json.dumps(config, indent=1) + "\n")
        write_cases(folder, name, [case(SHORT, decoder_forward.logits(as_double(model), SHORT))])


def main() -> None:
    folder = Path(sys.argv[1])
    make_golf(folder)
    make_shard(folder)
    make_slimmoe(folder)


if __name__ == "__main__":
    main()
