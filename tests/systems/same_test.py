#!/usr/bin/env python3
"""The program for another system makes what the native one makes: same_test.py SB3LM SYSTEM [--full]

Projects and checkpoints have the same bytes, and the double engine's logits are the same numbers.
--full adds a model of full size, which takes minutes under an emulator. SYSTEM is windows, arm or
web; where it is not built, or nothing can run it, the exit code is 77.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import systems

CAT = systems.ROOT / "samples/dictionary-cat/model.safetensors"
faults = []


class Program:
    def __init__(self, command, folder):
        self.command, self.base = command, folder
        folder.mkdir()
        self.enter("cat")

    def enter(self, name):
        """Works in a folder of its own from now on: what lies beside a checkpoint belongs to it."""
        self.folder = self.base / name
        self.folder.mkdir()

    def run(self, *words):
        return subprocess.run([*self.command, "-q", *words], check=True, stdout=subprocess.PIPE,
                              cwd=self.folder, env=systems.environment()).stdout

    def file(self, name, *words):
        """The hash of what a command writes."""
        self.run(*words, "-o", name)
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()

    def logits(self, *words):
        said = json.loads(self.run("logits", *words, "--engine", "double", "--all", "--json"))
        said.pop("file", None)  # a name
        return json.dumps(said)


def compare(what, native, other, made):
    ours, theirs = made(native), made(other)
    print(f"{what}: {theirs if len(theirs) < 100 else f'{len(theirs)} bytes'}"
          f" {'the same' if ours == theirs else f'NOT THE SAME: {ours}'}", flush=True)
    if ours != theirs:
        faults.append(what)


def compare_models(native, other, full):
    compare("the cat's project", native, other, lambda it: it.file("cat.sb3", "build", CAT))
    compare("its smallest one", native, other,
            lambda it: it.file("small.sb3", "build", CAT, "--level", "smallest", "--no-verify"))
    compare("its logits", native, other, lambda it: it.logits(CAT, "--tokens", "0,4,35,200,17,3"))
    presets = ["tiny-neox", "tiny-gemma2", "tiny-moe"]
    if full:
        presets.append("ssmoelm-5l")
    for preset in presets:
        for program in (native, other):
            program.enter(preset)
        name = f"{preset}.safetensors"
        compare(f"{preset}, random weights", native, other,
                lambda it: it.file(name, "synth", "--preset", preset))
        # Of one checkpoint, so that a difference has one cause.
        model = native.folder / name
        compare(f"{preset}'s project", native, other,
                lambda it: it.file(f"{preset}.sb3", "build", model, "--no-verify"))
        if preset != "ssmoelm-5l":
            compare(f"{preset}'s logits", native, other,
                    lambda it: it.logits(model, "--tokens", "1,2,3,4,5,6,7,8"))


def main():
    native, system, *more = sys.argv[1:]
    command = systems.command_or_skip(system)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        compare_models(Program([os.path.abspath(native)], folder / "native"),
                       Program(command, folder / system), "--full" in more)
    if faults:
        print(f"{system}: {len(faults)} are not the same; is its build as new as the native one?")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
