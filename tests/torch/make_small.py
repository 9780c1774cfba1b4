"""Tiny checkpoints of the small Hugging Face families, with random weights, and their logits by
small_forward.py: `python3 tests/torch/small_forward.py make tests/fixtures`."""
import json

import numpy as np

import small_forward
from forward import bfloat16, write_safetensors

TOKENS = [1, 39, 5, 5, 20, 3, 17, 0, 28, 11, 39, 2]
VOCABULARY, WIDTH, HIDDEN = 40, 16, 24
STORES = {"f16": lambda x: x.astype(np.float16), "f32": lambda x: x.astype(np.float32),
          "bf16": bfloat16}


class File:
    """The tensors of a checkpoint: numbers as a file of such a type holds them."""

    def __init__(self, seed, store):
        self.rng, self.store, self.tensors = np.random.Generator(np.random.PCG64(seed)), store, {}

    def put(self, name, *shape, size=0.3, offset=0.0):
        self.tensors[name] = STORES[self.store](offset + self.rng.standard_normal(shape) * size)

    def linear(self, name, rows, cols, bias=False, transposed=False):
        self.put(name + ".weight", *((cols, rows) if transposed else (rows, cols)))
        if bias:
            self.put(name + ".bias", rows)

    def norm(self, name, width=WIDTH, bias=False, offset=1.0):
        self.put(name + ".weight", width, size=0.2, offset=offset)
        if bias:
            self.put(name + ".bias", width, size=0.2)

    def embedding(self, name, rows=VOCABULARY, size=1.0):
        self.put(name, rows, WIDTH, size=size)


def mask(positions):
    return np.tril(np.ones((1, 1, positions, positions), np.uint8))


def make_gpt2(file, c):
    """As the published file: no prefix, masks among the weights."""
    file.embedding("wte.weight")
    file.embedding("wpe.weight", c["n_positions"], 0.5)
    for n in range(c["n_layer"]):
        stem = f"h.{n}."
        file.tensors[stem + "attn.bias"] = mask(c["n_positions"])
        file.norm(stem + "ln_1", bias=True)
        file.linear(stem + "attn.c_attn", 3 * WIDTH, WIDTH, True, True)
        file.linear(stem + "attn.c_proj", WIDTH, WIDTH, True, True)
        file.norm(stem + "ln_2", bias=True)
        file.linear(stem + "mlp.c_fc", 4 * WIDTH, WIDTH, True, True)
        file.linear(stem + "mlp.c_proj", WIDTH, 4 * WIDTH, True, True)
    file.norm("ln_f", bias=True)


def make_gpt_neo(file, c):
    stem = "transformer."
    file.embedding(stem + "wte.weight")
    file.embedding(stem + "wpe.weight", c["max_position_embeddings"], 0.5)
    for n in range(c["num_layers"]):
        stem = f"transformer.h.{n}."
        file.tensors[stem + "attn.attention.bias"] = mask(c["max_position_embeddings"])
        file.tensors[stem + "attn.attention.masked_bias"] = np.array(-1e9, np.float32)
        file.norm(stem + "ln_1", bias=True)
        for name in "kvq":
            file.linear(f"{stem}attn.attention.{name}_proj", WIDTH, WIDTH)
        file.linear(stem + "attn.attention.out_proj", WIDTH, WIDTH, True)
        file.norm(stem + "ln_2", bias=True)
        file.linear(stem + "mlp.c_fc", c["intermediate_size"], WIDTH, True)
        file.linear(stem + "mlp.c_proj", WIDTH, c["intermediate_size"], True)
    file.norm("transformer.ln_f", bias=True)


def make_gpt_neox(file, c):
    file.embedding("gpt_neox.embed_in.weight")
    for n in range(c["num_hidden_layers"]):
        stem = f"gpt_neox.layers.{n}."
        file.norm(stem + "input_layernorm", bias=True)
        file.norm(stem + "post_attention_layernorm", bias=True)
        file.tensors[stem + "attention.bias"] = mask(16)
        file.put(stem + "attention.rotary_emb.inv_freq", 2)
        file.linear(stem + "attention.query_key_value", 3 * WIDTH, WIDTH, True)
        file.linear(stem + "attention.dense", WIDTH, WIDTH, True)
        file.linear(stem + "mlp.dense_h_to_4h", HIDDEN, WIDTH, True)
        file.linear(stem + "mlp.dense_4h_to_h", WIDTH, HIDDEN, True)
    file.norm("gpt_neox.final_layer_norm", bias=True)
    file.embedding("embed_out.weight")


def make_opt(file, c):
    stem = "model.decoder."
    file.embedding(stem + "embed_tokens.weight")
    file.embedding(stem + "embed_positions.weight", c["max_position_embeddings"] + 2, 0.5)
    for n in range(c["num_hidden_layers"]):
        layer = f"{stem}layers.{n}."
        for name in ("k", "v", "q", "out"):
            file.linear(f"{layer}self_attn.{name}_proj", WIDTH, WIDTH, True)
        file.norm(layer + "self_attn_layer_norm", bias=True)
        file.linear(layer + "fc1", c["ffn_dim"], WIDTH, True)
        file.linear(layer + "fc2", WIDTH, c["ffn_dim"], True)
        file.norm(layer + "final_layer_norm", bias=True)
    file.norm(stem + "final_layer_norm", bias=True)


def put_qkv(file, stem, c, bias=False):
    size = c.get("head_dim") or WIDTH // c["num_attention_heads"]
    for name, count in (("q", c["num_attention_heads"]), ("k", c["num_key_value_heads"]),
                        ("v", c["num_key_value_heads"])):
        file.linear(f"{stem}self_attn.{name}_proj", count * size, WIDTH, bias)
    return c["num_attention_heads"] * size


def make_phi(file, c):
    file.embedding("model.embed_tokens.weight")
    for n in range(c["num_hidden_layers"]):
        stem = f"model.layers.{n}."
        file.linear(stem + "self_attn.dense", WIDTH, put_qkv(file, stem, c, True), True)
        file.linear(stem + "mlp.fc1", HIDDEN, WIDTH, True)
        file.linear(stem + "mlp.fc2", WIDTH, HIDDEN, True)
        file.norm(stem + "input_layernorm", bias=True)
    file.norm("model.final_layernorm", bias=True)
    file.embedding("lm_head.weight")
    file.put("lm_head.bias", VOCABULARY)


def make_llama(file, c):
    """Llama's relatives, and Gemma's two, whose norms lack 1."""
    offset = 0.0 if c["model_type"].startswith("gemma") else 1.0
    norms = ["input_layernorm", "post_attention_layernorm"]
    if c["model_type"] in ("gemma2", "gemma3_text"):
        norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
    file.embedding("model.embed_tokens.weight")
    for n in range(c["num_hidden_layers"]):
        stem = f"model.layers.{n}."
        rows = put_qkv(file, stem, c)
        if c["model_type"] in ("qwen3", "gemma3_text"):
            file.norm(stem + "self_attn.q_norm", c["head_dim"], offset=offset)
            file.norm(stem + "self_attn.k_norm", c["head_dim"], offset=offset)
        file.linear(stem + "self_attn.o_proj", WIDTH, rows)
        for name, shape in (("gate", (HIDDEN, WIDTH)), ("up", (HIDDEN, WIDTH)),
                            ("down", (WIDTH, HIDDEN))):
            file.linear(f"{stem}mlp.{name}_proj", *shape)
        for name in norms:
            file.norm(stem + name, offset=offset)
    file.norm("model.norm", offset=offset)
    if not c.get("tie_word_embeddings", True):
        file.embedding("lm_head.weight")


MAKERS = {"gpt2": make_gpt2, "gpt_neo": make_gpt_neo, "gpt_neox": make_gpt_neox, "phi": make_phi,
          "opt": make_opt}


def common(layers, heads, kv_heads=None, **fields):
    return {"hidden_size": WIDTH, "vocab_size": VOCABULARY, "num_hidden_layers": layers,
            "num_attention_heads": heads, "num_key_value_heads": kv_heads or heads,
            "intermediate_size": HIDDEN, "max_position_embeddings": 32, **fields}


def like_llama(layers, heads, kv_heads, **fields):
    return common(layers, heads, kv_heads,
                  **{"hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 500.0,
                     "tie_word_embeddings": True, **fields})


def like_neox(**fields):
    return {**common(2, 2), "hidden_act": "gelu", "layer_norm_eps": 1e-5, "rotary_emb_base": 10000,
            "rotary_pct": 0.5, "tie_word_embeddings": False, **fields}


def like_gemma(layers, **fields):
    return common(layers, 2, 1, head_dim=12, rms_norm_eps=1e-6, rope_theta=10000.0,
                  hidden_act="gelu", hidden_activation="gelu_pytorch_tanh", **fields)


FIXTURES = {
    "gpt2": ("gpt2", "f16", {
        "n_embd": WIDTH, "n_head": 4, "n_layer": 2, "n_positions": 16, "n_ctx": 16,
        "vocab_size": VOCABULARY, "n_inner": None, "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5}),
    "gpt_neo": ("gpt_neo", "f32", {
        "hidden_size": WIDTH, "num_heads": 2, "num_layers": 4, "max_position_embeddings": 16,
        "vocab_size": VOCABULARY, "intermediate_size": HIDDEN, "window_size": 4,
        "attention_layers": ["global", "local"] * 2, "attention_types": [[["global", "local"], 2]],
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5}),
    "gpt_neox": ("gpt_neox", "f16", like_neox(use_parallel_residual=True)),
    "gpt_neox-serial": ("gpt_neox", "f16", like_neox(use_parallel_residual=False)),
    "phi": ("phi", "f16", common(2, 2, hidden_act="gelu_new", layer_norm_eps=1e-5,
                                 rope_theta=10000.0, partial_rotary_factor=0.5,
                                 tie_word_embeddings=False)),
    "gemma": ("gemma", "bf16", like_gemma(2)),
    "gemma2": ("gemma2", "bf16", like_gemma(
        3, query_pre_attn_scalar=10, sliding_window=4, attn_logit_softcapping=5.0,
        final_logit_softcapping=30.0)),
    "qwen3": ("qwen3", "f32", like_llama(2, 4, 2, head_dim=6, rms_norm_eps=1e-6, rope_theta=1e6)),
    "mistral": ("mistral", "bf16", like_llama(2, 4, 2, sliding_window=4,
                                              tie_word_embeddings=False)),
    "smollm3": ("smollm3", "f16", like_llama(4, 4, 2, no_rope_layers=[1, 1, 1, 0],
                                             no_rope_layer_interval=4)),
    "llama-linear": ("llama", "f16", like_llama(
        2, 2, 1, rope_scaling={"type": "linear", "factor": 2.5})),
    # transformers 5 has the base in there, too.
    "llama-llama3": ("llama", "f16", like_llama(
        2, 2, 1, rope_theta=None, rope_parameters={
            "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 0.1,
            "high_freq_factor": 1.0, "original_max_position_embeddings": 16})),
    "gemma3": ("gemma3_text", "bf16", {
        **like_gemma(3, query_pre_attn_scalar=14, sliding_window=4, sliding_window_pattern=3,
                     rope_local_base_freq=500.0), "rope_theta": 1e6}),
    "opt": ("opt", "f16", {
        "hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": HIDDEN,
        "vocab_size": VOCABULARY, "max_position_embeddings": 16, "word_embed_proj_dim": WIDTH,
        "do_layer_norm_before": True, "activation_function": "relu", "tie_word_embeddings": True}),
}


def save_torch(path, tensors):
    """As older programs save a model: an ordered dict, in which the head is the embedding."""
    from collections import OrderedDict

    import torch
    state = OrderedDict((name, torch.from_numpy(np.asarray(array)))
                        for name, array in tensors.items())
    for name in list(state):
        if state[name].dtype == torch.uint8:
            state[name] = state[name].bool()
    state["lm_head.weight"] = state["transformer.wte.weight"]
    torch.save(state, path)


def make(folder):
    for seed, (name, (kind, store, fields)) in enumerate(FIXTURES.items(), 100):
        config = {"model_type": kind, **fields}
        file = File(seed, store)
        MAKERS.get(kind, make_llama)(file, config)
        stem = folder / f"tiny-{name}"
        path = stem.with_suffix(".pt" if kind == "gpt_neo" else ".safetensors")
        if kind == "gpt_neo":
            save_torch(path, file.tensors)
        else:
            write_safetensors(path, file.tensors, {"format": "pt"})
        stem.with_suffix(".config.json").write_text(json.dumps(config, indent=1) + "\n")
        logits = small_forward.forward(*small_forward.read(path), TOKENS)
        cases = [{"conventions": {}, "tokens": TOKENS, "logits": logits.tolist()}]
        stem.with_suffix(".json").write_text(json.dumps(cases, indent=0) + "\n")
        print(name, path.stat().st_size, float(np.abs(logits).max()))
