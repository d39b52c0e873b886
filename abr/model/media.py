"""Tracks, packets and encodings: what flows between ingest, transcode and package."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple


class Kind(StrEnum):
    """What a track or rendition carries."""

    VIDEO = "video"
    AUDIO = "audio"


class Turn(NamedTuple):
    """What must be done to a stored picture so that it stands upright (ISO/IEC 14496-12, 8.3.2: the track's matrix)."""

    quarters: int = 0
    """Quarter turns clockwise, 0 to 3."""
    mirrored: bool = False
    """Left and right are exchanged first."""

    @property
    def sideways(self) -> bool:
        """Whether width and height change places."""
        return self.quarters % 2 == 1


UPRIGHT = Turn()


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a feed, as it was found when the feed was opened."""

    index: int
    """Its place among the feed's tracks that are used (0, 1, …)."""
    kind: Kind
    codec: str
    """FFmpeg's name of the codec: "h264", "hevc", "aac"."""
    time_base: Fraction
    """Seconds of one tick of its packets' times."""
    extradata: bytes = b""
    width: int = 0
    height: int = 0
    pixel_aspect: Fraction = Fraction(1)
    frame_rate: Fraction | None = None
    """Frames a second as the container says; a hint, times are never derived from it."""
    sample_rate: int = 0
    channels: int = 0
    language: str | None = None
    """BCP 47, or None where the feed does not say."""
    bit_rate: int = 0
    """Bits/s as the container says, 0 for unknown."""
    turn: Turn = UPRIGHT
    """How the container wants its pictures turned."""

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as they are seen: pixels square, picture upright; 0 where the feed does not say."""
        width = round(self.width * self.pixel_aspect)
        return (self.height, width) if self.turn.sideways else (width, self.height)


Data = bytes | memoryview
"""Coded media: a view where several packets were read together, so that nothing is copied."""


class Packet(NamedTuple):
    """One coded packet of a feed; times in ticks of its track's time base."""

    track: int
    pts: int | None
    dts: int | None
    duration: int
    key: bool
    corrupt: bool
    data: Data
    hidden: bool = False
    """Not shown: it was there before, and is decoded only because packets after it need it."""


class Gap(NamedTuple):
    """Media of a track that should exist and does not: [start, end) in ticks of its time base."""

    track: int
    start: int
    end: int


class Absent(NamedTuple):
    """No packet of a rendition comes before `until`, the start of a segment, in ticks of its timescale."""

    until: int


class EncodedPacket(NamedTuple):
    """One packet of a rendition, ready to be packaged; times in ticks of the rendition's timescale.

    `pts` counts from the media time's zero (the Unix epoch in live output). Decode times are not carried:
    within a segment they are the sorted presentation times less the rendition's delay (DESIGN 3.6).
    Video data is length-prefixed NAL units (H.264, HEVC) or OBUs without temporal delimiters (AV1).
    """

    pts: int
    duration: int
    key: bool
    data: Data


@dataclass(frozen=True, slots=True)
class Encoding:
    """What an encoder (or a copied track) says of itself once it is open."""

    name: str
    """The rendition's name."""
    kind: Kind
    timescale: int
    header: bytes
    """ftyp and moov as libavformat wrote them; `package.header` makes the init segment of it."""
    delay: int = 0
    """Constant reorder delay in ticks: two frames with a B-pyramid, one with plain B-frames, 0 without."""
    held: int = 0
    """How much media, in ticks, the encoder holds back before it gives the first packet."""
