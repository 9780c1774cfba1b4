"""The checkpoint's quantisers, row by row, and their straight-through use."""
import torch
from torch import Tensor

# bits -> (lowest code, highest code, absmax of the row in codes)
RANGES = {3: (-4, 3, 4), 4: (-8, 7, 7)}


def encode(weight: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Codes (same shape) and scales ([..., 1], float32 holding float16 values) of each row."""
    tiny = 2.0 ** -14  # the smallest normal float16
    if bits == 1:
        scale = weight.abs().mean(-1, keepdim=True).clamp_min(tiny).half().float()
        return torch.where(weight >= 0, 1.0, -1.0), scale
    low, high, reach = RANGES[bits]
    scale = (weight.abs().amax(-1, keepdim=True) / reach).clamp_min(tiny).half().float()
    return (weight / scale).round().clamp(low, high), scale


def quantise(weight: Tensor, bits: int) -> Tensor:
    """The weights that a reader of the packed file sees."""
    if bits == 16:
        return weight.half().float()
    codes, scale = encode(weight, bits)
    return codes * scale
