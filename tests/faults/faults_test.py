#!/usr/bin/env python3
"""What happens to files when things go wrong: faults_test.py SB3LM [--full]

The program is killed at random moments, the disk is full after any number of bytes, memory is
short. Afterwards the file must be the old one or the new one, whole; a run that ends by itself
must say why in one line and exit with 3. --full tries more of everything.
"""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

kSeed = 1
kMib = 1 << 20
# Beyond the program itself: with less, the system cannot even start it.
kLeastMemory = kMib // 2
kTimeout = 120


class Faults:
    def __init__(self, binary, full):
        self.binary = os.path.abspath(binary)
        self.kills, self.sizes = (100, 100) if full else (20, 12)
        self.full = full
        self.faults = []
        self.random = random.Random(kSeed)

    def start(self, command, limits=(), **more):
        def limit():
            for kind, most in limits:
                resource.setrlimit(kind, (most, most))
        return subprocess.Popen([self.binary, "-q", *command], preexec_fn=limit,
                                stderr=subprocess.PIPE, text=True,
                                **{"stdout": subprocess.DEVNULL, **more})

    def run(self, command, limits=(), **more):
        """(exit code, standard error); a signal is a negative code."""
        process = self.start(command, limits, **more)
        said = process.communicate(timeout=kTimeout)[1]
        return process.returncode, said

    def must(self, holds, what):
        if not holds:
            self.faults.append(what)
            print("FAILED:", what)

    def must_explain(self, code, said, what):
        self.must(code == 3, f"{what}: exit code {code}: {said!r}")
        self.must(said.startswith("sb3lm: ") and said.count("\n") == 1 and said.endswith("\n"),
                  f"{what}: not one clear line: {said!r}")

    def prepare(self):
        """Two builds of one model that differ: what stands in x.sb3, and what comes."""
        for command in (["synth", "--preset", "tiny-moe", "-o", "m.safetensors"],
                        self.build_of("old.sb3", "old"), self.build_of("new.sb3", "new")):
            code, said = self.run(command)
            assert code == 0, said
        self.old, self.new = read("old.sb3"), read("new.sb3")
        assert self.old != self.new

    @staticmethod
    def build_of(out, title):
        return ["build", "m.safetensors", "-o", out, "--title", title, "--level", "fast"]

    build = build_of("x.sb3", "new")

    def check_project(self, what, expected=None):
        found = read("x.sb3")
        expected = expected or (self.old, self.new)
        self.must(found in expected, f"{what}: x.sb3 has {len(found)} bytes, and not the right ones")

    def test_kills(self):
        start = time.monotonic()
        self.run(self.build)
        whole = time.monotonic() - start
        parts = finished = 0
        for i in range(self.kills):
            shutil.copyfile("old.sb3", "x.sb3")
            process = self.start(self.build)
            if i % 2:
                time.sleep(self.random.uniform(0, 1.1 * whole))
            else:  # the moment that matters: while the file is written
                while process.poll() is None and not parts_left(f"-{process.pid}-"):
                    pass
            process.kill()
            process.communicate()
            self.must(process.returncode in (0, -signal.SIGKILL), f"exit code {process.returncode}")
            self.check_project(f"kill {i}")
            finished += read("x.sb3") == self.new
            parts += bool(parts_left(f"-{process.pid}-"))
        code, said = self.run(self.build)
        self.must(code == 0, f"after kills: {said}")
        self.check_project("after kills", (self.new,))
        self.must(not parts_left(), f"after kills: left {parts_left()}")
        print(f"{self.kills} kills: {finished} after the new file was there, "
              f"{parts} left a part, which the next runs removed")

    def test_full_disk(self):
        """As a limit on the size of files, which every system has."""
        shutil.copyfile("old.sb3", "x.sb3")
        sizes = {0, 1, len(self.new) - 1} | {self.random.randrange(len(self.new))
                                             for _ in range(self.sizes - 3)}
        for size in sorted(sizes):
            code, said = self.run([*self.build, "--no-verify"], [(resource.RLIMIT_FSIZE, size)])
            self.must_explain(code, said, f"disk full after {size} bytes")
            self.check_project(f"disk full after {size} bytes", (self.old,))
            self.must(not parts_left(), f"disk full after {size} bytes: left {parts_left()}")
        code, said = self.run(self.build, [(resource.RLIMIT_FSIZE, len(self.new))])
        self.must(code == 0, f"just enough disk: {said}")
        self.check_project("just enough disk", (self.new,))
        print(f"disk full after {len(sizes)} numbers of bytes")

    def writers(self):
        """Every command that writes a file, and the file."""
        model = "m.safetensors"
        yield ["synth", "--preset", "tiny-moe", "-o", "other/s.safetensors"], "other/s.safetensors"
        yield ["export", "new.sb3", "-o", "e.safetensors"], "e.safetensors"
        yield ["report", "new.sb3", "--html", "r.html"], "r.html"
        yield ["build", model, "-o", "b.sb3", "--level", "fast", "--html-report", "b.html"], "b.html"
        yield ["plan", model, "--fit", "1MB", "--use-tokens", "2", "-o", "p.json"], "p.json"
        yield ["probe", model, "--tokens", self.own_tokens(), "-o", "c.json"], "c.json"

    def own_tokens(self):
        """What the model writes itself: it predicts nothing else better than a blind guess."""
        run = ["run", "m.safetensors", "--tokens", "1", "--temperature", "1", "--top-k", "0",
               "--top-p", "1", "--max-new-tokens", "40"]
        with open("tokens.json", "w") as out:
            self.run([*run, "--json"], stdout=out)
        return ",".join(map(str, [1, *json.loads(read("tokens.json"))["tokens"]]))

    def test_full_disk_everywhere(self):
        os.mkdir("other")
        count = 0
        for command, file in self.writers():
            with open(file, "w") as old:
                old.write("the old file")
            for size in (0, 20):
                code, said = self.run(command, [(resource.RLIMIT_FSIZE, size)])
                what = f"{command[0]} {file}, disk full after {size} bytes"
                self.must_explain(code, said, what)
                self.must(read(file) == b"the old file", f"{what}: the old file is gone")
                count += 1
        print(f"{count} times a full disk in other commands")

    def test_full_standard_output(self):
        for size in sorted(self.random.randrange(100_000) for _ in range(self.sizes)):
            with open("out.txt", "w") as out:
                code, said = self.run(["inspect", "new.sb3", "--blocks"],
                                      [(resource.RLIMIT_FSIZE, size)], stdout=out)
            self.must_explain(code, said, f"standard output full after {size} bytes")
        print(f"standard output full after {self.sizes} numbers of bytes")

    def readers(self):
        yield ["report", "new.sb3"]
        if not self.full:
            return
        yield self.build[:-2]
        yield ["run", "m.safetensors", "--tokens", "1,2", "--max-new-tokens", "4"]
        yield ["run", "new.sb3", "--tokens", "1,2", "--engine", "double"]
        yield ["eval", "m.safetensors", "--tokens", "1,2,3,4"]
        yield ["compare", "m.safetensors", "new.sb3", "--tokens", "1,2"]
        yield ["inspect", "new.sb3", "--blocks"]
        yield ["report", "m.safetensors", "--json"]
        yield ["logits", "m.safetensors", "--tokens", "1"]
        yield ["export", "new.sb3", "-o", "/dev/null"]
        yield ["plan", "m.safetensors", "--fit", "1MB", "--use-tokens", "2", "-o", "/dev/null"]

    def test_short_memory(self):
        shutil.copyfile("old.sb3", "x.sb3")
        least = os.path.getsize(self.binary) + kLeastMemory
        for command in [self.build, *self.readers()]:
            enough = least
            while self.run(command, [(resource.RLIMIT_AS, enough)])[0] == 3 and enough < 4096 * kMib:
                enough *= 2
            refused = 0
            for i in range(10):
                most = least + (enough - least) * i // 10
                shutil.copyfile("old.sb3", "x.sb3")
                code, said = self.run(command, [(resource.RLIMIT_AS, most)])
                what = f"{' '.join(command[:2])} with {most / kMib:.0f} MiB"
                if code != 0:
                    self.must_explain(code, said, what)
                    refused += 1
                if command is self.build:
                    self.check_project(what, (self.new if code == 0 else self.old,))
                self.must(not parts_left(), f"{what}: left {parts_left()}")
            print(f"{command[0]} with ten sizes of memory up to {enough // kMib} MiB: "
                  f"{refused} refused")


def read(name):
    with open(name, "rb") as file:
        return file.read()


def parts_left(mark=""):
    return [name for name in os.listdir() if name.endswith(".part") and mark in name]


def main():
    binary, *more = sys.argv[1:]
    test = Faults(binary, more == ["--full"])
    here = os.getcwd()
    folder = tempfile.mkdtemp(prefix="sb3lm-faults-")
    os.chdir(folder)
    try:
        test.prepare()
        test.test_kills()
        test.test_full_disk()
        test.test_full_disk_everywhere()
        test.test_full_standard_output()
        test.test_short_memory()
    finally:
        os.chdir(here)
        shutil.rmtree(folder)
    print(f"{len(test.faults)} faults")
    sys.exit(1 if test.faults else 0)


if __name__ == "__main__":
    main()
