"""Tests of parameter-golf's side: cd tools && /usr/bin/python3 -m unittest train.test_golf

The tiny models are those of tests/fixtures. Without torch and zstandard everything is skipped and says so; what
needs the real model looks for it in the folder SB3LM_TEST_DATA.
"""
import io
import json
import os
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

try:
    import torch
    import zstandard  # noqa: F401, one of the fixtures is compressed so
except ImportError:
    torch = None

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
REAL = Path(os.environ.get("SB3LM_TEST_DATA", "/nowhere")) / "parameter-golf"
TINY = ("tiny-golf-nb", "tiny-golf-ve", "tiny-golf592", "tiny-golf585")
needs_torch = unittest.skipIf(torch is None, "missing: torch or zstandard (tools/train/setup)")
needs_real = unittest.skipUnless((REAL / "nb7x384.int8.ptz").exists(),
                                 "SB3LM_TEST_DATA does not name a folder with parameter-golf")


def setUpModule() -> None:
    if torch is None:
        print("test_golf: SKIPPED what needs torch and zstandard (tools/train/setup)", file=sys.stderr)


def tiny(name: str):
    """Weights, settings and the first case of a fixture."""
    from . import golf, golf_file
    weights = golf_file.read(FIXTURES / f"{name}.ptz")
    case = json.loads((FIXTURES / f"{name}.json").read_text())[0]
    model = golf.Golf.of(weights)
    if "rope-dims" in case["conventions"]:
        dims = int(case["conventions"]["rope-dims"])
        model = replace(model, rope_dims=dims, rope_base=golf.stretched_base(model.context, dims))
    return weights, model, case


def distance(weights, model, case) -> float:
    """The largest difference from the case's logits."""
    from . import golf
    with torch.no_grad():
        found = golf.logits(weights, model, torch.tensor([case["tokens"]]))[0]
    expected = torch.tensor(case["logits"], dtype=torch.float64)
    return float((found[-len(expected):] - expected).abs().max())


@needs_torch
class ForwardTest(unittest.TestCase):
    def test_fixtures_are_what_it_computes(self):
        for name in TINY:
            self.assertLess(distance(*tiny(name)), 1e-12, name)

    def test_batches_and_beginnings(self):
        """Sequences of a batch do not meet, and later positions change nothing before them."""
        from . import golf
        for name in TINY:
            weights, model, case = tiny(name)
            tokens = torch.tensor([case["tokens"], case["tokens"][::-1]])
            both = golf.logits(weights, model, tokens)
            alone = golf.logits(weights, model, tokens[1:, :4])
            self.assertLess(float((both[1:, :4] - alone).abs().max()), 1e-12, name)

    def test_each_formula_matters(self):
        for name in TINY:
            weights, model, case = tiny(name)
            later = bool(model.value_layers)
            changes = {"rope_sign": 1, "cap": 15.0, "eps": 1e-5, "activation": "leaky2",
                       "start_norm": False, "head_norm": False, "skips": False, "mix": False,
                       "scales": False, "gain": False, "exclusive": (0,)}
            if later:
                last = model.layers - 1
                changes |= {"rope_base": 10000.0, "norm_scale": False, "bigram": False,
                            "smear": False, "value_layers": (last - 2, last - 1)}
            for field, value in changes.items():
                changed = replace(model, **{field: value})
                self.assertGreater(distance(weights, changed, case), 1e-6, (name, field))

    def test_each_wrong_formula_misses(self):
        from . import golf
        half = {name: tiny(name)[1].layers // 2 for name in TINY}

        def other_rows(first, second, begin):
            def rows(tokens, buckets):
                found = torch.full_like(tokens, begin(buckets, tokens))
                found[:, 1:] = (first * tokens[:, 1:] ^ second * tokens[:, :-1]) % (buckets - 1)
                return found
            return rows

        def pairs_of_neighbours(x, model):
            dims = model.rope_dims or x.shape[-1]
            order = [*range(0, dims, 2), *range(1, dims, 2), *range(dims, x.shape[-1])]
            return right_turn(x[..., order], model)

        right_turn, right_smear, right_exclusion = golf.turned, golf.smeared, golf.excluded
        last = lambda buckets, tokens: buckets - 1
        wrong = {
            "skips in order": ("Golf.skip_of", lambda self, i: i - self.layers // 2
                               if self.layers // 2 <= i < 2 * (self.layers // 2) else -1),
            "neighbours": ("turned", pairs_of_neighbours),
            "constants": ("bigram_rows", other_rows(27191, 36313, last)),
            "first row": ("bigram_rows", other_rows(36313, 27191, lambda b, t: 0)),
            "smear backwards": ("smeared", lambda x, gate: right_smear(x, -gate)),
            "exclusive of y": ("excluded", lambda y, v: right_exclusion(v, y)),
        }
        for name in TINY:
            weights, model, case = tiny(name)
            for what, (part, broken) in wrong.items():
                if not model.value_layers and part not in ("Golf.skip_of", "turned"):
                    continue
                with mock.patch(f"{golf.__name__}.{part}", broken):
                    self.assertGreater(distance(weights, model, case), 1e-6, (name, what))
            self.assertGreater(half[name], 1)   # one skip has no order

    @needs_real
    def test_real_model(self):
        from . import golf, golf_file
        weights = golf_file.read(REAL / "nb7x384.int8.ptz", rounded=True)
        model = golf.Golf.of(weights)
        case = json.loads((REAL / "nb7x384.expected.json").read_text())["cases"][0]
        with torch.no_grad():
            found = golf.logits(weights, model, torch.tensor([case["tokens"]]))[0, -1]
            whole = torch.tensor([case["tokens"] + case["greedy"][:-1]])
            best = golf.logits(weights, model, whole)[0].argmax(-1).tolist()
        expected = torch.tensor(case["logits"], dtype=torch.float64)
        self.assertLess(float((found - expected).abs().max()), 2e-6)  # it went through float32
        self.assertEqual(best[-len(case["greedy"]):], case["greedy"])


@needs_torch
class FileTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.ptz"

    def check_same(self, one: dict, other: dict) -> None:
        self.assertEqual(sorted(one), sorted(other))
        for name, tensor in one.items():
            self.assertTrue(torch.equal(tensor, other[name]), name)

    def test_what_is_written_is_read(self):
        from . import golf_file
        stored = golf_file.stored_tensors(FIXTURES / "tiny-golf592.ptz")
        expected = golf_file.read(FIXTURES / "tiny-golf592.ptz")
        for compression in ("none", "zlib", "zstd", "xz"):
            for clean in (False, True):
                golf_file.write(self.path, stored, compression, clean)
                self.check_same(golf_file.read(self.path), expected)

    def test_widths(self):
        from . import golf_file
        random = torch.Generator().manual_seed(1)
        w = {name: torch.randn(shape, generator=random) for name, shape in
             (("tok_emb.weight", (9, 4)), ("blocks.0.mlp.fc.weight", (8, 4)),
              ("blocks.0.attn.c_q.weight", (4, 8)), ("blocks.0.resid_mix", (2, 20)),
              ("bigram.embed.weight", (9, 4)), ("blocks.0.attn.q_gain", (3,)))}
        stored = golf_file.quantised(w, small=30)
        golf_file.write(self.path, stored)
        thing = torch.load(io.BytesIO(golf_file.unpacked(self.path.read_bytes())))
        self.assertEqual(thing["m"], {
            "tok_emb.weight": {"type": "int8"}, "blocks.0.mlp.fc.weight": {"type": "int5"},
            "blocks.0.attn.c_q.weight": {"type": "int6"}, "blocks.0.resid_mix": "passthrough_ctrl",
            "bigram.embed.weight": {"type": "int6"}, "blocks.0.attn.q_gain": "passthrough"})
        again = golf_file.read(self.path)
        for name, levels in (("tok_emb.weight", 127), ("blocks.0.mlp.fc.weight", 15)):
            step = w[name].abs().amax(1, keepdim=True) / levels
            self.assertTrue(bool(((again[name] - w[name]).abs() <= 0.51 * step).all()), name)

    def test_rounded_tables(self):
        from . import golf_file
        path = FIXTURES / "tiny-golf585.ptz"
        exact, rounded = golf_file.read(path), golf_file.read(path, rounded=True)
        for name, tensor in exact.items():
            changed = not torch.equal(tensor, rounded[name])
            self.assertEqual(changed, name in golf_file.ROUNDED, name)
            self.assertLess(float(((tensor - rounded[name]) / tensor).nan_to_num().abs().max()),
                            2.0 ** -8)

    def test_no_code_runs(self):
        class Evil:
            def __reduce__(self):
                return (print, ("ran",))
        from . import golf_file
        torch.save({"a": Evil()}, self.path)
        with self.assertRaises(Exception):
            golf_file.read(self.path)


if __name__ == "__main__":
    unittest.main()
