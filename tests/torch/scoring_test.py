#!/usr/bin/python3
"""`sb3lm eval --rule parameter-golf` against tools/train/scoring.py. Skips without torch, and where
SB3LM_TEST_DATA names no folder with parameter-golf leaves out what needs the real model.

  scoring_test.py SB3LM
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
try:
    import torch
    import zstandard  # noqa: F401
except ImportError as error:
    print(f"skipped: there is no {error.name} for this Python")
    sys.exit(77)
from train import golf, golf_file, scoring  # noqa: E402

FIXTURES = ROOT / "tests" / "fixtures"
REAL = Path(os.environ.get("SB3LM_TEST_DATA", "/nowhere")) / "parameter-golf"


class NoBytes:
    @staticmethod
    def size(before: int, token: int) -> int:
        return 1


class ScoringTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.shard = Path(folder.name) / "val.bin"

    def eval(self, checkpoint: Path, text: Path, *options: object) -> dict:
        command = [sb3lm, "-q", "eval", checkpoint, text, "--rule", "parameter-golf", "--engine",
                   "double", "--bits", "float", "--json", *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def write_shard(self, ids: list[int]) -> None:
        self.shard.write_bytes(struct.pack("<256i", 20240520, 1, len(ids), *[0] * 253) +
                               struct.pack(f"<{len(ids)}H", *ids))

    def check(self, checkpoint: Path, ids: list[int], context: int, stride: int, prefix: int,
              *options: object, rounded: bool = False) -> None:
        self.write_shard(ids)
        ours = self.eval(checkpoint, self.shard, "--context", context, "--stride", stride,
                         *(["--prefix", prefix] if prefix else []), *options)
        weights = golf_file.read(checkpoint, rounded=rounded)
        ids = scoring.ids_of(NoBytes, self.shard, context, prefix)
        chosen = scoring.windows(len(ids) - 1, context, stride, prefix)
        theirs = scoring.score(weights, golf.Golf.of(weights), NoBytes, ids, chosen)
        self.assertEqual((ours["tokens"], ours["windows"], ours["predicted"]),
                         (len(ids), len(chosen), theirs.scorings))
        self.assertAlmostEqual(ours["nats"] / theirs.nats, 1, delta=1e-9)

    def test_tiny_models(self):
        ids = [(7 * i * i + i) % 24 for i in range(75)]
        for name in ("tiny-golf-nb", "tiny-golf-ve", "tiny-golf592", "tiny-golf585"):
            for context, stride, prefix in ((16, 4, 0), (16, 5, 0), (16, 4, 41), (100, 64, 0)):
                with self.subTest(name=name, context=context, stride=stride, prefix=prefix):
                    self.check(FIXTURES / f"{name}.ptz", ids, context, stride, prefix)

    @unittest.skipUnless((REAL / "nb7x384.int8.ptz").exists(), "no SB3LM_TEST_DATA")
    def test_real_model(self):
        ids = [(131 * i * i + i) % 1024 for i in range(400)]
        self.check(REAL / "nb7x384.int8.ptz", ids, 128, 64, 0, "--convention",
                   "embedding-rounding=bf16", rounded=True)


if __name__ == "__main__":
    sb3lm = sys.argv.pop(1)
    unittest.main()
