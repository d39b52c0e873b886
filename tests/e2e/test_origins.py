"""`abr live` to two buckets, one over http and one over https: their laws while it runs, the same objects after it."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.contract import servers
from tests.e2e import air
from tests.e2e.bucket import Bucket, Stored
from tests.e2e.processes import ROOT, abr, free_port
from tests.e2e.verdict import findings
from tests.e2e.watcher import Watcher
from tests.fakes.reader import read_playlist

# Two servers start, each within its own limit, before the feed.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2 * servers.START + 120)]

SECONDS = 20
WINDOW = 12
"""Seconds: short enough that entries leave the live playlists before the feed ends."""

RENDITIONS = {"234p", "144p", "audio"}

HLS, DASH = "application/vnd.apple.mpegurl", "application/dash+xml"
MINUTE, SHORT = "public, max-age=60", "public, max-age=1"
FOREVER = "public, max-age=31536000, immutable"

HEADERS = {
    r"index\.m3u8": (HLS, MINUTE),
    r"manifest\.mpd": (DASH, SHORT),
    r"[^/]+/index\.m3u8": (HLS, SHORT),
    r"\d+p/[^/]+/init\.mp4": ("video/mp4", FOREVER),
    r"audio/[^/]+/init\.mp4": ("audio/mp4", FOREVER),
    r"\d+p/[^/]+/\d+\.m4s": ("video/mp4", FOREVER),
    r"audio/[^/]+/\d+\.m4s": ("audio/mp4", FOREVER),
    r"recordings/[^/]+/(?:[^/]+/)?index\.m3u8": (HLS, MINUTE),
    r"recordings/[^/]+/manifest\.mpd": (DASH, MINUTE),
    r"state\.json": ("application/json", MINUTE),
}
"""What every kind of file is served with."""


@pytest.fixture
def buckets(tmp_path: Path) -> Iterator[list[Bucket]]:
    """rclone, which is everywhere, and Ceph, whose word counts."""
    with ExitStack() as stack:

        def started(start: Callable[[Path], AbstractContextManager[servers.Server]]) -> servers.Server:
            folder = tmp_path / start.__name__
            folder.mkdir()
            try:
                return stack.enter_context(start(folder))
            except servers.NotInstalled as reason:
                pytest.skip(str(reason))

        rclone = Bucket("rclone", started(servers.rclone), tls=False, channel="tv", looks=6)
        ceph = Bucket("ceph", started(servers.ceph), tls=True, channel="tv")
        yield [stack.enter_context(bucket) for bucket in (rclone, ceph)]


def profile(folder: Path) -> Path:
    """The shipped `test`, with a short window."""
    path = folder / "short.toml"
    path.write_text(f'window = "{WINDOW}s"\n{(ROOT / "profiles/test.toml").read_text()}')
    return path


def test_two_buckets_are_right_at_every_look_and_the_same_at_the_end(
    buckets: list[Bucket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a playlist names is there, time and sequence go on, rungs stay together; then a recording is left."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", servers.ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", servers.SECRET)
    watcher = Watcher(buckets)
    url = f"rtmp://127.0.0.1:{free_port()}/live/key1"
    options = ("--listen", url, "--profile", str(profile(tmp_path)), "--channel", "tv", "--log-json")
    origins = [part for bucket in buckets for part in ("--to", bucket.address)]
    with abr(tmp_path, "live", *options, *origins, "--once", "--grace", "1s") as worker:
        air.listening(worker)
        with air.publishing(url, SECONDS):
            worker.until("the feed's end", lambda: watcher.look() or worker.log("feed ended"), 90, pace=0.2)
        done = worker.wait(60)
    watcher.look()
    assert done.code == 0, done.err
    assert watcher.faults == []
    check_seen(watcher, buckets)
    left = {bucket.name: bucket.objects() for bucket in buckets}
    check_same(left["rclone"], left["ceph"])
    check_ended(left["ceph"])
    check_headers(left["ceph"])
    check_verdict(buckets[1], left["ceph"], tmp_path)


def check_verdict(bucket: Bucket, objects: dict[str, Stored], folder: Path) -> None:
    """`abr verify` reads the bucket as a CDN does, without a key, and finds nothing: live views and recording."""
    bucket.open_to_all()
    # D-62: the live manifest becomes static with its window and keeps its Period's start, for those who are watching.
    assert [found for found in findings(bucket.public, folder) if not found.startswith("D-62")] == []
    (recording,) = {key.split("/")[1] for key in objects if key.startswith("recordings/")}
    assert findings(f"{bucket.public}/recordings/{recording}", folder) == []


def check_seen(watcher: Watcher, buckets: list[Bucket]) -> None:
    """All renditions were seen at both, in several states, and entries left at the front."""
    assert set(watcher.seen) == {(bucket.name, name) for bucket in buckets for name in RENDITIONS}
    for (origin, name), history in watcher.seen.items():
        sequences = watcher.steps(origin, name)
        assert len(history) >= 4, (origin, name, sequences)
        assert sequences[0] == 0
        assert sequences[-1] > 0, (origin, name, sequences)


def check_same(one: dict[str, Stored], other: dict[str, Stored]) -> None:
    """Both hold the same objects; a manifest tells when it was published there."""
    assert one.keys() == other.keys()
    differing = [key for key in one if comparable(key, one[key]) != comparable(key, other[key])]
    assert differing == []


def comparable(key: str, stored: Stored) -> bytes:
    return re.sub(rb' publishTime="[^"]*"', b"", stored.body) if key.endswith(".mpd") else stored.body


def check_ended(objects: dict[str, Stored]) -> None:
    """Playlists have their end, manifests are static, and the recording names every segment."""
    for key, stored in objects.items():
        if key.endswith(".mpd"):
            assert b'type="static"' in stored.body, key
    for name in RENDITIONS:
        assert read_playlist(objects[f"{name}/index.m3u8"].body).ended
        (recorded,) = (key for key in objects if re.fullmatch(rf"recordings/[^/]+/{name}/index\.m3u8", key))
        playlist = read_playlist(objects[recorded].body)
        assert playlist.ended
        named = {entry.uri.rpartition("/")[2] for entry in playlist.entries.values()}
        assert named == {Path(key).name for key in objects if re.fullmatch(rf"{name}/[^/]+/[^/]+\.m4s", key)}


def check_headers(objects: dict[str, Stored]) -> None:
    """Content-Type and Cache-Control by kind; nothing lies there that has no kind."""
    seen = set()
    for key, stored in objects.items():
        kinds = [kind for kind in HEADERS if re.fullmatch(kind, key)]
        assert len(kinds) == 1, (key, kinds)
        assert (stored.content_type, stored.cache_control) == HEADERS[kinds[0]], key
        seen.update(kinds)
    assert seen == set(HEADERS)
