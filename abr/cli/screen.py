"""What a terminal shows while a worker runs: its state as a table, renewed each second."""

from typing import TYPE_CHECKING

from abr.model.state import SAMPLES, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType


def bits(rate: int) -> str:
    """Bits/s for a person."""
    return f"{rate / 1_000_000:.2f} Mb/s" if rate >= 1_000_000 else f"{rate / 1000:.0f} kb/s"


def state_table(state: State) -> "RenderableType":
    """Rungs, rates, segments, origins and lag."""
    from rich.table import Table

    table = Table(title=_title(state), title_justify="left", title_style="bold", expand=False, pad_edge=False)
    for heading in ("rung", "size", "target", "now", "segments"):
        table.add_column(heading, justify="left" if heading == "rung" else "right")
    for rung in state.rungs:
        now = bits(rung.rate) if rung.segments else "-"
        table.add_row(rung.name, rung.size or "-", bits(rung.target), now, str(rung.segments))
    for origin in state.origins:
        style = "red" if origin.state == "stopped" else None
        waiting = f"{origin.backlog} waiting" if origin.backlog else origin.state
        table.add_row("origin", origin.name, "", waiting, str(origin.confirmed), style=style)
    return table


def _title(state: State) -> str:
    edge = f"{state.edge:.1f} s behind the clock" if state.released else "no segment yet"
    slate = ", on slate" if state.slate and state.slate.since is not None else ""
    counters = ", ".join(
        f"{count} {'samples ' if name in SAMPLES else ''}{name}"
        for name, count in state.counters.items()
        if count
    )
    return f"{state.channel}: {state.phase}{slate}, {edge}" + (f", {counters}" if counters else "")


def follow(console: "Console", state: "Callable[[], State]", pause: "Callable[[], bool]") -> None:
    """Show the state until `pause`, which waits about a second, says that it is over.

    A terminal gets a table that renews itself, everything else a line every ten seconds.
    """
    from rich.live import Live

    if not console.is_terminal:
        turns = 0
        while not pause():
            turns += 1
            if turns % 10 == 0:
                console.print(_title(state()), highlight=False)
        return
    with Live(state_table(state()), console=console, refresh_per_second=2, transient=True) as live:
        while not pause():
            live.update(state_table(state()))
