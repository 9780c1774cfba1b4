"""Programs that are run and measured, and the files that they are given."""

import pathlib
import subprocess
import time

kRoot = pathlib.Path(__file__).resolve().parent.parent.parent
kSample = kRoot / "samples" / "dictionary-cat"
kContext = 128
kNotInstalled = (4, 77)  # exit codes: of the harness and of the program; of tests


class Failure(Exception):
    pass


class NotInstalled(Failure):
    pass


def run(command, cwd=None):
    """(seconds, standard output); progress is thrown away, errors are not."""
    words = [str(word) for word in command]
    start = time.monotonic()
    try:
        done = subprocess.run(words, text=True, capture_output=True, stdin=subprocess.DEVNULL,
                              cwd=cwd)
    except FileNotFoundError:
        raise NotInstalled(f"{words[0]} is not installed, and this takes it") from None
    if done.returncode in kNotInstalled:
        raise NotInstalled(done.stdout.strip() or done.stderr.strip())
    if done.returncode != 0:
        raise Failure(f"{' '.join(words)}: exit {done.returncode}\n"
                      f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - start, done.stdout


def build(tree, folder, targets):
    """Configures where that was not done, and builds what is not up to date."""
    if not (folder / "CMakeCache.txt").exists():
        run(["cmake", "-S", tree, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"])
    run(["cmake", "--build", folder, "--target", *targets])


def make_checkpoint(sb3lm, folder, preset, seed):
    """The checkpoint of a preset, made where it is not there yet."""
    checkpoint = folder / f"{preset}-seed{seed}" / "model.safetensors"
    if not checkpoint.exists():
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        run([sb3lm, "-q", "synth", "--preset", preset, "--seed", seed, "-o", checkpoint])
    return checkpoint
