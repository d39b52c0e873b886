"""The decoder configuration record of H.264: avcC ⇄ parameter sets (ISO/IEC 14496-15, 5.3.3)."""

from abr.errors import RemoteProtocolError
from abr.formats.bits import Bits
from abr.formats.nal import h264_type

_SPS, _PPS = 7, 8
_HIGH_PROFILES = frozenset((100, 110, 122, 144))
"""Profiles whose record ends with chroma format and bit depths."""


def make_avcc(units: list[bytes]) -> bytes:
    """A record of four-byte lengths, made from NAL units that hold at least one SPS and one PPS.

    Raises RemoteProtocolError when one of them is missing or cut off.
    """
    sps = [unit for unit in units if h264_type(unit) == _SPS]
    pps = [unit for unit in units if h264_type(unit) == _PPS]
    if not sps or not pps or len(sps[0]) < 4:
        raise RemoteProtocolError("the H.264 header holds no SPS and PPS")
    head = bytes((1, *sps[0][1:4], 0xFF, 0xE0 | len(sps)))
    tail = _chroma(sps[0]) if sps[0][1] in _HIGH_PROFILES else b""
    return b"".join((head, _counted(sps), bytes((len(pps),)), _counted(pps), tail))


def parameter_sets(record: bytes) -> list[bytes]:
    """The SPS and PPS units of a record. Raises RemoteProtocolError where it is cut off."""
    units, at = [], 5
    for mask in (0x1F, 0xFF):
        count = (record[at] if at < len(record) else 0) & mask
        at += 1
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2])
            if end > len(record):
                raise RemoteProtocolError(f"avcC of {len(record)} bytes is cut off in its parameter sets")
            units.append(record[at + 2 : end])
            at = end
    return units


def length_size(record: bytes) -> int:
    """Bytes of the length before each NAL unit."""
    return (record[4] & 3) + 1 if len(record) > 4 else 4


def _counted(units: list[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(2) + unit for unit in units)


def _chroma(sps: bytes) -> bytes:
    """Chroma format and bit depths of an SPS, as the record repeats them (no SPS extensions)."""
    bits = Bits(sps[4:].replace(b"\0\0\3", b"\0\0"), "SPS")
    bits.read_golomb()  # seq_parameter_set_id
    chroma = bits.read_golomb()
    if chroma == 3:
        bits.skip(1)
    luma_depth, chroma_depth = bits.read_golomb(), bits.read_golomb()
    return bytes((0xFC | chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7, 0))
