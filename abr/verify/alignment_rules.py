"""Rules between renditions: one timeline, one numbering, one ladder (RFC 8216bis 6.2.4; ISO/IEC 23000-19 7.3.4)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

from abr.model.time import NANO
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import show
from abr.verify.rendition import Item, Presentation, Rendition

_VIDEO_STEP = Fraction(15, 10_000)
_AUDIO_STEP = Fraction(1, 10)
_DATE_VIDEO, _DATE_AUDIO = Fraction(20, 1000), Fraction(50, 1000)


def matched(first: Rendition, second: Rendition) -> Iterator[tuple[Item, Item]]:
    """Segments of one sequence number in both lists."""
    other = {item.entry.sequence: item for item in second.media}
    for item in first.media:
        if item.entry.sequence in other:
            yield item, other[item.entry.sequence]


def _beside_first(renditions: tuple[Rendition, ...]) -> Iterator[tuple[Rendition, Rendition]]:
    yield from ((renditions[0], other) for other in renditions[1:])


def date_offsets(rendition: Rendition) -> dict[int, Fraction]:
    """Seconds from media time to PROGRAM-DATE-TIME, by discontinuity sequence number."""
    offsets: dict[int, Fraction] = {}
    for item in rendition.media:
        if item.entry.date is not None:
            offsets.setdefault(item.entry.discontinuity, Fraction(item.entry.date, NANO) - item.start)
    return offsets


@judges("H-33")
def dates(presentation: Presentation) -> Iterator[Finding]:
    """6.2.1: dates in all lists or none, and one mapping."""
    dated = [
        item for item in presentation.main if any(entry.date is not None for entry in item.playlist.entries)
    ]
    if dated:
        for item in presentation.main:
            if item not in dated and item.playlist.entries:
                yield Finding(
                    "H-33", item.url, f"no PROGRAM-DATE-TIME, {dated[0].url.rsplit('/', 2)[-2]} has it"
                )
    first = next((item for item in presentation.video + presentation.audio if item in dated), None)
    reference = date_offsets(first) if first else {}
    for item in dated:
        limit = _DATE_AUDIO if item.is_audio else _DATE_VIDEO
        for number, offset in date_offsets(item).items():
            off = offset - reference.get(number, offset)
            if abs(off) > limit:
                where = f"{item.url} discontinuity {number}"
                yield Finding("H-33", where, f"dates lie {show(abs(off))} from those of the first list")
                break


@judges("H-70")
def targets(presentation: Presentation) -> Iterator[Finding]:
    """4.4.3.1, 6.2.4: one target duration; I-frame lists of finished streams may differ."""
    rows = [item for item in presentation.renditions.values() if item.playlist.target]
    rows = [item for item in rows if item.playlist.live or item.role not in {"iframes", "subtitles"}]
    for item in rows[1:]:
        if item.playlist.target != rows[0].playlist.target:
            text = f"TARGETDURATION {item.playlist.target}, the first list has {rows[0].playlist.target}"
            yield Finding("H-70", item.url, text)


@judges("H-71")
def video_times(presentation: Presentation) -> Iterator[Finding]:
    """6.2.4: the same instant in all video renditions; the first difference of each is named."""
    for first, other in _beside_first(presentation.video):
        for mine, theirs in matched(first, other):
            off = theirs.start - mine.start
            if abs(off) > _VIDEO_STEP:
                yield Finding(
                    "H-71", other.where(theirs), f"presented {show(abs(off))} from {first.where(mine)}"
                )
                break


@judges("H-73")
def audio_times(presentation: Presentation) -> Iterator[Finding]:
    """Apple 8.22: audio is cut where video is."""
    for other in presentation.audio if presentation.video else ():
        for mine, theirs in matched(presentation.video[0], other):
            off = theirs.start - mine.start
            if abs(off) > _AUDIO_STEP:
                yield Finding(
                    "H-73", other.where(theirs), f"begins {show(abs(off))} from the video's segment"
                )
                break


@judges("H-72", "A-8.13")
def breaks(presentation: Presentation) -> Iterator[Finding]:
    """6.2.4; Apple 8.13 to 8.15: one count of discontinuities, at the same points."""
    for first, other in _beside_first(presentation.main):
        theirs = {entry.sequence: entry for entry in other.playlist.entries}
        apart = _apart(first, other)
        for entry in first.playlist.entries:
            match = theirs.get(entry.sequence)
            if match is None or entry.sequence in apart:
                continue
            where = f"{other.url}#{entry.sequence}"
            if match.breaks != entry.breaks and entry != first.playlist.entries[0]:
                yield Finding("A-8.13", where, "DISCONTINUITY in one list, not in the other")
                break
            if match.discontinuity != entry.discontinuity:
                text = (
                    f"discontinuity sequence {match.discontinuity}, the first list has {entry.discontinuity}"
                )
                yield Finding("H-72", where, text)
                break


def _apart(first: Rendition, second: Rendition) -> frozenset[int]:
    """Sequence numbers that mean other content in the second list, by the time of what was read."""
    limit = Fraction(first.playlist.target or 1, 2)
    pairs = matched(first, second)
    return frozenset(mine.entry.sequence for mine, theirs in pairs if abs(mine.start - theirs.start) >= limit)


@judges("H-74", "C-12")
def extents(presentation: Presentation) -> Iterator[Finding]:
    """6.2.4; ISO/IEC 23000-19 7.3.6. While live, a list may have grown by one segment between two looks."""
    rows = [item for item in presentation.video + presentation.audio if item.media]
    if not rows:
        return
    limit = Fraction(min(item.playlist.target or 1 for item in rows))
    limit *= 2 if any(item.playlist.live for item in rows) else 1
    for first, other in _beside_first(tuple(rows)):
        starts = abs(other.media[0].start - first.media[0].start)
        ends = abs(_end(other) - _end(first))
        for name, off in (("starts", starts), ("ends", ends)):
            if off > limit:
                yield Finding("H-74", other.url, f"{name} {show(off)} from {first.url.rsplit('/', 2)[-2]}")
                yield Finding("C-12", other.url, f"{name} {show(off)} from {first.url.rsplit('/', 2)[-2]}")


def _end(rendition: Rendition) -> Fraction:
    return rendition.media[-1].start + rendition.media[-1].length


@judges("A-8.3")
def equal_lengths(presentation: Presentation) -> Iterator[Finding]:
    """Apple 8.3: in finished streams, to a tenth of a second (some audio frames)."""
    for first, other in _beside_first(presentation.video[:1] + presentation.audio):
        off = abs(first.playlist.duration - other.playlist.duration)
        if off > _AUDIO_STEP:
            yield Finding(
                "A-8.3", other.url, f"{show(other.playlist.duration)}, video {show(first.playlist.duration)}"
            )


@judges("C-08")
def headers(presentation: Presentation) -> Iterator[Finding]:
    """7.3.4; DVB 4.3: renditions of one codec are one switching set."""
    for first, other in combinations(presentation.video, 2):
        if first.track and other.track and first.track.entry.kind == other.track.entry.kind:
            mine = (first.track.timescale, first.track.id, first.track.handler)
            theirs = (other.track.timescale, other.track.id, other.track.handler)
            if mine != theirs:
                text = f"timescale, track id, handler {theirs}, {first.url.rsplit('/', 2)[-2]} has {mine}"
                yield Finding("C-08", other.url, text)


@judges("C-09", "C-15")
def fragments(presentation: Presentation) -> Iterator[Finding]:
    """7.3.4.1: the same fragments at the same decode times, and the same key pictures."""
    for first, other in _beside_first(presentation.video):
        for mine, theirs in matched(first, other):
            if _starts(mine) != _starts(theirs):
                yield Finding(
                    "C-09", other.where(theirs), f"fragments lie elsewhere than in {first.where(mine)}"
                )
                break
            if _keys(mine) != _keys(theirs):
                yield Finding(
                    "C-15", other.where(theirs), f"IDR pictures lie elsewhere than in {first.where(mine)}"
                )
                break


def _starts(item: Item) -> list[Fraction]:
    return [item.seconds(fragment.start or 0) for fragment in item.media.fragments]


def _keys(item: Item) -> list[Fraction]:
    return sorted(item.seconds(key) for key in item.media.keys)


@judges("C-06")
def audio_edits(presentation: Presentation) -> Iterator[Finding]:
    """One delay in every audio rendition, so that a switch keeps lip sync."""
    for first, other in combinations([item for item in presentation.audio if item.track], 2):
        assert first.track
        assert other.track
        mine, theirs = (track.shift / track.timescale for track in (first.track, other.track))
        if mine != theirs:
            text = f"the edit list takes {show(theirs)}, that of {first.url.rsplit('/', 2)[-2]} {show(mine)}"
            yield Finding("C-06", other.url, text)


@judges("H-35")
def date_ranges(presentation: Presentation) -> Iterator[Finding]:
    """4.4.5.1: the same ranges in all lists that have any."""
    rows = [(item, _range_ids(item)) for item in presentation.main]
    rows = [(item, names) for item, names in rows if names]
    for item, names in rows[1:]:
        if names != rows[0][1]:
            yield Finding("H-35", item.url, f"other DATERANGEs than {rows[0][0].url.rsplit('/', 2)[-2]}")


def _range_ids(rendition: Rendition) -> frozenset[str]:
    return frozenset(tag.value for tag in rendition.playlist.text.tags if tag.name == "EXT-X-DATERANGE")


ALIGNMENT_CHECKS: tuple[Check[Presentation], ...] = (
    dates,
    targets,
    video_times,
    audio_times,
    breaks,
    extents,
    headers,
    fragments,
    audio_edits,
    date_ranges,
)
FINISHED_ALIGNMENT_CHECKS: tuple[Check[Presentation], ...] = (equal_lengths,)
