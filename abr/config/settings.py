"""What a command was asked to do: channel file, options and environment, merged and checked.

The only place where the environment is read.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from abr.config import units
from abr.config.address import HttpAddress, ListenAddress, PullAddress, parse_http, parse_listen, parse_pull
from abr.config.audio import check_language
from abr.config.layer import Layers, read_layers
from abr.config.origin import Origin, parse_origin
from abr.config.profile import DEFAULT_PROFILE, Profile, load_profile, profile_names
from abr.config.schema import Table, parse_table
from abr.config.secret import masked_url
from abr.config.written import Duration, Word
from abr.errors import ConfigError
from abr.model.identity import channel_of, is_channel

HOLD = Fraction(1)
"""Seconds that the grid runs behind the clock unless asked otherwise (RTMP)."""

GRACE = Fraction(30)
"""Seconds from the end of the last feed to the end of the event."""

_HOLDS = Fraction(1, 10), Fraction(30)
_LONGEST_GRACE = Fraction(24 * 3600)


class LiveTable(Table, frozen=True):
    """A channel file, or the same keys from options and environment."""

    listen: str | None = None
    pull: str | None = None
    profile: str = DEFAULT_PROFILE
    to: tuple[str, ...] = ()
    channel: str | None = None
    state: str | None = None
    http: Word | None = None
    once: bool = False
    hold: Duration = HOLD
    grace: Duration = GRACE
    time_url: str | None = None
    language: str | None = None


class VodTable(Table, frozen=True):
    """The options of `abr vod`."""

    files: tuple[str, ...] = ()
    profile: str = DEFAULT_PROFILE
    to: tuple[str, ...] = ()
    channel: str | None = None
    state: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """A live channel, checked. Exactly one of `listen` and `pull` is set."""

    listen: ListenAddress | None
    pull: PullAddress | None
    profile: Profile
    to: tuple[Origin, ...]
    channel: str
    state: Path
    """The folder of all channels' journals and spools; this channel's is below it."""
    http: HttpAddress | None
    once: bool
    """Whether the command ends with the first event."""
    hold: Fraction
    """How far the grid runs behind the clock, seconds."""
    grace: Fraction
    """Seconds from the end of the last feed to the end of the event."""
    time_url: str | None
    """Where DASH players ask for the time (UTCTiming), if anywhere."""
    language: str | None
    """Language of audio that names none itself."""


@dataclass(frozen=True, slots=True)
class Film:
    """One file to package, and the channel that it becomes."""

    source: PullAddress
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VodSettings:
    """Files to package, checked."""

    films: tuple[Film, ...]
    profile: Profile
    to: tuple[Origin, ...]
    state: Path
    language: str | None


def load_live(
    channel_toml: Path | None, options: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> LiveSettings:
    """The settings of `abr live`: options before `ABR_…` variables before the channel file.

    An option that is None, False or () was not given. Relative paths in the file start from the file's folder.
    Raises ConfigError with the key's path.
    """
    environ = os.environ if environ is None else environ
    layers = read_layers(LiveTable, channel_toml, environ, options)
    try:
        return _live(parse_table(LiveTable, layers.merged()), layers, environ)
    except ConfigError as error:
        raise layers.placed(error) from error.__cause__


def _live(table: LiveTable, layers: Layers, environ: Mapping[str, str]) -> LiveSettings:
    listen = parse_listen(table.listen) if table.listen else None
    pull = parse_pull(table.pull, layers.base("pull")) if table.pull else None
    _check_input(listen, pull)
    return LiveSettings(
        listen=listen,
        pull=pull,
        profile=_live_profile(table.profile, layers.base("profile")),
        to=_origins(table.to, layers.base("to")),
        channel=_channel(table.channel, pull.path.stem if pull and pull.path else "live"),
        state=_state(table.state, layers.base("state"), environ),
        http=parse_http(table.http) if table.http else None,
        once=table.once or pull is not None,
        hold=_between(table.hold, *_HOLDS, "hold"),
        grace=_between(table.grace, Fraction(0), _LONGEST_GRACE, "grace"),
        time_url=_time_url(table.time_url),
        language=check_language(table.language, "language"),
    )


def load_vod(options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> VodSettings:
    """The settings of `abr vod`: options before `ABR_…` variables. Raises ConfigError with the key's path."""
    environ = os.environ if environ is None else environ
    layers = read_layers(VodTable, None, environ, options)
    table = parse_table(VodTable, layers.merged())
    return VodSettings(
        films=_films(table),
        profile=_profile(table.profile, Path()),
        to=_origins(table.to, Path()),
        state=_state(table.state, Path(), environ),
        language=check_language(table.language, "language"),
    )


def default_state(environ: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/abr`, else `~/.local/state/abr`."""
    folder = environ.get("XDG_STATE_HOME", "")
    if Path(folder).is_absolute():  # the XDG specification: a relative one is to be ignored
        return Path(folder) / "abr"
    home = environ.get("HOME", "")
    return (Path(home) if home else Path.home()) / ".local" / "state" / "abr"


def _check_input(listen: ListenAddress | None, pull: PullAddress | None) -> None:
    if listen and pull:
        raise ConfigError(
            "pull", "cannot be used with listen: a channel awaits a feed or reads one; keep one"
        )
    if not (listen or pull):
        raise ConfigError(
            "listen", "is missing; say where the feed comes from: listen (RTMP) or pull (a file or URL)"
        )
    _check_file(pull, "pull")


def _check_file(source: PullAddress | None, key: str) -> None:
    if source and source.path and not source.path.exists():
        raise ConfigError(key, f"there is no file {str(source.path)!r}")


def _profile(text: str, base: Path) -> Profile:
    return load_profile(text if text in profile_names() else str(base / text))


def _live_profile(text: str, base: Path) -> Profile:
    profile = _profile(text, base)
    if profile.copy:
        raise ConfigError(
            "profile", f"{profile.name!r} copies, which only `abr vod` can; take one that encodes"
        )
    return profile


def _origins(texts: tuple[str, ...], base: Path) -> tuple[Origin, ...]:
    if not texts:
        raise ConfigError("to", "is missing; name at least one origin, a folder or s3://bucket/prefix")
    origins: list[Origin] = []
    for place, text in enumerate(texts, 1):
        key = f"to[{place}]" if len(texts) > 1 else "to"
        origin = parse_origin(text, base, key)
        if any(origin.name == other.name for other in origins):
            raise ConfigError(key, f"{origin.name} is named twice; each origin has its own place")
        origins.append(origin)
    return tuple(origins)


def _channel(name: str | None, stem: str) -> str:
    if name is None:
        return channel_of(stem)
    if not is_channel(name):
        raise ConfigError(
            "channel",
            f"{name!r} is no channel name; a-z, 0-9, '-', '_' and '.', for example {channel_of(name)}",
        )
    return name


def _state(text: str | None, base: Path, environ: Mapping[str, str]) -> Path:
    return (base / Path(text).expanduser()).absolute() if text else default_state(environ)


def _between(value: Fraction, shortest: Fraction, longest: Fraction, key: str) -> Fraction:
    if not shortest <= value <= longest:
        low, high, own = (units.duration_text(seconds) for seconds in (shortest, longest, value))
        raise ConfigError(key, f"{own} is out of range; {low} to {high}")
    return value


def _time_url(text: str | None) -> str | None:
    if text is None:
        return None
    if not re.fullmatch(r"https?://[!-~]+", text) or not urlsplit(text).hostname:
        raise ConfigError("time_url", f"{masked_url(text)!r} is not a URL; write https://host/path")
    return text


def _films(table: VodTable) -> tuple[Film, ...]:
    if not table.files:
        raise ConfigError("files", "is missing; name at least one file")
    if table.channel and len(table.files) > 1:
        raise ConfigError(
            "channel", "names one film and there are several files; leave it out, or call once a file"
        )
    films: list[Film] = []
    for place, text in enumerate(table.files, 1):
        key = f"files[{place}]" if len(table.files) > 1 else "files"
        source = parse_pull(text, key=key)
        _check_film(source, key)
        channel = _channel(
            table.channel, Path(urlsplit(source.name).path if source.url else source.name).stem
        )
        if any(channel == film.channel for film in films):
            raise ConfigError(
                key, f"{source.name!r} would become channel {channel!r} too; rename it, or call once a file"
            )
        films.append(Film(source, channel))
    return tuple(films)


def _check_film(source: PullAddress, key: str) -> None:
    if source.loop:
        raise ConfigError(key, "a film that loops has no end; leave out ?loop")
    _check_file(source, key)
