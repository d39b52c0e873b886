"""Whoever reads an MPEG-TS in pieces learns of the track that came too late for him."""

import io

import pytest

from abr.ingest.latecomer import Latecomers
from abr.model.media import Kind
from tests.fakes.multiplex import AAC, AUDIO_PID, H264, VIDEO_PID, association, program_map, unit

FIRST = association() + program_map({VIDEO_PID: H264}) + unit(VIDEO_PID, "a", access=True)
BOTH = association() + program_map({VIDEO_PID: H264, AUDIO_PID: AAC}, version=1)
LATER = BOTH + unit(AUDIO_PID, "s") + unit(VIDEO_PID, "b", access=True)


def read(latecomers, data, size=100):
    file = latecomers.through(io.BytesIO(data))
    pieces = list(iter(lambda: file.read(size), b""))
    file.close()
    return b"".join(pieces)


@pytest.mark.parametrize("size", [7, 188, 5000])
def test_a_track_that_comes_in_a_later_file_is_told_and_nothing_is_changed(size):
    latecomers = Latecomers()
    assert read(latecomers, FIRST, size) == FIRST
    latecomers.settle({Kind.VIDEO})
    assert read(latecomers, FIRST, size) == FIRST
    assert not latecomers.came
    assert read(latecomers, LATER, size) == LATER
    assert latecomers.came


def test_a_track_that_is_only_announced_has_not_come():
    latecomers = Latecomers()
    read(latecomers, FIRST)
    latecomers.settle({Kind.VIDEO})
    read(latecomers, BOTH + unit(VIDEO_PID, "b", access=True))
    assert not latecomers.came


def test_what_is_no_mpeg_ts_tells_nothing(monkeypatch):
    monkeypatch.setattr("abr.formats.mpegts._ALIEN", 1000)
    latecomers = Latecomers()
    latecomers.settle({Kind.VIDEO})
    for data in (bytes(3000), b"G" + bytes(3000), b""):
        assert read(latecomers, data) == data
    assert not latecomers.came
