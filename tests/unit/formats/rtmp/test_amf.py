"""AMF0 values and their bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import LocalProtocolError, RemoteProtocolError
from abr.formats.rtmp.amf import Value, decode, encode
from abr.formats.rtmp.value import MAX_DEPTH

BOTH_WAYS: list[tuple[Value, bytes]] = [
    (1.5, b"\x00\x3f\xf8\x00\x00\x00\x00\x00\x00"),
    (True, b"\x01\x01"),
    (False, b"\x01\x00"),
    ("live", b"\x02\x00\x04live"),
    ("", b"\x02\x00\x00"),
    ("é", b"\x02\x00\x02\xc3\xa9"),
    ("x" * 65536, b"\x0c\x00\x01\x00\x00" + b"x" * 65536),
    (None, b"\x05"),
    ({}, b"\x03\x00\x00\x09"),
    ({"app": "live", "n": {"a": None}}, b"\x03\x00\x03app\x02\x00\x04live\x00\x01n\x03\x00\x01a\x05\x00\x00\x09\x00\x00\x09"),
    ({"": True}, b"\x03\x00\x00\x01\x01\x00\x00\x09"),
    ([True, "a"], b"\x0a\x00\x00\x00\x02\x01\x01\x02\x00\x01a"),
]  # fmt: skip

READ_ONLY: list[tuple[Value, bytes]] = [
    (None, b"\x06"),
    (None, b"\x0d"),
    ({"a": 0.0}, b"\x08\x00\x00\x00\x63\x00\x01a\x00" + bytes(8) + b"\x00\x00\x09"),
    ({"a": None}, b"\x10\x00\x05Class\x00\x01a\x05\x00\x00\x09"),
    (0.0, b"\x0b" + bytes(8) + b"\x00\x00"),
    ("<x/>", b"\x0f\x00\x00\x00\x04<x/>"),
    ("�", b"\x02\x00\x01\xff"),
]

WRONG = [
    (b"\x00\x00", "cut short"),
    (b"\x02\x00\x05ab", "cut short"),
    (b"\x03\x00\x01a", "cut short"),
    (b"\x03\x00\x00", "cut short"),
    (b"\x0a\xff\xff\xff\xff\x05", "an AMF array of 4294967295 values lies in 1 bytes"),
    (b"\x11\x0a", "cut short"),
    (b"\x07\x00\x01", "AMF0 values of type 7 are not supported"),
    (b"\x0a\x00\x00\x00\x01" * 20 + b"\x05", f"deeper than {MAX_DEPTH}"),
    (b"\x03\x00\x01a" * 1000, f"deeper than {MAX_DEPTH}"),
]


@pytest.mark.parametrize(("value", "data"), BOTH_WAYS)
def test_a_value_and_its_bytes(value: Value, data: bytes) -> None:
    assert encode(value) == data
    assert decode(data) == [value]


@pytest.mark.parametrize(("value", "data"), READ_ONLY)
def test_what_others_write_is_read(value: Value, data: bytes) -> None:
    assert decode(data) == [value]


@pytest.mark.parametrize(("data", "sentence"), WRONG)
def test_wrong_bytes_are_the_peers_error(data: bytes, sentence: str) -> None:
    with pytest.raises(RemoteProtocolError, match=sentence):
        decode(data)


def test_a_key_has_its_limit() -> None:
    with pytest.raises(LocalProtocolError, match="65536 bytes"):
        encode({"k" * 65536: None})


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=4))
def test_round_trip(values: list[Value]) -> None:
    assert decode(encode(*values)) == values


@given(st.binary(max_size=200))
def test_any_bytes_give_values_or_the_peers_error(data: bytes) -> None:
    try:
        decode(data)
    except RemoteProtocolError:
        return
