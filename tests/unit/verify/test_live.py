"""Each rule on changes bites: a live stream that moves on right, and then wrong in one way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from abr.verify.finding import Docket
from abr.verify.judge import judge
from abr.verify.live_manifest_rules import LIVE_MANIFEST_CHECKS
from abr.verify.live_playlist_rules import LIVE_GROUP_CHECKS, LIVE_PLAYLIST_CHECKS
from abr.verify.source import Source, base_of
from abr.verify.watch import Pace, watch
from tests.fakes.broadcast import (
    COUNT,
    EPOCH,
    Broadcast,
    Shelf,
    broadcast,
    fragments,
    iframe_playlist,
    manifest,
    media_playlist,
    shift,
)
from tests.fakes.clock import FakeClock

STEP = 1_920_000_000
MORE = 3
"""Segments that come while the judge looks."""
SECONDS = 6
LISTS = ("hi/index.m3u8", "lo/index.m3u8", "audio/index.m3u8")


class Channel:
    """A live stream that grows by a segment each 1.92 s of a fake clock; `spoil` changes what is published.

    `spoil(stream, step)` is called at each step, after the right files were put, and before anyone looks.
    """

    def __init__(self, shelf: Shelf, spoil: Callable[[Broadcast, int], object]) -> None:
        self.shelf = shelf
        self.spoil = spoil
        self.stream = broadcast(live=True)
        self.clock = FakeClock(self.stream.now)
        self.step = -1
        self.advance()

    def wait(self, seconds: float) -> None:
        self.clock.wait(seconds)
        self.advance()

    def advance(self) -> None:
        step = min(MORE, (self.clock.wall() - self.stream.now) // STEP)
        if step != self.step:
            self.step = step
            publish(self.stream, step)
            self.spoil(self.stream, step)
            self.shelf.put(self.stream)


def publish(stream: Broadcast, step: int) -> None:
    """What a right packager has published after `step` more segments: the oldest left the lists, not the folder."""
    for name, scale in (("hi", 90_000), ("lo", 90_000), ("audio", 48_000)):
        for index in range(COUNT, COUNT + step):
            data = fragments(name)[1][index % COUNT]
            ticks = (EPOCH * 100 + COUNT * 192) * scale // 100
            stream.files[f"{name}/{index}.m4s"] = shift(data, ticks)
        stream.files[f"{name}/index.m3u8"] = media_playlist(live=True, first=step)
    stream.files["lo/iframes.m3u8"] = iframe_playlist("lo", live=True, first=step)
    stream.files["manifest.mpd"] = dash(step)


def dash(step: int) -> bytes:
    text = manifest(live=True).decode()
    text = text.replace("00:00:07Z", f"00:00:{7 + 2 * step:02d}Z", 1).replace(
        'startNumber="0"', f'startNumber="{step}"'
    )
    for scale in (90_000, 48_000):
        start = f'<S t="{EPOCH * scale}"'
        text = text.replace(start, f'<S t="{EPOCH * scale + step * scale * 192 // 100}"')
    return text.encode()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("live"))


def found(shelf: Shelf, spoil: Callable[[Broadcast, int], object], *, lists=LISTS, manifest="") -> set[str]:
    """The rules that are broken while the lists, or the manifest, are watched."""
    channel = Channel(shelf, spoil)
    base = base_of(str(shelf.folder))
    pace = Pace(channel.clock, channel.wait)
    history = watch(
        Source(), [base + path for path in lists], base + manifest if manifest else None, pace, SECONDS
    )
    docket = Docket()
    docket.hear(LIVE_PLAYLIST_CHECKS, *history.playlists)
    docket.hear(LIVE_GROUP_CHECKS, *([history.playlists] if lists else []))
    docket.hear(LIVE_MANIFEST_CHECKS, *([history.manifest] if history.manifest else []))
    return {finding.rule for finding in docket.findings}


def at(step: int, path: str, old: str, new: str, count: int = 1):
    """Edit a file at one step."""
    return lambda stream, now: now == step and stream.edit(path, old, new, count)


def since(step: int, path: str, old: str, new: str, count: int = 1):
    """Edit a file from one step on."""
    return lambda stream, now: now >= step and stream.edit(path, old, new, count)


def once(step: int, path: str, data: bytes | None):
    """Replace a file at one step only; None takes it away."""

    def spoil(stream, now):
        if now == step:
            stream.files[path] = data or b""
            if data is None:
                del stream.files[path]

    return spoil


def lagging(stream, now):
    stream.files["lo/index.m3u8"] = media_playlist(live=True)


def stopped(stream, now):
    for path in LISTS:
        stream.files[path] = media_playlist(live=True)


def one_ended(stream, now):
    stream.files["hi/index.m3u8"] += b"#EXT-X-ENDLIST\n"


def shortened(stream, now):
    if now == MORE:
        stream.files["lo/index.m3u8"] = media_playlist(live=True, first=now + 2, count=COUNT - 2)


def hole(stream, now):
    """Segment 3 leaves though 2 stays."""
    lines = stream.files["lo/index.m3u8"].decode().splitlines(keepends=True)
    if now >= 2:
        place = lines.index("3.m4s\n")
        stream.files["lo/index.m3u8"] = "".join(lines[: place - 2] + lines[place + 1 :]).encode()


def event(stream, now):
    stream.edit("lo/index.m3u8", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-SEQUENCE")


def swept(stream, now):
    for index in range(now):
        stream.files.pop(f"hi/{index}.m4s", None)


def unsent(stream, now):
    stream.files.pop(f"hi/{COUNT}.m4s", None)


def wandering(stream, now):
    """The dates follow the clock only at first."""
    for path in LISTS:
        stream.edit(path, "T00:00:", f"T00:0{now}:", 99)


def renamed(stream, now):
    if now == 1:
        stream.edit("lo/index.m3u8", "3.m4s", "3.m4s?again")


def stale_manifest(stream, now):
    stream.files["manifest.mpd"] = dash(0)


def back_again(stream, now):
    if now == 2:
        stream.files["manifest.mpd"] = dash(0).replace(b"00:00:07Z", b"00:00:12Z", 1)


def kept_short(stream, now):
    """The manifest says that it keeps a minute, and drops segments all the same."""
    stream.edit("manifest.mpd", 'Depth="PT7.68S"', 'Depth="PT60S"')


PLAYLISTS = {
    "no new segment": ({"L-01"}, stopped),
    "sequence falls": ({"L-02", "L-01"}, at(2, "lo/index.m3u8", "SEQUENCE:2", "SEQUENCE:1")),
    "target duration changes": ({"L-03"}, since(1, "lo/index.m3u8", "DURATION:2", "DURATION:1")),
    "EXTINF changes": ({"L-04"}, at(1, "lo/index.m3u8", "INF:1.920000,\n2.m4s", "INF:1.900000,\n2.m4s")),
    "break removed": (
        {"L-05"},
        lambda stream, now: (
            now == 0
            and stream.edit(
                "lo/index.m3u8", "#EXTINF:1.920000,\n2.m4s", "#EXT-X-DISCONTINUITY\n#EXTINF:1.920000,\n2.m4s"
            )
        ),
    ),
    "date changes": ({"L-06"}, at(1, "lo/index.m3u8", "00:03.840Z", "00:03.860Z")),
    "not there for a moment": ({"L-07", "L-01"}, once(1, "lo/index.m3u8", None)),
    "half written": ({"L-08", "L-01"}, once(1, "lo/index.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTI")),
    "empty": ({"L-08", "L-01"}, once(1, "lo/index.m3u8", b"")),
    "discontinuity sequence jumps": (
        {"L-09"},
        at(1, "lo/index.m3u8", "DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1"),
    ),
    "a hole": ({"L-10", "L-01", "L-11"}, hole),
    "too short": ({"L-11"}, shortened),
    "listed before it is there": ({"L-12"}, unsent),
    "gone too soon": ({"L-13"}, swept),
    "dates ahead of the clock": ({"L-14", "L-15", "L-06"}, wandering),
    "one rung stays behind": ({"L-01", "L-16"}, lagging),
    "one list ends": ({"L-18"}, one_ended),
    "EVENT that slides": ({"H-20"}, event),
}

MANIFESTS = {
    "missing for a moment": ({"D-70"}, once(1, "manifest.mpd", None)),
    "half written": ({"D-71"}, once(1, "manifest.mpd", manifest(live=True)[:400])),
    "publishTime stands still": (
        {"D-72"},
        since(1, "manifest.mpd", 'publishTime="2026', 'publishTime="2025'),
    ),
    "new origin": ({"D-73"}, since(1, "manifest.mpd", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.1Z")),
    "new Period id": ({"D-75"}, since(1, "manifest.mpd", 'Period id="one"', 'Period id="two"')),
    "new start": ({"D-76"}, since(1, "manifest.mpd", f'start="PT{EPOCH}S"', f'start="PT{EPOCH}.1S"')),
    "new Representation id": ({"D-77", "D-83", "D-84"}, since(1, "manifest.mpd", 'id="hi"', 'id="top"')),
    "new bandwidth": ({"D-78"}, since(1, "manifest.mpd", 'codecs="mp4a.40.2"', 'codecs="mp4a.40.5"')),
    "numbers move": ({"D-79", "D-83"}, at(1, "manifest.mpd", 'startNumber="1"', 'startNumber="2"')),
    "goes back": ({"D-80", "D-81"}, back_again),
    "drops too early": ({"D-82"}, kept_short),
    "not renewed": ({"D-85"}, stale_manifest),
    "dynamic again": (
        {"D-92"},
        lambda stream, now: now == 1 and stream.edit("manifest.mpd", 'type="dynamic"', 'type="static"'),
    ),
}


def test_nothing_is_said_of_a_stream_that_moves_on_right(shelf):
    channel = Channel(shelf, lambda stream, now: None)
    verdict = judge(str(shelf.folder), live_seconds=SECONDS, clock=channel.clock, wait=channel.wait)
    assert verdict.ok
    assert {finding.rule for finding in verdict.findings} == {"A-6.2", "A-7.5", "A-9.10"}
    assert {"L-01", "L-14", "D-79", "D-85"} <= set(verdict.judged)


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_that_changes_wrongly(shelf, name):
    expected, spoil = PLAYLISTS[name]
    assert found(shelf, spoil) == expected


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_changes_wrongly(shelf, name):
    expected, spoil = MANIFESTS[name]
    assert found(shelf, spoil, lists=(), manifest="manifest.mpd") == expected


def test_a_stream_that_ended_is_not_watched(tmp_path: Path):
    stream = broadcast()

    def wait(seconds: float) -> None:
        raise AssertionError("nothing to wait for")

    verdict = judge(stream.write(tmp_path), live_seconds=60, clock=FakeClock(stream.now), wait=wait)
    assert verdict.ok
    assert not {"L-01", "D-70"} & set(verdict.judged)
