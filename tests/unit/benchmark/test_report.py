"""Figures: which bounds are broken, what stands in the JSON and in the table."""

import json

import pytest
from rich.console import Console

from scripts.benchmark.measure import Cost, RunFailed
from scripts.benchmark.pairs import Spread
from scripts.benchmark.report import Figure, Report, absolutes, compare, same_cuts, table

COSTS = {
    "abr": [Cost(1.0, 2.0, 2048), Cost(3.0, 2.0, 2048)],
    "FFmpeg": [Cost(4.0, 4.0, 1024), Cost(4.0, 1.0, 4096)],
}


@pytest.mark.parametrize(("median", "broken"), [(0.39, False), (0.40, False), (0.41, True)])
def test_a_bound_is_the_most_that_the_median_may_be(median, broken):
    assert Figure("x", Spread(median, 0.1, 9.0), bound=0.40).broken is broken


def test_a_figure_without_a_bound_is_never_broken():
    assert not Figure("x", Spread(9.0, 9.0, 9.0)).broken


def test_sides_are_compared_in_processor_time_clock_and_memory():
    cpu, clock, memory = compare(COSTS, "abr", "FFmpeg", {"cpu": 0.4})
    assert cpu == Figure("CPU, abr / FFmpeg", Spread(0.5, 0.25, 0.75), bound=0.4)
    assert clock == Figure("clock, abr / FFmpeg", Spread(1.25, 0.5, 2.0))
    assert memory == Figure("memory, abr / FFmpeg", Spread(1.25, 0.5, 2.0))


def test_a_report_names_its_broken_figures():
    report = Report("package", tuple(compare(COSTS, "abr", "FFmpeg", {"cpu": 0.4, "memory": 2})))
    assert [figure.name for figure in report.broken] == ["CPU, abr / FFmpeg"]


def test_sides_that_cut_alike_are_compared():
    costs = {"abr": [Cost(1, 1, 1, 105)], "FFmpeg": [Cost(1, 1, 1, 100)]}
    assert same_cuts(costs) == {"abr": 105, "FFmpeg": 100}


def test_sides_that_cut_differently_are_not():
    costs = {"abr": [Cost(1, 1, 1, 106)], "FFmpeg": [Cost(1, 1, 1, 100)]}
    with pytest.raises(RunFailed, match=r"cut differently.*'abr': 106, 'FFmpeg': 100"):
        same_cuts(costs)


def test_costs_are_shown_in_seconds_and_mebibytes():
    assert absolutes({"abr": COSTS["abr"]}) == [
        Figure("CPU of abr", Spread(2.0, 1.0, 3.0), "s"),
        Figure("memory of abr", Spread(2.0, 2.0, 2.0), "MiB"),
    ]


def test_the_json_holds_figures_runs_and_facts():
    figure = Figure("CPU", Spread(0.5, 0.25, 0.75), bound=0.4)
    document = Report("package", (figure,), {"abr": [Cost(1.0, 2.0, 3, 4, 5)]}, {"film": "a.mp4"}).document()
    assert json.loads(json.dumps(document)) == {
        "facts": {"film": "a.mp4"},
        "figures": [
            {
                "name": "CPU",
                "spread": {"median": 0.5, "low": 0.25, "high": 0.75},
                "unit": "",
                "bound": 0.4,
                "broken": True,
            }
        ],
        "costs": {"abr": [{"cpu": 1.0, "wall": 2.0, "memory": 3, "segments": 4, "bytes": 5}]},
    }


def test_the_table_shows_ratios_with_three_decimals_and_the_verdict():
    figures = (
        Figure("CPU", Spread(0.5, 0.25, 0.75), bound=0.4),
        Figure("delay", Spread(493.61, 475.2, 517.9), "ms"),
    )
    console = Console(width=90, record=True, file=None, quiet=False)
    with console.capture() as shown:
        console.print(table(Report("package", figures)))
    lines = [" ".join(line.split()) for line in shown.get().splitlines()]
    assert lines[2] == "CPU 0.500 0.250 … 0.750 ≤ 0.400 broken"
    assert lines[3] == "delay 493.6 ms 475.2 ms … 517.9 ms"
