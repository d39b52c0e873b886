"""Open bitstream units of AV1 (AV1 Bitstream & Decoding Process Specification, 5.3)."""

from abr.errors import RemoteProtocolError

_TEMPORAL_DELIMITER = b"\x12\x00"
"""obu_type 2 with a size field of 0: every temporal unit begins with it."""


def strip_delimiter(data: bytes) -> bytes:
    """A sample without the temporal delimiter that encoders put first (AV1 in ISOBMFF, 2.4)."""
    return data[2:] if data.startswith(_TEMPORAL_DELIMITER) else data


def obu_types(data: bytes) -> list[int]:
    """The types of the units of a sample, each with a size field. Raises RemoteProtocolError."""
    types, place = [], 0
    while place < len(data):
        head = data[place]
        if not head & 2:
            raise RemoteProtocolError(f"the OBU at byte {place} has no size")
        size, start = _leb128(data, place + (2 if head & 4 else 1))
        types.append(head >> 3 & 15)
        place = start + size
    if place > len(data):
        raise RemoteProtocolError(f"the last OBU ends {place - len(data)} bytes after its sample")
    return types


def _leb128(data: bytes, place: int) -> tuple[int, int]:
    """A little-endian number of up to eight times seven bits, and where it ends."""
    value = 0
    for index, byte in enumerate(data[place : place + 8]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, place + index + 1
    raise RemoteProtocolError(f"the size of the OBU at byte {place} does not end")
