"""One audio rendition of a profile: the table as it is written, and the checked record made of it."""

import re
from dataclasses import dataclass

from abr.config import units
from abr.config.rung import check_name
from abr.config.schema import Table, nearest
from abr.config.written import Bitrate, Loudness
from abr.errors import ConfigError

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_CODECS = ("aac",)
_MOST_TRACKS = 64
_LOWEST, _HIGHEST = 16_000, 256_000
"""Bits/s a channel of 48 kHz AAC-LC: less is noise, more exceeds 6144 bits a frame (ISO/IEC 14496-3 4.5.3)."""


class AudioTable(Table, frozen=True):
    """`[[audio]]` as it is written."""

    name: str = "audio"
    codec: str = "aac"
    bitrate: Bitrate = Bitrate(128_000)
    channels: int = 2
    track: int | None = None
    language: str | None = None
    label: str = ""
    loudness: Loudness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRung:
    """One audio rendition of a profile, checked. `bitrate` in bits/s."""

    name: str
    codec: str = "aac"
    bitrate: int = 128_000
    channels: int = 2
    track: int | None = None
    """Place among the source's audio tracks, from 0; None where language or nothing chooses."""
    language: str | None = None
    label: str = ""
    loudness: float | None = None
    """LUFS that the sound is brought to; None leaves it as it is."""


def make_audio(table: AudioTable, path: str) -> AudioRung:
    """The checked rendition; `path` is its table's: `audio[1]`. Raises ConfigError."""
    if table.codec not in _CODECS:
        raise ConfigError(
            f"{path}.codec", f"{table.codec!r} is no audio encoder{nearest(table.codec, _CODECS)}"
        )
    if table.channels not in {1, 2, 6}:
        raise ConfigError(f"{path}.channels", f"{table.channels} cannot be made; write 1, 2 or 6")
    lowest, highest = _LOWEST * table.channels, _HIGHEST * table.channels
    if not lowest <= table.bitrate <= highest:
        low, high, own = (units.bitrate_text(bits) for bits in (lowest, highest, table.bitrate))
        raise ConfigError(
            f"{path}.bitrate", f"{own} is out of range; {table.channels} channels take {low} to {high}"
        )
    return AudioRung(
        name=check_name(table.name, path),
        codec=table.codec,
        bitrate=table.bitrate,
        channels=table.channels,
        track=_track(table.track, f"{path}.track"),
        language=check_language(table.language, f"{path}.language"),
        label=_label(table.label, f"{path}.label"),
        loudness=None if table.loudness is None else float(table.loudness),
    )


def check_language(language: str | None, path: str) -> str | None:
    """A BCP 47 language tag, or None. Raises ConfigError."""
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise ConfigError(path, f"{language!r} is no language tag; write for example en, de or pt-BR")
    return language


def _track(track: int | None, path: str) -> int | None:
    """The place from 0 of a track that users count from 1."""
    if track is not None and not 1 <= track <= _MOST_TRACKS:
        raise ConfigError(
            path, f"{track} is no track; 1 is the first, {_MOST_TRACKS} the last that is looked for"
        )
    return None if track is None else track - 1


def _label(label: str, path: str) -> str:
    # It stands in a quoted string of a playlist: RFC 8216bis 4.2 allows neither line breaks nor quotes there.
    if '"' in label or not label.isprintable() or len(label) > 80:
        raise ConfigError(path, "must be one line of at most 80 letters without double quotes")
    return label
