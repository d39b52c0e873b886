"""AMF3 values, as they stand within AMF0."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.rtmp.amf import Value, decode
from abr.formats.rtmp.value import MAX_DEPTH

DOUBLE = struct.pack(">d", 1.5)
VALUES: dict[str, tuple[bytes, Value]] = {
    "undefined": (b"\x00", None),
    "null": (b"\x01", None),
    "false": (b"\x02", False),
    "true": (b"\x03", True),
    "integer of one byte": (b"\x04\x7f", 127.0),
    "integer of two bytes": (b"\x04\x81\x00", 128.0),
    "integer of four bytes": (b"\x04\xbf\xff\xff\xff", 268435455.0),
    "integer below zero": (b"\x04\xff\xff\xff\xff", -1.0),
    "double": (b"\x05" + DOUBLE, 1.5),
    "string": (b"\x06\x09live", "live"),
    "empty string": (b"\x06\x01", ""),
    "document": (b"\x07\x09<x/>", "<x/>"),
    "xml": (b"\x0b\x09<x/>", "<x/>"),
    "date": (b"\x08\x01" + DOUBLE, 1.5),
    "bytes": (b"\x0c\x07abc", None),
    "array": (b"\x09\x05\x01\x02\x06\x03a", [False, "a"]),
    "array with names": (b"\x09\x03\x03n\x03\x01\x02", {"n": True, "0": False}),
    "dynamic object": (b"\x0a\x0b\x01\x07app\x06\x09live\x01", {"app": "live"}),
    "object of a class": (b"\x0a\x23\x07Cls\x03a\x03b\x02\x03", {"a": False, "b": True}),
    "string again": (b"\x09\x05\x01\x06\x03a\x06\x00", ["a", "a"]),
    "object again": (b"\x09\x05\x01\x0a\x0b\x01\x03a\x03\x01\x0a\x02", [{"a": True}, {"a": True}]),
    "class again": (
        b"\x09\x05\x01\x0a\x13\x01\x03a\x02\x0a\x01\x03",
        [{"a": False}, {"a": True}],
    ),
    "date again": (b"\x09\x05\x01\x08\x01" + DOUBLE + b"\x08\x02", [1.5, 1.5]),
}  # fmt: skip

WRONG = {
    "unknown marker": (b"\x0d", "AMF3 values of type 13 are not supported"),
    "form of its own": (b"\x0a\x07\x01", "form of their own"),
    "string of nowhere": (b"\x06\x00", "refers to number 0 of 0"),
    "object of nowhere": (b"\x0a\x04", "refers to number 2 of 0"),
    "class of nowhere": (b"\x0a\x01", "refers to number 0 of 0"),
    "cut short": (b"\x06\x09li", "cut short"),
    "number cut short": (b"\x04\xff", "cut short"),
    "array longer than its bytes": (b"\x09\xff\xff\xff\xff\x01", "lies in"),
    "class longer than its bytes": (b"\x0a\xff\xff\xff\xf3\x01", "lies in"),
    "too deep": (b"\x09\x03\x01" * (MAX_DEPTH + 2), "nested deeper"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_within_amf0(name: str) -> None:
    data, value = VALUES[name]
    assert decode(b"\x05\x11" + data + b"\x01\x01") == [None, value, True]


def test_what_a_value_may_refer_to_ends_with_it() -> None:
    with pytest.raises(RemoteProtocolError, match="refers to"):
        decode(b"\x11\x06\x03a\x11\x06\x00")


@pytest.mark.parametrize("name", WRONG)
def test_wrong_bytes_are_the_peers_error(name: str) -> None:
    data, sentence = WRONG[name]
    with pytest.raises(RemoteProtocolError, match=sentence):
        decode(b"\x11" + data)


def test_an_object_may_hold_itself() -> None:
    [value] = decode(b"\x11\x0a\x0b\x01\x05me\x0a\x00\x01")
    assert isinstance(value, dict)
    assert value["me"] is value


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_the_peers_error(data: bytes) -> None:
    try:
        decode(b"\x11" + data)
    except RemoteProtocolError:
        return
