"""The commands, each loaded only when it is asked for."""

import importlib

import click

_COMMANDS = {
    "live": ("abr.cli.live", "Take a live feed, make a ladder of it, deliver it to origins."),
    "vod": ("abr.cli.vod", "Package files as video-on-demand."),
    "demo": ("abr.cli.demo", "Everything on this machine, in a browser: no account, no server."),
    "verify": ("abr.cli.verify", "Judge a published stream, HLS and DASH, by the rules."),
    "profile": ("abr.cli.profile", "List, show and check ladders."),
}


class _Commands(click.Group):
    """A group whose help needs no command's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the base class's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from abr import __version__

    click.echo(f"abr, version {__version__}")
    ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def abr() -> None:
    """Live adaptive-bitrate packaging: RTMP, SRT or a file in; CMAF with HLS and DASH out, straight into S3 or a directory.

    \b
    Examples:
      abr demo
      abr live --listen rtmp://0.0.0.0:1935/live/KEY --to ./public
      abr vod talk.mp4 --profile 1080p --to 's3://bucket/vod?endpoint=https://s3.example.org'
      abr verify https://cdn.example.org/tv/news/index.m3u8 --live 60
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
