"""A second decoder, written from docs/format.md: plain Python and NumPy, nothing of sparsine, no library for coding.

It is slow and holds no bound: it is here to show that the page is enough, and to referee the first one.
"""

import hashlib
import json
import struct
import zlib
from itertools import pairwise

import numpy as np

RUNGS = (
    2147483648, 2242560872, 2341847524, 2445529972, 2553802834, 2666869345, 2784941738, 2908241642,
    3037000500, 3171459999, 3311872529, 3458501653, 3611622603, 3771522796, 3938502376, 4112874773,
)  # fmt: skip
LAPLACE = 3931635878


def read_start(data):
    """Tensors by name, and what the header says."""
    length = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + length])
    about = json.loads(entries.pop("__metadata__")["sparsine"])
    kinds = {"F32": "<f4", "U8": "u1", "I16": "<i2", "I32": "<i4"}
    tensors = {}
    for name, entry in entries.items():
        first, last = (8 + length + at for at in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[first:last], kinds[entry["dtype"]])
    return tensors, about


def canonical(value):
    """A JSON value as the page writes it for the hash."""
    if value is None or isinstance(value, bool):
        return {None: b"n", True: b"t", False: b"f"}[value]
    if isinstance(value, str):
        return b"s" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, (int, float)):
        return b"d" + struct.pack("<d", value)
    if isinstance(value, list):
        return b"l" + struct.pack("<I", len(value)) + b"".join(map(canonical, value))
    keys = sorted(value, key=lambda key: key.encode())
    return b"o" + struct.pack("<I", len(keys)) + b"".join(canonical(key) + canonical(value[key]) for key in keys)


def start_hash(tensors, about):
    domain = {key: value for key, value in about["grid"].items() if key != "shape"}
    text = b"sparsine-start-1" + canonical({"field": about["field"], "domain": domain, "kind": about["kind"]})
    inner = hashlib.sha256()
    for name, array in sorted(tensors.items()):
        inner.update(f"{name}:{array.dtype.name}:{array.shape};".encode() + array.tobytes())
    return hashlib.sha256(text + inner.digest()).digest()[:8]


def read_header(data):
    assert data[:5] == b"\xf5SPN\x01"
    assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
    at = 5

    def take(count):
        nonlocal at
        at += count
        return data[at - count : at]

    def unsigned():
        value = place = 0
        while True:
            byte = take(1)[0]
            value |= (byte & 127) << place
            place += 7
            if byte < 128:
                return value

    def signed():
        value = unsigned()
        return -(value + 1) // 2 if value % 2 else value // 2

    flags, hashed = take(1)[0], take(8)
    numbers = unsigned()
    shape = tuple(unsigned() for _ in range(unsigned()))
    step_shift, scale_shift = signed(), signed()
    groups = unsigned() if flags & 3 else 1
    steps = np.frombuffer(take(groups), "i1") if flags & 1 else np.zeros(groups, int)
    scales = np.frombuffer(take(groups), "i1") if flags & 2 else np.zeros(groups, int)
    notes = json.loads(take(unsigned())) if flags & 4 else {}
    return {"hash": hashed, "numbers": numbers, "shape": shape, "steps": step_shift + steps, "notes": notes,
            "scales": scale_shift + scales, "payload": data[at:-4]}  # fmt: skip


def live_numbers(matrices):
    """Which entries of theta can matter: what goes into a neuron that leads to an output."""
    leads = [np.ones(len(matrices[-1]), bool)]
    for matrix in matrices[:0:-1]:
        leads.insert(0, (matrix & leads[0][:, None]).any(axis=0))
    weights = [np.repeat(lead, matrix.sum(axis=1)) for matrix, lead in zip(matrices, leads, strict=True)]
    return np.concatenate(weights + leads)


def table_of(tails, number):
    """(radius, cumulative frequencies) of one class, in Python's whole numbers."""
    octave, rung = number // 16, number % 16
    radius = 1 + 6 * (RUNGS[rung] >> (31 - octave) if octave >= 0 else 0)
    octave, rung = (-number) // 16, (-number) % 16

    def beyond(half):
        place = (half * RUNGS[rung]) >> (12 - octave)
        entry, part = place >> 16, place & 65535
        return 0 if entry > 255 else tails[entry] - ((tails[entry] - tails[entry + 1]) * part >> 16)

    edges = [beyond(2 * i + 1) for i in range(radius + 1)]
    mass = [2**30 - edges[0]]
    for i in range(1, radius + 1):
        mass += [(edges[i - 1] - edges[i]) >> 1] * 2
    mass += [edges[radius]]
    table = [1 + (m * (2**24 - len(mass)) >> 30) for m in mass]
    table[0] += 2**24 - sum(table)
    return radius, np.concatenate([[0], np.cumsum(table)])


class Stack:
    """rANS: 64 bits of state, words of 32 bits, frequencies of 24 bits."""

    def __init__(self, payload):
        self.words = np.frombuffer(payload + bytes(-len(payload) % 4), "<u4").tolist()
        self.state = 0
        self.refill()
        self.refill()

    def refill(self):
        if self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()

    def pop(self, cumulative):
        low = self.state % 2**24
        index = int(np.searchsorted(cumulative, low, side="right")) - 1
        first, after = int(cumulative[index]), int(cumulative[index + 1])
        self.state = (self.state >> 24) * (after - first) + low - first
        self.refill()
        return index

    def pop_uniform(self, bits):
        low = self.state % 2**24
        index = low >> (24 - bits)
        self.state = ((self.state >> 24) << (24 - bits)) + low - (index << (24 - bits))
        self.refill()
        return index


def decode(start_bytes, data):
    """(symbols, theta, header) of a code and the start that it belongs to."""
    tensors, about = read_start(start_bytes)
    header = read_header(data)
    assert header["hash"] == start_hash(tensors, about)
    widths, theta = about["widths"], tensors["theta"].copy()
    if "coding_step" in tensors:
        centre, step, scale, tails = (tensors[f"coding_{n}"] for n in ("centre", "step", "scale", "tails"))
        tails = tails.tolist()
    else:
        centre, step, scale = theta, np.full(len(theta), -208), np.full(len(theta), -208)
        tails = [2**30]
        while len(tails) < 257:
            tails.append(tails[-1] * LAPLACE >> 32)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    keep = np.unpackbits(tensors["pattern"], count=sum(a * b for a, b in shapes)).astype(bool)
    ends = np.cumsum([0, *(a * b for a, b in shapes)])
    matrices = [keep[a:b].reshape(shape) for (a, b), shape in zip(pairwise(ends), shapes, strict=True)]
    live = live_numbers(matrices)
    assert live.sum() == header["numbers"]
    counts = [int(matrix.sum()) for matrix in matrices] + [a for a, _ in shapes]
    group = np.repeat(np.arange(len(counts)), counts)[live]
    step_shifts, scale_shifts = (np.resize(header[name], len(counts)) for name in ("steps", "scales"))
    exponents = step[live].astype(int) + step_shifts[group]
    classes = np.clip(scale[live].astype(int) + scale_shifts[group] - exponents, -64, 144)

    stack, symbols, escaped = Stack(header["payload"]), np.zeros(live.sum(), np.int64), []
    for number in sorted(set(classes.tolist())):
        radius, cumulative = table_of(tails, number)
        for place in np.flatnonzero(classes == number).tolist():
            index = stack.pop(cumulative)
            symbols[place] = (index + 1) // 2 if index % 2 else -(index // 2)
            if index == 2 * radius + 1:
                escaped.append((place, radius))
    for place, radius in escaped:
        length = stack.pop_uniform(6)
        value = sum(stack.pop_uniform(16) << at for at in range(0, length, 16))
        symbols[place] = (1 - 2 * (value % 2)) * (value // 2 + radius + 1)
    assert stack.state == 0
    assert not stack.words
    steps = np.array([RUNGS[e % 16] * 2.0 ** (e // 16 - 31) for e in exponents.tolist()])
    theta[live] = (centre[live].astype(np.float64) + symbols * steps).astype(np.float32)
    return symbols, theta, header


def encoded(encoding, coords):
    """What the first layer is given."""
    if encoding["name"] == "none":
        return coords
    assert encoding["name"] == "fourier"
    count, dims = encoding["num_frequencies"], coords.shape[-1]
    drawn = np.random.PCG64([encoding["frequency_seed"], 70]).random_raw(count * dims * 12)
    sums = np.array([sum(int(x) >> 32 for x in drawn[at : at + 12]) for at in range(0, len(drawn), 12)], np.float64)
    frequencies = encoding["frequency_scale"] * ((sums - 12 * 2**31) / 2**32).reshape(count, dims)
    angles = 2 * np.pi * coords @ frequencies.T
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=-1)


def activated(activation, layer, z):
    name, omega = activation["name"], activation.get("omega_0")
    if name == "sine":
        return np.sin((activation["omega_first"] if layer == 0 and activation["omega_first"] else omega) * z)
    if name == "finer":
        return np.sin(omega * (np.abs(z) + 1) * z)
    if name == "gauss":
        return np.exp(-(z**2) / (2 * activation["sigma"] ** 2))
    assert name == "relu"
    return np.maximum(z, 0)


def draw(start_bytes, theta, shape):
    """Values (*shape, channels) on the grid of a code, in float64."""
    tensors, about = read_start(start_bytes)
    field, grid = about["field"], about["grid"]
    siren = {"name": "sine", "omega_0": field.get("omega_0"), "omega_first": None}
    activation, encoding = field.get("activation", siren), field.get("encoding", {"name": "none"})
    dims = field["sizes"][0]
    inputs = encoded(encoding, np.zeros((1, dims))).shape[-1]
    shapes = list(zip(field["sizes"][1:], [inputs, *field["sizes"][1:-1]], strict=True))
    keep = np.unpackbits(tensors["pattern"], count=sum(a * b for a, b in shapes)).astype(bool)
    weights, biases = np.zeros(len(keep)), theta[keep.sum() :].astype(np.float64)
    weights[keep] = theta[: keep.sum()]
    axes = []
    for n, (low, high) in zip(shape, grid["extent"], strict=True):
        if grid["alignment"] == "corners" and n > 1:
            axes.append(np.linspace(low, high, n))
        else:
            axes.append(low + (high - low) * (np.arange(n) + (grid["alignment"] != "lower") / 2) / n)
    axes = np.meshgrid(*axes, indexing="ij")
    h = encoded(encoding, np.stack(axes if grid["axis_order"] == "array" else axes[::-1], axis=-1))
    for layer, (n_out, n_in) in enumerate(shapes):
        weight, weights = weights[: n_out * n_in].reshape(n_out, n_in), weights[n_out * n_in :]
        bias, biases = biases[:n_out], biases[n_out:]
        z = h @ weight.T + bias
        h = activated(activation, layer, z) if layer < len(shapes) - 1 else z + field["output_offset"]
    return h
