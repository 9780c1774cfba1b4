#!/usr/bin/env python3
"""Fails on source files of more than 500 lines and on functions of more than 60, kLong excepted.

A function of C++ or JavaScript is what lies between a line at the edge (or indented by two, for
members) and the next line at the same indent that is `}` and nothing more, which holds because the
code is formatted by clang-format or written alike.
"""

import ast
import pathlib
import re
import subprocess
import sys

kRoot = pathlib.Path(__file__).resolve().parent.parent
kFileLines = 500
kFunctionLines = 60
# (file, function): why it is one piece.
kLong = {
    ("runtime_ref/block_eval_machine.cc", "Machine::run"): "a table: what each instruction does",
    ("runtime_ref/block_eval_reporters.cc", "ReporterCompiler::block"): "a table: what makes each reporter",
}


def source_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=kRoot, check=True, capture_output=True, text=True).stdout
    kinds = {".cc", ".h", ".def", ".py", ".mjs", ".js"}
    return [pathlib.Path(name) for name in sorted(listed.split("\0"))
            if pathlib.Path(name).suffix in kinds and (kRoot / name).is_file()]


def name_of(head):
    """TEST_CASE("a test") -> a test; Proc<> Pen::emit_tables() { -> Pen::emit_tables"""
    if test := re.match(r'TEST_CASE\("(.*?)"', head):
        return test[1]
    if called := re.search(r"([\w:~]+)\(", head):
        return called[1]
    return head.strip()


def braced_functions(lines):
    """(name, first line from 1, lines)"""
    begins = {0: 0, 2: 0}  # by indent
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if indent not in begins or not line or re.match(r"\s*(//|/?\*|#(include|if|endif|define)|\{$)", line):
            continue
        head = lines[begins[indent]]
        if line.strip() == "}":
            if not re.match(r"(export )?class ", head):
                yield name_of(head), begins[indent] + 1, number - begins[indent] + 1
        elif not line.lstrip().startswith("}"):
            begins[indent] = number


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def main():
    faults, seen = [], set()
    files = source_files()
    for path in files:
        text = (kRoot / path).read_text()
        lines = text.splitlines()
        if len(lines) > kFileLines:
            faults.append(f"{path}: {len(lines)} lines, at most {kFileLines}")
        functions = python_functions(text) if path.suffix == ".py" else braced_functions(lines)
        end = 0
        for name, first, count in sorted(functions, key=lambda function: function[1]):
            if count <= kFunctionLines or first + count <= end:  # too long, and not in another one
                continue
            end = first + count
            seen.add((path.as_posix(), name))
            if (path.as_posix(), name) not in kLong:
                faults.append(f"{path}:{first}: {name}: {count} lines, at most {kFunctionLines}")
    for file, name in sorted(kLong.keys() - seen):
        faults.append(f"{file}: {name}: is not long: take it off the list in tools/check_sizes.py")
    print("\n".join(faults) if faults else f"sizes: {len(files)} files, nothing too long")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
