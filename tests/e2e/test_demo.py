"""`abr demo` in a real browser: four players while it is live, and on what it leaves behind.

The first tests share one run of the demo and follow each other: live, the page, the end.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import browser
from tests.e2e.processes import Program, abr, fetch, run_abr

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LIVE = 10
"""Seconds that each player plays while the demo is live: short for CI, and enough to see a switch behind the buffer.
Before a release the long run is done by hand: `scripts/demo --seconds 150`, and meanwhile
`node tests/e2e/players/play.mjs --seconds 15 --force-switch` with one player after another."""

LONGEST = 180
"""Seconds after which the demo ends by itself; the tests end it when they have seen enough."""

SIZES = {"640x360", "416x234", "256x144"}


@dataclass
class Demo:
    """The running demo."""

    program: Program
    folder: Path
    page: str
    """URL of the worker's page, without a slash at its end."""

    def media(self, name: str) -> str:
        """URL of an entry point."""
        return f"{self.page}/media/demo/{name}"

    def on_air(self) -> None:
        """Wait until both entry points are there."""
        for name in ("index.m3u8", "manifest.mpd"):
            self.program.until(name, lambda name=name: fetch(self.media(name)), 60)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    browser.needed()
    folder = tmp_path_factory.mktemp("demo")
    with abr(folder, "demo", "--seconds", str(LONGEST), "--port", "0", "--to", "stream") as program:
        line = program.until("the page's address", lambda: program.out.partition("\n")[0], 30)
        yield Demo(program, folder / "stream", line.split()[1].rstrip("/"))


@pytest.mark.parametrize(
    ("player", "entry"),
    [
        ("hls", "index.m3u8"),
        ("native", "index.m3u8"),
        ("shaka", "index.m3u8"),
        ("dash", "manifest.mpd"),
        ("shaka", "manifest.mpd"),
    ],
)
def test_a_player_plays_it_live(demo: Demo, tmp_path: Path, player: str, entry: str) -> None:
    """Without a stall or a hole, through switches from rung to rung."""
    demo.on_air()
    options = ("--force-switch", "--max-gap", "0.3")
    with browser.playing(tmp_path, player, demo.media(entry), LIVE, *options) as run:
        report = run.report()
    assert report["frames"] >= LIVE * 25 * 8 // 10
    assert len(report["sizes"]) > 1 or player == "native"


def test_the_page_shows_it(demo: Demo, tmp_path: Path) -> None:
    """It plays, knows the rungs and the origin, and its console is clean."""
    demo.on_air()
    shot = tmp_path / "page.png"
    report = browser.preview(tmp_path, f"{demo.page}/", shot)
    assert (report["phase"], report["rungs"], report["origins"]) == ("live", 4, 1)
    assert shot.stat().st_size > 10_000


def test_ctrl_c_ends_it(demo: Demo) -> None:
    """And it says where the recording is."""
    done = demo.program.interrupt(30)
    assert done.code == 0, done.err
    check_recording(demo.folder, done.out)


def check_recording(folder: Path, told: str) -> str:
    """The only recording of a demo that has ended, as the demo names it."""
    (entry,) = folder.glob("demo/recordings/*/index.m3u8")
    assert (entry.parent / "manifest.mpd").is_file()
    place = str(entry.parent.relative_to(folder))
    assert f"{place} (index.m3u8, manifest.mpd)" in told
    return place


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the recording of a short demo, that has ended by itself, is served."""
    browser.needed()
    folder = tmp_path_factory.mktemp("recorded")
    done = run_abr(folder, "demo", "--seconds", "15", "--port", "0", "--to", "stream", seconds=60)
    assert done.code == 0, done.err
    place = check_recording(folder / "stream", done.out)
    with browser.served(folder / "stream") as site:
        yield f"{site}/{place}"


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param({"hls": "index.m3u8", "dash": "manifest.mpd"}, id="hls-dash"),
        pytest.param({"native": "index.m3u8", "shaka": "manifest.mpd"}, id="native-shaka"),
    ],
)
def test_players_play_the_recording_to_its_end(
    recorded: str, tmp_path: Path, entries: dict[str, str]
) -> None:
    """Two at a time, side by side; no frame is missing, from the first to the last."""
    options = ("--until-end", "--max-gap", "0.13")
    with ExitStack() as stack:
        runs = [
            stack.enter_context(browser.playing(tmp_path, player, f"{recorded}/{entry}", 40, *options))
            for player, entry in entries.items()
        ]
        reports = [run.report() for run in runs]
    for report in reports:
        assert report["duration"] > 10
        assert report["first"] < 0.5
        assert report["last"] >= report["duration"] - 0.1
        assert set(report["sizes"]) <= SIZES
