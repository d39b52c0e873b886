"""Fields woven into frames become whole pictures, for as long as the source sends them."""

from collections import deque
from fractions import Fraction
from typing import Any, NamedTuple

import av

from abr.transcode.chain import Chain

_PATIENCE = 50
"""After so many progressive frames in a row the source is not interlaced any more."""

_BWDIF = ("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
"""One picture for each frame, at the time of its first field; the order of the fields is each frame's own."""


class Timed(NamedTuple):
    """A picture and its time."""

    pts: int
    frame: av.VideoFrame
    woven: bool = False
    """Whether its source sends fields."""


class Deinterlacer:
    """One picture out for each frame in, in order. Progressive sources pass untouched and at once.

    From the first interlaced frame on pictures come one frame later: the filter looks at the next one.
    Frames among them that are progressive are not changed.
    """

    def __init__(self) -> None:
        self._chain: Chain | None = None
        self._inside: deque[tuple[int, Any]] = deque()
        """Time and `opaque` of what the filter has: it loses both."""
        self._progressive = 0
        """Frames since the last interlaced one."""
        self._refused = False
        """Whether the filter cannot take this source."""
        self.count = 0
        """Frames that were interlaced."""

    @property
    def active(self) -> bool:
        """Whether the source is interlaced now."""
        return self._chain is not None

    def push(self, pts: int, frame: av.VideoFrame) -> list[Timed]:
        """Take a frame; the pictures that are ready."""
        made: list[Timed] = []
        if frame.interlaced_frame and not self._refused:
            self._progressive = 0
            self.count += 1
            self._chain = self._chain or Chain(_BWDIF)
        elif self._chain is not None:
            self._progressive += 1
            if self._progressive > _PATIENCE:
                made = self.flush()
        if self._chain is None:
            return [*made, Timed(pts, frame)]
        self._inside.append((pts, frame.opaque))
        try:
            return self._timed(self._chain.push(frame))
        except (av.FFmpegError, ValueError):
            # What was inside is lost with the filter; this one still counts.
            self._refused = True
            self._chain = None
            self._inside.clear()
            return [Timed(pts, frame)]

    def flush(self) -> list[Timed]:
        """The picture that is still inside; then the next source may follow."""
        chain, self._chain = self._chain, None
        made = self._timed(chain.flush()) if chain is not None else []
        self._inside.clear()
        self._progressive = 0
        return made

    def _timed(self, frames: list[av.VideoFrame]) -> list[Timed]:
        made = []
        for frame in frames:
            pts, aspect = self._inside.popleft()
            frame.opaque = aspect if aspect is None else Fraction(aspect)  # its own: see decode
            made.append(Timed(pts, frame, woven=True))
        return made
