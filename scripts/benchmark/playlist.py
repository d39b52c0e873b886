"""`playlist`: the work of one update of the live views at windows of a minute, an hour and a day."""

import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial

from abr.manifest.views import LiveViews
from abr.model.media import Kind
from abr.model.segment import Part, Release, Rendition, SegmentRow, Session

from .bench import Bench
from .pairs import interleave, ratios, spread
from .report import Figure, Report

_DURATION = Fraction(48, 25)
_WINDOWS = {"1 min": 60, "1 h": 3600, "24 h": 86_400}
_UPDATES = 1000
"""Updates that are timed together."""
_BOUND = 1.5
_FIRST = 930_000_000
"""The first segment's number: the year 2026 at this length."""
_RUNGS = (("720p", 1280, 720), ("540p", 960, 540), ("360p", 640, 360), ("234p", 416, 234))


def measure(bench: Bench) -> Report:
    """Measure. The texts themselves (`playlist`, `manifest`) are not part of it: they grow with the window."""
    channels = {}
    for name, seconds in _WINDOWS.items():
        bench.told(f"filling a window of {name}")
        channels[name] = Channel(seconds)
    sides = {name: partial(channel.advance, _UPDATES) for name, channel in channels.items()}
    times = interleave(sides, max(bench.pairs, 5) * 2, bench.told)
    first, *others = _WINDOWS
    bounds = {"24 h": _BOUND}
    figures = [
        Figure(f"update at {name} / at {first}", ratios(times[name], times[first]), bound=bounds.get(name))
        for name in others
    ]
    figures += [Figure(f"update at {name}", spread(times[name]), "µs") for name in _WINDOWS]
    facts = {"entries": {name: channel.listed for name, channel in channels.items()}, "renditions": 5}
    return Report("playlist", tuple(figures), facts=facts)


class Channel:
    """The views of a channel whose window is full."""

    def __init__(self, window: int) -> None:
        session = make_session(window)
        self._views = LiveViews(session.channel)
        self._views.begin(session, 0)
        self._releases = releases(session)
        self.listed = int(window / _DURATION) + 1
        for _ in range(self.listed + 10):
            self._views.advance(next(self._releases))

    def advance(self, count: int) -> float:
        """Microseconds of processor time of one update, over `count` of them."""
        ready = [next(self._releases) for _ in range(count)]
        started = time.thread_time_ns()
        for release in ready:
            self._views.advance(release)
        return (time.thread_time_ns() - started) / count / 1000


def make_session(window: int) -> Session:
    """A live session of four rungs and sound."""
    video = [
        Rendition(
            name, Kind.VIDEO, 90_000, "avc1.64001f", 3_000_000, 2_000_000, 7200, width, height, Fraction(25)
        )
        for name, width, height in _RUNGS
    ]
    audio = Rendition(
        "audio", Kind.AUDIO, 48_000, "mp4a.40.2", 140_000, 128_000, sample_rate=48_000, channels=2
    )
    identity = "20260829T181500Z-00000000000000aa"
    return Session(
        identity, "bench", (*video, audio), _DURATION, live=True, window=Fraction(window), event=identity
    )


def releases(session: Session) -> Iterator[Release]:
    """Release after release, without end."""
    sequence = 0
    while True:
        number = _FIRST + sequence
        rows = tuple(_row(session, rendition, number) for rendition in session.renditions)
        yield Release(sequence, 0, session.id, number, rows)
        sequence += 1


def _row(session: Session, rendition: Rendition, number: int) -> SegmentRow:
    ticks = int(session.duration * rendition.timescale)
    size = 200_000 + number % 7 * 1000
    parts = (Part(ticks, size, independent=True),)
    return SegmentRow(
        session.id, rendition.name, number, number * ticks, ticks, size, "0" * 64, 24, size // 8, parts
    )
