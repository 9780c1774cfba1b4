#!/usr/bin/env python3
"""Writes tests/fixtures/gguf-blocks.gguf: rows of random blocks of every type that is read, and
gguf-blocks.json: their weights by the formulas below, as bits of 32-bit floats.

    /usr/bin/python3 tests/gguf/make_blocks.py tests/fixtures

The formulas are ggml's, written on whole arrays: codes and scales are unpacked bit by bit, and all
arithmetic is in 32-bit floats, in ggml's order.
"""

import json
import pathlib
import struct
import sys

import numpy

kBlocks = 3
f32 = numpy.float32


def bits(raw, count):
    """The bits of bytes [blocks, n], lowest first, as numbers of `count` bits."""
    flat = numpy.unpackbits(raw, axis=1, bitorder="little")
    grouped = flat.reshape(len(raw), -1, count).astype(numpy.int64)
    return (grouped << numpy.arange(count)).sum(axis=2)


def half(raw):
    return raw.copy().view(numpy.float16).astype(f32)


def halves_of_nibbles(raw):
    """16 bytes to 32 codes: first all low nibbles, then all high ones."""
    return numpy.concatenate([raw & 15, raw >> 4], axis=1).astype(numpy.int64)


def q4_0(b):
    return (halves_of_nibbles(b[:, 2:]) - 8).astype(f32) * half(b[:, :2])


def q4_1(b):
    return halves_of_nibbles(b[:, 4:]).astype(f32) * half(b[:, :2]) + half(b[:, 2:4])


def q5_0(b):
    codes = halves_of_nibbles(b[:, 6:]) + 16 * bits(b[:, 2:6], 1)
    return (codes - 16).astype(f32) * half(b[:, :2])


def q5_1(b):
    codes = halves_of_nibbles(b[:, 8:]) + 16 * bits(b[:, 4:8], 1)
    return codes.astype(f32) * half(b[:, :2]) + half(b[:, 2:4])


def q8_0(b):
    return b[:, 2:].copy().view(numpy.int8).astype(f32) * half(b[:, :2])


def pairs(raw):
    """64 bytes to 256 codes of 2 bits: 128 weights share 32 bytes, 32 at each shift."""
    halves = raw.reshape(len(raw), 2, 1, 32)
    return (halves >> numpy.array([0, 2, 4, 6]).reshape(1, 1, 4, 1) & 3).reshape(len(raw), 256) \
        .astype(numpy.int64)


def by(count, numbers):
    return numpy.repeat(numbers, count, axis=1)


def q2_k(b):
    steps = half(b[:, 80:82]) * (b[:, :16] & 15).astype(f32)
    least = half(b[:, 82:84]) * (b[:, :16] >> 4).astype(f32)
    return by(16, steps) * pairs(b[:, 16:80]).astype(f32) - by(16, least)


def q3_k(b):
    packed = b[:, 96:108]
    four = numpy.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1).astype(numpy.int64)
    two = numpy.concatenate([packed[:, 8:] >> s & 3 for s in (0, 2, 4, 6)], axis=1).astype(numpy.int64)
    steps = half(b[:, 108:110]) * ((four + 16 * two) - 32).astype(f32)
    third = numpy.concatenate([b[:, :32] >> s & 1 for s in range(8)], axis=1).astype(numpy.int64)
    return by(16, steps) * (pairs(b[:, 32:96]) - 4 * (1 - third)).astype(f32)


def six_bits(raw):
    """12 bytes to 8 scales and 8 minima of 6 bits."""
    first, second, third = (raw[:, i:i + 4].astype(numpy.int64) for i in (0, 4, 8))
    scales = numpy.concatenate([first & 63, third & 15 | (first >> 6) << 4], axis=1)
    minima = numpy.concatenate([second & 63, third >> 4 | (second >> 6) << 4], axis=1)
    return scales.astype(f32), minima.astype(f32)


def quarters_of_nibbles(raw):
    """128 bytes to 256 codes: 64 weights share 32 bytes."""
    groups = raw.reshape(len(raw), 4, 1, 32)
    return (groups >> numpy.array([0, 4]).reshape(1, 1, 2, 1) & 15).reshape(len(raw), 256) \
        .astype(numpy.int64)


def with_minima(b, codes):
    scales, minima = six_bits(b[:, 4:16])
    steps, least = half(b[:, :2]) * scales, half(b[:, 2:4]) * minima
    return by(32, steps) * codes.astype(f32) - by(32, least)


def q4_k(b):
    return with_minima(b, quarters_of_nibbles(b[:, 16:144]))


def q5_k(b):
    fifth = numpy.concatenate([b[:, 16:48] >> s & 1 for s in range(8)], axis=1).astype(numpy.int64)
    return with_minima(b, quarters_of_nibbles(b[:, 48:176]) + 16 * fifth)


def q6_k(b):
    low = b[:, :128].reshape(len(b), 2, 1, 64) >> numpy.array([0, 4]).reshape(1, 1, 2, 1) & 15
    codes = low.reshape(len(b), 256).astype(numpy.int64) + 16 * pairs(b[:, 128:192]) - 32
    scales = b[:, 192:208].copy().view(numpy.int8).astype(f32)
    return by(16, half(b[:, 208:210]) * scales) * codes.astype(f32)


# name: number, weights and bytes of a block, where its binary16 numbers are, formula
kTypes = {"Q4_0": (2, 32, 18, [0], q4_0), "Q4_1": (3, 32, 20, [0, 2], q4_1),
          "Q5_0": (6, 32, 22, [0], q5_0), "Q5_1": (7, 32, 24, [0, 2], q5_1),
          "Q8_0": (8, 32, 34, [0], q8_0), "Q2_K": (10, 256, 84, [80, 82], q2_k),
          "Q3_K": (11, 256, 110, [108], q3_k), "Q4_K": (12, 256, 144, [0, 2], q4_k),
          "Q5_K": (13, 256, 176, [0, 2], q5_k), "Q6_K": (14, 256, 210, [208], q6_k)}


def random_blocks(draw, size, scales_at):
    raw = draw.integers(0, 256, (kBlocks, size), dtype=numpy.uint8)
    for at in scales_at:
        scale = draw.normal(0, 0.01, kBlocks).astype(numpy.float16)
        raw[:, at:at + 2] = scale.view(numpy.uint8).reshape(kBlocks, 2)
    return raw


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def main(folder):
    draw = numpy.random.default_rng(20240520)
    infos, data, expected = b"", b"", {}
    for name, (number, weights, size, scales_at, formula) in kTypes.items():
        raw = random_blocks(draw, size, scales_at)
        data += bytes(-len(data) % 32)
        infos += text(name) + struct.pack("<IQIQ", 1, kBlocks * weights, number, len(data))
        data += raw.tobytes()
        values = formula(raw).reshape(-1)
        assert values.dtype == f32 and len(values) == kBlocks * weights
        expected[name] = values.view("<u4").tobytes().hex()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(kTypes), 0) + infos
    folder = pathlib.Path(folder)
    (folder / "gguf-blocks.gguf").write_bytes(head + bytes(-len(head) % 32) + data)
    (folder / "gguf-blocks.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
