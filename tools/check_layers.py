#!/usr/bin/env python3
"""Fails on an #include that goes against the arrows of ARCHITECTURE.md, and on calls out of place:
arithmetic that is not the same on every machine, words and files past the functions that check.

The arrows are CMakeLists.txt's: a folder may include what its library links, directly or through
others. On top come rules that no link can express, in kForbidden, kOnlyIn and kCalls.
"""

import pathlib
import re
import sys

kRoot = pathlib.Path(__file__).resolve().parent.parent

# (library, what it must never reach, why), even if somebody links it.
kForbidden = [
    ("runtime_ref", {"kernels", "lower", "pack", "import", "synth"},
     "an oracle must not share the emitter's mistakes"),
    ("scratch", {"model", "import"}, "blocks know nothing of language models"),
    ("sb3", {"model", "kernels", "lower"}, "files of blocks know nothing of language models"),
    ("unpack", {"kernels", "lower"}, "reading back must not share the emitter's mistakes"),
]
# Header, the files that may include it, why.
kOnlyIn = [
    ("CLI/", r"tools/option_kinds\.h", "one user of the command line library"),
    ("option_kinds.h", r"tools/option(s|_kinds|_help)\.cc", "it has the command line library in it"),
    ("libdeflate.h", r"packer/sb3/(deflate|zip|unzip)\.cc|tests/.*\.cc",
     "the compression library has its users in one folder"),
    ("zlib.h",
     r"packer/report/resaved\.cc|packer/import/torch/(archive|decompress)\.cc|packer/synth/(compress|torch_zip)\.cc|tests/.*\.cc",
     "our own files are written by libdeflate; zlib reads, and measures what others would write"),
    ("zstd.h", r"packer/import/torch/decompress\.cc|packer/synth/compress\.cc", "one file reads, one writes"),
    ("lzma.h", r"packer/import/torch/decompress\.cc|packer/synth/compress\.cc", "one file reads, one writes"),
    ("model/steps.h", r"packer/(model|kernels|lower)/.*|runtime_ref/fast.*|tools/cmd_inspect\.cc|tests/.*",
     "the verification engine reads the spec, so that it can find an error in the steps"),
    *((header, r"packer/base/(posix|windows)/.*|tests/.*", "systems differ: packer/base has functions for all")
      for header in ("fcntl.h", "io.h", "poll.h", "sys/", "unistd.h", "windows.h")),
    ("nlohmann/json.hpp", r".*\.cc|packer/import/json\.h", "a heavy header stays out of ours"),
]
# Functions of the maths library that are not exact, and the type that is another on every machine.
kMaths = (r"(?<![\w.:>])(?:std::|::)?(?:a?(?:sin|cos|tan)h?|atan2|exp2?|expm1|log(?:2|10|1p)?|pow|cbrt|hypot"
          r"|erfc?|[lt]gamma)[fl]?\s*\(|\blong double\b")
kPrinting = r"\bfmt::print\(|\bstd::(?:cout|cerr|printf|puts)\b|(?<!/)\bstd(?:out|err)\b"
# What is refused, in which files, except in which of them, why.
kCalls = [
    # Scratch's own functions are what they are; the fast engine is held to bounds, not to bits.
    (kMaths, r"(packer|runtime_ref|tools)/.*",
     r"packer/base/portable_math\.(h|cc)|runtime_ref/(maths\.(h|cc)|scratch_math\.cc|fast_(kernels\.h|scalar\.cc)|fast/(cap|smear)\.cc)",
     "bytes and figures depend on it, and it differs from machine to machine (base/portable_math.h and"
     " runtime_ref/maths.h have our own)"),
    (r"__EMSCRIPTEN|\b_WIN32\b", r"(packer|runtime_ref|tools|tests)/.*", r"packer/base/.*",
     "what WebAssembly and Windows lack is dealt with in packer/base, and in web/"),
    (r"\bgetenv\(", r"(packer|runtime_ref)/.*", r"(?!)",
     "what is made depends on files and options, not on the surroundings"),
    (kPrinting, r"(packer|runtime_ref|tools)/.*",
     r"tools/console\.cc|packer/base/windows/streams\.cc",
     "print_out and print_err (tools/console.h) print: a result that does not arrive is an error"),
    (r"\bwrite_file\(", r"(packer|runtime_ref|tools)/.*",
     r"packer/base/(file_write|temporary_file)\.cc|packer/base/file\.h|tools/outputs\.cc",
     "Outputs (tools/outputs.h) writes what a command makes, and never over what the command reads"),
]


def library_links():
    """{library: (folder, [linked])} of our own libraries."""
    cmake = (kRoot / "CMakeLists.txt").read_text()
    rows = re.findall(r"^sb3lm_library\((\w+)\s+([\w/]+)([^)]*)\)", cmake, re.MULTILINE)
    links = {name: (folder, rest.split()) for name, folder, rest in rows}
    links["templates"] = ("sb3_templates", ["base"])
    return {name: (folder, [link for link in linked if link in links])
            for name, (folder, linked) in links.items()}


def reachable(links, name, path=()):
    if name in path:
        sys.exit("CMakeLists.txt: a circle of libraries: " + " -> ".join([*path, name]))
    found = {name}
    for link in links[name][1]:
        found |= reachable(links, link, (*path, name))
    return found


def library_of(path, links):
    """The library of the nearest folder that has one, None for tools and tests."""
    names = {folder: name for name, (folder, _) in links.items()}
    for folder in path.parents:
        if folder.as_posix() in names:
            return names[folder.as_posix()]
    return None


def included_file(path, header):
    for base in (path.parent, pathlib.Path("packer"), pathlib.Path("."), pathlib.Path("tests")):
        if (kRoot / base / header).is_file():
            return base / header
    return None


def check_file(path, links, allowed, faults):
    library = library_of(path, links)
    top = path.parts[0]
    for number, line in enumerate((kRoot / path).read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not match:
            continue
        quote, header = match.groups()
        where = f"{path}:{number}: {header}"
        for prefix, pattern, why in kOnlyIn:
            if header.startswith(prefix) and not re.fullmatch(pattern, path.as_posix()):
                faults.append(f"{where}: not here: {why}")
        if quote == "<":
            continue
        target = included_file(path, header)
        if target is None:
            faults.append(f"{where}: no such file of ours (write <...> for others' headers)")
            continue
        other = library_of(target, links)
        if library and other is None and not target.name.endswith(".def"):
            faults.append(f"{where}: a library includes {target.parts[0]}/")
        elif library and other and other not in allowed[library]:
            faults.append(f"{where}: {library} does not link {other} (CMakeLists.txt)")
        elif top == "tools" and target.parts[0] == "tests":
            faults.append(f"{where}: the program includes tests/")


def check_calls(path, faults):
    name = path.as_posix()
    rules = [(re.compile(pattern), why) for pattern, where, exceptions, why in kCalls
             if re.fullmatch(where, name) and not re.fullmatch(exceptions, name)]
    for number, line in enumerate((kRoot / path).read_text().splitlines(), 1):
        code = line.partition("//")[0]
        for pattern, why in rules:
            if found := pattern.search(code):
                faults.append(f"{path}:{number}: {found.group().rstrip('( ')}: not here: {why}")


def main():
    links = library_links()
    allowed = {name: reachable(links, name) for name in links}
    faults = []
    for name, never, why in kForbidden:
        for other in sorted(allowed[name] & never):
            faults.append(f"CMakeLists.txt: {name} reaches {other}: {why}")
    count = 0
    for top in ("packer", "runtime_ref", "sb3_templates", "tools", "web", "tests"):
        for path in sorted((kRoot / top).rglob("*")):
            if path.suffix in (".cc", ".h", ".def") and "node_modules" not in path.parts:
                check_file(path.relative_to(kRoot), links, allowed, faults)
                check_calls(path.relative_to(kRoot), faults)
                count += 1
    print("\n".join(faults) if faults else f"layers: {count} files, {len(links)} libraries, nothing out of place")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
