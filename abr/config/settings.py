"""What a command was asked to do: channel file, options and environment, merged and checked.

The only place where the environment is read.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from abr.config import units
from abr.config.access import Access, make_access
from abr.config.address import (
    HttpAddress,
    PullAddress,
    SrtAddress,
    parse_http,
    parse_pull,
)  # fmt: skip
from abr.config.audio import check_language
from abr.config.backup import (
    BLACK_AFTER,
    FREEZE_AFTER,
    RETURN_AFTER,
    Backup,
    InputAddress,
    make_backup,
    read_inputs,
)  # fmt: skip
from abr.config.layer import Layers, read_layers
from abr.config.loss import HOLD_PICTURE, Loss, make_loss
from abr.config.origin import Origin, OriginTable, read_origin
from abr.config.place import parse_path
from abr.config.profile import DEFAULT_PROFILE, Profile, load_profile, profile_names
from abr.config.record import QUOTA, Record, make_record
from abr.config.relief import RELIEF_AFTER, check_relief
from abr.config.schema import Table, parse_table
from abr.config.secret import masked_url
from abr.config.written import Duration, Hidden, Volume, Word
from abr.errors import ConfigError
from abr.model.identity import channel_of, is_channel

HOLD = Fraction(1)
"""Seconds that the grid runs behind the clock unless asked otherwise (RTMP)."""

SRT_HOLD = Fraction(3, 10)
"""The same for SRT, whose own latency has taken the network's jitter already."""

GRACE = Fraction(30)
"""Seconds from the end of the last feed to the end of the event."""

_HOLDS = Fraction(1, 10), Fraction(30)
_LONGEST_GRACE = Fraction(24 * 3600)


class LiveTable(Table, frozen=True):
    """A channel file, or the same keys from options and environment."""

    listen: str | tuple[str, ...] | None = None
    pull: str | tuple[str, ...] | None = None
    pull_private: bool = False
    profile: str = DEFAULT_PROFILE
    to: tuple[str | OriginTable, ...] = ()
    channel: str | None = None
    state: str | None = None
    http: Word | None = None
    once: bool = False
    hold: Duration | None = None
    grace: Duration = GRACE
    time_url: str | None = None
    language: str | None = None
    on_loss: str = "end"
    hold_picture: Duration = HOLD_PICTURE
    slate: str | None = None
    black_after: Duration = BLACK_AFTER
    freeze_after: Duration = FREEZE_AFTER
    return_after: Duration = RETURN_AFTER
    relief_after: Duration = RELIEF_AFTER
    input_token: Hidden | None = None
    record_feed: str | None = None
    record_quota: Volume = Volume(QUOTA)
    keys: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None


class VodTable(Table, frozen=True):
    """The options of `abr vod`."""

    files: tuple[str, ...] = ()
    pull_private: bool = False
    profile: str = DEFAULT_PROFILE
    to: tuple[str, ...] = ()
    channel: str | None = None
    state: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """A live channel, checked."""

    inputs: tuple[InputAddress, ...]
    """Where feeds come from, the preferred one first; at least one."""
    backup: Backup
    """When to go from one input to another."""
    pull_private: bool
    """Whether playlists and redirects from a public address may lead to a private one."""
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
    loss: Loss
    """What is shown when the feed, or its picture, is gone."""
    relief_after: Fraction
    """Seconds that the output may be behind before the top rung gives way; 0: it never does."""
    record: Record | None
    """Where feeds are recorded as they come, if anywhere."""
    access: Access
    """Whose keys count beside the address's own, and the certificate of rtmps."""


@dataclass(frozen=True, slots=True)
class Film:
    """One file to package, and the channel that it becomes."""

    source: PullAddress
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VodSettings:
    """Files to package, checked."""

    films: tuple[Film, ...]
    pull_private: bool
    """As in LiveSettings."""
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
    order = [key for key in layers.merged() if key in {"listen", "pull"}]
    inputs = read_inputs(order, table.listen, table.pull, layers.base("pull"))
    files = [item.path for item in inputs if isinstance(item, PullAddress) and item.path]
    return LiveSettings(
        inputs=inputs,
        backup=make_backup(table.black_after, table.freeze_after, table.return_after, table.input_token),
        pull_private=table.pull_private,
        profile=_live_profile(table.profile, layers.base("profile")),
        to=_origins(table.to, layers.base("to")),
        channel=_channel(table.channel, files[0].stem if files and len(inputs) == 1 else "live"),
        state=_state(table.state, layers.base("state"), environ),
        http=parse_http(table.http) if table.http else None,
        once=table.once or len(files) == len(inputs),
        hold=_hold(table.hold, inputs),
        grace=_between(table.grace, Fraction(0), _LONGEST_GRACE, "grace"),
        time_url=_time_url(table.time_url),
        language=check_language(table.language, "language"),
        loss=make_loss(table.on_loss, table.hold_picture, _below(layers.base("slate"), table.slate, "slate")),
        relief_after=check_relief(table.relief_after),
        record=make_record(
            _below(layers.base("record_feed"), table.record_feed, "record_feed"), table.record_quota
        ),
        access=_access(table, layers, inputs),
    )


def _access(table: LiveTable, layers: Layers, inputs: Sequence[object]) -> Access:
    keys, certificate, private_key = (
        _below(layers.base(key), text, key)
        for key, text in (("keys", table.keys), ("tls_cert", table.tls_cert), ("tls_key", table.tls_key))
    )
    return make_access(inputs, Access(keys, certificate, private_key))


def load_vod(options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> VodSettings:
    """The settings of `abr vod`: options before `ABR_…` variables. Raises ConfigError with the key's path."""
    environ = os.environ if environ is None else environ
    layers = read_layers(VodTable, None, environ, options)
    table = parse_table(VodTable, layers.merged())
    return VodSettings(
        films=_films(table),
        pull_private=table.pull_private,
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


def _origins(written: tuple[str | OriginTable, ...], base: Path) -> tuple[Origin, ...]:
    if not written:
        raise ConfigError("to", "is missing; name at least one origin, a folder or s3://bucket/prefix")
    origins: list[Origin] = []
    for place, item in enumerate(written, 1):
        key = f"to[{place}]" if len(written) > 1 else "to"
        origin = read_origin(item, base, key)
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
    return _below(base, text, "state") or default_state(environ)


def _below(base: Path, text: str | None, key: str) -> Path | None:
    return parse_path(text, base, key).absolute() if text else None


def _hold(hold: Fraction | None, inputs: Sequence[InputAddress]) -> Fraction:
    if hold is None:
        return SRT_HOLD if all(map(_is_srt, inputs)) else HOLD
    return _between(hold, *_HOLDS, "hold")


def _is_srt(address: InputAddress) -> bool:
    return isinstance(address, SrtAddress) or (isinstance(address, PullAddress) and address.scheme == "srt")


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
    if source.scheme not in {"file", "http", "https"}:
        raise ConfigError(key, f"{source.name} is a live feed; `abr live --pull` takes it")
    _check_file(source, key)
