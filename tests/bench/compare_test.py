#!/usr/bin/env python3
"""The arithmetic and the tables of tools/bench --compare, and the options that it refuses."""

import pathlib
import subprocess
import sys
import unittest

kRoot = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(kRoot / "tools"))

from benching.ratios import Figures, bytes_table, ratio_table, sides_in_turn  # noqa: E402


def figures_of(old, new):
    figures = Figures()
    for one, other in zip(old, new):
        figures.add("old", "a token", "ms", one)
        figures.add("new", "a token", "ms", other)
    return figures


class Ratios(unittest.TestCase):
    def test_rounds_are_divided_by_themselves(self):
        # The machine is three times slower in the second round, for both.
        ((name, unit, old, new, ratios),) = figures_of([10, 30, 10], [11, 30, 9]).rows()
        self.assertEqual((name, unit, old, new), ("a token", "ms", 10, 11))
        self.assertEqual(ratios, (1, 0.9, 1.1))

    def test_a_coarse_clock_fails_nothing(self):
        self.assertEqual(figures_of([0, 10], [5, 11]).rows()[0][4], (1.1, 1.1, 1.1))
        rows = figures_of([0, 10], [0, 0]).rows()
        self.assertIsNone(rows[0][4])
        self.assertIn("too short to tell", ratio_table(rows, "abc1234", "this tree"))

    def test_every_round_has_both_sides(self):
        figures = figures_of([10], [11])
        figures.add("old", "a token", "ms", 10)
        with self.assertRaises(ValueError):
            figures.rows()

    def test_each_side_is_first_in_turn(self):
        self.assertEqual([sides_in_turn(k)[0] for k in range(4)], ["old", "new", "old", "new"])
        for k in range(4):
            self.assertEqual(set(sides_in_turn(k)), {"old", "new"})


class Tables(unittest.TestCase):
    def test_ratios(self):
        lines = ratio_table(figures_of([1500, 1500], [1650, 1500]).rows(), "abc1234",
                            "this tree").splitlines()
        self.assertEqual(lines[0].split(), ["abc1234", "this", "tree", "ratio", "spread"])
        self.assertEqual(lines[1].split(), ["a", "token,", "ms", "1,500", "1,575", "1.050", "1.000",
                                            "to", "1.100"])

    def test_bytes(self):
        same, other = "5" * 64, "7" * 64
        lines = bytes_table({"cat": {"old": (1000, same), "new": (1000, same)},
                             "dog": {"old": (1000, same), "new": (900, other)}}).splitlines()
        self.assertIn("1,000 bytes  same bytes  sha256 5555555555555555", lines[0])
        self.assertIn("1,000 bytes  becomes 900 (-100)", lines[1])
        self.assertIn("sha256 5555555555555555 becomes 7777777777777777", lines[1])


class Options(unittest.TestCase):
    def refusal(self, *arguments):
        done = subprocess.run([sys.executable, kRoot / "tools" / "bench", *arguments], text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr.splitlines()[-1]

    def test_what_cannot_be_honoured_is_refused(self):
        self.assertIn("--only native", self.refusal("--compare", "HEAD", "--native"))
        self.assertIn("no part naive here", self.refusal("--compare", "HEAD", "--only", "naive"))
        self.assertIn("no part bytes here", self.refusal("--skip", "bytes"))
        self.assertIn("no parts", self.refusal("--native", "--only", "native"))
        self.assertIn("at least 1", self.refusal("--rounds", "0"))


if __name__ == "__main__":
    unittest.main()
