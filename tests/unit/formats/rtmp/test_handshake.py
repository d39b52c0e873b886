"""The handshake, and the ways in which other protocols open."""

from collections import deque

import pytest

from abr.errors import RemoteProtocolError
from abr.formats.rtmp.handshake import BLOCK, NONCE, ServerHandshake

NONCE_BYTES = bytes(range(256)) * 5 + bytes(NONCE - 1280)
C1 = b"\x00\x00\x00\x2a" + b"\x09\x00\x7c\x02" + b"c" * NONCE
ANSWER = b"\x03" + bytes(8) + NONCE_BYTES + b"\x00\x00\x00\x2a" + bytes(4) + b"c" * NONCE


def test_answers_once_c1_is_whole_and_gives_what_lies_behind_c2() -> None:
    handshake = ServerHandshake(NONCE_BYTES)
    assert handshake.receive(b"\x03" + C1[:-1]) == (b"", b"")
    assert handshake.receive(C1[-1:]) == (ANSWER, b"")
    assert not handshake.done
    assert handshake.receive(bytes(BLOCK) + b"more") == (b"", b"more")
    assert handshake.done


def test_bytes_may_come_one_by_one() -> None:
    handshake = ServerHandshake(NONCE_BYTES)
    replies = [handshake.receive(bytes([byte])) for byte in b"\x03" + C1 + bytes(BLOCK)]
    assert b"".join(reply for reply, _ in replies) == ANSWER
    assert handshake.done


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (b"GET /live HTTP/1.1\r\n", "this looks like HTTP"),
        (b"POST /fcs/ident2 HTTP/1.1\r\n", "this looks like HTTP"),
        (b"OPTIONS rtsp://h RTSP/1.0\r\n", "this looks like HTTP or RTSP"),
        (b"DESCRIBE rtsp://h RTSP/1.0\r\n", "this looks like RTSP"),
        (b"\x16\x03\x01\x02\x00", "this looks like TLS"),
        (b"SSH-2.0-OpenSSH", "this looks like SSH"),
        (b"PROXY TCP4 1.2.3.4", "this looks like the PROXY protocol"),
        (b"FLV\x01\x05\x00", "this looks like FLV"),
        (b"\x47\x40\x11\x10\x00", "this looks like MPEG-TS"),
        (b"\x06" + bytes(1536), "encrypted RTMP"),
        (b"\xff\xff\xff\xff", "the first byte is 255, not 3"),
    ],
)
def test_another_protocol_is_named(start: bytes, sentence: str) -> None:
    with pytest.raises(RemoteProtocolError, match=sentence):
        ServerHandshake(NONCE_BYTES).receive(start)
    slow = ServerHandshake(NONCE_BYTES)
    with pytest.raises(RemoteProtocolError, match=sentence):
        deque((slow.receive(bytes([byte])) for byte in start), maxlen=0)
