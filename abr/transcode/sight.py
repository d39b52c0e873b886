"""What one input shows and sounds like: when it was last seen, bright, in motion and heard."""

import re
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from abr.model.time import NANO
from abr.transcode.frame import Decoded, DecodedPicture

_EVERY = NANO // 5
"""Pictures are looked at so often; sound is heard all the time, for it may be short."""

_ACROSS, _DOWN = 96, 54
"""Points of a picture that are looked at, about."""

_DARK, _LIT = 0.10, 0.02
"""A picture is black when at most so many (2 %) of its points are above so much of the range (10 %)."""

_STEP, _POINTS = 6, 4
"""Something moves when so many points differ by so much (of 255) from the picture that was first. What a coder does
to a still picture stays below it, and so does a camera's noise: half a step in the mean, and two points at worst."""

_QUIET = 0.001
"""Peak below which sound is silence: -60 dB."""

_PLAIN = re.compile(r"(yuva?4\d\dp|gray)(8|9le|1\dle)?|yuvj4\d\dp|nv(12|16|21|24)")
"""Forms whose first plane is luma, a byte or two a pixel; all others are converted."""

Points = NDArray[np.float32]


class Sight(NamedTuple):
    """The instants at which an input last had something (ns); None for never."""

    pictured: int | None
    """A picture, whatever it shows."""
    sounded: int | None
    """Sound, whatever is heard."""
    bright: int
    """A picture that is not black, or when it began."""
    moved: int
    """A picture that differs from the ones before it, or when it began."""
    loud: int
    """Sound that can be heard, or when it began."""


class Watcher:
    """Looks at the decoded pictures and sound of one feed that begins at `now`."""

    def __init__(self, now: int) -> None:
        self._sight = Sight(None, None, now, now, now)
        self._next = now
        self._still: Points | None = None
        """The first of the pictures that are all alike."""

    @property
    def sight(self) -> Sight:
        """What was seen so far."""
        return self._sight

    def renew(self, now: int) -> None:
        """The feed has a picture that it did not have, or none any more: both kinds count as seen now."""
        self._sight = self._sight._replace(pictured=now, sounded=now, moved=now)
        self._still = None

    def see(self, item: Decoded, now: int) -> None:
        """Take a picture or sound that came at `now`."""
        if not isinstance(item, DecodedPicture):
            loud = now if _peak(item.frame) > _QUIET else self._sight.loud
            self._sight = self._sight._replace(sounded=now, loud=loud)
            return
        self._sight = self._sight._replace(pictured=now)
        if now >= self._next:
            self._next = now + _EVERY
            self._look(item.frame, now)

    def _look(self, frame: av.VideoFrame, now: int) -> None:
        """See whether it is bright and moves. What cannot be converted for that will not be shown either."""
        try:
            points = _points(frame)
        except (av.FFmpegError, ValueError, IndexError):
            return
        if (points > _dark(frame)).mean() > _LIT:
            self._sight = self._sight._replace(bright=now)
        if self._still is None or _differ(points, self._still):
            self._still = points
            self._sight = self._sight._replace(moved=now)


def _points(frame: av.VideoFrame) -> Points:
    """The luma of a coarse grid, of 255: each point the mean of some rows' pixels, in which a coder's noise is lost."""
    if not _PLAIN.fullmatch(frame.format.name):
        frame = frame.reformat(width=_ACROSS * 2, height=_DOWN * 2, format="gray8")
    component = frame.format.components[0]
    plane, deep = frame.planes[0], component.bits > 8
    row = np.frombuffer(plane, np.uint16 if deep else np.uint8)  # type: ignore[call-overload]
    luma = row.reshape(plane.height, -1)[:, : plane.width]
    high, wide = max(1, plane.height // _DOWN), max(1, plane.width // _ACROSS)
    down, across = plane.height // high, plane.width // wide
    rows = luma[: down * high].reshape(down, high, -1)[:, :: max(1, high // 4), : across * wide]
    sums = np.add.reduceat(rows.sum(axis=1, dtype=np.uint32), np.arange(0, across * wide, wide), axis=1)
    points: Points = sums.astype(np.float32) / (rows.shape[1] * wide << component.bits - 8)
    return points


def _dark(frame: av.VideoFrame) -> float:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return _DARK * 255 if full else 16 + _DARK * 219


def _differ(points: Points, still: Points) -> bool:
    if points.shape != still.shape:
        return True
    return int((np.abs(points - still) > _STEP).sum()) >= _POINTS


def _peak(frame: av.AudioFrame) -> float:
    """The loudest sample, of 1."""
    try:
        samples: Any = frame.to_ndarray()
    except ValueError:
        return 1.0  # numpy has no such form; what cannot be heard here may be loud
    if not samples.size:
        return 0.0
    if samples.dtype.kind == "f":
        return float(np.nan_to_num(np.abs(samples)).max())
    if samples.dtype.kind == "u":
        return float(np.abs(samples.astype(np.int64) - 128).max()) / 128
    return float(np.abs(samples.astype(np.int64)).max()) / -float(np.iinfo(samples.dtype).min)
