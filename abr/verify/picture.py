"""What kind of picture a sample holds: NAL unit and OBU types (H.264 7.4.1, H.265 7.4.2, AV1 5.3)."""

from abr.verify.init import SampleEntry

_AVC_IDR, _AVC_SLICES = 5, frozenset({1, 2, 5})
_HEVC_IDR, _HEVC_SLICES = frozenset({19, 20}), 32
_OBU_FRAMES = frozenset({3, 6})
_LONGEST_SCAN = 4096
"""NAL units or OBUs that are looked at."""


def starts_with_key(sample: bytes, entry: SampleEntry) -> bool | None:
    """Whether the sample's first picture is an IDR (AV1: a key frame). None for codecs that are not looked into.

    Encrypted samples keep the headers of their NAL units (ISO/IEC 23001-7 9.5), so these are judged too.
    """
    codec = entry.codec[:4]
    if codec in {"avc1", "avc3"} and entry.length_size:
        return _avc(_units(sample, entry.length_size))
    if codec in {"hvc1", "hev1"} and entry.length_size:
        return _hevc(_units(sample, entry.length_size))
    if codec == "av01":
        return _av1(sample)
    return None


def _units(sample: bytes, length_size: int) -> list[int]:
    """The first byte of each NAL unit."""
    units: list[int] = []
    place = 0
    while place + length_size < len(sample) and len(units) < _LONGEST_SCAN:
        size = int.from_bytes(sample[place : place + length_size], "big")
        if size:
            units.append(sample[place + length_size])
        place += length_size + size
    return units


def _avc(units: list[int]) -> bool:
    kinds = [unit & 0x1F for unit in units]
    return next((kind == _AVC_IDR for kind in kinds if kind in _AVC_SLICES), False)


def _hevc(units: list[int]) -> bool:
    kinds = [unit >> 1 & 0x3F for unit in units]
    return next((kind in _HEVC_IDR for kind in kinds if kind < _HEVC_SLICES), False)


def _av1(sample: bytes) -> bool:
    """The first frame header: show_existing_frame 0 and frame_type KEY_FRAME."""
    place = 0
    for _ in range(_LONGEST_SCAN):
        if place >= len(sample):
            break
        header = sample[place]
        body = place + 1 + bool(header & 4)
        size, body = _leb128(sample, body) if header & 2 else (len(sample) - body, body)
        if header >> 3 & 15 in _OBU_FRAMES:
            return body < len(sample) and sample[body] >> 5 == 0
        place = body + size
    return False


def _leb128(sample: bytes, place: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        if place >= len(sample):
            break
        byte = sample[place]
        place += 1
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            break
    return value, place
