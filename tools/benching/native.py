"""The native engines alone, the fast one against llama.cpp and the double one."""

import json
import pathlib
import sys

from .full import Bench
from .machines import ids
from .running import Failure, run


class NativeBench(Bench):
    """The fast engine, and llama.cpp from its prebuilt library on a dense model of as many active
    weights, turn by turn in the same run, each with the same threads, prompt and tokens."""

    kTargets = ("sb3lm", "native_engine", "llama_engine")
    kLlama = pathlib.Path("tests/bench/llama")
    kPrompt, kTokens = 128, 128  # so positions 128 to 255 are timed

    def __init__(self, options, folder, build):
        super().__init__(options, folder, build)
        self.tests = build / "tests"
        self.model = folder / "llama-q4_0.gguf"
        self.libllama = self.prebuilt()

    def prebuilt(self):
        """The folder of llama.cpp's library, installed on first use; None where it cannot be."""
        install = pathlib.Path("out/bench/llama")
        libraries = install / "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64"
        if not libraries.exists():
            install.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                (install / name).write_bytes((self.kLlama / name).read_bytes())
            try:
                run(["npm", "ci", "--no-audit", "--no-fund", "--prefix", install])
            except Failure as problem:
                print(f"bench: no llama.cpp to compare with: {problem}", file=sys.stderr)
                return None
        return libraries

    @staticmethod
    def llama_shape(preset):
        """As many weights run per token as in the preset; every pass is a layer of its own, and its
        three blocks of 256 (two routed experts and the shared one) are one of 768."""
        if preset not in ("ssmoelm-5l", "ssmoelm-6l"):
            raise Failure(f"--native: no dense model is known that runs as many weights as "
                          f"{preset}; ssmoelm-5l and ssmoelm-6l have one")
        return {"context": 2048, "width": 768, "layers": 6, "hidden": 768, "heads": 12,
                "kv_heads": 3, "vocabulary": 8192}

    def time(self, name, command):
        _, output = run(command)
        for key, value in json.loads(output).items():
            self.add(f"{name} {key}", value)

    def round(self):
        self.prepare()
        if not self.model.exists():
            shape = json.dumps(self.llama_shape(self.options.preset))
            run([sys.executable, self.kLlama / "make_gguf.py", self.model, shape])
        for threads in (1, 2):
            # Where two threads share a busy processor, llama.cpp takes seconds for a token.
            work = (self.kPrompt, self.kTokens if threads == 1 else self.kTokens // 8)
            self.time(f"fast {threads}",
                      [self.tests / "native_engine", self.checkpoint, threads, *work])
            if self.libllama:
                self.time(f"llama {threads}",
                          [self.tests / "llama_engine", self.libllama, self.model, threads, *work])
        self.sizes()
        self.start()
        self.perplexity()

    def sizes(self):
        prompt = ",".join(map(str, ids(8)))
        _, output = run([self.sb3lm, "-q", "run", self.checkpoint, "--tokens", prompt,
                         "--max-new-tokens", 249, "--threads", 1, "--context", 256,
                         "--temperature", 0, "--json"])
        self.add("run bytes", json.loads(output)["peak_bytes"])

    def start(self):
        command = [self.sb3lm, "-q", "run", self.checkpoint, "--tokens", ",".join(map(str, ids(8))),
                   "--max-new-tokens", 1, "--threads", 1]
        run(command)  # so that the file is in memory
        self.add("first token ms", 1000 * min(run(command)[0] for _ in range(10)))

    def perplexity(self):
        for engine in ("fast", "double"):
            _, output = run([self.sb3lm, "-q", "eval", self.checkpoint, "--engine", engine,
                             "--context", 128, "--stride", 128 if self.options.quick else 64,
                             "--json"])
            result = json.loads(output)
            self.add(f"{engine} perplexity", result["perplexity"])
            self.add(f"{engine} eval s", result["seconds"])

    def rows(self):
        best = {name: (min if name.endswith((" ms", " s", "bytes")) else max)(values)
                for name, values in self.figures.items()}
        plan = []
        for threads in (1, 2):
            for kind, what in (("decode", "a token after another"), ("prefill", "prompt of 128")):
                for clock, told in (("", ""), ("_cpu", ", of processor time")):
                    if threads > 1 and clock:
                        continue  # waiting threads look busy
                    figure = f"{threads} {kind}{clock}"
                    plan.append((f"{what}, {threads} thread(s)", f"fast {figure}",
                                 f"tokens per s{told}", "llama.cpp", f"llama {figure}"))
        plan += [("prompt against single tokens, 1 thread", "fast 1 prefill_cpu",
                  "tokens per s, of processor time", "single tokens", "fast 1 decode_cpu"),
                 ("peak resident memory of sb3lm run, context 256", "run bytes", "bytes",
                  "llama.cpp's", "llama 1 peak_bytes"),
                 ("start to first token, prompt of 8", "first token ms", "ms", None, None),
                 ("perplexity, fast engine", "fast perplexity", "", "double engine",
                  "double perplexity"),
                 ("sb3lm eval of the built-in text", "fast eval s", "s", "double engine",
                  "double eval s")]
        return [(what, best[name], unit, meaning if base in best else None,
                 best[name] / best[base] if base in best else None)
                for what, name, unit, meaning, base in plan if name in best]

    def explain(self):
        print("best of the rounds. llama.cpp: node-llama-cpp's prebuilt library, called without "
              "Node, on a dense Llama of 25.8 million weights at Q4_0 (6 layers of width 768, "
              "hidden 768, 12 heads, 3 KV heads, tied vocabulary of 8,192), random weights; both "
              "run a prompt of 128 in one go, then 128 single tokens at positions 128 to 255, "
              "logits of each computed, nothing sampled.")
