#!/usr/bin/env python3
"""The size that README.md gives for the bundled model's project is that of the file which tools/demo
writes.
  demo_bytes_test.py SB3LM"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

kRoot = pathlib.Path(__file__).resolve().parent.parent.parent


def found(pattern, file):
    match = re.search(pattern, (kRoot / file).read_text(), re.MULTILINE | re.DOTALL)
    if not match:
        sys.exit(f"{file} has nothing like {pattern}")
    return match


def main():
    build = found(r'^"\$sb3lm" -q build .*?[^\\]$', "tools/demo").group()
    checkpoint = found(r"^checkpoint=(\S+)$", "tools/demo").group(1)
    said = found(r"^\| the dictionary cat.*?\| ([\d,]+) \|", "README.md").group(1)
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder) / "cat.sb3"
        names = {"sb3lm": sys.argv[1], "checkpoint": checkpoint, "project": str(project)}
        subprocess.run(["bash", "-c", build + " --no-verify"], cwd=kRoot, check=True,
                       env={**os.environ, **names})
        written = f"{project.stat().st_size:,}"
    print(f"README.md: {said} bytes, tools/demo: {written}")
    return 0 if said == written else 1


if __name__ == "__main__":
    sys.exit(main())
