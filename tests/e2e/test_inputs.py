"""`abr live` with two inputs: it goes to the other one and back, at a frame, and by hand."""

import json
import sys
import urllib.request
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import pytest

from tests.e2e import air
from tests.e2e.playback import renditions
from tests.e2e.processes import ROOT, Program, abr, fetch, free_port
from tests.e2e.verdict import findings
from tests.fakes.clip import Clip, make_clip

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

RATE = 25
MAIN, SPARE, SLATE = 1, 2, 3


def look(frame: av.VideoFrame) -> tuple[int, float]:
    """The colour bars are the main input's; the spare one is grey; the slate is a little blue."""
    blue = np.frombuffer(frame.reformat(format="yuv420p").planes[1], np.uint8).astype(int)
    colour = float(np.abs(blue - 128).mean())
    return MAIN if colour > 20 else SLATE if colour > 6 else SPARE, colour


def choose(page: str, wanted: object) -> bytes:
    request = urllib.request.Request(
        f"{page}/api/input", json.dumps({"input": wanted}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return bytes(answer.read())


def test_a_spare_input_takes_over_and_gives_back(tmp_path: Path) -> None:
    """Both behind one port. The main one goes, returns and is good; then the spare one is chosen by hand."""
    port, http = free_port(), free_port()
    place, page = f"127.0.0.1:{port}", f"http://127.0.0.1:{http}"
    clip = tmp_path / "spare.flv"
    clip.write_bytes(make_clip(Clip(container="flv", seconds=Fraction(60), size=(416, 234))))
    spare = [sys.executable, "-m", "tests.fakes.tags", place, "live", "spare", str(clip), "0"]
    listens = ("--listen", f"rtmp://{place}/live/main", "--listen", f"rtmp://{place}/live/spare")
    options = ("--profile", "test", "--to", "a", "--return-after", "3s", "--http", str(http), "--log-json")
    with abr(tmp_path, "live", *listens, *options) as worker:
        air.listening(worker)
        publisher = Program(tmp_path / "publisher", "tags", spare, {"PYTHONPATH": str(ROOT)})
        try:
            worker.until("the spare", lambda: len(worker.log("input on air")) == 1, 20)
            with air.publishing(f"rtmp://{place}/live/main", 30):
                worker.until("the main", lambda: len(worker.log("input on air")) == 2, 20)
                shown = json.loads(fetch(f"{page}/api/state") or b"{}")["inputs"]
                assert [item["on_air"] for item in shown] == [True, False]
                assert [item["condition"] for item in shown] == ["good", "good"]
                worker.until("4 s", lambda: long_enough(tmp_path), 20)
            worker.until("the spare again", lambda: len(worker.log("input on air")) == 3, 10)
            with air.publishing(f"rtmp://{place}/live/main", 30):
                worker.until("the main again", lambda: len(worker.log("input on air")) == 4, 20)
                assert choose(page, 2) == b"input 2\n"
                worker.until("by hand", lambda: len(worker.log("input on air")) == 5, 5)
                assert choose(page, "auto") == b"auto\n"
                worker.until("by itself", lambda: len(worker.log("input on air")) == 6, 5)
                done = worker.interrupt(30)
        finally:
            publisher.kill()
    assert done.code == 0, done.err
    lines = worker.log("input on air")[:6]  # the spare one may be seen once more while the others are stopped
    assert [line["input"] for line in lines] == [2, 1, 2, 1, 2, 1]
    assert [line["reason"] for line in lines] == [
        "no other was on air",
        "it is preferred and good again",
        "input 1 is away",
        "it is preferred and good again",
        "chosen by hand",
        "it is preferred and good again",
    ]
    assert len(worker.log("event began")) == 1
    check(tmp_path)


def long_enough(folder: Path) -> bool:
    """Whether six segments are out: half of them before the switch."""
    playlist = folder / "a/live/144p/index.m3u8"
    return playlist.is_file() and playlist.read_text().count("#EXTINF") >= 6


def check(folder: Path) -> None:
    """One time line: each slot once, no slate, hardly a picture twice; then the judge."""
    (entry,) = (folder / "a/live").glob("recordings/*/index.m3u8")
    shown = renditions(entry)["144p"].pictures(look)
    assert air.slots(shown, RATE) == list(range(len(shown)))
    order = [kind for kind, _ in groupby(item.number for item in shown)]
    assert order[:4] == [SPARE, MAIN, SPARE, MAIN]
    assert SLATE not in order
    assert "#EXT-X-DISCONTINUITY\n" not in (folder / "a/live/144p/index.m3u8").read_text()
    assert findings(folder / "a/live", folder, "--decode") == []


def test_a_looped_file_stands_in_until_somebody_publishes(tmp_path: Path) -> None:
    """The file is the second choice: it begins the event, the publisher takes it over."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/main"
    (tmp_path / "bumper.mp4").write_bytes(make_clip(Clip(seconds=Fraction(3), size=(416, 234))))
    (tmp_path / "channel.toml").write_text(
        f'listen = "{url}"\npull = "bumper.mp4?loop"\nprofile = "test"\nto = ["a"]\nreturn_after = "2s"\n'
    )
    with abr(tmp_path, "live", "channel.toml", "--log-json") as worker:
        worker.until("the file", lambda: worker.log("input on air"), 20)
        worker.until("a playlist", (tmp_path / "a/live/144p/index.m3u8").is_file, 30)
        with air.publishing(url, 30):
            worker.until("the publisher", lambda: len(worker.log("input on air")) == 2, 20)
            worker.until("its segments", lambda: segments(tmp_path) >= 8, 30)
            done = worker.interrupt(30)
    assert done.code == 0, done.err
    (entry,) = (tmp_path / "a/live").glob("recordings/*/index.m3u8")
    shown = renditions(entry)["144p"].pictures(look)
    assert air.slots(shown, RATE) == list(range(len(shown)))
    order = [kind for kind, _ in groupby(item.number for item in shown)]
    assert order[:2] == [SPARE, MAIN]
    assert SLATE not in order


def segments(folder: Path) -> int:
    """What the playlist of the lowest rung names."""
    return (folder / "a/live/144p/index.m3u8").read_text().count("#EXTINF")
