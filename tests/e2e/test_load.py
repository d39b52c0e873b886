"""`abr live` on a machine that is too slow for a while: the top rung gives way, everything else stays whole."""

import re
from pathlib import Path

import pytest

from tests.e2e import air
from tests.e2e.playback import renditions
from tests.e2e.processes import abr, free_port
from tests.e2e.verdict import findings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SECONDS = 45
SLOW = """
import sys
import time

from abr.__main__ import main
from abr.transcode.load import Rules
from abr.transcode.video import VideoEncoder
from abr.worker.relief import Relief

encode, begun, second = VideoEncoder.encode, time.monotonic(), 1_000_000_000

def slow(self, frame, *args, **options):
    if frame.width == 416 and time.monotonic() - begun < 25:
        time.sleep(0.12)
    return encode(self, frame, *args, **options)

VideoEncoder.encode = slow
rules, init = Rules(late=3 * second // 2, patience=second, calm=second, trust=3 * second), Relief.__init__
Relief.__init__ = lambda self, *given: init(self, *given[:4], rules)
sys.exit(main())
"""


def test_the_top_rung_gives_way_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    url = f"rtmp://127.0.0.1:{free_port()}/live/key1"
    options = ("--listen", url, "--profile", "test", "--to", "a", "--once", "--grace", "1s", "--log-json")
    with abr(tmp_path, "live", *options, run=(str(tmp_path / "slow.py"),)) as worker:
        air.listening(worker)
        with air.publishing(url, SECONDS):
            worker.until("frames dropped", lambda: worker.log("frames dropped"), 40)
            (paused, *_) = worker.until("a pause", lambda: worker.log("rung paused"), 40)
            worker.until("the end of the pause", lambda: worker.log("rung back"), 60)
            worker.until("all frames", lambda: worker.log("frames no longer dropped"), 60)
            done = worker.wait(90)
    assert done.code == 0, done.err
    assert paused["rung"] == "234p"
    assert re.fullmatch(r"234p takes \d+ ms for \d+ ms of picture", paused["reason"])
    check(tmp_path / "a/live", tmp_path)


def check(channel: Path, folder: Path) -> None:
    """Gaps in the top rung alone; in the others each slot is filled; every rule of playlists and media is kept."""
    (entry,) = channel.glob("recordings/*/index.m3u8")
    top, low = (entry.parent / name / "index.m3u8" for name in ("234p", "144p"))
    assert top.read_text().count("#EXT-X-GAP\n") >= 1
    assert "#EXT-X-GAP" not in low.read_text()
    shown = renditions(entry)["144p"].pictures(air.look)
    assert air.slots(shown, 25) == list(range(len(shown)))
    numbers = air.runs([item.number for item in shown])
    assert len(numbers) >= numbers[-1] - numbers[0]  # none late, though they waited: at most one is missing
    assert "#EXT-X-DISCONTINUITY\n" not in top.read_text()
    assert refused(channel, folder) == []
    assert refused(entry.parent, folder, "--decode") == []
    periods = (entry.parent / "manifest.mpd").read_text().split("<Period ")[1:]
    present = ['id="234p"' in period for period in periods]
    assert present[0]
    assert not all(present)
    assert all('id="144p"' in period for period in periods)


def refused(target: Path, folder: Path, *options: str) -> list[str]:
    """What is wrong with a stream in which a rung has paused.

    FRAME-RATE is the largest rate (RFC 8216bis 4.4.6.2), H-54 measures the mean. A Period without the rung begins
    where HLS has gaps in that rung and goes on in the others.
    """
    told = ("H-54 ", "D-91 ")
    return [found for found in findings(target, folder, *options) if not found.startswith(told)]
