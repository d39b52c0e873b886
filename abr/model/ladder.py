"""The ladder of one event, resolved: every size, rate and option that an encoder needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from abr.model.time import AAC_FRAME


class Fit(StrEnum):
    """What is done where a source's shape is not a rung's."""

    LETTERBOX = "letterbox"
    """The whole picture, undistorted, between bars."""
    CROP = "crop"
    """The middle of the picture, undistorted, without bars."""
    STRETCH = "stretch"
    """The whole picture, distorted, without bars."""


@dataclass(frozen=True, slots=True)
class VideoTarget:
    """One rung."""

    name: str
    width: int
    height: int
    rate: Fraction
    """Frames a second; for a film with its own frame times, the rate it declares."""
    timescale: int
    """Ticks a second of its packets; the same in every rung."""
    codec: str
    """FFmpeg's name of the encoder: "libx264", "libx265", "libsvtav1", "h264_nvenc", …"""
    bitrate: int
    """Target, bits/s."""
    maxrate: int
    """Upper bound of the rate that the buffer model holds, bits/s."""
    bufsize: int
    """Size of the rate buffer, bits."""
    crf: Fraction | None = None
    """Constant quality under maxrate and bufsize; None encodes to `bitrate`."""
    preset: str = "veryfast"
    profile: str | None = None
    level: str | None = None
    key_frames: int = 50
    """Frames from one key frame to the next; segments start at one."""
    threads: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    """Further encoder options, as FFmpeg names them."""


@dataclass(frozen=True, slots=True)
class AudioTarget:
    """One audio rendition."""

    name: str
    codec: str
    """FFmpeg's name of the encoder: "aac"."""
    bitrate: int
    sample_rate: int = 48_000
    channels: int = 2
    frame: int = AAC_FRAME
    """Samples in a packet."""
    language: str | None = None
    label: str = ""
    """What a player shows in its menu."""
    track: int = 0
    """Which of the feed's audio tracks it is made from (0 is the first)."""
    asked: str | None = None
    """The language (BCP 47) by which the track is chosen instead."""
    loudness: float | None = None
    """LUFS that the sound is brought to; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """All renditions of an event, from the largest rung to the smallest, then audio."""

    video: tuple[VideoTarget, ...]
    audio: tuple[AudioTarget, ...]
    duration: Fraction
    """D: seconds of a segment."""
    window: Fraction
    """Seconds that the live playlists name."""
    fit: Fit = Fit.LETTERBOX

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the renditions, in order."""
        return (*(rung.name for rung in self.video), *(track.name for track in self.audio))
