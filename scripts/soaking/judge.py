"""What comes out: cut into segments without a hole, sound with its picture, and how far from the clock."""

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from statistics import fmean

import numpy as np

from abr.model.ladder import Ladder
from abr.model.media import EncodedPacket, Kind
from abr.model.segment import Rendition
from abr.model.time import NANO, Grid
from abr.package.cutter import Cut, Cutter, Piece
from abr.transcode.frame import Picture, Placed, Sound

from .feed import FPS, PICTURES, PIECE, RATE, TURN

_NUMBERS = {id(frame): number for number, frame in enumerate(PICTURES)}
_LATEST = 200 * FPS
"""Pictures over which means are taken: at 200 ppm one is shown twice in so many."""

_TURN_NS = TURN * NANO // RATE


class Broken(Exception):
    """The output has a hole, or a segment is missing."""


class Judge:
    """Follows the output of one ladder with one rung and one sound; `sent` says when a picture came. Raises Broken."""

    def __init__(self, ladder: Ladder, first: int, sent: Callable[[int], int]) -> None:
        grid, rung, sound = Grid(ladder.duration), ladder.video[0], ladder.audio[0]
        video = Rendition(rung.name, Kind.VIDEO, rung.timescale, "", 0, 0, frame_rate=Fraction(FPS))
        audio = Rendition(sound.name, Kind.AUDIO, RATE, "", 0, 0, sample_rate=RATE)
        self._video, self._audio = rung.name, sound.name
        self._cutters = {item.name: Cutter(item, grid, first, live=True) for item in (video, audio)}
        self._ends: dict[str, tuple[int, int]] = {}
        """Number and end of the latest segment of each."""
        self._waiting: deque[tuple[int, int]] = deque()
        self.segments = 0
        self.apart = 0
        """The most that a picture was away from its sound, ns, since it was asked."""
        self._behind: deque[float] = deque(maxlen=_LATEST)
        self._sent = sent
        self._place = 0
        """Of the latest picture among those of the feed."""
        self._late: deque[int] = deque(maxlen=_LATEST)

    def see(self, placed: list[Placed]) -> None:
        """Take what the grid gave out."""
        for item in placed:
            if isinstance(item, Picture):
                packet = EncodedPacket(item.pts, item.duration, item.key, b"")
                self._cut(self._video, [packet])
                self._note(item)
            else:
                count = item.samples.shape[1] // PIECE
                self._cut(
                    self._audio,
                    [EncodedPacket(item.pts + place * PIECE, PIECE, True, b"") for place in range(count)],
                )
                self._hear(item)

    def _cut(self, name: str, packets: list[EncodedPacket]) -> None:
        for piece in self._cutters[name].extend(packets):
            self._check(name, piece)

    def _check(self, name: str, piece: Piece) -> None:
        if not isinstance(piece, Cut):
            raise Broken(f"{name}: segment {piece.number} is missing")
        before = self._ends.get(name)
        if before is not None and (piece.number, piece.start) != (before[0] + 1, before[1]):
            raise Broken(f"{name}: segment {piece.number} does not follow {before[0]}")
        length = sum(sample.duration for samples in piece.parts for sample in samples)
        if length != piece.end - piece.start:
            raise Broken(f"{name}: segment {piece.number} has a hole")
        self._ends[name] = piece.number, piece.end
        self.segments += name == self._video

    def _note(self, picture: Picture) -> None:
        number = _NUMBERS.get(id(picture.frame))
        if number is not None:
            self._waiting.append((picture.pts * RATE // 90_000, number))
            step = (number - self._place) % len(PICTURES)
            self._place += step if step < len(PICTURES) // 2 else step - len(PICTURES)
            self._late.append(picture.pts * NANO // 90_000 - self._sent(self._place))

    def _hear(self, sound: Sound) -> None:
        """Compare the pictures that were shown during this sound with it."""
        end = sound.pts + sound.samples.shape[1]
        while self._waiting and self._waiting[0][0] < end:
            at, number = self._waiting.popleft()
            if at >= sound.pts:
                left, right = sound.samples[:2, at - sound.pts]
                if np.hypot(left, right) > 0.99:
                    self._compare(number, float(np.arctan2(right, left)))

    def _compare(self, number: int, angle: float) -> None:
        half = _TURN_NS / 2
        behind = (angle / (2 * np.pi) * _TURN_NS - number * NANO / FPS + half) % _TURN_NS - half
        self._behind.append(behind)
        self.apart = max(self.apart, abs(round(behind)))

    def behind(self) -> float:
        """How far the latest pictures were behind their sound on average, ns."""
        return fmean(self._behind) if self._behind else 0.0

    def late(self) -> float:
        """How long after they came the latest pictures have their place, on average, ns."""
        return fmean(self._late) if self._late else 0.0
