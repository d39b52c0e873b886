"""`abr demo`: a test picture publishes itself to a worker on this machine, and a page plays it."""

import tempfile
from pathlib import Path

import click


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
    from abr.demo.run import Demo

    with tempfile.TemporaryDirectory(prefix="abr-demo-") as scratch:
        folder = to or Path(scratch) / "origin"
        return Demo(seconds, folder, Path(scratch) / "state", port, profile).run()
