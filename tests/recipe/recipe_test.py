#!/usr/bin/env python3
"""The recipe "An architecture feature" of CONTRIBUTING.md is what the tables demand: a field, a role or
an operation that is only half there does not compile or link, and the recipe names each place.

recipe_test.py COMPILER
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

kRoot = pathlib.Path(__file__).resolve().parents[2]
kCompiler = sys.argv.pop(1) if len(sys.argv) > 1 else "c++"
kDummyRole = ["99", "dummy", "layer", "matrix", "o", "attention_o", "4", "s.width", "a.head_size", "true"]


class Changed:
    """The sources with some files of packer/ in another version, which is found first."""

    def __init__(self, test, texts):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for path, text in texts.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def compile(self, source, *options):
        """What the compiler says, nothing if it is content."""
        made = subprocess.run(
            [kCompiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
             "-Wno-restrict", f"-I{self.folder}", "-Ipacker", "-I.", *(options or ["-fsyntax-only"]), source],
            cwd=kRoot, capture_output=True, text=True, check=False)
        return made.stderr if made.returncode else ""


def own_text(path):
    return (kRoot / "packer" / path).read_text()


class Recipe(unittest.TestCase):
    def with_role(self, columns):
        path = "model/roles.def"
        return Changed(self, {path: own_text(path) + f"ROLE({', '.join(columns)})\n"})

    def test_a_whole_role_is_all_that_is_asked(self):
        changed = self.with_role(kDummyRole)
        for source in ("packer/model/tensor.cc", "packer/report/report.cc"):
            self.assertEqual(changed.compile(source), "", source)

    def test_a_role_without_a_column_does_not_compile(self):
        self.assertIn("requires 10 arguments", self.with_role(kDummyRole[:-1]).compile("packer/model/tensor.cc"))
        for column in (6, 7, 8, 9):
            columns = [*kDummyRole]
            columns[column] = ""
            said = self.with_role(columns).compile("packer/model/tensor.cc")
            self.assertIn("expected", said, f"without {kDummyRole[column]}")

    def test_a_role_with_an_unknown_word_does_not_compile(self):
        for column in range(2, 6):
            columns = [*kDummyRole]
            columns[column] = "attic"
            source = "packer/report/report.cc" if column == 5 else "packer/model/tensor.cc"
            self.assertIn("attic", self.with_role(columns).compile(source), f"column {column}")

    def test_a_field_without_a_row_does_not_compile(self):
        fields = {"model/spec_fields.h": own_text("model/spec_fields.h"),
                  "user.cc": '#include "model/spec_fields.h"\n'}
        for part in ("RopeSpec", "AttentionSpec", "FeedForwardSpec", "LayerSpec", "ModelSpec"):
            text = re.sub(rf"(struct {part} {{\n)", r"\1  bool dummy = false;\n", own_text("model/spec.h"))
            changed = Changed(self, {"model/spec.h": text, **fields})
            said = changed.compile(str(changed.folder / "user.cc"))
            self.assertIn("has no row in its table", said, part)
        whole = Changed(self, {"model/spec.h": own_text("model/spec.h"), **fields})
        self.assertEqual(whole.compile(str(whole.folder / "user.cc")), "")

    def test_an_operation_without_blocks_does_not_link(self):
        path = "model/ops.def"
        changed = Changed(self, {path: own_text(path) + 'OP(dummy, replaces, as_it_is, "out = in")\n'})
        made = changed.folder / "forward.o"
        self.assertEqual(changed.compile("packer/lower/forward.cc", "-O0", "-c", "-o", str(made)), "")
        self.assertIn(b"make_dummy_blocks", made.read_bytes())

    def test_the_recipe_names_every_place(self):
        page = (kRoot / "CONTRIBUTING.md").read_text()
        recipe = page.partition("### An architecture feature")[2].partition("\n### ")[0]
        for place in ("packer/model/spec.h", "packer/model/spec_fields.h", "packer/model/roles.def",
                      "packer/model/ops.def", "packer/model/steps.cc", "runtime_ref/engine.cc",
                      "packer/lower/ops/", "runtime_ref/fast/", "packer/import/families/"):
            self.assertIn(place, recipe)
            self.assertTrue((kRoot / place).exists(), place)


if __name__ == "__main__":
    unittest.main()
