"""How the program is run that was built for another system. Builds are looked for in the folders
build-windows, build-arm and build-web, or where SB3LM_WINDOWS_BUILD, SB3LM_ARM_BUILD and
SB3LM_WEB_BUILD say."""

import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77  # CTest's exit code for it

# Debian's wine64 package puts it beside the path.
WINE = ("wine64", "wine64-stable", "/usr/lib/wine/wine64")
NAMES = ("windows", "arm", "web")


def build_folder(system):
    named = os.environ.get(f"SB3LM_{system.upper()}_BUILD", ROOT / f"build-{system}")
    return pathlib.Path(named).resolve()  # programs run in folders of their own


def found(programs):
    return next((path for path in map(shutil.which, programs) if path), None)


def command_of(system):
    """(words that start the program, None), or (None, what is missing)."""
    folder = build_folder(system)
    starters, program, setup = {
        "windows": (WINE, "sb3lm.exe", "tools/setup --windows"),
        "arm": (("qemu-aarch64",), "sb3lm", "tools/setup --arm"),
        "web": (("node",), "sb3lm_page.wasm", "tools/setup --web"),
    }[system]
    starter = found(starters)
    if starter is None:
        return None, f"no {starters[0]} ({setup})"
    if not (folder / program).is_file():
        return None, f"no {folder.name}/{program} (tools/release builds it)"
    if system == "web":
        return [starter, str(HERE / "web_program.mjs"), str(folder)], None
    return [starter, str(folder / program)], None


def environment():
    """Wine's own files lie in the build folder; names of files are UTF-8; Wine says nothing."""
    return os.environ | {"WINEPREFIX": str(build_folder("windows") / "wine"),
                         "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree=;mshtml=",
                         "LC_ALL": "C.UTF-8"}


def command_or_skip(system):
    command, missing = command_of(system)
    if command is None:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    return command
