"""Feeds recorded while they are read: what is read stays the same, what is kept plays, nothing waits for the disk."""

import errno
import io
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from abr.files import Growing, Space
from abr.formats.flv import HEADER, tag
from abr.formats.rtmp.amf import encode
from abr.formats.rtmp.event import MediaKind
from abr.ingest.tap import Recorder
from abr.ingest.tape import Shelf
from abr.model.state import RecordState
from tests.fakes.clip import Clip, make_clip
from tests.fakes.clock import NANO, FakeClock
from tests.fakes.feed import SilentFeed
from tests.fakes.log import KeptLines
from tests.fakes.rtmp_client import AAC_FRAME, AAC_HEADER, AVC_FRAME, AVC_HEADER

VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO
SETUP = HEADER + tag(VIDEO, 0, AVC_HEADER) + tag(AUDIO, 0, AAC_HEADER)
KEY, SOUND = tag(VIDEO, 0, AVC_FRAME), tag(AUDIO, 0, AAC_FRAME)
CUE = tag(MediaKind.DATA, 7, encode("onCuePoint", {"name": "ad"}))
WIDE = Space(1 << 40, 1 << 41)


class Bytes(SilentFeed):
    """A feed of these blocks; `restart` brings the next list of them."""

    def __init__(self, *containers: list[bytes], form: str = "flv") -> None:
        super().__init__()
        self.format = form
        self._containers = [list(blocks) for blocks in containers]

    def read(self, n: int) -> bytes:
        blocks = self._containers[0]
        return blocks.pop(0) if blocks else b""

    def restart(self) -> None:
        del self._containers[0]


class Disk:
    """A shelf in a folder, with a clock, a log and a disk that tests fill."""

    def __init__(self, folder: Path, *, room: int = 1 << 20) -> None:
        self.folder, self.space = folder, WIDE
        self.clock, self.log = FakeClock(), KeptLines()
        self.shelf = Shelf(folder, "tv", 1 << 30, lambda _: self.space)
        self.recorder = Recorder(self.shelf, self.clock, self.log, room=room)

    def files(self) -> list[bytes]:
        return [item.path.read_bytes() for item in self.shelf.kept()]

    def write(self) -> None:
        """Let the writer do what waits, and end it."""
        thread = threading.Thread(target=self.recorder.run)
        thread.start()
        self.recorder.close()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.mark.parametrize("container", ["flv", "mpegts"])
def test_what_is_read_is_what_is_kept(disk: Disk, container: str) -> None:
    data = make_clip(Clip(container=container, seconds=Fraction(1)))
    blocks = [data[place : place + 1000] for place in range(0, len(data), 1000)]
    with disk.recorder.tapped(Bytes(blocks, form=container)) as feed:
        assert b"".join(iter(lambda: feed.read(1000), b"")) == data
    disk.write()
    (kept,) = disk.files()
    assert data.endswith(kept)
    assert len(data) - len(kept) == (188 if container == "mpegts" else 0)  # what stands before the first PAT
    with av.open(io.BytesIO(kept)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 25
    assert disk.recorder.state() == RecordState((), 1, len(kept), 0, "")


class Keeping(Bytes):
    """A feed that got more than it gives."""

    def keep(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def read(self, n: int) -> bytes:
        data = super().read(n)
        self._take(data + CUE if data else b"")
        return data


def test_a_feed_that_gives_less_than_it_got_is_kept_whole(disk: Disk) -> None:
    with disk.recorder.tapped(Keeping([SETUP + KEY, SOUND])) as feed:
        while feed.read(1000):
            pass
    disk.write()
    assert disk.files() == [SETUP + KEY + CUE + SOUND + CUE]


def test_a_feed_that_begins_again_gets_another_file(disk: Disk) -> None:
    with disk.recorder.tapped(Bytes([SETUP, KEY, b"\x09half"], [SETUP, KEY, SOUND])) as feed:
        while feed.read(1000):
            pass
        feed.restart()
        while feed.read(1000):
            pass
    disk.write()
    assert disk.files() == [SETUP + KEY, SETUP + KEY + SOUND]


def test_two_feeds_have_files_of_their_own(disk: Disk) -> None:
    with disk.recorder.tapped(Bytes([SETUP, KEY])) as one, disk.recorder.tapped(Bytes([SETUP, SOUND])) as two:
        for feed in (one, two, one, two):
            feed.read(1000)
    disk.write()
    assert disk.files() == [SETUP + KEY, SETUP + SOUND]


def test_a_container_that_cannot_be_cut_is_left_alone(disk: Disk) -> None:
    plain = Bytes([b"x"], form="matroska")
    with disk.recorder.tapped(plain) as feed:
        assert feed is plain
    disk.write()
    assert disk.files() == []


def test_a_slow_disk_holds_nothing_back_and_is_told(tmp_path: Path) -> None:
    disk = Disk(tmp_path, room=len(KEY) + len(SOUND))
    with disk.recorder.tapped(Bytes([SETUP, KEY, SOUND, SOUND, SOUND])) as feed:
        while feed.read(1000):
            pass
    disk.log.wait_for("feed record has a hole", reason="the disk is too slow")
    disk.write()


def test_after_a_hole_a_new_file_begins_at_a_key_frame(tmp_path: Path) -> None:
    disk = Disk(tmp_path, room=len(SETUP) + len(KEY) + len(SOUND))
    feed = Bytes([SETUP + KEY + SOUND, SOUND * 20, SOUND, KEY, SOUND])
    writer = threading.Thread(target=disk.recorder.run)
    with disk.recorder.tapped(feed) as tapped:
        tapped.read(1000)
        tapped.read(1000)
        assert disk.recorder.state().dropped == 20 * len(SOUND)
        writer.start()
        deadline = threading.Event()
        while disk.recorder._waiting and not deadline.wait(0.001):
            pass
        for _ in range(3):
            tapped.read(1000)
    disk.recorder.close()
    writer.join(10)
    assert disk.files() == [SETUP + KEY + SOUND, SETUP + KEY + SOUND]
    assert disk.recorder.state().dropped == 21 * len(SOUND)


def test_a_full_disk_stops_the_record_and_takes_what_there_is_of_it(disk: Disk) -> None:
    """Ten seconds later there is room again: a new file begins."""
    old = disk.folder / "tv-20200101T000000Z-1.flv"
    old.write_bytes(b"old")
    disk.space = Space(10, 1000)
    with disk.recorder.tapped(Bytes([SETUP, KEY, SOUND])) as feed:
        while feed.read(1000):
            pass
    disk.write()
    state = disk.recorder.state()
    assert (state.writing, state.files, state.error) == ((), 0, "the disk is nearly full")
    assert state.dropped == len(SOUND)
    assert disk.files() == []
    disk.clock.advance(10 * NANO)
    disk.space = Space(100, 1000)
    with disk.recorder.tapped(Bytes([SETUP, KEY])) as feed:
        while feed.read(1000):
            pass
    disk.write()
    assert disk.files() == [SETUP + KEY]
    assert disk.recorder.state().error == ""
    disk.log.wait_for("feed record goes on")


def test_it_waits_until_twice_the_room_is_free(disk: Disk) -> None:
    disk.space = Space(10, 1000)
    for free, clock, kept in ((10, 0, 0), (99, 10, 0), (100, 9, 0), (100, 1, 1)):
        disk.clock.advance(clock * NANO)
        disk.space = Space(free, 1000)
        with disk.recorder.tapped(Bytes([SETUP, KEY])) as feed:
            while feed.read(1000):
                pass
        disk.write()
        assert len(disk.files()) == kept, (free, clock)


def test_a_disk_that_fails_is_told_once_a_minute_and_ends_nothing(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Growing, data: bytes) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Growing, "write", refuse)
    for _ in range(8):
        disk.clock.advance(10 * NANO)
        with disk.recorder.tapped(Bytes([SETUP, KEY])) as feed:
            while feed.read(1000):
                pass
        disk.write()
    assert disk.recorder.state().error == "Input/output error"
    assert [line["reason"] for event, line in disk.log.lines if event == "feed record stopped"] == [
        "Input/output error",
        "Input/output error",
    ]
