"""`abr demo`: a test picture publishes itself to a worker on this machine, and a page plays it."""

import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from abr.demo.publisher import Publisher
    from abr.worker.run import Running


@click.command()
@click.option(
    "--seconds", type=click.IntRange(min=5), help="End by itself after this many seconds of picture."
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Keep the stream in this folder.  [default: a temporary one]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Of the page; 0 takes a free one.",
)
@click.option("--profile", default="demo", show_default=True, metavar="NAME|FILE", help="The ladder.")
def demo(seconds: int | None, to: Path | None, port: int, profile: str) -> int:
    """Everything on this machine: test picture → RTMP → worker → local origin → page with a player.

    No account, no server, nothing to set up. Ctrl-C ends it; the recording stays where --to says.

    \b
    Examples:
      abr demo
      abr demo --seconds 60 --to ./demo-stream
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from abr import log

    log.configure(level="warning")
    with tempfile.TemporaryDirectory(prefix="abr-demo-") as scratch:
        folder = (to or Path(scratch) / "origin").absolute()
        code = _run(seconds, folder, Path(scratch) / "state", port, profile)
        if to is not None:
            _tell(folder)
        return code


def _run(seconds: int | None, folder: Path, state: Path, port: int, profile: str) -> int:
    from abr.config.settings import load_live
    from abr.worker.run import run_live

    options = {
        "listen": f"rtmp://127.0.0.1:0/live/{secrets.token_hex(8)}",
        "profile": profile,
        "to": (str(folder),),
        "channel": "demo",
        "state": state,
        "http": f"127.0.0.1:{port}",
        "once": True,
        "grace": "1s",
    }
    settings = load_live(None, options, environ={})
    return run_live(settings, watch=_Show(seconds).watch)


def _tell(folder: Path) -> None:
    """Where the recording is."""
    for path in sorted(folder.glob("demo/recordings/*/index.m3u8")):
        click.echo(f"recording {path.parent} (index.m3u8, manifest.mpd)")


class _Show:
    """Publishes to the worker, and says what happens until it ends."""

    def __init__(self, seconds: int | None) -> None:
        self._seconds = seconds

    def watch(self, running: "Running") -> None:
        """Called when the worker listens, in a thread of its own."""
        from abr.config.address import ListenAddress
        from abr.demo.publisher import Broadcast, Publisher

        assert running.listening is not None
        page = running.page
        click.echo(f"page      {page}/")
        click.echo(f"HLS       {page}/media/demo/index.m3u8")
        click.echo(f"DASH      {page}/media/demo/manifest.mpd")
        address = running.listening
        assert isinstance(address, ListenAddress)
        assert address.key is not None
        url = f"rtmp://127.0.0.1:{address.port}/{address.app}/{address.key.reveal()}"
        publisher = Publisher(Broadcast(url, self._seconds))
        publisher.start()
        try:
            self._follow(running, publisher)
        finally:
            publisher.stop()

    def _follow(self, running: "Running", publisher: "Publisher") -> None:
        """Show the state each second until the picture has ended."""
        from rich.console import Console

        from abr.cli.screen import follow

        follow(Console(stderr=True), running.state, lambda: publisher.wait(1.0) is not None or running.over())
