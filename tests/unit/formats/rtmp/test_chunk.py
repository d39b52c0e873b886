"""Chunks: every header form, however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import RemoteProtocolError
from abr.formats.rtmp.chunk import MAX_CHUNK_STREAMS, ChunkReader, Message, write

BIG = 0x01020304
"""A time that needs the extended field."""


def read(data: bytes, step: int = 0, **options: int) -> list[Message]:
    """All messages in `data`, given in pieces of `step` bytes (0: at once)."""
    reader = ChunkReader(**options)
    step = step or max(1, len(data))
    return [message for at in range(0, len(data), step) for message in reader.receive(data[at : at + step])]


def full(number: bytes, time: int, size: int, kind: int, stream: int = 1) -> bytes:
    """A header of type 0 with the basic header `number`."""
    return (
        number
        + time.to_bytes(3, "big")
        + size.to_bytes(3, "big")
        + bytes([kind])
        + stream.to_bytes(4, "little")
    )


TABLE: dict[str, tuple[bytes, list[Message]]] = {
    "one chunk": (full(b"\x04", 7, 2, 9) + b"ab", [Message(9, 7, 1, b"ab")]),
    "no payload": (full(b"\x04", 7, 0, 9) + full(b"\x05", 8, 1, 8) + b"a", [Message(9, 7, 1, b""), Message(8, 8, 1, b"a")]),
    "two-byte id": (
        full(b"\x00\x05", 7, 1, 9) + b"a" + b"\xc0\x05b",
        [Message(9, 7, 1, b"a"), Message(9, 14, 1, b"b")],
    ),
    "three-byte id, low byte first": (
        # 64 + 1 + 2·256 = 577; the first is 64 + 2 + 1·256 and another chunk stream.
        full(b"\x01\x02\x01", 7, 1, 9) + b"a" + full(b"\x01\x01\x02", 9, 1, 8) + b"b" + b"\x81\x01\x02\x00\x00\x01c",
        [Message(9, 7, 1, b"a"), Message(8, 9, 1, b"b"), Message(8, 10, 1, b"c")],
    ),
    "the same id in two forms": (
        full(b"\x00\x05", 7, 1, 9) + b"a" + b"\x81\x05\x00\x00\x00\x02b",
        [Message(9, 7, 1, b"a"), Message(9, 9, 1, b"b")],
    ),
    "types 1 and 2 add a delta": (
        full(b"\x04", 100, 1, 9) + b"a" + b"\x44\x00\x00\x21\x00\x00\x02\x08bc" + b"\x84\x00\x00\x10de",
        [Message(9, 100, 1, b"a"), Message(8, 133, 1, b"bc"), Message(8, 149, 1, b"de")],
    ),
    "type 3 at the start of a message adds the delta again": (
        full(b"\x04", 100, 1, 9) + b"a" + b"\x84\x00\x00\x21b" + b"\xc4c" + b"\xc4d",
        [Message(9, 100, 1, b"a"), Message(9, 133, 1, b"b"), Message(9, 166, 1, b"c"), Message(9, 199, 1, b"d")],
    ),
    "type 3 after type 0 adds its time (5.3.1.2.4)": (
        full(b"\x04", 40, 1, 9) + b"a" + b"\xc4b",
        [Message(9, 40, 1, b"a"), Message(9, 80, 1, b"b")],
    ),
    "type 3 goes on with a message, and may be interleaved": (
        full(b"\x04", 7, 130, 9) + b"a" * 128 + full(b"\x05", 8, 1, 8) + b"s" + b"\xc4bb",
        [Message(8, 8, 1, b"s"), Message(9, 7, 1, b"a" * 128 + b"bb")],
    ),
    "many chunks, interrupted once": (
        full(b"\x04", 7, 700, 9) + (b"a" * 128 + b"\xc4") * 3 + b"b" * 128 + full(b"\x05", 8, 1, 8) + b"s"
        + b"\xc4" + b"c" * 128 + b"\xc4" + b"d" * 60,
        [Message(8, 8, 1, b"s"), Message(9, 7, 1, b"a" * 384 + b"b" * 128 + b"c" * 128 + b"d" * 60)],
    ),
    "a message of exactly two chunks": (
        full(b"\x04", 7, 256, 9) + b"a" * 128 + b"\xc4" + b"b" * 128 + b"\xc4" + b"c" * 128 + b"\xc4" + b"d" * 128,
        [Message(9, 7, 1, b"a" * 128 + b"b" * 128), Message(9, 14, 1, b"c" * 128 + b"d" * 128)],
    ),
    "a fresh chunk stream may begin with type 1 (librtmp)": (
        b"\x42\x00\x00\x05\x00\x00\x01\x03a",
        [Message(3, 5, 0, b"a")],
    ),
    "set chunk size counts from the next chunk on": (
        full(b"\x02", 0, 4, 1, 0) + b"\x00\x00\x00\x02" + full(b"\x04", 0, 5, 9) + b"ab\xc4cd\xc4e",
        [Message(1, 0, 0, b"\x00\x00\x00\x02"), Message(9, 0, 1, b"abcde")],
    ),
    "abort drops what was begun": (
        full(b"\x04", 7, 130, 9) + b"a" * 128 + full(b"\x02", 0, 4, 2, 0) + b"\x00\x00\x00\x04"
        + full(b"\x04", 9, 1, 9) + b"b",
        [Message(2, 0, 0, b"\x00\x00\x00\x04"), Message(9, 9, 1, b"b")],
    ),
    "abort of nothing": (
        full(b"\x02", 0, 4, 2, 0) + b"\x00\x00\x00\x09",
        [Message(2, 0, 0, b"\x00\x00\x00\x09")],
    ),
    "extended time, repeated": (
        full(b"\x04", 0xFFFFFF, 130, 9) + b"\x01\x02\x03\x04" + b"a" * 128 + b"\xc4\x01\x02\x03\x04bb",
        [Message(9, BIG, 1, b"a" * 128 + b"bb")],
    ),
    "extended time, not repeated": (
        full(b"\x04", 0xFFFFFF, 130, 9) + b"\x01\x02\x03\x04" + b"a" * 128 + b"\xc4\x01b" + full(b"\x05", 0, 1, 8) + b"s",
        [Message(9, BIG, 1, b"a" * 128 + b"\x01b"), Message(8, 0, 1, b"s")],
    ),
    "extended time of exactly 0xFFFFFF": (
        full(b"\x04", 0xFFFFFF, 1, 9) + b"\x00\xff\xff\xff" + b"a" + b"\x84\x00\x00\x01b",
        [Message(9, 0xFFFFFF, 1, b"a"), Message(9, 0x1000000, 1, b"b")],
    ),
    "a delta that adds up to 0xFFFFFF is not extended": (
        full(b"\x04", 0xFFFFFE, 1, 9) + b"a" + b"\x44\x00\x00\x01\x00\x00\x82\x09" + b"b" * 128 + b"\xc4bb",
        [Message(9, 0xFFFFFE, 1, b"a"), Message(9, 0xFFFFFF, 1, b"b" * 130)],
    ),
    "extended delta": (
        full(b"\x04", 1, 1, 9) + b"a" + b"\x84\xff\xff\xff\x01\x02\x03\x04b" + b"\xc4\x01\x02\x03\x04c",
        [Message(9, 1, 1, b"a"), Message(9, 1 + BIG, 1, b"b"), Message(9, 1 + 2 * BIG, 1, b"c")],
    ),
    "times wrap at 2^32": (
        full(b"\x04", 0xFFFFFF, 1, 9) + b"\xff\xff\xff\xff" + b"a" + b"\x84\x00\x00\x21b",
        [Message(9, 0xFFFFFFFF, 1, b"a"), Message(9, 0x20, 1, b"b")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("step", [0, 1, 2, 7])
@pytest.mark.parametrize("name", TABLE)
def test_bytes_become_messages(name: str, step: int) -> None:
    data, messages = TABLE[name]
    assert read(data, step) == messages


WRONG = {
    "type 3 out of nothing": (b"\xc4a", "chunk stream 4 begins without a header"),
    "type 2 out of nothing": (b"\x84\x00\x00\x01a", "chunk stream 4 begins without a length"),
    "a header within a message": (
        full(b"\x04", 0, 130, 9) + b"a" * 128 + full(b"\x04", 0, 1, 9),
        "chunk stream 4 begins a message within a message",
    ),
    "chunk size 0": (full(b"\x02", 0, 4, 1) + bytes(4), "a chunk size of 0 bytes"),
    "chunk size of 32 bits": (full(b"\x02", 0, 4, 1) + b"\x80\x00\x00\x00", "must be 1 to"),
    "short control": (full(b"\x02", 0, 2, 1) + bytes(2), "shorter than its 4 bytes"),
    "too long": (full(b"\x04", 0, 1001, 9), "a message of 1001 bytes is announced; the limit is 1000"),
    "too long together": (full(b"\x04", 0, 600, 9) + b"a" * 128 + full(b"\x05", 0, 600, 9), "the limit is"),
    "too many chunk streams": (
        b"".join(full(bytes([0, number]), 0, 0, 9) for number in range(MAX_CHUNK_STREAMS + 1)),
        f"more than {MAX_CHUNK_STREAMS} chunk streams",
    ),
}


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_bytes_are_the_peers_error(name: str, step: int) -> None:
    data, sentence = WRONG[name]
    with pytest.raises(RemoteProtocolError, match=sentence):
        read(data, step, max_message=1000)


@given(
    st.lists(
        st.builds(
            Message, st.integers(8, 9), st.integers(0, 0xFFFFFFFF), st.just(1), st.binary(max_size=700)
        ),
        max_size=4,
    ),
    st.sampled_from([0, 1, 5, 64]),
)
def test_what_is_written_is_read(messages: list[Message], step: int) -> None:
    data = b"".join(write(message, chunk_stream=message.type, chunk_size=128) for message in messages)
    assert read(data, step) == messages


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_are_read_alike_whole_or_in_pieces(data: bytes, step: int) -> None:
    def outcome(step: int) -> list[Message] | str:
        try:
            return read(data, step)
        except RemoteProtocolError as error:
            return str(error)

    assert outcome(0) == outcome(step)
