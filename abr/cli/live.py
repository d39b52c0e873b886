"""`abr live`: a feed becomes a stream at its origins."""

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("channel_toml", required=False, type=click.Path(path_type=Path))
@click.option(
    "--listen",
    multiple=True,
    metavar="URL",
    help="Await a publisher: rtmp(s)://HOST:PORT/APP/KEY, srt://HOST:PORT?streamid=NAME&passphrase=…; repeatable, the preferred one first. Better in ABR_LISTEN.",
)
@click.option("--keys", metavar="FILE", help="Stream keys, a line each: NAME sha256:DIGEST (rtmp, rtmps).")
@click.option("--tls-cert", metavar="FILE", help="Certificate of rtmps://, PEM; read again when it changes.")
@click.option("--tls-key", metavar="FILE", help="Its private key, PEM.  [default: in the certificate's file]")
@click.option(
    "--pull",
    multiple=True,
    metavar="FILE|URL",
    help="Fetch a feed: a file (?loop repeats it), http(s)://, HLS, rtmp(s)://, srt:// or udp:// (MPEG-TS).",
)
@click.option(
    "--pull-private", is_flag=True, help="Let playlists from public addresses lead to private ones."
)
@click.option("--profile", metavar="NAME|FILE", help="The ladder.  [default: 720p]")
@click.option(
    "--to", multiple=True, metavar="ORIGIN", help="A folder or s3://bucket/prefix?endpoint=URL; repeatable."
)
@click.option(
    "--channel", metavar="NAME", help="First part of every key.  [default: live, or the pulled file's name]"
)
@click.option("--state", type=click.Path(path_type=Path), help="Folder of journal and spool.")
@click.option("--http", metavar="HOST:PORT", help="Serve health, metrics, state and a preview page.")
@click.option("--once", is_flag=True, help="End with the first event instead of waiting for the next.")
@click.option(
    "--hold", metavar="TIME", help="How far the output runs behind the clock.  [default: 1s, SRT 300ms]"
)
@click.option("--grace", metavar="TIME", help="How long a lost feed may return to its event.  [default: 30s]")
@click.option(
    "--on-loss", metavar="end|slate", help="After the grace end the event, or keep the slate.  [default: end]"
)
@click.option(
    "--hold-picture", metavar="TIME", help="How long a lost picture stays before the slate.  [default: 2s]"
)
@click.option(
    "--slate", metavar="FILE", help="PNG or JPEG shown without a picture.  [default: the channel's name]"
)
@click.option(
    "--record-feed",
    metavar="DIR",
    help="Keep feeds as they come, a file an hour: publishers', and what srt:// and udp:// fetch.",
)
@click.option("--record-quota", metavar="SIZE", help="How much of it is kept.  [default: 50G]")
@click.option(
    "--black-after", metavar="TIME", help="Leave an input that is black and silent.  [default: 10s]"
)
@click.option(
    "--freeze-after", metavar="TIME", help="Leave an input whose picture stands still.  [default: 30s]"
)
@click.option(
    "--return-after", metavar="TIME", help="Go back to a preferred input that is good.  [default: 30s]"
)
@click.option(
    "--relief-after", metavar="TIME", help="Take work from the top rung of a slow machine.  [default: 3s]"
)
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
