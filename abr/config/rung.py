"""One rung of a profile: the table as it is written, and the checked record made of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from abr.config import units
from abr.config.encoder import ALIASES, COPY, ENCODERS, Encoder
from abr.config.option import check_options, option_texts
from abr.config.rate import RungRate, parse_rate
from abr.config.schema import Table, nearest
from abr.config.written import Bitrate, RateText, SizeText, Word
from abr.errors import ConfigError
from abr.model.level import H264_LEVELS, HEVC_LEVELS, Demand, h264_excess, hevc_excess

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_RESERVED = frozenset({"recordings"})
"""Folders below a channel that are not a rendition's."""

SMALLEST, LARGEST = 64, 8192
"""Pixels of a side that encoders and players take."""

_LEAST, _PIXELS_A_BIT = 10_000, 32
"""Bits/s that any rung takes, and pixels of a picture for each: at its coarsest libx264 spent 13 kb/s on a calm film of
1280x720 at 25 a second, 9 kb/s at 256x144; twice that is a rate that can be held."""

_MAXRATE = Fraction(11, 10)
"""maxrate over bitrate where a profile does not say: live peaks stay within a tenth of the target."""


class RungTable(Table, frozen=True):
    """`[[video]]` as it is written."""

    name: str | None = None
    size: SizeText | None = None
    width: int | None = None
    height: int | None = None
    fps: RateText = RateText("source")
    codec: str = "h264"
    preset: Word | None = None
    options: dict[str, Any] | None = None
    bitrate: Bitrate | None = None
    maxrate: Bitrate | None = None
    bufsize: Bitrate | None = None
    crf: int | float | None = None
    profile: str | None = None
    level: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One rung of a profile, checked. Rates in bits/s, `bufsize` in bits, sizes in pixels."""

    name: str
    width: int
    height: int
    fps: RungRate
    encoder: Encoder
    preset: str
    bitrate: int
    maxrate: int
    bufsize: int
    crf: Fraction | None = None
    profile: str | None = None
    level: str | None = None
    """As the profile says; None is filled in when the frame rate is known."""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def pixels(self) -> int:
        """Pixels of a picture."""
        return self.width * self.height

    def demand(self, rate: Fraction) -> Demand:
        """What the rung asks of a decoder at this frame rate."""
        # Presets with more reference frames than a level holds are lowered to it by libx264 (seen: 16 → 4).
        return Demand(self.width, self.height, rate, self.maxrate, self.bufsize)


def make_rung(table: RungTable, path: str) -> Rung:
    """The checked rung; `path` is its table's: `video[2]`. Raises ConfigError."""
    size = _size(table, path)
    encoder = _encoder(table.codec, path)
    bitrate, maxrate, bufsize = _rates(table, encoder, path)
    options = option_texts(table.options or {}, f"{path}.options")
    check_options(encoder, options, f"{path}.options")
    rung = Rung(
        name=check_name(table.name or f"{size.height}p", path),
        width=size.width,
        height=size.height,
        fps=parse_rate(table.fps),
        encoder=encoder,
        preset=_preset(table.preset, encoder, path),
        bitrate=bitrate,
        maxrate=maxrate,
        bufsize=bufsize,
        crf=_crf(table, encoder, path),
        profile=_profile(table.profile, encoder, path),
        level=_level(table.level, encoder, path),
        options=options,
    )
    _check_least(rung, path)
    check_level(rung, rung.fps.fixed or Fraction(1), path)
    return rung


def _check_least(rung: Rung, path: str) -> None:
    """Refuse a rate that no encoder comes down to."""
    least = max(_LEAST, rung.pixels // _PIXELS_A_BIT)
    if rung.maxrate < least:
        raise ConfigError(
            f"{path}.bitrate",
            f"{units.bitrate_text(rung.maxrate)} cannot be met by {rung.width}x{rung.height};"
            f" give it at least {units.bitrate_text(least)}, or a smaller size",
        )


def check_name(name: str, path: str) -> str:
    """A rendition's name, which is also a folder's. Raises ConfigError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{path}.name", f"{name!r} is no name; use a-z, 0-9, '-' and '_', at most 40 letters"
        )
    if name in _RESERVED:
        raise ConfigError(f"{path}.name", f"{name!r} is a folder of its own; take another name")
    return name


def check_level(rung: Rung, rate: Fraction, path: str) -> None:
    """Refuse a stated level that cannot hold the rung at `rate`. Raises ConfigError."""
    if rung.level is None:
        return
    demand = rung.demand(rate)
    if rung.encoder.family == "hevc":
        excess = hevc_excess(rung.level, demand)
    else:
        excess = h264_excess(rung.level, demand, rung.profile or "high")
    if excess:
        raise ConfigError(
            f"{path}.level", f"level {rung.level} allows {excess}; take a higher one, or leave out the key"
        )


def _size(table: RungTable, path: str) -> units.Size:
    if table.size is not None:
        if table.width is not None or table.height is not None:
            raise ConfigError(f"{path}.size", "says what width and height say too; keep one of them")
        return _even(units.size(table.size), f"{path}.size")
    if table.width is None or table.height is None:
        raise ConfigError(f"{path}.size", 'is missing; write size = "1280x720"')
    return _even(units.Size(table.width, table.height), f"{path}.{'height' if table.height % 2 else 'width'}")


def _even(size: units.Size, path: str) -> units.Size:
    if size.width % 2 or size.height % 2:
        # 4:2:0 pictures have one colour sample for two by two pixels.
        cure = units.Size(size.width // 2 * 2, size.height // 2 * 2)
        raise ConfigError(path, f"{size} is odd; width and height must be even, for example {cure}")
    if min(size) < SMALLEST or max(size) > LARGEST:
        raise ConfigError(path, f"{size} is out of range; each side is {SMALLEST} to {LARGEST} pixels")
    return size


def _encoder(codec: str, path: str) -> Encoder:
    if codec == COPY:
        raise ConfigError(
            f"{path}.codec", 'a rung is encoded; for a stream copy write "copy = true" and no [[video]]'
        )
    name = ALIASES.get(codec, codec)
    if name not in ENCODERS:
        raise ConfigError(f"{path}.codec", f"{codec!r} is no encoder{nearest(codec, [*ALIASES, *ENCODERS])}")
    return ENCODERS[name]


def _rates(table: RungTable, encoder: Encoder, path: str) -> tuple[int, int, int]:
    """Bitrate, maxrate and bufsize, all known."""
    if table.crf is not None:
        for key in ("maxrate", "bufsize"):
            if getattr(table, key) is None:
                raise ConfigError(
                    f"{path}.{key}", "is missing; crf needs maxrate and bufsize, or no rate is held"
                )
    elif encoder.needs_crf:
        raise ConfigError(
            f"{path}.crf",
            f"is missing; {encoder.name} holds a maximum rate only with crf, for example crf = 35",
        )
    bitrate = table.bitrate or table.maxrate
    if bitrate is None or (table.bitrate is None and table.crf is None):
        raise ConfigError(f"{path}.bitrate", "is missing; write a target, for example 2.5M")
    maxrate = table.maxrate or round(bitrate * _MAXRATE)
    bufsize = table.bufsize or maxrate
    _check_rates(bitrate, maxrate, bufsize, path)
    return bitrate, maxrate, bufsize


def _check_rates(bitrate: int, maxrate: int, bufsize: int, path: str) -> None:
    shown = units.bitrate_text
    if maxrate < bitrate:
        raise ConfigError(
            f"{path}.maxrate",
            f"{shown(maxrate)} is below the bitrate of {shown(bitrate)}; it is the upper bound",
        )
    if bufsize * 4 < maxrate or bufsize > maxrate * 10:
        # A buffer under a quarter of a second holds no key frame; over ten, the rate is held no longer.
        raise ConfigError(
            f"{path}.bufsize",
            f"{shown(bufsize)} is {units.decimal(Fraction(bufsize, maxrate))} s of maxrate; "
            f"0.25 to 10 s can be held, 1 s is {shown(maxrate)}",
        )


def _preset(preset: str | None, encoder: Encoder, path: str) -> str:
    if preset is None:
        return encoder.preset
    if preset not in encoder.presets:
        known = nearest(preset, encoder.presets) if encoder.presets else "; it has none"
        raise ConfigError(f"{path}.preset", f"{preset!r} is no preset of {encoder.name}{known}")
    return str(preset)  # FFmpeg's binding takes no other kind of text


def _crf(table: RungTable, encoder: Encoder, path: str) -> Fraction | None:
    if table.crf is None:
        return None
    if not encoder.longest_crf:
        raise ConfigError(f"{path}.crf", f"{encoder.name} has no crf; give bitrate and maxrate")
    if not 1 <= table.crf <= encoder.longest_crf:
        raise ConfigError(
            f"{path}.crf", f"{table.crf} is out of range; {encoder.name} takes 1 to {encoder.longest_crf}"
        )
    return Fraction(str(table.crf))


def _profile(profile: str | None, encoder: Encoder, path: str) -> str | None:
    if profile is None:
        return encoder.profiles[0] if encoder.profiles else None
    if profile not in encoder.profiles:
        known = nearest(profile, encoder.profiles) if encoder.profiles else "; leave out the key"
        raise ConfigError(f"{path}.profile", f"{profile!r} is no profile of {encoder.name}{known}")
    return profile


def _level(level: str | None, encoder: Encoder, path: str) -> str | None:
    if level is None:
        return None
    known = {"h264": H264_LEVELS, "hevc": HEVC_LEVELS}.get(encoder.family, ())
    name = str(level) if "." in level else f"{level}.0"
    if name not in known:
        cure = nearest(name, known) if known else "; leave out the key"
        raise ConfigError(f"{path}.level", f"{level!r} is no level of {encoder.name}{cure}")
    return name
