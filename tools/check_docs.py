#!/usr/bin/env python3
"""Fails where the documents speak of what is not there.

In every Markdown file: links to files and headings, paths in code spans that begin with a folder of
the repository (with * and {a,b}), and the options of `sb3lm` command lines. In the sources: the
Markdown files and sections that comments name.
"""

import glob
import itertools
import pathlib
import re
import subprocess
import sys

kRoot = pathlib.Path(__file__).resolve().parent.parent
# Folders that exist only after a build or a run.
kMade = {"build", "build-fuzz", "out", "node_modules"}


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=kRoot, check=True, capture_output=True, text=True).stdout
    return [pathlib.Path(name) for name in listed.split("\0") if name and (kRoot / name).is_file()]


def heading_anchors(text):
    anchors = set()
    for title in re.findall(r"^#+\s+(.*?)\s*$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", title.replace("`", "").lower())
        anchors.add(plain.replace(" ", "-"))
    return anchors


def expanded(path):
    """a/{b,c}.h -> a/b.h, a/c.h"""
    parts = [part.split(",") if i % 2 else [part]
             for i, part in enumerate(re.split(r"\{([^{}]*)\}", path))]
    return ["".join(choice) for choice in itertools.product(*parts)]


def check_links(path, text, faults):
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file) if file else path
        if not (kRoot / linked).exists():
            faults.append(f"{path}: link to {target}: no such file")
        elif anchor and anchor not in heading_anchors((kRoot / linked).read_text()):
            faults.append(f"{path}: link to {target}: no such heading")


def check_paths(path, text, folders, faults):
    spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^```.*?\n(.*?)^```", text, re.M | re.S)
    for word in itertools.chain.from_iterable(re.split(r"[\s|()\"';]+", span) for span in spans):
        word = re.sub(r"(?<=\w)[:.,]$", "", word.removeprefix("./"))
        first = word.split("/")[0]
        if "/" not in word or first in kMade or first not in folders or "<" in word:
            continue
        for one in expanded(word):
            if re.fullmatch(r"[\w.\-/*+]+", one) and not glob.glob(str(kRoot / one)):
                faults.append(f"{path}: {word}: no such file")


def check_options(path, text, options, faults):
    joined = text.replace("\\\n", " ")
    for line in re.findall(r"^.*\bsb3lm [a-z].*$", joined, re.MULTILINE):
        for command in re.findall(r"\bsb3lm ([a-z].*?)(?:`|$)", line):
            for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", command):
                if option not in options:
                    faults.append(f"{path}: sb3lm {command.split()[0]} {option}: no such option")


def check_sources(files, notes, faults):
    """Comments that point to documents: docs/formats.md, "Numerics"."""
    # A bare README.md is the one at the top.
    documents = {file.name: file for file in sorted(files, key=lambda file: -len(file.parts))
                 if file.suffix == ".md"}
    documents |= {file.as_posix(): file for file in files if file.suffix == ".md"}
    for path in files:
        if path.suffix not in (".cc", ".h", ".def", ".mjs", ".py", ".txt") or path.name == "LICENSE":
            continue
        if path == pathlib.Path("tools/check_docs.py"):
            continue
        text = re.sub(r"\n\s*(///?|#)\s*", " ", (kRoot / path).read_text(errors="replace"))
        for name, section in re.findall(r"\b([A-Z]{4,}\.md|docs/[a-z-]+\.md)\b(?:, \"([^\"]+)\")?", text):
            if name not in documents:
                notes.append(f"{path}: names {name}, which is not there")
            elif section and f"# {section}\n" not in (kRoot / documents[name]).read_text():
                faults.append(f"{path}: {name} has no section \"{section}\"")


def main():
    files = tracked_files()
    folders = {file.parts[0] for file in files if len(file.parts) > 1}
    options = set(re.findall(r"--[a-z][a-z-]*", (kRoot / "tools/options.cc").read_text()))
    options |= {"--help", "--version", "--json"}
    faults = []
    documents = [file for file in files if file.suffix == ".md"]
    for path in documents:
        text = (kRoot / path).read_text()
        check_links(path, text, faults)
        check_paths(path, text, folders, faults)
        check_options(path, text, options, faults)
    notes = []
    check_sources(files, notes, faults)
    for note in notes:
        print("note:", note)
    print("\n".join(faults) if faults else f"docs: {len(documents)} documents, nothing missing")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
