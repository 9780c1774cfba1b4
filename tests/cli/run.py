#!/usr/bin/env python3
"""Runs the command-line tests: run.py SB3LM|SYSTEM [NAME.txt ...]; SB3LM_UPDATE_GOLDENS=1 rewrites
them. SYSTEM is `windows` or `arm`, for a program that is built for it (tests/systems/systems.py).

A test is a text file of commands, each with what it must print:

    # What this is about
    $ sb3lm inspect nothing.bin
    2| sb3lm: nothing.bin: [..]
    [exit 3]

"$ " starts a command, "2| " is a line of standard error, any other line is standard output;
[..] stands for anything within a line, a line [...] for any number of lines. Without [exit N] the
exit code is 0. A command with a line [not windows] is left out there. Commands run in a shell, in
an empty folder of the file's own, with `sb3lm` and `damage` (damage.py) on the path. A command that
fails must not leave a new file behind, and must say why in one line unless it is wrong usage.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "systems"))
import systems  # noqa: E402

NOT_WINDOWS = "[not windows]"


def parse(path):
    """The lines before the first command, and the commands with the lines that belong to them."""
    head, commands = [], []
    for line in open(path, encoding="utf-8").read().splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif commands:
            commands[-1][1].append(line)
        else:
            head.append(line)
    return head, commands


def place_program(binary, path):
    if binary not in systems.NAMES:
        os.symlink(os.path.abspath(binary), path)
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {shlex.join(systems.command_or_skip(binary))} "$@"\n')
    os.chmod(path, 0o755)
    os.environ.update(systems.environment())


def run(command, folder):
    """What the command gave, as lines of a test, and what no test may expect of it."""
    env = dict(os.environ, PATH=os.path.join(folder, "bin") + os.pathsep + os.environ["PATH"],
               COLUMNS="100")
    work = os.path.join(folder, "work")
    before = set(os.listdir(work))
    done = subprocess.run(command, shell=True, cwd=work, env=env, capture_output=True, text=True,
                          errors="replace", timeout=300)
    lines = done.stdout.splitlines() + ["2| " + line for line in done.stderr.splitlines()]
    broken = []
    if done.returncode != 0:
        lines.append(f"[exit {done.returncode}]")
        broken += [f"it left {name} behind" for name in sorted(set(os.listdir(work)) - before)]
        if done.returncode not in (1, 2, 3, 4):
            broken.append(f"exit code {done.returncode}")
        if done.returncode != 2 and done.stderr.count("\n") != 1:
            broken.append("the error is not one line")
    return lines, broken


def pattern(line):
    return "".join(".*" if part == "[..]" else re.escape(part)
                   for part in re.split(r"(\[\.\.\])", line))


def matches(expected, got):
    """The expected lines (empty ones between commands do not count) against what was given."""
    text = "".join("(?:.*\n)*" if line == "[...]" else pattern(line) + "\n"
                   for line in strip_end(expected) if line != NOT_WINDOWS)
    return re.fullmatch(text, "".join(line + "\n" for line in strip_end(got))) is not None


def strip_end(lines):
    """Comments and empty lines at the end belong to the next command."""
    end = len(lines)
    while end > 0 and (not lines[end - 1] or lines[end - 1].startswith("# ")):
        end -= 1
    return lines[:end]


def check(path, binary, update):
    head, commands = parse(path)
    folder = tempfile.mkdtemp(prefix="sb3lm-cli-")
    faults, breaches, out = 0, 0, list(head)
    try:
        os.mkdir(os.path.join(folder, "bin"))
        os.mkdir(os.path.join(folder, "work"))
        place_program(binary, os.path.join(folder, "bin", "sb3lm"))
        os.symlink(os.path.join(HERE, "damage.py"), os.path.join(folder, "bin", "damage"))
        for command, expected in commands:
            if binary == "windows" and NOT_WINDOWS in expected:
                continue
            got, broken = run(command, folder)
            if binary == "windows":
                got = [line.replace("\\", "/") for line in got]  # in names of files
            for rule in broken:
                print(f"{os.path.basename(path)}: $ {command}\n  {rule}")
            breaches += len(broken)
            out.append("$ " + command)
            if matches(expected, got):
                out += expected
                continue
            faults += 1
            out += got + [NOT_WINDOWS] * (NOT_WINDOWS in expected)
            out += (expected[len(strip_end(expected)):] or [""])
            if not update:
                print(f"{os.path.basename(path)}: $ {command}\n  expected:")
                print("".join(f"    {line}\n" for line in strip_end(expected)), "  got:", sep="")
                print("".join(f"    {line}\n" for line in got), end="")
    finally:
        shutil.rmtree(folder)
    if update and faults:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(out).rstrip("\n") + "\n")
        print(f"{os.path.basename(path)}: rewritten")
        return breaches
    return faults + breaches


def main():
    binary, *paths = sys.argv[1:]
    paths = paths or sorted(os.path.join(HERE, name) for name in os.listdir(HERE)
                            if name.endswith(".txt"))
    update = os.environ.get("SB3LM_UPDATE_GOLDENS") == "1"
    faults = sum(check(path, binary, update) for path in paths)
    if faults:
        print(f"{faults} commands differ; SB3LM_UPDATE_GOLDENS=1 rewrites the expectations")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
