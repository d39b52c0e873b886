"""`abr live` with a real publisher: what two origins say while the event runs, and what is left of it."""

import json
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from tests.e2e import air
from tests.e2e.playback import Rendition, lip_sync, renditions
from tests.e2e.processes import Program, abr, busy, fetch, free_port, until
from tests.e2e.verdict import findings, refused
from tests.e2e.watcher import Folder, Watcher
from tests.fakes.clip import Clip, make_clip, read_number

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(100)]

RATE = 25
RUNGS = ("234p", "144p")
LIP_SYNC = Fraction(5, 1000)
HEAD = 4
"""Seconds of a feed that may pass until it is on air: FFmpeg's library looks at the first one to find its tracks, the
output begins with the next segment (at most 1.92 s later), and a busy machine needs a moment to start the decoder."""

TOLERATED = Fraction(3, 100)
"""Of all frames: what may come late where others keep the processors busy. A live feed is never held back, so the worker
drops what comes later than its hold, whoever's fault that is; on a machine of its own it drops nothing."""


def check_late(what: str, late: Sequence[int] | int, frames: int) -> None:
    """None of so many frames came late, but for what the machine's other work explains."""
    count = late if isinstance(late, int) else len(late)
    limit = int(frames * TOLERATED) if busy() else 0
    assert count <= limit, (
        f"{what}: {late} of {frames} frames ({limit} allowed at load {os.getloadavg()[0]:.1f})"
    )


def ended(program: Program) -> dict[str, int]:
    """The line that says how an event went."""
    (line,) = program.log("event ended")
    return line


def recording(channel: Path) -> dict[str, Rendition]:
    """The renditions of the channel's only recording; its manifest is there too."""
    (entry,) = channel.glob("recordings/*/index.m3u8")
    assert (entry.parent / "manifest.mpd").is_file()
    return renditions(entry)


def check_picture(rendition: Rendition, seconds: int, *, feeds: int = 1) -> list[air.Shown]:
    """Each slot of the recording is filled once, and each frame of a feed is in it once, in order, to the last one.

    `seconds` is the length of each feed.
    """
    shown = rendition.pictures(air.look)
    assert air.slots(shown, RATE) == list(range(len(shown)))
    for numbers in air.feeds([item.number for item in shown], feeds):
        seen = f"{rendition.path}: frames {numbers[0]} to {numbers[-1]} of a feed of {seconds} s"
        assert numbers[0] <= HEAD * RATE, seen
        lost = sorted(set(range(numbers[0], seconds * RATE)) - set(numbers))
        check_late(seen, lost, len(numbers))
    return shown


def test_an_event_from_its_feed_to_its_recording(tmp_path: Path) -> None:
    """While it runs, two origins are right at every look; after it, they hold the same recording."""
    rtmp, http = free_port(), free_port()
    url = f"rtmp://127.0.0.1:{rtmp}/live/key1"
    channels = [tmp_path / origin / "tv" for origin in ("a", "b")]
    watcher = Watcher([Folder(channel) for channel in channels])
    options = ("--listen", url, "--profile", "test", "--to", "a", "--to", "b", "--channel", "tv")
    more = ("--http", f"127.0.0.1:{http}", "--once", "--grace", "1s", "--log-json")
    with abr(tmp_path, "live", *options, *more) as worker:
        air.listening(worker)
        with air.publishing(url, 20):
            entry = channels[0] / "index.m3u8"
            worker.until("entry point", lambda: watcher.look() or entry.is_file(), 40, pace=0.25)
            page = f"http://127.0.0.1:{http}"
            assert fetch(f"{page}/healthz") == b"ok live\n"
            with abr(tmp_path / "judge", "verify", f"{page}/media/tv", "--live", "8", "--json") as judge:
                until("the end", lambda: watcher.look() or worker.code is not None, 60, pace=0.25)
                verdict = judge.wait(30)
        done = worker.wait(5)
    assert done.code == 0, done.err
    assert watcher.faults == []
    assert len(watcher.seen) == 6
    assert all(len(history) >= 3 for history in watcher.seen.values())
    assert refused(json.loads(verdict.out)) == []
    check_late("repeated and dropped", ended(worker)["repeated"] + ended(worker)["dropped"], 20 * RATE)
    for channel in channels:
        check_ended(channel)
    assert immutable(channels[0]) == immutable(channels[1])
    check_recording(channels[0], 20)
    assert findings(channels[0], tmp_path) == []
    (entry,) = channels[0].glob("recordings/*/index.m3u8")
    assert findings(entry.parent, tmp_path, "--decode") == []


def check_ended(channel: Path) -> None:
    """Every playlist has its end, the manifest is static."""
    for name in (*RUNGS, "audio"):
        assert (channel / name / "index.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
    assert 'type="static"' in (channel / "manifest.mpd").read_text()


def check_recording(channel: Path, seconds: int) -> None:
    """All frames in each rung, sound without a hole and in step with the picture."""
    film = recording(channel)
    heard = film["audio"].sound()
    for name in RUNGS:
        shown = check_picture(film[name], seconds)
        assert abs(heard.length - Fraction(len(shown), RATE)) < Fraction(1024, 48_000)
        late = lip_sync(shown, heard)
        assert late is not None
        assert abs(late) <= LIP_SYNC, float(late)


def immutable(channel: Path) -> dict[str, bytes]:
    """All inits and segments by their keys."""
    files = [*channel.rglob("*.m4s"), *channel.rglob("*.mp4")]
    return {str(file.relative_to(channel)): file.read_bytes() for file in files}


def test_a_publisher_that_returns_goes_on_with_its_event(tmp_path: Path) -> None:
    """One event, one session, no discontinuity; Ctrl-C ends it."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key1"
    options = ("--listen", url, "--profile", "test", "--to", "a", "--grace", "20s", "--log-json")
    with abr(tmp_path, "live", *options, "--hold-picture", "20s") as worker:  # a slate has no number
        air.listening(worker)
        for turn in (1, 2):
            with air.publishing(url, 6):
                worker.until("the feed's end", lambda turn=turn: len(worker.log("feed ended")) == turn, 40)
        done = worker.interrupt(30)
    assert done.code == 0, done.err
    assert len(worker.log("event began")) == len(worker.log("event ended")) == 1
    assert len(worker.log("feed connected")) == 2
    for name in (*RUNGS, "audio"):
        assert "#EXT-X-DISCONTINUITY\n" not in (tmp_path / "a/live" / name / "index.m3u8").read_text()
    film = recording(tmp_path / "a/live")
    check_picture(film["144p"], 6, feeds=2)
    assert findings(tmp_path / "a/live", tmp_path, "--decode") == []


def test_a_pulled_file_is_an_event(tmp_path: Path) -> None:
    """It is read at its own pace; its end is the event's."""
    (tmp_path / "evening.mp4").write_bytes(make_clip(Clip(size=(416, 234), seconds=Fraction(10), b_frames=2)))
    with abr(
        tmp_path, "live", "--pull", "evening.mp4", "--profile", "test", "--to", "a", "--log-json"
    ) as worker:
        done = worker.wait(60)
    assert done.code == 0, done.err
    film = recording(tmp_path / "a/evening")
    shown = film["144p"].pictures(lambda frame: (read_number(frame), 0.0))
    assert air.slots(shown, RATE) == list(range(len(shown)))
    numbers = air.runs([item.number for item in shown])
    assert numbers[0] <= HEAD * RATE
    check_late("not shown", sorted(set(range(numbers[0], 250)) - set(numbers)), 250)
    assert findings(tmp_path / "a/evening", tmp_path) == []
