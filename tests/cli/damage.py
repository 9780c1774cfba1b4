#!/usr/bin/env python3
"""Makes broken copies of files: damage HOW IN OUT ARGUMENT...

cut BYTES               the first BYTES bytes
length NUMBER           safetensors: the header's length, as it stands in front
header OLD NEW          safetensors: a text in the header, everywhere; its length is adjusted
offsets NAME FROM TO    safetensors: a tensor's data_offsets
shape NAME ROWS COLS    safetensors: a tensor's shape
fill NAME HEX           safetensors: a tensor's data, repeating these bytes
drop NAME               safetensors: removes a tensor and its bytes
poke OFFSET HEX         bytes at an offset
pickle OLD NEW          torch, not compressed: a text in data.pkl, everywhere, by one as long; escapes as in C
squeeze                 zlib around the file
vocabulary COUNT        tokenizer.json: only the tokens with ids below COUNT
"""

import json
import struct
import sys
import zlib


def split(data):
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), data[8 + size:]


def joined(header, body):
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def tensor(data, name, change):
    header, body = split(data)
    change(header[name])
    return joined(header, body)


def fill(data, name, raw):
    header, body = split(data)
    begin, end = header[name]["data_offsets"]
    pattern = bytes.fromhex(raw)
    filled = (pattern * (end - begin))[:end - begin]
    return joined(header, body[:begin] + filled + body[end:])


def drop(data, name):
    header, body = split(data)
    begin, end = header.pop(name)["data_offsets"]
    for key, entry in header.items():
        if key != "__metadata__" and entry["data_offsets"][0] >= end:
            entry["data_offsets"] = [at - (end - begin) for at in entry["data_offsets"]]
    return joined(header, body[:begin] + body[end:])


def header(data, old, new):
    size = struct.unpack("<Q", data[:8])[0]
    text = data[8:8 + size].replace(old.encode(), new.encode())
    return struct.pack("<Q", len(text)) + text + data[8 + size:]


def poke(data, offset, raw):
    at, new = int(offset), bytes.fromhex(raw)
    return data[:at] + new + data[at + len(new):]


def pickle(data, old, new):
    """The directory's checksum becomes 0, which stands for none."""
    old, new = (text.encode().decode("unicode_escape").encode("latin-1") for text in (old, new))
    entry = data.rindex(b"/data.pkl")
    entry = data.rindex(b"PK\1\2", 0, entry)
    size, = struct.unpack("<I", data[entry + 24:entry + 28])
    begin = data.index(b"\x80\x02", data.index(b"/data.pkl"))
    changed = data[begin:begin + size].replace(old, new)
    assert len(changed) == size and changed != data[begin:begin + size], "the text is not there"
    data = data[:entry + 16] + bytes(4) + data[entry + 20:]
    return data[:begin] + changed + data[begin + size:]


def vocabulary(data, count):
    tokenizer = json.loads(data)
    model = tokenizer["model"]
    model["vocab"] = {token: i for token, i in model["vocab"].items() if i < int(count)}
    model["merges"] = [merge for merge in model["merges"]
                       if "".join(merge if isinstance(merge, list) else merge.split(" "))
                       in model["vocab"]]
    return json.dumps(tokenizer).encode()


HOW = {
    "cut": lambda data, count: data[:int(count)],
    "length": lambda data, number: struct.pack("<Q", int(number)) + data[8:],
    "header": header,
    "offsets": lambda data, name, begin, end: tensor(
        data, name, lambda t: t.update(data_offsets=[int(begin), int(end)])),
    "shape": lambda data, name, rows, cols: tensor(
        data, name, lambda t: t.update(shape=[int(rows), int(cols)])),
    "fill": fill,
    "drop": drop,
    "poke": poke,
    "pickle": pickle,
    "squeeze": zlib.compress,
    "vocabulary": vocabulary,
}

if __name__ == "__main__":
    how, source, target, *arguments = sys.argv[1:]
    with open(source, "rb") as file:
        contents = file.read()
    with open(target, "wb") as file:
        file.write(HOW[how](contents, *arguments))
