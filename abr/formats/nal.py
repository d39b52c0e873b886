"""NAL units of H.264 and HEVC: start codes ⇄ length prefixes, and what a unit is (ISO/IEC 14496-15)."""

from collections.abc import Iterator

from abr.errors import RemoteProtocolError

_START = b"\0\0\1"

H264_IDR = 5
H264_PARAMETERS = frozenset((7, 8, 13, 15))
"""SPS, PPS, SPS extension, subset SPS (ITU-T H.264, table 7-1)."""
H264_DELIMITERS = frozenset((9, 10, 11, 12))
"""Access unit delimiter, end of sequence, end of stream, filler."""
HEVC_IRAP = frozenset(range(16, 24))
"""Pictures that a decoder can start at (ITU-T H.265, table 7-1)."""
HEVC_IDR = frozenset((19, 20))
HEVC_PARAMETERS = frozenset((32, 33, 34))
"""VPS, SPS, PPS."""
HEVC_DELIMITERS = frozenset((35, 36, 37, 38))


def is_annexb(data: bytes) -> bool:
    """Whether the bytes begin with a start code."""
    return data.startswith((_START, b"\0" + _START))


def split_annexb(data: bytes) -> list[bytes]:
    """The NAL units between start codes (ITU-T H.264, annex B): no unit ends with a zero byte."""
    units = (unit.rstrip(b"\0") for unit in data.split(_START)[1:])
    return [unit for unit in units if unit]


def join_prefixed(units: list[bytes]) -> bytes:
    """Units with their length in four bytes before each."""
    return b"".join(part for unit in units for part in (len(unit).to_bytes(4), unit))


def h264_type(unit: bytes) -> int:
    """nal_unit_type of an H.264 unit."""
    return unit[0] & 0x1F


def hevc_type(unit: bytes) -> int:
    """nal_unit_type of an HEVC unit."""
    return unit[0] >> 1 & 0x3F


def unit_types(codec: str, data: bytes, length_size: int = 4) -> list[int]:
    """Types of the units of a length-prefixed sample; `codec` is "h264" or "hevc"."""
    shift, mask = (1, 0x3F) if codec == "hevc" else (0, 0x1F)
    return [data[start] >> shift & mask for start, end in _prefixed(data, length_size) if end > start]


def is_idr(codec: str, data: bytes, length_size: int = 4) -> bool:
    """Whether a length-prefixed sample of "h264" or "hevc" is an IDR picture."""
    types = unit_types(codec, data, length_size)
    return not HEVC_IDR.isdisjoint(types) if codec == "hevc" else H264_IDR in types


def _prefixed(data: bytes, length_size: int) -> Iterator[tuple[int, int]]:
    place, stop = 0, len(data)
    while place < stop:
        start = place + length_size
        place = start + int.from_bytes(data[place:start])
        if place > stop:
            raise RemoteProtocolError(
                f"a NAL unit of {place - start} bytes ends {place - stop} after its sample"
            )
        yield start, place
