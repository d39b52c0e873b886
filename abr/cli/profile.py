"""`abr profile`: list, show and check ladder files."""

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from abr.config import units
from abr.config.encoder import COPY
from abr.config.ladder import Resolved, resolve
from abr.config.profile import DEFAULT_PROFILE, Profile, load_profile, profile_names
from abr.errors import ConfigError
from abr.model.ladder import AudioTarget, VideoTarget
from abr.model.media import Kind, Track

if TYPE_CHECKING:
    from rich.table import Table

_SOURCE_RATE = 6_000_000
"""Bits/s of the source that `show` assumes; it matters to no rung."""

_WIDE = 110
"""Columns of a table that goes into a file or a pipe."""


@click.group()
def profile() -> None:
    """The ladders that feeds and files are encoded to.

    \b
    Example:
      abr profile show 720p
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@profile.command("list")
def list_profiles() -> None:
    """Name the profiles that come with abr.

    \b
    Example:
      abr profile list
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    table = _table("profile", "what it makes")
    for name in profile_names():
        mark = " (default)" if name == DEFAULT_PROFILE else ""
        table.add_row(f"{name}{mark}", load_profile(name).description)
    _print(table)


@profile.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: rates in bits/s, durations in seconds.")
@click.option("--fps", default="25", show_default=True, help="Frame rate of the source that is assumed.")
def show_profile(name: str, as_json: bool, fps: str) -> None:
    """Show the rungs of NAME, a profile or a file, as a source of full size would be encoded.

    \b
    Examples:
      abr profile show 1080p --fps 50
      abr profile show my-ladder.toml --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    loaded = load_profile(name)
    resolved = _resolved(loaded, fps)
    if as_json:
        click.echo(json.dumps(_document(loaded, resolved), indent=2))
        return
    click.echo(f"{loaded.name}: {loaded.description}" if loaded.description else loaded.name)
    if loaded.copy:
        click.echo("The source's own video and AAC sound, as they are.")
    _print_tables(resolved)
    for note in resolved.notes:
        click.echo(f"note: {note}")


@profile.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_profile(file: Path) -> None:
    """Say whether FILE is a usable profile; the first mistake with its place and its cure (exit code 2).

    Its encoders are opened, so what this machine lacks is a mistake too.

    \b
    Example:
      abr profile check my-ladder.toml
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    loaded = load_profile(str(file))
    resolved = _resolved(loaded, "25")
    _try_encoders(loaded, resolved)
    for note in resolved.notes:
        click.echo(f"note: {note}")
    click.echo(
        f"{file}: fine, {_count(len(loaded.video), 'rung')} and {_count(len(loaded.audio), 'audio rendition')}"
    )


def _try_encoders(loaded: Profile, resolved: Resolved) -> None:
    """Open each rung's encoder: only it knows its options. Raises ConfigError, EncoderMissing, MediaError."""
    from abr.transcode.trial import try_encoder

    places = {rung.name: f"video[{place}]" for place, rung in enumerate(loaded.video, 1)}
    for target in resolved.ladder.video:
        try:
            try_encoder(target)
        except ConfigError as error:
            message = error.message.removeprefix(f"{error.path}: ")
            path = error.path.replace(f"video.{target.name}", places[target.name], 1)
            raise ConfigError(path, message, hint=error.hint) from error


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _resolved(loaded: Profile, fps: str) -> Resolved:
    """The profile for a source that fills its largest rung and has sound."""
    try:
        rate = units.rate(fps)
    except ValueError as error:
        raise ConfigError("--fps", str(error)) from error
    largest = loaded.video[0] if loaded.video else None
    size = units.Size(largest.width, largest.height) if largest else units.Size(1920, 1080)
    picture = Track(
        index=0,
        kind=Kind.VIDEO,
        codec="h264",
        time_base=Fraction(1, 1000),
        width=size.width,
        height=size.height,
        frame_rate=rate,
        bit_rate=_SOURCE_RATE,
    )
    sound = Track(1, Kind.AUDIO, "aac", Fraction(1, 48_000), sample_rate=48_000, channels=2)
    return resolve(loaded, [picture, sound], cores=1)


def _document(loaded: Profile, resolved: Resolved) -> dict[str, Any]:
    ladder = resolved.ladder
    return {
        "name": loaded.name,
        "description": loaded.description,
        "copy": loaded.copy,
        "segment": _number(ladder.duration),
        "window": _number(ladder.window),
        "fit": str(ladder.fit),
        "video": [_video(rung) for rung in ladder.video if not loaded.copy],
        "audio": [_audio(track) for track in ladder.audio if not loaded.copy],
        "notes": list(resolved.notes),
    }


def _video(rung: VideoTarget) -> dict[str, Any]:
    return {
        "name": rung.name,
        "width": rung.width,
        "height": rung.height,
        "fps": int(rung.rate) if rung.rate.denominator == 1 else str(rung.rate),
        "codec": rung.codec,
        "bitrate": rung.bitrate,
        "maxrate": rung.maxrate,
        "bufsize": rung.bufsize,
        "crf": None if rung.crf is None else _number(rung.crf),
        "preset": rung.preset,
        "profile": rung.profile,
        "level": rung.level,
        "key_frames": rung.key_frames,
        "options": dict(rung.options),
    }


def _audio(track: AudioTarget) -> dict[str, Any]:
    return {
        "name": track.name,
        "codec": track.codec,
        "bitrate": track.bitrate,
        "sample_rate": track.sample_rate,
        "channels": track.channels,
        "language": track.language,
        "label": track.label,
    }


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _print_tables(resolved: Resolved) -> None:
    ladder = resolved.ladder
    if ladder.video:
        _print_rungs([rung for rung in ladder.video if rung.codec != COPY])
    if ladder.audio:
        _print_audio([track for track in ladder.audio if track.codec != COPY])
    segment, window = (units.duration_text(value) for value in (ladder.duration, ladder.window))
    click.echo(f"segments of {segment}, live window {window}")


def _print_rungs(rungs: list[VideoTarget]) -> None:
    table = _table(
        "rung", "size", "fps", "codec", "preset", "bitrate", "maxrate", "bufsize", "profile", "level"
    )
    for rung in rungs:
        size, fps = f"{rung.width}x{rung.height}", units.rate_text(rung.rate)
        rates = (units.bitrate_text(bits) for bits in (rung.bitrate, rung.maxrate, rung.bufsize))
        words = (rung.profile or "", rung.level or "")
        table.add_row(rung.name, size, fps, rung.codec, rung.preset, *rates, *words)
    _print(table)


def _print_audio(tracks: list[AudioTarget]) -> None:
    table = _table("audio", "codec", "bitrate", "channels", "language")
    for track in tracks:
        rate = units.bitrate_text(track.bitrate)
        table.add_row(track.name, track.codec, rate, str(track.channels), track.language or "")
    _print(table)


def _table(*heads: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, no_wrap=True)
    return table


def _print(table: "Table") -> None:
    from rich.console import Console

    if not table.row_count:
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    console.print(table)
