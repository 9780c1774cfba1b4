"""Measures a run on words that its training never showed, and lets it answer.

`float weights` are the masters of state.pt, `packed checkpoint` is what oracle.py reads from the
packed file; both run in model.py in float32. The text's perplexity follows the rule of `sb3lm eval`
and can be compared with it: same text, same start token, same windows.
"""
import argparse
import json
import math
import random
from pathlib import Path

import torch

from .config import BOS, EOS, EOT, PRESETS, Config, with_settings
from .data import Data, Entry, encode, turn_of
from .export import stem
from .model import Model, Weights
from .oracle import Checkpoint
from .packing import pack
from .state import masters_of
from .tokenizer import Tokenizer

WORDS = 300         # whose questions are answered, and whose definitions make the text
PROMPTS = (
    "What is a lighthouse?", "what is a cat", "What is a bridge?", "What is honesty?",
    "WHAT IS A DOG?", "Define courage.", "define whisper", "What does happy mean?",
    "what does quickly mean", "What is the meaning of enormous?", "What is another word for big?",
    "Tell me a synonym of quick.", "What is the opposite of hot?", "Use garden in a sentence.",
    "use run in a sentence", "What kind of thing is a violin?", "Is a frog an animal?",
    "Who are you?", "hello", "What is a pagoda?")   # the last one's word is held out


def some(data: Data, entries: str, rng: random.Random) -> list[Entry]:
    """A part of `entries` (words asked about) or `unseen` (held out)."""
    chosen = list(getattr(data, entries))
    rng.shuffle(chosen)
    return chosen[:WORDS]


@torch.no_grad()
def perplexity(config: Config, model: Model, data: Data, tokenizer: Tokenizer,
               entries: str = "unseen", device: str = "cpu") -> float:
    """Per token of the answer, over one question about each of the words."""
    rng = random.Random(0)
    documents = []
    for entry in some(data, entries, rng):
        ids, weights = encode([BOS, *turn_of(*data.definition(entry, rng))], tokenizer, 0.0)
        documents.append((ids, [float(weight > 0) for weight in weights]))
    batch = pack(documents, len(documents), config.window).to(device)
    total = 0.0
    for first in range(0, len(documents), 64):
        rows = slice(first, first + 64)
        hidden = model.hidden(batch.tokens[rows], batch.positions[rows], batch.documents[rows])
        total += float(model.loss(hidden, batch.targets[rows].flatten(),
                                  batch.weights[rows].flatten()))
    return math.exp(total / float(batch.weights.sum()))


def prompt_of(tokenizer: Tokenizer, question: str) -> list[int]:
    """The first turn of a conversation."""
    return encode([BOS, *turn_of(question, "")[:-2]], tokenizer, 0.0)[0]


@torch.no_grad()
def answer_ids(model: Model, prompt: list[int], limit: int = 48, device: str = "cpu") -> list[int]:
    """Greedy, up to the end of the turn."""
    ids = list(prompt)
    while len(ids) < len(prompt) + limit:
        tokens = torch.tensor([ids], device=device)
        positions = torch.arange(len(ids), device=device).unsqueeze(0)
        hidden = model.hidden(tokens, positions, torch.zeros_like(tokens))
        best = int(model.logits(hidden[-1:]).argmax())
        if best in (EOS, EOT):
            break
        ids.append(best)
    return ids[len(prompt):]


def answer(model: Model, tokenizer: Tokenizer, question: str, device: str = "cpu") -> str:
    return tokenizer.decode(answer_ids(model, prompt_of(tokenizer, question), device=device))


def held_out_text(data: Data) -> str:
    return " ".join(entry.answer for entry in some(data, "unseen", random.Random(0)))


def windows(tokens: int, context: int, stride: int) -> list[tuple[int, int, int]]:
    """First position, positions and scored positions of each window (`sb3lm eval`'s rule).

    Windows start at 0, stride, 2 stride, ... until one reaches the end; each scores what no earlier
    one has scored. Position i predicts token i + 1.
    """
    made, first, scored = [], 0, 0
    while scored < tokens - 1:
        end = min(first + context, tokens - 1)
        made.append((first, end - first, end - scored))
        first, scored = first + stride, end
    return made


@torch.no_grad()
def text_nats(model: Model, ids: list[int], context: int, stride: int, device: str) -> float:
    """Sum of -log p over all tokens but the first."""
    tokens = torch.tensor(ids, device=device)
    total = 0.0
    for first, count, scored in windows(len(ids), context, stride):
        window = tokens[first:first + count].unsqueeze(0)
        hidden = model.hidden(window, torch.arange(count, device=device).unsqueeze(0),
                              torch.zeros_like(window))
        targets = tokens[first + 1:first + count + 1]
        total += float(model.loss(hidden[-scored:], targets[-scored:],
                                  torch.ones(scored, device=device)))
    return total


def packed_weights(config: Config, path: Path) -> Weights:
    """model.py's weights from the packed file, as oracle.py reads them."""
    found = Checkpoint(path.read_bytes()).tensors
    weights = {}
    for name, shape in config.shapes().items():
        experts = [found[stem(name, expert)] for expert in range(shape[0])] \
            if len(shape) == 3 else [found[stem(name)]]
        weights[name] = torch.stack(experts).view(shape).float()
    return weights


class Evaluation:
    """Of one run's directory."""

    def __init__(self, config: Config, run: Path, data: Data, context: int, stride: int):
        self.config, self.data, self.context, self.stride = config, data, context, stride
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = Tokenizer.read(run / "tokenizer.json")
        self.text = held_out_text(data)
        self.ids = [BOS, *self.tokenizer.encode(self.text)]

    def model(self, weights: Weights) -> Model:
        return Model(self.config, {name: w.to(self.device) for name, w in weights.items()})

    def measures(self, model: Model) -> dict:
        nats = text_nats(model, self.ids, self.context, self.stride, self.device)
        made = {f"answers_{key}": perplexity(self.config, model, self.data, self.tokenizer,
                                             entries, self.device)
                for key, entries in (("asked", "entries"), ("held_out", "unseen"))}
        return made | {"text": math.exp(nats / (len(self.ids) - 1)), "text_nats": nats,
                       "text_bits_per_byte": nats / math.log(2) / len(self.text.encode())}

    def report(self, run: Path) -> dict:
        packed = self.model(packed_weights(self.config, run / "model.safetensors"))
        made = {"tokens": len(self.ids), "bytes": len(self.text.encode()),
                "context": self.context, "stride": self.stride,
                "packed": self.measures(packed)}
        if (run / "state.pt").exists():
            state = torch.load(run / "state.pt", map_location=self.device)
            made |= {"steps": state["steps"], "trained_tokens": state["tokens"],
                     "float": self.measures(self.model(masters_of(state)))}
        made["answers"] = [self.answered(packed, question) for question in PROMPTS]
        return made

    def answered(self, model: Model, question: str) -> dict:
        prompt = prompt_of(self.tokenizer, question)
        tokens = answer_ids(model, prompt, device=self.device)
        return {"question": question, "text": self.tokenizer.decode(tokens), "prompt": prompt,
                "tokens": tokens}


def markdown(report: dict) -> str:
    rows = (("answers about words of the training", "answers_asked"),
            ("answers about held-out words", "answers_held_out"),
            (f"held-out text, {report['tokens']} tokens in windows of {report['context']}, "
             f"stride {report['stride']}", "text"),
            ("the same text, bits per byte", "text_bits_per_byte"))
    lines = ["| perplexity per token | float weights | packed checkpoint |", "|---|---|---|"]
    for title, key in rows:
        cells = [f"{report[kind][key]:.4g}" if kind in report else "no state.pt"
                 for kind in ("float", "packed")]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", "| question | answer |", "|---|---|"]
    return "\n".join(lines + [f"| {one['question']} | {one['text']} |" for one in report["answers"]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/train/run evaluate", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="directory of the run")
    parser.add_argument("--preset", choices=PRESETS, default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="another value of a preset's field (config.py), for a trial")
    parser.add_argument("--wordnet", type=Path, help="folder of WordNet's dictionary files")
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--stride", type=int, default=64)
    parser.add_argument("--texts", type=Path, help="where to write the held-out text")
    parser.add_argument("--answers", type=Path, help="where to write questions and answers, JSON")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    config = with_settings(PRESETS[options.preset], options.set)
    evaluation = Evaluation(config, options.run, Data(config, options.wordnet), options.context,
                            options.stride)
    if options.texts:
        options.texts.write_text(evaluation.text)
    report = evaluation.report(options.run)
    if options.answers:
        lines = ",\n".join(json.dumps(one) for one in report["answers"])
        options.answers.write_text(f'{{"answers": [\n{lines}\n]}}\n')
    print(json.dumps(report, indent=1) if options.json else markdown(report))


if __name__ == "__main__":
    main()
