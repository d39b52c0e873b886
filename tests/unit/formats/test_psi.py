"""Program tables of MPEG-TS."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.formats.psi import Sections, Stream, crc, programs, streams
from abr.model.media import Kind
from tests.fakes.multiplex import AAC, H264, map_section, section


def test_the_checksum_is_that_of_mpeg():
    assert crc(b"123456789") == 0x0376E6E7
    assert crc(b"123456789" + (0x0376E6E7).to_bytes(4, "big")) == 0
    assert crc(b"abc") != binascii.crc32(b"abc")


def test_an_association_names_the_maps_but_not_the_network():
    body = bytes.fromhex("0000e010 0001f000 0003e123".replace(" ", ""))
    assert programs(section(0, 1, body)) == {1: 0x1000, 3: 0x123}
    assert programs(section(0, 1, body, current=False)) is None
    assert programs(section(2, 1, body)) is None


def test_a_map_names_the_tracks():
    found = {0x100: H264, 0x101: AAC, 0x102: Stream(6, b"Opus"), 0x103: Stream(0x86)}
    assert streams(map_section(found)) == found
    assert streams(map_section(found, current=False)) is None
    assert streams(section(0, 1, b"\0\1\xf0\0")) is None


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (Stream(0x1B), Kind.VIDEO),
        (Stream(0x24), Kind.VIDEO),
        (Stream(0x02), Kind.VIDEO),
        (Stream(0x0F), Kind.AUDIO),
        (Stream(0x81), Kind.AUDIO),
        (Stream(0x06, b"AV01"), Kind.VIDEO),
        (Stream(0x06, b"Opus"), Kind.AUDIO),
        (Stream(0x06, b"AAC "), Kind.AUDIO),
        (Stream(0x06, b"KLVA"), None),
        (Stream(0x06), None),
        (Stream(0x15), None),
        (Stream(0x86), None),
    ],
)
def test_what_a_stream_carries(stream, kind):
    assert stream.kind is kind


@pytest.mark.parametrize(
    ("descriptors", "name"),
    [
        ("0a04656e6700 0504 4f707573", b"Opus"),
        ("6a01ff", b"AC-3"),
        ("7a00", b"EAC3"),
        ("05", b""),
        ("0502ff", b""),
    ],
)
def test_descriptors_name_private_streams(descriptors, name):
    extra = bytes.fromhex(descriptors.replace(" ", ""))
    body = b"\xe1\x00\xf0\x00" + bytes([6, 0xE1, 0x00, 0xF0, len(extra)]) + extra
    assert streams(section(2, 1, body)) == {0x100: Stream(6, name)}


def test_a_section_may_come_in_pieces_and_is_taken_once():
    whole = map_section({0x100 + count: Stream(6, b"Opus") for count in range(30)})
    reader = Sections()
    assert reader.push(b"\0" + whole[:183], start=True) is None
    assert reader.push(whole[183:], start=False) == whole
    assert reader.push(b"\xff" * 184, start=False) is None


def test_a_damaged_section_is_left_out():
    whole = map_section({0x100: H264})
    assert Sections().push(b"\0" + whole[:-1] + b"\0", start=True) is None
    assert Sections().push(b"\0\2", start=True) is None
    assert Sections().push(b"", start=True) is None
    assert Sections().push(b"\xc8" + whole, start=True) is None


@given(st.lists(st.tuples(st.binary(max_size=184), st.booleans()), max_size=8))
def test_any_bytes_are_no_section_or_a_whole_one(payloads):
    reader = Sections()
    for payload, start in payloads:
        found = reader.push(payload, start=start)
        assert found is None or crc(found) == 0


@given(st.binary(max_size=80), st.sampled_from([0, 2]))
def test_any_body_is_read(body, table):
    whole = section(table, 1, body)
    for read in (programs, streams):
        found = read(whole)
        assert found is None or all(0 <= pid <= 0xFFFF for pid in found)
