#!/usr/bin/env python3
"""Our tokenizer against SentencePiece, the oracle for .model files: the same ids for 2,000 lines, the
same text for ids, the same bytes of each token. Models are trained here, and read from the folder
SB3LM_TEST_DATA.

    sentencepiece_test.py TOKENIZE_TOOL       compares; exits with 77 (a skip) without SentencePiece
    sentencepiece_test.py make FOLDER         writes the models and ids that tests/unit reads
"""

import io
import os
import pathlib
import subprocess
import sys
import tempfile

import lines
import wire

try:
    import sentencepiece
except ImportError:
    print("skipped: python3-sentencepiece is missing")
    sys.exit(77)

kRoot = pathlib.Path(__file__).resolve().parent.parent.parent
kRealModels = ["parameter-golf/fineweb_1024_bpe.model", "babyllama105/tok105.model"]
kWhole = ["<sep>", "<mask>", "ab", "abab", "\u2581time", "\u00e9", "\u0301", "12"]
# What a table of our own does: a letter, a space, a letter with a mark, nothing.
kRules = "41\t61\nFF21\t61\n3000\t20\n61 301\tE1\nFF21 301\tE1\n41 301\tE1\n200B\t\n2460\t28 31 29\n"

kModels = {
    "llama": dict(vocab_size=600, byte_fallback=True, normalization_rule_name="identity"),
    "golf": dict(vocab_size=512, byte_fallback=True, split_digits=True, add_dummy_prefix=False,
                 pad_id=0, bos_id=1, eos_id=2, unk_id=3),
    "plain": dict(vocab_size=900, character_coverage=0.99),
    "whole": dict(vocab_size=900, normalization_rule_name="identity", user_defined_symbols=kWhole,
                  remove_extra_whitespaces=False, character_coverage=0.98, unk_surface=" ? "),
    "whole-nfkc": dict(vocab_size=900, byte_fallback=True, user_defined_symbols=kWhole,
                       add_dummy_prefix=False, character_coverage=0.98),
    "nfkc": dict(vocab_size=700, normalization_rule_name="nfkc", character_coverage=0.98),
    "nfkc-spaces": dict(vocab_size=700, normalization_rule_name="nfkc", character_coverage=0.98,
                        add_dummy_prefix=False, remove_extra_whitespaces=False),
    "spaced": dict(vocab_size=900, byte_fallback=True, split_by_whitespace=False,
                   normalization_rule_name="identity", character_coverage=0.98),
    "letters": dict(vocab_size=120, model_type="char", normalization_rule_name="identity"),
    "rules": dict(vocab_size=400, byte_fallback=True, normalization_rule_tsv=kRules,
                  character_coverage=0.98),
}
kRefused = {  # and what the error says
    "model_type 'unigram'": dict(vocab_size=300, model_type="unigram"),
    "model_type 'word'": dict(vocab_size=300, model_type="word"),
    "normaliser 'nmt_nfkc_cf'": dict(vocab_size=700, normalization_rule_name="nmt_nfkc_cf"),
    "treat_whitespace_as_suffix": dict(vocab_size=500, treat_whitespace_as_suffix=True),
    "user-defined piece 'a b'": dict(vocab_size=500, user_defined_symbols=["a b"]),
    "normaliser 'user_defined', whose entry U+FF21 U+0062 joins": dict(
        vocab_size=500, normalization_rule_tsv="61 62\t63\nFF21\t61\nFF21 62\t64\n"),
}
kFixtures = ["llama", "whole", "rules"]


def train(settings):
    """The bytes of a model."""
    text = 4 * [line for line in (kRoot / "samples/english.txt").read_text().split("\n") if line]
    text += [line.replace("\n", " ") for line in lines.read()[500:560]]
    settings = {"model_type": "bpe", "character_coverage": 0.995, **settings}
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as table:
        if "normalization_rule_tsv" in settings:
            table.write(settings["normalization_rule_tsv"])
            table.flush()
            settings["normalization_rule_tsv"] = table.name
        out = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(text), model_writer=out, minloglevel=2, num_threads=1,
            hard_vocab_limit=False, **settings)
    return out.getvalue()


def with_unused(model):
    """The same with every third piece of two letters unused, which only one pair makes."""
    count = 0

    def edit(piece, kind):
        nonlocal count
        if kind == 1 and len(piece) == 2:
            count += 1
            return 5 if count % 3 == 0 else kind
        return kind

    return wire.with_types(model, edit)


class Tool:
    def __init__(self, path):
        self.path = path

    def ask(self, model, questions):
        answer = subprocess.run([self.path, model], input="\n".join(questions) + "\n", text=True,
                                capture_output=True)
        if answer.returncode != 0:
            raise SystemExit(f"{model}: {answer.stderr}")
        return answer.stdout.split("\n")[:-1]


def expected_bytes(processor):
    """parameter-golf's table: bytes without the first space, begins with one, boundary."""
    table = []
    for i in range(processor.get_piece_size()):
        if processor.is_control(i) or processor.is_unknown(i) or processor.is_unused(i):
            table.append((0, 0, 1))
        elif processor.is_byte(i):
            table.append((1, 0, 0))
        else:
            piece = processor.id_to_piece(i)
            spaced = piece.startswith("\u2581")
            table.append((len(piece[spaced:].encode()), int(spaced), 0))
    return " ".join(f"{size},{spaced},{boundary}" for size, spaced, boundary in table)


def samples_of_ids(processor, count):
    dice = lines.Dice(7)
    size = processor.get_piece_size()
    first = min(size, 16)
    return [[dice.below(first if dice.below(3) == 0 else size) for _ in range(1 + dice.below(12))]
            for _ in range(count)]


def compare(tool, name, path):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts, samples = lines.read(), samples_of_ids(processor, 500)
    bos = processor.bos_id() >= 0
    questions = [text.encode("utf-8", "surrogatepass").hex() for text in texts]
    questions += ["= " + " ".join(map(str, ids)) for ids in samples] + ["?"]
    answers = tool.ask(path, questions)
    wrong = 0

    def expect(what, ours, theirs):
        nonlocal wrong
        if ours == theirs:
            return
        wrong += 1
        if wrong <= 8:
            print(f"{name}: {what!r}\n  ours   {ours!r}\n  theirs {theirs!r}")

    tokens = 0
    for text, answer in zip(texts, answers):
        ids, shown = answer.split("|")
        theirs = processor.encode(text, add_bos=bos)
        tokens += len(theirs)
        expect(text, ids, " ".join(map(str, theirs)))
        expect(theirs, bytes.fromhex(shown).decode("utf-8", "replace"), processor.decode(theirs))
    for ids, answer in zip(samples, answers[len(texts):]):
        expect(ids, bytes.fromhex(answer[1:]).decode(), processor.decode(ids))
    expect("bytes", answers[-1], expected_bytes(processor))
    print(f"{name}: {len(texts)} lines, {tokens} tokens, {len(samples)} lists of ids: {wrong} differences")
    return wrong


def main(tool):
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in kModels.items():
            model = train(settings)
            variants = {name: model}
            if name in ("llama", "plain"):
                variants[name + " with unused"] = with_unused(model)
            for variant, data in variants.items():
                path = pathlib.Path(folder) / f"{variant}.model"
                path.write_bytes(data)
                wrong += compare(tool, variant, path)
        wrong += check_refusals(tool, pathlib.Path(folder))
    data = os.environ.get("SB3LM_TEST_DATA")
    for name in kRealModels:
        if data and (pathlib.Path(data) / name).is_file():
            wrong += compare(tool, name, pathlib.Path(data) / name)
        else:
            print(f"skipped: {name} is not there (SB3LM_TEST_DATA)")
    return 1 if wrong else 0


def check_refusals(tool, folder):
    wrong = 0
    for what, settings in kRefused.items():
        path = folder / "refused.model"
        path.write_bytes(train(settings))
        answer = subprocess.run([tool.path, path], input="", text=True, capture_output=True)
        if answer.returncode != 4 or what not in answer.stderr or answer.stderr.count("\n") != 1:
            print(f"{what}: exit {answer.returncode}: {answer.stderr}")
            wrong += 1
    print(f"{len(kRefused)} kinds of models refused by name: {wrong} are not")
    return wrong


def digest(ids):
    """FNV-1a of the ids as text, which tests/unit computes too."""
    value = 0x811C9DC5
    for byte in " ".join(map(str, ids)).encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


def make(folder):
    for name in kFixtures:
        model = train(kModels[name])
        (folder / f"{name}.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        (folder / f"{name}.ids").write_text(
            "".join(digest(processor.encode(text)) + "\n" for text in lines.read()))
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "make":
        sys.exit(make(pathlib.Path(sys.argv[2])))
    sys.exit(main(Tool(sys.argv[1])))
