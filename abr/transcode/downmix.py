"""Channels of any layout mixed to one, two or six (ITU-R BS.775-3, annex 4)."""

from functools import lru_cache

import av
import numpy as np

from abr.transcode.frame import Samples

_SIX = ("FL", "FR", "FC", "LFE", "BL", "BR")
"""Order of the six channels that an encoder takes."""

_HALF_POWER = 0.5**0.5

_LEFT = frozenset(("FL", "FLC", "BL", "SL", "WL", "TFL", "TBL", "TSL", "SDL", "DL", "SSL", "TTL", "BIL"))
_RIGHT = frozenset(("FR", "FRC", "BR", "SR", "WR", "TFR", "TBR", "TSR", "SDR", "DR", "SSR", "TTR", "BIR"))
_FRONT = frozenset(("FL", "FR", "DL", "DR"))
"""What is heard at full level; centre and surround come at half power."""
_LOW = frozenset(("LFE", "LFE2"))
"""Left out, as BS.775 does: it holds nothing that the other channels do not."""

_USUAL = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What a number of channels means where nothing names them."""


def channel_names(layout: av.AudioLayout) -> tuple[str, ...]:
    """The channels of a frame; where it names none, those that are usual."""
    names = tuple(channel.name for channel in layout.channels)
    known = _LEFT | _RIGHT | _LOW | {"FC", "BC", "TC", "TFC", "TBC"}
    if set(names) <= known or len(names) not in _USUAL:
        return names
    return tuple(channel.name for channel in av.AudioLayout(_USUAL[len(names)]).channels)


@lru_cache(maxsize=32)
def mixing(names: tuple[str, ...], channels: int) -> Samples | None:
    """The share of each channel in each wanted one, rows of which sum to at most 1; None: nothing is to be mixed.

    So full scale in all channels is full scale, and never more. One channel becomes two equal ones at full level.
    """
    if len(names) == channels and (channels < 6 or _is_six(names)):
        return None
    if len(names) == 1:
        return _from_one(channels)
    stereo = np.array([_shares(name) for name in names], np.float32).T
    if channels == 6:
        return _to_six(names, stereo)
    shares = stereo if channels == 2 else stereo.sum(axis=0, keepdims=True)
    return _bounded(shares)


def _is_six(names: tuple[str, ...]) -> bool:
    return names[:4] == _SIX[:4] and set(names[4:]) in ({"BL", "BR"}, {"SL", "SR"})


def _from_one(channels: int) -> Samples:
    shares: Samples = np.zeros((channels, 1), np.float32)
    shares[:2] = 1
    return shares


def _shares(name: str) -> tuple[float, float]:
    """Of one channel in left and right."""
    if name in _LOW:
        return 0.0, 0.0
    level = 1.0 if name in _FRONT else _HALF_POWER
    if name in _LEFT:
        return level, 0.0
    if name in _RIGHT:
        return 0.0, level
    back = 0.5 if name.startswith("B") else _HALF_POWER
    return back, back


def _to_six(names: tuple[str, ...], stereo: Samples) -> Samples:
    """Front, centre and low stay what they are; everything else of a side is surround."""
    rows = np.zeros((6, len(names)), np.float32)
    for place, name in enumerate(names):
        if name in _SIX[:4]:
            rows[_SIX.index(name), place] = 1
        elif name not in _LOW:
            left, right = stereo[:, place]
            rows[4, place], rows[5, place] = left, right
    return _bounded(rows)


def _bounded(rows: Samples) -> Samples:
    """All shares smaller by the same factor, so that no row sums to more than 1."""
    return (rows / max(1.0, float(rows.sum(axis=1).max()))).astype(np.float32)
