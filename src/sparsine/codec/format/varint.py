"""Whole numbers as bytes and back, with bounds. Seven bits a byte, lowest first, the highest bit says: more follows."""

import struct

from sparsine.errors import BadInput


def packed_unsigned(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def packed_signed(value: int) -> bytes:
    """0, -1, 1, -2, ... as 0, 1, 2, 3, ..."""
    return packed_unsigned(2 * value if value >= 0 else -2 * value - 1)


class Reader:
    """Reads forward through `data`; whatever is missing, too large or not in its shortest form is refused."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, count: int, what: str) -> bytes:
        if count > len(self.data) - self.at:
            raise BadInput(f"the code ends where its {what} should be")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self, what: str) -> int:
        return self.take(1, what)[0]

    def unsigned(self, what: str, high: int) -> int:
        value, place = 0, 0
        while (byte := self.byte(what)) > 127:
            value |= (byte & 127) << place
            place += 7
            if place > 35:
                raise BadInput(f"a code's {what} is larger than {high}")
        value |= byte << place
        if byte == 0 and place:
            raise BadInput(f"a code's {what} is not in its shortest form")
        if value > high:
            raise BadInput(f"a code's {what} is {value}, but at most {high} is possible")
        return value

    def signed(self, what: str, high: int) -> int:
        value = self.unsigned(what, 2 * high)
        return value >> 1 if value % 2 == 0 else -(value >> 1) - 1

    def signed_bytes(self, count: int, what: str) -> tuple[int, ...]:
        return struct.unpack(f"{count}b", self.take(count, what))
