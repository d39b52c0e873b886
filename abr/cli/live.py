"""`abr live`: a feed becomes a stream at its origins."""

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("channel_toml", required=False, type=click.Path(path_type=Path))
@click.option(
    "--listen", metavar="URL", help="Await a publisher: rtmp://HOST:PORT/APP/KEY. Better in ABR_LISTEN."
)
@click.option("--pull", metavar="FILE|URL", help="Read a file or URL at its own pace; ?loop repeats a file.")
@click.option("--profile", metavar="NAME|FILE", help="The ladder.  [default: 720p]")
@click.option(
    "--to", multiple=True, metavar="ORIGIN", help="A folder or s3://bucket/prefix?endpoint=URL; repeatable."
)
@click.option("--channel", metavar="NAME", help="First part of every key.  [default: live]")
@click.option("--state", type=click.Path(path_type=Path), help="Folder of journal and spool.")
@click.option("--http", metavar="HOST:PORT", help="Serve health, metrics, state and a preview page.")
@click.option("--once", is_flag=True, help="End with the first event instead of waiting for the next.")
@click.option("--hold", metavar="TIME", help="How far the output runs behind the clock.  [default: 1s]")
@click.option("--grace", metavar="TIME", help="How long a lost feed may return to its event.  [default: 30s]")
@click.option("--time-url", metavar="URL", help="Where DASH players read the time (…/time of --http, say).")
@click.option("--language", metavar="TAG", help="Language of sound that names none (BCP 47).")
@click.option("--log-json", is_flag=True, help="Log lines as JSON.")
def live(channel_toml: Path | None, *, log_json: bool, **options: Any) -> int:
    """Take a live feed, make a ladder of it, deliver it to origins.

    CHANNEL_TOML holds the same keys as the options; options win over ABR_… variables, these over the file.
    Ctrl-C ends the event: last playlists, recording, exit code 0. A second one leaves at once.

    \b
    Examples:
      ABR_LISTEN=rtmp://0.0.0.0:1935/live/KEY abr live --to ./public --http 127.0.0.1:8080
      abr live --pull evening.mp4 --profile 1080p --to 's3://tv?endpoint=https://s3.example.org'
      abr live council.toml
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from abr import log
    from abr.config.settings import load_live
    from abr.worker.run import run_live

    log.configure(json=log_json)
    return run_live(load_live(channel_toml, options))
