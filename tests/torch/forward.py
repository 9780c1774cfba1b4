#!/usr/bin/python3
"""An independent forward pass in numpy (float64), the judge of runtime_ref's engine.

It reads the checkpoint files on its own, runs all positions at once instead of token by token, turns
RoPE pairs as complex numbers, and shares no code with the C++ side.

  forward.py make DIR                     write the tiny checkpoints and their logits (tests/fixtures)
  forward.py logits CKPT --tokens 1,2,3   print the logits after the last token, one per line;
      --set key=value changes a convention (see MOE below)

Needs Debian's python3-numpy. The fixtures are rewritten only when the format or the model changes.
"""
import argparse
import json
import struct
from pathlib import Path

import numpy as np

# What the packed safetensors do not say, with the tiny model's values.
MOE = {"query_heads": 4, "kv_heads": 2, "top_k": 2, "rope": "half_split", "rope_base": 10000.0,
       "rope_sign": 1, "rope_dims": 0, "router_norm": "chosen", "eps": 1e-5}  # rope_dims 0: all


# --- Files ----------------------------------------------------------------------------------------

def read_safetensors(path):
    """{name: array} and __metadata__ of a file: u64 header length, JSON header, data."""
    raw = Path(path).read_bytes()
    header_bytes = struct.unpack_from("<Q", raw)[0]
    header = json.loads(raw[8:8 + header_bytes])
    metadata = header.pop("__metadata__", {})
    kinds = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "I32": "<i4", "U8": "u1"}
    data = raw[8 + header_bytes:]
    arrays = {name: np.frombuffer(data[slice(*entry["data_offsets"])], kinds[entry["dtype"]])
              .reshape(entry["shape"]) for name, entry in header.items()}
    for name, entry in header.items():
        if entry["dtype"] == "BF16":  # the upper half of a float32
            arrays[name] = (arrays[name].astype("<u4") << 16).view("<f4")
    return arrays, metadata


def write_safetensors(path, arrays, metadata):
    kinds = {"float16": "F16", "float32": "F32", "int32": "I32", "uint8": "U8", "uint16": "BF16"}
    header, offset = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": kinds[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text +
                           b"".join(array.tobytes() for array in arrays.values()))


def unpack(arrays, stem):
    """The weights of one tensor: plain F16, packed signs (`__bin`) or nibbles (`__int4`)."""
    if stem in arrays:
        return arrays[stem].astype(np.float64)
    cols = int(arrays[stem + "__cols"].ravel()[0])
    if stem + "__bin" in arrays:
        levels = np.unpackbits(arrays[stem + "__bin"], axis=1)[:, :cols].astype(np.float64) * 2 - 1
    else:
        pairs = arrays[stem + "__int4"]
        nibbles = np.stack([pairs & 15, pairs >> 4], axis=2).reshape(len(pairs), -1)[:, :cols]
        levels = nibbles.astype(np.float64) - 8
    return levels * arrays[stem + "__scale"].astype(np.float64).reshape(-1, 1)


def load_packed(path, conventions):
    arrays, metadata = read_safetensors(path)
    ids, order = json.loads(metadata["layer_ids"]), json.loads(metadata["pass_order"])
    take = lambda *parts: unpack(arrays, ".".join(map(str, parts)))
    mlp = lambda *parts: [take(*parts, name) for name in ("gate", "up", "down")]
    layers = {}
    for i in ids:
        router = take("layers", i, "moe", "router")
        layers[i] = {"norms": [take("layers", i, "attn_norm"), take("layers", i, "ffn_norm")],
                     **{name: take("layers", i, "attn", name) for name in "qkvo"},
                     "router": router,
                     "experts": [mlp("layers", i, "moe", "experts", e) for e in range(len(router))],
                     "shared": mlp("layers", i, "moe", "shared")}
    embedding = take("embed")
    return {**conventions, "embedding": embedding, "head": embedding, "final_norm": take("norm"),
            "passes": [layers[i] for i in order]}


def load_llama2c(path):
    """llama2.c version 0: seven int32, then float32 arrays, each over all layers."""
    raw = Path(path).read_bytes()
    width, hidden, depth, heads, kv_heads, vocabulary, context = struct.unpack_from("<7i", raw)
    rest = np.frombuffer(raw, "<f4", offset=28).astype(np.float64)

    def take(*shape):
        nonlocal rest
        part, rest = np.split(rest, [int(np.prod(shape))])
        return part.reshape(shape)

    kv_width = width // heads * kv_heads
    embedding, attention_norm = take(abs(vocabulary), width), take(depth, width)
    q, k, v = take(depth, width, width), take(depth, kv_width, width), take(depth, kv_width, width)
    o, ffn_norm = take(depth, width, width), take(depth, width)
    gate, down = take(depth, hidden, width), take(depth, width, hidden)
    up, final_norm = take(depth, hidden, width), take(width)
    take(2, context, width // heads // 2)  # cosines and sines, which run.c does not read either
    head = embedding if vocabulary > 0 else take(-vocabulary, width)
    passes = [{"norms": [attention_norm[i], ffn_norm[i]], "q": q[i], "k": k[i], "v": v[i], "o": o[i],
               "router": None, "shared": [gate[i], up[i], down[i]]} for i in range(depth)]
    return {**MOE, "query_heads": heads, "kv_heads": kv_heads, "rope": "interleaved",
            "embedding": embedding, "head": head, "final_norm": final_norm, "passes": passes}


def load_hf(path):
    """Float safetensors and their config.json, named as Hugging Face's Llama, Mixtral, Qwen2-MoE."""
    config = json.loads(Path(path).with_suffix(".config.json").read_text())
    arrays = {name: array.astype(np.float64) for name, array in read_safetensors(path)[0].items()}
    kind = config["model_type"]
    width, heads = config["hidden_size"], config["num_attention_heads"]

    def layer(i):
        stem = f"model.layers.{i}."
        take = lambda name: arrays.get(stem + name + ".weight")
        attention = {name: take(f"self_attn.{name}_proj") for name in "qkvo"}
        biases = {name + "_bias": arrays.get(f"{stem}self_attn.{name}_proj.bias") for name in "qkv"}
        norms = [take("input_layernorm"), take("post_attention_layernorm")]
        proj = lambda part: [take(f"{part}.{name}_proj") for name in ("gate", "up", "down")]
        result = {"norms": norms, "router": None, "experts": [], "shared": None, **attention, **biases}
        if kind == "mixtral":
            moe = "block_sparse_moe."
            result["router"] = take(moe + "gate")
            result["experts"] = [[take(f"{moe}experts.{e}.{w}") for w in ("w1", "w3", "w2")]
                                 for e in range(config["num_local_experts"])]
        elif kind == "qwen2_moe":
            result["router"] = take("mlp.gate")
            result["experts"] = [proj(f"mlp.experts.{e}") for e in range(config["num_experts"])]
            result["shared"] = proj("mlp.shared_expert")
            result["shared_router"] = take("mlp.shared_expert_gate")
        else:
            result["shared"] = proj("mlp")
        return result

    embedding = arrays["model.embed_tokens.weight"]
    # Mixtral divides by the sum over the chosen experts, Qwen2-MoE unless norm_topk_prob says so.
    norm = "chosen" if kind == "mixtral" or config.get("norm_topk_prob") else "all"
    assert width % heads == 0
    return {**MOE, "query_heads": heads, "kv_heads": config["num_key_value_heads"],
            "top_k": config.get("num_experts_per_tok", 0), "rope_base": config["rope_theta"],
            "eps": config["rms_norm_eps"], "router_norm": norm, "embedding": embedding,
            "head": arrays.get("lm_head.weight", embedding),
            "final_norm": arrays["model.norm.weight"],
            "passes": [layer(i) for i in range(config["num_hidden_layers"])]}


# --- Forward --------------------------------------------------------------------------------------

def rms_norm(x, weight, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * weight


def softmax(x):
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def rope(x, model):
    """x: [positions, heads, head size]; pair j turns by position * base^(-2j/dims)."""
    if model["rope"] == "none":
        return x
    dims = model["rope_dims"] or x.shape[2]
    pairs = np.arange(dims // 2)
    first, second = ((2 * pairs, 2 * pairs + 1) if model["rope"] == "interleaved"
                     else (pairs, pairs + dims // 2))
    angles = np.outer(np.arange(len(x)), model["rope_base"] ** (-2.0 * pairs / dims))
    turned = (x[:, :, first] + 1j * x[:, :, second]) * np.exp(
        1j * model["rope_sign"] * angles)[:, None, :]
    result = x.copy()
    result[:, :, first], result[:, :, second] = turned.real, turned.imag
    return result


def attention(x, layer, model):
    count, heads, kv_heads = len(x), model["query_heads"], model["kv_heads"]
    project = lambda name: x @ layer[name].T + (
        0 if layer.get(name + "_bias") is None else layer[name + "_bias"])
    q = rope(project("q").reshape(count, heads, -1), model)
    k = rope(project("k").reshape(count, kv_heads, -1), model)
    v = project("v").reshape(count, kv_heads, -1)
    k, v = (np.repeat(part, heads // kv_heads, axis=1) for part in (k, v))
    scores = np.einsum("phd,rhd->hpr", q, k) / np.sqrt(q.shape[2])
    scores[:, np.triu(np.ones((count, count), bool), 1)] = -np.inf
    return np.einsum("hpr,rhd->phd", softmax(scores), v).reshape(count, -1) @ layer["o"].T


def swiglu(x, matrices):
    gate, up, down = matrices
    inner = x @ gate.T
    return (inner / (1 + np.exp(-inner)) * (x @ up.T)) @ down.T


def feed_forward(x, layer, model):
    total = 0 if layer["shared"] is None else swiglu(x, layer["shared"])
    if layer.get("shared_router") is not None:
        total = total / (1 + np.exp(-(x @ layer["shared_router"].T)))
    if layer["router"] is None:
        return total
    scores = x @ layer["router"].T
    chosen = np.argsort(-scores, axis=1, kind="stable")[:, :model["top_k"]]
    keep = np.full(scores.shape, -np.inf)
    np.put_along_axis(keep, chosen, 0.0, axis=1)
    weights = softmax(scores + keep) if model["router_norm"] == "chosen" else (
        softmax(scores) * (keep == 0))
    return total + sum(weights[:, [e]] * swiglu(x, expert)
                       for e, expert in enumerate(layer["experts"]))


def forward(model, tokens):
    """Logits after every token: [positions, vocabulary]."""
    x = model["embedding"][tokens]
    for layer in model["passes"]:
        x = x + attention(rms_norm(x, layer["norms"][0], model["eps"]), layer, model)
        x = x + feed_forward(rms_norm(x, layer["norms"][1], model["eps"]), layer, model)
    return rms_norm(x, model["final_norm"], model["eps"]) @ model["head"].T


# --- Fixtures -------------------------------------------------------------------------------------

def pack(arrays, stem, weights, bits):
    """Quantises by row: 4-bit absmax / 7, 3-bit absmax / 4, 1-bit mean |w|; bits 16 is plain F16."""
    if bits == 16:
        arrays[stem] = weights.astype(np.float16)
        return
    size = np.abs(weights)
    scale = {1: size.mean(axis=1), 3: size.max(axis=1) / 4, 4: size.max(axis=1) / 7}[bits]
    scale = scale.astype(np.float16)
    arrays[stem + "__scale"] = scale
    if bits == 1:
        arrays[stem + "__bin"] = np.packbits(weights > 0, axis=1)
    else:
        low, high = {3: (-4, 3), 4: (-8, 7)}[bits]
        levels = np.rint(weights / scale.astype(np.float64)[:, None]).clip(low, high)
        codes = (levels + 8).astype(np.uint8)
        codes = np.pad(codes, ((0, 0), (0, codes.shape[1] % 2)))
        arrays[stem + "__int4"] = codes[:, 0::2] | codes[:, 1::2] << 4
    arrays[stem + "__shape"] = np.array(weights.shape, np.int32)
    arrays[stem + "__cols"] = np.array([weights.shape[1]], np.int32)


def make_moe(path, rng):
    """Three stored layers, one of which runs twice; hidden sizes that are no multiple of eight."""
    width, vocabulary, head_size, experts, hidden, shared_hidden = 32, 48, 8, 4, 20, 24
    arrays, ids, order = {}, [0, 1, 3], [0, 1, 1, 3]
    normal = lambda rows, cols, size: rng.standard_normal((rows, cols)) * size * np.exp(
        0.15 * rng.standard_normal((rows, 1)))
    norm = lambda: (1 + 0.1 * rng.standard_normal(width)).astype(np.float16)

    def mlp(stem, size, bits):
        for name, rows, cols in ("gate", size, width), ("up", size, width), ("down", width, size):
            pack(arrays, f"{stem}.{name}", normal(rows, cols, 0.3), bits)

    pack(arrays, "embed", normal(vocabulary, width, 1.0), 3)
    for i in ids:
        rows = {"q": MOE["query_heads"] * head_size, "k": MOE["kv_heads"] * head_size,
                "v": MOE["kv_heads"] * head_size, "o": width}
        arrays[f"layers.{i}.attn_norm"] = norm()
        for name in "qkvo":
            pack(arrays, f"layers.{i}.attn.{name}", normal(rows[name], width, 0.3),
                 4 if name in "qk" or i in (0, 3) else 1)
        arrays[f"layers.{i}.ffn_norm"] = norm()
        pack(arrays, f"layers.{i}.moe.router", normal(experts, width, 0.3), 16)
        for e in range(experts):
            mlp(f"layers.{i}.moe.experts.{e}", hidden, 1)
        mlp(f"layers.{i}.moe.shared", shared_hidden, 4)
    arrays["norm"] = norm()
    write_safetensors(path, arrays, {"layer_ids": json.dumps(ids), "pass_order": json.dumps(order)})


def make_llama2c(path, rng):
    width, hidden, depth, heads, kv_heads, vocabulary, context = 16, 24, 2, 4, 2, 40, 16
    kv_width = width // heads * kv_heads
    matrix = lambda *shape: rng.standard_normal(shape) * 0.3
    norm = lambda *shape: 1 + 0.1 * rng.standard_normal(shape)
    parts = [matrix(vocabulary, width), norm(depth, width), matrix(depth, width, width),
             matrix(depth, kv_width, width), matrix(depth, kv_width, width),
             matrix(depth, width, width), norm(depth, width), matrix(depth, hidden, width),
             matrix(depth, width, hidden), matrix(depth, hidden, width), norm(width),
             np.zeros((2, context, width // heads // 2)), matrix(vocabulary, width)]
    header = struct.pack("<7i", width, hidden, depth, heads, kv_heads, -vocabulary, context)
    Path(path).write_bytes(header + b"".join(part.astype("<f4").tobytes() for part in parts))


def bfloat16(weights):
    """The upper halves of float32 numbers, rounded to even."""
    bits = weights.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def make_hf(path, rng, kind, store, **config):
    """Two layers in Hugging Face's names; `store` turns float64 into what the file holds."""
    width, vocabulary, heads, kv_heads, hidden, experts, shared = 16, 40, 4, 2, 12, 4, 20
    kv_width, arrays = width // heads * kv_heads, {}

    def put(name, *shape, size=0.3, offset=0.0):
        arrays[name] = store(offset + rng.standard_normal(shape) * size)

    def norm(name):
        put(name, width, size=0.1, offset=1.0)

    def mlp(stem, size, names=("gate_proj", "up_proj", "down_proj")):
        for name, shape in zip(names, ((size, width), (size, width), (width, size))):
            put(f"{stem}.{name}.weight", *shape)

    put("model.embed_tokens.weight", vocabulary, width, size=1.0)
    for i in range(2):
        stem = f"model.layers.{i}."
        norm(stem + "input_layernorm.weight")
        for name, rows in ("q", width), ("k", kv_width), ("v", kv_width), ("o", width):
            put(f"{stem}self_attn.{name}_proj.weight", rows, width)
            if kind == "qwen2_moe" and name != "o":
                put(f"{stem}self_attn.{name}_proj.bias", rows)
        norm(stem + "post_attention_layernorm.weight")
        if kind == "llama":
            mlp(stem + "mlp", hidden)
        elif kind == "mixtral":
            put(stem + "block_sparse_moe.gate.weight", experts, width)
            for e in range(experts):
                mlp(f"{stem}block_sparse_moe.experts.{e}", hidden, ("w1", "w3", "w2"))
        else:
            put(stem + "mlp.gate.weight", experts, width)
            for e in range(experts):
                mlp(f"{stem}mlp.experts.{e}", hidden)
            mlp(stem + "mlp.shared_expert", shared)
            put(stem + "mlp.shared_expert_gate.weight", 1, width)
    norm("model.norm.weight")
    if not config["tie_word_embeddings"]:
        put("lm_head.weight", vocabulary, width)
    write_safetensors(path, arrays, {"format": "pt"})
    config = {"model_type": kind, "hidden_act": "silu", "hidden_size": width,
              "num_hidden_layers": 2, "num_attention_heads": heads,
              "num_key_value_heads": kv_heads, "vocab_size": vocabulary,
              "max_position_embeddings": 32, "top_k": 50, **config}
    path.with_suffix(".config.json").write_text(json.dumps(config, indent=1) + "\n")


def record(model, tokens, changes=None):
    return {"conventions": changes or {}, "tokens": tokens,
            "logits": forward(model, tokens).tolist()}


def make(folder):
    rng = np.random.Generator(np.random.PCG64(20))
    moe, llama2c = folder / "tiny-moe.safetensors", folder / "tiny-llama2c.bin"
    make_moe(moe, rng)
    make_llama2c(llama2c, rng)
    tokens = [7, 0, 31, 31, 12, 47]
    cases = [{}, {"rope": "interleaved"}, {"router_norm": "all"},
             {"rope": "interleaved", "rope_sign": -1, "router_norm": "all"},
             {"rope_base": 500.0, "rope_dims": 4, "eps": 1e-3}, {"rope": "none", "top_k": 1}]
    write = lambda name, value: (folder / name).write_text(json.dumps(value, indent=0) + "\n")
    write("tiny-moe.json", [record(load_packed(moe, {**MOE, **changes}), tokens, changes)
                            for changes in cases])
    write("tiny-llama2c.json", [record(load_llama2c(llama2c), [1, 39, 5, 5, 20, 3])])
    for kind, store, config in (
            ("llama", lambda x: x.astype(np.float16),
             {"tie_word_embeddings": True, "rope_theta": 500.0, "rms_norm_eps": 1e-4,
              "intermediate_size": 12}),
            ("mixtral", bfloat16,
             {"tie_word_embeddings": False, "rope_theta": 1e6, "rms_norm_eps": 1e-5,
              "num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 12,
              "sliding_window": None}),
            ("qwen2_moe", lambda x: x.astype(np.float32),
             {"tie_word_embeddings": False, "rope_theta": 10000.0, "rms_norm_eps": 1e-6,
              "num_experts": 4, "num_experts_per_tok": 2, "norm_topk_prob": False,
              "moe_intermediate_size": 12, "shared_expert_intermediate_size": 20,
              "sliding_window": 4096, "use_sliding_window": False})):
        path = folder / f"tiny-{kind}.safetensors"
        make_hf(path, np.random.Generator(np.random.PCG64(len(kind))), kind, store, **config)
        write(f"tiny-{kind}.json", [record(load_hf(path), [1, 39, 5, 5, 20, 3])])


def main():
    parser = argparse.ArgumentParser(description="Reference logits in numpy.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("folder", type=Path)
    logits = commands.add_parser("logits")
    logits.add_argument("checkpoint", type=Path)
    logits.add_argument("--tokens", required=True)
    logits.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    ask = parser.parse_args()
    if ask.command == "make":
        make(ask.folder)
        return
    conventions = dict(MOE)
    for key, _, value in (pair.partition("=") for pair in ask.set):
        conventions[key] = type(MOE[key])(value)
    if ask.checkpoint.with_suffix(".config.json").exists():
        model = load_hf(ask.checkpoint)
    elif ask.checkpoint.suffix == ".safetensors":
        model = load_packed(ask.checkpoint, conventions)
    else:
        model = load_llama2c(ask.checkpoint)
    for value in forward(model, [int(part) for part in ask.tokens.split(",")])[-1]:
        print(repr(float(value)))


if __name__ == "__main__":
    main()
