"""A full-scale model from checkpoint to tokens: size, build, loading and speed in every machine."""

import json
import resource
import statistics
import sys

from .machines import generate, greedy, kWarmUp, kWindow, measure_vm, steady_ms, vm_results
from .running import kContext, kSample, make_checkpoint, NotInstalled, run

kBudget = 10_485_760  # bytes of an .sb3, the default target's limit
kPositions = (16, 512, 1000, 2000)  # the cost of a token there
kLongContext = 2100
# Options of tools/setup install these machines; tools/web makes the page.
kOptional = ("firefox", "webkit", "scratch15", "page")
kParts = ("sizes", "native", "turbowarp", "naive", "long", "scratch-browser", "scratch", "answers",
          "slow", *kOptional)


def rows_of_machine(vm, name, unit):
    return [(f"{name}: green flag to ready", f"{vm} ready s", "s", None, None),
            (f"{name}: a token", f"{vm} {unit}", f"{unit} per token", None, None),
            (f"{name}: positions with the evaluator's bits", f"{vm} same", "",
             "those compared", f"{vm} positions")]


def rows_of_page():
    return [
        ("page: its module", "page wasm_bytes", "bytes", None, None),
        ("page: its module, by brotli", "page wasm_brotli_bytes", "bytes", None, None),
        ("page: until the bundled model can be talked to", "page usable_seconds", "s", None, None),
        ("page: opening the model", "page open_seconds", "s", None, None),
        ("page: speed of a reply", "page tokens_per_second", "tokens per s",
         "the native engine, one thread", "page native_tokens_per_second"),
        ("page: a build with its proof", "page build_seconds", "s", "the native program",
         "page native_build_seconds"),
        ("page: its peak memory", "page build_bytes", "bytes", None, None),
        ("page: projects with the native program's bytes", "page same", "", None, None)]


class Bench:
    """Builds and measures once per round; every figure is a list over the rounds."""

    kTargets = ("sb3lm", "scalar_float")

    def __init__(self, options, folder, build):
        self.options, self.folder = options, folder
        self.sb3lm, self.scalar = build / "sb3lm", build / "tests" / "scalar_float"
        self.figures = {}

    def add(self, name, value):
        self.figures.setdefault(name, []).append(value)

    def build(self, name, *arguments):
        sb3 = self.checkpoint.parent / f"{name}.sb3"
        seconds, _ = run([self.sb3lm, "-q", "build", self.checkpoint, "--no-verify",
                          "--allow-over-budget", "-o", sb3, *self.options.bits, *arguments])
        return sb3, seconds

    def build_and_watch(self, name, *arguments):
        """The same, and the peak of its resident memory."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        sb3, seconds = self.build(name, *arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        # The figure is the largest child's so far: it says nothing if another one was larger.
        return sb3, seconds, after * 1024 if after > before else None

    def prepare(self):
        self.checkpoint = make_checkpoint(self.sb3lm, self.folder, self.options.preset,
                                          self.options.seed)

    def native(self):
        tokens = 8 if self.options.quick else 32
        _, output = run([self.sb3lm, "-q", "run", self.checkpoint, "--tokens", "0",
                         "--engine", "double",
                         "--max-new-tokens", tokens, "--temperature", 0, "--top-k", 0,
                         "--top-p", 1, "--repetition-penalty", 1, "--json"])
        self.add("engine ms", 1000 / json.loads(output)["tokens_per_second"])
        _, output = run([self.scalar, self.checkpoint, "--tokens", 32, "--context", kContext])
        self.add("scalar ms", json.loads(output)["ms_per_token"])

    def turbowarp(self):
        # The first request finds a fresh page.
        result = measure_vm("turbowarp", self.sb3, [generate(20, 32), generate(1, 60),
                                                    generate(101, 1)], self.folder)
        fresh, steady, prefill = result["token_ms"]
        self.add("turbowarp parse s", result["seconds_parsing"])
        self.add("turbowarp ready s", result["seconds_loading"])
        self.add("turbowarp heap", result["heap_bytes"])
        self.add("turbowarp 32nd s", sum(fresh) / 1000)
        self.add("turbowarp ms", steady_ms(steady))
        self.add("turbowarp first ms", steady[0])
        self.add("prefill 100 s", prefill[0] / 1000)
        timed = measure_vm("turbowarp", self.sb3, [generate(20, 32), generate(1, 60)], self.folder,
                           warp_timer=True)
        self.add("turbowarp timer ms", steady_ms(timed["token_ms"][1]))

    def naive(self):
        sb3, _ = self.build("naive", "--context", kContext, "--level", "fast", "--kernel", "naive")
        result = measure_vm("turbowarp", sb3, [generate(1, 36)], self.folder)
        self.add("naive ms", steady_ms(result["token_ms"][0]))

    def long(self):
        sb3, _ = self.build("long", "--context", kLongContext, "--level", "fast")
        result = measure_vm("turbowarp", sb3, [generate(at, 40) for at in kPositions], self.folder)
        for at, token_ms in zip(kPositions, result["token_ms"]):
            warm_up = kWarmUp if at == kPositions[0] else 2
            self.add(f"position {at} ms", steady_ms(token_ms, warm_up))
        self.add("long start heap", result["heap_bytes"])
        self.add("long end heap", result["heap_bytes_at_end"])

    def bits(self, vm):
        """Positions whose logits are the evaluator's, in every bit."""
        _, output = run([self.sb3lm, "-q", "compare", self.checkpoint, self.sb3, "--vm", vm,
                         "--tokens", "0,4,35", "--new-tokens", 2, "--json"])
        (result,) = json.loads(output)["vms"]
        self.add(f"{vm} positions", result["positions"])
        self.add(f"{vm} same", result["positions"] if result["same_bits_as_blocks"] else 0)

    def browser(self, vm):
        """TurboWarp in another browser."""
        result = measure_vm(vm, self.sb3, [generate(20, 32), generate(1, 60)], self.folder)
        self.add(f"{vm} ready s", result["seconds_loading"])
        self.add(f"{vm} ms", steady_ms(result["token_ms"][1]))
        self.bits(vm)

    def scratch15(self):
        self.scratch("scratch15")
        self.bits("scratch15")

    def slow(self):
        """The bundled model's page, on a processor six times slower."""
        _, output = run(["node", "tests/bench/slow_page.mjs", self.sb3lm, self.bundled()])
        result = json.loads(output)
        self.add("slow stretch ms", result["longest_stretch_ms"])
        if result["stop_ms"]:
            self.add("slow stop ms", statistics.median(result["stop_ms"]))
            self.add("slow longest stop ms", max(result["stop_ms"]))

    def page(self):
        """The page of tools/web, with the native program beside it."""
        _, output = run(["node", "tests/bench/web_page.mjs", self.sb3lm, self.checkpoint, kContext])
        for name, value in json.loads(output).items():
            self.add(f"page {name}", int(value) if name == "same" else value)

    def scratch(self, vm):
        tokens = 2 if self.options.quick else 4
        result = measure_vm(vm, self.sb3, [generate(1, tokens)], self.folder)
        self.add(f"{vm} ready s", result["seconds_loading"])
        self.add(f"{vm} s", steady_ms(result["token_ms"][0]) / 1000)

    def sizes(self):
        """Every level's bytes; what is spent beside the weights, and over the codes' entropy."""
        for level in ("fast", "default", "smallest"):
            if level == self.options.level:
                continue  # round() has built it
            sb3, _ = self.build(level, "--context", kContext, "--level", level)
            self.add(f"{level} bytes", sb3.stat().st_size)
        _, output = run([self.sb3lm, "-q", "report", sb3, "--json"])
        component = {row["name"]: row for row in json.loads(output)["components"]}
        codes = [row for name, row in component.items()
                 if row["values"] and name not in ("routers", "norms", "row scales")]
        self.add("code bytes", sum(row["sb3_bytes"] for row in codes))
        self.add("code entropy", sum(row["entropy_bytes"] for row in codes))
        self.add("other bytes", sum(row["sb3_bytes"] for row in component.values()
                                    if not row["values"] and row["name"] != "codebooks"))
        self.add("block bytes", component["blocks"]["sb3_bytes"])

    def bundled(self):
        sb3 = self.folder / "dictionary-cat.sb3"
        run([self.sb3lm, "-q", "build", kSample / "model.safetensors", "--no-verify", "-o", sb3])
        return sb3

    def answers(self):
        """The bundled model's answers in scratch-vm, by token (the tests have one of them)."""
        expected = json.loads((kSample / "answers.json").read_text())["answers"]
        runs = [greedy(one["prompt"], len(one["tokens"]) + 1) for one in expected]
        result = vm_results("scratch-browser", self.bundled(), {"runs": runs}, self.folder)
        same = sum(one["tokens"] == got["tokens"] for one, got in zip(expected, result["runs"]))
        self.add("answers", same)
        self.add("answers asked", len(expected))

    def explain(self):
        print(f"context {kContext}; a TurboWarp token: median of means over {kWindow} tokens after "
              f"{kWarmUp}; slow page: in Chromium, its processor slowed down six times")

    def round(self):
        options = self.options
        self.prepare()
        self.sb3, seconds, peak = self.build_and_watch(options.level, "--context", kContext,
                                                       "--level", options.level)
        self.add("build s", seconds)
        self.add("build peak bytes", peak)
        self.add(f"{options.level} bytes", self.sb3.stat().st_size)
        for name, part in (("sizes", self.sizes),
                           ("native", self.native), ("turbowarp", self.turbowarp),
                           ("naive", self.naive), ("long", self.long),
                           ("scratch-browser", lambda: self.scratch("scratch-browser")),
                           ("scratch", lambda: self.scratch("scratch")),
                           ("answers", self.answers), ("slow", self.slow),
                           ("firefox", lambda: self.browser("firefox")),
                           ("webkit", lambda: self.browser("webkit")),
                           ("scratch15", self.scratch15), ("page", self.page)):
            if name in options.skip or (options.only and name not in options.only):
                continue
            print(f"  {name} ...", file=sys.stderr, flush=True)
            try:
                part()
            except NotInstalled as why:
                if name not in kOptional:
                    raise
                print(f"  skipped {name}: {why}", file=sys.stderr)

    def rows(self):
        """(what, value, unit, ratio's meaning, ratio); rows that were skipped are left out."""
        figure = {name: statistics.median(values) for name, values in self.figures.items()
                  if None not in values}
        figure["budget"] = kBudget
        prefix = "TurboWarp in Chromium"
        plan = [
            *((f"size of the .sb3, level {level}", f"{level} bytes", "bytes", "of 10 MiB", "budget")
              for level in ("fast", "default", "smallest")),
            ("codes of the weights, level smallest", "code bytes", "bytes", "their entropy",
             "code entropy"),
            ("all but weights, level smallest", "other bytes", "bytes", None, None),
            ("blocks, level smallest", "block bytes", "bytes", None, None),
            (f"build, level {self.options.level}, no verification", "build s", "s", None, None),
            ("its peak memory", "build peak bytes", "bytes", None, None),
            ("native double engine", "engine ms", "ms per token", None, None),
            ("scalar float loop, -O2, one thread", "scalar ms", "ms per token", None, None),
            (f"{prefix}: parsing the file", "turbowarp parse s", "s", None, None),
            (f"{prefix}: green flag to ready", "turbowarp ready s", "s", None, None),
            (f"{prefix}: heap after loading", "turbowarp heap", "bytes", None, None),
            (f"{prefix}: 32nd token after a prompt of 20", "turbowarp 32nd s", "s", None, None),
            (f"{prefix}: a token", "turbowarp ms", "ms per token", "the scalar loop", "scalar ms"),
            (f"{prefix}: a token, warp timer on", "turbowarp timer ms", "ms per token",
             "timer off", "turbowarp ms"),
            (f"{prefix}: a token, naive kernel", "naive ms", "ms per token", "the table kernel",
             "turbowarp ms"),
            (f"{prefix}: prefill of 100 and a token", "prefill 100 s", "s", "101 single tokens",
             "101 tokens s"),
            *((f"{prefix}: a token at position {at:,}", f"position {at} ms", "ms per token",
               f"position {kPositions[0]}", f"position {kPositions[0]} ms") for at in kPositions),
            (f"{prefix}: heap after them", "long end heap", "bytes", "after loading",
             "long start heap"),
            ("scratch-vm in Chromium: green flag to ready", "scratch-browser ready s", "s", None,
             None),
            ("scratch-vm in Chromium: a token", "scratch-browser s", "s per token", None, None),
            ("scratch-vm in Node: green flag to ready", "scratch ready s", "s", None, None),
            ("scratch-vm in Node: a token", "scratch s", "s per token", None, None),
            ("scratch-vm in Chromium: the bundled model's answers", "answers", "the same",
             "those asked for", "answers asked"),
            ("bundled model, slow page: longest stretch", "slow stretch ms", "ms", None, None),
            ("bundled model, slow page: S to stopped, median", "slow stop ms", "ms", None, None),
            ("bundled model, slow page: S to stopped, longest", "slow longest stop ms", "ms", None,
             None),
            *rows_of_machine("firefox", "TurboWarp in Firefox", "ms"),
            *rows_of_machine("webkit", "TurboWarp in WebKit", "ms"),
            *rows_of_machine("scratch15", "scratch-vm 15 in Chromium", "s"),
            *rows_of_page(),
        ]
        if "turbowarp ms" in figure:
            figure["101 tokens s"] = 101 * figure["turbowarp ms"] / 1000
        return [(what, figure[name], unit, meaning if base in figure else None,
                 figure[name] / figure[base] if base in figure else None)
                for what, name, unit, meaning, base in plan if name in figure]
