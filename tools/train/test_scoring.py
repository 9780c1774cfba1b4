"""Tests of scoring and of learning after it: cd tools && /usr/bin/python3 -m unittest train.test_scoring

Without torch, zstandard or sentencepiece they are skipped and say so; what needs the real model looks
for it in the folder SB3LM_TEST_DATA.
"""
import math
import os
import struct
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

try:
    import torch
    import sentencepiece  # noqa: F401
    import zstandard  # noqa: F401
    MISSING = ""
except ImportError as error:
    MISSING = f"missing: {error.name} (tools/train/setup)"

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
REAL = Path(os.environ.get("SB3LM_TEST_DATA", "/nowhere")) / "parameter-golf"
needs_real = unittest.skipUnless((REAL / "fineweb_1024_bpe.model").exists(),
                                 "SB3LM_TEST_DATA does not name a folder with parameter-golf")


def setUpModule() -> None:
    if MISSING:
        print(f"test_scoring: SKIPPED all, {MISSING}", file=sys.stderr)
        raise unittest.SkipTest(MISSING)


class Letters:
    """A vocabulary for the tiny models: token 0 is no text, odd ones begin with a space."""

    @staticmethod
    def size(before: int, token: int) -> int:
        return 0 if token == 0 else 2 + (token % 2 == 1 and before != 0)


def tiny(name: str):
    from . import golf, golf_file
    weights = golf_file.read(FIXTURES / f"{name}.ptz", torch.float32)
    return weights, golf.Golf.of(weights)


class WindowTest(unittest.TestCase):
    def test_definition(self):
        from .scoring import Window, windows
        for positions in (1, 5, 8, 9, 24, 31):
            for context, stride in ((8, 1), (8, 3), (8, 4), (8, 8), (64, 2)):
                made, expected = windows(positions, context, stride), []
                for first in range(0, positions, stride):
                    count = min(first + context, positions) - first
                    expected.append(Window(first, count, count if first == 0 else min(stride, count)))
                self.assertEqual(made, expected)
                scored = [at for w in made
                          for at in range(w.first + w.count - w.scored, w.first + w.count)]
                self.assertEqual(set(scored), set(range(positions)))

    def test_the_end_counts_several_times(self):
        from .scoring import windows
        for positions in (2048, 4096):
            self.assertEqual(sum(w.scored for w in windows(positions, 2048, 64)), positions + 1984)

    def test_prefix(self):
        from .scoring import windows
        whole = windows(100, 16, 4)
        for prefix in (1, 15, 16, 17, 50, 99, 100):
            ends = [(w.first, at) for w in windows(100, 16, 4, prefix)
                    for at in range(w.first + w.count - w.scored, w.first + w.count)]
            self.assertEqual(ends, [(w.first, at) for w in whole for at in
                                    range(w.first + w.count - w.scored, w.first + w.count)
                                    if at < prefix])


class ShardTest(unittest.TestCase):
    def test_shards(self):
        from .scoring import read_shard, whole_windows
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "val.bin"
            header = struct.pack("<256i", 20240520, 1, 3, *[0] * 253)
            path.write_bytes(header + struct.pack("<3H", 1, 65535, 260))
            self.assertEqual(read_shard(path), [1, 65535, 260])
            for broken in (header, header + b"abcdefg", b"\0" * 1030, header[:100]):
                path.write_bytes(broken)
                with self.assertRaises(ValueError):
                    read_shard(path)
        self.assertEqual(whole_windows(list(range(100)), 16), list(range(97)))
        self.assertEqual(whole_windows(list(range(97)), 16), list(range(97)))
        self.assertEqual(whole_windows([1, 2, 3], 16), [1, 2, 3])


class ScoreTest(unittest.TestCase):
    def test_bytes_of_pieces(self):
        from .scoring import Pieces
        pieces = SimpleNamespace(bytes=[0, 3, 2], spaced=[False, True, False],
                                 silent=[True, False, False])
        self.assertEqual([Pieces.size(pieces, before, token) for before, token in
                          ((0, 1), (1, 1), (2, 1), (0, 2), (1, 0))], [3, 4, 4, 2, 0])

    @needs_real
    def test_bytes_of_a_text(self):
        """Over a whole text they are the text's own, but for what normalising changed."""
        from .scoring import Pieces
        pieces = Pieces(REAL / "fineweb_1024_bpe.model")
        text = "The capital of France is Paris, naïve 猫 in 1990."
        ids = pieces.encode(text)
        self.assertEqual(ids[0], 1)
        self.assertEqual(sum(pieces.size(*pair) for pair in zip(ids, ids[1:])), len(text.encode()))
        self.assertEqual(pieces.silent[:4] + pieces.silent[4:6], [True] * 4 + [False] * 2)

    def test_score_is_the_sum_of_its_windows(self):
        from . import golf
        from .scoring import score, windows
        weights, model = tiny("tiny-golf-ve")
        ids = [(5 * i * i + i) % 24 for i in range(40)]
        chosen = windows(len(ids) - 1, 16, 4)
        found, nats, size = score(weights, model, Letters, ids, chosen), 0.0, 0
        for window in chosen:
            inside = torch.tensor([ids[window.first:window.first + window.count]])
            shares = golf.logits(weights, model, inside)[0].double().log_softmax(-1)
            for back in range(window.scored):
                at = window.count - 1 - back
                nats -= float(shares[at, ids[window.first + at + 1]])
                size += Letters.size(ids[window.first + at], ids[window.first + at + 1])
        self.assertAlmostEqual(found.nats, nats, places=3)
        self.assertEqual(found.bytes, size)
        self.assertEqual(found.scorings, sum(window.scored for window in chosen))
        self.assertAlmostEqual(found.bits_per_byte, nats / math.log(2) / size, places=4)


class LegalTest(unittest.TestCase):
    """No token's loss is computed after a gradient that saw it."""

    def run_of(self, variant, chunk: int, count: int = 97, **changes):
        from . import ttt
        from .scoring import windows
        weights, model = tiny(changes.pop("name", "tiny-golf-nb"))
        ids = [(3 * i) % 24 for i in range(count)]
        context, stride = 8, changes.pop("stride", 2)
        learner = ttt.Learner(weights, model, variant, 2)
        ledger = ttt.Ledger()
        chosen = windows(count - 1, context, stride)
        divided = ttt.chunks(count - 1, chunk, chosen)
        found = ttt.run(learner, Letters, ids, divided, context, ledger)
        return weights, learner, ledger, found, chosen

    def test_order(self):
        from .ttt import VARIANTS
        for name, variant in VARIANTS.items():
            for chunk, stride in ((16, 2), (8, 8), (5, 3), (24, 7), (96, 2), (200, 2), (64, 3)):
                _, _, ledger, found, chosen = self.run_of(variant, chunk, stride=stride)
                learned: set[int] = set()
                for what, first, end in ledger.events:
                    if what == "learn":
                        learned |= set(range(first, end))
                    else:
                        self.assertFalse(learned & set(range(first, end)), (name, chunk, stride))
                self.assertEqual(found.scorings, sum(window.scored for window in chosen))
                scored = {at for what, first, end in ledger.events if what == "score"
                          for at in range(first, end)}
                self.assertEqual(scored, set(range(1, 97)))
                self.assertEqual(bool(learned), 8 <= chunk < 96)
                self.assertTrue(learned <= {0} | scored)

    def test_learning_first_is_refused(self):
        from . import ttt
        ledger = ttt.Ledger()
        ledger.learn(0, 9)
        ledger.score(9, 12)
        with self.assertRaises(ValueError):
            ledger.score(8, 9)
        late = lambda positions, size, chosen: [
            replace(chunk, windows=chunk.windows[1:] if i == 0 else chunk.windows + first)
            for first in (tuple(chosen[:1]),)
            for i, chunk in enumerate(right(positions, size, chosen))]
        right = ttt.chunks
        with mock.patch(f"{ttt.__name__}.chunks", late), self.assertRaises(ValueError):
            self.run_of(ttt.VARIANTS["sgd"], 16)

    def test_without_a_rate_nothing_changes(self):
        from .scoring import score
        from .ttt import VARIANTS
        for variant in VARIANTS.values():
            weights, learner, _, found, chosen = self.run_of(replace(variant, rate=0.0), 16)
            for name, tensor in learner.weights.items():
                self.assertTrue(torch.equal(tensor, weights[name]), name)
            ids = [(3 * i) % 24 for i in range(97)]
            plain = score(weights, learner.golf, Letters, ids, chosen)
            self.assertAlmostEqual(found.nats, plain.nats, places=4)

    def test_learning_helps_what_comes_later(self):
        from .ttt import VARIANTS
        for variant in (replace(VARIANTS["sgd"], rate=0.05), replace(VARIANTS["adamw"], rate=0.01)):
            _, _, _, before, _ = self.run_of(replace(variant, rate=0.0), 16)
            _, _, _, after, _ = self.run_of(variant, 16)
            self.assertLess(after.nats, 0.95 * before.nats)
            self.assertEqual((after.bytes, after.scorings), (before.bytes, before.scorings))

    def test_what_learns(self):
        from .ttt import VARIANTS
        weights, learner, _, _, _ = self.run_of(VARIANTS["adamw"], 16, name="tiny-golf-ve")
        changed = {name for name, w in learner.weights.items() if not torch.equal(w, weights[name])}
        self.assertEqual(changed, {
            *(name for name in weights if name.startswith(("blocks.3.", "blocks.4."))),
            *(f"blocks.{i}.{part}_scale" for i in range(3) for part in ("attn", "mlp")),
            "bigram.scale", "ve_shared.scale", "ve_layer_scales.0", "ve_layer_scales.1"})
        self.assertEqual({name for name, w in learner.weights.items() if w.requires_grad}, changed)
        weights, learner, _, _, _ = self.run_of(VARIANTS["sgd"], 16, name="tiny-golf-ve")
        for name, w in learner.weights.items():
            self.assertFalse(torch.equal(w, weights[name]), name)

    def test_rates(self):
        from .ttt import VARIANTS, rate_of
        self.assertEqual(rate_of(VARIANTS["sgd"], 0, 5), 0.002)
        self.assertAlmostEqual(rate_of(VARIANTS["sgd"], 2, 5), 0.001)
        self.assertAlmostEqual(rate_of(VARIANTS["adamw"], 4, 5), 0.0)

    def test_steps_are_clipped(self):
        """The first step of SGD moves the weights by the rate times a gradient of length 1 at most."""
        from . import ttt
        weights, model = tiny("tiny-golf-nb")
        steps = ttt.Learner(weights, model, replace(ttt.VARIANTS["sgd"], epochs=1), 2)
        for _ in steps.learn(torch.arange(9), [0], 8, 0.5):
            pass
        moved = sum(float((w - weights[name]).square().sum()) for name, w in steps.weights.items())
        self.assertAlmostEqual(math.sqrt(moved), 0.5, places=3)


if __name__ == "__main__":
    unittest.main()
