import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.box import find_box, make_box, make_full_box, need_box, read_boxes
from abr.formats.isobmff import (
    NOT_SYNC,
    SYNC,
    Run,
    SampleRow,
    make_brands,
    make_moof,
    make_prft,
    mdat_header,
    read_brands,
    read_decode_time,
    read_defaults,
    read_extends,
    read_media_header,
    read_movie_duration,
    read_run,
    read_track_header,
)
from tests.fakes.boxdump import dump


def run_of(durations, sizes, flags, offsets):
    return Run(*(np.array(column, dtype=np.int64) for column in (durations, sizes, flags, offsets)))


def rows_of(moof):
    """Duration, size, flags, offset of each sample, defaults filled in."""
    defaults = read_defaults(moof, need_box(moof, "moof/traf/tfhd"))
    table = read_run(moof, need_box(moof, "moof/traf/trun"))
    rows = []
    for index, row in enumerate(table.rows):
        first = table.first_flags if index == 0 else None
        flags = next(value for value in (row.flags, first, defaults.flags) if value is not None)
        duration = defaults.duration if row.duration is None else row.duration
        rows.append((duration, row.size, flags, row.offset or 0))
    return rows


def test_brands_are_four_letters_each():
    data = make_brands("styp", "msdh", ("msdh", "cmfs"))
    assert data == b"\0\0\0\x18stypmsdh\0\0\0\0msdhcmfs"
    assert read_brands(data, read_boxes(data)[0]) == ("msdh", "msdh", "cmfs")


def test_what_is_equal_in_all_samples_stands_in_tfhd():
    moof = make_moof(7, 5000, run_of([1024, 1024], [10, 20], [SYNC, SYNC], [0, 0]))
    assert moof.hex(" ", 4) == (
        "00000068 6d6f6f66"  # moof
        " 00000010 6d666864 00000000 00000007"  # mfhd
        " 00000050 74726166"  # traf
        " 00000018 74666864 00020028 00000001 00000400 02000000"  # tfhd: duration, flags
        " 00000014 74666474 01000000 00000000 00001388"  # tfdt
        " 0000001c 7472756e 01000201 00000002 00000070 0000000a 00000014"  # trun
    )


def test_a_single_key_frame_is_the_first_of_its_run():
    moof = make_moof(1, 0, run_of([2, 2, 2], [9, 5, 6], [SYNC, NOT_SYNC, NOT_SYNC], [2, 4, 0]))
    table = read_run(moof, need_box(moof, "moof/traf/trun"))
    assert table.first_flags == SYNC
    assert table.rows == (
        SampleRow(None, 9, None, 2),
        SampleRow(None, 5, None, 4),
        SampleRow(None, 6, None, 0),
    )
    assert read_defaults(moof, need_box(moof, "moof/traf/tfhd")).flags == NOT_SYNC


def test_the_data_begins_behind_the_header_of_mdat():
    moof = make_moof(1, 0, run_of([1, 2], [3, 4], [SYNC, NOT_SYNC], [0, 1]))
    table = read_run(moof, need_box(moof, "moof/traf/trun"))
    assert table.data_offset == len(moof) + len(mdat_header(7))


def test_sequence_numbers_wrap_at_32_bits():
    moof = make_moof(2**32 + 5, 2**33, run_of([1], [1], [SYNC], [0]))
    assert moof[20:24] == b"\0\0\0\5"
    assert read_decode_time(moof, need_box(moof, "moof/traf/tfdt")) == 2**33


@given(
    st.lists(
        st.tuples(
            st.integers(1, 2**31),
            st.integers(0, 2**31),
            st.sampled_from([SYNC, NOT_SYNC]),
            st.integers(0, 2**31 - 1),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 2**63),
)
def test_a_run_is_read_as_it_was_written(rows, decode_time):
    moof = make_moof(1, decode_time, run_of(*zip(*rows, strict=True)))
    assert rows_of(moof) == rows
    assert read_decode_time(moof, need_box(moof, "moof/traf/tfdt")) == decode_time


def test_producer_time_is_ntp():
    data = make_prft(1_500_000_000, 9)
    assert data.hex(" ", 4).endswith("01000000 00000001 83aa7e81 80000000 00000000 00000009")


def test_headers_of_both_versions_are_read():
    narrow = make_full_box("mdhd", 0, 0, bytes(8), (90_000).to_bytes(4), (7).to_bytes(4), b"\x55\xc4\0\0")
    wide = make_full_box("mdhd", 1, 0, bytes(16), (90_000).to_bytes(4), (7).to_bytes(8), b"\x15\xc7\0\0")
    assert read_media_header(narrow, read_boxes(narrow)[0]) == (90_000, 7, "und")
    assert read_media_header(wide, read_boxes(wide)[0]) == (90_000, 7, "eng")
    movie = make_full_box("mvhd", 1, 0, bytes(20), (9).to_bytes(8), bytes(80))
    assert read_movie_duration(movie, read_boxes(movie)[0]) == 9
    size = (640 << 16).to_bytes(4) + ((360 << 16) + 0x8000).to_bytes(4)
    track = make_full_box(
        "tkhd", 1, 3, bytes(16), (2).to_bytes(4), bytes(4), (5).to_bytes(8), bytes(52), size
    )
    assert read_track_header(track, read_boxes(track)[0]) == (2, 5, 640, 361)
    trex = make_full_box("trex", 0, 0, bytes((0, 0, 0, 1)) * 5)
    assert read_extends(trex, read_boxes(trex)[0]) == (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("kind", "body", "read"),
    [
        ("trun", b"\0\0\2\0\xff\xff\xff\xff" + bytes(8), read_run),
        ("trun", b"\0\0\0\0\0\0\0\1", read_run),
        ("trun", b"\0\0\0\1\0\0\0\0", read_run),
        ("tfhd", b"\0\0\0\x28\0\0\0\1\0\0\0\0", read_defaults),
        ("tfdt", b"\1\0\0\0\0\0\0\0", read_decode_time),
        ("tkhd", bytes(83), read_track_header),
        ("mdhd", b"\1" + bytes(23), read_media_header),
        ("trex", bytes(23), read_extends),
    ],
)
def test_a_box_too_short_for_its_fields_is_refused(kind, body, read):
    data = make_box(kind, body)
    with pytest.raises(RemoteProtocolError, match=f"{kind}.*byte 0"):
        read(data, read_boxes(data)[0])


def test_a_dump_names_every_box_with_its_fields():
    moof = make_moof(7, 5000, run_of([10, 20], [3, 4], [SYNC, NOT_SYNC], [0, 1]))
    assert dump(make_prft(0, 9) + moof + make_box("mdat", bytes(7))) == (
        "prft 32 track=1 ntp=83aa7e8000000000 time=9\n"
        "moof 120\n"
        "  mfhd 16 sequence=7\n"
        "  traf 96\n"
        "    tfhd 20 track=1 base-is-moof=1 flags=01010000\n"
        "    tfdt 20 time=5000\n"
        "    trun 48 version=1 samples=2 data-offset=128 first-flags=02000000\n"
        "          duration=10 size=3 offset=0\n"
        "          duration=20 size=4 offset=1\n"
        "mdat 15\n"
    )
    assert find_box(moof, "moof/traf/trun") is not None
