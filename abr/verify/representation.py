"""The Representations of a manifest with the facts of all that is due."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.model.time import NANO
from abr.verify.finding import Finding
from abr.verify.fragment import Media
from abr.verify.init import Init
from abr.verify.library import Fault, Library
from abr.verify.manifest import AdaptationSet, Manifest, Period, Representation, Template
from abr.verify.manifest_rules import representations
from abr.verify.rendition import presented
from abr.verify.timeline import Listed, expand, listed


class Due(NamedTuple):
    """A listed segment, its address, and its facts where it was read."""

    listed: Listed
    url: str
    media: Media | None


@dataclass(frozen=True)
class Track:
    """A Representation of one Period with its init and segments."""

    where: str
    period: Period
    group: AdaptationSet
    representation: Representation
    template: Template
    init: Init | None
    due: tuple[Due, ...]
    listed: tuple[Listed, ...]
    """All that the manifest lists, due or not."""
    faults: tuple[Finding, ...]

    @cached_property
    def read(self) -> tuple[Due, ...]:
        """Segments that were read without fault."""
        return tuple(item for item in self.due if item.media)

    def at(self, item: Due) -> str:
        """The place of a segment for a report."""
        return f"{self.where} {item.listed.time}"

    def seconds(self, ticks: int) -> Fraction:
        """Ticks of the template as seconds."""
        return Fraction(ticks, self.template.timescale)

    def presented(self, media: Media) -> Fraction:
        """The earliest presentation time of a segment, after the edit list, seconds of media time."""
        assert self.init is not None
        return presented(self.init.track, media)[0]

    def length(self, media: Media) -> Fraction:
        """How long a segment's samples are presented, seconds."""
        assert self.init is not None
        return presented(self.init.track, media)[1]

    def pairs(self) -> Iterator[tuple[Media, Media, Due]]:
        """Each two segments that follow each other and were both read, and the place of the second."""
        for before, after in pairwise(self.due):
            if before.media and after.media:
                yield before.media, after.media, after


def available(manifest: Manifest, period: Period, template: Template, item: Listed) -> int | None:
    """Nanoseconds since 1970 at which a segment can be had (5.3.9.5.3); None for static manifests."""
    start = manifest.date("availabilityStartTime")
    if start is None or not manifest.dynamic:
        return None
    end = Fraction(item.time + item.duration - template.offset, template.timescale)
    return start + int((period.start + end - template.early) * NANO)


def load(library: Library, manifest: Manifest, now: int) -> list[Track]:
    """Fetch and read each Representation; `now` is nanoseconds since 1970."""
    found = []
    for where, period, group, item in representations(manifest):
        if item.template is not None:
            found.append(_load_track(library, manifest, (where, period, group, item, item.template), now))
    return found


_Place = tuple[str, Period, AdaptationSet, Representation, Template]


def _load_track(library: Library, manifest: Manifest, place: _Place, now: int) -> Track:
    where, period, group, item, template = place
    faults: list[Finding] = []
    segments: list[Listed] = []
    due: list[Due] = []
    init: Init | None = None
    try:
        segments = listed(template, period, _elapsed(manifest, period, now))
        init = _init(library, expand(template.attributes.get("initialization", ""), item, None), faults)
        ready = [row for row in segments if (available(manifest, period, template, row) or 0) <= now]
        due = [
            _segment(library, expand(template.attributes.get("media", ""), item, row), row, init)
            for row in ready
        ]
    except RemoteProtocolError as error:
        faults.append(Finding("D-38", where, str(error)))
    for row in due:
        fault = library.fault(row.url) if init and row.media is None else None
        if fault:
            faults.append(
                Finding("D-56" if fault.missing else "H-45", f"{where} {row.listed.time}", fault.text)
            )
    return Track(where, period, group, item, template, init, tuple(due), tuple(segments), tuple(faults))


def _elapsed(manifest: Manifest, period: Period, now: int) -> Fraction | None:
    start = manifest.date("availabilityStartTime")
    if not manifest.dynamic or start is None:
        return None
    return Fraction(now - start, NANO) - period.start


def _init(library: Library, url: str, faults: list[Finding]) -> Init | None:
    result = library.init(url)
    if isinstance(result, Fault):
        faults.append(Finding("D-50" if result.missing else "H-45", url, result.text))
        return None
    return result


def _segment(library: Library, url: str, row: Listed, init: Init | None) -> Due:
    if init is None:
        return Due(row, url, None)
    result = library.segment(url, None, init)
    return Due(row, url, None if isinstance(result, Fault) else result)
