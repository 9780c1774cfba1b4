"""Tests of the training: cd tools && /usr/bin/python3 -m unittest train.test_train

All with the preset toy. Where torch or WordNet is missing, its tests are skipped and say so.
"""
import io
import math
import random
import re
import sys
import tempfile
import time
import unittest
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from unittest import mock

try:
    import torch
except ImportError:
    torch = None

from .config import PRESETS, with_settings
from .data import Data
from .lexicon import OWN_WEIGHT
from .tokenizer import Tokenizer
from .wordnet import ROOT
from .words import UNFIT, held_out

TOY = PRESETS["toy"]
MISSING = [name for name, there in (("torch (python3-torch)", torch is not None),
                                    ("WordNet (wordnet-base)", (ROOT / "data.noun").exists()))
           if not there]
TEXTS = ("A lighthouse is a tower with a strong light.", "To swim means to move through water.",
         "It's 12 o'clock, isn't it?", "a_b  c\n\nd")
_data: list[Data] = []


def toy_data() -> Data:
    """Read once for all tests."""
    if not _data:
        _data.append(Data(TOY))
    return _data[0]


def setUpModule() -> None:
    if MISSING:
        print(f"test_train: SKIPPED what needs {' and '.join(MISSING)}", file=sys.stderr)


def needs(*names: str):
    lacking = [missing for missing in MISSING if missing.startswith(names)]
    return unittest.skipIf(lacking, f"missing: {', '.join(lacking)}")


class ConfigTest(unittest.TestCase):
    def test_settings(self):
        made = with_settings(TOY, ["muon_lr=0.01", "headwords=300", "pass_order=0,1,2,3,5,5",
                                   "tasks=definitions:1,kinds:0.5", "small_state=true"])
        self.assertEqual(made, replace(TOY, muon_lr=0.01, headwords=300, small_state=True,
                                       pass_order=(0, 1, 2, 3, 5, 5),
                                       tasks=(("definitions", 1.0), ("kinds", 0.5))))
        for wrong in ("speed=1", "headwords", "tasks=jokes:1"):
            with self.assertRaisesRegex(ValueError, wrong.partition("=")[0]):
                with_settings(TOY, [wrong])


class TokenizerTest(unittest.TestCase):
    def setUp(self):
        self.tokenizer = Tokenizer.learn(list(TEXTS) * 3, 300)

    def test_round_trip(self):
        for text in (*TEXTS, "", "naïve café, 猫 ½ \u00a0²\t!", "_", "unseen words 9081"):
            self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text)), text)

    def test_reads_back_what_it_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tokenizer.json"
            path.write_text(self.tokenizer.to_json())
            again = Tokenizer.read(path)
        self.assertEqual(again.texts, self.tokenizer.texts)
        self.assertLess(len(again.encode(TEXTS[0])), len(TEXTS[0]))
        for text in TEXTS:
            self.assertEqual(again.encode(text), self.tokenizer.encode(text))


class FolderTest(unittest.TestCase):
    """A dictionary of two words in a folder of its own, without word lists."""

    FILES = {"data.noun": '00000001 06 n 01 lantern 0 001 @ 00000002 n 0000 | '
                          'a light in a case; "the lantern shone all night"\n'
                          '00000002 06 n 01 pagoda 0 000 | an Asian temple\n',
             "index.noun": "lantern n 1 1 @ 1 1 00000001\npagoda n 1 0 1 0 00000002\n",
             "cntlist.rev": "lantern%1:06:00:: 1 3\npagoda%1:06:00:: 1 2\n"}

    def test_folder(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in ("noun", "verb", "adj", "adv"):
                for kind in ("data", "index"):
                    (folder / f"{kind}.{part}").write_text(self.FILES.get(f"{kind}.{part}", ""))
            (folder / "cntlist.rev").write_text(self.FILES["cntlist.rev"])
            with mock.patch("train.lexicon.SCOWL", folder / "none"), \
                    redirect_stdout(io.StringIO()) as said:
                data = Data(TOY, folder)
        self.assertIn("no word lists", said.getvalue())
        self.assertEqual([entry.word for entry in data.entries], ["lantern"])
        self.assertEqual([entry.word for entry in data.unseen], ["pagoda"])
        self.assertEqual(data.texts, ["A lantern is a light in a case.",
                                      "The lantern shone all night."])
        self.assertEqual(data.lexicon.bands, {"lantern": 50, "pagoda": 50})


@needs("WordNet")
class DataTest(unittest.TestCase):
    def setUp(self):
        self.data = toy_data()

    def test_held_out_words_stay_out(self):
        lexicon = self.data.lexicon
        early = lexicon.first | lexicon.own.keys()
        asked = {entry.word.lower() for entry in self.data.entries}
        unseen = {entry.word.lower() for entry in self.data.unseen}
        self.assertFalse(asked & unseen)
        self.assertTrue(unseen)
        self.assertTrue(all(held_out(word) for word in unseen))
        self.assertFalse({word for word in asked if held_out(word)} - early)

    def test_no_question_asks_for_a_held_out_word(self):
        data = self.data
        rng = random.Random(1)
        plain = [question.rstrip("?.").lower()
                 for question in (data.question(rng)[0] for _ in range(3000))]
        hidden = set()
        for entry in data.unseen:
            hidden |= {data.definition(entry, rng)[0].rstrip("?.").lower() for _ in range(60)}
        self.assertTrue(hidden)
        self.assertFalse(hidden & set(plain))

    def test_no_text_defines_a_held_out_word(self):
        texts = set(self.data.texts)
        self.assertFalse([entry.word for entry in self.data.unseen if entry.answer in texts])

    def test_safety(self):
        for word in ("prostitute", "Sexual", "rapist", "cocaine"):
            self.assertTrue(UNFIT.search(word), word)
        for word in ("grape", "Sussex", "therapist", "classic", "analysis"):
            self.assertFalse(UNFIT.search(word), word)
        rng = random.Random(2)
        shown = [text for _ in range(3000) for text in self.data.question(rng)]
        shown += rng.sample(self.data.texts, 3000)
        shown += [entry.answer for entry in self.data.entries + self.data.unseen]
        self.assertEqual([text for text in shown if UNFIT.search(text)], [])

    def test_own_definitions_are_used(self):
        lexicon = self.data.lexicon
        own = [entry for entry in self.data.entries if entry.word in lexicon.own]
        self.assertGreater(len(own), 100)
        for entry in own:
            self.assertEqual(entry.answer, lexicon.own[entry.word][1])
            self.assertGreaterEqual(entry.weight, OWN_WEIGHT)

    def test_children_words_come_first(self):
        lexicon = self.data.lexicon
        early = [entry.word.lower() in lexicon.first or entry.word in lexicon.own
                 for entry in self.data.entries]
        self.assertEqual(early, sorted(early, reverse=True))
        self.assertGreater(sum(early), 700)


@needs("torch")
class CheckpointTest(unittest.TestCase):
    def setUp(self):
        from .export import write_checkpoint
        from .model import initial_weights
        self.masters = initial_weights(TOY)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name) / "model.safetensors"
        write_checkpoint(self.path, TOY, self.masters)

    def test_reader_sees_what_training_used(self):
        from .evaluate import packed_weights
        from .quantise import quantise
        packed = packed_weights(TOY, self.path)
        for name, master in self.masters.items():
            used = quantise(master, TOY.bits(name))
            self.assertTrue(torch.equal(packed[name], used), name)

    def test_oracle_and_model_agree(self):
        from .evaluate import packed_weights
        from .model import Model
        from .oracle import Checkpoint, logits
        ids = [0, 4, 300, 12, 6, 5, 511, 42]
        expected = logits(Checkpoint(self.path.read_bytes()), ids, "float64")
        with torch.no_grad():
            model = Model(TOY, packed_weights(TOY, self.path))
            tokens = torch.tensor([ids])
            hidden = model.hidden(tokens, torch.arange(len(ids)).unsqueeze(0),
                                  torch.zeros_like(tokens))
            found = model.logits(hidden).double()
        self.assertLess(float((found - expected).abs().max() / expected.abs().max()), 1e-5)

    def test_small_state(self):
        from .state import masters_of, shrink
        kept = shrink(TOY, self.masters)
        again = masters_of({"masters": kept})
        for name, master in self.masters.items():
            reach = master.abs().amax(-1, keepdim=True)
            self.assertTrue(bool(((again[name] - master).abs() <= reach / 253).all()), name)

    def test_prompts(self):
        from .evaluate import PROMPTS
        self.assertEqual(len(set(PROMPTS)), 20)
        self.assertEqual([prompt for prompt in PROMPTS if any(map(held_out, re.findall(
            r"[a-z]+", prompt.lower())))], ["What is a pagoda?"])

    def test_windows(self):
        from .evaluate import windows
        self.assertEqual(windows(10, 4, 2), [(0, 4, 4), (2, 4, 2), (4, 4, 2), (6, 3, 1)])
        self.assertEqual(windows(3, 4, 2), [(0, 2, 2)])


@needs("torch", "WordNet")
class RunTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name)
        rng = random.Random(3)
        texts = [text for _ in range(300) for text in toy_data().question(rng)]
        (self.out / "tokenizer.json").write_text(
            Tokenizer.learn(texts, TOY.vocabulary).to_json())

    def run_of(self, config, resume: bool):
        from .train import Length, Run
        return Run(config, toy_data(), self.out, Length(hours=1.0), resume)

    def test_resume_goes_on(self):
        from .evaluate import packed_weights
        for config in (TOY, replace(TOY, small_state=True)):
            with self.subTest(small_state=config.small_state):
                run = self.run_of(config, False)
                run.elapsed = 1800.0    # where the rate is high
                losses = [run.step() for _ in range(5)]
                self.assertLess(losses[-1], losses[0])
                with redirect_stdout(io.StringIO()):
                    run.save()
                again = self.run_of(config, True)
                self.assertEqual((again.steps, again.tokens, again.elapsed),
                                 (run.steps, run.tokens, 1800.0))
                self.assertAlmostEqual(again.progress, 0.5)
                self.assertAlmostEqual(time.thread_time() - again.began, 1800, delta=60)
                self.assertEqual(again.optimiser.steps, 0 if config.small_state else 5)
                packed = packed_weights(config, self.out / "model.safetensors")
                self.assertEqual(packed.keys(), again.masters.keys())
                for name, master in run.masters.items():
                    if not config.small_state or config.bits(name) == 16:
                        self.assertTrue(torch.equal(again.masters[name], master), name)
                again.step()
                self.assertEqual(again.steps, 6)

    def test_what_is_not_known_is_asked_more(self):
        from .focus import LEAST, MOST
        run = self.run_of(TOY, False)
        usual = run.data.asked["definitions"][1]
        self.addCleanup(run.data.weigh, {task: [1.0] * len(entries)
                                         for task, (entries, _) in run.data.asked.items()})
        known = {entry.word: at for at, entry in enumerate(run.data.entries)}["dog"]
        losses = [2.0] * len(run.data.entries)
        losses[known] = 0.0
        with mock.patch("train.focus.answer_losses",
                        side_effect=lambda model, documents, device: losses[:len(documents)]):
            run.attend()
        factors = run.data.factors["definitions"]
        self.assertEqual(factors[known], LEAST)
        self.assertTrue(all(1 <= factor <= MOST for at, factor in enumerate(factors) if at != known))
        self.assertAlmostEqual(usual[-1] / run.data.asked["definitions"][1][-1], 1.0, delta=0.01)
        with redirect_stdout(io.StringIO()):
            run.save()
        run.data.weigh({})
        self.assertEqual(self.run_of(TOY, True).data.factors["definitions"], factors)

    def test_losses_of_answers(self):
        """Each document by itself and all at once, whatever their lengths."""
        from .data import encode
        from .focus import answer_losses
        run = self.run_of(TOY, False)
        rng = random.Random(5)
        documents = [encode(run.data.chat(rng, 1), run.tokenizer, 0.0) for _ in range(9)]
        model = run._model()
        together = answer_losses(model, documents)
        for document, loss in zip(documents, together):
            self.assertAlmostEqual(answer_losses(model, [document])[0], loss, places=3)
        self.assertAlmostEqual(sum(together) / 9, math.log(TOY.vocabulary), delta=1.5)

    def test_a_stopped_run_loses_nothing(self):
        """The schedule counts tokens or processor time, not the hours that a run was stopped."""
        from .train import Length
        with mock.patch("time.monotonic", side_effect=AssertionError("the clock on the wall")):
            run = self.run_of(TOY, False)
            run.step()
            self.assertLess(run.progress, 0.1)
        self.assertEqual(Length(tokens=2000).progress(500, 1e9), 0.25)
        self.assertEqual(Length(hours=1.0).progress(10 ** 9, 900.0), 0.25)
        self.assertEqual(Length(tokens=2000).progress(3000, 0.0), 1.0)


if __name__ == "__main__":
    unittest.main()
