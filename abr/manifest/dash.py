"""From journal records to DASH: Periods with their timelines, extended and cut as the window moves.

A Period is a run of releases of one session in which the same renditions have media. Each of these becomes a
Representation, so a rung that pauses leaves with one Period and returns with another. A release of which an
adaptation set has nothing at all is left out.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from abr.formats.dash import (
    PERIOD_CONNECTIVITY,
    AdaptationSet,
    Descriptor,
    Period,
    Representation,
    SegmentList,
    Segments,
    SegmentTemplate,
    write_s,
)
from abr.manifest.hls import UNKNOWN_LANGUAGE
from abr.manifest.timeline import Entry
from abr.model.media import Kind
from abr.model.segment import Rendition, Session

_CHANNEL_CONFIGURATIONS = {7: 11, 8: 12}
"""ISO/IEC 23091-3: 6.1 and 7.1; up to six channels the number is the count."""


class Timeline:
    """The segments of one rendition in one Period: runs of equal durations, each written once."""

    def __init__(self, start: int) -> None:
        self.start = start
        """Ticks at which the first segment begins."""
        self.end = start
        self._runs: deque[tuple[int, int]] = deque()
        self._lines: deque[str] = deque()

    def append(self, duration: int) -> None:
        """The next segment, which begins where the last one ended."""
        self.end += duration
        count = 1
        if self._runs and self._runs[-1][0] == duration:
            count += self._runs.pop()[1]
            self._lines.pop()
        self._runs.append((duration, count))
        self._lines.append(write_s(duration, count))

    def drop(self) -> None:
        """The first segment leaves."""
        duration, count = self._runs.popleft()
        self._lines.popleft()
        self.start += duration
        if count > 1:
            self._runs.appendleft((duration, count - 1))
            self._lines.appendleft(write_s(duration, count - 1))

    def lines(self) -> list[str]:
        """The S elements. Only the first says where it begins."""
        duration, count = self._runs[0]
        return [write_s(duration, count, self.start), *islice(self._lines, 1, None)]

    def single_lines(self) -> list[str]:
        """One S for each segment: dash.js 5 takes the n-th SegmentURL for the n-th S, repeats or not."""
        durations = [duration for duration, count in self._runs for _ in range(count)]
        first, *rest = durations
        return [write_s(first, 1, self.start), *(write_s(duration, 1) for duration in rest)]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a Period lies, seconds."""

    start: Fraction
    """Period@start: its place in the presentation."""
    media: Fraction
    """The media time of that instant; presentationTimeOffset in each timescale."""


class OpenPeriod:
    """A Period while it grows at its end and is cut at its front."""

    def __init__(self, entry: Entry, period: str, origin: Origin) -> None:
        self.id = period
        self.session = entry.session
        self.origin = origin
        self._numbers: deque[int] = deque()
        self._timelines = tuple(Timeline(row.start) for row in entry.release.rows)
        self._present = entry.present
        self._sets = tuple(
            tuple(index for index in members if index in self._present)
            for members in adaptation_sets(entry.session)
        )
        self._aligned = [True] * len(self._sets)

    def goes_on(self, entry: Entry) -> bool:
        """Whether this release belongs to the Period: no gap, no jump in any rendition."""
        if entry.session.id != self.session.id or entry.present != self._present:
            return False
        if self.session.live and entry.release.number != self._numbers[-1] + 1:
            return False
        return all(
            row.start == timeline.end
            for row, timeline in zip(entry.release.rows, self._timelines, strict=True)
        )

    def append(self, entry: Entry) -> None:
        """The next release."""
        rows = entry.release.rows
        self._numbers.append(entry.release.number)
        for row, timeline in zip(rows, self._timelines, strict=True):
            timeline.append(row.duration)
        for place, members in enumerate(self._sets):
            if len({(rows[index].start, rows[index].duration) for index in members}) > 1:
                self._aligned[place] = False

    def drop(self) -> bool:
        """The first release leaves. Answers whether any is left."""
        self._numbers.popleft()
        for timeline in self._timelines:
            if self._numbers:
                timeline.drop()
        return bool(self._numbers)

    @property
    def length(self) -> Fraction:
        """Seconds from Period@start to the end of its media, in the rendition that ends first."""
        renditions = self.session.renditions
        ends = (Fraction(self._timelines[index].end, renditions[index].timescale) for index in self._present)
        return min(ends) - self.origin.media

    @property
    def skips(self) -> bool:
        """Whether numbers are left out, as a film that keeps its own key frames may do."""
        return self._numbers[-1] - self._numbers[0] + 1 != len(self._numbers)

    def element(self, before: "OpenPeriod | None", duration: Fraction | None, folder: str = "") -> Period:
        """The Period; `before` is the one listed before it, `folder` the way to the renditions' folders."""
        connected = _connection(before, self.session)
        sets = tuple(self._adaptation_set(place, connected, folder) for place in range(len(self._sets)))
        return Period(self.id, self.origin.start, sets, duration)

    def _adaptation_set(self, place: int, connected: tuple[Descriptor, ...], folder: str) -> AdaptationSet:
        members = [self.session.renditions[index] for index in self._sets[place]]
        shared = self._aligned[place] and not self.skips
        lead = members[0]
        return AdaptationSet(
            id=place + 1,
            kind=lead.kind,
            representations=tuple(
                _representation(member, None if shared else self._segments(index, folder))
                for index, member in zip(self._sets[place], members, strict=True)
            ),
            role="main" if place == self._first_of(lead.kind) else "alternate",
            lang=(lead.language or UNKNOWN_LANGUAGE) if lead.kind is Kind.AUDIO else None,
            label=lead.label,
            par=_aspect(lead) if lead.kind is Kind.VIDEO else None,
            channel_configuration=_channels(lead) if lead.kind is Kind.AUDIO else None,
            supplemental=connected,
            segments=self._segments(self._sets[place][0], folder) if shared else None,
        )

    def _first_of(self, kind: Kind) -> int:
        kinds = [self.session.renditions[members[0]].kind for members in self._sets]
        return kinds.index(kind)

    def _segments(self, index: int, folder: str) -> Segments:
        rendition = self.session.renditions[index]
        scale = rendition.timescale
        timeline = self._timelines[index]
        offset = round(self.origin.media * scale)
        if self.skips:
            path = f"{folder}{rendition.name}/{self.session.id}"
            media = [f"{path}/{number}.m4s" for number in self._numbers]
            return SegmentList(scale, offset, f"{path}/init.mp4", media, timeline.single_lines())
        path = f"{folder}$RepresentationID$/{self.session.id}"
        return SegmentTemplate(
            timescale=scale,
            presentation_time_offset=offset,
            initialization=f"{path}/init.mp4",
            media=f"{path}/$Number$.m4s",
            start_number=self._numbers[0],
            timeline=timeline.lines(),
        )


class LivePeriods:
    """The Periods of the live window. Their id and start follow from the number that each began with."""

    def __init__(self) -> None:
        self.periods: deque[OpenPeriod] = deque()
        self._open = False
        self._run: int | None = None

    def begin(self, run: int | None) -> None:
        """A session begins; `run` is the number that the Period of its next release began with, if earlier."""
        self._open = False
        self._run = run

    def clear(self) -> None:
        """Nothing is listed any more."""
        self.periods.clear()
        self._open = False

    def append(self, entry: Entry) -> None:
        """The next release. One that cannot be played is left out and the next Period begins after it (DASH-IF IOP)."""
        if not is_playable(entry):
            self._open, self._run = False, None
            return
        if not self._open or not self.periods[-1].goes_on(entry):
            number = entry.release.number if self._run is None else self._run
            start = number * entry.session.duration
            self.periods.append(OpenPeriod(entry, period_id(entry.session, number), Origin(start, start)))
            self._open, self._run = True, None
        self.periods[-1].append(entry)

    def drop(self, entry: Entry) -> None:
        """The first release of the window leaves."""
        if is_playable(entry) and not self.periods[0].drop():
            self.periods.popleft()

    def elements(self, *, ended: bool) -> Iterator[Period]:
        """The Periods. All but the last have a duration, at the end the last too."""
        before = None
        for place, period in enumerate(self.periods):
            closed = ended or place + 1 < len(self.periods)
            yield period.element(before, period.length if closed else None)
            before = period


def period_id(session: Session, number: int) -> str:
    """Period@id: which session, and the number that it began with."""
    return f"{session.id}.{number}"


def is_playable(entry: Entry) -> bool:
    """Whether some rendition of each adaptation set has media here."""
    present = set(entry.present)
    return all(present.intersection(members) for members in adaptation_sets(entry.session))


def adaptation_sets(session: Session) -> tuple[tuple[int, ...], ...]:
    """Which renditions a player may switch between, as places in the session."""
    sets: dict[tuple[object, ...], list[int]] = {}
    for index, rendition in enumerate(session.renditions):
        sets.setdefault(_switching_key(rendition), []).append(index)
    return tuple(tuple(members) for members in sets.values())


def _switching_key(rendition: Rendition) -> tuple[object, ...]:
    """ISO/IEC 23000-19 §7.3.4: same kind, sample entry and timescale; of a sound also what is heard."""
    entry = rendition.codec.partition(".")[0]
    sound = (rendition.language, rendition.label, rendition.channels)
    return (rendition.kind, entry, rendition.timescale, *(sound if rendition.kind is Kind.AUDIO else ()))


def _connection(before: OpenPeriod | None, session: Session) -> tuple[Descriptor, ...]:
    """Period connectivity where the inits are alike: the player keeps its buffers (§5.3.2.4)."""
    if before is None or _inits(before.session) != _inits(session):
        return ()
    return (Descriptor(PERIOD_CONNECTIVITY, before.id),)


def _inits(session: Session) -> Sequence[tuple[object, ...]]:
    return [
        (one.name, one.codec, one.timescale, one.width, one.height, one.sample_rate, one.channels)
        for one in session.renditions
    ]


def _representation(rendition: Rendition, segments: Segments | None) -> Representation:
    return Representation(
        id=rendition.name,
        bandwidth=rendition.bandwidth,
        codecs=rendition.codec,
        width=rendition.width or None,
        height=rendition.height or None,
        frame_rate=rendition.frame_rate,
        audio_sampling_rate=rendition.sample_rate or None,
        segments=segments,
    )


def _aspect(rendition: Rendition) -> str | None:
    if not rendition.width or not rendition.height:
        return None
    shape = Fraction(rendition.width, rendition.height)
    return f"{shape.numerator}:{shape.denominator}"


def _channels(rendition: Rendition) -> int | None:
    return _CHANNEL_CONFIGURATIONS.get(rendition.channels, rendition.channels) or None
