"""A film: the source's own pictures at their own times, with sound that begins and ends with them."""

from collections import Counter, deque
from collections.abc import Sequence
from fractions import Fraction

import av

from abr.errors import MediaError
from abr.model.ladder import Ladder
from abr.model.media import Track
from abr.model.time import NANO, rescale
from abr.transcode.desk import SoundDesk
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound, Picture, Placed, Sound
from abr.transcode.source import Source

_PATIENCE = 10 * NANO
"""How far the pictures may be ahead of the sound before the sound is taken to be missing."""

_AHEAD = 60 * NANO
"""How far the sound may be ahead of the pictures; more is not kept."""


_PIECE = NANO // 2
"""Sound is given out in pieces of at least this length: handing it on costs more than encoding it."""


class Film:
    """A stage without a clock: Decoded in, Placed out (DESIGN 3.9).

    The first picture has media time D (one segment); without pictures the first sample. A picture lasts until
    the next one. Raises MediaError where the ladder wants pictures and there are none.
    """

    def __init__(self, ladder: Ladder, tracks: Sequence[Track]) -> None:
        self._source = Source(tracks, ladder)
        self._video = bool(ladder.video)
        if self._video and self._source.picture is None:
            raise MediaError("there is no video in the film; use a profile of sound alone")
        self._desk = SoundDesk(ladder)
        self._start = ladder.duration
        self._keys: list[tuple[int, int]] = []
        """Segment and key interval: ticks · first // second counts them."""
        if self._video:
            rung = ladder.video[0]
            self._timescale = rung.timescale
            for interval in (ladder.duration, rung.key_frames / rung.rate):
                ticks = interval * rung.timescale
                self._keys.append((ticks.denominator, ticks.numerator))
            self._last_duration = int(rung.timescale / rung.rate)
        self._offset: int | None = None
        """From the film's time to media time, ns."""
        self._waiting: deque[tuple[int, DecodedSound]] = deque()
        self._held: tuple[int, av.VideoFrame] | None = None
        """The newest picture; its length is not known yet."""
        self._sound_due = 1
        self._key: list[int] = []
        self._counts: Counter[str] = Counter()

    def push(self, item: Decoded, now: int = 0) -> list[Placed]:  # noqa: ARG002 - a stage's shape
        """Take a picture or sound of the film."""
        source = self._source
        if not source.uses(item.track):
            return []
        time = source.to_ns(item.track, item.pts)
        if isinstance(item, DecodedPicture):
            placed = self._picture(time, item.frame)
        else:
            placed = []
            self._sound(time, item)
        return placed + list(self._ready_sound())

    def tick(self, now: int) -> list[Placed]:  # noqa: ARG002 - a stage's shape
        """Nothing is due without an item."""
        return []

    def due(self) -> int | None:
        """Only an item brings anything."""
        return None

    def flush(self) -> list[Placed]:
        """The last picture, and sound to its end. Raises MediaError when there was no picture."""
        self._desk.drain()
        placed: list[Placed] = []
        if self._held is not None:
            pts = self._held[0]
            placed.append(self._shown(pts + self._last_duration))
            end = rescale(pts + self._last_duration, self._timescale, NANO)
        elif self._video:
            raise MediaError("no picture of the film could be decoded")
        else:
            end = max((tail for tail in self._desk.tails if tail is not None), default=0)
        return placed + list(self._desk.end(end))

    def stats(self) -> dict[str, int]:
        """Pictures given out, disordered (not after the one before; left out); sound as in the live grid."""
        counted = self._desk.counts()
        counted.update({name: self._counts[name] for name in ("pictures", "disordered", "refused")})
        return dict(counted)

    def _picture(self, time: int, frame: av.VideoFrame) -> list[Placed]:
        """Hold a picture back, and give out the one before."""
        if self._offset is None:
            self._begin(time)
        pts = rescale(time + (self._offset or 0), NANO, self._timescale)
        placed: list[Placed] = []
        if self._held is not None:
            if pts <= self._held[0]:
                self._counts["disordered"] += 1
                return placed
            placed.append(self._shown(pts))
        self._held = (pts, frame)
        return placed

    def _shown(self, end: int) -> Picture:
        """The picture that was held back, which lasts until `end`."""
        assert self._held is not None
        pts, frame = self._held
        key = [pts * multiply // divide for multiply, divide in self._keys]
        picture = Picture(pts, end - pts, key != self._key, frame)
        self._key, self._last_duration = key, end - pts
        self._counts["pictures"] += 1
        return picture

    def _begin(self, time: int) -> None:
        """Let media time begin at this instant of the film."""
        start = self._instant(self._start)
        self._offset = start - time
        self._desk.begin(start)
        for at, sound in self._waiting:
            self._put(at, sound)
        self._waiting.clear()

    def _sound(self, time: int, item: DecodedSound) -> None:
        if self._offset is not None:
            self._put(time, item)
        elif not self._video:
            self._begin(time)
            self._put(time, item)
        else:
            self._waiting.append((time, item))
            while time - self._waiting[0][0] > _AHEAD:
                self._waiting.popleft()

    def _put(self, time: int, item: DecodedSound) -> None:
        place = time + (self._offset or 0)
        if self._held is not None and place - rescale(self._held[0], self._timescale, NANO) > _AHEAD:
            self._counts["refused"] += 1
            return
        self._desk.put(self._source.sounds[item.track], place, item.frame)

    def _ready_sound(self) -> list[Sound]:
        until = self._settled()
        if until < self._sound_due:
            return []
        self._sound_due = until + _PIECE
        return self._desk.take(until, patience=_PATIENCE)

    def _settled(self) -> int:
        """Up to where no later item changes the sound: the newest picture; without pictures the newest sound."""
        if self._held is not None:
            return rescale(self._held[0], self._timescale, NANO)
        if self._video or self._offset is None:
            return 0
        return max((tail for tail in self._desk.tails if tail is not None), default=0)

    @staticmethod
    def _instant(time: Fraction) -> int:
        return int(time * NANO)
