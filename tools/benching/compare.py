"""Another revision beside this tree: both built, run in turns, and held against each other.

Both read the same checkpoints, and this tree's harness runs both sides' projects.
"""

import hashlib
import json
import os
import pathlib
import sys

from .machines import generate, measure_vm, steady_ms
from .ratios import Figures, bytes_table, ratio_table, sides_in_turn
from .running import Failure, build, kContext, kRoot, kSample, make_checkpoint, run

kParts = ("bytes", "build", "turbowarp", "scratch-browser", "scratch", "native")
kUnasked = {"scratch"}  # minutes a token; scratch-browser says nearly the same
kOfProject = {"turbowarp", "scratch-browser", "scratch"}
kTargets = {"native": "native_engine"}
kPrompt = 128


def make_side(revision):
    """(folder of the revision's tree, its short hash). It stays, so that a second time is quick."""
    _, output = run(["git", "rev-parse", "--verify", "--quiet", revision + "^{commit}"], cwd=kRoot)
    commit = output.strip()
    tree = kRoot / "build" / "compare" / commit[:12]
    if not (tree / "CMakeLists.txt").exists():
        run(["git", "worktree", "prune"], cwd=kRoot)
        run(["git", "worktree", "add", "--detach", "--force", tree, commit], cwd=kRoot)
    return tree, commit[:7]


class Comparison:
    def __init__(self, options, folder, here):
        self.options, self.folder = options, folder / "compare"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.parts = [part for part in kParts if part not in options.skip
                      and (part in options.only if options.only else part not in kUnasked)]
        try:
            self.tree, self.old = make_side(options.compare)
        except Failure:
            raise Failure(f"--compare {options.compare}: git knows no such revision, "
                          "or cannot check it out") from None
        self.builds = {"new": here, "old": self.tree / "build"}
        self.files = {}
        self.figures = Figures()

    def prepare(self):
        targets = ["sb3lm", *(kTargets[part] for part in self.parts if part in kTargets)]
        for side, tree in (("new", kRoot), ("old", self.tree)):
            print(f"building {self.name(side)} ...", file=sys.stderr, flush=True)
            build(tree, self.builds[side], targets)
        self.checkpoint = make_checkpoint(self.builds["new"] / "sb3lm", self.folder.parent,
                                          self.options.preset, self.options.seed)

    def name(self, side):
        return self.old if side == "old" else "this tree"

    def project(self, side, name, checkpoint, *arguments):
        """(path, seconds) of a project that the side builds."""
        sb3 = self.folder / f"{name}-{side}.sb3"
        seconds, _ = run([self.builds[side] / "sb3lm", "-q", "build", checkpoint, "--no-verify",
                          "--allow-over-budget", "-o", sb3, *arguments])
        return sb3, seconds

    def preset_project(self, side):
        return self.project(side, self.options.preset, self.checkpoint, "--context", kContext,
                            "--level", self.options.level)

    def samples(self):
        """{name: (checkpoint, options of build)}; stories260K where there is test data."""
        samples = {"dictionary-cat": (kSample / "model.safetensors", [])}
        stories = pathlib.Path(os.environ.get("SB3LM_TEST_DATA", "")) / "stories260K"
        if os.environ.get("SB3LM_TEST_DATA") and (stories / "stories260K.bin").exists():
            for bits in ("float", "8", "4"):
                samples[f"stories260K, --bits {bits}"] = (
                    stories / "stories260K.bin",
                    ["--tokenizer", stories / "tok512.bin", "--bits", bits])
        return samples

    def bytes(self):
        """Sizes and hashes; the preset's say whether its speed in players can differ at all."""
        if "bytes" in self.parts or kOfProject & set(self.parts):
            for side in ("old", "new"):
                self.keep(self.options.preset, side, self.preset_project(side)[0])
        if "bytes" not in self.parts:
            return
        for name, (checkpoint, arguments) in self.samples().items():
            for side in ("old", "new"):
                file = name.replace(", --", "-").replace(" ", "-")
                self.keep(name, side, self.project(side, file, checkpoint, *arguments)[0])

    def keep(self, name, side, sb3):
        contents = sb3.read_bytes()
        self.files.setdefault(name, {})[side] = (len(contents),
                                                 hashlib.sha256(contents).hexdigest())

    def same_project(self):
        files = self.files.get(self.options.preset)
        return files is not None and files["old"] == files["new"]

    def build(self, side):
        self.figures.add(side, f"build {self.options.preset}", "s", self.preset_project(side)[1])

    def machine(self, side, vm):
        few, many = (2, 4) if vm != "turbowarp" else (30, 60)
        tokens = few if self.options.quick else many
        sb3 = self.folder / f"{self.options.preset}-{side}.sb3"
        result = measure_vm(vm, sb3, [generate(1, tokens)], self.folder)
        self.figures.add(side, f"{vm}: green flag to ready", "s", result["seconds_loading"])
        self.figures.add(side, f"{vm}: a token", "ms", steady_ms(result["token_ms"][0]))

    def native(self, side):
        work = kPrompt // (4 if self.options.quick else 1)
        _, output = run([self.builds[side] / "tests" / "native_engine", self.checkpoint, 1, work,
                         work])
        timed = json.loads(output)
        for kind in ("decode", "prefill"):
            self.figures.add(side, f"native {kind}, 1 thread", "tokens/s", timed[kind])
            self.figures.add(side, f"native {kind}, processor time", "tokens/s",
                             timed[f"{kind}_cpu"])

    def measure(self, part, side):
        print(f"  {part}, {self.name(side)} ...", file=sys.stderr, flush=True)
        if part == "build":
            self.build(side)
        elif part == "native":
            self.native(side)
        else:
            self.machine(side, part)

    def run(self):
        self.prepare()
        self.bytes()
        timed = [part for part in self.parts if part != "bytes"]
        if self.same_project() and not self.options.only:  # one project has one speed
            timed = [part for part in timed if part not in kOfProject]
        for number in range(self.options.rounds if timed else 0):
            print(f"round {number + 1} of {self.options.rounds}", file=sys.stderr, flush=True)
            for part in timed:
                for side in sides_in_turn(number):
                    self.measure(part, side)

    def text(self):
        parts = [bytes_table(self.files)] if self.files else []
        if rows := self.figures.rows():
            parts += [ratio_table(rows, self.old, "this tree"),
                      f"ratios of this tree to {self.old}: median and extremes of "
                      f"{self.options.rounds} round(s), each side first in turn"]
        if self.same_project():
            parts.append(f"{self.options.preset}: the same bytes, so players are as fast as before")
        parts.append(f"{self.tree.relative_to(kRoot)} is kept for the next time "
                     "(git worktree remove --force takes it away)")
        return "\n".join(parts)

    def numbers(self):
        return {"revision": self.options.compare, "commit": self.old, "bytes": self.files,
                "figures": self.figures.values}
