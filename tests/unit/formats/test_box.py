import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.box import (
    Box,
    children,
    find_box,
    make_box,
    make_full_box,
    need_box,
    read_boxes,
    walk,
)


def test_a_box_is_its_size_its_kind_and_its_contents():
    assert make_box("free", b"ab", b"c") == b"\0\0\0\x0bfreeabc"
    assert make_full_box("tfdt", 1, 2, b"x") == b"\0\0\0\x0dtfdt\1\0\0\2x"


def test_boxes_are_read_with_their_offsets():
    data = make_box("styp", b"1234") + make_box("mdat", b"56")
    assert read_boxes(data) == [Box("styp", 0, 8, 12), Box("mdat", 12, 20, 22)]


def test_a_64_bit_size_has_a_longer_header():
    data = b"\0\0\0\1mdat" + (18).to_bytes(8) + b"ab"
    assert read_boxes(data) == [Box("mdat", 0, 16, 18)]


def test_size_0_reaches_to_the_end():
    assert read_boxes(b"\0\0\0\0mdatabc") == [Box("mdat", 0, 8, 11)]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0",
        b"\0\0\0\x07free",
        b"\0\0\0\x09free",
        b"\0\0\0\1mdat\0\0",
        b"\0\0\0\1mdat" + (15).to_bytes(8),
        make_box("free") + b"\0\0\0\x20mdat",
    ],
)
def test_boxes_that_do_not_fill_their_space_are_refused(data):
    with pytest.raises(RemoteProtocolError):
        read_boxes(data)


def test_children_follow_the_fields_of_their_box():
    data = make_box("stsd", bytes(8), make_box("avc1", bytes(78), make_box("avcC", b"\1")))
    entry = children(data, read_boxes(data)[0])
    assert [box.kind for box in entry] == ["avc1"]
    assert [box.kind for box in children(data, entry[0])] == ["avcC"]
    assert children(data, children(data, entry[0])[0]) == []


def test_a_box_too_short_for_its_own_fields_is_refused():
    data = make_box("stsd", bytes(7))
    with pytest.raises(RemoteProtocolError, match="'stsd' at byte 0 has only 15 bytes"):
        children(data, read_boxes(data)[0])


def test_a_path_leads_to_the_first_box_of_its_name():
    data = make_box("free") + make_box("moov", make_box("trak", make_box("tkhd", b"1")))
    assert find_box(data, "moov/trak/tkhd") == Box("tkhd", 24, 32, 33)
    assert find_box(data, "moov/trak/mdia") is None
    with pytest.raises(RemoteProtocolError, match="no box 'moov/udta'"):
        need_box(data, "moov/udta")


def test_boxes_that_lie_too_deep_are_refused():
    data = b""
    for _ in range(18):
        data = make_box("moov", data)
    with pytest.raises(RemoteProtocolError, match="more than 16 deep"):
        list(walk(data))


@given(st.lists(st.tuples(st.sampled_from(["free", "skip", "mdat"]), st.binary(max_size=20))))
def test_what_is_written_is_read(contents):
    data = b"".join(make_box(kind, body) for kind, body in contents)
    boxes = read_boxes(data)
    assert [(box.kind, data[box.body : box.end]) for box in boxes] == contents


@given(st.binary(max_size=80))
def test_any_bytes_are_boxes_or_refused(data):
    with contextlib.suppress(RemoteProtocolError):
        assert sum(box.size for depth, box in walk(data) if depth == 0) == len(data)
