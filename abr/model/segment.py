"""Renditions, sessions, segments and releases: what packaging makes and the journal records."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from abr.model.media import Kind


@dataclass(frozen=True, slots=True)
class Rendition:
    """What a rung or an audio track produces: one init and a row of segments."""

    name: str
    """Also the folder's name: `[a-z0-9][a-z0-9_-]*`."""
    kind: Kind
    timescale: int
    codec: str
    """RFC 6381, read from the init: "avc1.64001f", "mp4a.40.2"."""
    bandwidth: int
    """Peak, bits/s, of this rendition alone (DESIGN 3.12)."""
    average_bandwidth: int
    delay: int = 0
    """Reorder delay in ticks: tfdt of a segment = its start − delay."""
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    sample_rate: int = 0
    channels: int = 0
    language: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one set of encoders. Everything here is fixed from its first segment to its last."""

    id: str
    """UTC start and 64 random bits: `20260829T181500Z-0f3c…`; sorts by time."""
    channel: str
    renditions: tuple[Rendition, ...]
    duration: Fraction
    """D, seconds."""
    live: bool
    """Whether media time counts from the Unix epoch; a film's counts from its own start."""
    lag: Fraction = Fraction(0)
    """How far the edge of the stream runs behind the clock, seconds."""
    window: Fraction = Fraction(300)
    """Seconds that the live playlists name."""
    media_start: Fraction = Fraction(0)
    """Media time at which a film begins (one segment: DESIGN 3.9); 0 in live sessions."""
    event: str = ""
    """The id of the event, which is also the recording's."""

    def rendition(self, name: str) -> Rendition:
        """The rendition of this name. Raises KeyError."""
        for rendition in self.renditions:
            if rendition.name == name:
                return rendition
        raise KeyError(name)


class Part(NamedTuple):
    """A low-latency part of a segment; one part for the whole segment unless the profile asks for more."""

    duration: int
    size: int
    independent: bool


class Segment(NamedTuple):
    """One CMAF segment as bytes; times in ticks of its rendition's timescale."""

    rendition: str
    number: int
    start: int
    """Presentation time of its first sample."""
    duration: int
    data: bytes
    moof_offset: int
    """Where the first moof begins (after styp)."""
    first_sample_end: int
    """Where the first sample ends: the range of an I-frame playlist."""
    parts: tuple[Part, ...]


class SegmentRow(NamedTuple):
    """What the journal knows of one segment. A gap has size 0 and no hash."""

    session: str
    rendition: str
    number: int
    start: int
    duration: int
    size: int
    sha256: str
    moof_offset: int
    first_sample_end: int
    parts: tuple[Part, ...]
    gap: bool = False
    slate: bool = False
    key_id: str = ""
    shed: int = 0
    """What the machine was too slow for: 1 every second frame of some group of pictures, 2 all (a gap)."""


class Release(NamedTuple):
    """All renditions of one number, together: a row of a playlist. `rows` are in the session's order."""

    sequence: int
    """The channel's counter, +1 for each release, never reset (EXT-X-MEDIA-SEQUENCE)."""
    discontinuity: int
    """The channel's count of sessions before this one (EXT-X-DISCONTINUITY-SEQUENCE)."""
    session: str
    number: int
    rows: tuple[SegmentRow, ...]
