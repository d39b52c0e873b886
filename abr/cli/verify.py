"""`abr verify`: judge a published stream."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from abr.verify.judge import Progress
    from abr.verify.verdict import Verdict

_SHOWN = 3
"""Findings of one rule that the table shows."""
_COLOURS = {"M": "bold red", "A": "red", "I": "red", "S": "yellow", "V": "cyan"}


@click.command(
    epilog="""\b
Examples:
  abr verify https://cdn.example/live/concert/index.m3u8 --live 60
  abr verify /srv/origin/concert/recordings/20260829T181500Z-0f3c --decode --level A
\b
Levels: M protocol, A Apple, I DASH-IF, S advice, V HbbTV.
Exit code: 0 nothing of level M, A or I; 1 something; 2 no stream there."""
)
@click.argument("target", metavar="URL_OR_DIR")
@click.option(
    "--live",
    "live_seconds",
    type=click.IntRange(0, 86_400),
    default=0,
    metavar="SECONDS",
    help="Watch how it changes.",
)
@click.option("--decode", is_flag=True, help="Decode every segment and count the frames.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option(
    "--level",
    type=click.Choice(["M", "A", "I", "S", "V"]),
    default="V",
    show_default=True,
    help="Show findings of this level and those before it (M, A, I, S, V).",
)
def verify(target: str, live_seconds: int, decode: bool, as_json: bool, level: str) -> None:
    """Judge a published stream, HLS and DASH, by the rules of the specifications.

    URL_OR_DIR is a channel's folder or address, its index.m3u8 or manifest.mpd, or the folder of a recording.
    """
    from abr.verify.judge import judge

    with _progress(quiet=as_json) as progress:
        verdict = judge(target, live_seconds=live_seconds, decode=decode, progress=progress)
    shown = "MAISV"[: "MAISV".index(level) + 1]
    if as_json:
        click.echo(json.dumps(_as_json(verdict, shown), indent=2))
    else:
        _print(verdict, shown)
    click.get_current_context().exit(0 if verdict.ok else 1)


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Progress]":
    """A line on a terminal that counts the objects fetched; nothing elsewhere."""
    from abr.verify.judge import Progress

    if quiet or not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed} objects"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield Progress(
            fetched=lambda: bar.advance(task),
            stage=lambda text: bar.update(task, description=text),
        )


def _as_json(verdict: "Verdict", shown: str) -> dict[str, Any]:
    return {
        "target": verdict.target,
        "ok": verdict.ok,
        "findings": [
            {"rule": item.rule, "level": item.level, "where": item.where, "text": item.text}
            for item in verdict.findings
            if item.level in shown
        ],
        "judged": list(verdict.judged),
        "not_judged": {item.rule: item.why for item in verdict.not_judged},
    }


def _print(verdict: "Verdict", shown: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    findings = [item for item in verdict.findings if item.level in shown]
    if findings:
        console.print(_table(verdict, shown))
    reasons = sorted((item.why, item.rule) for item in verdict.not_judged)
    for why, items in groupby(reasons, key=lambda pair: pair[0]):
        console.print(f"[dim]not judged ({escape(why)}): {', '.join(rule for _, rule in items)}[/dim]")
    colour, word = ("green", "right") if verdict.ok else ("red", "wrong")
    counts = ", ".join(f"{sum(item.level == level for item in findings)} {level}" for level in shown)
    console.print(
        f"[{colour}]{escape(verdict.target)} is {word}[/{colour}]: {len(verdict.judged)} rules judged, findings {counts}"
    )


def _table(verdict: "Verdict", shown: str) -> Any:
    """The findings, the first few of each rule."""
    from rich.markup import escape
    from rich.table import Table

    from abr.verify.rules import RULES

    table = Table("rule", "level", "where", "found", box=None, pad_edge=False, header_style="bold")
    for rule, group in groupby(verdict.findings, key=lambda item: item.rule):
        items = list(group)
        level = RULES[rule].level
        if level not in shown:
            continue
        table.add_row(rule, level, "", escape(RULES[rule].text), style=_COLOURS[level])
        for item in items[:_SHOWN]:
            table.add_row("", "", escape(item.where), escape(item.text))
        if len(items) > _SHOWN:
            table.add_row("", "", "", f"and {len(items) - _SHOWN} more")
    return table
