#!/usr/bin/env python3
"""What `cmake --install` brings works where it lies: install_test.py CMAKE BUILD_FOLDER SOURCE_FOLDER

The program runs and knows no folder of the machine that built it; the manual names every command and
option that --help names; completions are executed by the shells themselves. Shells and manual
readers that are not installed are named as skipped cases.
"""

import gzip
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

kVmFolder = "SB3LM_VM_FOLDER"
faults = []


def expect(holds, what):
    if not holds:
        faults.append(what)


def output(words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, **options)


def skip_without(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        print(f"skipped case: no {' and no '.join(missing)}")
    return bool(missing)


def check_program(program, source):
    expect(re.fullmatch(r"\d+\.\d+\.\d+\n", output([program, "--version"]).stdout), "--version")
    expect(os.fsencode(source) not in program.read_bytes(),
           f"the program has {source} in it, a folder of the machine that built it")
    clean = {key: value for key, value in os.environ.items() if key != kVmFolder}
    done = output([program, "-q", "package", source / "README.md", "-o", program.parent / "x.html"],
                  env=clean)
    expect(done.returncode == 4 and kVmFolder in done.stderr and done.stderr.count("\n") == 1,
           f"package without tools/vm: exit {done.returncode}: {done.stderr}")


def commands_of(program):
    """{command: [option]} as --help has them."""
    text = output([program, "--help"]).stdout
    names = re.findall(r"^  (\w+)", text.partition("Subcommands:\n")[2], re.MULTILINE)
    options = {name: re.findall(r"^  (?:-\w,)?(--[a-z-]+)", output([program, name, "--help"]).stdout,
                                re.MULTILINE) for name in names}
    expect(len(names) >= 12 and "--level" in options["build"], "--help was not understood")
    return options


def check_manual(page, commands):
    text = gzip.decompress(page.read_bytes()).decode().replace("\\-", "-")
    sections = dict(re.findall(r"^\.SS sb3lm (\w+)\n(.*?)(?=^\.S[SH])", text, re.MULTILINE | re.DOTALL))
    general = text.partition(".SH COMMANDS")[0]
    for command, options in commands.items():
        section = general + sections.get(command, "")
        expect(command in sections, f"the manual has no section on {command}")
        for option in options:
            expect(re.search(rf"\\fB{option}\\fR", section), f"the manual lacks {command} {option}")
    if not skip_without("mandoc"):
        done = output(["mandoc", "-Tlint", "-Wwarning", page])
        expect(done.returncode == 0, f"mandoc: {done.stdout}{done.stderr}")
    if not skip_without("man", "groff"):
        done = output(["man", "--warnings", "-l", "-Tutf8", "-Z", page],
                      env=os.environ | {"LC_ALL": "C.UTF-8"})
        expect(done.returncode == 0 and done.stderr == "" and "level" in done.stdout,
               f"man: {done.stderr}")


def bash_words(script, line):
    words = line.split(" ")
    listed = " ".join(f"'{word}'" for word in words)
    done = output(["bash", "--norc", "-c", f'source "$0"; COMP_WORDS=({listed}); '
                   f'COMP_CWORD={len(words) - 1}; _sb3lm; printf "%s\\n" "${{COMPREPLY[@]}}"', script])
    expect(done.stderr == "", f"bash: {done.stderr}")
    return done.stdout.split()


def fish_words(script, line):
    done = output(["fish", "--no-config", "-c", 'source "$argv[1]"; complete -C "$argv[2]"', script,
                   line])
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


kLevels = {"fast", "default", "smallest"}
# A line, what its last word may become, and whether these are all.
kCompletions = [
    ("sb3lm bu", {"build"}, True),
    ("sb3lm e", {"eval", "export"}, True),
    ("sb3lm build --lev", {"--level"}, True),
    ("sb3lm -q build --level ", kLevels, True),
    ("sb3lm build --level sm", {"smallest"}, True),
    ("sb3lm build model.safetensors --target t", {"turbowarp"}, True),
    ("sb3lm build --", {"--out", "--licence", "--quiet"}, False),
    ("sb3lm compare x y --vm scratch", {"scratch", "scratch-browser", "scratch15"}, True),
    ("sb3lm logits --qu", {"--quiet", "--quantiser"}, True),
]


def check_completions(shell, words_of, script):
    for line, expected, is_all in kCompletions:
        words = set(words_of(script, line))
        expect(words == expected if is_all else expected <= words, f"{shell}: '{line}' became {words}")


def check_bash(script):
    check_completions("bash", bash_words, script)
    # Readline breaks words at =.
    expect(bash_words(script, "sb3lm build --level = fa") == ["fast"], "bash: --level=fa")
    expect(set(bash_words(script, "sb3lm build --level =")) == kLevels, "bash: --level=")
    expect(bash_words(script, "sb3lm build --out f") == [], "bash: names of files are bash's own")


def read_until(handle, wanted, seconds=30):
    text, end = b"", time.monotonic() + seconds
    while wanted not in text and time.monotonic() < end:
        if select.select([handle], [], [], 0.2)[0]:
            text += os.read(handle, 65536)
    return text


def check_zsh(folder):
    """In a terminal: zsh's completion works nowhere else."""
    process, handle = pty.fork()
    if process == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], os.environ | {"TERM": "dumb"})
    os.write(handle, f"unsetopt zle_bracketed_paste; fpath=('{folder}' $fpath); autoload -U compinit;"
             " compinit -u -D; bindkey -e; PS1=; echo re''ady\n".encode())
    expect(b"ready" in read_until(handle, b"ready"), "zsh does not start")
    for typed, wanted in [(b"sb3lm bu\t", b"sb3lm build"), (b"sb3lm build --lev\t", b"--level"),
                          (b"sb3lm build --level sm\t", b"--level smallest")]:
        os.write(handle, typed)
        text = read_until(handle, wanted)
        expect(wanted in text, f"zsh: {typed} became {text}")
        os.write(handle, b"\x15")  # forgets the line
        read_until(handle, b"never", 0.3)
    os.close(handle)
    os.waitpid(process, 0)


def main():
    cmake, build, source = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as name:
        there = pathlib.Path(name)
        subprocess.run([cmake, "--install", build, "--prefix", there], check=True,
                       stdout=subprocess.DEVNULL)
        program = there / "bin/sb3lm"
        check_program(program, source)
        check_manual(there / "share/man/man1/sb3lm.1.gz", commands_of(program))
        check_bash(there / "share/bash-completion/completions/sb3lm")
        if not skip_without("fish"):
            check_completions("fish", fish_words, there / "share/fish/vendor_completions.d/sb3lm.fish")
        if not skip_without("zsh"):
            check_zsh(there / "share/zsh/site-functions")
        for document in ("README.md", "LICENSE", "CHANGELOG.md"):
            expect((there / "share/doc/sb3lm" / document).is_file(), f"no {document}")
    print("\n".join(faults) or "installed: program, manual, completions")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
