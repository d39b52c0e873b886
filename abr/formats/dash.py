"""DASH manifests: records named after the elements (ISO/IEC 23009-1 §5), and their text.

A SegmentTimeline is given as ready lines (`write_s`), so that a live window renders each run of segments once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from abr.model.media import Kind
from abr.model.time import NANO

PERIOD_CONNECTIVITY = "urn:mpeg:dash:period-connectivity:2015"
_ROLE = "urn:mpeg:dash:role:2011"
_CHANNELS = "urn:mpeg:mpegB:cicp:ChannelConfiguration"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


class Profile(StrEnum):
    """What a client must know (§8)."""

    LIVE = "urn:mpeg:dash:profile:isoff-live:2011"
    MAIN = "urn:mpeg:dash:profile:isoff-main:2011"
    """Allows SegmentList."""


class Descriptor(NamedTuple):
    """An element with a scheme and a value (§5.8.2)."""

    scheme: str
    value: str


class SegmentTemplate(NamedTuple):
    """SegmentTemplate with its timeline (§5.3.9.4, §5.3.9.6). Times in ticks of `timescale`."""

    timescale: int
    presentation_time_offset: int
    initialization: str
    media: str
    start_number: int
    timeline: Sequence[str]
    """Lines of `write_s`."""


class SegmentList(NamedTuple):
    """SegmentList with its timeline (§5.3.9.3): for segments whose numbers skip."""

    timescale: int
    presentation_time_offset: int
    initialization: str
    media: Sequence[str]
    """Addresses, one a segment."""
    timeline: Sequence[str]
    """Lines of `write_s`."""


Segments = SegmentTemplate | SegmentList


@dataclass(frozen=True, slots=True)
class Representation:
    """One rendition (§5.3.5)."""

    id: str
    bandwidth: int
    """Bits/s, this rendition alone."""
    codecs: str
    width: int | None = None
    height: int | None = None
    frame_rate: Fraction | None = None
    audio_sampling_rate: int | None = None
    segments: Segments | None = None
    """None where the adaptation set has them."""


@dataclass(frozen=True, slots=True)
class AdaptationSet:
    """Renditions that a player switches between; segments aligned, each begins with a key frame (§5.3.3)."""

    id: int
    kind: Kind
    representations: tuple[Representation, ...]
    role: str = "main"
    lang: str | None = None
    label: str = ""
    par: str | None = None
    """Picture aspect ratio, "16:9"."""
    channel_configuration: int | None = None
    """ISO/IEC 23091-3 ChannelConfiguration."""
    supplemental: tuple[Descriptor, ...] = ()
    segments: Segments | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A span of the presentation (§5.3.2), seconds."""

    id: str
    start: Fraction
    adaptation_sets: tuple[AdaptationSet, ...]
    duration: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Dynamic:
    """What only a manifest of a running event has (§5.3.1.2), seconds."""

    minimum_update_period: Fraction
    time_shift_buffer_depth: Fraction
    suggested_presentation_delay: Fraction
    utc_timing: Descriptor


@dataclass(frozen=True, slots=True)
class Manifest:
    """The MPD. Static without `dynamic`; then `media_presentation_duration` is needed."""

    periods: tuple[Period, ...]
    min_buffer_time: Fraction
    max_segment_duration: Fraction
    publish_time: int | None = None
    """Nanoseconds since the Unix epoch: for a manifest that changes, or did while its event ran."""
    dynamic: Dynamic | None = None
    media_presentation_duration: Fraction | None = None
    profile: Profile = Profile.LIVE


def write_manifest(manifest: Manifest) -> str:
    """The text of an MPD. availabilityStartTime is 1970 in all that have a publishTime: it never changes."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', _open(0, "MPD", _manifest_attributes(manifest))]
    for period in manifest.periods:
        lines += _period(period)
    if manifest.dynamic:
        lines.append(_descriptor(1, "UTCTiming", manifest.dynamic.utc_timing))
    lines.append("</MPD>")
    return "\n".join(lines) + "\n"


def write_s(duration: int, count: int, start: int | None = None) -> str:
    """One line of a SegmentTimeline: `count` segments of `duration` ticks, the first at `start`."""
    time = "" if start is None else f' t="{start}"'
    repeat = f' r="{count - 1}"' if count > 1 else ""
    return f'          <S{time} d="{duration}"{repeat}/>'


def duration_text(duration: Fraction) -> str:
    """Seconds as xs:duration, exact to the nanosecond, without days (which would hide the seconds).

    >>> duration_text(Fraction(48, 25))
    'PT1.92S'
    """
    whole, part = divmod(round(duration * NANO), NANO)
    decimals = f".{part:09}".rstrip("0") if part else ""
    return f"PT{whole}{decimals}S"


def instant_text(nanoseconds: int) -> str:
    """An instant since the Unix epoch as xs:dateTime, cut to milliseconds: never in the future."""
    instant = _EPOCH + timedelta(milliseconds=nanoseconds // 1_000_000)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"


def _manifest_attributes(manifest: Manifest) -> Mapping[str, object]:
    live = manifest.dynamic
    duration = manifest.media_presentation_duration
    attributes: dict[str, object] = {
        "xmlns": "urn:mpeg:dash:schema:mpd:2011",
        "profiles": manifest.profile,
        "type": "dynamic" if live else "static",
    }
    if manifest.publish_time is not None:
        attributes |= {
            "availabilityStartTime": "1970-01-01T00:00:00Z",
            "publishTime": instant_text(manifest.publish_time),
        }
    if live:
        attributes |= {
            "minimumUpdatePeriod": duration_text(live.minimum_update_period),
            "timeShiftBufferDepth": duration_text(live.time_shift_buffer_depth),
            "suggestedPresentationDelay": duration_text(live.suggested_presentation_delay),
        }
    return attributes | {
        "mediaPresentationDuration": None if duration is None else duration_text(duration),
        "minBufferTime": duration_text(manifest.min_buffer_time),
        "maxSegmentDuration": duration_text(manifest.max_segment_duration),
    }


def _period(period: Period) -> Iterator[str]:
    length = period.duration
    attributes = {
        "id": period.id,
        "start": duration_text(period.start),
        "duration": None if length is None else duration_text(length),
    }
    yield _open(1, "Period", attributes)
    for adaptation_set in period.adaptation_sets:
        yield from _adaptation_set(adaptation_set)
    yield "  </Period>"


def _adaptation_set(adaptation_set: AdaptationSet) -> Iterator[str]:
    """Children in the order of the schema: descriptors, label, role, segments, representations."""
    yield _open(2, "AdaptationSet", _adaptation_set_attributes(adaptation_set))
    if adaptation_set.channel_configuration is not None:
        channels = Descriptor(_CHANNELS, str(adaptation_set.channel_configuration))
        yield _descriptor(3, "AudioChannelConfiguration", channels)
    for descriptor in adaptation_set.supplemental:
        yield _descriptor(3, "SupplementalProperty", descriptor)
    if adaptation_set.label:
        yield f"      <Label>{adaptation_set.label.translate(_ESCAPES)}</Label>"
    yield _descriptor(3, "Role", Descriptor(_ROLE, adaptation_set.role))
    yield from _segments(3, adaptation_set.segments)
    for representation in adaptation_set.representations:
        yield from _representation(representation)
    yield "    </AdaptationSet>"


def _adaptation_set_attributes(adaptation_set: AdaptationSet) -> Mapping[str, object]:
    members = adaptation_set.representations
    rates = [member.frame_rate for member in members if member.frame_rate]
    return {
        "id": adaptation_set.id,
        "contentType": adaptation_set.kind,
        "mimeType": f"{adaptation_set.kind}/mp4",
        "lang": adaptation_set.lang,
        "par": adaptation_set.par,
        "maxWidth": max((member.width or 0 for member in members), default=0) or None,
        "maxHeight": max((member.height or 0 for member in members), default=0) or None,
        "maxFrameRate": max(rates) if rates else None,
        "segmentAlignment": "true",
        "startWithSAP": 1,
    }


def _representation(representation: Representation) -> Iterator[str]:
    attributes = {
        "id": representation.id,
        "bandwidth": representation.bandwidth,
        "codecs": representation.codecs,
        "width": representation.width,
        "height": representation.height,
        "frameRate": representation.frame_rate,
        "audioSamplingRate": representation.audio_sampling_rate,
    }
    if representation.segments is None:
        yield _open(3, "Representation", attributes, empty=True)
        return
    yield _open(3, "Representation", attributes)
    yield from _segments(4, representation.segments)
    yield "      </Representation>"


def _segments(depth: int, segments: Segments | None) -> Iterator[str]:
    if segments is None:
        return
    name = type(segments).__name__
    attributes: dict[str, object] = {
        "timescale": segments.timescale,
        "presentationTimeOffset": segments.presentation_time_offset,
    }
    if isinstance(segments, SegmentTemplate):
        attributes |= {
            "initialization": segments.initialization,
            "media": segments.media,
            "startNumber": segments.start_number,
        }
    yield _open(depth, name, attributes)
    if isinstance(segments, SegmentList):
        yield _open(depth + 1, "Initialization", {"sourceURL": segments.initialization}, empty=True)
    yield _indent(depth + 1) + "<SegmentTimeline>"
    yield from segments.timeline
    yield _indent(depth + 1) + "</SegmentTimeline>"
    if isinstance(segments, SegmentList):
        for address in segments.media:
            yield _open(depth + 1, "SegmentURL", {"media": address}, empty=True)
    yield f"{_indent(depth)}</{name}>"


def _descriptor(depth: int, name: str, descriptor: Descriptor) -> str:
    attributes = {"schemeIdUri": descriptor.scheme, "value": descriptor.value}
    return _open(depth, name, attributes, empty=True)


def _open(depth: int, name: str, attributes: Mapping[str, object], *, empty: bool = False) -> str:
    written = "".join(
        f' {key}="{str(value).translate(_ESCAPES)}"' for key, value in attributes.items() if value is not None
    )
    return f"{_indent(depth)}<{name}{written}{'/' if empty else ''}>"


def _indent(depth: int) -> str:
    return "  " * depth
