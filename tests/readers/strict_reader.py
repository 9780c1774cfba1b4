#!/usr/bin/env python3
"""Reads our files as strictly as the tools that people point at projects (Dr. Scratch, sb3topy):
every member that such a tool looks up must be there, and what it names must exist.

strict_reader.py SB3LM CHECKPOINT: builds the checkpoint and reads the project.
"""

import collections
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

kLoops = {"control_forever", "control_repeat", "control_repeat_until"}
kPrimitives = {4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 2, 11: 3, 12: 3, 13: 3}  # kind: length
kNames = {"VARIABLE": "variables", "LIST": "lists", "BROADCAST_OPTION": "broadcasts", 11: "broadcasts",
          12: "variables", 13: "lists"}


class Reader:
    def __init__(self, project, target):
        self.blocks, self.target, self.stage = target["blocks"], target, project["targets"][0]
        self.seen = collections.Counter()

    def names(self, kind):
        """Of variables, lists or broadcasts that the target can reach, by id."""
        entries = {**self.stage[kind], **self.target[kind]}
        return {key: entry if kind == "broadcasts" else entry[0] for key, entry in entries.items()}

    def read(self):
        for key, block in self.blocks.items():
            self.check_members(key, block)
        for key, block in self.blocks.items():
            if block["topLevel"] and not block["shadow"]:
                self.walk(key)
        lost = [key for key in self.blocks if self.seen[key] != 1]
        assert not lost, f"{self.target['name']}: blocks that are not in one script each: {lost[:5]}"

    def check_members(self, key, block):
        where = f"{self.target['name']}: block {key}: {block}"
        assert isinstance(block["opcode"], str) and "_" in block["opcode"], where
        for link in (block["next"], block["parent"]):
            assert link is None or link in self.blocks, where
        assert isinstance(block["shadow"], bool) and isinstance(block["topLevel"], bool), where
        assert not block["shadow"] or block["parent"] is not None, where
        if block["topLevel"]:
            assert isinstance(block["x"], (int, float)) and isinstance(block["y"], (int, float)), where
        for name, (value, *key_of) in block["fields"].items():
            assert isinstance(value, str) and len(key_of) == 1, where
            if name in kNames:
                assert self.names(kNames[name])[key_of[0]] == value, where
        if block["opcode"] in kLoops:
            assert block["inputs"]["SUBSTACK"][1] in self.blocks, where
        if block["opcode"].startswith("procedures_") and block["opcode"] != "procedures_definition":
            self.check_mutation(block, where)

    def check_mutation(self, block, where):
        mutation = block["mutation"]
        assert mutation["tagName"] == "mutation" and mutation["children"] == [], where
        assert mutation["warp"] in ("true", "false"), where
        arguments = json.loads(mutation["argumentids"])
        assert len(arguments) == len(re.findall("%[sb]", mutation["proccode"])), where
        assert set(block["inputs"]) <= set(arguments), where
        if block["opcode"] == "procedures_prototype":
            for member in ("argumentnames", "argumentdefaults"):
                assert len(json.loads(mutation[member])) == len(arguments), where
            return
        prototypes = [other for other in self.blocks.values() if other["opcode"] == "procedures_prototype"
                      and other["mutation"]["proccode"] == mutation["proccode"]]
        assert len(prototypes) == 1, where

    def walk(self, key):
        """A stack and everything under it; not by recursion, for stacks are long."""
        waiting = [key]
        while waiting:
            key = waiting.pop()
            block = self.blocks[key]
            self.seen[key] += 1
            if block["next"] is not None:
                waiting.append(block["next"])
            for state, *values in block["inputs"].values():
                assert (state, len(values)) in ((1, 1), (2, 1), (3, 2)), block
                for value in values:
                    if isinstance(value, str):
                        waiting.append(value)
                    else:
                        assert len(value) == kPrimitives[value[0]], block
                        if value[0] in kNames:
                            assert self.names(kNames[value[0]])[value[2]] == value[1], block


def check_pictures(target, archive):
    assert 0 <= target["currentCostume"] < len(target["costumes"]), target["name"]
    for costume in target["costumes"]:
        name = f"{costume['assetId']}.{costume['dataFormat']}"
        assert costume["md5ext"] == name, costume
        assert hashlib.md5(archive[name]).hexdigest() == costume["assetId"], costume
        assert costume["rotationCenterX"] >= 0 and costume["rotationCenterY"] >= 0, costume


def read_project(path):
    with zipfile.ZipFile(path) as file:
        archive = {name: file.read(name) for name in file.namelist()}
    project = json.loads(archive["project.json"])
    assert project["meta"]["semver"] == "3.0.0" and isinstance(project["extensions"], list)
    for target in project["targets"]:
        assert target["isStage"] == (target is project["targets"][0])
        assert target["sounds"] == [] and target["volume"] == 100, target["name"]
        check_pictures(target, archive)
        Reader(project, target).read()
        print(f"{target['name']}: {len(target['blocks'])} blocks, {len(target['costumes'])} costumes")


def main():
    binary, checkpoint = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "project.sb3")
        subprocess.run([binary, "-q", "build", checkpoint, "--no-verify", "-o", out], check=True)
        read_project(out)


if __name__ == "__main__":
    main()
