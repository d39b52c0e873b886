import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.adts import adts_config, is_adts, strip_adts
from abr.formats.avc import length_size, make_avcc, parameter_sets
from abr.formats.nal import (
    hevc_type,
    is_annexb,
    is_idr,
    join_prefixed,
    split_annexb,
    unit_types,
)
from abr.formats.obu import obu_types, strip_delimiter

SPS = bytes.fromhex("6764000aacd9447a10000003001000002bf200f1225960")
PPS = bytes.fromhex("68ef8fcb")

units = st.lists(
    st.binary(min_size=1, max_size=12).filter(
        lambda unit: unit[-1] and b"\0\0\1" not in unit and b"\0\0\0" not in unit
    ),
    min_size=1,
    max_size=4,
)


def test_start_codes_of_three_and_four_bytes_become_lengths():
    assert join_prefixed(split_annexb(b"\0\0\1\x65abc\0\0\0\1\x41x")) == b"\0\0\0\4\x65abc\0\0\0\2\x41x"


def test_trailing_zero_bytes_belong_to_no_unit():
    assert split_annexb(b"\0\0\1\x65a\0\0\0") == [b"\x65a"]


@given(units)
def test_both_framings_hold_the_same_units(given_units):
    stream = b"".join(b"\0\0\0\1" + unit for unit in given_units)
    assert is_annexb(stream)
    assert split_annexb(stream) == given_units
    assert unit_types("h264", join_prefixed(given_units)) == [unit[0] & 31 for unit in given_units]


@given(st.binary(max_size=30))
def test_any_bytes_are_a_sample_or_refused(data):
    with contextlib.suppress(RemoteProtocolError):
        assert len(unit_types("hevc", data)) * 5 <= len(data)


def test_a_unit_longer_than_its_sample_is_refused():
    with pytest.raises(RemoteProtocolError, match="ends 3 after its sample"):
        unit_types("h264", b"\0\0\0\5ab")


def test_shorter_lengths_are_read():
    assert unit_types("h264", b"\0\2\x65b\0\1\x41", 2) == [5, 1]


def test_an_idr_is_known_by_its_type():
    assert is_idr("h264", join_prefixed([b"\x09\xf0", b"\x65a"]))
    assert not is_idr("h264", join_prefixed([b"\x41a"]))
    assert is_idr("hevc", join_prefixed([bytes((20 << 1, 1))]))
    assert not is_idr("hevc", join_prefixed([bytes((21 << 1, 1))])), "a CRA picture is none"
    assert hevc_type(bytes((33 << 1, 1))) == 33


def test_a_record_is_made_of_parameter_sets():
    record = make_avcc([b"\x09\xf0", SPS, PPS])
    assert record[:6] == bytes.fromhex("0164000affe1")
    assert record[-4:] == bytes.fromhex("fdf8f800"), "4:2:0 of 8 bits"
    assert parameter_sets(record) == [SPS, PPS]
    assert length_size(record) == 4


def test_a_record_needs_both_sets():
    with pytest.raises(RemoteProtocolError, match="no SPS and PPS"):
        make_avcc([SPS])
    with pytest.raises(RemoteProtocolError, match="cut off"):
        parameter_sets(make_avcc([SPS, PPS])[:12])


def test_adts_becomes_a_frame_and_a_configuration():
    frame = bytes.fromhex("fff14c80015ffc") + b"abc"
    assert is_adts(frame)
    assert adts_config(frame) == bytes.fromhex("1190"), "LC, 48 kHz, stereo"
    assert strip_adts(frame) == b"abc"
    with pytest.raises(RemoteProtocolError, match="says 10 bytes in a packet of 9"):
        strip_adts(frame[:-1])
    with pytest.raises(RemoteProtocolError, match="no ADTS header"):
        strip_adts(b"abc")
    with pytest.raises(RemoteProtocolError, match="no ADTS header"):
        adts_config(b"")


def test_the_temporal_delimiter_goes():
    assert strip_delimiter(b"\x12\0\x0a\1x") == b"\x0a\1x"
    assert strip_delimiter(b"\x0a\1x") == b"\x0a\1x"
    assert obu_types(b"\x12\0\x0a\1x\x32\x81\1" + bytes(129)) == [2, 1, 6]


@pytest.mark.parametrize("data", [b"\x10", b"\x12", b"\x12\x05a", b"\x12" + b"\xff" * 9])
def test_units_without_a_right_size_are_refused(data):
    with pytest.raises(RemoteProtocolError):
        obu_types(data)
