"""A plain file gives the packets that libavformat gives, whatever the windows in which it is read."""

import io
import os
from fractions import Fraction
from pathlib import Path

import av
import pytest

from abr.formats.box import make_box, need_box
from abr.ingest import mp4
from abr.ingest.mp4 import PlainFile
from abr.model.media import Packet
from tests.fakes.clip import Clip, make_clip
from tests.fakes.movie import TICKS, equal_sizes, movie, sizes, table

TRACK = [(7, Fraction(1, TICKS))]
PAYLOAD = bytes(range(100)) * 10


@pytest.fixture(scope="module")
def clip() -> bytes:
    return make_clip(Clip(b_frames=2))


@pytest.fixture
def plain(clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    file = PlainFile.open(path, [(1, Fraction(1, 12_800)), (2, Fraction(1, 48_000))])
    yield file
    file.close()


def demuxed(data: bytes) -> list[Packet]:
    with av.open(io.BytesIO(data)) as container:
        return [
            Packet(item.stream_index, item.pts, item.dts, item.duration, item.is_keyframe, False, bytes(item))
            for item in container.demux()
            if item.size
        ]


def bare(packets) -> list[Packet]:
    """With bytes in place of views."""
    return [packet._replace(data=bytes(packet.data)) for packet in packets]


def written(folder: Path, moov: bytes, payload: bytes = PAYLOAD) -> Path:
    """A file whose samples lie in the payload, which begins with the file: before the moov."""
    path = folder / "film.mp4"
    path.write_bytes(payload + make_box("mdat", b"behind") + moov)
    return path


def film(folder: Path, **tables: bytes) -> PlainFile | None:
    """A file that begins with a box of 1000 bytes in which the samples lie."""
    payload = make_box("free", PAYLOAD[8:])
    return PlainFile.open(written(folder, movie(**tables), payload), TRACK)


@pytest.mark.parametrize("window", [1, 1000, 1 << 22])
def test_packets_are_those_of_libavformat_in_their_order(plain, clip, monkeypatch, window):
    monkeypatch.setattr(mp4, "_WINDOW_BYTES", window)
    assert bare(plain.packets()) == demuxed(clip)


@pytest.mark.parametrize("most", [1, 7, 4096])
def test_batches_hold_the_same_packets_track_by_track(plain, clip, monkeypatch, most):
    monkeypatch.setattr(mp4, "_WINDOW_PACKETS", most)
    batches = list(plain.batches())
    expected = demuxed(clip)
    assert max(map(len, batches)) <= most
    for track in (0, 1):
        read = [packet for batch in batches if batch.track == track for packet in batch]
        assert bare(read) == [packet for packet in expected if packet.track == track]


def test_only_the_tracks_that_are_asked_for_are_read(clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    sound = PlainFile.open(path, [(2, Fraction(1, 48_000))])
    expected = [packet._replace(track=0) for packet in demuxed(clip) if packet.track == 1]
    assert bare(sound.packets()) == expected
    sound.close()


def test_samples_that_lie_far_apart_are_read_one_by_one(tmp_path, monkeypatch):
    monkeypatch.setattr(mp4, "_HOLE", 0)
    file = film(tmp_path, stsz=sizes(10, 20, 30, 40))
    assert [bytes(packet.data) for packet in file.packets()] == [
        PAYLOAD[100:110], PAYLOAD[110:130], PAYLOAD[130:160], PAYLOAD[500:540],
    ]  # fmt: skip
    file.close()


def test_samples_may_lie_backwards_and_over_each_other(tmp_path):
    tables = {
        "stsc": table("stsc", 3, (1, 1, 1)),
        "stco": table("stco", 1, (500,), (300,), (100,), (105,)),
        "stsz": equal_sizes(10, 4),
    }
    file = film(tmp_path, **tables)
    packets = list(file.packets())
    assert [packet.dts for packet in packets] == [0, 40, 80, 120]
    assert [bytes(packet.data) for packet in packets] == [
        PAYLOAD[500:510], PAYLOAD[300:310], PAYLOAD[100:110], PAYLOAD[105:115],
    ]  # fmt: skip
    file.close()


def test_empty_samples_are_left_out(tmp_path):
    file = film(tmp_path, stsz=sizes(10, 0, 30, 40))
    assert [(packet.dts, len(packet.data)) for packet in file.packets()] == [(0, 10), (80, 30), (120, 40)]
    file.close()


def test_tracks_behind_each_other_come_in_order_of_time(tmp_path):
    path = tmp_path / "apart.mp4"
    path.write_bytes(moved(make_clip(Clip(seconds=Fraction(3)))))
    bases = {0: Fraction(1, 12_800), 1: Fraction(1, 48_000)}
    file = PlainFile.open(path, [(1, bases[0]), (2, bases[1])])
    packets = list(file.packets())
    file.close()
    times = [packet.dts * bases[packet.track] for packet in packets]
    assert times == sorted(times)
    assert sorted(bare(packets)) == sorted(demuxed(path.read_bytes()))


def moved(clip: bytes) -> bytes:
    """The clip with its sound once more at the end of the file, where its chunks are now."""
    with av.open(io.BytesIO(clip)) as container:
        sounds = [(packet.pos, bytes(packet)) for packet in container.demux(audio=0) if packet.size]
    table_at = clip.rindex(b"stco") + 8
    (count,) = (int.from_bytes(clip[table_at : table_at + 4]),)
    spots = [table_at + 4 + 4 * place for place in range(count)]
    chunks = [int.from_bytes(clip[spot : spot + 4]) for spot in spots]
    made, tail = bytearray(clip), b""
    for spot, chunk, following in zip(spots, chunks, [*chunks[1:], 1 << 40], strict=True):
        made[spot : spot + 4] = (len(clip) + 8 + len(tail)).to_bytes(4)
        tail += b"".join(data for place, data in sounds if chunk <= place < following)
    return bytes(made) + make_box("mdat", tail)


def test_a_file_that_became_shorter_is_an_error(plain, tmp_path):
    os.truncate(tmp_path / "clip.mp4", 2000)
    with pytest.raises(OSError, match="the file has become shorter"):
        list(plain.packets())


def test_nothing_is_read_from_a_closed_file(plain):
    plain.close()
    plain.close()
    with pytest.raises(ValueError, match="closed"):
        next(plain.packets())


@pytest.mark.parametrize(
    "tracks",
    [[(1, Fraction(1, 1000))], [(3, Fraction(1, 48_000))], [(1, Fraction(1, 12_800)), (9, Fraction(1, 2))]],
)
def test_a_track_that_is_not_as_it_was_found_is_left_to_libavformat(clip, tmp_path, tracks):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    assert PlainFile.open(path, tracks) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a film, and longer than a box",
        make_box("free", bytes(20)),
        b"\0\0\0\1free" + (1 << 62).to_bytes(8) + bytes(9),
        b"\0\0\0\5free" + bytes(9),
        make_box("moov", bytes(30)),
        movie(stts=table("stts", 2, (5, 1))),
        movie(entry="mp4v"),
    ],
)
def test_what_is_no_plain_file_is_left_to_libavformat(tmp_path, data):
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert PlainFile.open(path, TRACK) is None


def test_the_moov_may_come_last_behind_a_box_of_64_bits(clip, tmp_path):
    box = need_box(clip, "moov")
    assert need_box(clip, "mdat").end <= box.start
    wide = b"\0\0\0\1free" + (24).to_bytes(8) + bytes(8)
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip[: box.start] + wide + clip[box.start :])
    file = PlainFile.open(path, [(1, Fraction(1, 12_800))])
    assert len(list(file.packets())) == 50
    file.close()
