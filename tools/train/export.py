"""Writes the packed SSMoELM checkpoint, a safetensors file, without any library for it.

The format is in docs/formats.md, "Packed safetensors (SSMoELM)". Here 1-bit rows are packed bits
(most significant first, 1 = +scale), 3- and 4-bit rows are nibbles (even column low, code + 8), and
row scales, routers and norms are float16.
"""
import json
import os
from pathlib import Path

import numpy as np
from torch import Tensor

from .config import Config
from .quantise import encode

CHAT = ("first: <bos><|user|> {user|lower}<|assistant|>\n"
        "next: <|user|> {user|lower}<|assistant|>\n"
        "stop: <|eot|> <eos>\n")
PARTS = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
         "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
         "o": "self_attn.o_proj", "router": "mlp.router",
         "gate": "gate_proj", "up": "up_proj", "down": "down_proj"}
DTYPES = {"float16": "F16", "uint8": "U8", "int32": "I32"}


def stem(name: str, expert: int = -1) -> str:
    """The file's name of a parameter."""
    if name == "embed":
        return "model.embed_tokens.weight"
    if name == "final_norm":
        return "model.norm.weight"
    _, layer, *rest = name.split(".")
    middle = {"experts": f"mlp.experts.{expert}.", "shared": "mlp.shared_expert."}
    lead = middle[rest[0]] if len(rest) == 2 else ""
    return f"model.layers.{layer}.{lead}{PARTS[rest[-1]]}.weight"


def pack_matrix(weight: Tensor, bits: int) -> dict[str, np.ndarray]:
    """The parts of one matrix [rows, cols] by suffix."""
    codes, scale = encode(weight.float(), bits)
    codes = codes.numpy().astype(np.int8)
    rows, cols = codes.shape
    parts = {"__scale": scale.numpy().astype(np.float16).reshape(rows),
             "__shape": np.array([rows, cols], np.int32), "__cols": np.array([cols], np.int32)}
    if bits == 1:
        parts["__bin"] = np.packbits(codes > 0, axis=-1)
    else:
        nibbles = (codes + 8).astype(np.uint8)
        parts["__int4"] = nibbles[:, 0::2] | nibbles[:, 1::2] << 4
    return parts


def pack_all(config: Config, masters: dict[str, Tensor]) -> dict[str, np.ndarray]:
    tensors: dict[str, np.ndarray] = {}
    for name, master in masters.items():
        bits = config.bits(name)
        if bits == 16:
            tensors[stem(name)] = master.numpy().astype(np.float16)
            continue
        stacked = master if master.dim() == 3 else master.unsqueeze(0)
        for expert, weight in enumerate(stacked):
            for suffix, array in pack_matrix(weight, bits).items():
                tensors[stem(name, expert) + suffix] = array
    return tensors


def metadata(config: Config) -> dict[str, str]:
    return {"format": "ssmoelm", "layer_ids": json.dumps(config.layer_ids),
            "pass_order": json.dumps(config.pass_order), "n_heads": str(config.heads),
            "n_kv_heads": str(config.kv_heads), "head_dim": str(config.head_size),
            "top_k": str(config.top_k), "context": str(config.context),
            "rope_theta": str(config.rope_base), "norm_eps": str(config.norm_eps),
            "chat_template": CHAT}


def write_atomically(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def write_checkpoint(path: Path, config: Config, masters: dict[str, Tensor]) -> int:
    """Writes the file and returns its size in bytes."""
    header: dict[str, object] = {"__metadata__": metadata(config)}
    blobs, offset = [], 0
    for name, array in pack_all(config, {n: w.cpu() for n, w in masters.items()}).items():
        blobs.append(np.ascontiguousarray(array).tobytes())
        end = offset + len(blobs[-1])
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    content = len(text).to_bytes(8, "little") + text + b"".join(blobs)
    write_atomically(path, content)
    return len(content)
