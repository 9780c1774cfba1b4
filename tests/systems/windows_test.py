#!/usr/bin/env python3
"""What is Windows' own about the program: windows_test.py SB3LM. Skips (77) where Wine or the program
is missing; tests/cli and same_test.py run there too.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import systems

CAT = systems.ROOT / "samples/dictionary-cat/model.safetensors"
# Of every Windows; anything else would have to be brought along.
LIBRARIES = {"kernel32.dll", "msvcrt.dll", "shell32.dll", "user32.dll", "advapi32.dll"}
faults = []


def expect(holds, what):
    if not holds:
        faults.append(what)


class Windows:
    def __init__(self, command, folder):
        self.command, self.folder = command, folder

    def run(self, *words, text=None, again=True):
        try:
            return subprocess.run([*self.command, *words], input=text, capture_output=True,
                                  cwd=self.folder, env=systems.environment(), timeout=120)
        except subprocess.TimeoutExpired:
            # Wine's processes sometimes never begin: once in some hundred starts.
            if not again:
                raise
            return self.run(*words, text=text, again=False)


def check_libraries():
    program = systems.build_folder("windows") / "sb3lm.exe"
    listed = subprocess.run(["x86_64-w64-mingw32-objdump", "-p", program], capture_output=True,
                            text=True, check=True).stdout
    names = {line.split()[-1].lower() for line in listed.splitlines() if "DLL Name:" in line}
    expect(names and names <= LIBRARIES, f"the program needs {sorted(names - LIBRARIES)}")


def check_words(windows):
    for words in (["--version"], ["build", "--help"]):
        done = windows.run(*words)
        expect(done.returncode == 0 and done.stdout and b"\r" not in done.stdout, f"{words}: {done}")
    done = windows.run("-q", "inspect", "nothing.bin")
    expect(done.returncode == 3 and done.stderr == b"sb3lm: nothing.bin: No such file or directory\n",
           f"a file that is not there: {done}")
    done = windows.run("-q", "package", systems.ROOT / "README.md", "-o", "x.html")
    expect(done.returncode == 4 and b"SB3LM_VM_FOLDER" in done.stderr, f"package: {done}")


def check_talk(windows, native):
    """The same words as the native program's, the question with a letter that is not ASCII."""
    words = ["-q", "run", CAT, "--prompt", "What is a caf\u00e9?", "--temperature", "0", "--engine",
             "double", "--max-new-tokens", "12"]
    done, theirs = windows.run(*words), subprocess.run([native, *words], capture_output=True)
    expect(done.returncode == 0 and done.stdout == theirs.stdout, f"run: {done}, not {theirs}")
    done = windows.run("-q", "run", CAT, "--chat", "--max-new-tokens", "4", text=b"Hello\r\n/quit\r\n")
    expect(done.returncode == 0 and b"/reset, /stats" not in done.stderr, f"chat: {done}")


def check_files(windows):
    """Written whole or not at all, under any name, over what is there."""
    name = "K\u00e4tzchen \u732b \U0001f431.sb3"
    out = windows.folder / name
    fast = ["-q", "build", CAT, "--level", "fast", "--no-verify", "-o", name]
    # What a run left that was killed, and what no run of ours has written.
    lost, other = out.parent / f"{name}.sb3lm-4294967292-0.part", out.parent / f"{name}.part"
    lost.write_bytes(b"half")
    other.write_bytes(b"whole")
    expect(windows.run(*fast).returncode == 0 and out.is_file(), "a name in Unicode")
    expect(not lost.exists() and other.read_bytes() == b"whole", "parts that were left")
    whole = out.read_bytes()
    out.write_bytes(b"old")
    expect(windows.run(*fast).returncode == 0 and out.read_bytes() == whole, "over a file")

    os.chmod(out, 0o444)
    done = windows.run(*fast)
    expect(done.returncode == 3 and b"Permission denied" in done.stderr, f"read-only: {done}")
    expect(out.read_bytes() == whole, "a read-only file was changed")
    os.chmod(out, 0o644)
    done = windows.run(*fast[:-1], "no/folder.sb3")
    expect(done.returncode == 3 and b"there is no folder" in done.stderr, f"no folder: {done}")

    # A kill leaves the old file; the next run leaves no parts.
    running = subprocess.Popen([*windows.command, *fast], cwd=windows.folder, env=systems.environment(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        running.wait(1.5)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    expect(out.read_bytes() == whole, "a kill")
    report = windows.run("-q", "report", name, "--json")
    expect(report.returncode == 0 and name.encode() in report.stdout, f"report: {report}")
    expect(not list(windows.folder.glob("*.sb3lm-*.part")), "parts are left")


def main():
    native = os.path.abspath(sys.argv[1])
    command = systems.command_or_skip("windows")
    if shutil.which("x86_64-w64-mingw32-objdump"):
        check_libraries()
    with tempfile.TemporaryDirectory() as name:
        windows = Windows(command, pathlib.Path(name).resolve())
        for check in (check_files, check_words):
            check(windows)
        check_talk(windows, native)
    print("\n".join(faults) or "on Windows: files, words, talk")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
