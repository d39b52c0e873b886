"""Sample tables say what libavformat says, or nothing."""

import io
import struct
from fractions import Fraction
from functools import cache

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.box import make_box, make_full_box, need_box
from abr.formats.sampletable import read_sample_tables
from tests.fakes.clip import Clip, make_clip
from tests.fakes.movie import edits, equal_sizes, movie, sizes, table

END = 540
"""Bytes of a file that holds all samples of `movie`."""


def read(moov: bytes, size: int = END):
    return read_sample_tables(moov, size).get(7)


def columns(found) -> list[list[int]]:
    return [column.tolist() for column in found[1:]]


def test_the_tables_of_a_track_are_read():
    found = read(movie(ctts=table("ctts", 2, (1, 40), (1, 80), (2, 0)), stss=table("stss", 1, (1,), (3,))))
    assert found.timescale == 1000
    assert columns(found) == [
        [100, 110, 130, 500],
        [10, 20, 30, 40],
        [0, 40, 80, 120],
        [40, 120, 80, 120],
        [40, 40, 40, 40],
        [True, False, True, False],
    ]


def test_all_samples_are_key_frames_where_no_box_names_them():
    assert read(movie()).keys.all()


def test_samples_of_one_size_and_far_chunks_are_read():
    far = make_full_box("co64", 0, 0, struct.pack(">IQQ", 2, 1 << 33, 5))
    found = read(movie(stsz=equal_sizes(9, 4), stco=b"", co64=far), 1 << 34)
    assert columns(found)[:2] == [[1 << 33, (1 << 33) + 9, (1 << 33) + 18, 5], [9, 9, 9, 9]]


def test_a_track_without_samples_is_read():
    empty = {"stts": table("stts", 2), "stsc": table("stsc", 3), "stsz": sizes(), "stco": table("stco", 1)}
    assert columns(read(movie(**empty, edit=edits((10, 0))))) == [[]] * 6


@pytest.mark.parametrize(
    ("edit", "first"),
    [
        (edits((160, 0)), 0),
        (edits((500, -1), (160, 0)), 500),
        (edits((500, -1), (20, -1), (160, 0)), 520),
        (edits(), 0),
    ],
)
def test_an_edit_shifts_all_times(edit, first):
    found = read(movie(edit=edit))
    assert found.shown.tolist() == found.decode.tolist() == [first + 40 * place for place in range(4)]


def test_sound_before_its_edit_is_kept_at_negative_times():
    found = read(movie(entry="mp4a", sound=True, edit=edits((90, 70))))
    assert found.shown.tolist() == [-70, -30, 10, 50]


def test_an_edit_with_64_bits_is_read():
    body = struct.pack(">IQqI", 1, 160, 40, 1 << 16)
    edit = make_box("edts", make_full_box("elst", 1, 0, body))
    found = read(movie(ctts=table("ctts", 2, (4, 40)), stss=table("stss", 1, (1,)), edit=edit))
    assert (found.decode[0], found.shown[0]) == (-40, 0)


@pytest.mark.parametrize(
    "moov",
    [
        pytest.param(movie(entry="mp4v"), id="a codec that libavformat parses"),
        pytest.param(movie(entry="encv"), id="encrypted"),
        pytest.param(movie(entry="sowt", sound=True), id="raw sound"),
        pytest.param(movie(stsd=make_full_box("stsd", 0, 0, struct.pack(">I", 0))), id="no description"),
        pytest.param(movie(stsc=table("stsc", 3, (1, 3, 1), (2, 1, 2))), id="a second description"),
        pytest.param(
            movie(dref=make_full_box("dref", 0, 0, struct.pack(">I", 1), make_full_box("url ", 0, 0))),
            id="media in another file",
        ),
        pytest.param(movie(ctts=table("ctts", 2, (4, -40), version=1)), id="negative offsets"),
        pytest.param(movie(stps=table("stps", 1, (2,))), id="partial sync samples"),
        pytest.param(movie(sbgp=make_full_box("sbgp", 0, 0, b"rap ", bytes(4))), id="random access points"),
        pytest.param(movie(edit=edits((80, 0), (80, 80))), id="two edits"),
        pytest.param(movie(edit=edits((160, 0), rate=2)), id="a faster edit"),
        pytest.param(movie(edit=edits((0, 0))), id="an edit of no length"),
        pytest.param(movie(edit=edits((160, -1))), id="an empty edit alone"),
        pytest.param(movie(edit=edits((120, 40))), id="an edit that begins at a later picture"),
        pytest.param(movie(edit=edits((60, 0))), id="an edit that ends before a key frame"),
        pytest.param(movie(edit=edits((160, 0)), stss=table("stss", 1)), id="an edit without a key frame"),
        pytest.param(movie(entry="mp4a", sound=True, edit=edits((100, 0))), id="an edit that ends early"),
        pytest.param(movie(entry="mp4a", sound=True, edit=edits((10, 1140))), id="an edit that begins late"),
        pytest.param(movie(edit=edits(*[(1, -1)] * 17)), id="many edits"),
    ],
)
def test_what_needs_more_than_its_table_is_left_out(moov):
    assert read(moov) is None


def test_sound_groups_that_change_nothing_are_passed_over():
    assert read(movie(sbgp=make_full_box("sbgp", 0, 0, b"roll", bytes(4)))) is not None


def test_a_fragmented_file_has_no_tables():
    fragmented = movie()[8:] + make_box("mvex")
    assert read_sample_tables(make_box("moov", fragmented), END) == {}


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"stts": table("stts", 2, (5, 40))}, "stts names 5 samples, stsz 4"),
        ({"stts": table("stts", 2, (4, -1))}, "stts names 4294967295 ticks for one sample"),
        ({"ctts": table("ctts", 2, (3, 0))}, "ctts names 3 samples, stsz 4"),
        ({"stsc": table("stsc", 3, (1, 1, 1))}, "stsc names 2 samples, stsz 4"),
        ({"stsc": table("stsc", 3, (2, 4, 1))}, "does not tell the samples of 2 chunks"),
        ({"stsc": table("stsc", 3, (1, 3, 1), (4, 1, 1))}, "does not tell the samples of 2 chunks"),
        ({"stsc": table("stsc", 3, (1, -1, 1))}, "a chunk of 4294967295 samples"),
        ({"stsc": table("stsc", 3)}, "does not tell the samples of 2 chunks"),
        ({"stsz": equal_sizes(1 << 30, 4)}, "4 samples of 1073741824 bytes in 540 bytes"),
        ({"stsz": sizes(10, 20, 30, 41)}, "a sample reaches beyond the 540 bytes of the file"),
        ({"stco": table("stco", 1, (100,), (501,))}, "a sample reaches beyond the 540 bytes of the file"),
        ({"stss": table("stss", 1, (5,))}, "stss names a sample that is none of 4"),
        ({"stss": table("stss", 1, (0,))}, "stss names a sample that is none of 4"),
        ({"stts": make_full_box("stts", 0, 0, struct.pack(">I", 1 << 28))}, "has no room for them"),
        ({"stsz": make_full_box("stsz", 0, 0)}, "has only 12 bytes"),
        ({"stsz": b""}, "there is no box 'stsz'"),
        ({"edit": make_box("edts", make_full_box("elst", 0, 0, struct.pack(">I", 3)))}, "names 3 edits"),
        ({"mdhd": make_full_box("mdhd", 0, 0, bytes(20))}, "counts in ticks of 1/0 s"),
        ({"mdhd": make_full_box("mdhd", 1, 0, bytes(30))}, "has only 42 bytes|counts in ticks of 1/0 s"),
    ],
)
def test_broken_tables_are_an_error(tables, sentence):
    with pytest.raises(RemoteProtocolError, match=sentence):
        read(movie(**tables))


@cache
def clip(of: Clip) -> bytes:
    return make_clip(of)


def moov_of(data: bytes) -> tuple[int, int]:
    box = need_box(data, "moov")
    return box.start, box.end


def patched(data: bytes, track: int, value: int) -> bytes:
    """The clip with another media time in the edit list of a track."""
    place = [at for at in range(len(data)) if data.startswith(b"elst", at)][track] + 16
    return data[:place] + value.to_bytes(4) + data[place + 4 :]


LONG = Clip(b_frames=2)
CLIPS = {
    "plain": lambda: clip(Clip(seconds=Fraction(1))),
    "B-frames": lambda: clip(LONG),
    "QuickTime": lambda: clip(Clip(b_frames=3, container="mov", seconds=Fraction(1))),
    "44.1 kHz": lambda: clip(Clip(b_frames=2, sound_rate=44_100, seconds=Fraction(1))),
    "29.97": lambda: clip(Clip(fps=Fraction(30_000, 1001), b_frames=2, seconds=Fraction(1))),
    "late start": lambda: clip(Clip(b_frames=2, start=Fraction(3, 2), seconds=Fraction(1))),
    "uneven": lambda: clip(Clip(times=(0, 40, 90, 130, 200, 205, 300, 777, 1000), seconds=Fraction(1))),
    "priming of 2112": lambda: patched(clip(LONG), 1, 2112),
    "priming within a frame": lambda: patched(clip(LONG), 1, 1100),
}


@pytest.mark.parametrize("make", CLIPS.values(), ids=CLIPS)
def test_every_packet_is_that_of_libavformat(make):
    data = make()
    start, end = moov_of(data)
    tables = read_sample_tables(data[start:end], len(data))
    with av.open(io.BytesIO(data)) as container:
        expected = {stream.id: [] for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                expected[packet.stream.id].append(
                    (packet.pos, packet.size, packet.dts, packet.pts, packet.duration, packet.is_keyframe)
                )
    assert len(expected) == 2
    assert {number: list(zip(*columns(found), strict=True)) for number, found in tables.items()} == expected


@given(st.data())
def test_damage_gives_tables_within_the_file_or_an_error(data):
    whole = clip(LONG)
    start, end = moov_of(whole)
    moov = bytearray(whole[start:end])
    for _ in range(data.draw(st.integers(1, 4))):
        moov[data.draw(st.integers(0, len(moov) - 1))] = data.draw(st.sampled_from((0, 1, 127, 128, 255)))
    try:
        tables = read_sample_tables(bytes(moov), len(whole))
    except RemoteProtocolError:
        return
    for found in tables.values():
        assert len({len(column) for column in found[1:]}) == 1
        assert (found.offsets >= 0).all()
        assert (found.offsets + found.sizes <= len(whole)).all()
        assert (abs(found.shown) < 1 << 62).all()


@given(st.integers(0, 4000))
def test_a_moov_that_is_cut_off_is_an_error(length):
    whole = clip(LONG)
    start, end = moov_of(whole)
    with pytest.raises(RemoteProtocolError):
        read_sample_tables(whole[start : min(start + length, end - 1)], len(whole))
