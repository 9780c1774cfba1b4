#!/usr/bin/python3
"""Files that PyTorch has written, read by ours, and the other way round. Skips without torch.

  torch_files_test.py TOOL     (tests/torch/torch_tool.cc)
"""
import io
import json
import lzma
import subprocess
import sys
import tempfile
import unittest
import zlib
from argparse import Namespace
from collections import OrderedDict
from pathlib import Path

try:
    import torch
except ImportError:
    print("skipped: there is no torch for this Python")
    sys.exit(77)

TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
         torch.int8: "I8", torch.uint8: "U8", torch.int16: "I16", torch.int32: "I32",
         torch.int64: "I64", torch.bool: "BOOL"}


class Config:  # of no module that a reader could import
    def __init__(self, **fields):
        self.__dict__.update(fields)


def raw(tensor):
    """Its bytes, row-major."""
    flat = tensor.detach().contiguous().flatten()
    return bytes(flat.view(torch.uint8).tolist()) if flat.numel() else b""


class TorchFiles(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.pt"

    def tool(self, *arguments, status=0):
        done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr.replace(str(self.path), "model.pt")

    def read(self, thing, **options):
        torch.save(thing, self.path, **options)
        return json.loads(self.tool("read", self.path))

    def assert_tensors(self, given, expected):
        self.assertEqual(list(given), list(expected))
        for name, tensor in expected.items():
            self.assertEqual(given[name]["type"], TYPES[tensor.dtype], name)
            self.assertEqual(given[name]["shape"], list(tensor.shape), name)
            self.assertEqual(given[name]["bytes"], raw(tensor).hex(), name)

    def test_every_type_and_form(self):
        random = torch.Generator().manual_seed(1)
        base = torch.randn(6, 4, generator=random)
        tensors = {str(kind): (base * 50).abs().to(kind) for kind in TYPES}
        tensors |= {"number": torch.tensor(2.5), "transposed": base.t(), "part": base[1:3, 1:3],
                    "vector": base[2], "steps": base.flatten()[::3], "tied": base,
                    "turned": torch.randn(2, 3, 4, generator=random).permute(2, 0, 1),
                    "nothing": torch.zeros(0, 3), "one column": base[:, 1:2],
                    "weight": torch.nn.Parameter(base.clone())}
        self.assert_tensors(self.read(tensors)["tensors"], tensors)

    def test_old_and_new_zips_of_modules(self):
        model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.LayerNorm(5))
        state = model.state_dict()
        self.assert_tensors(self.read(state)["tensors"], state)
        parameters = OrderedDict(model.named_parameters())
        self.assert_tensors(self.read(parameters)["tensors"], parameters)

    def test_wrapped(self):
        weights = {"a": torch.ones(2, 2, dtype=torch.bfloat16)}
        config = {"dim": 3, "eps": 1e-5, "tied": True, "pattern": ["x", "y"], "none": None,
                  "dtype": torch.bfloat16, 5: 6, "far": 2 ** 40, "low": -7}
        shown = {"dim": 3, "eps": 1e-5, "tied": True, "pattern": ["x", "y"], "none": None,
                 "dtype": "bfloat16", "far": 2 ** 40, "low": -7}
        optimizer = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2)}},
                     "param_groups": [{"lr": 0.1, "betas": (0.9, 0.95), "params": [0]}]}
        for key, wrapped, config_as in (
                ("cfg", "model", lambda c: c),
                ("config", "model_state_dict", lambda c: Config(**{str(k): v for k, v in c.items()})),
                ("args", "state_dict", lambda c: Namespace(**{str(k): v for k, v in c.items()}))):
            given = self.read({"optimizer": optimizer, key: config_as(config), wrapped: weights,
                               "step": 12})
            self.assert_tensors(given["tensors"], weights)
            fields = given["config"]
            fields.pop("5", None)
            self.assertEqual(fields, shown)
        self.assertIsNone(self.read({"model": weights})["config"])

    def test_artifacts(self):
        codes = torch.tensor([[-31, 4, 31], [0, 1, -2]], dtype=torch.int8)
        scales = torch.tensor([0.5, 0.03125], dtype=torch.float16)
        odd = torch.tensor([3, -2, 5], dtype=torch.int8)
        stored = {"m.weight.q": codes, "m.weight.scale": scales, "one.q": codes,
                  "one.scale": torch.tensor(0.25, dtype=torch.float16), "v.q": odd,
                  "v.scale": torch.tensor(0.1), "bigram.scale": torch.tensor(2.0),
                  "wide.q": codes, "wide.scale": torch.tensor([0.1, 0.2])}
        how = {"m.weight": {"type": "int5"}, "one": {"type": "int8"}, "v": {"type": "int8"},
               "bigram.scale": "passthrough_ctrl", "wide": {"type": "int8"}}
        clean = {"__quant_format__": "int8_clean_per_row_v1",
                 "quantized": {name: stored[name + ".q"] for name in ("m.weight", "one", "v", "wide")},
                 "scales": {name: stored[name + ".scale"] for name in ("m.weight", "one", "v", "wide")},
                 "dtypes": {"m.weight": "bfloat16"}, "passthrough": {"bigram.scale": torch.tensor(2.0)},
                 "qmeta": {"m.weight": {"scheme": "per_row", "axis": 0}}}
        for thing in ({"w": stored, "m": how}, clean):
            given = self.read(thing)["tensors"]
            self.assertEqual(sorted(given), sorted(how))
            self.assertEqual(given["m.weight"]["bytes"], raw(codes).hex())
            self.assertEqual(given["m.weight"]["row_scales"], raw(scales).hex())
            self.assertEqual(given["one"]["row_scales"], "00340034")
            self.assertEqual(given["v"]["bytes"], raw(odd.float() * torch.tensor(0.1)).hex())
            wide = codes.float() * torch.tensor([[0.1], [0.2]])
            self.assertEqual(given["wide"], {"type": "F32", "shape": [2, 3], "bytes": raw(wide).hex(),
                                             "row_scales": ""})
            self.assertEqual(given["bigram.scale"]["shape"], [])

    def test_compressed(self):
        buffer = io.BytesIO()
        tensors = {"a": torch.arange(300.0).reshape(3, 100)}
        torch.save(tensors, buffer)
        for compressed in (zlib.compress(buffer.getvalue(), 9), lzma.compress(buffer.getvalue()),
                           zlib.compress(buffer.getvalue(), 1)):
            self.path.write_bytes(compressed)
            given = json.loads(self.tool("read", self.path))
            self.assert_tensors(given["tensors"], tensors)

    def test_what_is_not_read(self):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), self.path)
        self.assertIn("TorchScript", self.tool("read", self.path, status=4))
        for thing, words in ((torch.nn.Linear(2, 2), "global 'torch.nn.modules.linear Linear' is not read"),
                             ({"a": torch.ones(1).to_sparse()}, "global 'torch._utils _rebuild_sparse"),
                             ({"a": complex(1, 2)}, "global '__builtin__ complex' is called"),
                             ([torch.ones(1)], "it holds a list"),
                             ({"a": {"b": torch.ones(1)}}, "tensor 'a': it is a dict"),
                             ({}, "it holds no tensors")):
            torch.save(thing, self.path)
            status = 3 if words.startswith(("tensor", "it holds no")) else 4
            self.assertIn(words, self.tool("read", self.path, status=status))

    def test_ours_in_torch(self):
        for compression, unpack in (("none", bytes), ("zlib", zlib.decompress),
                                    ("xz", lzma.decompress)):
            for layout in ("state", "model", "records", "clean"):
                self.tool("write", layout, compression, self.path)
                thing = torch.load(io.BytesIO(unpack(self.path.read_bytes())))
                self.check_ours(layout, thing)

    def check_ours(self, layout, thing):
        tensors = {"state": lambda: thing, "model": lambda: thing["model"],
                   "records": lambda: thing["w"],
                   "clean": lambda: thing["passthrough"]}[layout]()
        self.assertEqual(tensors["embed.weight"].tolist(), [[1, 2, 3], [-1, -2, 0]])
        self.assertEqual(tensors["embed.weight"].dtype, torch.bfloat16)
        self.assertEqual(tensors["one"].shape, ())
        self.assertEqual(tensors["norm"].tolist(), [1, 2])
        if layout == "model":
            self.assertEqual(thing["cfg"], {"dim": 3, "cap": 30.0, "names": ["a", None, True],
                                            "big": 1 << 33})
            self.assertEqual(tensors["head.weight"].data_ptr(), tensors["embed.weight"].data_ptr())
        if layout == "records":
            self.assertEqual(tensors["q.q"].tolist(), [[1, -1], [2, -2]])
            self.assertEqual(tensors["q.scale"].tolist(), [1, 0.5])
            self.assertEqual(thing["m"]["norm"], "passthrough")
        if layout == "clean":
            self.assertEqual(thing["quantized"]["q"].tolist(), [[1, -1], [2, -2]])
            self.assertEqual(thing["scales"]["q"].dtype, torch.float16)


if __name__ == "__main__":
    tool = sys.argv.pop(1)
    unittest.main()
