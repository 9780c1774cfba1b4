"""Artifacts of parameter-golf: torch zips, alone or as one stream of zlib, zstd or xz.

Three layouts are read: tensors by name; int8_clean_per_row_v1; and {"w", "m"}, which is written too.
A quantised tensor's weight is its code times the scale of its row, exactly. torch's restricted
unpickler reads, so a file runs no code.
"""
import io
import lzma
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

CLEAN = "int8_clean_per_row_v1"
ROUNDED = ("tok_emb.weight", "bigram.embed.weight", "ve_shared.embed.weight")
CONTROLS = ("attn_scale", "mlp_scale", "resid_mix", "q_gain", "skip_weight", "smear", "bigram.scale",
            "ve_layer_scales", "ve_shared.scale")
SMALL_TENSOR = 65536                # elements; as many stay binary16
LEAST_SCALE = 2.0 ** -14            # of binary16 without losing bits
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Coded:
    """Integers and what they are multiplied by: a binary16 number for each row, or one for all."""

    codes: Tensor
    scale: Tensor

    def values(self) -> Tensor:
        scale = self.scale.double()
        return self.codes.double() * (scale if scale.ndim == 0 else scale[:, None])


Stored = dict[str, Tensor | Coded]


def unpacked(packed: bytes) -> bytes:
    if packed.startswith(b"PK"):
        return packed
    if packed.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=MOST_BYTES)
    if packed.startswith(b"\xfd7zXZ\0"):
        return lzma.decompress(packed)
    return zlib.decompress(packed)


def packed_as(compression: str, raw: bytes) -> bytes:
    if compression == "zstd":
        import zstandard
        return zstandard.ZstdCompressor(level=22).compress(raw)
    return {"none": bytes, "zlib": lambda b: zlib.compress(b, 9), "xz": lzma.compress}[compression](raw)


def stored_tensors(path: Path) -> Stored:
    thing = torch.load(io.BytesIO(unpacked(Path(path).read_bytes())), map_location="cpu",
                       weights_only=True)
    if thing.get("__quant_format__") == CLEAN:
        return thing["passthrough"] | {name: Coded(codes, thing["scales"][name])
                                       for name, codes in thing["quantized"].items()}
    if thing.keys() != {"w", "m"}:
        return thing
    plain = {name: thing["w"][name] for name, how in thing["m"].items() if isinstance(how, str)}
    return plain | {name: Coded(thing["w"][name + ".q"], thing["w"][name + ".scale"])
                    for name, how in thing["m"].items() if not isinstance(how, str)}


def read(path: Path, dtype: torch.dtype = torch.float64, rounded: bool = False) -> dict[str, Tensor]:
    """Weights by name. `rounded`: tables to bfloat16, as the programs themselves load them."""
    weights = {}
    for name, stored in stored_tensors(path).items():
        values = stored.values() if isinstance(stored, Coded) else stored
        if rounded and name in ROUNDED:
            values = values.float().bfloat16()
        weights[name] = values.to(dtype)
    return weights


def coded(w: Tensor, levels: int) -> Coded:
    """Rounds a matrix to -levels - 1 .. levels, the largest weight of each row to the last code."""
    scale = (w.float().abs().amax(1) / levels).clamp_min(LEAST_SCALE).half()
    codes = torch.round(w.float() / scale.float()[:, None]).clamp(-levels - 1, levels)
    return Coded(codes.to(torch.int8), scale)


def quantised(weights: dict[str, Tensor], small: int = SMALL_TENSOR) -> Stored:
    """As the records do it: feed-forwards 5 bits, attention and bigrams 6, tables 8, the rest plain."""
    stored: Stored = {}
    for name, w in weights.items():
        if w.numel() <= small:
            stored[name] = w.half()
        elif w.ndim < 2 or any(control in name for control in CONTROLS):
            stored[name] = w.float()
        elif ".mlp." in name:
            stored[name] = coded(w, 15)
        elif ".attn." in name or "bigram" in name:
            stored[name] = coded(w, 31)
        else:
            stored[name] = coded(w, 127)
    return stored


def how_stored(tensor: Tensor | Coded) -> str | dict[str, str]:
    if isinstance(tensor, Coded):
        most = max(-int(tensor.codes.min()) - 1, int(tensor.codes.max()))
        return {"type": "int5" if most <= 15 else "int6" if most <= 31 else "int8"}
    return "passthrough" if tensor.dtype == torch.float16 else "passthrough_ctrl"


def write(path: Path, stored: Stored, compression: str = "zlib", clean: bool = False) -> None:
    """{"w", "m"}, or int8_clean_per_row_v1."""
    quantised_ones = {n: t for n, t in stored.items() if isinstance(t, Coded)}
    plain = {name: tensor for name, tensor in stored.items() if name not in quantised_ones}
    codes = {name: tensor.codes for name, tensor in quantised_ones.items()}
    scales = {name: tensor.scale for name, tensor in quantised_ones.items()}
    if clean:
        thing = {"__quant_format__": CLEAN, "quantized": codes, "scales": scales,
                 "dtypes": {name: "float32" for name in codes}, "passthrough": plain,
                 "qmeta": {name: {"scheme": "per_row", "axis": 0} for name in codes}}
    else:
        thing = {"w": plain | {name + ".q": one for name, one in codes.items()} |
                      {name + ".scale": one for name, one in scales.items()},
                 "m": {name: how_stored(tensor) for name, tensor in stored.items()}}
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    Path(path).write_bytes(packed_as(compression, buffer.getvalue()))
