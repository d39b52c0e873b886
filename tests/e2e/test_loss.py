"""`abr live` when its feed, or the feed's picture, is gone: the slate, silence, and a time line without a break."""

import json
import sqlite3
import sys
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.e2e import air
from tests.e2e.playback import Rendition, renditions
from tests.e2e.processes import ROOT, Program, abr, fetch, free_port
from tests.e2e.verdict import findings
from tests.fakes.clip import Clip, make_clip

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

RATE = 25
SLATE = 40
"""Luma of the made slate's ground."""


def look(frame: av.VideoFrame) -> tuple[int, float]:
    """1 where the corners are the slate's."""
    luma = frame.to_ndarray(format="gray8").astype(int)
    blue = frame.reformat(format="yuv420p").planes[1]
    corner = int(np.frombuffer(blue, np.uint8)[0])
    # grey of full range
    ground = (SLATE - 16) * 255 / 219
    corners = (luma[4, 4], luma[-4, 4], luma[4, -4], luma[-4, -4])
    return int(corner > 134 and all(abs(value - ground) < 8 for value in corners)), float(luma.mean())


def marked(state: Path) -> list[tuple[int, int]]:
    """Number and mark of each segment of the first rung in the journal."""
    with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as journal:
        return journal.execute(
            "SELECT number, slate FROM segments WHERE rendition = 0 ORDER BY number"
        ).fetchall()


def runs(film: Rendition) -> list[tuple[int, int]]:
    """Whether slate or not, and for how many slots; each slot is filled once."""
    shown = film.pictures(look)
    assert air.slots(shown, RATE) == list(range(len(shown)))
    return [(slate, len(list(group))) for slate, group in groupby(item.number for item in shown)]


def recording(channel: Path) -> dict[str, Rendition]:
    (entry,) = channel.glob("recordings/*/index.m3u8")
    return renditions(entry)


def whole(channel: Path) -> None:
    """No discontinuity, and every number is there."""
    for playlist in channel.glob("*/index.m3u8"):
        text = playlist.read_text()
        assert "#EXT-X-DISCONTINUITY\n" not in text
        assert "#EXT-X-GAP" not in text


def state(page: str) -> Any:
    return json.loads(fetch(f"{page}/api/state") or b"{}")


def test_a_publisher_that_is_away_for_five_seconds(tmp_path: Path) -> None:
    """The last picture for two seconds, the slate with silence, then the publisher again: one session."""
    url, http = f"rtmp://127.0.0.1:{free_port()}/live/key1", free_port()
    options = ("--listen", url, "--profile", "test", "--to", "a", "--channel", "tv", "--http", str(http))
    with abr(tmp_path, "live", *options, "--grace", "30s", "--log-json") as worker:
        air.listening(worker)
        with air.publishing(url, 8):
            worker.until("the feed's end", lambda: worker.log("feed ended"), 40)
        worker.until("the slate", lambda: worker.log("slate on air"), 10)
        shown = state(f"http://127.0.0.1:{http}")["slate"]
        assert shown["since"] > 10**18
        worker.until("five seconds", lambda: state(f"http://127.0.0.1:{http}")["slate"]["seconds"] > 2.5, 10)
        with air.publishing(url, 8):
            worker.until("the feed's end", lambda: len(worker.log("feed ended")) == 2, 40)
        done = worker.interrupt(30)
    assert done.code == 0, done.err
    assert len(worker.log("event began")) == 1
    whole(tmp_path / "a/tv")
    film = recording(tmp_path / "a/tv")
    for name in ("234p", "144p"):
        (first, before), (second, slate), (third, after) = runs(film[name])[:3]
        assert (first, second, third) == (0, 1, 0)
        assert before > 4 * RATE
        assert slate > 2 * RATE
        assert after > 4 * RATE
    heard = film["audio"].sound()
    begin = before + RATE // 2
    quiet = heard.samples[begin * 48_000 // RATE : (before + slate - RATE // 2) * 48_000 // RATE]
    assert float(np.abs(quiet).max()) < 0.001
    check_marks(tmp_path, before, slate)
    assert findings(tmp_path / "a/tv", tmp_path, "--decode") == []


def check_marks(folder: Path, before: int, slate: int) -> None:
    """The journal marks the segments that hold slate pictures and no other; a segment has 48."""
    rows = marked(folder / "state/abr/tv/journal.db")
    numbers = [number for number, mark in rows if mark]
    first = rows[0][0]
    assert numbers[: (before + slate - 1) // 48 - before // 48 + 1] == list(
        range(first + before // 48, first + (before + slate - 1) // 48 + 1)
    )


@pytest.mark.parametrize("pictures", [None, 6.4])
def test_a_publisher_of_sound_alone_on_a_profile_with_pictures(
    tmp_path: Path, pictures: float | None
) -> None:
    """The profile's own ladder shows the slate; pictures that begin later come with their next key frame."""
    port = free_port()
    clip = tmp_path / "clip.flv"
    clip.write_bytes(make_clip(Clip(container="flv", seconds=Fraction(14), size=(416, 234))))
    more = [] if pictures is None else [str(pictures)]
    command = [
        sys.executable,
        "-m",
        "tests.fakes.tags",
        f"127.0.0.1:{port}",
        "live",
        "key1",
        str(clip),
        *more,
    ]
    options = ("--listen", f"rtmp://127.0.0.1:{port}/live/key1", "--profile", "test", "--to", "a")
    with abr(tmp_path, "live", *options, "--once", "--grace", "1s", "--log-json") as worker:
        air.listening(worker)
        publisher = Program(tmp_path / "publisher", "tags", command, {"PYTHONPATH": str(ROOT)})
        try:
            done = worker.wait(60)
        finally:
            publisher.kill()
    assert done.code == 0, done.err
    whole(tmp_path / "a/live")
    film = recording(tmp_path / "a/live")
    assert set(film) == {"234p", "144p", "audio"}
    found = runs(film["234p"])
    assert found[0][0] == 1
    assert found[0][1] > 2 * RATE
    if pictures is None:
        assert len(found) == 1
    else:
        assert [slate for slate, _ in found[:2]] == [1, 0]
        assert found[1][1] > 5 * RATE
    assert float(np.abs(film["audio"].sound().samples).max()) > 0.3


def test_a_slate_that_stays_when_the_grace_is_over(tmp_path: Path) -> None:
    """`on_loss = "slate"`: the event goes on until somebody ends it; with `end` it would have ended."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key1"
    (tmp_path / "channel.toml").write_text(
        f'listen = "{url}"\nprofile = "test"\nto = ["a"]\non_loss = "slate"\nhold_picture = "500ms"\ngrace = "1s"\n'
    )
    with abr(tmp_path, "live", "channel.toml", "--once", "--log-json") as worker:
        air.listening(worker)
        with air.publishing(url, 5):
            worker.until("the feed's end", lambda: worker.log("feed ended"), 40)
        worker.until("the slate", lambda: worker.log("slate on air"), 10)
        entry = tmp_path / "a/live/234p/index.m3u8"
        length = worker.until("playlist", lambda: entry.is_file() and len(entry.read_text()), 20)
        worker.until("more segments", lambda: len(entry.read_text()) > length + 200, 20)
        assert worker.log("event ended") == []
        assert worker.interrupt(30).code == 0
    assert runs(recording(tmp_path / "a/live")["144p"])[-1][0] == 1


def test_a_slate_that_is_no_picture_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "slate.png").write_text("no picture")
    with abr(tmp_path, "live", "--pull", "slate.png", "--slate", "slate.png", "--to", "a") as worker:
        done = worker.wait(20)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("abr: slate: ")
