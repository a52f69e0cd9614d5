"""The weights of an ONNX file by name, as float32. Needs NumPy only: the file is read as protocol buffers are written.

Source: onnx.proto of ONNX IR 8, messages ModelProto, GraphProto, NodeProto and TensorProto; Protocol Buffers, "Encoding".
"""

import numpy as np

KINDS = {1: np.float32, 3: np.int8}  # TensorProto.DataType: FLOAT, INT8
LEARNED = (".weight", ".bias", ".running_mean", ".running_var")


def read_weights(path):
    """name -> array, of what is learned. Weights that are stored as int8 are multiplied by their scales. Raises ValueError."""
    with open(path, "rb") as file:
        graph = only(fields(memoryview(file.read())), 7, path)
    stored = {}
    scaled = []
    for number, value in fields(graph):
        if number == 5:  # initializer
            name, array = tensor(value)
            stored[name] = array
        elif number == 1:  # node
            scaled += dequantized(value)
    for name, (integers, scale), axis in scaled:
        shape = [-1 if at == axis else 1 for at in range(stored[integers].ndim)]
        stored[name] = stored[integers].astype(np.float32) * stored[scale].reshape(shape)
    weights = {name: np.array(array) for name, array in stored.items() if name.endswith(LEARNED)}
    if not weights:
        raise ValueError(f"{path} has no initializers that are named as PyTorch names weights")
    return weights


def tensor(message):
    """(name, array) of a TensorProto that holds its numbers as raw bytes."""
    parts = list(fields(message))
    name = text(only(parts, 8, "a tensor"))
    kind, raw = only(parts, 2, name), only(parts, 9, name)
    if kind not in KINDS:
        raise ValueError(f"{name} is of data type {kind}; {', '.join(map(str, KINDS))} are read here")
    shape = [length for number, value in parts if number == 1 for length in lengths(value)]
    return name, np.frombuffer(raw, KINDS[kind]).reshape(shape)


def dequantized(message):
    """[(output, (integers, scale), axis)] of a DequantizeLinear without zero point, nothing of other nodes."""
    parts = list(fields(message))
    if text(only(parts, 4, "a node")) != "DequantizeLinear":
        return []
    inputs = [text(value) for number, value in parts if number == 1]
    output = text(only(parts, 2, "DequantizeLinear"))
    if len(inputs) != 2:
        raise ValueError(f"{output} has a zero point; symmetric weights are read here")
    attributes = [list(fields(value)) for number, value in parts if number == 5]
    axes = [only(each, 3, output) for each in attributes if text(only(each, 1, output)) == "axis"]
    return [(output, tuple(inputs), axes[0] if axes else 1)]


def lengths(value):
    """Of an axis, or of all where they are packed."""
    if isinstance(value, int):
        return [value]
    at, found = 0, []
    while at < len(value):
        length, at = varint(value, at)
        found.append(length)
    return found


def fields(message):
    """(number, value) of every field: an int, or the bytes of a message, text or array."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(message, at)
        else:
            size = {1: 8, 5: 4}.get(wire)
            if size is None and wire != 2:
                raise ValueError(f"wire type {wire} at byte {at}: this is no ONNX file")
            if size is None:
                size, at = varint(message, at)
            value, at = message[at : at + size], at + size
        yield key >> 3, value


def varint(message, at):
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def only(parts, number, what):
    found = [value for own, value in parts if own == number]
    if len(found) != 1:
        raise ValueError(f"{what}: expected field {number} once, found it {len(found)} times")
    return found[0]


def text(value):
    return bytes(value).decode()
