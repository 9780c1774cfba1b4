#!/usr/bin/env python3
"""Adds to a committed corpus the few small inputs that widen its coverage most.

  keep_best.py CONTROL COMMITTED

CONTROL is the control file of a libFuzzer merge: a number of files, how many of them are of the
first folder, their names, and a line `FT index feature...` for each that ran to its end. Input
after input, the one with the most features that no other has yet is copied, under the hash of
its bytes.
"""
import hashlib
import os
import shutil
import sys

MAX_INPUTS = 8
MAX_BYTES = 4096  # of one input


def read_control(path):
    """[(file, set of features)]"""
    with open(path, encoding="utf-8") as control:
        lines = control.read().splitlines()
    names = lines[2 : 2 + int(lines[0])]
    found = []
    for line in lines[2 + len(names) :]:
        word, index, *features = line.split()
        if word == "FT":
            found.append((names[int(index)], set(map(int, features))))
    return found


def best_of(found, committed):
    """At most MAX_INPUTS files, the most useful first."""
    known = set()
    candidates = []
    for name, features in found:
        if os.path.dirname(name) == committed:
            known |= features
        elif os.path.getsize(name) <= MAX_BYTES:
            candidates.append((name, features))
    chosen = []
    while candidates and len(chosen) < MAX_INPUTS:
        name, features = max(candidates, key=lambda one: len(one[1] - known))
        if features <= known:
            break
        known |= features
        chosen.append(name)
    return chosen


def main():
    control, committed = sys.argv[1:]
    chosen = best_of(read_control(control), committed)
    for name in chosen:
        with open(name, "rb") as found:
            digest = hashlib.sha1(found.read()).hexdigest()
        shutil.copyfile(name, os.path.join(committed, digest[:16]))
    total = sum(os.path.getsize(name) for name in chosen)
    print(f"{len(chosen)} inputs of {total} bytes added to {committed}")


if __name__ == "__main__":
    main()
