"""Where one track of a feed stands on the time line that the normaliser makes."""

from collections import deque
from fractions import Fraction

from abr.model.media import Kind, Track
from abr.model.time import NANO

_WRAPS = {Fraction(1, 90_000): 1 << 33, Fraction(1, 1000): 1 << 32}
"""After how many ticks MPEG-TS (ISO/IEC 13818-1, 2.4.3.7) and RTMP (5.3.1) count from 0 again."""

_FARTHEST_CTS = 10
"""Seconds by which a picture may be shown after it is decoded; more is a damaged time."""

_LATELY = 16
"""Packets among which one that came twice is looked for: fewer than any clip has that is played in a loop."""


class Line:
    """Where one track stands. All times in its ticks; `shift` is added to what the feed says, `apart` is a part of it."""

    __slots__ = (
        "_lately",
        "apart",
        "base",
        "expected",
        "given",
        "kind",
        "last",
        "limit",
        "shift",
        "step",
        "wrap",
    )

    def __init__(self, track: Track, jump: int) -> None:
        self.base = track.time_base
        self.kind = track.kind
        self.limit = int(Fraction(jump, NANO) / track.time_base)
        self.wrap = _WRAPS.get(track.time_base)
        self.shift = 0
        self.apart = 0
        """How far this track's clock is behind that of the others, from its beginning."""
        self.step = 0
        """How long the packet before lasted."""
        self.last: int | None = None
        self.given = False
        """Whether `last` came from the feed."""
        self.expected: int | None = None
        self._lately: deque[tuple[int, int]] = deque(maxlen=_LATELY)
        """Time as the feed said it, and hash, of the latest packets."""

    @property
    def common(self) -> int:
        """What is added to all tracks alike, ns."""
        return self.to_ns(self.shift - self.apart)

    def to_ns(self, ticks: int) -> int:
        return ticks * self.base.numerator * NANO // self.base.denominator

    def from_ns(self, time: int) -> int:
        divisor = self.base.numerator * NANO
        return (2 * time * self.base.denominator + divisor) // (2 * divisor)

    def repeats(self, raw: int, print_: int) -> bool:
        """Whether a packet with this time and hash has just been here; from now on it has."""
        behind = self.last is not None and raw + self.shift <= self.last
        if behind and (raw, print_) in self._lately:
            return True
        self._lately.append((raw, print_))
        return False

    def forget(self) -> None:
        """What was here may come again: a file is repeated."""
        self._lately.clear()

    def turns(self, raw: int) -> int:
        """How often the feed's counter must have begun at 0 again, for `raw` to be where a packet is expected."""
        if self.wrap is None or self.expected is None:
            return 0
        turns, rest = divmod(self.expected - raw - self.shift + self.wrap // 2, self.wrap)
        return turns if abs(rest - self.wrap // 2) <= self.limit else 0

    def delay(self, pts: int, dts: int) -> int | None:
        """How long after its decode time a packet is shown; None when that cannot be."""
        delay = pts - dts
        if self.wrap is not None:
            delay = (delay + self.wrap // 2) % self.wrap - self.wrap // 2
        return delay if -self.limit <= delay <= self.limit * _FARTHEST_CTS else None

    def hole(self, dts: int) -> bool:
        """Whether sound is missing before this packet: more than two packets of it."""
        if self.kind is Kind.VIDEO or self.expected is None:
            return False
        return 0 < 2 * self.step < dts - self.expected
