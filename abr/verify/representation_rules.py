"""Rules on DASH media: what the manifest says of each segment and track (ISO/IEC 23009-1 5.3; DASH-IF 4)."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from abr.model.time import NANO
from abr.verify.codec import same_codec
from abr.verify.finding import Check, Finding, judges
from abr.verify.instant import show
from abr.verify.manifest import Manifest
from abr.verify.representation import Track, available


class Look(NamedTuple):
    """A manifest with its tracks, as they were at one instant (nanoseconds since 1970)."""

    manifest: Manifest
    tracks: tuple[Track, ...]
    now: int


@judges("D-50", "D-51", "D-52", "D-53", "D-54")
def headers(look: Look) -> Iterator[Finding]:
    """5.3.7.2: attributes as the init has them."""
    for track in look.tracks:
        if track.init is None:
            continue
        real, told = track.init.track, track.representation.attributes
        if len(track.init.tracks) != 1:
            yield Finding("D-50", track.where, f"{len(track.init.tracks)} tracks in the init")
        if "codecs" in told and not same_codec(told["codecs"], real.entry.codec):
            yield Finding("D-51", track.where, f"codecs {told['codecs']}, the init has {real.entry.codec}")
        if track.template.timescale != real.timescale:
            yield Finding(
                "D-52", track.where, f"timescale {track.template.timescale}, the track has {real.timescale}"
            )
        size = (told.get("width"), told.get("height"))
        if (
            real.handler == "vide"
            and size != (None, None)
            and size != (str(real.entry.width), str(real.entry.height))
        ):
            text = f"{size[0]}x{size[1]}, the track has {real.entry.width}x{real.entry.height}"
            yield Finding("D-53", track.where, text)
        rate = told.get("audioSamplingRate")
        if real.handler == "soun" and rate is not None and rate != str(real.entry.sample_rate):
            yield Finding(
                "D-54", track.where, f"audioSamplingRate {rate}, the track has {real.entry.sample_rate}"
            )


@judges("D-56", "D-57", "D-58", "D-59")
def segments(look: Look) -> Iterator[Finding]:
    """5.3.9.6.2, 5.3.9.2: times exact with a timeline, edges within half a segment with @duration."""
    for track in look.tracks:
        for item in track.read:
            assert item.media
            told, real = track.seconds(item.listed.time), track.presented(item.media)
            length, lasts = track.seconds(item.listed.duration), track.length(item.media)
            slack = Fraction(0) if track.template.stretches else length / 2
            if abs(real - told) > slack:
                yield Finding("D-57", track.at(item), f"t is {show(told)}, presented from {show(real)}")
            shorter = bool(slack) and item.listed == track.listed[-1] and lasts < length
            if abs(lasts - length) > slack and not shorter:
                yield Finding("D-58", track.at(item), f"d is {show(length)}, the samples last {show(lasts)}")
            if item.media.key is False or not item.media.sync[0]:
                yield Finding("D-59", track.at(item), "does not start with a stream access point")


@judges("C-02")
def continuity(look: Look) -> Iterator[Finding]:
    """ISO/IEC 23000-19 7.3.2.2, between the segments of a Period."""
    for track in look.tracks:
        for before, after, item in track.pairs():
            off = after.start - before.start - before.duration
            if off and track.init:
                seconds = Fraction(off, track.init.track.timescale)
                yield Finding(
                    "C-02",
                    track.at(item),
                    f"decode time {show(abs(seconds))} {'late' if off > 0 else 'early'}",
                )


@judges("C-10")
def alignment(look: Look) -> Iterator[Finding]:
    """DASH-IF 4.5: the segments of a set begin together."""
    first: dict[tuple[str, int], Track] = {}
    for track in look.tracks:
        lead = first.setdefault((track.period.id, id(track.group)), track)
        starts = {item.listed.number: lead.presented(item.media) for item in lead.read if item.media}
        for item in track.read:
            assert item.media
            off = track.presented(item.media) - starts.get(item.listed.number, track.presented(item.media))
            if abs(off) > Fraction(15, 10_000):
                yield Finding(
                    "C-10", track.at(item), f"begins {show(abs(off))} from {lead.representation.id!r}"
                )
                break


@judges("D-60", "D-61")
def rates(look: Look) -> Iterator[Finding]:
    """5.3.5.2: @bandwidth and minBufferTime hold for a start at any segment."""
    buffer = look.manifest.length("minBufferTime") or Fraction(0)
    for track in look.tracks:
        bandwidth = track.representation.bandwidth
        if not bandwidth or not track.read:
            continue
        late = _lateness(track, bandwidth) - buffer
        if late > Fraction(1, 1000):
            yield Finding("D-60", track.where, f"a segment is {show(late)} late at {bandwidth} bit/s")
        size = sum(item.media.size for item in track.read if item.media)
        mean = 8 * size / sum((track.seconds(item.listed.duration) for item in track.read), Fraction(0))
        if not Fraction(1, 4) * bandwidth <= mean <= bandwidth:
            yield Finding("D-61", track.where, f"bandwidth {bandwidth}, measured {int(mean)} bit/s")


def _lateness(track: Track, bandwidth: int) -> Fraction:
    """The longest time by which downloading at `bandwidth` falls behind playing, whichever segment is first."""
    worst = carried = Fraction(0)
    for item in track.due:
        size = 8 * item.media.size if item.media else 0
        carried = max(carried, Fraction(0)) + Fraction(size, bandwidth)
        worst = max(worst, carried)
        carried -= track.seconds(item.listed.duration)
    return worst


@judges("D-62")
def coverage(look: Look) -> Iterator[Finding]:
    """DASH-IF 4.5: each track to the end of its Period, to a tenth of a second."""
    for track in look.tracks:
        first, last = (track.due[0].media, track.due[-1].media) if track.due else (None, None)
        if first is None or last is None or track.period.end is None:
            continue
        origin = track.seconds(track.template.offset)
        starts = track.presented(first) - origin
        ends = track.presented(last) + track.length(last) - origin
        length = track.period.end - track.period.start
        if starts > Fraction(1, 10) or length - ends > Fraction(1, 10):
            text = f"media from {show(starts)} to {show(ends)} of a Period of {show(length)}"
            yield Finding("D-62", track.where, text)


@judges("D-74", "D-82", "D-86", "D-87")
def clock(look: Look) -> Iterator[Finding]:
    """DASH-IF 4.4, 4.6: the edge and the tail of the timeline against the clock."""
    published = look.manifest.date("publishTime")
    if published is not None and published > look.now + NANO:
        yield Finding(
            "D-74", look.manifest.url, f"publishTime is {show(Fraction(published - look.now, NANO))} ahead"
        )
    depth = look.manifest.length("timeShiftBufferDepth")
    delay = look.manifest.length("suggestedPresentationDelay")
    last = look.manifest.periods[-1] if look.manifest.periods else None
    for track in look.tracks:
        ages = [
            Fraction(look.now - at, NANO)
            for row in track.listed
            if (at := available(look.manifest, track.period, track.template, row)) is not None
        ]
        if not ages:
            continue
        step = 2 * track.seconds(max(row.duration for row in track.listed)) + (delay or 0)
        if depth is not None and ages[0] > depth + step:
            yield Finding(
                "D-82", track.where, f"a segment {show(ages[0])} old, timeShiftBufferDepth {show(depth)}"
            )
        if track.period is last and delay is not None and ages[-1] > delay:
            yield Finding(
                "D-86", track.where, f"the newest segment is {show(ages[-1])} old, the delay {show(delay)}"
            )
        if ages[-1] < -1:
            yield Finding("D-87", track.where, f"a segment is listed {show(-ages[-1])} before its time")


TRACK_CHECKS: tuple[Check[Look], ...] = (headers, segments, continuity, alignment, rates)
STATIC_TRACK_CHECKS: tuple[Check[Look], ...] = (coverage,)
DYNAMIC_TRACK_CHECKS: tuple[Check[Look], ...] = (clock,)
