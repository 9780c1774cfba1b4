"""Writes a GGUF file with random Q4_0 weights: a dense model of Llama's shape for llama.cpp to run.

Format (GGUF version 3): "GGUF", version, number of tensors and of metadata entries; the entries; for
each tensor name, extents (columns first), type and offset; then, aligned to 32 bytes, the tensors.
A Q4_0 block is 32 weights: a binary16 scale and 16 bytes of nibbles.
"""

import json
import random
import struct
import sys

kAlignment = 32
kString, kUint32, kFloat32 = 8, 4, 6
kF32, kQ4 = 0, 2


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def entry(key, kind, value):
    packed = text(value) if kind == kString else struct.pack({kUint32: "<I", kFloat32: "<f"}[kind],
                                                             value)
    return text(key) + struct.pack("<I", kind) + packed


def metadata(shape):
    numbers = {"context_length": shape["context"], "embedding_length": shape["width"],
               "block_count": shape["layers"], "feed_forward_length": shape["hidden"],
               "attention.head_count": shape["heads"], "attention.head_count_kv": shape["kv_heads"],
               "rope.dimension_count": shape["width"] // shape["heads"],
               "vocab_size": shape["vocabulary"]}
    return [entry("general.architecture", kString, "llama"),
            *(entry(f"llama.{key}", kUint32, value) for key, value in numbers.items()),
            entry("llama.attention.layer_norm_rms_epsilon", kFloat32, 1e-5),
            entry("tokenizer.ggml.model", kString, "none")]


def matrices(shape):
    """(name, rows, columns); no row means a norm."""
    width, hidden = shape["width"], shape["hidden"]
    kv = width // shape["heads"] * shape["kv_heads"]
    yield "token_embd", shape["vocabulary"], width
    for layer in range(shape["layers"]):
        for name, rows, columns in (("attn_norm", 0, width), ("attn_q", width, width),
                                    ("attn_k", kv, width), ("attn_v", kv, width),
                                    ("attn_output", width, width), ("ffn_norm", 0, width),
                                    ("ffn_gate", hidden, width), ("ffn_up", hidden, width),
                                    ("ffn_down", width, hidden)):
            yield f"blk.{layer}.{name}", rows, columns
    yield "output_norm", 0, width


def data(rows, columns, draw):
    if rows == 0:
        return struct.pack(f"<{columns}f", *[1.0] * columns)
    scale = struct.pack("<e", 0.2 / columns ** 0.5)
    return b"".join(scale + draw.randbytes(16) for _ in range(rows * columns // 32))


def write(path, shape):
    draw = random.Random(1)
    entries = metadata(shape)
    infos, parts, offset, weights = [], [], 0, 0
    for name, rows, columns in matrices(shape):
        part = data(rows, columns, draw)
        extents = [columns, rows] if rows else [columns]
        infos.append(text(name + ".weight") + struct.pack("<I", len(extents)) +
                     struct.pack(f"<{len(extents)}Q", *extents) +
                     struct.pack("<IQ", kQ4 if rows else kF32, offset))
        part += bytes(-len(part) % kAlignment)
        parts.append(part)
        offset += len(part)
        weights += rows * columns
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(entries)) + b"".join(entries + infos)
    with open(path, "wb") as out:
        out.write(head + bytes(-len(head) % kAlignment) + b"".join(parts))
    return weights


if __name__ == "__main__":
    print(write(sys.argv[1], json.loads(sys.argv[2])))
