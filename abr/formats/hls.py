"""HLS playlists: records named after the tags (RFC 8216bis §4.4), and their text.

A media playlist is written from ready lines (`write_segment`), so that a live window renders each segment once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from abr.errors import LocalProtocolError

MICRO = 1_000_000
"""Microseconds in a second: EXTINF has six decimals."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 6
"""What EXT-X-MAP needs in a media playlist without I-FRAMES-ONLY; no other tag here needs more (§8)."""


class PlaylistType(StrEnum):
    """EXT-X-PLAYLIST-TYPE (§4.4.3.5). A sliding live playlist has none."""

    EVENT = "EVENT"
    VOD = "VOD"


class Media(NamedTuple):
    """EXT-X-MEDIA of type AUDIO (§4.4.6.1)."""

    group_id: str
    name: str
    language: str
    uri: str
    default: bool
    channels: int


class StreamInf(NamedTuple):
    """EXT-X-STREAM-INF and its URI (§4.4.6.2). Bandwidths in bits/s, audio included."""

    uri: str
    bandwidth: int
    average_bandwidth: int
    codecs: tuple[str, ...]
    resolution: tuple[int, int] | None = None
    """Width and height; None where there is no picture."""
    frame_rate: Fraction | None = None
    audio: str | None = None
    """GROUP-ID of the audio renditions."""


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    """What a viewer opens: all variants, every segment of which starts with a key frame."""

    variants: tuple[StreamInf, ...]
    media: tuple[Media, ...] = ()


class MediaSegment(NamedTuple):
    """One entry of a media playlist (§4.4.4)."""

    uri: str
    duration: int
    """EXTINF, microseconds."""
    gap: bool = False
    """EXT-X-GAP: the media is missing, only its time is listed."""
    discontinuities: int = 0
    """EXT-X-DISCONTINUITY tags before it: sessions that began since the entry before."""
    map_uri: str | None = None
    """EXT-X-MAP where it begins to apply."""
    date: int | None = None
    """EXT-X-PROGRAM-DATE-TIME, microseconds since the Unix epoch."""


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """The head and the end of a media playlist (§4.4.3)."""

    target_duration: int
    """Seconds."""
    media_sequence: int = 0
    discontinuity_sequence: int = 0
    playlist_type: PlaylistType | None = None
    ended: bool = False


def write_multivariant(playlist: MultivariantPlaylist) -> str:
    """The text of a multivariant playlist. Raises LocalProtocolError for a value that no tag can hold."""
    lines = ["#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [_media(media) for media in playlist.media]
    for variant in playlist.variants:
        lines += [_stream_inf(variant), variant.uri]
    return "\n".join(lines) + "\n"


def write_media(playlist: MediaPlaylist, segments: Iterable[str]) -> str:
    """The text of a media playlist; `segments` are texts of `write_segment`."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        f"#EXT-X-TARGETDURATION:{playlist.target_duration}",
        f"#EXT-X-MEDIA-SEQUENCE:{playlist.media_sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{playlist.discontinuity_sequence}",
    ]
    if playlist.playlist_type:
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{playlist.playlist_type}")
    end = "#EXT-X-ENDLIST\n" if playlist.ended else ""
    return "\n".join(lines) + "\n" + "".join(segments) + end


def write_segment(segment: MediaSegment) -> str:
    """The lines of one entry, each ended."""
    lines = ["#EXT-X-DISCONTINUITY\n" * segment.discontinuities]
    if segment.map_uri is not None:
        lines.append(f'#EXT-X-MAP:URI="{segment.map_uri}"\n')
    if segment.date is not None:
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{date_text(segment.date)}\n")
    if segment.gap:
        lines.append("#EXT-X-GAP\n")
    whole, part = divmod(segment.duration, MICRO)
    lines.append(f"#EXTINF:{whole}.{part:06},\n{segment.uri}\n")
    return "".join(lines)


def date_text(microseconds: int) -> str:
    """An instant since the Unix epoch as ISO 8601 with milliseconds, to the nearest.

    >>> date_text(1_788_027_300_960_000)
    '2026-08-29T18:15:00.960Z'
    """
    instant = _EPOCH + timedelta(milliseconds=(microseconds + 500) // 1000)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"


def rounded_seconds(microseconds: int) -> int:
    """A duration as EXT-X-TARGETDURATION counts it: whole seconds, half up, at least 1 (§4.4.3.1)."""
    return max(1, (2 * microseconds + MICRO) // (2 * MICRO))


def _media(media: Media) -> str:
    return _tag(
        "EXT-X-MEDIA",
        {
            "TYPE": "AUDIO",
            "GROUP-ID": _quoted(media.group_id),
            "NAME": _quoted(media.name),
            "LANGUAGE": _quoted(media.language),
            "DEFAULT": "YES" if media.default else "NO",
            "AUTOSELECT": "YES",
            "CHANNELS": _quoted(str(media.channels)),
            "URI": _quoted(media.uri),
        },
    )


def _stream_inf(variant: StreamInf) -> str:
    attributes = {
        "BANDWIDTH": str(variant.bandwidth),
        "AVERAGE-BANDWIDTH": str(variant.average_bandwidth),
        "CODECS": _quoted(",".join(variant.codecs)),
    }
    if variant.resolution:
        attributes["RESOLUTION"] = "{}x{}".format(*variant.resolution)
    if variant.frame_rate:
        attributes["FRAME-RATE"] = _three_decimals(variant.frame_rate)
    if variant.audio is not None:
        attributes["AUDIO"] = _quoted(variant.audio)
    attributes["CLOSED-CAPTIONS"] = "NONE"
    return _tag("EXT-X-STREAM-INF", attributes)


def _tag(name: str, attributes: dict[str, str]) -> str:
    return f"#{name}:" + ",".join(f"{key}={value}" for key, value in attributes.items())


def _quoted(value: str) -> str:
    """A quoted-string, which has no escapes (§4.2)."""
    if any(letter in '"\r\n' for letter in value):
        raise LocalProtocolError(
            f"{value!r} cannot stand in a playlist", hint="leave out quotation marks and line breaks"
        )
    return f'"{value}"'


def _three_decimals(rate: Fraction) -> str:
    thousandths = (2000 * rate.numerator + rate.denominator) // (2 * rate.denominator)
    return f"{thousandths // 1000}.{thousandths % 1000:03}"
