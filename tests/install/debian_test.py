#!/usr/bin/env python3
"""The Debian package: debian_test.py CPACK BUILD_FOLDER SB3LM CHECKPOINT

It is the same bytes every time, depends on nothing, and the program in it builds what the other one
builds. lintian judges it where it is installed.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def made(cpack, build, folder):
    subprocess.run([cpack, "-G", "DEB", "-B", folder], cwd=build, check=True, stdout=subprocess.DEVNULL,
                   env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
    (package,) = folder.glob("*.deb")
    return package


def built(program, checkpoint, folder):
    out = folder / "built.sb3"
    subprocess.run([program, "-q", "build", checkpoint, "-o", out], check=True, stdout=subprocess.DEVNULL)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def field(package, name):
    return subprocess.run(["dpkg-deb", "-f", package, name], check=True, capture_output=True,
                          text=True).stdout.strip()


def main():
    cpack, build, program, checkpoint = sys.argv[1:]
    if shutil.which("dpkg-deb") is None:
        print("skipped: no dpkg-deb")
        sys.exit(77)
    faults = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        package = made(cpack, build, folder / "one")
        if package.read_bytes() != made(cpack, build, folder / "other").read_bytes():
            faults.append("two packages of one program differ")
        if field(package, "Depends"):
            faults.append(f"it depends on {field(package, 'Depends')}")
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
        inside = built(folder / "root/usr/bin/sb3lm", checkpoint, folder)
        if inside != built(program, checkpoint, folder):
            faults.append("the program in the package builds other bytes")
        if shutil.which("lintian") is None:
            print("skipped case: no lintian")
        else:
            done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning",
                                   # Whoever uploads it to an archive has a bug's number for it.
                                   "--suppress-tags", "initial-upload-closes-no-bugs", package],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                faults.append(done.stdout + done.stderr)
    print("\n".join(faults) or f"package: depends on nothing, and builds {inside}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
