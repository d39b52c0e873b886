"""The bytes that a publisher sends, message by message."""

from abr.formats.rtmp import chunk, message
from abr.formats.rtmp.amf import Value, encode
from abr.formats.rtmp.chunk import Message
from abr.formats.rtmp.event import MediaKind

HANDSHAKE = b"\x03" + bytes(1536) + bytes(1536)
"""C0, C1 and C2 (which the server does not compare)."""
AVC_HEADER = b"\x17\x00\x00\x00\x00\x01\x64\x00\x0a"
AVC_FRAME = b"\x17\x01\x00\x00\x00frame"
AAC_HEADER = b"\xaf\x00\x12\x10"
AAC_FRAME = b"\xaf\x01sound"


def sent(content: Message, *, chunk_stream: int = 3, chunk_size: int = 128) -> bytes:
    """One message in chunks."""
    return chunk.write(content, chunk_stream=chunk_stream, chunk_size=chunk_size)


def call(name: str, number: float, *values: Value, stream: int = 0) -> bytes:
    """One command."""
    return sent(message.command(name, number, *values, stream=stream))


def connect(app: str = "live") -> bytes:
    """The first command."""
    members: dict[str, Value] = {"app": app, "tcUrl": f"rtmp://host/{app}", "flashVer": "FMLE/3.0 (test)"}
    return call("connect", 1.0, members)


def publish(key: str = "key1") -> bytes:
    """What FFmpeg sends between connect and its media."""
    return b"".join(
        (
            call("releaseStream", 2.0, None, key),
            call("FCPublish", 3.0, None, key),
            call("createStream", 4.0, None),
            call("publish", 5.0, None, key, "live", stream=1),
        )
    )


def media(kind: MediaKind, timestamp: int, payload: bytes) -> bytes:
    """One media message."""
    return sent(Message(kind, timestamp, 1, payload), chunk_stream=4)


def metadata(timestamp: int = 0, **values: Value) -> bytes:
    """@setDataFrame, as publishers send it."""
    return media(MediaKind.DATA, timestamp, encode("@setDataFrame", "onMetaData", dict(values)))


def stop() -> bytes:
    """What FFmpeg sends at the end."""
    return call("FCUnpublish", 6.0, None, "key1") + call("deleteStream", 7.0, None, 1.0)
