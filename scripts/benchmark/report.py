"""What was measured: figures with their bounds, as a table and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from .measure import Cost, RunFailed
from .pairs import Spread, ratios, spread


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    name: str
    spread: Spread
    unit: str = ""
    """Empty for a ratio."""
    bound: float | None = None
    """The most that it may be."""

    @property
    def broken(self) -> bool:
        """Whether it is above its bound."""
        return self.bound is not None and self.spread.median > self.bound


@dataclass(frozen=True, slots=True)
class Report:
    """What one part measured."""

    part: str
    figures: tuple[Figure, ...]
    costs: Mapping[str, Sequence[Cost]] = field(default_factory=dict)
    """Each run of each side, in order."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the figures hold for: film, ladder, lengths."""

    @property
    def broken(self) -> list[Figure]:
        """Figures above their bounds."""
        return [figure for figure in self.figures if figure.broken]

    def document(self) -> dict[str, Any]:
        """The report for JSON."""
        return {
            "facts": dict(self.facts),
            "figures": [_figure(figure) for figure in self.figures],
            "costs": {side: [cost._asdict() for cost in costs] for side, costs in self.costs.items()},
        }


def compare(
    costs: Mapping[str, Sequence[Cost]], ours: str, theirs: str, bounds: Mapping[str, float] | None = None
) -> list[Figure]:
    """Ratios of processor time, clock and memory between two sides; `bounds` by their name in Cost."""
    bounds = bounds or {}
    return [
        Figure(
            f"{word}, {ours} / {theirs}",
            ratios(*([getattr(cost, name) for cost in costs[side]] for side in (ours, theirs))),
            bound=bounds.get(name),
        )
        for name, word in (("cpu", "CPU"), ("wall", "clock"), ("memory", "memory"))
    ]


def same_cuts(costs: Mapping[str, Sequence[Cost]]) -> dict[str, int]:
    """Segments of each side. Raises RunFailed where one wrote a twentieth more than another."""
    counts = {name: runs[0].segments for name, runs in costs.items()}
    if max(counts.values()) * 20 > min(counts.values()) * 21:
        raise RunFailed(f"the sides cut differently, so nothing can be compared: {counts} segments")
    return counts


def absolutes(costs: Mapping[str, Sequence[Cost]]) -> list[Figure]:
    """What each side cost on this machine; of use only beside one another."""
    figures = []
    for side, runs in costs.items():
        figures.append(Figure(f"CPU of {side}", spread([cost.cpu for cost in runs]), "s"))
        figures.append(Figure(f"memory of {side}", spread([cost.memory / 1024 for cost in runs]), "MiB"))
    return figures


def table(report: Report) -> Table:
    """A report as it is shown."""
    shown = Table(title=report.part, title_justify="left", box=None, pad_edge=False)
    for head in ("figure", "median", "least … most", "bound", ""):
        shown.add_column(head, justify="left" if head in {"figure", ""} else "right", no_wrap=True)
    for figure in report.figures:
        middle, low, high = (_number(value, figure.unit) for value in figure.spread)
        bound = "" if figure.bound is None else f"≤ {_number(figure.bound, figure.unit)}"
        verdict = "" if figure.bound is None else "[red]broken[/]" if figure.broken else "[green]holds[/]"
        shown.add_row(figure.name, middle, f"{low} … {high}", bound, verdict)
    return shown


def _figure(figure: Figure) -> dict[str, Any]:
    return asdict(figure) | {"spread": figure.spread._asdict(), "broken": figure.broken}


def _number(value: float, unit: str) -> str:
    """Ratios with three decimals, units with a digit or two behind the point."""
    if not unit:
        return f"{value:.3f}"
    digits = 1 if abs(value) >= 100 else 2
    return f"{value:.{digits}f} {unit}"
