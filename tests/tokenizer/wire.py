"""As much of protocol buffers as it takes to change a SentencePiece model: fields in, fields out."""


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def as_varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(data):
    """(number, wire type, value) of each field; texts and floats are bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            size = 4
            if kind == 2:
                size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield tag >> 3, kind, value


def field(number, kind, value):
    head = as_varint(number << 3 | kind)
    if kind == 0:
        return head + as_varint(value)
    return head + (as_varint(len(value)) if kind == 2 else b"") + value


def with_types(model, edit):
    """The model with each piece's type replaced by edit(piece, type)."""
    out = b""
    for number, kind, value in fields(model):
        if number == 1:
            parts = {n: (k, v) for n, k, v in fields(value)}
            parts[3] = (0, edit(parts[1][1].decode(), parts.get(3, (0, 1))[1]))
            value = b"".join(field(n, k, v) for n, (k, v) in sorted(parts.items()))
        out += field(number, kind, value)
    return out
