"""Trains a preset for so many tokens or hours, in one directory that a later run can resume.

The schedule follows the tokens seen or the processor time used, never the clock on the wall: a run
that is stopped, or gets little of a busy machine, goes on as if nothing had happened, and ends with
its learning rate at zero. Every few minutes the state and the packed checkpoint of the moment are
written.
"""
import argparse
import csv
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from .config import PRESETS, Config, with_settings
from .data import Data, turn_of
from .evaluate import answer, perplexity
from .export import write_atomically, write_checkpoint
from .focus import attend
from .model import Model, initial_weights, quantised_leaves
from .optimise import Optimiser
from .packing import batches
from .plot import plot
from .state import masters_of, shrink
from .tokenizer import Tokenizer

SAVE_SECONDS = 300
RESTART_STEPS = 20      # over which a restarted optimiser comes to its full rate
LOG_STEPS = 20
LOOK_STEPS = 400
RARE = 3                # a piece of text must occur as often to shape the tokenizer
ASKED = ("What is a lighthouse?", "what is a cat", "Define courage.", "What does happy mean?",
         "What is a bridge?", "Who are you?")


def learning_rate(progress: float) -> float:
    """Up in the first 1 %, level to 40 %, then straight down to zero."""
    return min(progress / 0.01 + 0.02, 1.0, max(1 - progress, 0.0) / 0.6)


def make_tokenizer(path: Path, config: Config, data: Data) -> Tokenizer:
    """Reads the run's tokenizer, or learns it from questions, answers and running text."""
    if path.exists():
        return Tokenizer.read(path)
    rng = random.Random(config.seed)
    texts = [entry.answer for entry in data.entries] * 6 + data.texts
    for _ in range(20000):
        texts += [text[0] for text in turn_of(*data.question(rng)) if not isinstance(text, int)]
    tokenizer = Tokenizer.learn(texts, config.vocabulary, least=RARE)
    write_atomically(path, tokenizer.to_json().encode())
    return tokenizer


@dataclass(frozen=True)
class Length:
    """How long a run is: in tokens, or in hours of its main thread's processor time."""

    hours: float = 1.4
    tokens: int = 0         # 0: the hours count

    def progress(self, tokens: int, seconds: float) -> float:
        done = tokens / self.tokens if self.tokens else seconds / (self.hours * 3600)
        return min(done, 1.0)


class Run:
    """A training run: its directory, its state and its clock."""

    def __init__(self, config: Config, data: Data, out: Path, length: Length, resume: bool):
        self.config, self.data, self.out, self.length = config, data, out, length
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.config.seed)
        self.tokenizer = make_tokenizer(out / "tokenizer.json", self.config, self.data)
        self.masters = {name: weight.to(self.device)
                        for name, weight in initial_weights(self.config).items()}
        self.optimiser = Optimiser(self.masters, self.config.muon_lr, self.config.adam_lr)
        self.steps, self.tokens, self.elapsed = 0, 0, 0.0
        self.restarted = -RESTART_STEPS     # the step at which the optimiser began afresh
        if resume:
            self._load()
        self.began = time.thread_time() - self.elapsed

    @property
    def progress(self) -> float:
        return self.length.progress(self.tokens, self.elapsed)

    @property
    def rate(self) -> float:
        ramp = min((self.steps - self.restarted + 1) / RESTART_STEPS, 1.0)
        return learning_rate(self.progress) * ramp

    def train(self) -> None:
        log = self._open_log()
        saved, window = time.monotonic(), []
        while self.progress < 1.0:
            window.append(self.step())
            self.elapsed = time.thread_time() - self.began
            if self.steps % LOG_STEPS == 0:
                row = [self.steps, self.tokens, round(self.elapsed, 1),
                       round(sum(window) / len(window), 4), round(self.rate, 4)]
                csv.writer(log).writerow(row)
                log.flush()
                print("step {} tokens {} seconds {} loss {} rate {}".format(*row), flush=True)
                window = []
            if self.steps % self.config.attend_steps == 0:
                self.attend()
            # On a machine that leaves the run hardly any time, not all of it goes into saving.
            if time.monotonic() - saved >= SAVE_SECONDS and self.steps % LOG_STEPS == 0:
                self.save()
                saved = time.monotonic()
            if self.steps % LOOK_STEPS == 0:
                self.look()
        self.save()
        self.look()
        plot(self.out)

    def step(self) -> float:
        """One optimiser step; returns the mean cross-entropy per weighted token."""
        config = self.config
        parts = batches(config, self.data, self.tokenizer, self.steps, self.progress)
        total = sum(float(batch.weights.sum()) for batch in parts)
        leaves = quantised_leaves(config, self.masters)
        loss_sum = 0.0
        for batch in parts:
            batch = batch.to(self.device)
            model = Model(config, leaves, torch.bfloat16)
            hidden = model.hidden(batch.tokens, batch.positions, batch.documents)
            loss = model.loss(hidden, batch.targets.flatten(), batch.weights.flatten() / total)
            balance = model.balance * (config.balance / len(config.pass_order) / len(parts))
            (loss + balance).backward()
            loss_sum += float(loss)
            self.tokens += batch.tokens.numel()
        grads = {name: leaf.grad for name, leaf in leaves.items()}
        norm = float(torch.stack([grad.norm() for grad in grads.values()]).norm())
        for grad in grads.values():
            grad.mul_(min(1.0, config.clip / (norm + 1e-6)))
        self.optimiser.step(grads, self.rate)
        self.steps += 1
        return loss_sum

    def save(self) -> None:
        """The packed checkpoint first, because it is what counts. Files change atomically."""
        size = write_checkpoint(self.out / "model.safetensors", self.config, self.masters)
        print(f"saved at step {self.steps}: {size} bytes")
        self._save_state()

    def _model(self) -> Model:
        """As the packed checkpoint of the moment has it."""
        with torch.no_grad():
            return Model(self.config, quantised_leaves(self.config, self.masters))

    def attend(self) -> None:
        attend(self.config, self._model(), self.data, self.tokenizer, self.device)

    def look(self) -> None:
        """What the model of the moment says."""
        model = self._model()
        seen, unseen = (perplexity(self.config, model, self.data, self.tokenizer, entries,
                                   self.device) for entries in ("entries", "unseen"))
        print(f"perplexity of answers {seen:.2f} (words asked about), {unseen:.2f} (held out)")
        for question in ASKED:
            print(f"  {question} {answer(model, self.tokenizer, question, device=self.device)}",
                  flush=True)

    def _save_state(self) -> None:
        state = {"steps": self.steps, "tokens": self.tokens, "elapsed": self.elapsed,
                 "factors": self.data.factors}
        if self.config.small_state:
            state["masters"] = shrink(self.config, self.masters)
        else:
            state |= {"masters": self.masters, "optimiser": self.optimiser.state()}
        part = self.out / "state.pt.part"
        torch.save(state, part)
        part.replace(self.out / "state.pt")

    def _load(self) -> None:
        state = torch.load(self.out / "state.pt", map_location=self.device)
        for name, master in masters_of(state).items():
            self.masters[name].copy_(master)
        self.steps, self.tokens, self.elapsed = (state["steps"], state["tokens"],
                                                 state["elapsed"])
        self.data.weigh(state["factors"])
        if "optimiser" in state:
            self.optimiser.load(state["optimiser"])
        else:
            self.restarted = self.steps

    def _open_log(self):
        """log.csv, without the rows that a resumed run is about to write again."""
        path = self.out / "log.csv"
        kept: list[list[str]] = [["step", "tokens", "seconds", "loss", "rate"]]
        if self.steps > 0 and path.exists():
            rows = list(csv.reader(path.open()))[1:]
            kept += [row for row in rows if int(row[0]) <= self.steps]
        log = path.open("w", newline="")
        csv.writer(log).writerows(kept)
        return log


def give_way() -> None:
    """Lowest priority, also as a session where Linux groups processes by those."""
    os.nice(19)
    group = Path("/proc/self/autogroup")
    if group.exists() and os.getsid(0) == os.getpid():
        group.write_text("19")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/train/run", description=__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="another value of a preset's field (config.py), for a trial")
    parser.add_argument("--out", type=Path, required=True, help="directory of the run")
    parser.add_argument("--hours", type=float, default=1.4, help="of processor time")
    parser.add_argument("--tokens", type=float, default=0, help="length in tokens, in place of hours")
    parser.add_argument("--resume", action="store_true", help="go on from the saved state")
    parser.add_argument("--wordnet", type=Path, help="folder of WordNet's dictionary files, with "
                        "SCOWL's lists in its folder scowl (default: where Debian has them)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--background", action="store_true",
                        help="lowest priority once the data are read; start it with setsid")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = with_settings(PRESETS[options.preset], options.set)
    data = Data(config, options.wordnet)
    length = Length(options.hours, int(options.tokens))
    run = Run(config, data, options.out, length, options.resume)
    if options.background:
        give_way()
    run.train()


if __name__ == "__main__":
    main()
