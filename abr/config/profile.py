"""A profile: the ladder file, loaded and checked once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from abr.config import units
from abr.config.audio import AudioRung, AudioTable, make_audio
from abr.config.rung import Rung, RungTable, make_rung
from abr.config.schema import Table, nearest, parse_table, parse_toml
from abr.config.written import Duration
from abr.errors import ConfigError
from abr.model.ladder import Fit

DEFAULT_PROFILE = "720p"
"""The profile of a command that names none."""

_SEGMENT = Fraction(1, 2), Fraction(10)
_LONG_WINDOW, _LONGEST_WINDOW = Fraction(15 * 60), Fraction(4 * 3600)
_FEWEST_SEGMENTS = 6
"""Segments that a window must hold: a player starts three behind the edge and needs room behind it."""


class ProfileTable(Table, frozen=True):
    """The whole file as it is written."""

    description: str = ""
    segment: Duration = Fraction(2)
    window: Duration = Fraction(300)
    fit: str = Fit.LETTERBOX
    copy: bool = False
    video: tuple[RungTable, ...] = ()
    audio: tuple[AudioTable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A ladder as the user wrote it, checked; `config.ladder.resolve` fits it to a source."""

    name: str
    description: str = ""
    segment: Fraction = Fraction(2)
    """The length of a segment that is aimed at, seconds."""
    window: Fraction = Fraction(300)
    """What live playlists name, seconds."""
    fit: Fit = Fit.LETTERBOX
    video: tuple[Rung, ...] = ()
    """From the largest to the smallest."""
    audio: tuple[AudioRung, ...] = ()
    copy: bool = False
    """Whether the source's packets are packaged as they are."""
    warnings: tuple[str, ...] = ()
    """What is allowed and yet should be looked at; one sentence each."""


def profile_names() -> tuple[str, ...]:
    """The profiles that come with abr."""
    files = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def load_profile(name_or_path: str) -> Profile:
    """A shipped profile by its name, or a TOML file by its path. Raises ConfigError for the first mistake."""
    if name_or_path in profile_names():
        return parse_profile((_folder() / f"{name_or_path}.toml").read_text("utf-8"), name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        known = nearest(name_or_path, profile_names())
        raise ConfigError("profile", f"there is no profile and no file {name_or_path!r}{known}")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("profile", f"{path} cannot be read: {error}") from error
    return parse_profile(text, path.stem, file=path.name)


def parse_profile(text: str, name: str, *, file: str = "") -> Profile:
    """A profile from its TOML text. Raises ConfigError for the first mistake; its hint names rung and file."""
    raw = parse_toml(text, file or name)
    try:
        return _make(parse_table(ProfileTable, raw), name)
    except ConfigError as error:
        rung = _rung_of(raw, error.path)
        places = [f"rung {rung!r}" if rung else "", f"in {file}" if file else ""]
        error.hint = " ".join(place for place in places if place)
        raise


def _make(table: ProfileTable, name: str) -> Profile:
    profile = Profile(
        name=name,
        description=table.description,
        segment=_segment(table.segment),
        window=_window(table.window, table.segment),
        fit=_fit(table.fit),
        video=tuple(make_rung(rung, f"video[{place}]") for place, rung in enumerate(table.video, 1)),
        audio=tuple(make_audio(track, f"audio[{place}]") for place, track in enumerate(table.audio, 1)),
        copy=table.copy,
        warnings=_warnings(table.window),
    )
    _check_content(profile)
    _check_names(profile)
    _check_families(profile.video)
    _check_order(profile.video)
    return profile


def _segment(segment: Fraction) -> Fraction:
    shortest, longest = _SEGMENT
    if not shortest <= segment <= longest:
        shown = units.duration_text(segment)
        raise ConfigError("segment", f"{shown} is out of range; segments of 0.5 s to 10 s can be played live")
    return segment


def _window(window: Fraction, segment: Fraction) -> Fraction:
    shown = units.duration_text(window)
    if window > _LONGEST_WINDOW:
        raise ConfigError(
            "window", f"{shown} is too long: players read it again every few seconds; at most 4h"
        )
    if window < segment * _FEWEST_SEGMENTS:
        shortest = units.duration_text(segment * _FEWEST_SEGMENTS)
        raise ConfigError("window", f"{shown} is too short for players; at least six segments, {shortest}")
    return window


def _fit(fit: str) -> Fit:
    try:
        return Fit(fit)
    except ValueError:
        raise ConfigError("fit", f"{fit!r} is unknown{nearest(fit, list(Fit))}") from None


def _warnings(window: Fraction) -> tuple[str, ...]:
    if window <= _LONG_WINDOW:
        return ()
    shown = units.duration_text(window)
    return (f"window: {shown} makes long playlists; above 15min every reload costs the viewer",)


def _check_content(profile: Profile) -> None:
    if profile.copy and profile.video:
        raise ConfigError("copy", "a stream copy has no rungs; leave out [[video]], or copy")
    if not (profile.copy or profile.video or profile.audio):
        raise ConfigError("video", "is missing; write at least one [[video]] or [[audio]] table")


def _check_names(profile: Profile) -> None:
    seen: dict[str, str] = {}
    places = [(f"video[{place}]", rung.name) for place, rung in enumerate(profile.video, 1)]
    places += [(f"audio[{place}]", track.name) for place, track in enumerate(profile.audio, 1)]
    for path, name in places:
        if name in seen:
            raise ConfigError(
                f"{path}.name", f"{name!r} is the name of {seen[name]} already; give each its own"
            )
        seen[name] = path


def _check_families(rungs: Sequence[Rung]) -> None:
    for place, rung in enumerate(rungs[1:], 2):
        family = rungs[0].encoder.family
        if rung.encoder.family != family:
            raise ConfigError(
                f"video[{place}].codec",
                f"{rung.encoder.name} makes {rung.encoder.family}, the rungs before it {family}; "
                "players switch within one codec only: one profile for each",
            )


def _check_order(rungs: Sequence[Rung]) -> None:
    """Rungs go from large to small; two of one size differ in their bitrate."""
    for place, (above, rung) in enumerate(pairwise(rungs), 2):
        if rung.pixels > above.pixels:
            raise ConfigError(
                f"video[{place}].size",
                f"{rung.width}x{rung.height} is larger than the rung before it ({above.width}x{above.height}); "
                "put rungs in order from large to small",
            )
        for key in ("bitrate", "maxrate"):
            high, low = getattr(above, key), getattr(rung, key)
            if low >= high:
                raise ConfigError(
                    f"video[{place}].{key}",
                    f"{units.bitrate_text(low)} is not below the {units.bitrate_text(high)} of the rung before it; "
                    "put rungs in order from large to small",
                )


def _rung_of(raw: Mapping[str, Any], path: str) -> str:
    """The `name` that the table at `video[2]…` has, for people who count from 0."""
    match = re.match(r"(video|audio)\[(\d+)\]", path)
    if match is None:
        return ""
    table = raw[match[1]][int(match[2]) - 1]
    name = table.get("name") if isinstance(table, dict) else None
    return name if isinstance(name, str) else ""


def _folder() -> Path:
    """In a wheel the profiles lie in the package, in a source tree beside it."""
    package = Path(__file__).parents[1]
    inside = package / "profiles"
    return inside if inside.is_dir() else package.parent / "profiles"
