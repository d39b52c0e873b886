"""The display matrix of a video track: how its pictures are turned (ISO/IEC 14496-12, 6.2.2 and 8.3.2)."""

import struct
from collections.abc import Sequence

from abr.model.media import UPRIGHT, Turn

_NUMBERS = 9
_IN_TKHD = {0: 40, 1: 52}
"""Where the matrix lies behind the size and type of the box, by version."""


def turn_of(matrix: Sequence[int]) -> Turn:
    """The turn that a matrix (a, b, u, c, d, v, x, y, w) makes, to the nearest quarter.

    A point to the right goes to (a, b) and one below to (c, d), with y downwards. A matrix that makes
    nothing of a picture turns nothing.
    """
    a, b, _, c, d = matrix[:5]
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    if a == b == 0:
        return UPRIGHT
    if abs(a) >= abs(b):
        return Turn(0 if a > 0 else 2, mirrored)
    return Turn(1 if b > 0 else 3, mirrored)


def turn_in_side_data(data: bytes) -> Turn:
    """The turn in FFmpeg's side data of a frame; upright where it is too short."""
    size = _NUMBERS * 4
    return turn_of(struct.unpack(f"={_NUMBERS}i", data[:size])) if len(data) >= size else UPRIGHT


def turn_in_header(moov: bytes) -> Turn:
    """The turn of the first track in an MP4 or MOV header; upright where there is none."""
    at = moov.find(b"tkhd") + 4
    if at < 4 or at >= len(moov):
        return UPRIGHT
    start = at + _IN_TKHD.get(moov[at], 40)
    end = start + _NUMBERS * 4
    return turn_of(struct.unpack(f">{_NUMBERS}i", moov[start:end])) if end <= len(moov) else UPRIGHT
