"""`abr vod`: files become video-on-demand."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from abr.config.settings import VodSettings
    from abr.worker.vod import Packaged


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--profile", metavar="NAME|FILE", help="The ladder, or copy.  [default: 720p]")
@click.option(
    "--to", multiple=True, metavar="ORIGIN", help="A folder or s3://bucket/prefix?endpoint=URL; repeatable."
)
@click.option("--channel", metavar="NAME", help="First part of every key.  [default: the file's name]")
@click.option("--state", type=click.Path(path_type=Path), help="Folder of journal and spool.")
@click.option(
    "--pull-private", is_flag=True, help="Let playlists from public addresses lead to private ones."
)
@click.option("--language", metavar="TAG", help="Language of sound that names none (BCP 47).")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def vod(*, as_json: bool, **options: Any) -> int:
    """Package FILES as video-on-demand: HLS and DASH over one set of segments.

    Frame times are the file's own; `--profile copy` packages what the file holds without encoding it.

    \b
    Examples:
      abr vod talk.mp4 --profile 1080p --to ./public
      abr vod *.mp4 --profile copy --to 's3://archive/vod?endpoint=https://s3.example.org'
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    import signal

    from abr.config.settings import load_vod
    from abr.errors import AbrError
    from abr.log import redact

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both leave no half film behind
    settings = load_vod(options)
    code = 0
    for index in range(len(settings.films)):
        try:
            packaged = _package(settings, index)
        except AbrError as error:
            if len(settings.films) == 1:
                raise
            click.echo(f"abr: {redact(str(error))}", err=True)
            code = error.exit_code
            continue
        _tell(packaged, settings, as_json=as_json)
    return code


def _package(settings: "VodSettings", index: int) -> "Packaged":
    """One film, with a progress bar where there is a terminal."""
    import sys

    from abr.clock import SystemClock
    from abr.worker.vod import package_film

    film = settings.films[index]
    if not sys.stderr.isatty():
        return package_film(film, settings, SystemClock(), lambda _: None)
    return _with_bar(settings, index)


def _with_bar(settings: "VodSettings", index: int) -> "Packaged":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from abr.clock import SystemClock
    from abr.worker.vod import film_duration, package_film

    film = settings.films[index]
    total = film_duration(film, settings, SystemClock())
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(film.channel, total=total or None)
        return package_film(film, settings, SystemClock(), lambda done: bar.update(task, completed=done))


def _tell(packaged: "Packaged", settings: "VodSettings", *, as_json: bool) -> None:
    """Say what was made and where."""
    import json

    if as_json:
        made = {
            "channel": packaged.channel,
            "event": packaged.session.event,
            "segments": packaged.releases,
            "renditions": [rendition.name for rendition in packaged.session.renditions],
            "hls": packaged.entry,
            "dash": packaged.entry.replace("index.m3u8", "manifest.mpd"),
            "origins": [origin.name for origin in settings.to],
            "notes": list(packaged.notes),
        }
        click.echo(json.dumps(made))
        return
    for note in packaged.notes:
        click.echo(f"note: {note}", err=True)
    for origin in settings.to:
        click.echo(f"{packaged.releases} segments of {packaged.channel} are at {origin.name}")
    click.echo(f"HLS   {packaged.entry}")
    click.echo(f"DASH  {packaged.entry.replace('index.m3u8', 'manifest.mpd')}")
